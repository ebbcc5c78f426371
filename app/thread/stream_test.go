package thread

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"causa/app/screen"
	apptheme "causa/app/theme"
	"causa/internal/words"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

var (
	self  = matter.MemberID{1}
	other = matter.MemberID{2}
	start = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
)

// messages returns messages with sequences from first on.
func messages(first, n int) []matter.Message {
	out := make([]matter.Message, 0, n)
	for i := first; i < first+n; i++ {
		m := matter.Message{Seq: uint64(i), Time: start.Add(time.Duration(i) * 97 * time.Second), Author: other, Kind: matter.KindText}
		m.ID = matter.MessageID{byte(i >> 16), byte(i >> 8), byte(i), 1}
		if i%7 == 0 {
			m.Author = self
		}
		m.Text = fmt.Sprintf("消息 %d %s", i, strings.Repeat("请 QA 团队安排 regression，周一 review。", i%5))
		out = append(out, m)
	}
	return out
}

func newTestStream(t testing.TB, msgs []matter.Message) *stream {
	t.Helper()
	test.NewTempApp(t)
	fyne.CurrentApp().Settings().SetTheme(apptheme.New(apptheme.Light))
	people := screen.NewPeople(self, []matter.Member{{ID: self, Name: "林晓"}, {ID: other, Name: "Anna"}})
	env := &screen.Env{Words: words.For(words.Chinese), People: people, Now: func() time.Time { return start.AddDate(0, 0, 1) }}
	s := newStream(func() *row { return newRow(env, nil, nil) })
	w := test.NewTempWindow(t, s)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(700, 600))
	s.set(arrange(msgs, 0, self, time.UTC), true)
	return s
}

// scrollTo puts line i at the top.
func (s *stream) scrollTo(i int) {
	s.anchor, s.offset, s.stick = i, 0, false
	s.place()
}

func (s *stream) first() (key, float32) { return s.items[s.anchor].key, s.offset }

func TestBeginsAtTheEnd(t *testing.T) {
	s := newTestStream(t, messages(1, 300))
	last := s.items[len(s.items)-1].key
	r, ok := s.rows[last]
	if !ok || r.Position().Y+r.Size().Height != s.Size().Height {
		t.Errorf("the last line is not at the bottom")
	}
	if len(s.rows) > 30 {
		t.Errorf("%d rows exist", len(s.rows))
	}
}

func TestHistoryInFrontMovesNothing(t *testing.T) {
	s := newTestStream(t, messages(1000, 100))
	s.scrollBy(333)
	k, y := s.first()
	s.set(arrange(append(messages(500, 500), messages(1000, 100)...), 0, self, time.UTC), false)
	if k2, y2 := s.first(); k2 != k || y2 != y {
		t.Errorf("the first line was %v at %v, now %v at %v", k, y, k2, y2)
	}
}

func TestNewMessagesAtTheEnd(t *testing.T) {
	s := newTestStream(t, messages(1, 100))
	s.set(arrange(messages(1, 101), 0, self, time.UTC), false)
	if _, ok := s.rows[s.items[len(s.items)-1].key]; !ok {
		t.Error("at the end, a new message is out of view")
	}
	s.scrollBy(500)
	k, y := s.first()
	s.set(arrange(messages(1, 102), 0, self, time.UTC), false)
	if k2, y2 := s.first(); k2 != k || y2 != y {
		t.Error("while one reads above, a new message moves what is read")
	}
	s.set(arrange(messages(1, 103), 0, self, time.UTC), true)
	if !s.stick {
		t.Error("one's own message does not lead to the end")
	}
}

func TestScrollsToBothEndsAndNoFurther(t *testing.T) {
	s := newTestStream(t, messages(1, 200))
	topped := 0
	s.onTop = func() { topped++ }
	s.scrollBy(1e6)
	if s.anchor != 0 || s.offset != 0 || topped == 0 {
		t.Errorf("at the top: anchor %d, offset %v, told %d times", s.anchor, s.offset, topped)
	}
	s.scrollBy(-1e6)
	last := s.rows[s.items[len(s.items)-1].key]
	if !s.stick || last == nil || last.Position().Y+last.Size().Height > s.Size().Height+1 {
		t.Error("the end is not at the bottom")
	}
}

func TestResizeKeepsTheEnd(t *testing.T) {
	s := newTestStream(t, messages(1, 100))
	for _, w := range []float32{400, 900, 350, 700} {
		s.Resize(fyne.NewSize(w, 500))
		r, ok := s.rows[s.items[len(s.items)-1].key]
		if !ok || r.Position().Y+r.Size().Height != 500 {
			t.Errorf("at width %v the last line is not at the bottom", w)
		}
	}
}

// TestLongMessageDrawsOnlyWhatIsInView: 64 KiB have more lines than a screen.
func TestLongMessageDrawsOnlyWhatIsInView(t *testing.T) {
	m := messages(1, 1)
	m[0].Text = strings.Repeat("很长的一条消息。\n", 2600)
	s := newTestStream(t, m)
	r := s.rows[s.items[len(s.items)-1].key]
	if got := r.to - r.from; got > 40 {
		t.Errorf("%d lines are drawn", got)
	}
	s.scrollBy(20000)
	if r.from == 0 || len(r.objects) > 60 {
		t.Errorf("after scrolling: lines from %d on, %d objects", r.from, len(r.objects))
	}
}

func TestArrange(t *testing.T) {
	at := func(d, h, m int) time.Time { return time.Date(2026, 11, d, h, m, 0, 0, time.UTC) }
	id := byte(0)
	msg := func(seq uint64, author matter.MemberID, when time.Time, kind matter.Kind) matter.Message {
		id++
		return matter.Message{ID: matter.MessageID{id}, Seq: seq, Author: author, Time: when, Kind: kind}
	}
	items := arrange([]matter.Message{
		msg(1, other, at(19, 23, 59), matter.KindOpened),
		msg(2, other, at(20, 0, 1), matter.KindText),
		msg(3, other, at(20, 0, 3), matter.KindText),
		msg(4, self, at(20, 0, 4), matter.KindText),
		msg(5, other, at(20, 0, 5), matter.KindText),
		msg(6, other, at(20, 9, 0), matter.KindText),
	}, 3, self, time.UTC)
	var got []string
	for _, it := range items {
		s := map[itemKind]string{itemMessage: "next", itemEvent: "event", itemDay: "day", itemUnread: "new"}[it.key.kind]
		if it.lead {
			s = "lead"
		}
		got = append(got, s)
	}
	want := "day event day lead next lead new lead lead"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

func TestBoundary(t *testing.T) {
	msgs := messages(1, 20) // 7 and 14 are one's own
	for unread, want := range map[int]uint64{0: 0, 1: 19, 6: 14, 7: 12} {
		if got := boundary(msgs, unread, self); got != want {
			t.Errorf("%d unread: read up to %d, want %d", unread, got, want)
		}
	}
}

// BenchmarkArrange is what a new message costs in a thread of 10,000.
func BenchmarkArrange(b *testing.B) {
	msgs := messages(1, 10000)
	s := newTestStream(b, msgs)
	b.ReportAllocs()
	for b.Loop() {
		s.set(arrange(msgs, 0, self, time.UTC), false)
	}
}
