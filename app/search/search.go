// Package search is the screen on which one looks for what was said.
package search

import (
	"context"
	"strings"

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
	Search(ctx context.Context, s core.Search) ([]core.Found, error)
}

// most is how many results are shown: who wants more says more words.
const most = 50

// A Search is the screen.
type Search struct {
	widget.BaseWidget
	OnFound func(id matter.ID, seq uint64)

	env    *screen.Env
	engine Engine

	within    matter.Matter // zero: everywhere
	asked     string
	searching bool
	again     bool // something else is asked for meanwhile
	found     []core.Found
	failure   error

	entry  *appwidget.Entry
	scope  *appwidget.Wrapping
	column *appwidget.Column
	page   *appwidget.Page
	ground *appwidget.Fill
}

// New returns the screen.
func New(env *screen.Env, engine Engine) *Search {
	s := &Search{env: env, engine: engine, scope: appwidget.NewWrapping(8)}
	s.entry = appwidget.NewEntry(env.T("Words that were said, or a title"))
	s.entry.OnChanged = func(string) { s.search() }
	s.entry.OnSubmitted = func(string) { s.openFirst() }
	head := appwidget.NewHeading(env.T("Search"), apptheme.SizeTitle)
	top := appwidget.NewColumn(12, head, s.entry, s.scope).Inset(appwidget.Insets{Top: 18, Right: 20, Bottom: 12, Left: 20})
	top.Widest = 720
	s.column = appwidget.NewColumn(6).Inset(appwidget.Insets{Top: 12, Right: 20, Bottom: 36, Left: 20})
	s.column.Widest = 720
	s.page = appwidget.NewPage(s.column)
	s.ground = appwidget.NewFill(apptheme.Canvas, appwidget.NewUnder(top, s.page))
	s.ExtendBaseWidget(s)
	s.showScope()
	s.show()
	return s
}

// Focus gives the keyboard to the entry.
func (s *Search) Focus() { s.env.Window.Focus(s.entry) }

// Within searches in one matter.
func (s *Search) Within(m matter.Matter) {
	s.within = m
	s.showScope()
	s.restart()
}

// showScope offers to search in the one matter, or everywhere.
func (s *Search) showScope() {
	s.scope.Hidden = s.within.ID.IsZero()
	if s.scope.Hidden {
		s.scope.Set()
		return
	}
	m := s.within
	s.scope.Set(
		appwidget.NewChip(s.env.T("In “%s”", appwidget.OneLine(m.Title)), true, func() {}),
		appwidget.NewChip(s.env.T("Everywhere"), false, func() { s.Within(matter.Matter{}); s.Focus() }))
}

func (s *Search) restart() {
	s.asked = ""
	s.search()
	s.Refresh()
}

// search asks for what is typed; what is typed meanwhile is asked for afterwards.
func (s *Search) search() {
	text := strings.TrimSpace(s.entry.Text)
	if text == "" {
		s.asked, s.found, s.failure = "", nil, nil
		s.show()
		return
	}
	if s.searching {
		s.again = true
		return
	}
	s.searching, s.asked = true, text
	ask := core.Search{Text: text, Matter: s.within.ID, Limit: most}
	var found []core.Found
	s.env.Do(func(ctx context.Context) (err error) {
		found, err = s.engine.Search(ctx, ask)
		return err
	}, func(err error) {
		s.searching = false
		if s.again {
			s.again = false
			s.search()
			return
		}
		s.found, s.failure = found, err
		s.show()
	})
}

func (s *Search) openFirst() {
	if len(s.found) > 0 && s.asked == strings.TrimSpace(s.entry.Text) {
		s.open(s.found[0])
	}
}

func (s *Search) open(f core.Found) {
	if s.OnFound != nil {
		s.OnFound(f.Matter, f.Seq)
	}
}

func (s *Search) show() {
	env := s.env
	hint := func(icon appwidget.IconName, text string) {
		s.column.Set(appwidget.NewSpace(0, 60), appwidget.NewCentre(appwidget.NewIcon(icon).Sized(30)), appwidget.NewSmall(text).Wrapped().Centered())
	}
	switch {
	case s.failure != nil:
		text, more := env.Fault(s.failure)
		hint("circle-alert", text+" "+more)
	case s.asked == "":
		hint("search", env.T("Everything this device can read is searched on this device. Nothing you look for leaves it."))
	case len(s.found) == 0:
		hint("search", env.T("Nothing has these words."))
	default:
		rows := make([]fyne.CanvasObject, 0, len(s.found)+1)
		for _, f := range s.found {
			rows = append(rows, s.row(f))
		}
		if len(s.found) == most {
			rows = append(rows, appwidget.NewSmall(env.T("These are the first %d. More words find less.", most)))
		}
		s.column.Set(rows...)
	}
	s.page.Fit()
}

func (s *Search) row(f core.Found) fyne.CanvasObject {
	env := s.env
	title := appwidget.NewHeading(appwidget.OneLine(f.Title), apptheme.SizeSmall)
	when := appwidget.NewSmall("").Whole()
	when.Points = apptheme.SizeTiny
	var words fyne.CanvasObject
	if f.Seq == 0 {
		words = appwidget.NewColumn(3, appwidget.NewRow(8, 0, title, when), appwidget.NewSmall(env.T("The title of this matter")))
	} else {
		when.SetText(env.Words.Stamp(f.Time, env.Now()))
		text, spans := shown(f)
		who := appwidget.NewSmall(appwidget.OneLine(env.NameOrYou(f.Author)))
		words = appwidget.NewColumn(3, appwidget.NewRow(8, 0, title, when), who, appwidget.NewMarked(text, 4, spans...))
	}
	card := appwidget.NewCard(appwidget.NewPane(appwidget.OneLine(f.Title), words, func() { s.open(f) }))
	return card
}

// shown returns a snippet as it is shown, and what stands out in it.
func shown(f core.Found) (text string, spans []appwidget.Span) {
	at := 0
	for _, m := range f.Marks {
		if m.From < at || m.To < m.From || m.To > len(f.Text) {
			continue // not of this text
		}
		text += clean(f.Text[at:m.From])
		from := len(text)
		text += clean(f.Text[m.From:m.To])
		spans = append(spans, appwidget.Span{From: from, To: len(text)})
		at = m.To
	}
	return text + clean(f.Text[at:]), spans
}

// clean keeps a piece of text on one line without losing the spaces at its ends.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, appwidget.Visible(s))
}

// MinSize is part of fyne.CanvasObject.
func (s *Search) MinSize() fyne.Size { return fyne.NewSize(280, 200) }

// CreateRenderer is part of fyne.Widget.
func (s *Search) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(s.ground) }
