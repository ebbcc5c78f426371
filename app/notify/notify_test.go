package notify

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"causa/core"
	"causa/matter"
)

// A wall is a surface that remembers.
type wall struct {
	mu    sync.Mutex
	up    map[string]Notification
	shown []string
}

func (w *wall) show(key string, n Notification) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.up[key] = n
	w.shown = append(w.shown, n.Title+": "+n.Body)
	return nil
}

func (w *wall) remove(key string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.up, key)
	return nil
}

func (w *wall) close() error { return nil }

// take returns what was shown since the last time.
func (w *wall) take() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.shown
	w.shown = nil
	return out
}

func (w *wall) standing() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.up))
}

var alice = matter.MemberID{1}

func message(id byte, seq uint64, text string) core.Notice {
	return core.Notice{
		Kind: core.NoticeMessage, Matter: matter.ID{id}, Count: 1, Matters: 1,
		Message: matter.Message{Seq: seq, Author: alice, Text: text},
	}
}

// A tester knows the titles and names.
type tester struct{ *Notifier }

func (n *tester) Notice(x core.Notice) {
	n.Notifier.Notice(x, fmt.Sprintf("matter %d", x.Matter[0]), "Alice")
}

func open(t *testing.T, detail Detail) (*tester, *wall) {
	w := &wall{up: map[string]Notification{}}
	n := New(Options{
		T:      func(key string, args ...any) string { return fmt.Sprintf(key, args...) },
		Detail: func() Detail { return detail },
		Open:   func(matter.ID) {},
		on:     w,
	})
	t.Cleanup(n.Close)
	return &tester{n}, w
}

// By default nothing of a message is on the screen.
func TestDetail(t *testing.T) {
	for detail, want := range map[Detail]string{
		Nothing: "Causa: New message in a matter", Title: "matter 1: New message in a matter", Text: "matter 1: Alice: secret",
	} {
		synctest.Test(t, func(t *testing.T) {
			n, w := open(t, detail)
			n.Notice(message(1, 1, "secret"))
			if got := w.take(); !slices.Equal(got, []string{want}) {
				t.Errorf("detail %d: %q, want %q", detail, got, want)
			}
		})
	}
}

// One matter has one notification, which counts and does not flicker.
func TestOneForEachMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, w := open(t, Title)
		for i := range 50 {
			n.Notice(message(1, uint64(i+1), "x"))
			synctest.Wait()
		}
		if got := w.take(); !slices.Equal(got, []string{"matter 1: New message in a matter"}) {
			t.Errorf("shown at once: %q", got)
		}
		time.Sleep(perMatter)
		if got := w.take(); !slices.Equal(got, []string{"matter 1: 50 new messages in a matter"}) {
			t.Errorf("shown later: %q", got)
		}
		if got := w.standing(); len(got) != 1 {
			t.Errorf("%d notifications stand", len(got))
		}
	})
}

// A flood in many matters comes in bursts; what is urgent and the digest come at once.
func TestBursts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, w := open(t, Title)
		for id := range byte(30) {
			n.Notice(message(id+1, 1, "x"))
		}
		if got := w.take(); len(got) != burst {
			t.Errorf("%d notifications at once, want %d", len(got), burst)
		}
		urgent := message(40, 1, "fire")
		urgent.Kind = core.NoticeUrgent
		n.Notice(urgent)
		n.Notice(core.Notice{Kind: core.NoticeDigest, Count: 7, Matters: 2})
		got := w.take()
		slices.Sort(got)
		if want := []string{"Causa: 7 messages came while it was quiet", "matter 40: Urgent message in a matter"}; !slices.Equal(got, want) {
			t.Errorf("shown beside the flood: %q, want %q", got, want)
		}
		time.Sleep(perBurst)
		if got := w.take(); len(got) == 0 || len(got) > burst {
			t.Errorf("%d notifications in the next burst", len(got))
		}
		time.Sleep(10 * perBurst)
		w.take()
		if got := w.standing(); len(got) != 32 {
			t.Errorf("%d notifications stand in the end, want 32", len(got))
		}
	})
}

// What is read, here or elsewhere, goes; what came after it stays.
func TestSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, w := open(t, Nothing)
		n.Notice(message(1, 5, "x"))
		n.Notice(message(2, 9, "x"))
		w.take()
		n.Seen(matter.ID{1}, 4)
		n.Seen(matter.ID{2}, 9)
		if got := w.standing(); !slices.Equal(got, []string{matter.ID{1}.String()}) {
			t.Errorf("standing: %q", got)
		}
		n.Notice(message(1, 6, "x")) // waits, for it would flicker
		n.Seen(matter.ID{1}, 6)
		time.Sleep(time.Minute)
		if got := append(w.take(), w.standing()...); len(got) > 0 {
			t.Errorf("shown or standing although it was read: %q", got)
		}
		n.Notice(core.Notice{Kind: core.NoticeDigest, Count: 1})
		w.take()
		n.DigestTaken()
		if got := w.standing(); len(got) > 0 {
			t.Errorf("the digest's still stands: %q", got)
		}
	})
}
