package admin

import (
	"context"
	"strings"

	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/core"

	"fyne.io/fyne/v2"
)

func (a *Admin) showRules() {
	objects := []fyne.CanvasObject{appwidget.NewSmall(a.env.T("Rules are signed into the organisation log; every device follows them.")).Wrapped()}
	for _, p := range a.policies {
		objects = append(objects, a.rule(p))
	}
	a.column.Set(objects...)
}

// rule is one rule with its value, which is signed when it is saved. An empty value
// brings back the default.
func (a *Admin) rule(p core.Policy) fyne.CanvasObject {
	env := a.env
	name := appwidget.NewText(p.Name)
	name.Style.Monospace, name.Points = true, apptheme.SizeSmall
	value := appwidget.NewEntry(env.T("Default"))
	value.SetText(p.Value)
	notice := appwidget.NewNotice()
	var save *appwidget.Button
	submit := func() {
		to := strings.TrimSpace(value.Text)
		if to == p.Value {
			return
		}
		save.Disable()
		env.Do(func(ctx context.Context) error { return a.engine.SetPolicy(ctx, p.Name, to) }, func(err error) {
			save.Enable()
			if err != nil {
				notice.Fail(env.Fault(err))
				a.page.Fit()
				return
			}
			env.Tell(env.T("The rule is signed."), "", false)
			a.Reload()
		})
	}
	save = appwidget.NewButton(env.T("Save"), appwidget.Quiet, submit)
	value.OnSubmitted = func(string) { submit() }
	c := appwidget.NewCard(appwidget.NewColumn(8, name, appwidget.NewSmall(env.T(p.Help)).Wrapped(), appwidget.NewRow(8, 0, value, save), notice))
	c.Inset = appwidget.Around(14)
	return c
}
