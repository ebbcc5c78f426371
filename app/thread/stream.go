package thread

import (
	"reflect"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// A stream is a virtual list of lines of any height. It remembers which line is at the
// top of the view and where (an anchor), never a distance from the beginning: so
// nothing above the view need be measured, history put in front moves nothing, and
// the end stays in view while it is in view.
type stream struct {
	widget.BaseWidget
	onTop  func()           // the first line came into view: load earlier ones
	onEnd  func(atEnd bool) // the end came into view, or went out of it
	onType func(rune)       // a character was typed while the stream had the keyboard
	onCopy func()           // what is selected is to be copied
	words  func(*item) string
	newRow func() *row

	items   []item
	anchor  int     // index of the first line in view
	offset  float32 // y of that line's top; never above 0
	stick   bool    // the end is in view and stays there
	rows    map[key]*row
	pool    []*row
	objects []fyne.CanvasObject
	turn    uint // counts layouts, to tell which rows are in view

	sel      selection
	dragging bool
	shift    bool // is held
}

func newStream(create func() *row) *stream {
	s := &stream{newRow: create, stick: true, rows: map[key]*row{}, words: func(*item) string { return "" }}
	s.ExtendBaseWidget(s)
	return s
}

// set shows other lines. What is in view stays where it is, unless the end was in view
// or toEnd asks for it.
func (s *stream) set(items []item, toEnd bool) {
	var at key
	if s.anchor < len(s.items) {
		at = s.items[s.anchor].key
	}
	changed := map[key]bool{}
	old := make(map[key]item, len(s.rows))
	for _, it := range s.items {
		if _, shown := s.rows[it.key]; shown {
			old[it.key] = it
		}
	}
	found := false
	for i, it := range items {
		if it.key == at && !found {
			s.anchor, found = i, true
		}
		if was, shown := old[it.key]; shown && !same(was, it) {
			changed[it.key] = true
		}
	}
	s.items = items
	s.sel.follow(items)
	for k := range changed {
		s.drop(k)
	}
	if toEnd {
		s.stick = true
	}
	if !found && !s.stick {
		s.anchor, s.offset = min(s.anchor, max(len(items)-1, 0)), 0
	}
	s.place()
}

func same(a, b item) bool {
	return a.lead == b.lead && a.msg.Text == b.msg.Text && a.msg.Delivery == b.msg.Delivery &&
		a.msg.Problem == b.msg.Problem && a.msg.Kind == b.msg.Kind && a.msg.Time.Equal(b.msg.Time) &&
		len(a.msg.Subjects) == len(b.msg.Subjects) && reflect.DeepEqual(a.msg.Thread, b.msg.Thread)
}

func (s *stream) drop(k key) {
	if r, ok := s.rows[k]; ok {
		s.pool = append(s.pool, r)
		delete(s.rows, k)
	}
}

// forget makes every line be laid out anew.
func (s *stream) forget() {
	for k := range s.rows {
		s.drop(k)
	}
}

// scrollBy moves the content down by dy (positive: towards earlier lines).
func (s *stream) scrollBy(dy float32) {
	s.offset += dy
	if dy > 0 {
		s.stick = false
	}
	s.place()
}

func (s *stream) scrollToEnd() {
	s.stick = true
	s.place()
}

// page scrolls by most of the view.
func (s *stream) page(direction int) { s.scrollBy(-float32(direction) * s.Size().Height * 0.85) }

// Scrolled is part of fyne.Scrollable.
func (s *stream) Scrolled(e *fyne.ScrollEvent) { s.scrollBy(e.Scrolled.DY) }

// Resize lays the lines out anew when the width changes.
func (s *stream) Resize(size fyne.Size) {
	old := s.Size()
	if size == old {
		return
	}
	if size.Width != old.Width {
		s.forget()
	}
	s.BaseWidget.Resize(size)
	s.place()
}

// MinSize is small: a stream takes what it is given.
func (s *stream) MinSize() fyne.Size { return fyne.NewSize(160, 60) }

func (s *stream) row(i int) *row {
	it := &s.items[i]
	if r, ok := s.rows[it.key]; ok {
		return r
	}
	var r *row
	if n := len(s.pool); n > 0 {
		r, s.pool = s.pool[n-1], s.pool[:n-1]
	} else {
		r = s.newRow()
		r.onTap = s.unselect
	}
	h := r.set(it, s.Size().Width)
	r.Resize(fyne.NewSize(s.Size().Width, h))
	s.rows[it.key] = r
	return r
}

func (s *stream) place() {
	view := s.Size()
	if view.Width <= 0 || view.Height <= 0 {
		return
	}
	if len(s.items) == 0 {
		s.forget()
		s.objects = s.objects[:0]
		s.anchor, s.offset = 0, 0
		canvas.Refresh(s)
		return
	}
	last := len(s.items) - 1
	if s.stick { // hang the lines from the bottom
		y, i := view.Height, last
		for ; i >= 0; i-- {
			y -= s.row(i).Size().Height
			if y <= 0 {
				break
			}
		}
		s.anchor, s.offset = max(i, 0), min(y, 0)
	}
	s.anchor = min(max(s.anchor, 0), last)
	for s.offset > 0 && s.anchor > 0 { // lines come in at the top
		s.anchor--
		s.offset -= s.row(s.anchor).Size().Height
	}
	s.offset = min(s.offset, 0)
	for s.anchor < last { // lines leave at the top
		h := s.row(s.anchor).Size().Height
		if s.offset+h > 0 {
			break
		}
		s.offset += h
		s.anchor++
	}
	s.show(view, last)
}

// show puts the lines from the anchor on into the view.
func (s *stream) show(view fyne.Size, last int) {
	s.objects = s.objects[:0]
	s.turn++
	y, i := s.offset, s.anchor
	for ; i <= last && y < view.Height; i++ {
		r := s.row(i)
		r.Move(fyne.NewPos(0, y))
		if s.sel.on {
			r.mark(s.sel.of(i, len(s.words(&s.items[i]))))
		} else {
			r.mark(0, 0)
		}
		r.window(-y, view.Height-y)
		r.turn = s.turn
		s.objects = append(s.objects, r)
		y += r.Size().Height
	}
	end := i > last && y <= view.Height+1
	if end && !s.stick {
		s.stick = true
		if y < view.Height && (s.anchor > 0 || s.offset < 0) { // scrolled past the end
			s.place()
			return
		}
	}
	for k, r := range s.rows {
		if r.turn != s.turn {
			s.pool = append(s.pool, r)
			delete(s.rows, k)
		}
	}
	if s.onEnd != nil {
		s.onEnd(s.stick)
	}
	canvas.Refresh(s)
	if s.anchor == 0 && s.offset == 0 && s.onTop != nil {
		s.onTop()
	}
}

// CreateRenderer is part of fyne.Widget.
func (s *stream) CreateRenderer() fyne.WidgetRenderer { return &streamRenderer{s} }

type streamRenderer struct{ s *stream }

func (q *streamRenderer) Destroy()                     {}
func (q *streamRenderer) MinSize() fyne.Size           { return q.s.MinSize() }
func (q *streamRenderer) Layout(fyne.Size)             {}
func (q *streamRenderer) Objects() []fyne.CanvasObject { return q.s.objects }

// Refresh follows a change of the theme.
func (q *streamRenderer) Refresh() {
	q.s.forget()
	q.s.place()
}
