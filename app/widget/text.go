// Package widget is how the things on the screens look and how they are laid out. It
// knows nothing of what they mean.
package widget

import (
	"strings"

	apptheme "causa/app/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// A Fitting says what a text does when it is wider than its place.
type Fitting uint8

// The fittings.
const (
	Cut  Fitting = iota // one line, shortened with an ellipsis
	Full                // one line that asks for all its width
	Wrap                // as many lines as it needs
)

// A Text shows words in a colour of the theme. Control characters and what turns the
// direction of text never reach the screen.
type Text struct {
	widget.BaseWidget
	Color   fyne.ThemeColorName
	Points  float32
	Style   fyne.TextStyle
	Align   fyne.TextAlign
	Fitting Fitting

	text  string
	width float32 // for which lines were laid out
	lines []TextLine
}

// NewText returns a text of body size in the text colour.
func NewText(text string) *Text {
	t := &Text{Color: apptheme.Text, Points: apptheme.SizeBody}
	t.ExtendBaseWidget(t)
	t.text = Visible(text)
	return t
}

// NewSmall returns a small text in the muted colour.
func NewSmall(text string) *Text {
	t := NewText(text)
	t.Color, t.Points = apptheme.Muted, apptheme.SizeSmall
	return t
}

// NewHeading returns a bold text of a size of the theme.
func NewHeading(text string, size float32) *Text {
	t := NewText(text)
	t.Points, t.Style.Bold = size, true
	return t
}

// Wrapped makes t take as many lines as it needs, and returns it.
func (t *Text) Wrapped() *Text { t.Fitting = Wrap; return t }

// Whole makes t ask for its whole width, and returns it.
func (t *Text) Whole() *Text { t.Fitting = Full; return t }

// Centered centres t, and returns it.
func (t *Text) Centered() *Text { t.Align = fyne.TextAlignCenter; return t }

// In sets t's colour, and returns it.
func (t *Text) In(c fyne.ThemeColorName) *Text { t.Color = c; return t }

// SetText changes the words.
func (t *Text) SetText(text string) {
	text = Visible(text)
	if text == t.text {
		return
	}
	t.text, t.width = text, 0
	t.Refresh()
}

// Text returns the words.
func (t *Text) Text() string { return t.text }

func (t *Text) oneLine() string { return strings.ReplaceAll(t.text, "\n", " ") }

func (t *Text) layOut(width float32) {
	if width == t.width && t.lines != nil {
		return
	}
	t.width = width
	switch t.Fitting {
	case Wrap:
		t.lines = Flow(t.text, width, t.Points, t.Style)
	case Full:
		t.lines = []TextLine{{Text: t.oneLine()}}
	default:
		t.lines = []TextLine{{Text: Shorten(t.oneLine(), width, t.Points, t.Style)}}
	}
}

// HeightFor returns the height that the text takes at a width.
func (t *Text) HeightFor(width float32) float32 {
	if t.Fitting != Wrap {
		return lineHeight(t.Points)
	}
	t.layOut(width)
	return float32(len(t.lines)) * lineHeight(t.Points)
}

// MinSize is part of fyne.CanvasObject.
func (t *Text) MinSize() fyne.Size {
	switch t.Fitting {
	case Full:
		return fyne.NewSize(measure(t.oneLine(), t.Points, t.Style), lineHeight(t.Points))
	case Wrap:
		if w := t.BaseWidget.Size().Width; w > 0 {
			return fyne.NewSize(t.Points, t.HeightFor(w))
		}
	}
	return fyne.NewSize(t.Points, lineHeight(t.Points))
}

// Natural returns the width that the words take on one line.
func (t *Text) Natural() float32 { return measure(t.oneLine(), t.Points, t.Style) + 1 }

// CreateRenderer is part of fyne.Widget.
func (t *Text) CreateRenderer() fyne.WidgetRenderer { return &textRenderer{t: t} }

type textRenderer struct {
	t     *Text
	texts []*canvas.Text
	shown []fyne.CanvasObject
}

func (r *textRenderer) Destroy()                     {}
func (r *textRenderer) MinSize() fyne.Size           { return r.t.MinSize() }
func (r *textRenderer) Objects() []fyne.CanvasObject { return r.shown }
func (r *textRenderer) Refresh()                     { r.t.width = 0; r.Layout(r.t.Size()); canvas.Refresh(r.t) }

func (r *textRenderer) Layout(size fyne.Size) {
	t := r.t
	if size.Width <= 0 {
		return
	}
	t.layOut(size.Width)
	for len(r.texts) < len(t.lines) {
		r.texts = append(r.texts, canvas.NewText("", nil))
	}
	r.shown = r.shown[:0]
	lh, ink := lineHeight(t.Points), apptheme.Of(t.Color)
	y := float32(0)
	if t.Fitting != Wrap {
		y = (size.Height - lh) / 2
	}
	for i, l := range t.lines {
		c := r.texts[i]
		c.Text, c.Color, c.TextSize, c.TextStyle, c.Alignment = l.Text, ink, t.Points, t.Style, t.Align
		c.Move(fyne.NewPos(0, y+float32(i)*lh))
		c.Resize(fyne.NewSize(size.Width, lh))
		r.shown = append(r.shown, c)
	}
}
