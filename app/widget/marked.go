package widget

import (
	apptheme "causa/app/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// A Span is part of a text, as byte offsets.
type Span struct{ From, To int }

// A Marked is a wrapped text in which some words stand out.
type Marked struct {
	widget.BaseWidget
	text  string
	spans []Span
	most  int // lines
	width float32
	lines []TextLine
}

// NewMarked returns a small text of at most so many lines. The spans are of text as it
// is shown, after [Visible].
func NewMarked(text string, most int, spans ...Span) *Marked {
	m := &Marked{text: text, spans: spans, most: most}
	m.ExtendBaseWidget(m)
	return m
}

// Text returns the words.
func (m *Marked) Text() string { return m.text }

func (m *Marked) layOut(width float32) {
	if width != m.width || m.lines == nil {
		m.width = width
		m.lines = Flow(m.text, width, apptheme.SizeSmall, fyne.TextStyle{})
		m.lines = m.lines[:min(len(m.lines), m.most)]
	}
}

// HeightFor returns the height at a width.
func (m *Marked) HeightFor(width float32) float32 {
	m.layOut(width)
	return float32(len(m.lines)) * lineHeight(apptheme.SizeSmall)
}

// MinSize is part of fyne.CanvasObject.
func (m *Marked) MinSize() fyne.Size {
	return fyne.NewSize(80, m.HeightFor(max(m.Size().Width, 80)))
}

// CreateRenderer is part of fyne.Widget.
func (m *Marked) CreateRenderer() fyne.WidgetRenderer { return &markedRenderer{m: m} }

type markedRenderer struct {
	m       *Marked
	objects []fyne.CanvasObject
}

func (r *markedRenderer) Destroy()                     {}
func (r *markedRenderer) MinSize() fyne.Size           { return r.m.MinSize() }
func (r *markedRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *markedRenderer) Refresh()                     { r.Layout(r.m.Size()); canvas.Refresh(r.m) }

func (r *markedRenderer) Layout(size fyne.Size) {
	if size.Width <= 0 {
		return
	}
	r.m.layOut(size.Width)
	r.objects = r.objects[:0]
	lh, scale := lineHeight(apptheme.SizeSmall), apptheme.SizeSmall
	for i, l := range r.m.lines {
		y := float32(i) * lh
		for _, s := range r.m.spans {
			a, b := max(s.From-l.At, 0), min(s.To-l.At, len(l.Text))
			if a >= b {
				continue
			}
			ground := canvas.NewRectangle(apptheme.Of(apptheme.HeedSoft))
			ground.CornerRadius = 3
			left := measure(l.Text[:a], scale, fyne.TextStyle{})
			ground.Move(fyne.NewPos(left-1, y+1))
			ground.Resize(fyne.NewSize(measure(l.Text[:b], scale, fyne.TextStyle{})-left+2, lh-2))
			r.objects = append(r.objects, ground)
		}
		t := canvas.NewText(l.Text, apptheme.Of(apptheme.Text))
		t.TextSize = scale
		t.Move(fyne.NewPos(0, y))
		t.Resize(fyne.NewSize(size.Width, lh))
		r.objects = append(r.objects, t)
	}
}
