package widget

import (
	"image/color"

	apptheme "causa/app/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// An Entry takes typed text. Every entry of the app is one of these, because of what
// it does for input methods: while one is composing (a letter key went down and no
// character came of it), the keys that edit belong to the input method. GLFW reports
// them to the application as well, which would delete committed text or send a
// half-written sentence.
type Entry struct {
	widget.Entry
	// OnEnter is called instead of making a new line, in an entry of several lines,
	// when Enter is pressed without Shift.
	OnEnter func()
	// OnPage is called for Page Up (-1) and Page Down (1) instead of moving the cursor.
	OnPage func(direction int)
	// OnFocus is told when the entry gains and loses the keyboard.
	OnFocus func(focused bool)
	// Bare leaves out the ground and border, for an entry on a card of its own.
	Bare bool

	shift     bool
	composing bool
}

// NewEntry returns an entry of one line.
func NewEntry(placeholder string) *Entry {
	e := &Entry{}
	e.Wrapping = fyne.TextWrap(fyne.TextTruncateClip)
	e.ExtendBaseWidget(e)
	e.SetPlaceHolder(placeholder)
	return e
}

// NewTextArea returns an entry that grows with its text, up to some lines.
func NewTextArea(placeholder string) *Entry {
	e := &Entry{}
	e.MultiLine = true
	e.Wrapping = fyne.TextWrapWord
	e.ExtendBaseWidget(e)
	e.SetPlaceHolder(placeholder)
	e.SetMinRowsVisible(1)
	return e
}

// KeyDown watches Shift, and letter keys that bring no character.
func (e *Entry) KeyDown(k *fyne.KeyEvent) {
	switch k.Name {
	case desktop.KeyShiftLeft, desktop.KeyShiftRight:
		e.shift = true
	default:
		if letter(k.Name) && modifiers()&^fyne.KeyModifierShift == 0 {
			e.composing = true // until a character comes
		}
	}
	e.Entry.KeyDown(k)
}

// KeyUp watches Shift.
func (e *Entry) KeyUp(k *fyne.KeyEvent) {
	if k.Name == desktop.KeyShiftLeft || k.Name == desktop.KeyShiftRight {
		e.shift = false
	}
	e.Entry.KeyUp(k)
}

func letter(n fyne.KeyName) bool { return len(n) == 1 && n >= "A" && n <= "Z" }

func modifiers() fyne.KeyModifier {
	if d, ok := fyne.CurrentApp().Driver().(desktop.Driver); ok {
		return d.CurrentKeyModifiers()
	}
	return 0
}

// AcceptsTab is part of fyne.Tabbable: Tab leads to the next field, also out of an entry of
// several lines, unless an input method is using it.
func (e *Entry) AcceptsTab() bool { return e.composing }

// TypedRune ends a composition.
func (e *Entry) TypedRune(r rune) {
	e.composing = false
	e.Entry.TypedRune(r)
}

// TypedKey leaves editing keys to a composition, and Escape to the window.
func (e *Entry) TypedKey(k *fyne.KeyEvent) {
	if e.composing {
		switch k.Name {
		case fyne.KeyEscape, fyne.KeyReturn, fyne.KeyEnter:
			e.composing = false // the input method takes this key, and is done
			return
		case fyne.KeyBackspace, fyne.KeyDelete, fyne.KeyLeft, fyne.KeyRight, fyne.KeyUp, fyne.KeyDown,
			fyne.KeyHome, fyne.KeyEnd, fyne.KeyPageUp, fyne.KeyPageDown, fyne.KeySpace, fyne.KeyTab:
			return
		}
	}
	switch k.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		if e.MultiLine && e.OnEnter != nil {
			if e.shift {
				e.Entry.TypedRune('\n')
			} else {
				e.OnEnter()
			}
			return
		}
	case fyne.KeyEscape, fyne.KeyF1:
		handUp(e, k)
		return
	case fyne.KeyPageUp, fyne.KeyPageDown:
		if e.OnPage != nil {
			direction := 1
			if k.Name == fyne.KeyPageUp {
				direction = -1
			}
			e.OnPage(direction)
			return
		}
	}
	e.Entry.TypedKey(k)
}

// TypedShortcut keeps what an entry knows (clipboard, undo, moving by words) and hands
// everything else to the window.
func (e *Entry) TypedShortcut(s fyne.Shortcut) {
	e.composing = false
	if c, ok := s.(*desktop.CustomShortcut); ok && !moves(c.KeyName) {
		canvas := fyne.CurrentApp().Driver().CanvasForObject(e)
		if w, ok := canvas.(interface{ TypedShortcut(fyne.Shortcut) }); ok {
			w.TypedShortcut(s)
		}
		return
	}
	e.Entry.TypedShortcut(s)
}

func moves(k fyne.KeyName) bool {
	switch k {
	case fyne.KeyLeft, fyne.KeyRight, fyne.KeyUp, fyne.KeyDown, fyne.KeyHome, fyne.KeyEnd, fyne.KeyBackspace, fyne.KeyDelete:
		return true
	}
	return false
}

// FocusGained is part of fyne.Focusable.
func (e *Entry) FocusGained() {
	e.Entry.FocusGained()
	if e.OnFocus != nil {
		e.OnFocus(true)
	}
}

// FocusLost ends a composition.
func (e *Entry) FocusLost() {
	e.composing, e.shift = false, false
	e.Entry.FocusLost()
	if e.OnFocus != nil {
		e.OnFocus(false)
	}
}

// CreateRenderer is part of fyne.Widget.
func (e *Entry) CreateRenderer() fyne.WidgetRenderer {
	r := &bareRenderer{e.Entry.CreateRenderer(), e}
	r.strip()
	return r
}

// A bareRenderer draws an entry without the ground and border, if so wanted: they are
// the first two things Fyne's renderer draws.
type bareRenderer struct {
	fyne.WidgetRenderer
	e *Entry
}

func (r *bareRenderer) strip() {
	if !r.e.Bare {
		return
	}
	for _, o := range r.Objects()[:2] {
		if rect, ok := o.(*canvas.Rectangle); ok {
			rect.FillColor, rect.StrokeColor = color.Transparent, color.Transparent
		}
	}
}

func (r *bareRenderer) Refresh() {
	r.WidgetRenderer.Refresh()
	r.strip()
}

// A Field is an entry, or something else to fill in, under its name, with a hint or
// what is wrong below it.
type Field struct {
	Column
	note *Text
	hint string
}

// NewField returns a field.
func NewField(name string, content fyne.CanvasObject, hint string) *Field {
	label := NewHeading(name, apptheme.SizeSmall).In(apptheme.Muted)
	f := &Field{note: NewSmall(hint).Wrapped(), hint: hint}
	f.Gap = 5
	f.objects = []fyne.CanvasObject{label, content, f.note}
	f.note.Hidden = hint == ""
	f.ExtendBaseWidget(f)
	return f
}

// SetProblem shows what is wrong, in vermilion, or the hint again when it is "".
func (f *Field) SetProblem(text string) {
	f.note.Color = apptheme.SealText
	if text == "" {
		text, f.note.Color = f.hint, apptheme.Muted
	}
	f.note.SetText(text)
	f.note.Hidden = text == ""
	f.note.Refresh()
	f.Refresh()
}
