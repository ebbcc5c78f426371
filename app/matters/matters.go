// Package matters is the list of matters.
package matters

import (
	"context"
	"slices"
	"time"

	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// An Engine is what this screen needs of one.
type Engine interface {
	Matters(ctx context.Context) ([]matter.Matter, error)
}

// A filter says which matters are shown.
type filter int

const (
	filterOpen filter = iota
	filterUnread
	filterConcluded
)

// kinds of rows
const (
	kindMatter = iota
	kindSection
)

const sectionHeight float32 = 34

// A List shows the matters, newest activity first.
type List struct {
	widget.BaseWidget
	OnOpen func(matter.Matter)
	OnNew  func()
	// OnLoaded follows each reading.
	OnLoaded func()

	env    *screen.Env
	engine Engine

	all     []matter.Matter
	loaded  bool
	reading bool
	again   bool // something changed while loading
	failure error
	chosen  matter.ID
	narrow  bool
	filter  filter
	lines   []line

	status core.Status
	notice *appwidget.Notice
	search *appwidget.Entry
	chips  []*appwidget.Chip
	roll   *appwidget.Roll
	empty  *appwidget.Column
	page   *appwidget.Fill
}

// A line is a matter, or the name of a section.
type line struct {
	section string
	m       matter.Matter
}

// New returns a list that has not loaded yet.
func New(env *screen.Env, engine Engine) *List {
	l := &List{env: env, engine: engine, notice: appwidget.NewNotice()}
	l.search = appwidget.NewEntry(env.T("Search matters and people"))
	l.search.OnChanged = func(string) { l.show() }
	l.search.OnSubmitted = func(string) { l.openFirst() }
	for i := range 3 {
		l.chips = append(l.chips, appwidget.NewChip(l.chipText(filter(i), 0), i == 0, func() { l.setFilter(filter(i)) }))
	}
	l.roll = appwidget.NewRoll(func(kind int) fyne.CanvasObject {
		if kind == kindSection {
			t := appwidget.NewHeading("", apptheme.SizeTiny).In(apptheme.Muted)
			return appwidget.NewRow(0, 0, t).Inset(appwidget.Insets{Top: 8, Left: 19})
		}
		return newRow(env, l.open)
	}, l.bind)
	l.empty = appwidget.NewColumn(8)
	l.empty.Insets = appwidget.Insets{Top: 64, Right: 28, Left: 28}
	l.build()
	l.ExtendBaseWidget(l)
	l.show()
	return l
}

func (l *List) build() {
	add := appwidget.NewIconButton("plus", l.env.T("New"), appwidget.Primary, func() {
		if l.OnNew != nil {
			l.OnNew()
		}
	})
	head := appwidget.NewRow(8, 0, appwidget.NewHeading(l.env.T("Matters"), apptheme.SizeTitle), add)
	chips := appwidget.NewWrapping(8)
	objects := make([]fyne.CanvasObject, 0, len(l.chips))
	for _, c := range l.chips {
		objects = append(objects, c)
	}
	chips.Set(objects...)
	top := appwidget.NewColumn(10, head, l.notice, l.search, chips).Inset(appwidget.Insets{Top: 15, Right: 16, Bottom: 10, Left: 16})
	l.page = appwidget.NewFill(apptheme.Surface, appwidget.NewUnder(top, l.roll, l.empty))
}

func (l *List) chipText(f filter, n int) string {
	switch f {
	case filterUnread:
		return l.env.T("Unread %d", n)
	case filterConcluded:
		return l.env.T("Concluded")
	}
	return l.env.T("Open %d", n)
}

// SetNarrow chooses the layout of a narrow window.
func (l *List) SetNarrow(narrow bool) {
	if l.narrow != narrow {
		l.narrow = narrow
		l.SetStatus(l.status)
		l.show()
	}
}

// Renamed shows names anew after the directory changed.
func (l *List) Renamed() { l.show() }

// SetStatus shows how the connection is, in a narrow window, where no thread does.
func (l *List) SetStatus(s core.Status) {
	l.status = s
	switch {
	case !l.narrow, s.Online && s.Problem == nil:
		l.notice.Clear()
	case s.Problem != nil:
		text, hint := l.env.Fault(s.Problem)
		l.notice.Heed("cloud-off", text, hint)
	default:
		l.notice.Heed("cloud-off", l.env.T("Not connected"), "")
	}
	l.Refresh()
}

// FocusSearch gives the keyboard to the search field.
func (l *List) FocusSearch() { l.env.Window.Focus(l.search) }

// Reload reads the matters anew; changes that come meanwhile lead to one more reading.
func (l *List) Reload() {
	if l.reading {
		l.again = true
		return
	}
	l.reading = true
	var all []matter.Matter
	l.env.Do(func(ctx context.Context) (err error) {
		all, err = l.engine.Matters(ctx)
		return err
	}, func(err error) {
		l.reading = false
		l.failure = err
		if err == nil {
			l.loaded, l.all = true, all
		}
		l.show()
		if err == nil && l.OnLoaded != nil {
			l.OnLoaded()
		}
		if l.again {
			l.again = false
			l.Reload()
		}
	})
}

// Unread returns how many matters have something unread.
func (l *List) Unread() (n int) {
	for _, m := range l.all {
		if m.Unread > 0 {
			n++
		}
	}
	return n
}

// Matter returns a matter as the list knows it.
func (l *List) Matter(id matter.ID) (matter.Matter, bool) {
	i := slices.IndexFunc(l.all, func(m matter.Matter) bool { return m.ID == id })
	if i < 0 {
		return matter.Matter{}, false
	}
	return l.all[i], true
}

// First returns the first matter shown.
func (l *List) First() (matter.Matter, bool) {
	for _, x := range l.lines {
		if x.section == "" {
			return x.m, true
		}
	}
	return matter.Matter{}, false
}

// Choose marks a matter as the one that is open.
func (l *List) Choose(id matter.ID) {
	l.chosen = id
	l.roll.Rebind()
}

// Step opens the matter before (-1) or after (1) the one that is open.
func (l *List) Step(by int) {
	at := slices.IndexFunc(l.lines, func(x line) bool { return x.section == "" && x.m.ID == l.chosen })
	for i := at + by; i >= 0 && i < len(l.lines); i += by {
		if l.lines[i].section == "" {
			l.roll.ScrollTo(i)
			l.open(l.lines[i].m)
			return
		}
	}
}

func (l *List) open(m matter.Matter) {
	if l.OnOpen != nil {
		l.OnOpen(m)
	}
}

func (l *List) openFirst() {
	if m, ok := l.First(); ok {
		l.open(m)
		l.search.SetText("")
	}
}

func (l *List) setFilter(f filter) {
	l.filter = f
	for i, c := range l.chips {
		c.SetChosen(filter(i) == f)
	}
	l.roll.ScrollToTop()
	l.show()
}

func (l *List) passes(m matter.Matter) bool {
	concluded := m.State == matter.StateConcluded || m.State == matter.StateArchived
	switch l.filter {
	case filterUnread:
		return m.Unread > 0
	case filterConcluded:
		return concluded
	}
	return !concluded
}

// show puts the matters that pass into sections.
func (l *List) show() {
	open, now := 0, l.env.Now()
	l.lines = l.lines[:0]
	var kinds []int
	section := ""
	for _, m := range l.all {
		if m.State != matter.StateConcluded && m.State != matter.StateArchived {
			open++
		}
		if !l.passes(m) || !matches(l.env, m, l.search.Text) {
			continue
		}
		if s := l.sectionOf(m.Active, now); s != section && !l.narrow {
			section = s
			l.lines, kinds = append(l.lines, line{section: s}), append(kinds, kindSection)
		}
		l.lines, kinds = append(l.lines, line{m: m}), append(kinds, kindMatter)
	}
	l.chips[0].SetText(l.chipText(filterOpen, open))
	l.chips[1].SetText(l.chipText(filterUnread, l.Unread()))
	l.roll.Set(kinds, func(kind int) float32 {
		if kind == kindSection {
			return sectionHeight
		}
		return rowHeight
	})
	l.showEmpty()
	l.Refresh()
}

func (l *List) sectionOf(t, now time.Time) string {
	switch day := l.env.Words.Day(t, now); day {
	case l.env.T("Today"), l.env.T("Yesterday"):
		return day
	}
	return l.env.T("Earlier")
}

// showEmpty says why there is nothing to see.
func (l *List) showEmpty() {
	l.empty.Hidden = len(l.lines) > 0
	switch {
	case l.failure != nil && !l.loaded:
		text, hint := l.env.Fault(l.failure)
		l.empty.Set(appwidget.NewCentre(appwidget.NewIcon("circle-alert").Sized(28)), appwidget.NewHeading(text, apptheme.SizeBody).Wrapped().Centered(),
			appwidget.NewSmall(hint).Wrapped().Centered(), appwidget.NewCentre(appwidget.NewButton(l.env.T("Try again"), appwidget.Quiet, l.Reload)))
	case !l.loaded:
		l.empty.Set(appwidget.NewSmall(l.env.T("Loading…")).Centered())
	case l.search.Text != "":
		l.empty.Set(appwidget.NewCentre(appwidget.NewIcon("search").Sized(28)), appwidget.NewSmall(l.env.T("No matter has these words.")).Wrapped().Centered())
	case l.filter == filterUnread:
		l.empty.Set(appwidget.NewCentre(appwidget.NewIcon("circle-check").Sized(28)), appwidget.NewSmall(l.env.T("Everything is read.")).Wrapped().Centered())
	case l.filter == filterConcluded:
		l.empty.Set(appwidget.NewSmall(l.env.T("Nothing has been concluded yet.")).Wrapped().Centered())
	case len(l.all) > 0:
		l.empty.Set(appwidget.NewCentre(appwidget.NewIcon("circle-check").Sized(28)), appwidget.NewSmall(l.env.T("All matters are concluded.")).Wrapped().Centered())
	default:
		l.empty.Set(appwidget.NewCentre(appwidget.NewIcon("inbox").Sized(32)), appwidget.NewHeading(l.env.T("No matters yet"), apptheme.SizeHeading).Wrapped().Centered(),
			appwidget.NewSmall(l.env.T("A matter is something you want done: give it a title, bring people in, talk, and conclude it.")).Wrapped().Centered())
	}
}

func (l *List) bind(i int, o fyne.CanvasObject) {
	switch o := o.(type) {
	case *row:
		m := l.lines[i].m
		o.set(m, m.ID == l.chosen, l.narrow)
	case *appwidget.Row:
		if t, ok := o.At(0).(*appwidget.Text); ok {
			t.SetText(l.lines[i].section)
		}
	}
}

// MinSize is part of fyne.CanvasObject.
func (l *List) MinSize() fyne.Size { return fyne.NewSize(240, 200) }

// CreateRenderer is part of fyne.Widget.
func (l *List) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(l.page) }
