package quiet

import (
	"context"

	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/matter"

	"fyne.io/fyne/v2"
)

// ShowDigest shows what came while it was quiet: each message once, on one device. open
// shows a matter.
func ShowDigest(env *screen.Env, engine Engine, open func(matter.ID)) {
	var d core.Digest
	env.Do(func(ctx context.Context) (err error) {
		d, err = engine.TakeDigest(ctx)
		return err
	}, func(err error) {
		if err != nil {
			env.TellFault(err)
			return
		}
		var sheet *appwidget.Sheet
		column := appwidget.NewColumn(10)
		if d.Items == 0 {
			column.Add(appwidget.NewSmall(env.T("Nothing waits, or another device of yours has listed it.")).Wrapped())
		}
		for i, m := range d.Matters {
			if i > 0 {
				column.Add(appwidget.NewLine())
			}
			column.Add(digestMatter(env, m, func() {
				sheet.Close()
				open(m.Matter)
			})...)
		}
		sheet = appwidget.ShowSheet(env.Window, env.T("While it was quiet"), 520, column, nil)
	})
}

// mostListed is how many messages of a matter are listed; the matter has the others.
const mostListed = 5

func digestMatter(env *screen.Env, m core.DigestMatter, show func()) []fyne.CanvasObject {
	title := appwidget.NewHeading(appwidget.OneLine(m.Title), apptheme.SizeHeading)
	top := appwidget.NewRow(8, 0, title, appwidget.NewButton(env.T("Open"), appwidget.Quiet, show))
	out := []fyne.CanvasObject{top}
	for i, it := range m.Items {
		if i == mostListed {
			out = append(out, appwidget.NewSmall(env.T("and %d more", len(m.Items)-mostListed)))
			break
		}
		text := appwidget.NewText(appwidget.OneLine(env.Name(it.Message.Author) + ": " + it.Message.Text))
		when := appwidget.NewSmall(env.Words.Moment(env.Local(it.Message.Time), env.Now())).Whole()
		if it.Urgent {
			out = append(out, appwidget.NewRow(8, 1, appwidget.NewIcon("circle-alert").Sized(16).In(apptheme.SealText), text, when))
			continue
		}
		out = append(out, appwidget.NewRow(8, 0, text, when))
	}
	return out
}
