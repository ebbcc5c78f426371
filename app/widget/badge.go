package widget

import (
	"image/color"
	"strconv"

	apptheme "causa/app/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// A Tile is a square with round corners and one character on it: a person's avatar or
// the badge of a class.
type Tile struct {
	widget.BaseWidget
	Side   float32
	text   string
	ground func() color.Color
	ink    func() color.Color
	radius float32
}

// NewAvatar returns the avatar of a person, whose colour follows from the id.
func NewAvatar(name string, id []byte, side float32) *Tile {
	t := &Tile{Side: side, radius: side * 0.32}
	t.ink = func() color.Color { return color.White }
	t.ExtendBaseWidget(t)
	t.SetPerson(name, id)
	return t
}

// SetPerson shows another person.
func (t *Tile) SetPerson(name string, id []byte) {
	ground := apptheme.AvatarGround(id)
	t.text, t.ground = Initial(name), func() color.Color { return ground }
	t.Refresh()
}

// NewBadge returns the badge of a class.
func NewBadge(text string, tint apptheme.Tint, side float32) *Tile {
	t := &Tile{Side: side, radius: side * 0.24}
	t.ExtendBaseWidget(t)
	t.SetBadge(text, tint)
	return t
}

// SetBadge shows another class.
func (t *Tile) SetBadge(text string, tint apptheme.Tint) {
	t.text = text
	t.ground = func() color.Color { return apptheme.Of(tint.Ground) }
	t.ink = func() color.Color { return apptheme.Of(tint.Ink) }
	t.Refresh()
}

// NewMark returns the app's own mark.
func NewMark(side float32) *Tile {
	t := NewBadge("事", apptheme.Tint{Ground: apptheme.Seal, Ink: apptheme.OnSeal}, side)
	return t
}

// MinSize is part of fyne.CanvasObject.
func (t *Tile) MinSize() fyne.Size { return fyne.NewSquareSize(t.Side) }

// CreateRenderer is part of fyne.Widget.
func (t *Tile) CreateRenderer() fyne.WidgetRenderer {
	r := &tileRenderer{t: t, rect: canvas.NewRectangle(nil), text: canvas.NewText("", nil)}
	r.text.Alignment, r.text.TextStyle.Bold = fyne.TextAlignCenter, true
	r.paint()
	return r
}

type tileRenderer struct {
	t    *Tile
	rect *canvas.Rectangle
	text *canvas.Text
}

func (r *tileRenderer) Destroy()                     {}
func (r *tileRenderer) MinSize() fyne.Size           { return r.t.MinSize() }
func (r *tileRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.rect, r.text} }

func (r *tileRenderer) paint() {
	r.rect.FillColor, r.rect.CornerRadius = r.t.ground(), r.t.radius
	r.text.Text, r.text.Color, r.text.TextSize = r.t.text, r.t.ink(), float32(int(r.t.Side*0.42+0.5))
}

func (r *tileRenderer) Refresh() {
	r.paint()
	r.rect.Refresh()
	r.text.Refresh()
}

func (r *tileRenderer) Layout(size fyne.Size) {
	at := fyne.NewPos((size.Width-r.t.Side)/2, (size.Height-r.t.Side)/2)
	for _, o := range r.Objects() {
		o.Move(at)
		o.Resize(fyne.NewSquareSize(r.t.Side))
	}
}

// A Pill is a few words on a rounded ground: a state, a count, an event.
type Pill struct {
	widget.BaseWidget
	Tint   apptheme.Tint
	Points float32
	Height float32
	Bold   bool
	text   string
}

// NewPill returns a pill.
func NewPill(text string, tint apptheme.Tint) *Pill {
	p := &Pill{Tint: tint, Points: apptheme.SizeTiny, Height: 21, Bold: true, text: Visible(text)}
	p.ExtendBaseWidget(p)
	return p
}

// NewCount returns a pill with a number of unread things, hidden when there are none.
func NewCount(n int) *Pill {
	p := NewPill("", apptheme.Tint{Ground: apptheme.Seal, Ink: apptheme.OnSeal})
	p.Points, p.Height = 11, 18
	p.SetCount(n)
	return p
}

// SetCount shows another number.
func (p *Pill) SetCount(n int) {
	p.text = strconv.Itoa(n)
	if n > 99 {
		p.text = "99+"
	}
	p.Hidden = n == 0
	p.Refresh()
}

// SetText shows other words.
func (p *Pill) SetText(text string, tint apptheme.Tint) {
	p.text, p.Tint = Visible(text), tint
	p.Refresh()
}

// MinSize is part of fyne.CanvasObject.
func (p *Pill) MinSize() fyne.Size {
	w := measure(p.text, p.Points, fyne.TextStyle{Bold: p.Bold}) + p.Height*0.75
	return fyne.NewSize(max(w, p.Height), p.Height)
}

// CreateRenderer is part of fyne.Widget.
func (p *Pill) CreateRenderer() fyne.WidgetRenderer {
	r := &pillRenderer{p: p, rect: canvas.NewRectangle(nil), text: canvas.NewText("", nil)}
	r.text.Alignment = fyne.TextAlignCenter
	r.paint()
	return r
}

type pillRenderer struct {
	p    *Pill
	rect *canvas.Rectangle
	text *canvas.Text
}

func (r *pillRenderer) Destroy()                     {}
func (r *pillRenderer) MinSize() fyne.Size           { return r.p.MinSize() }
func (r *pillRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.rect, r.text} }

func (r *pillRenderer) paint() {
	p := r.p
	r.rect.FillColor, r.rect.CornerRadius = apptheme.Of(p.Tint.Ground), p.Height/2
	r.text.Text, r.text.Color, r.text.TextSize, r.text.TextStyle.Bold = p.text, apptheme.Of(p.Tint.Ink), p.Points, p.Bold
}

func (r *pillRenderer) Refresh() {
	r.paint()
	r.Layout(r.p.Size())
	r.rect.Refresh()
	r.text.Refresh()
}

func (r *pillRenderer) Layout(size fyne.Size) {
	w := min(r.p.MinSize().Width, size.Width)
	for _, o := range r.Objects() {
		o.Move(fyne.NewPos((size.Width-w)/2, (size.Height-r.p.Height)/2))
		o.Resize(fyne.NewSize(w, r.p.Height))
	}
}
