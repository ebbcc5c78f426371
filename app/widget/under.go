package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// An Under has something at the top, as high as it wants to be, and below it things
// that share all the room left, one on the other.
type Under struct {
	widget.BaseWidget
	top    fyne.CanvasObject
	others []fyne.CanvasObject
}

// NewUnder returns others under top.
func NewUnder(top fyne.CanvasObject, others ...fyne.CanvasObject) *Under {
	u := &Under{top: top, others: others}
	u.ExtendBaseWidget(u)
	return u
}

// MinSize is part of fyne.CanvasObject.
func (u *Under) MinSize() fyne.Size {
	m := u.top.MinSize()
	return m.AddWidthHeight(0, 60)
}

// CreateRenderer is part of fyne.Widget.
func (u *Under) CreateRenderer() fyne.WidgetRenderer { return &underRenderer{u} }

type underRenderer struct{ u *Under }

func (r *underRenderer) Destroy()           {}
func (r *underRenderer) MinSize() fyne.Size { return r.u.MinSize() }
func (r *underRenderer) Objects() []fyne.CanvasObject {
	return append([]fyne.CanvasObject{r.u.top}, r.u.others...)
}

func (r *underRenderer) Refresh() {
	r.Layout(r.u.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
	canvas.Refresh(r.u)
}

func (r *underRenderer) Layout(size fyne.Size) {
	h := HeightFor(r.u.top, size.Width)
	r.u.top.Move(fyne.NewPos(0, 0))
	r.u.top.Resize(fyne.NewSize(size.Width, h))
	for _, o := range r.u.others {
		o.Move(fyne.NewPos(0, h))
		o.Resize(fyne.NewSize(size.Width, max(size.Height-h, 0)))
	}
}

// A Centre keeps something in the middle at its own size.
type Centre struct {
	widget.BaseWidget
	content fyne.CanvasObject
}

// NewCentre returns content in the middle.
func NewCentre(content fyne.CanvasObject) *Centre {
	c := &Centre{content: content}
	c.ExtendBaseWidget(c)
	return c
}

// MinSize is part of fyne.CanvasObject.
func (c *Centre) MinSize() fyne.Size { return c.content.MinSize() }

// CreateRenderer is part of fyne.Widget.
func (c *Centre) CreateRenderer() fyne.WidgetRenderer { return &centreRenderer{c} }

type centreRenderer struct{ c *Centre }

func (r *centreRenderer) Destroy()                     {}
func (r *centreRenderer) MinSize() fyne.Size           { return r.c.MinSize() }
func (r *centreRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.c.content} }
func (r *centreRenderer) Refresh()                     { r.Layout(r.c.Size()); r.c.content.Refresh() }

func (r *centreRenderer) Layout(size fyne.Size) {
	m := r.c.content.MinSize()
	m.Width = min(m.Width, size.Width)
	m.Height = min(HeightFor(r.c.content, m.Width), size.Height)
	r.c.content.Resize(m)
	r.c.content.Move(fyne.NewPos((size.Width-m.Width)/2, (size.Height-m.Height)/2))
}
