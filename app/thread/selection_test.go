package thread

import (
	"strings"
	"testing"

	appwidget "causa/app/widget"

	"fyne.io/fyne/v2"
)

// newSelecting returns a stream of which all words can be selected.
func newSelecting(t *testing.T, n int) *stream {
	s := newTestStream(t, messages(1, n))
	s.words = func(it *item) string {
		if it.key.kind != itemMessage {
			return ""
		}
		return appwidget.Visible(it.msg.Text)
	}
	return s
}

func texts(s *stream) (out []string) {
	for _, p := range s.selected() {
		out = append(out, p.text)
	}
	return out
}

// at returns the point of the view before byte n of a message.
func pointOf(t *testing.T, s *stream, seq uint64, n int) fyne.Position {
	t.Helper()
	for _, r := range s.rows {
		if r.it.msg.Seq != seq {
			continue
		}
		for i, l := range r.flow {
			if n <= l.At+len(l.Text) {
				x := appwidget.TextWidth(l.Text[:n-l.At], 14, fyne.TextStyle{})
				return r.Position().Add(r.bubble).AddXY(padX+x+0.5, padY+float32(i)*lineHeight+lineHeight/2)
			}
		}
	}
	t.Fatalf("message %d is not in view", seq)
	return fyne.Position{}
}

func drag(s *stream, from, to fyne.Position) {
	d := to.Subtract(from)
	s.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: to}, Dragged: fyne.NewDelta(d.X, d.Y)})
	s.DragEnd()
}

func TestDragSelects(t *testing.T) {
	s := newSelecting(t, 100)
	whole := s.words(&s.items[len(s.items)-1])
	last := s.items[len(s.items)-1].msg.Seq
	from, to := len("消息 "), len("消息 100")
	drag(s, pointOf(t, s, last, from), pointOf(t, s, last, to))
	if got := strings.Join(texts(s), "|"); got != whole[from:to] {
		t.Errorf("selected %q, want %q", got, whole[from:to])
	}
	// Upwards, over three messages.
	s.unselect()
	drag(s, pointOf(t, s, last, to), pointOf(t, s, last-2, len("消息")))
	want := []string{s.words(&s.items[len(s.items)-3])[len("消息"):], s.words(&s.items[len(s.items)-2]), whole[:to]}
	if got := texts(s); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("selected %q, want %q", got, want)
	}
	// What is marked is drawn, and no more after a tap.
	r := s.rows[s.items[len(s.items)-2].key]
	if r.marked != [2]int{0, len(want[1])} {
		t.Errorf("of the message between, bytes %v are marked", r.marked)
	}
	r.Tapped(nil)
	if s.sel.on || r.marked[1] != 0 {
		t.Error("a tap does not end the selection")
	}
}

func TestKeysSelect(t *testing.T) {
	s := newSelecting(t, 300)
	s.FocusGained()
	seq := func() uint64 { return s.items[s.sel.to.index].msg.Seq }
	if seq() != 300 {
		t.Fatalf("Tab leads to message %d", seq())
	}
	for range 60 {
		s.TypedKey(&fyne.KeyEvent{Name: fyne.KeyUp})
	}
	if seq() != 240 {
		t.Errorf("60 times up leads to message %d, want 240", seq())
	}
	if r, ok := s.rows[s.sel.to.key]; !ok || r.Position().Y < 0 || r.Position().Y > s.Size().Height {
		t.Error("what is selected is not in view")
	}
	s.shift = true
	for range 3 {
		s.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	}
	if got := len(s.selected()); got != 4 {
		t.Errorf("Shift and three times down select %d messages, want 4", got)
	}
}

// A selection stays on its messages when earlier ones come in front, and ends when one
// of its ends goes away.
func TestSelectionFollows(t *testing.T) {
	s := newSelecting(t, 100)
	s.selectLine(len(s.items) - 1)
	want := texts(s)
	s.set(arrange(messages(1, 150), 0, self, start.Location()), false)
	if got := texts(s); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("selected %q, want %q", got, want)
	}
	s.set(arrange(messages(120, 30), 0, self, start.Location()), false)
	if s.sel.on {
		t.Error("something is selected whose end is gone")
	}
}
