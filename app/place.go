package app

import (
	"image/color"

	apptheme "causa/app/theme"
	appwidget "causa/app/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// A place is where in the app one is.
type place int

const (
	placeMatters place = iota
	placePeople
	placeSearch
	placeAdmin
	placeSettings
	places // how many there are
)

// A placeButton leads to a place: on the rail of a wide window, or on the tab bar of a
// narrow one.
type placeButton struct {
	widget.BaseWidget
	icon           appwidget.IconName
	text           string
	tab            bool
	chosen         bool
	hover, focused bool
	count          *appwidget.Pill
	tapped         func()
}

func newPlaceButton(icon appwidget.IconName, text string, tab bool, tapped func()) *placeButton {
	b := &placeButton{icon: icon, text: text, tab: tab, tapped: tapped, count: appwidget.NewCount(0)}
	b.count.Height, b.count.Points = 16, 10
	b.ExtendBaseWidget(b)
	return b
}

func (b *placeButton) choose(chosen bool) {
	if b.chosen != chosen {
		b.chosen = chosen
		b.Refresh()
	}
}

// Tapped is part of fyne.Tappable.
func (b *placeButton) Tapped(*fyne.PointEvent) { b.tapped() }

// Cursor is part of desktop.Cursorable.
func (b *placeButton) Cursor() desktop.Cursor { return desktop.PointerCursor }

// MouseIn is part of desktop.Hoverable.
func (b *placeButton) MouseIn(*desktop.MouseEvent) { b.hover = true; b.Refresh() }

// MouseMoved is part of desktop.Hoverable.
func (b *placeButton) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is part of desktop.Hoverable.
func (b *placeButton) MouseOut() { b.hover = false; b.Refresh() }

// FocusGained is part of fyne.Focusable.
func (b *placeButton) FocusGained() { b.focused = true; b.Refresh() }

// FocusLost is part of fyne.Focusable.
func (b *placeButton) FocusLost() { b.focused = false; b.Refresh() }

// TypedRune is part of fyne.Focusable.
func (b *placeButton) TypedRune(rune) {}

// TypedKey is part of fyne.Focusable.
func (b *placeButton) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		b.tapped()
	}
}

// CreateRenderer is part of fyne.Widget.
func (b *placeButton) CreateRenderer() fyne.WidgetRenderer {
	r := &placeRenderer{b: b, ground: canvas.NewRectangle(nil), img: &canvas.Image{FillMode: canvas.ImageFillContain}, text: canvas.NewText("", nil)}
	r.text.Alignment = fyne.TextAlignCenter
	r.paint()
	return r
}

type placeRenderer struct {
	b      *placeButton
	ground *canvas.Rectangle
	img    *canvas.Image
	text   *canvas.Text
}

func (r *placeRenderer) Destroy()           {}
func (r *placeRenderer) MinSize() fyne.Size { return fyne.NewSize(56, 52) }
func (r *placeRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.img, r.text, r.b.count}
}

func (r *placeRenderer) paint() {
	b := r.b
	ground, ink := color.Color(color.Transparent), apptheme.OnRail
	switch {
	case b.tab && b.chosen:
		ink = apptheme.Link
	case b.tab:
		ink = apptheme.Muted
	case b.chosen:
		ground, ink = apptheme.Of(apptheme.RailChosen), apptheme.OnRailHigh
	case b.hover:
		ground = apptheme.Of(apptheme.RailHover)
	}
	r.ground.FillColor, r.ground.CornerRadius = ground, 10
	r.ground.StrokeWidth, r.ground.StrokeColor = 0, color.Transparent
	if b.focused {
		r.ground.StrokeWidth, r.ground.StrokeColor = 2, apptheme.Of(apptheme.OnRail)
	}
	r.img.Resource = appwidget.Drawing(b.icon, apptheme.Of(ink))
	r.text.Text, r.text.Color, r.text.TextSize = b.text, apptheme.Of(ink), 11
	r.text.TextStyle.Bold = b.tab && b.chosen
}

func (r *placeRenderer) Refresh() {
	r.paint()
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

func (r *placeRenderer) Layout(size fyne.Size) {
	r.ground.Resize(fyne.NewSize(min(size.Width, 52), size.Height-4))
	r.ground.Move(fyne.NewPos((size.Width-min(size.Width, 52))/2, 2))
	const side = 20
	r.img.Move(fyne.NewPos((size.Width-side)/2, size.Height/2-side+2))
	r.img.Resize(fyne.NewSquareSize(side))
	r.text.Move(fyne.NewPos(0, size.Height/2+5))
	r.text.Resize(fyne.NewSize(size.Width, 15))
	m := r.b.count.MinSize()
	r.b.count.Move(fyne.NewPos(size.Width/2+6, 5))
	r.b.count.Resize(m)
}
