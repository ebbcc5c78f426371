package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// A Row puts things side by side, centred on one line. One of them may take the room
// that is left.
type Row struct {
	widget.BaseWidget
	Gap     float32
	Insets  Insets
	Height  float32 // 0: as high as the highest
	Top     bool    // align at the top instead of the middle
	Hug     bool    // the growing text takes no more room than its words need
	grow    int
	objects []fyne.CanvasObject
}

// NewRow returns a row in which the thing at index grow (-1: none) takes the room left.
func NewRow(gap float32, grow int, objects ...fyne.CanvasObject) *Row {
	r := &Row{Gap: gap, grow: grow, objects: objects}
	r.ExtendBaseWidget(r)
	return r
}

// Inset sets the insets, and returns r.
func (r *Row) Inset(in Insets) *Row { r.Insets = in; return r }

// High sets the height, and returns r.
func (r *Row) High(h float32) *Row { r.Height = h; return r }

func (r *Row) widths(width float32) []float32 {
	out := make([]float32, len(r.objects))
	left, n := width-r.Insets.Left-r.Insets.Right, 0
	for i, o := range r.objects {
		if !o.Visible() {
			continue
		}
		n++
		if i != r.grow {
			out[i] = o.MinSize().Width
			left -= out[i]
		}
	}
	left -= r.Gap * float32(max(n-1, 0))
	if r.grow >= 0 {
		out[r.grow] = max(left, 0)
		if t, ok := r.objects[r.grow].(*Text); ok && r.Hug {
			out[r.grow] = min(out[r.grow], t.Natural())
		}
	}
	return out
}

// HeightFor returns the height at a width.
func (r *Row) HeightFor(width float32) float32 {
	var h float32
	ws := r.widths(width)
	for i, o := range r.objects {
		if o.Visible() {
			h = max(h, HeightFor(o, ws[i]))
		}
	}
	return max(r.Height, h+r.Insets.Top+r.Insets.Bottom)
}

// MinSize is part of fyne.CanvasObject.
func (r *Row) MinSize() fyne.Size {
	var w, h float32
	n := 0
	for _, o := range r.objects {
		if o.Visible() {
			m := o.MinSize()
			w, h = w+m.Width, max(h, m.Height)
			n++
		}
	}
	w += r.Gap*float32(max(n-1, 0)) + r.Insets.Left + r.Insets.Right
	return fyne.NewSize(w, max(r.Height, h+r.Insets.Top+r.Insets.Bottom))
}

// CreateRenderer is part of fyne.Widget.
func (r *Row) CreateRenderer() fyne.WidgetRenderer { return &rowRenderer{r} }

type rowRenderer struct{ r *Row }

func (q *rowRenderer) Destroy()                     {}
func (q *rowRenderer) MinSize() fyne.Size           { return q.r.MinSize() }
func (q *rowRenderer) Objects() []fyne.CanvasObject { return q.r.objects }
func (q *rowRenderer) Refresh() {
	q.Layout(q.r.Size())
	for _, o := range q.r.objects {
		o.Refresh()
	}
	canvas.Refresh(q.r)
}

func (q *rowRenderer) Layout(size fyne.Size) {
	r := q.r
	ws := r.widths(size.Width)
	x, inner := r.Insets.Left, size.Height-r.Insets.Top-r.Insets.Bottom
	for i, o := range r.objects {
		if !o.Visible() {
			continue
		}
		h := min(HeightFor(o, ws[i]), inner)
		y := r.Insets.Top
		if !r.Top {
			y += (inner - h) / 2
		}
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(ws[i], h))
		x += ws[i] + r.Gap
	}
}

// A Wrapping puts things side by side and goes on in a new line where there is no room,
// as chips do.
type Wrapping struct {
	widget.BaseWidget
	Gap     float32
	objects []fyne.CanvasObject
}

// NewWrapping returns things that wrap.
func NewWrapping(gap float32, objects ...fyne.CanvasObject) *Wrapping {
	w := &Wrapping{Gap: gap, objects: objects}
	w.ExtendBaseWidget(w)
	return w
}

// Set replaces everything.
func (w *Wrapping) Set(objects ...fyne.CanvasObject) { w.objects = objects; w.Refresh() }

// place calls put with each thing's place and returns the height.
func (w *Wrapping) place(width float32, put func(fyne.CanvasObject, fyne.Position, fyne.Size)) float32 {
	var x, y, line float32
	for _, o := range w.objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		m.Width = min(m.Width, width)
		if x > 0 && x+m.Width > width {
			x, y, line = 0, y+line+w.Gap, 0
		}
		if put != nil {
			put(o, fyne.NewPos(x, y), m)
		}
		x, line = x+m.Width+w.Gap, max(line, m.Height)
	}
	return y + line
}

// HeightFor returns the height at a width.
func (w *Wrapping) HeightFor(width float32) float32 { return w.place(width, nil) }

// MinSize is part of fyne.CanvasObject.
func (w *Wrapping) MinSize() fyne.Size {
	return fyne.NewSize(40, w.HeightFor(max(w.Size().Width, 40)))
}

// CreateRenderer is part of fyne.Widget.
func (w *Wrapping) CreateRenderer() fyne.WidgetRenderer { return &wrappingRenderer{w} }

type wrappingRenderer struct{ w *Wrapping }

func (r *wrappingRenderer) Destroy()                     {}
func (r *wrappingRenderer) MinSize() fyne.Size           { return r.w.MinSize() }
func (r *wrappingRenderer) Objects() []fyne.CanvasObject { return r.w.objects }
func (r *wrappingRenderer) Refresh() {
	r.Layout(r.w.Size())
	for _, o := range r.w.objects {
		o.Refresh()
	}
	canvas.Refresh(r.w)
}

func (r *wrappingRenderer) Layout(size fyne.Size) {
	r.w.place(size.Width, func(o fyne.CanvasObject, p fyne.Position, s fyne.Size) { o.Move(p); o.Resize(s) })
}

// At returns the thing at an index.
func (r *Row) At(i int) fyne.CanvasObject { return r.objects[i] }
