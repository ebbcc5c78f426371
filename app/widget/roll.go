package widget

import (
	"sort"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// A Roll scrolls through any number of rows whose heights are known beforehand. Only
// the rows in view exist.
type Roll struct {
	widget.BaseWidget
	// New makes a row of a kind; Bind fills one with what stands at an index.
	New  func(kind int) fyne.CanvasObject
	Bind func(index int, row fyne.CanvasObject)

	scroll *container.Scroll
	inside *rollInside
	kinds  []int
	tops   []float32 // tops[i] is where row i begins; one more for the end
}

// NewRoll returns an empty roll.
func NewRoll(create func(kind int) fyne.CanvasObject, bind func(index int, row fyne.CanvasObject)) *Roll {
	r := &Roll{New: create, Bind: bind, tops: []float32{0}}
	r.inside = &rollInside{roll: r, rows: map[int]fyne.CanvasObject{}, kind: map[fyne.CanvasObject]int{}, pool: map[int][]fyne.CanvasObject{}}
	r.inside.ExtendBaseWidget(r.inside)
	r.scroll = container.NewVScroll(r.inside)
	r.scroll.OnScrolled = func(fyne.Position) { r.inside.place() }
	r.ExtendBaseWidget(r)
	return r
}

// Set says what rows there are: their kinds and the height of each kind.
func (r *Roll) Set(kinds []int, height func(kind int) float32) {
	r.kinds = kinds
	r.tops = make([]float32, 1, len(kinds)+1)
	for i, k := range kinds {
		r.tops = append(r.tops, r.tops[i]+height(k))
	}
	r.inside.forget()
	r.scroll.Refresh()
	r.inside.place()
}

// Rebind fills the rows in view anew.
func (r *Roll) Rebind() {
	for i, o := range r.inside.rows {
		r.Bind(i, o)
	}
}

// ScrollTo brings row i into view.
func (r *Roll) ScrollTo(i int) {
	if i < 0 || i >= len(r.kinds) {
		return
	}
	y, view := r.scroll.Offset.Y, r.scroll.Size().Height
	switch {
	case r.tops[i] < y:
		y = r.tops[i]
	case r.tops[i+1] > y+view:
		y = r.tops[i+1] - view
	default:
		return
	}
	r.scroll.ScrollToOffset(fyne.NewPos(0, y))
	r.inside.place()
}

// ScrollToTop shows the first row.
func (r *Roll) ScrollToTop() { r.scroll.ScrollToTop(); r.inside.place() }

// Row returns the row at an index if it is in view.
func (r *Roll) Row(i int) fyne.CanvasObject { return r.inside.rows[i] }

// MinSize is part of fyne.CanvasObject.
func (r *Roll) MinSize() fyne.Size { return fyne.NewSize(120, 60) }

// Resize is part of fyne.CanvasObject.
func (r *Roll) Resize(size fyne.Size) {
	r.BaseWidget.Resize(size)
	r.inside.place()
}

// CreateRenderer is part of fyne.Widget.
func (r *Roll) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(r.scroll) }

type rollInside struct {
	widget.BaseWidget
	roll  *Roll
	rows  map[int]fyne.CanvasObject // by index
	kind  map[fyne.CanvasObject]int
	pool  map[int][]fyne.CanvasObject // by kind
	shown []fyne.CanvasObject
}

func (in *rollInside) MinSize() fyne.Size {
	return fyne.NewSize(120, in.roll.tops[len(in.roll.tops)-1])
}

func (in *rollInside) forget() {
	for i, o := range in.rows {
		in.put(i, o)
	}
}

func (in *rollInside) put(i int, o fyne.CanvasObject) {
	in.pool[in.kind[o]] = append(in.pool[in.kind[o]], o)
	delete(in.rows, i)
}

func (in *rollInside) place() {
	r := in.roll
	top, view, width := r.scroll.Offset.Y, r.scroll.Size().Height, r.scroll.Size().Width
	if width <= 0 {
		return
	}
	first := max(sort.Search(len(r.tops), func(i int) bool { return r.tops[i] > top })-1, 0)
	last := first
	for last < len(r.kinds) && r.tops[last] < top+view {
		last++
	}
	for i, o := range in.rows {
		if i < first || i >= last {
			in.put(i, o)
		}
	}
	in.shown = in.shown[:0]
	for i := first; i < last; i++ {
		o, ok := in.rows[i]
		if !ok {
			o = in.take(r.kinds[i])
			in.rows[i] = o
			o.Resize(fyne.NewSize(width, r.tops[i+1]-r.tops[i]))
			r.Bind(i, o)
		}
		o.Move(fyne.NewPos(0, r.tops[i]))
		o.Resize(fyne.NewSize(width, r.tops[i+1]-r.tops[i]))
		in.shown = append(in.shown, o)
	}
	canvas.Refresh(in)
}

func (in *rollInside) take(kind int) fyne.CanvasObject {
	p := in.pool[kind]
	if n := len(p); n > 0 {
		in.pool[kind] = p[:n-1]
		return p[n-1]
	}
	o := in.roll.New(kind)
	in.kind[o] = kind
	return o
}

// CreateRenderer is part of fyne.Widget.
func (in *rollInside) CreateRenderer() fyne.WidgetRenderer { return &rollRenderer{in} }

type rollRenderer struct{ in *rollInside }

func (q *rollRenderer) Destroy()                     {}
func (q *rollRenderer) MinSize() fyne.Size           { return q.in.MinSize() }
func (q *rollRenderer) Objects() []fyne.CanvasObject { return q.in.shown }
func (q *rollRenderer) Layout(fyne.Size)             { q.in.place() }
func (q *rollRenderer) Refresh() {
	q.in.place()
	for _, o := range q.in.shown {
		o.Refresh()
	}
}
