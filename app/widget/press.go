package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// A press is what everything that can be pressed has in common: pointer, keyboard,
// focus. The owner embeds it and sets self.
type press struct {
	widget.BaseWidget
	OnTapped func()

	self           fyne.Widget
	hover, focused bool
	disabled       bool
}

func (p *press) extend(self fyne.Widget) {
	p.self = self
	p.ExtendBaseWidget(self)
}

func (p *press) act() {
	if !p.disabled && p.OnTapped != nil {
		p.OnTapped()
	}
}

// Tapped is part of fyne.Tappable.
func (p *press) Tapped(*fyne.PointEvent) { p.act() }

// MouseIn is part of desktop.Hoverable.
func (p *press) MouseIn(*desktop.MouseEvent) { p.hover = true; p.self.Refresh() }

// MouseMoved is part of desktop.Hoverable.
func (p *press) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is part of desktop.Hoverable.
func (p *press) MouseOut() { p.hover = false; p.self.Refresh() }

// Cursor is part of desktop.Cursorable.
func (p *press) Cursor() desktop.Cursor {
	if p.disabled {
		return desktop.DefaultCursor
	}
	return desktop.PointerCursor
}

// FocusGained is part of fyne.Focusable.
func (p *press) FocusGained() { p.focused = true; p.self.Refresh() }

// FocusLost is part of fyne.Focusable.
func (p *press) FocusLost() { p.focused = false; p.self.Refresh() }

// TypedRune is part of fyne.Focusable.
func (p *press) TypedRune(rune) {}

// TypedKey is part of fyne.Focusable.
func (p *press) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		p.act()
	case fyne.KeyEscape, fyne.KeyF1:
		handUp(p.self, k)
	}
}

// Disable is part of fyne.Disableable.
func (p *press) Disable() { p.disabled = true; p.self.Refresh() }

// Enable is part of fyne.Disableable.
func (p *press) Enable() { p.disabled = false; p.self.Refresh() }

// Disabled is part of fyne.Disableable.
func (p *press) Disabled() bool { return p.disabled }

// handUp hands a key to the window, which a focused widget would keep.
func handUp(o fyne.CanvasObject, k *fyne.KeyEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil {
		if f := c.OnTypedKey(); f != nil {
			f(k)
		}
	}
}
