package widget

import (
	apptheme "causa/app/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// A Sheet is something to be done before going on: a card in the middle of a dimmed
// window, or, where the window is narrow, a page of its own.
type Sheet struct {
	widget.BaseWidget
	OnClosed func()

	window fyne.Canvas
	before fyne.Focusable // what had the keyboard
	card   *Fill
	scrim  *Fill
	body   fyne.CanvasObject
	head   *Row
	foot   fyne.CanvasObject
	closer *Button
	width  float32
}

// narrow is the width under which a sheet takes the whole window.
const narrow = 640

// ShowSheet opens a sheet on a window. Foot, under the scrolling body, may be nil.
func ShowSheet(window fyne.Canvas, title string, width float32, body *Column, foot fyne.CanvasObject) *Sheet {
	s := &Sheet{window: window, width: width, foot: foot}
	s.scrim = NewFill(apptheme.Scrim, nil)
	s.card = NewFill(apptheme.Surface, nil)
	s.card.Radius, s.card.Lifted = 14, true
	s.closer = NewIconButton("x", "", Bare, s.Close)
	s.closer.Height = 30
	s.head = NewRow(8, 0, NewHeading(title, apptheme.SizeTitle-1), s.closer).Inset(Insets{14, 12, 6, 22})
	body.Insets = Insets{6, 22, 18, 22}
	s.body = NewPage(body)
	s.ExtendBaseWidget(s)
	s.before = window.Focused()
	window.Unfocus() // or two cursors blink
	window.Overlays().Add(s)
	s.Resize(window.Size())
	return s
}

// Close takes the sheet away.
func (s *Sheet) Close() {
	s.window.Overlays().Remove(s)
	if s.before != nil && s.window.Overlays().Top() == nil {
		s.window.Focus(s.before)
	}
	if s.OnClosed != nil {
		s.OnClosed()
	}
}

// Fit lays the sheet out anew after its body has changed.
func (s *Sheet) Fit() { s.Refresh() }

// TopSheet returns the uppermost sheet of a window, or nil.
func TopSheet(window fyne.Canvas) *Sheet {
	s, _ := window.Overlays().Top().(*Sheet)
	return s
}

// MinSize is part of fyne.CanvasObject.
func (s *Sheet) MinSize() fyne.Size { return fyne.NewSize(1, 1) }

// Tapped is part of fyne.Tappable: it keeps taps from what lies below. A tap on the
// scrim does not close the sheet, lest what was typed be lost.
func (s *Sheet) Tapped(*fyne.PointEvent) {}

// CreateRenderer is part of fyne.Widget.
func (s *Sheet) CreateRenderer() fyne.WidgetRenderer { return &sheetRenderer{s} }

type sheetRenderer struct{ s *Sheet }

func (r *sheetRenderer) Destroy()           {}
func (r *sheetRenderer) MinSize() fyne.Size { return r.s.MinSize() }
func (r *sheetRenderer) Objects() []fyne.CanvasObject {
	s := r.s
	out := []fyne.CanvasObject{s.scrim, s.card, s.head, s.body}
	if s.foot != nil {
		out = append(out, s.foot)
	}
	return out
}

func (r *sheetRenderer) Refresh() {
	r.Layout(r.s.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
	canvas.Refresh(r.s)
}

func (r *sheetRenderer) Layout(size fyne.Size) {
	s := r.s
	const footInset = 16
	w, x := min(s.width, size.Width-32), float32(0)
	headHeight := s.head.MinSize().Height
	footHeight := float32(0)
	full := size.Width < narrow
	if full {
		w = size.Width
	}
	if s.foot != nil {
		footHeight = HeightFor(s.foot, w-44) + 2*footInset
	}
	h := min(headHeight+HeightFor(s.body, w)+footHeight, size.Height-64)
	y := (size.Height - h) * 0.42
	if full {
		h, y = size.Height, 0
	}
	x = (size.Width - w) / 2
	s.scrim.Resize(size)
	s.card.Radius = 14
	if full {
		s.card.Radius = 0
	}
	s.card.Move(fyne.NewPos(x, y))
	s.card.Resize(fyne.NewSize(w, h))
	s.head.Move(fyne.NewPos(x, y))
	s.head.Resize(fyne.NewSize(w, headHeight))
	s.body.Move(fyne.NewPos(x, y+headHeight))
	s.body.Resize(fyne.NewSize(w, h-headHeight-footHeight))
	if s.foot != nil {
		s.foot.Move(fyne.NewPos(x+22, y+h-footHeight+footInset/2))
		s.foot.Resize(fyne.NewSize(w-44, footHeight-2*footInset))
	}
}
