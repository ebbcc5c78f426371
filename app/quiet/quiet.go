// Package quiet is where people set when they are not to be disturbed, and where they find
// what came meanwhile.
package quiet

import (
	"context"
	"slices"
	"time"

	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/dnd"
	"causa/matter"

	"fyne.io/fyne/v2"
)

// An Engine is what these screens need of one.
type Engine interface {
	Quiet() core.Quiet
	QuietNow(ctx context.Context) (core.QuietNow, error)
	EditQuiet(ctx context.Context, edit func(*core.Quiet) error) error
	Floor() (f dnd.Floor, ok bool)
	SetFloor(ctx context.Context, f dnd.Floor) error
	Availability(ctx context.Context) (s core.Availability, until time.Time, err error)
	SetAvailability(ctx context.Context, s core.Availability, until time.Time) error
	Matters(ctx context.Context) ([]matter.Matter, error)

	Digest(ctx context.Context) (core.Digest, error)
	TakeDigest(ctx context.Context) (core.Digest, error)
}

// A Screen is the sheet on which quiet hours are set.
type Screen struct {
	env    *screen.Env
	engine Engine
	open   func(matter.ID) // shows a matter

	sheet  *appwidget.Sheet
	column *appwidget.Column
	now    core.QuietNow
	status core.Availability
	titles map[matter.ID]string
}

// Show opens the sheet. open shows a matter.
func Show(env *screen.Env, engine Engine, open func(matter.ID)) *Screen {
	s := &Screen{env: env, engine: engine, open: open, column: appwidget.NewColumn(8), titles: map[matter.ID]string{}}
	s.show()
	s.sheet = appwidget.ShowSheet(env.Window, env.T("Do not disturb"), 480, s.column, nil)
	s.Reload()
	return s
}

// Reload shows everything as it is now.
func (s *Screen) Reload() {
	var now core.QuietNow
	var status core.Availability
	var matters []matter.Matter
	s.env.Do(func(ctx context.Context) (err error) {
		if now, err = s.engine.QuietNow(ctx); err != nil {
			return err
		}
		if status, _, err = s.engine.Availability(ctx); err != nil {
			return err
		}
		matters, err = s.engine.Matters(ctx)
		return err
	}, func(err error) {
		if err != nil {
			s.env.TellFault(err)
			return
		}
		s.now, s.status = now, status
		for _, m := range matters {
			s.titles[m.ID] = m.Title
		}
		s.show()
	})
}

// edit changes the quiet hours and shows them.
func (s *Screen) edit(change func(*dnd.Rules)) {
	s.env.Do(func(ctx context.Context) error {
		return s.engine.EditQuiet(ctx, func(q *core.Quiet) error {
			if q.Rules.Zone == "" {
				d := core.DefaultRules()
				q.Rules.Zone, q.Rules.Travels = d.Zone, d.Travels
			}
			change(&q.Rules)
			return nil
		})
	}, s.done)
}

func (s *Screen) done(err error) {
	s.env.TellFault(err)
	s.Reload()
}

func (s *Screen) show() {
	env, q := s.env, s.engine.Quiet()
	objects := []fyne.CanvasObject{card(s.state()...), section(env.T("How to be met")), card(s.availability())}
	objects = append(objects, section(env.T("Windows")), card(s.windows(q.Rules)...),
		section(env.T("Exceptions")), card(s.exceptions(q.Rules)...),
		section(env.T("At the end")), card(s.digest()...),
		section(env.T("Details")), card(s.calendar(q.Rules), s.private(q.Private)))
	objects = append(objects, s.floor()...)
	for _, n := range q.Rules.Notes(today(env.Now())) {
		text, args := n.Words()
		objects = append(objects, appwidget.NewSmall(env.T(text, args...)).Wrapped())
	}
	s.column.Set(objects...)
	if s.sheet != nil {
		s.sheet.Fit()
	}
}

func today(t time.Time) dnd.Day { return dnd.Date(t.Year(), t.Month(), t.Day()) }

// state is how things are, and what can be switched by hand.
func (s *Screen) state() []fyne.CanvasObject {
	env := s.env
	text := env.T("You can be disturbed")
	switch {
	case s.now.Quiet && s.now.Until.IsZero():
		text = env.T("Quiet, with no end in sight")
	case s.now.Quiet:
		text = env.T("Quiet until %s", env.Words.Moment(env.Local(s.now.Until), env.Now()))
	}
	icon := appwidget.NewIcon("moon").Sized(18)
	out := []fyne.CanvasObject{appwidget.NewRow(10, 1, icon, appwidget.NewText(text).Wrapped())}
	switched := s.engine.Quiet().Rules.Manual
	if switched.Kind != dnd.ManualNone && switched.Until.After(env.Now()) {
		return append(out, appwidget.NewWrapping(8, appwidget.NewButton(env.T("Back to the windows"), appwidget.Quiet, func() {
			s.edit(func(r *dnd.Rules) { r.Manual = dnd.Manual{} })
		})))
	}
	by := func(kind dnd.ManualKind, until func() time.Time) func() {
		return func() {
			s.edit(func(r *dnd.Rules) { r.Manual = dnd.Manual{Kind: kind, Until: until().Truncate(time.Second)} })
		}
	}
	hour := func() time.Time { return env.Now().Add(time.Hour) }
	morning := func() time.Time {
		n := env.Now()
		return time.Date(n.Year(), n.Month(), n.Day()+1, 8, 30, 0, 0, n.Location())
	}
	row := appwidget.NewWrapping(8,
		appwidget.NewButton(env.T("Quiet for an hour"), appwidget.Quiet, by(dnd.ManualQuiet, hour)),
		appwidget.NewButton(env.T("Quiet until tomorrow, 08:30"), appwidget.Quiet, by(dnd.ManualQuiet, morning)))
	if s.now.Quiet {
		row = appwidget.NewWrapping(8, appwidget.NewButton(env.T("Not for the next hour"), appwidget.Quiet, by(dnd.ManualOff, hour)))
	}
	return append(out, row)
}

// availability is the choice of how to be met.
func (s *Screen) availability() fyne.CanvasObject {
	env := s.env
	names := []string{env.T("Available"), env.T("Away"), env.T("In a meeting for an hour")}
	return appwidget.NewChoice(names, int(s.status), func(i int) {
		var until time.Time
		if core.Availability(i) == core.InMeeting {
			until = env.Now().Add(time.Hour)
		}
		env.Do(func(ctx context.Context) error { return s.engine.SetAvailability(ctx, core.Availability(i), until) }, s.done)
	})
}

func (s *Screen) windows(r dnd.Rules) (out []fyne.CanvasObject) {
	for i, w := range r.Windows {
		remove := appwidget.NewIconButton("x", "", appwidget.Bare, func() {
			s.edit(func(r *dnd.Rules) { r.Windows = slices.Delete(slices.Clone(r.Windows), i, i+1) })
		})
		remove.Height = 28
		out = append(out, appwidget.NewRow(8, 0, appwidget.NewText(s.window(w)).Wrapped(), remove))
	}
	add := appwidget.NewIconButton("plus", s.env.T("Add a window"), appwidget.Quiet, func() {
		s.ask(s.env.T("Add a window"), func(w dnd.Window) {
			s.edit(func(r *dnd.Rules) { r.Windows = append(slices.Clone(r.Windows), w) })
		})
	})
	return append(out, appwidget.NewWrapping(8, add))
}

// window is what people read of a window.
func (s *Screen) window(w dnd.Window) string {
	env := s.env
	days := env.T("Some days")
	for _, d := range daySets {
		if d.days == w.Days {
			days = env.T(d.name)
		}
	}
	switch {
	case w.From == 0 && w.To == dnd.At(24, 0):
		return env.T("%s, all day", days)
	case w.To < w.From:
		return env.T("%s %s – %s the next day", days, w.From.String(), w.To.String())
	}
	return env.T("%s %s – %s", days, w.From.String(), w.To.String())
}

// exceptions are the people and matters that break through.
func (s *Screen) exceptions(r dnd.Rules) (out []fyne.CanvasObject) {
	env := s.env
	out = append(out, appwidget.NewSmall(env.T("Urgent messages break through, two a day from each person unless your organisation says otherwise.")).Wrapped())
	for _, id := range r.VIPs {
		remove := appwidget.NewIconButton("x", "", appwidget.Bare, func() {
			s.edit(func(r *dnd.Rules) {
				r.VIPs = slices.DeleteFunc(slices.Clone(r.VIPs), func(v matter.MemberID) bool { return v == id })
			})
		})
		remove.Height = 28
		out = append(out, appwidget.NewRow(8, 0, appwidget.NewText(appwidget.OneLine(env.Name(id))), remove))
	}
	for _, o := range r.Matters {
		title := s.titles[o.Matter]
		if title == "" {
			title = o.Matter.Short()
		}
		how := map[dnd.Mode]string{
			dnd.ModeAlways: env.T("always"), dnd.ModeNever: env.T("never"), dnd.ModeWindows: env.T("windows of its own"),
		}[o.Mode]
		remove := appwidget.NewIconButton("x", "", appwidget.Bare, func() { s.edit(func(r *dnd.Rules) { r.Matters = without(r.Matters, o.Matter) }) })
		remove.Height = 28
		out = append(out, appwidget.NewRow(8, 0, appwidget.NewText(appwidget.OneLine(title)), appwidget.NewSmall(how).Whole(), remove))
	}
	people := appwidget.NewIconButton("user-plus", env.T("People who may disturb you"), appwidget.Quiet, s.pick)
	return append(out, appwidget.NewWrapping(8, people))
}

func without(all []dnd.Override, id matter.ID) []dnd.Override {
	return slices.DeleteFunc(slices.Clone(all), func(o dnd.Override) bool { return o.Matter == id })
}

// SetMatter sets how a matter notifies: 0 is as all others do.
func SetMatter(ctx context.Context, engine interface {
	EditQuiet(ctx context.Context, edit func(*core.Quiet) error) error
}, id matter.ID, mode dnd.Mode,
) error {
	return engine.EditQuiet(ctx, func(q *core.Quiet) error {
		q.Rules.Matters = without(q.Rules.Matters, id)
		if mode != 0 {
			q.Rules.Matters = append(q.Rules.Matters, dnd.Override{Matter: id, Mode: mode})
		}
		return nil
	})
}

// ModeOf returns how a matter notifies.
func ModeOf(q core.Quiet, id matter.ID) dnd.Mode {
	for _, o := range q.Rules.Matters {
		if o.Matter == id {
			return o.Mode
		}
	}
	return 0
}

func (s *Screen) calendar(r dnd.Rules) fyne.CanvasObject {
	env := s.env
	chosen := 0
	if len(r.Calendars) > 0 {
		chosen = 1
	}
	choice := appwidget.NewChoice([]string{env.T("None"), env.T("China")}, chosen, func(i int) {
		s.edit(func(r *dnd.Rules) {
			r.Calendars = nil
			if i == 1 {
				r.Calendars = []dnd.Calendar{dnd.China()}
			}
		})
	})
	return appwidget.NewField(env.T("Holidays"), choice, "")
}

func (s *Screen) private(on bool) fyne.CanvasObject {
	env := s.env
	chosen := 0
	if on {
		chosen = 1
	}
	choice := appwidget.NewChoice([]string{env.T("My devices and the hub"), env.T("Only my devices")}, chosen, func(i int) {
		env.Do(func(ctx context.Context) error {
			return s.engine.EditQuiet(ctx, func(q *core.Quiet) error {
				q.Private = i == 1
				return nil
			})
		}, s.done)
	})
	return appwidget.NewField(env.T("Who knows your quiet hours"), choice, env.T("The hub tells colleagues until when you are quiet, and wakes no device of yours before."))
}

func section(name string) fyne.CanvasObject {
	t := appwidget.NewHeading(name, apptheme.SizeSmall).In(apptheme.Muted)
	return appwidget.NewRow(0, 0, t).Inset(appwidget.Insets{Top: 10, Left: 4})
}

func card(objects ...fyne.CanvasObject) fyne.CanvasObject {
	f := appwidget.NewFill(apptheme.Canvas, appwidget.NewColumn(10, objects...))
	f.Radius, f.Inset = 10, appwidget.Around(12)
	return f
}
