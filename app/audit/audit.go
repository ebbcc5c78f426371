// Package audit shows the organisation log to people.
package audit

import (
	"context"
	"slices"

	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/internal/words"

	"fyne.io/fyne/v2"
)

// An Engine is what this needs of one.
type Engine interface {
	Audit(ctx context.Context) ([]core.AuditLine, error)
}

// most is how many entries are shown: the newest. causactl audit prints all.
const most = 200

// Show opens a sheet with the organisation log, which every device has verified for
// itself.
func Show(env *screen.Env, engine Engine) {
	var lines []core.AuditLine
	env.Do(func(ctx context.Context) (err error) {
		lines, err = engine.Audit(ctx)
		return err
	}, func(err error) {
		if err != nil {
			env.TellFault(err)
			return
		}
		appwidget.ShowSheet(env.Window, env.T("Organisation log"), 560, appwidget.NewColumn(10, Lines(env, lines)...), nil)
	})
}

// Lines are the entries as they are shown, the newest first.
func Lines(env *screen.Env, lines []core.AuditLine) []fyne.CanvasObject {
	out := []fyne.CanvasObject{appwidget.NewSmall(env.T("Every change of people, devices and rules, signed by whoever made it. This device has checked the whole chain.")).Wrapped()}
	for i, l := range slices.Backward(lines) {
		if len(lines)-i > most {
			break
		}
		hash := appwidget.NewText(env.T("#%d", int(l.Index)) + "  " + l.Hash[:min(len(l.Hash), 16)])
		hash.Style.Monospace = true
		hash.Points, hash.Color = apptheme.SizeTiny, apptheme.Muted
		when := appwidget.NewSmall(env.Words.Moment(l.Time, env.Now())).Whole()
		out = append(out, appwidget.NewLine(), appwidget.NewText(entry(env, l)).Wrapped(),
			appwidget.NewRow(8, 0, appwidget.NewSmall(appwidget.OneLine(env.Name(l.Author))), when), hash)
	}
	return out
}

// entries are the kinds of entry, as the engine calls them and as people read them.
var entries = map[string]string{
	"founded":          words.Mark("Organisation founded"),
	"member invited":   words.Mark("Member invited"),
	"device invited":   words.Mark("Device invited"),
	"invite withdrawn": words.Mark("Invite withdrawn"),
	"device enrolled":  words.Mark("Device enrolled"),
	"member renamed":   words.Mark("Member renamed"),
	"role changed":     words.Mark("Role changed"),
	"member left":      words.Mark("Member left"),
	"device revoked":   words.Mark("Device revoked"),
	"policy set":       words.Mark("Policy set"),
	"new tries given":  words.Mark("New tries given"),
}

func entry(env *screen.Env, l core.AuditLine) string {
	what, ok := entries[l.What]
	if !ok {
		what = words.Mark("An entry this version does not know")
	}
	if l.Detail == "" {
		return env.T(what)
	}
	return env.T("%s: %s", env.T(what), appwidget.OneLine(l.Detail))
}
