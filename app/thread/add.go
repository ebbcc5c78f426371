package thread

import (
	"context"
	"strings"
	"time"

	"causa/app/screen"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// addMenu offers what can be put into a matter besides text.
func (t *Thread) addMenu(at fyne.Position) {
	items := []*fyne.MenuItem{
		fyne.NewMenuItem(t.env.T("New task…"), t.NewTask),
		fyne.NewMenuItem(t.env.T("New poll…"), t.NewPoll),
	}
	if t.desk.Choose != nil {
		items = append([]*fyne.MenuItem{fyne.NewMenuItem(t.env.T("File…"), func() { t.desk.Attach(t.m.ID) })}, items...)
		at = at.SubtractXY(0, 35)
	}
	widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), t.env.Window, at)
}

// NewTask asks what is to be done, by whom and until when.
func (t *Thread) NewTask() {
	env, id := t.env, t.m.ID
	notice := appwidget.NewNotice()
	text := appwidget.NewEntry(env.T("What is to be done?"))
	var members []matter.Member
	for _, p := range t.m.Participants {
		members = append(members, env.People.Member(p))
	}
	who := screen.NewPicker(env, members)
	due := appwidget.NewChoice([]string{env.T("No date"), env.T("Tomorrow"), env.T("In a week"), env.T("In a month")}, 0, nil)
	var sheet *appwidget.Sheet
	var act *appwidget.Button
	act = appwidget.NewButton(env.T("Set the task"), appwidget.Primary, func() {
		n := core.NewTask{Text: strings.TrimSpace(text.Text), Due: dueIn(env.Now(), due.Chosen())}
		chosen := who.Chosen()
		if len(chosen) > 1 {
			notice.Fail(env.T("A task is for one person."), env.T("Set one for each."))
			sheet.Fit()
			return
		}
		if len(chosen) == 1 {
			n.Assignee = chosen[0]
		}
		t.submit(sheet, act, notice, func(ctx context.Context) error {
			_, err := t.engine.AddTask(ctx, id, n)
			return err
		})
	})
	body := appwidget.NewColumn(14, notice, appwidget.NewField(env.T("Task"), text, ""),
		appwidget.NewField(env.T("For"), who, ""), appwidget.NewField(env.T("Due"), due, ""))
	sheet = appwidget.ShowSheet(env.Window, env.T("New task"), 460, body, t.foot(act, func() { sheet.Close() }))
	who.OnChanged = sheet.Fit
	env.Window.Focus(text)
}

// dueIn is the end of a day that a choice names.
func dueIn(now time.Time, choice int) time.Time {
	y, m, d := now.Date()
	end := time.Date(y, m, d, 23, 59, 59, 0, now.Location())
	switch choice {
	case 1:
		return end.AddDate(0, 0, 1)
	case 2:
		return end.AddDate(0, 0, 7)
	case 3:
		return end.AddDate(0, 1, 0)
	}
	return time.Time{}
}

// NewPoll asks for a question and its answers.
func (t *Thread) NewPoll() {
	env, id := t.env, t.m.ID
	notice := appwidget.NewNotice()
	question := appwidget.NewEntry(env.T("What do you want to know?"))
	answers := appwidget.NewTextArea(env.T("One answer on each line"))
	answers.SetMinRowsVisible(4)
	several := appwidget.NewChoice([]string{env.T("One answer"), env.T("Several answers")}, 0, nil)
	var sheet *appwidget.Sheet
	var act *appwidget.Button
	act = appwidget.NewButton(env.T("Ask"), appwidget.Primary, func() {
		n := core.NewPoll{Question: strings.TrimSpace(question.Text), Multiple: several.Chosen() == 1}
		for line := range strings.Lines(answers.Text) {
			if line = strings.TrimSpace(line); line != "" {
				n.Options = append(n.Options, line)
			}
		}
		t.submit(sheet, act, notice, func(ctx context.Context) error {
			_, err := t.engine.AddPoll(ctx, id, n)
			return err
		})
	})
	body := appwidget.NewColumn(14, notice, appwidget.NewField(env.T("Question"), question, ""),
		appwidget.NewField(env.T("Answers"), answers, ""), several)
	sheet = appwidget.ShowSheet(env.Window, env.T("New poll"), 460, body, t.foot(act, func() { sheet.Close() }))
	env.Window.Focus(question)
}

func (t *Thread) foot(act *appwidget.Button, cancel func()) fyne.CanvasObject {
	return appwidget.NewRow(10, 0, appwidget.NewSpace(0, 0), appwidget.NewButton(t.env.T("Cancel"), appwidget.Quiet, cancel), act)
}

// submit does what a sheet is for and closes it, or says on it why that did not work.
func (t *Thread) submit(sheet *appwidget.Sheet, act *appwidget.Button, notice *appwidget.Notice, work func(context.Context) error) {
	act.Disable()
	t.env.Do(work, func(err error) {
		act.Enable()
		if err != nil {
			notice.Fail(t.env.Fault(err))
			sheet.Fit()
			return
		}
		sheet.Close()
	})
}
