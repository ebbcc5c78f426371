package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// Something flowing has a height that depends on its width.
type flowing interface{ HeightFor(width float32) float32 }

// HeightFor returns the height of o at a width.
func HeightFor(o fyne.CanvasObject, width float32) float32 {
	if f, ok := o.(flowing); ok {
		return f.HeightFor(width)
	}
	return o.MinSize().Height
}

// Insets are the distances kept free at the four sides.
type Insets struct{ Top, Right, Bottom, Left float32 }

// Around returns the same inset on all sides.
func Around(v float32) Insets { return Insets{v, v, v, v} }

// A Column stacks things from the top, each as wide as the column and as high as it
// wants to be at that width.
type Column struct {
	widget.BaseWidget
	Gap     float32
	Insets  Insets
	Widest  float32 // 0: as wide as there is room; else centred
	objects []fyne.CanvasObject
}

// NewColumn returns a column with a gap between the things in it.
func NewColumn(gap float32, objects ...fyne.CanvasObject) *Column {
	c := &Column{Gap: gap, objects: objects}
	c.ExtendBaseWidget(c)
	return c
}

// Inset sets the insets, and returns c.
func (c *Column) Inset(in Insets) *Column { c.Insets = in; return c }

// Add puts things at the end.
func (c *Column) Add(objects ...fyne.CanvasObject) {
	c.objects = append(c.objects, objects...)
	c.Refresh()
}

// Set replaces everything in the column.
func (c *Column) Set(objects ...fyne.CanvasObject) {
	c.objects = objects
	c.Refresh()
}

func (c *Column) inner(width float32) float32 {
	w := width - c.Insets.Left - c.Insets.Right
	if c.Widest > 0 {
		w = min(w, c.Widest)
	}
	return max(w, 0)
}

// HeightFor returns the height at a width.
func (c *Column) HeightFor(width float32) float32 {
	h, n := c.Insets.Top+c.Insets.Bottom, 0
	for _, o := range c.objects {
		if !o.Visible() {
			continue
		}
		h += HeightFor(o, c.inner(width))
		n++
	}
	return h + c.Gap*float32(max(n-1, 0))
}

// MinSize is part of fyne.CanvasObject.
func (c *Column) MinSize() fyne.Size {
	var w float32
	for _, o := range c.objects {
		if o.Visible() {
			w = max(w, o.MinSize().Width)
		}
	}
	w += c.Insets.Left + c.Insets.Right
	return fyne.NewSize(w, c.HeightFor(max(w, c.Size().Width)))
}

// CreateRenderer is part of fyne.Widget.
func (c *Column) CreateRenderer() fyne.WidgetRenderer { return &columnRenderer{c} }

type columnRenderer struct{ c *Column }

func (r *columnRenderer) Destroy()                     {}
func (r *columnRenderer) MinSize() fyne.Size           { return r.c.MinSize() }
func (r *columnRenderer) Objects() []fyne.CanvasObject { return r.c.objects }
func (r *columnRenderer) Refresh() {
	r.Layout(r.c.Size())
	for _, o := range r.c.objects {
		o.Refresh()
	}
	canvas.Refresh(r.c)
}

func (r *columnRenderer) Layout(size fyne.Size) {
	c := r.c
	w := c.inner(size.Width)
	x, y := c.Insets.Left, c.Insets.Top
	if c.Widest > 0 {
		x = max(x, (size.Width-w)/2)
	}
	for _, o := range c.objects {
		if !o.Visible() {
			continue
		}
		h := HeightFor(o, w)
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(w, h))
		y += h + c.Gap
	}
}

// A Page is a column that scrolls when it is higher than its place.
type Page struct {
	widget.BaseWidget
	Column   *Column
	Balanced bool // what is lower than the page stands a little above its middle
	scroll   *container.Scroll
	top      float32 // the column's own inset
}

// NewPage returns a page around a column.
func NewPage(c *Column) *Page {
	p := &Page{Column: c, top: c.Insets.Top}
	p.scroll = container.NewVScroll(c)
	p.ExtendBaseWidget(p)
	return p
}

// Fit lays the page out anew after its column has changed.
func (p *Page) Fit() { p.Refresh() }

// MinSize is small: a page takes what it is given.
func (p *Page) MinSize() fyne.Size { return fyne.NewSize(p.Column.MinSize().Width, 64) }

// HeightFor returns the height of everything on the page at a width.
func (p *Page) HeightFor(width float32) float32 { return p.Column.HeightFor(width) }

// CreateRenderer is part of fyne.Widget.
func (p *Page) CreateRenderer() fyne.WidgetRenderer { return &pageRenderer{p} }

type pageRenderer struct{ p *Page }

func (r *pageRenderer) Destroy()                     {}
func (r *pageRenderer) MinSize() fyne.Size           { return r.p.MinSize() }
func (r *pageRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.p.scroll} }
func (r *pageRenderer) Refresh()                     { r.Layout(r.p.Size()); r.p.scroll.Refresh() }
func (r *pageRenderer) Layout(size fyne.Size) {
	if r.p.Balanced {
		r.p.Column.Insets.Top = r.p.top
		r.p.Column.Insets.Top += max(0, (size.Height-r.p.Column.HeightFor(size.Width))*0.4)
	}
	// First the width, on which the height of the column depends.
	r.p.Column.Resize(fyne.NewSize(size.Width, r.p.Column.HeightFor(size.Width)))
	r.p.scroll.Resize(size)
}
