package details

import (
	"context"
	"strings"

	appwidget "causa/app/widget"
	"causa/core"
	"causa/matter"
)

// mostFacts is how many lines of a decision table the sheet offers.
const mostFacts = 8

// A factEntry takes one line of the decision table.
type factEntry struct{ name, value *appwidget.Entry }

// conclude asks for the result that closes the matter.
func (p *Panel) conclude() {
	env, m := p.env, p.m
	notice := appwidget.NewNotice()
	decision := appwidget.NewTextArea(env.T("What was decided"))
	decision.SetMinRowsVisible(3)
	var facts []factEntry
	table := appwidget.NewColumn(6)
	var sheet *appwidget.Sheet
	var more *appwidget.Button
	more = appwidget.NewIconButton("plus", env.T("Add a line to the decision table"), appwidget.Bare, func() {
		f := factEntry{appwidget.NewEntry(env.T("Item")), appwidget.NewEntry(env.T("Value"))}
		facts = append(facts, f)
		table.Add(appwidget.NewRow(8, 1, appwidget.NewBox(130, 0, f.name), f.value))
		more.Hidden = len(facts) == mostFacts
		sheet.Fit()
		env.Window.Focus(f.name)
	})
	body := appwidget.NewColumn(12, notice,
		appwidget.NewSmall(env.T("The decision is signed over the whole discussion and closes the matter. Nobody writes in it until you reopen it.")).Wrapped(),
		appwidget.NewField(env.T("Decision"), decision, ""), table, more)
	var act *appwidget.Button
	act = appwidget.NewButton(env.T("Conclude"), appwidget.Final, func() {
		con := core.Conclusion{Decision: strings.TrimSpace(decision.Text)}
		for _, f := range facts {
			if name := strings.TrimSpace(f.name.Text); name != "" {
				con.Facts = append(con.Facts, matter.Fact{Name: name, Value: strings.TrimSpace(f.value.Text)})
			}
		}
		p.submit(sheet, act, notice, func(ctx context.Context) error {
			_, err := p.engine.Conclude(ctx, m.ID, con)
			return err
		})
	})
	foot := appwidget.NewRow(10, 0, appwidget.NewSpace(0, 0), appwidget.NewButton(env.T("Cancel"), appwidget.Quiet, func() { sheet.Close() }), act)
	sheet = appwidget.ShowSheet(env.Window, env.T("Conclude this matter"), 480, body, foot)
	env.Window.Focus(decision)
}

// reopen asks why a concluded matter goes on.
func (p *Panel) reopen() {
	env, m := p.env, p.m
	notice := appwidget.NewNotice()
	why := appwidget.NewEntry(env.T("Why it goes on"))
	var sheet *appwidget.Sheet
	var act *appwidget.Button
	act = appwidget.NewButton(env.T("Reopen"), appwidget.Primary, func() {
		p.submit(sheet, act, notice, func(ctx context.Context) error {
			_, err := p.engine.Reopen(ctx, m.ID, strings.TrimSpace(why.Text))
			return err
		})
	})
	body := appwidget.NewColumn(12, notice, appwidget.NewSmall(env.T("The conclusion stays in the record.")).Wrapped(), why)
	foot := appwidget.NewRow(10, 0, appwidget.NewSpace(0, 0), appwidget.NewButton(env.T("Cancel"), appwidget.Quiet, func() { sheet.Close() }), act)
	sheet = appwidget.ShowSheet(env.Window, env.T("Reopen this matter"), 420, body, foot)
	env.Window.Focus(why)
}

// submit does what a sheet is for and closes it, or says on it why that did not work.
func (p *Panel) submit(sheet *appwidget.Sheet, act *appwidget.Button, notice *appwidget.Notice, work func(context.Context) error) {
	act.Disable()
	p.env.Do(work, func(err error) {
		act.Enable()
		if err != nil {
			notice.Fail(p.env.Fault(err))
			sheet.Fit()
			return
		}
		sheet.Close()
	})
}
