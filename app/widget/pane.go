package widget

import (
	"image/color"

	apptheme "causa/app/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// A Pane is something to press that holds anything: a result, an entry of a list.
type Pane struct {
	press
	Inset   Insets
	content fyne.CanvasObject
	name    string
}

// NewPane returns content that can be pressed; name is what it is called.
func NewPane(name string, content fyne.CanvasObject, tapped func()) *Pane {
	p := &Pane{Inset: Insets{10, 12, 10, 12}, content: content, name: name}
	p.OnTapped = tapped
	p.extend(p)
	return p
}

// Text returns what the pane is called.
func (p *Pane) Text() string { return p.name }

// HeightFor returns the height at a width.
func (p *Pane) HeightFor(width float32) float32 {
	return HeightFor(p.content, width-p.Inset.Left-p.Inset.Right) + p.Inset.Top + p.Inset.Bottom
}

// MinSize is part of fyne.CanvasObject.
func (p *Pane) MinSize() fyne.Size {
	return p.content.MinSize().AddWidthHeight(p.Inset.Left+p.Inset.Right, p.Inset.Top+p.Inset.Bottom)
}

// CreateRenderer is part of fyne.Widget.
func (p *Pane) CreateRenderer() fyne.WidgetRenderer {
	r := &paneRenderer{p: p, ground: canvas.NewRectangle(nil)}
	r.paint()
	return r
}

type paneRenderer struct {
	p      *Pane
	ground *canvas.Rectangle
}

func (r *paneRenderer) Destroy()           {}
func (r *paneRenderer) MinSize() fyne.Size { return r.p.MinSize() }
func (r *paneRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.p.content}
}

func (r *paneRenderer) paint() {
	p := r.p
	r.ground.CornerRadius, r.ground.FillColor = apptheme.Radius, color.Transparent
	if p.hover {
		r.ground.FillColor = apptheme.Of(apptheme.Hover)
	}
	r.ground.StrokeWidth, r.ground.StrokeColor = 0, color.Transparent
	if p.focused {
		r.ground.StrokeWidth, r.ground.StrokeColor = 2, apptheme.Of(apptheme.Link)
	}
}

func (r *paneRenderer) Refresh() {
	r.paint()
	r.ground.Refresh()
	r.p.content.Refresh()
	canvas.Refresh(r.p)
}

func (r *paneRenderer) Layout(size fyne.Size) {
	in := r.p.Inset
	r.ground.Resize(size)
	r.p.content.Move(fyne.NewPos(in.Left, in.Top))
	r.p.content.Resize(size.SubtractWidthHeight(in.Left+in.Right, in.Top+in.Bottom))
}
