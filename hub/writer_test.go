package hub_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"causa/hub/hubtest"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// Whatever devices send at once, right and wrong, each is answered as if it were alone,
// and the log has exactly what was accepted.
func TestBatchesOfRightAndWrong(t *testing.T) {
	r := newRig(t)
	members := []*member{r.owner(), r.hire(matter.RoleMember), r.hire(matter.RoleMember)}
	strange := members[1].open()
	rapid.Check(t, func(rt *rapid.T) {
		a := members[0]
		a.t = t
		id := a.open()
		a.change(id, members[1:], nil)
		kinds := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, 5), 1, 40), len(members), len(members)).Draw(rt, "kinds")
		var wg sync.WaitGroup
		wants := make([]map[string]bool, len(members))
		for i, m := range members {
			wants[i] = map[string]bool{}
			wg.Go(func() { wants[i] = sendKinds(rt, m, id, strange, kinds[i]) })
		}
		wg.Wait()
		got := map[string]int{}
		for i, e := range a.log(id) {
			if e.GetSeq() != uint64(i+1) {
				rt.Fatalf("entry %d has seq %d", i, e.GetSeq())
			}
			if e.GetKind() == pb.EntryKind_ENTRY_KIND_CONTENT {
				got[string(e.GetPayload())]++
			}
		}
		n := 0
		for _, want := range wants {
			for payload := range want {
				n++
				if got[payload] != 1 {
					rt.Fatalf("%q is in the log %d times", payload, got[payload])
				}
			}
		}
		if len(got) != n {
			rt.Fatalf("%d messages in the log, want %d", len(got), n)
		}
	})
}

// sendKinds sends messages of the kinds drawn without waiting, then checks the answers
// and returns what must be in the log.
func sendKinds(t *rapid.T, m *member, id, strange matter.ID, kinds []int) map[string]bool {
	type expected struct {
		answer <-chan *pb.HubFrame
		code   wire.Code
		kind   int
	}
	var sent []expected
	in := map[string]bool{}
	for i, kind := range kinds {
		payload := fmt.Sprintf("%s %d %d", m.ID.Short(), m.counter+1, i)
		f := send(id, m.counter+1, 1, payload)
		want := wire.Code(0)
		switch kind {
		case 0: // a gap
			f.GetSendContent().Counter++
			want = wire.CodeCounterGap
		case 1: // sealed in another epoch
			f.GetSendContent().Epoch = 0
			want = wire.CodeEpochStale
		case 2: // a matter that is not there
			unknown := matter.NewID()
			f.GetSendContent().Matter = unknown[:]
			want = wire.CodeNoMatter
		case 3: // a repeat, of which only the counter counts
			if m.counter == 0 || len(in) == 0 {
				continue
			}
			f.GetSendContent().Counter--
		case 4: // another's matter
			if m.groups[strange] != nil {
				continue
			}
			f.GetSendContent().Matter = strange[:]
			want = wire.CodeNoMatter
		default:
			in[payload] = true
			m.counter++
		}
		answer, err := m.Go(f)
		if err != nil {
			t.Errorf("send: %v", err)
			return in
		}
		sent = append(sent, expected{answer, want, kind})
	}
	for i, e := range sent {
		if _, err := m.Await(e.answer); hubtest.CodeOf(err) != e.code || e.code == 0 && err != nil {
			t.Errorf("answer %d to kind %d: %v, want code %d", i, e.kind, err, e.code)
		}
	}
	return in
}

// A device that connects anew is told its last counter for good: what its old
// connection has on the way comes in before, or not at all.
func TestNewConnectionFencesSendsInFlight(t *testing.T) {
	r := newRig(t)
	a := r.owner()
	id := a.open()
	for round := range 15 {
		old := a.Peer
		last := a.ready.GetLastCounter()
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := last + 1; ; i++ {
				if _, err := old.Go(send(id, i, 0, fmt.Sprintf("round %d", round))); err != nil {
					return
				}
			}
		})
		time.Sleep(2 * time.Millisecond) // let some be on the way
		a.connect()
		a.must(send(id, a.ready.GetLastCounter()+1, 0, "mine"))
		a.connect()
		wg.Wait()
	}
	var mine int
	for _, p := range payloads(a.log(id)) {
		if p == "mine" {
			mine++
		}
	}
	if mine != 15 {
		t.Errorf("%d messages of new connections, want 15", mine)
	}
}

func TestSlowReaderCatchesUp(t *testing.T) {
	if testing.Short() {
		t.Skip("moves tens of megabytes")
	}
	r := newRig(t)
	a, b := r.owner(), r.hire(matter.RoleMember)
	id := a.open()
	a.change(id, []*member{b}, nil)
	b.Pause()
	payload := strings.Repeat("x", wire.MaxPayload)
	const n = 200 // far more than sockets and the hub's queue hold
	for range n {
		a.say(id, payload)
		if q := r.Queued(); q > 3<<20 {
			t.Fatalf("%d bytes are queued", q)
		}
	}
	b.Resume()
	// Some pages, in order; then one that is empty and says how far it went.
	var seen uint64
	for {
		f, err := b.Push(isPage(id))
		if err != nil {
			t.Fatal(err)
		}
		p := f.GetMatterPage()
		if len(p.GetEntries()) == 0 {
			if p.GetHead() != n+1 {
				t.Errorf("head = %d, want %d", p.GetHead(), n+1)
			}
			break
		}
		if first := p.GetEntries()[0].GetSeq(); seen > 0 && first != seen+1 {
			t.Fatalf("page from %d follows %d", first, seen)
		}
		seen = p.GetHead()
	}
	if seen >= n {
		t.Fatalf("nothing was left out: %d of %d pushed", seen, n+1)
	}
	if got := len(payloads(b.log(id))); got != n {
		t.Errorf("b pulls %d messages, want %d", got, n)
	}
	a.say(id, "live again")
	f, err := b.Push(isPage(id))
	if err != nil || len(f.GetMatterPage().GetEntries()) != 1 {
		t.Errorf("pushed after catching up: %v, %v", f, err)
	}
}

func TestDiskFull(t *testing.T) {
	r := newRig(t)
	a := r.owner()
	id := a.open()
	a.say(id, "before")
	if err := r.LimitPages(1); err != nil { // what it has now is all it gets
		t.Fatal(err)
	}
	large := string(bytes.Repeat([]byte("x"), wire.MaxPayload))
	if f := a.refused(wire.CodeFull, send(id, 2, 0, large)); f.GetRetryAfterMs() == 0 {
		t.Error("no word of when to try again")
	}
	a.refused(wire.CodeFull, send(id, 2, 0, large))
	if got := payloads(a.log(id)); len(got) != 1 {
		t.Errorf("%d messages can be read, want 1", len(got))
	}
	a.connect() // signing in writes nothing
	if a.ready.GetLastCounter() != 1 {
		t.Errorf("last counter = %d, want 1", a.ready.GetLastCounter())
	}
	if err := r.LimitPages(0); err != nil {
		t.Fatal(err)
	}
	a.must(send(id, 2, 0, large))
	r.Restart()
	a.connect()
	if got := payloads(a.log(id)); len(got) != 2 {
		t.Errorf("%d messages after a restart, want 2", len(got))
	}
}

// One request that the disk has no room for does not spoil those beside it.
func TestDiskFullForOneOfABatch(t *testing.T) {
	r := newRig(t)
	a, b := r.owner(), r.hire(matter.RoleMember)
	id := a.open()
	a.change(id, []*member{b}, nil)
	if err := r.LimitPages(1); err != nil {
		t.Fatal(err)
	}
	large := string(bytes.Repeat([]byte("x"), wire.MaxPayload))
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 20 {
			if _, err := b.Call(send(id, 1, 1, large)); hubtest.CodeOf(err) != wire.CodeFull {
				t.Errorf("large message: %v", err)
			}
		}
	})
	for i := range 20 {
		a.say(id, name(i))
	}
	wg.Wait()
	if got := len(payloads(a.log(id))); got != 20 {
		t.Errorf("%d messages, want 20", got)
	}
}
