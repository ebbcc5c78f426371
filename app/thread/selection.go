package thread

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// A spot is a place in the words of a message: before the byte at.
type spot struct {
	index int // of the line in the stream
	key   key
	at    int
}

func (a spot) before(b spot) bool { return a.index < b.index || a.index == b.index && a.at < b.at }

// A selection is what of a thread is marked: from where the pointer went down to where
// it is now, which may be further up.
type selection struct {
	from, to spot
	on       bool
}

// ends returns the two ends in the order of the thread.
func (s *selection) ends() (first, last spot) {
	if s.to.before(s.from) {
		return s.to, s.from
	}
	return s.from, s.to
}

// of returns which bytes of the words of the line at index i, which has n, are marked.
func (s *selection) of(i, n int) (from, to int) {
	if !s.on {
		return 0, 0
	}
	first, last := s.ends()
	if i < first.index || i > last.index {
		return 0, 0
	}
	if to = n; i == last.index {
		to = min(last.at, n)
	}
	if i == first.index {
		from = min(first.at, to)
	}
	return from, to
}

// follow finds the ends again among other lines. A selection whose ends are gone is none.
func (s *selection) follow(items []item) {
	if !s.on {
		return
	}
	found := 0
	for i := range items {
		for _, end := range []*spot{&s.from, &s.to} {
			if items[i].key == end.key {
				end.index = i
				found++
			}
		}
	}
	s.on = found == 2
}

// A piece is what is selected of one message.
type piece struct {
	it   item
	text string
}

// selected returns what is selected, in the order of the thread.
func (s *stream) selected() (out []piece) {
	if !s.sel.on {
		return nil
	}
	first, last := s.sel.ends()
	for i := first.index; i <= last.index && i < len(s.items); i++ {
		text := s.words(&s.items[i])
		if from, to := s.sel.of(i, len(text)); from < to {
			out = append(out, piece{s.items[i], text[from:to]})
		}
	}
	return out
}

func (s *stream) unselect() {
	if s.sel.on {
		s.sel = selection{}
		s.place()
	}
}

// selectLine marks all words of a line.
func (s *stream) selectLine(i int) {
	k := s.items[i].key
	s.sel = selection{spot{i, k, 0}, spot{i, k, len(s.words(&s.items[i]))}, true}
	s.place()
}

func (s *stream) selectAll() {
	if n := len(s.items) - 1; n >= 0 {
		s.sel = selection{spot{0, s.items[0].key, 0}, spot{n, s.items[n].key, len(s.words(&s.items[n]))}, true}
		s.place()
	}
}

// at returns the place in the words that is nearest to a point of the view.
func (s *stream) at(p fyne.Position) (found spot, ok bool) {
	for i, o := range s.objects {
		r, isRow := o.(*row)
		if !isRow {
			continue
		}
		index := s.anchor + i
		found, ok = spot{index, r.it.key, r.offsetAt(p.Subtract(r.Position()))}, true
		if p.Y < r.Position().Y+r.Size().Height {
			break
		}
	}
	return found, ok
}

// Dragged is part of fyne.Draggable: on a touch screen dragging scrolls, and the driver
// adds the inertia; a pointer selects.
func (s *stream) Dragged(e *fyne.DragEvent) {
	if fyne.CurrentDevice().IsMobile() {
		s.scrollBy(e.Dragged.DY)
		return
	}
	if !s.dragging {
		from, ok := s.at(e.Position.SubtractXY(e.Dragged.DX, e.Dragged.DY))
		if !ok {
			return
		}
		s.dragging = true
		s.sel = selection{from, from, true}
		s.focus()
	}
	switch { // at its edges the view follows
	case e.Position.Y < 0:
		s.scrollBy(min(-e.Position.Y, 60))
	case e.Position.Y > s.Size().Height:
		s.scrollBy(-min(e.Position.Y-s.Size().Height, 60))
	}
	if to, ok := s.at(e.Position); ok {
		s.sel.to = to
		s.place()
	}
}

// DragEnd is part of fyne.Draggable.
func (s *stream) DragEnd() { s.dragging = false }

// Cursor is part of desktop.Cursorable.
func (s *stream) Cursor() desktop.Cursor { return desktop.DefaultCursor }

func (s *stream) focus() {
	if c := fyne.CurrentApp().Driver().CanvasForObject(s); c != nil {
		c.Focus(s)
	}
}

// FocusGained is part of fyne.Focusable: whoever came by Tab sees where they are.
func (s *stream) FocusGained() {
	if !s.sel.on {
		s.step(0, false)
	}
}

// FocusLost is part of fyne.Focusable.
func (s *stream) FocusLost() { s.shift = false; s.unselect() }

// TypedRune is part of fyne.Focusable: what is typed belongs to the composer.
func (s *stream) TypedRune(r rune) {
	if s.onType != nil {
		s.onType(r)
	}
}

// KeyDown is part of desktop.Keyable.
func (s *stream) KeyDown(k *fyne.KeyEvent) {
	if k.Name == desktop.KeyShiftLeft || k.Name == desktop.KeyShiftRight {
		s.shift = true
	}
}

// KeyUp is part of desktop.Keyable.
func (s *stream) KeyUp(k *fyne.KeyEvent) {
	if k.Name == desktop.KeyShiftLeft || k.Name == desktop.KeyShiftRight {
		s.shift = false
	}
}

// TypedKey is part of fyne.Focusable: arrows go from message to message.
func (s *stream) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyUp:
		s.step(-1, s.shift)
	case fyne.KeyDown:
		s.step(1, s.shift)
	case fyne.KeyPageUp:
		s.page(-1)
	case fyne.KeyPageDown:
		s.page(1)
	case fyne.KeyHome:
		s.reveal(0)
	case fyne.KeyEnd:
		s.scrollToEnd()
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace, desktop.KeyMenu:
		s.openMenu()
	default:
		if c := fyne.CurrentApp().Driver().CanvasForObject(s); c != nil && c.OnTypedKey() != nil {
			c.OnTypedKey()(k)
		}
	}
}

// TypedShortcut is part of fyne.Shortcutable.
func (s *stream) TypedShortcut(sc fyne.Shortcut) {
	switch sc.(type) {
	case *fyne.ShortcutCopy:
		if s.onCopy != nil {
			s.onCopy()
		}
	case *fyne.ShortcutSelectAll:
		s.selectAll()
	default:
		if c, ok := fyne.CurrentApp().Driver().CanvasForObject(s).(fyne.Shortcutable); ok {
			c.TypedShortcut(sc)
		}
	}
}

// step selects the message before (-1) or after (1) the one selected last, or, by 0, the
// last one in view; or has the selection reach as far.
func (s *stream) step(by int, extend bool) {
	i, dir := s.anchor+len(s.objects)-1, by
	if by == 0 {
		dir = -1
	}
	if s.sel.on {
		i = s.sel.to.index + by
	}
	for i >= 0 && i < len(s.items) && s.words(&s.items[i]) == "" {
		i += dir
	}
	if i < 0 || i >= len(s.items) {
		return
	}
	if !extend || !s.sel.on {
		s.selectLine(i)
	} else {
		s.sel.to = spot{i, s.items[i].key, 0}
		if !s.sel.to.before(s.sel.from) {
			s.sel.to.at = len(s.words(&s.items[i]))
		}
	}
	s.reveal(i)
}

// reveal brings a line into view, a third of the view from its top, if it is not.
func (s *stream) reveal(i int) {
	if i < 0 || i >= len(s.items) {
		return
	}
	if r, ok := s.rows[s.items[i].key]; ok && r.Position().Y >= 0 && r.Position().Y+r.Size().Height <= s.Size().Height {
		s.place()
		return
	}
	s.anchor, s.offset, s.stick = i, s.Size().Height/3, false
	s.place()
}

// openMenu opens the menu of the message selected last.
func (s *stream) openMenu() {
	if !s.sel.on || s.sel.to.index >= len(s.items) {
		return
	}
	if r, ok := s.rows[s.items[s.sel.to.index].key]; ok && r.onMenu != nil {
		at := fyne.CurrentApp().Driver().AbsolutePositionForObject(r)
		r.onMenu(r.it.msg, at.Add(r.bubble).AddXY(padX, min(r.size.Height, s.Size().Height/2)))
	}
}
