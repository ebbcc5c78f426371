package hub_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"causa/hub"
	"causa/hub/db/postgres/pgtest"
	"causa/hub/hubtest"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// startNATS runs a NATS server; with a port, at that port again.
func startNATS(t *testing.T, port int) *server.Server {
	t.Helper()
	if port == 0 {
		port = server.RANDOM_PORT
	}
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("NATS does not start")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

// withEntries matches pushed pages of a matter that bring its entries, without it having
// to be asked.
func withEntries(id matter.ID) func(*pb.HubFrame) bool {
	return func(f *pb.HubFrame) bool { return isPage(id)(f) && len(f.GetMatterPage().GetEntries()) > 0 }
}

// Over NATS a hub's devices hear at once what came in at another; without it they hear
// somewhat later.
func TestBusOnPostgres(t *testing.T) {
	nats := startNATS(t, 0)
	p := newPair(t, pgtest.Start(t), func(o *hub.Options) { o.NATS = nats.ClientURL() })
	a, b, c := p.owner(), p.hire(matter.RoleMember), p.hire(matter.RoleMember)
	p.over(b)
	p.over(c)
	c.stock()
	id := a.open()
	a.change(id, []*member{b}, nil)
	must := func(m *member, what string, want func(*pb.HubFrame) bool) *pb.HubFrame {
		t.Helper()
		f, err := m.Push(want)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return f
	}
	a.say(id, "at once")
	for page := must(b, "a message", withEntries(id)).GetMatterPage(); len(payloads(page.GetEntries())) == 0; {
		page = must(b, "a message", withEntries(id)).GetMatterPage()
	}
	if _, err := p.company.Invite(matter.RoleMember, time.Hour); err != nil {
		t.Fatal(err)
	}
	must(c, "the organisation log", func(f *pb.HubFrame) bool { return len(f.GetLogPage().GetEntries()) > 0 })
	a.change(id, []*member{c}, nil)
	must(c, "a welcome", func(f *pb.HubFrame) bool { return f.GetWelcomes() != nil })

	// A newer connection anywhere ends the older one.
	old := a.Peer
	p.over(a)
	awaitEnd(t, old, wire.CodeReplaced)

	// Without NATS nothing is lost.
	port := nats.Addr().String()
	nats.Shutdown()
	nats.WaitForShutdown()
	b.connect() // at the first hub, while a is at the other
	a.counter = a.ready.GetLastCounter()
	a.say(id, "somewhat later")
	head := must(b, "news without NATS", isPage(id)).GetMatterPage().GetHead()
	if log := b.log(id); log[len(log)-1].GetSeq() != head || payloads(log)[1] != "somewhat later" {
		t.Errorf("b reads %q up to %d, head %d", payloads(log), log[len(log)-1].GetSeq(), head)
	}
	var number int
	if _, err := fmt.Sscanf(port, "127.0.0.1:%d", &number); err != nil {
		t.Fatal(err)
	}
	startNATS(t, number)
	for end := time.Now().Add(time.Minute); ; {
		a.say(id, "again")
		page := must(b, "a message over NATS that came back", isPage(id)).GetMatterPage()
		if len(page.GetEntries()) > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("news do not come over NATS again")
		}
	}
}

func TestNATSNeedsSharedDatabase(t *testing.T) {
	_, err := hub.Open(hub.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", NATS: "nats://127.0.0.1:4222"})
	worded(t, err, "NATS is for hubs that share a database")
}

// A talker sends without end, at whichever hub is there.
type talker struct {
	*hubtest.Device
	id    matter.ID
	hubs  []*victim
	at    int
	acked map[uint64]string // by sequence
	tries atomic.Int64
}

func (k *talker) talk(stop <-chan struct{}) {
	for {
		p, ready, err := k.ConnectAt(k.hubs[k.at].addr)
		if err == nil {
			k.send(p, ready.GetLastCounter(), stop)
			p.Close()
			<-p.Ended()
		}
		select {
		case <-stop:
			return
		default:
			k.at = (k.at + 1) % len(k.hubs)
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func (k *talker) send(p *hubtest.Peer, last uint64, stop <-chan struct{}) {
	for n := last + 1; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		text := fmt.Sprintf("%x %d", k.ID[:4], n)
		f, err := p.Call(send(k.id, n, 1, text))
		if err != nil {
			return
		}
		k.acked[f.GetAccepted().GetSeq()] = text
		k.tries.Add(1)
	}
}

// Three hubs, of which one is killed under load, and then NATS: nothing acknowledged is
// lost or there twice, and who listens at another hub is up to date within seconds.
func TestThreeHubsOnPostgres(t *testing.T) {
	pg, nats := pgtest.Start(t), startNATS(t, 0)
	url := pg.Database()
	hubs := make([]*victim, 3)
	for i := range hubs {
		hubs[i] = &victim{t: t, data: t.TempDir(), at: url, nats: nats.ClientURL()}
		if i > 0 {
			key, err := os.ReadFile(filepath.Join(hubs[0].data, "tls-key.pem"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(hubs[i].data, "tls-key.pem"), key, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		hubs[i].start()
		t.Cleanup(hubs[i].end)
	}
	company, _, err := hubtest.Found(hubs[0].addr, hubs[0].link)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, company: company}
	owner := r.owner()
	id := owner.open()
	var others []*member
	for range 4 {
		others = append(others, r.hire(matter.RoleMember))
	}
	owner.change(id, others, nil)
	listener := others[3]
	peer, _, err := listener.ConnectAt(hubs[2].addr)
	if err != nil {
		t.Fatal(err)
	}
	listener.Peer = peer
	t.Cleanup(func() { peer.Close(); <-peer.Ended() })

	stop := make(chan struct{})
	var wg sync.WaitGroup
	var talkers []*talker
	for i, m := range others[:3] {
		k := &talker{Device: m.Device, id: id, hubs: hubs, at: i, acked: map[uint64]string{}}
		talkers = append(talkers, k)
		wg.Go(func() { k.talk(stop) })
	}
	// until says when every talker has sent so many more.
	until := func(n int64) {
		t.Helper()
		for _, k := range talkers {
			want := k.tries.Load() + n
			for end := time.Now().Add(time.Minute); k.tries.Load() < want; time.Sleep(5 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("a device can't send any more")
				}
			}
		}
	}
	until(30)
	hubs[0].kill()
	until(30)
	nats.Shutdown()
	nats.WaitForShutdown()
	until(30)
	close(stop)
	wg.Wait()
	stopped := time.Now()

	log := listener.log(id)
	last := log[len(log)-1].GetSeq()
	seen := map[string]uint64{}
	for i, e := range log {
		if e.GetSeq() != log[0].GetSeq()+uint64(i) {
			t.Fatalf("entry %d is followed by %d", log[0].GetSeq()+uint64(i)-1, e.GetSeq())
		}
		if e.GetKind() != pb.EntryKind_ENTRY_KIND_CONTENT {
			continue
		}
		if before, twice := seen[string(e.GetPayload())]; twice {
			t.Errorf("%q is at %d and at %d", e.GetPayload(), before, e.GetSeq())
		}
		seen[string(e.GetPayload())] = e.GetSeq()
	}
	acked := 0
	for _, k := range talkers {
		for seq, text := range k.acked {
			acked++
			if seen[text] != seq {
				t.Errorf("%q was acknowledged at %d and is at %d", text, seq, seen[text])
			}
		}
	}
	// The hub that the listener is at tells it by itself, NATS or not.
	for head := uint64(0); head < last; {
		f, err := listener.Push(isPage(id))
		if err != nil {
			t.Fatal(err)
		}
		head = max(head, f.GetMatterPage().GetHead())
	}
	t.Logf("%d acknowledged; the listener knew of all of them %v after the last", acked, time.Since(stopped).Round(time.Millisecond))
	if late := time.Since(stopped); late > 20*time.Second {
		t.Errorf("the listener heard %v late", late)
	}
}
