// Package newmatter is the sheet on which one starts a matter.
package newmatter

import (
	"context"
	"strings"
	"time"

	"causa/app/screen"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/matter"
)

// An Engine is what this screen needs of one.
type Engine interface {
	OpenMatter(ctx context.Context, m core.NewMatter) (matter.ID, error)
}

// A form is what has been filled in.
type form struct {
	env    *screen.Env
	engine Engine
	opened func(matter.ID)

	sheet  *appwidget.Sheet
	notice *appwidget.Notice
	title  *appwidget.Entry
	class  *appwidget.Choice
	due    *appwidget.Entry
	soon   *appwidget.Choice
	duty   *appwidget.Field
	name   *appwidget.Field
	people *screen.Picker
	start  *appwidget.Button
}

// Show opens the sheet, with some people chosen; opened is called with the id of the
// matter started.
func Show(env *screen.Env, engine Engine, opened func(matter.ID), with ...matter.MemberID) {
	f := &form{env: env, engine: engine, opened: opened, notice: appwidget.NewNotice()}
	f.title = appwidget.NewEntry(env.T("What is to be done?"))
	f.title.OnSubmitted = func(string) { f.submit() }
	f.name = appwidget.NewField(env.T("Title"), f.title, "")
	var classes []string
	for _, c := range matter.Classes() {
		classes = append(classes, env.Class(c))
	}
	f.class = appwidget.NewChoice(classes, 0, nil)
	f.due = appwidget.NewEntry(env.T("Year-month-day"))
	f.due.OnChanged = func(string) { f.soon.Mark(-1) }
	f.soon = appwidget.NewChoice([]string{env.T("No date"), env.T("Tomorrow"), env.T("In a week"), env.T("In a month")}, 0, f.setDue)
	f.duty = appwidget.NewField(env.T("Due"), appwidget.NewColumn(8, f.soon, f.due), "")
	f.people = screen.NewPicker(env, others(env))
	f.people.Choose(with...)
	f.start = appwidget.NewButton(env.T("Start matter"), appwidget.Primary, f.submit)
	body := appwidget.NewColumn(16, f.notice, f.name,
		appwidget.NewField(env.T("Class"), f.class, ""),
		appwidget.NewField(env.T("Participants"), f.people, env.T("Only they can read it. You can add others later.")),
		f.duty)
	foot := appwidget.NewRow(10, 0, appwidget.NewSpace(0, 0), appwidget.NewButton(env.T("Cancel"), appwidget.Quiet, func() { f.sheet.Close() }), f.start)
	f.sheet = appwidget.ShowSheet(env.Window, env.T("New matter"), 520, body, foot)
	f.people.OnChanged = f.sheet.Fit
	env.Window.Focus(f.title)
}

func others(env *screen.Env) []matter.Member {
	var out []matter.Member
	for _, m := range env.People.List {
		if m.Joined && !m.Left && m.ID != env.People.Self {
			out = append(out, m)
		}
	}
	return out
}

const dateForm = "2006-01-02"

func (f *form) setDue(i int) {
	now, text := f.env.Now(), ""
	switch i {
	case 1:
		text = now.AddDate(0, 0, 1).Format(dateForm)
	case 2:
		text = now.AddDate(0, 0, 7).Format(dateForm)
	case 3:
		text = now.AddDate(0, 1, 0).Format(dateForm)
	}
	f.due.SetText(text)
	f.soon.Mark(i)
}

// dueDate reads what was typed; a day ends with its last second.
func (f *form) dueDate() (time.Time, bool) {
	text := strings.NewReplacer("/", "-", ".", "-", "年", "-", "月", "-", "日", "", " ", "").Replace(f.due.Text)
	if text == "" {
		return time.Time{}, true
	}
	day, err := time.ParseInLocation("2006-1-2", text, f.env.Now().Location())
	if err != nil {
		return time.Time{}, false
	}
	y, m, d := day.Date()
	return time.Date(y, m, d, 23, 59, 59, 0, day.Location()), true
}

func (f *form) submit() {
	env := f.env
	f.name.SetProblem("")
	f.duty.SetProblem("")
	defer f.sheet.Fit()
	title := strings.TrimSpace(f.title.Text)
	if title == "" {
		f.name.SetProblem(env.T("Give the matter a title."))
		env.Window.Focus(f.title)
		return
	}
	due, ok := f.dueDate()
	if !ok {
		f.duty.SetProblem(env.T("Write the date as year-month-day, such as %s.", env.Now().Format(dateForm)))
		env.Window.Focus(f.due)
		return
	}
	request := core.NewMatter{Title: title, Class: matter.Classes()[max(f.class.Chosen(), 0)], Due: due, With: f.people.Chosen()}
	f.start.Disable()
	f.notice.Clear()
	var id matter.ID
	env.Do(func(ctx context.Context) (err error) {
		id, err = f.engine.OpenMatter(ctx, request)
		return err
	}, func(err error) {
		f.start.Enable()
		if err != nil {
			f.notice.Fail(env.Fault(err))
			f.sheet.Fit()
			return
		}
		f.sheet.Close()
		f.opened(id)
	})
}
