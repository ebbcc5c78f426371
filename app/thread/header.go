package thread

import (
	"strings"

	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// A header says which matter one is in.
type header struct {
	widget.BaseWidget
	env     *screen.Env
	m       matter.Matter
	narrow  bool
	back    *appwidget.Button
	title   *appwidget.Text
	state   *appwidget.Pill
	lock    *appwidget.Icon
	secure  *appwidget.Text
	meta    *appwidget.Text
	details *appwidget.Button
	card    *appwidget.Fill
}

func newHeader(env *screen.Env, back, details func()) *header {
	h := &header{env: env}
	h.back = appwidget.NewIconButton("chevron-left", "", appwidget.Bare, back)
	h.back.Hide()
	h.title = appwidget.NewHeading("", apptheme.SizeTitle-1)
	h.state = appwidget.NewPill("", apptheme.TintNamed("green"))
	h.lock = appwidget.NewIcon("lock").Sized(14)
	h.secure = appwidget.NewSmall(env.T("End-to-end encrypted")).Whole()
	h.meta = appwidget.NewSmall("")
	h.details = appwidget.NewIconButton("info", "", appwidget.Bare, details)
	h.details.Height = 30
	name := appwidget.NewRow(10, 0, h.title, h.state)
	name.Hug = true
	top := appwidget.NewRow(6, 0, name, h.lock, h.secure, h.details)
	words := appwidget.NewColumn(1, top, h.meta)
	row := appwidget.NewRow(4, 1, h.back, words)
	h.card = appwidget.NewFill(apptheme.Surface, appwidget.NewColumn(0, row))
	h.card.Inset = appwidget.Insets{Top: 10, Right: 16, Bottom: 11, Left: side}
	h.ExtendBaseWidget(h)
	return h
}

func (h *header) setNarrow(narrow bool) {
	h.narrow = narrow
	h.back.Hidden = !narrow
	h.card.Inset.Left, h.card.Inset.Right = side, 16
	if narrow {
		h.card.Inset.Left, h.card.Inset.Right = 6, 8
	}
	h.set(h.m)
}

func (h *header) set(m matter.Matter) {
	h.m = m
	h.title.SetText(appwidget.OneLine(m.Title))
	h.state.SetText(h.env.State(m.State))
	h.meta.SetText(strings.Join(h.facts(), "   "))
	h.Refresh()
}

// facts are the few things worth knowing at a glance.
func (h *header) facts() []string {
	m, env := h.m, h.env
	if m.ID.IsZero() {
		return nil
	}
	out := []string{env.Class(m.Class)}
	if !h.narrow {
		out = append(out, env.T("Owner %s", env.NameOrYou(m.Owner)))
	}
	if !m.Due.IsZero() {
		out = append(out, env.T("Due %s", env.Words.Date(m.Due, env.Now())))
	}
	out = append(out, env.T("%d people", len(m.Participants)))
	if !h.narrow {
		out = append(out, env.T("No. %s", m.ID.Short()))
	}
	return out
}

// Tapped is part of fyne.Tappable: in a narrow window the header opens the details.
func (h *header) Tapped(*fyne.PointEvent) {
	if h.narrow {
		h.details.OnTapped()
	}
}

// CreateRenderer is part of fyne.Widget.
func (h *header) CreateRenderer() fyne.WidgetRenderer {
	return &headerRenderer{h: h, line: appwidget.NewLine()}
}

type headerRenderer struct {
	h    *header
	line *appwidget.Fill
}

func (r *headerRenderer) Destroy()                     {}
func (r *headerRenderer) MinSize() fyne.Size           { return r.h.card.MinSize() }
func (r *headerRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.h.card, r.line} }
func (r *headerRenderer) Refresh()                     { r.h.card.Refresh(); r.line.Refresh() }
func (r *headerRenderer) Layout(size fyne.Size) {
	r.h.secure.Hidden = r.h.narrow || size.Width < 620 // the lock says it, too
	r.h.card.Resize(size)
	r.line.Move(fyne.NewPos(0, size.Height-1))
	r.line.Resize(fyne.NewSize(size.Width, 1))
}
