package thread

import (
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
)

// offsetAt returns the byte of the message's words that is nearest to a point.
func (r *row) offsetAt(p fyne.Position) int {
	if r.it.key.kind != itemMessage || len(r.flow) == 0 {
		return 0
	}
	y := p.Y - r.bubble.Y - padY - extras(r.over) - r.filed
	line := int(y / lineHeight)
	last := r.flow[len(r.flow)-1]
	switch {
	case y < 0:
		return 0
	case line >= len(r.flow):
		return last.At + len(last.Text)
	}
	l := r.flow[line]
	x, left := p.X-r.bubble.X-padX, float32(0)
	for i, c := range l.Text {
		w := appwidget.TextWidth(string(c), apptheme.SizeBody, fyne.TextStyle{})
		if left+w/2 > x {
			return l.At + i
		}
		left += w
	}
	return l.At + len(l.Text)
}

// mark says which bytes of the words are selected.
func (r *row) mark(from, to int) {
	if r.marked != [2]int{from, to} {
		r.marked = [2]int{from, to}
		r.from, r.to = -1, -1 // draw anew
	}
}

// paintMarks puts the ground of what is selected under the lines of text in view.
func (r *row) paintMarks(from, to int, top float32) {
	if r.marked[0] >= r.marked[1] {
		return
	}
	n := 0
	for i, l := range r.flow[from:to] {
		a, b := max(r.marked[0]-l.At, 0), min(r.marked[1]-l.At, len(l.Text))
		if a >= b {
			continue
		}
		if n == len(r.marks) {
			r.marks = append(r.marks, canvas.NewRectangle(nil))
		}
		m := r.marks[n]
		n++
		m.FillColor, m.CornerRadius = apptheme.Of(theme.ColorNameSelection), 3
		left := appwidget.TextWidth(l.Text[:a], apptheme.SizeBody, fyne.TextStyle{})
		right := appwidget.TextWidth(l.Text[:b], apptheme.SizeBody, fyne.TextStyle{})
		m.Move(fyne.NewPos(r.bubble.X+padX+left-1, top+float32(from+i)*lineHeight+1))
		m.Resize(fyne.NewSize(right-left+2, lineHeight-2))
		r.objects = append(r.objects, m)
	}
}

// Tapped is part of fyne.Tappable.
func (r *row) Tapped(e *fyne.PointEvent) {
	if q := r.it.msg.Reply; q != nil && q.Seq != 0 && r.onQuote != nil && len(r.over) > 0 {
		if y := e.Position.Y - r.bubble.Y; y >= 0 && y < padY+extras(r.over) && e.Position.X >= r.bubble.X && e.Position.X < r.bubble.X+r.size.Width {
			r.onQuote(q.Seq)
			return
		}
	}
	if r.onTap != nil {
		r.onTap()
	}
}
