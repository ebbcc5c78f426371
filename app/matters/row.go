package matters

import (
	"strings"

	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// rowHeight is the height of one matter in the list.
const rowHeight float32 = 62

// A row is one matter in the list.
type row struct {
	widget.BaseWidget
	env    *screen.Env
	tapped func(matter.Matter)

	m              matter.Matter
	chosen, narrow bool
	hover, focused bool

	ground *canvas.Rectangle
	bar    *canvas.Rectangle
	line   *canvas.Rectangle
	badge  *appwidget.Tile
	title  *appwidget.Text
	last   *appwidget.Text
	when   *appwidget.Text
	unread *appwidget.Pill
}

func newRow(env *screen.Env, tapped func(matter.Matter)) *row {
	r := &row{env: env, tapped: tapped, ground: canvas.NewRectangle(nil), bar: canvas.NewRectangle(nil), line: canvas.NewRectangle(nil)}
	r.badge = appwidget.NewBadge("", apptheme.TintNamed("slate"), 34)
	r.title = appwidget.NewHeading("", apptheme.SizeBody)
	r.last = appwidget.NewSmall("")
	r.when = appwidget.NewSmall("").Whole()
	r.when.Points = apptheme.SizeTiny
	r.unread = appwidget.NewCount(0)
	r.ExtendBaseWidget(r)
	return r
}

func (r *row) set(m matter.Matter, chosen, narrow bool) {
	r.m, r.chosen, r.narrow = m, chosen, narrow
	r.badge.SetBadge(r.env.Badge(m.Class))
	r.title.SetText(appwidget.OneLine(m.Title))
	r.last.SetText(r.env.Preview(m))
	r.when.SetText(r.env.Words.Stamp(m.Active, r.env.Now()))
	r.unread.SetCount(m.Unread)
	r.last.Color = apptheme.Muted
	if m.Unread > 0 {
		r.last.Color = apptheme.Text
	}
	r.Refresh()
}

// Title returns the title of the matter shown.
func (r *row) Title() string { return r.m.Title }

// Tapped is part of fyne.Tappable.
func (r *row) Tapped(*fyne.PointEvent) { r.tapped(r.m) }

// MouseIn is part of desktop.Hoverable.
func (r *row) MouseIn(*desktop.MouseEvent) { r.hover = true; r.Refresh() }

// MouseMoved is part of desktop.Hoverable.
func (r *row) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is part of desktop.Hoverable.
func (r *row) MouseOut() { r.hover = false; r.Refresh() }

// FocusGained is part of fyne.Focusable.
func (r *row) FocusGained() { r.focused = true; r.Refresh() }

// FocusLost is part of fyne.Focusable.
func (r *row) FocusLost() { r.focused = false; r.Refresh() }

// TypedRune is part of fyne.Focusable.
func (r *row) TypedRune(rune) {}

// TypedKey is part of fyne.Focusable.
func (r *row) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		r.tapped(r.m)
	}
}

// CreateRenderer is part of fyne.Widget.
func (r *row) CreateRenderer() fyne.WidgetRenderer {
	q := &rowRenderer{r, []fyne.CanvasObject{r.ground, r.bar, r.line, r.badge, r.title, r.last, r.when, r.unread}}
	q.paint()
	return q
}

type rowRenderer struct {
	r       *row
	objects []fyne.CanvasObject
}

func (q *rowRenderer) Destroy()                     {}
func (q *rowRenderer) MinSize() fyne.Size           { return fyne.NewSize(200, rowHeight) }
func (q *rowRenderer) Objects() []fyne.CanvasObject { return q.objects }

func (q *rowRenderer) paint() {
	r := q.r
	ground := apptheme.Surface
	switch {
	case r.chosen && !r.narrow:
		ground = apptheme.Chosen
	case r.hover || r.focused:
		ground = apptheme.Hover
	}
	r.ground.FillColor = apptheme.Of(ground)
	r.ground.StrokeWidth = 0
	if r.focused {
		r.ground.StrokeWidth, r.ground.StrokeColor = 2, apptheme.Of(apptheme.Link)
	}
	r.bar.FillColor = apptheme.Of(apptheme.Accent)
	r.bar.Hidden = !r.chosen || r.narrow
	r.line.FillColor = apptheme.Of(apptheme.Line)
	r.line.Hidden = !r.narrow
}

func (q *rowRenderer) Refresh() {
	q.paint()
	q.Layout(q.r.Size())
	for _, o := range q.objects {
		o.Refresh()
	}
}

func (q *rowRenderer) Layout(size fyne.Size) {
	r := q.r
	r.ground.Resize(size)
	r.bar.Resize(fyne.NewSize(3, size.Height))
	r.line.Move(fyne.NewPos(0, size.Height-1))
	r.line.Resize(fyne.NewSize(size.Width, 1))
	const left, right = 19, 16
	r.badge.Move(fyne.NewPos(left, (size.Height-34)/2))
	r.badge.Resize(fyne.NewSquareSize(34))
	x := float32(left + 34 + 12)
	when := r.when.MinSize().Width
	r.when.Move(fyne.NewPos(size.Width-right-when, 11))
	r.when.Resize(fyne.NewSize(when, 20))
	r.title.Move(fyne.NewPos(x, 10))
	r.title.Resize(fyne.NewSize(max(size.Width-x-right-when-8, 0), 22))
	end := size.Width - right
	if r.unread.Visible() {
		m := r.unread.MinSize()
		r.unread.Move(fyne.NewPos(end-m.Width, 32))
		r.unread.Resize(m)
		end -= m.Width + 8
	}
	r.last.Move(fyne.NewPos(x, 31))
	r.last.Resize(fyne.NewSize(max(end-x, 0), 20))
}

// matches reports whether a matter is meant by what was typed into the search field.
func matches(env *screen.Env, m matter.Matter, query string) bool {
	if query == "" {
		return true
	}
	text := m.Title + " " + env.Class(m.Class)
	for _, id := range m.Participants {
		text += " " + env.Name(id)
	}
	text = strings.ToLower(text)
	for _, word := range strings.Fields(strings.ToLower(query)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
