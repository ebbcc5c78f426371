package quiet

import (
	"context"
	"slices"
	"strings"

	"causa/app/screen"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/dnd"
	"causa/internal/words"
	"causa/matter"

	"fyne.io/fyne/v2"
)

// daySets are the days that the screen offers; causactl knows all others.
var daySets = []struct {
	name string
	days dnd.Days
}{
	{words.Mark("Every day"), dnd.EveryDay},
	{words.Mark("Working days"), dnd.WorkingDays},
	{words.Mark("Weekends and holidays"), dnd.FreeDays},
}

// ask asks for a window and hands it to use.
func (s *Screen) ask(title string, use func(dnd.Window)) {
	env := s.env
	notice := appwidget.NewNotice()
	var names []string
	for _, d := range daySets {
		names = append(names, env.T(d.name))
	}
	days := appwidget.NewChoice(names, 0, nil)
	from, to := appwidget.NewEntry("18:30"), appwidget.NewEntry("08:30")
	var sheet *appwidget.Sheet
	add := appwidget.NewButton(env.T("Add"), appwidget.Primary, func() {
		w := dnd.Window{Days: daySets[max(days.Chosen(), 0)].days}
		var err error
		if w.From, err = clock(from); err == nil {
			w.To, err = clock(to)
		}
		if err == nil {
			err = dnd.Rules{Zone: "UTC", Windows: []dnd.Window{w}}.Check()
		}
		if err != nil {
			notice.Fail(env.Fault(err))
			return
		}
		sheet.Close()
		use(w)
	})
	body := appwidget.NewColumn(12, notice, appwidget.NewField(env.T("Days"), days, ""),
		appwidget.NewRow(12, 1, appwidget.NewBox(140, 0, appwidget.NewField(env.T("From"), from, "")), appwidget.NewField(env.T("To"), to, "")),
		appwidget.NewSmall(env.T("An end before the beginning is on the next day. 00:00 to 24:00 is the whole day.")).Wrapped())
	foot := appwidget.NewRow(10, 0, appwidget.NewSpace(0, 0), appwidget.NewButton(env.T("Cancel"), appwidget.Quiet, func() { sheet.Close() }), add)
	sheet = appwidget.ShowSheet(env.Window, title, 420, body, foot)
	env.Window.Focus(from)
}

// clock reads a time of day; an empty field has what it suggests.
func clock(e *appwidget.Entry) (dnd.Clock, error) {
	text := strings.ReplaceAll(strings.TrimSpace(e.Text), "：", ":")
	if text == "" {
		text = e.PlaceHolder
	}
	return dnd.ParseClock(text)
}

// pick asks who may break through.
func (s *Screen) pick() {
	env := s.env
	people := slices.DeleteFunc(slices.Clone(env.People.List), func(m matter.Member) bool { return m.ID == env.People.Self || m.Left || !m.Joined })
	picker := screen.NewPicker(env, people)
	picker.Choose(s.engine.Quiet().Rules.VIPs...)
	var sheet *appwidget.Sheet
	done := appwidget.NewButton(env.T("Done"), appwidget.Primary, func() {
		chosen := picker.Chosen()
		sheet.Close()
		s.edit(func(r *dnd.Rules) { r.VIPs = chosen })
	})
	foot := appwidget.NewRow(10, 0, appwidget.NewSpace(0, 0), done)
	sheet = appwidget.ShowSheet(env.Window, env.T("People who may disturb you"), 420, appwidget.NewColumn(10, picker), foot)
	picker.OnChanged = sheet.Fit
	picker.Focus()
}

// floor is what the organisation keeps quiet, and, for those who may, how to change it.
func (s *Screen) floor() (out []fyne.CanvasObject) {
	env := s.env
	f, ok := s.engine.Floor()
	text := env.T("Your organisation keeps no hours quiet.")
	switch {
	case !ok:
		text = env.T("Your organisation's quiet hours need a newer version of Causa.")
	case len(f.Windows) > 0:
		var list []string
		for _, w := range f.Windows {
			list = append(list, s.window(w))
		}
		text = env.T("Your organisation keeps quiet: %s.", strings.Join(list, "; "))
	}
	out = append(out, section(env.T("Organisation")))
	inside := []fyne.CanvasObject{appwidget.NewSmall(text).Wrapped()}
	if env.People.Me().Role <= matter.RoleAdmin && env.People.Me().Role > 0 {
		set := appwidget.NewButton(env.T("Set the organisation's quiet hours"), appwidget.Quiet, func() {
			s.ask(env.T("Quiet hours of the organisation"), func(w dnd.Window) {
				s.setFloor(dnd.Floor{Zone: s.zone(), Local: true, Windows: []dnd.Window{w}})
			})
		})
		row := appwidget.NewWrapping(8, set)
		if len(f.Windows) > 0 {
			row = appwidget.NewWrapping(8, set, appwidget.NewButton(env.T("Remove"), appwidget.Quiet, func() { s.setFloor(dnd.Floor{}) }))
		}
		inside = append(inside, row)
	}
	return append(out, card(inside...))
}

// zone is the time zone that the organisation's windows mean for members who have named
// none.
func (s *Screen) zone() string {
	if z := s.engine.Quiet().Rules.Zone; z != "" {
		return z
	}
	return core.DefaultRules().Zone
}

func (s *Screen) setFloor(f dnd.Floor) {
	s.env.Do(func(ctx context.Context) error { return s.engine.SetFloor(ctx, f) }, s.done)
}

// digest is what the digest has, and the way to it.
func (s *Screen) digest() []fyne.CanvasObject {
	env := s.env
	if s.now.Held == 0 {
		return []fyne.CanvasObject{appwidget.NewSmall(env.T("What comes while it is quiet is listed here, once, when it is over.")).Wrapped()}
	}
	text := appwidget.NewText(env.T("%d messages wait", s.now.Held))
	if s.now.Due == 0 {
		return []fyne.CanvasObject{text}
	}
	open := appwidget.NewButton(env.T("Show the digest"), appwidget.Primary, func() {
		s.sheet.Close()
		ShowDigest(env, s.engine, s.open)
	})
	return []fyne.CanvasObject{text, appwidget.NewWrapping(8, open)}
}
