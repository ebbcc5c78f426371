package core_test

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causa/core"
	"causa/hub/hubtest"
	"causa/matter"
	"causa/orglog"
)

var convergeRuns = flag.Int("converge.runs", 3, "random histories in TestConverge")

// TestConverge has three people change a matter's life at random, each with the app open
// (online) or closed while the others go on. Whatever they wrote when, in the end all see
// the same matter and the same lines.
func TestConverge(t *testing.T) {
	for i := range *convergeRuns {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			seed := time.Now().UnixNano() + int64(i)
			t.Logf("seed %d", seed)
			rnd := rand.New(rand.NewPCG(uint64(seed), 1))
			steps := make([]step, 60)
			for i := range steps {
				steps[i] = step{rnd.IntN(3), doings[rnd.IntN(len(doings))], rnd.IntN(4)}
			}
			converge(t, steps)
		})
	}
}

// A step is something that one of the three does.
type step struct {
	who, what, pick int
}

// doings are what steps do; what is listed twice comes twice as often.
var doings = []int{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 7, 8, 8, 8, 9, 9, 10, 11, 11, 11, 11, 12, 13, 13, 14, 14, 15, 15, 15, 15}

func converge(t *testing.T, steps []step) {
	co := &company{t: t, hub: hubtest.Start(t), dir: t.TempDir()}
	names := []string{"Alice", "Bob", "Carol"}
	cables := []*cable{newCable(t), newCable(t), newCable(t)}
	alice := co.join(cables[0].through(co.hub.Founding()), "Alice")
	people := []*core.Client{alice}
	for i, name := range names[1:] {
		inv, err := alice.Invite(co.ctx(), core.InviteRequest{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		people = append(people, co.join(cables[i+1].through(inv.Link), name))
	}
	var ids []matter.MemberID
	for _, p := range people {
		ids = append(ids, p.Me().Member.ID)
	}
	id := co.start(alice, "work", people[1], people[2])
	for i := range people {
		for m, err := people[i].Matter(co.ctx(), id); err != nil || m.Title == ""; m, err = people[i].Matter(co.ctx(), id) {
			co.sync(people[i])
		}
	}
	for _, s := range steps {
		if s.what == 15 {
			cables[s.who].plug(s.pick > 1)
			continue
		}
		_ = act(co, people[s.who], id, ids, s) // what the app refuses is as good as what has no effect
	}
	for _, c := range cables {
		c.plug(true)
	}
	for range 3 {
		co.sync(people...)
	}
	want := standingOf(co, people[0], id)
	t.Logf("%d lines", len(want.Thread))
	for i, p := range people[1:] {
		if d := cmp.Diff(want, standingOf(co, p, id)); d != "" {
			t.Errorf("%s differs from Alice (-Alice +%s):\n%s", names[i+1], names[i+1], d)
		}
	}
}

// A cable leads to the hub, and can be pulled out.
type cable struct {
	t  *testing.T
	to string

	mu    sync.Mutex // guards what follows
	out   bool
	conns map[net.Conn]bool
}

func newCable(t *testing.T) *cable { return &cable{t: t, conns: map[net.Conn]bool{}} }

// through has an invite lead through the cable.
func (c *cable) through(link string) string {
	c.t.Helper()
	inv, err := orglog.ParseInvite(link)
	if err != nil {
		c.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	c.to, inv.Hub = inv.Hub, l.Addr().String()
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { c.carry(conn) })
		}
	})
	c.t.Cleanup(func() {
		_ = l.Close()
		c.plug(false)
		all.Wait()
	})
	return inv.Link()
}

// carry passes on what goes either way until one end hangs up.
func (c *cable) carry(near net.Conn) {
	far, err := net.Dial("tcp", c.to)
	if err != nil {
		_ = near.Close()
		return
	}
	c.mu.Lock()
	c.conns[near], c.conns[far] = true, true
	if c.out {
		_, _ = near.Close(), far.Close()
	}
	c.mu.Unlock()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_, _ = near.Close(), far.Close()
		})
	}
	both.Wait()
}

// plug puts the cable in, or pulls it out.
func (c *cable) plug(in bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = !in
	if c.out {
		for conn := range c.conns {
			_ = conn.Close()
			delete(c.conns, conn)
		}
	}
}

// act does one step.
func act(co *company, c *core.Client, id matter.ID, ids []matter.MemberID, s step) error {
	ctx := co.ctx()
	text := fmt.Sprintf("%d-%d", s.who, s.pick)
	var err error
	switch s.what {
	case 0:
		_, err = c.SetTitle(ctx, id, text)
	case 1:
		_, err = c.Label(ctx, id, "label"+fmt.Sprint(s.pick), true)
	case 2:
		_, err = c.Label(ctx, id, "label"+fmt.Sprint(s.pick), false)
	case 3:
		_, err = c.Wait(ctx, id, matter.Waiting{On: ids[s.pick%3], Why: text})
	case 4:
		_, err = c.Resume(ctx, id)
	case 5:
		_, err = c.HandOver(ctx, id, ids[s.pick%3])
	case 6:
		_, err = c.Conclude(ctx, id, core.Conclusion{Decision: text})
	case 7:
		_, err = c.Conclude(ctx, id, core.Conclusion{Decision: text, Cosigners: []matter.MemberID{ids[s.pick%3], ids[(s.pick+1)%3]}})
	case 8, 9:
		_, err = c.Cosign(ctx, id)
	case 10:
		_, err = c.DeclineToSign(ctx, id, text)
	case 11:
		_, err = c.Reopen(ctx, id, text)
	case 12:
		_, err = c.Archive(ctx, id)
	case 13:
		_, err = c.SetDue(ctx, id, time.UnixMilli(int64(1_800_000_000_000+s.pick)))
	case 14:
		_, err = c.Send(ctx, id, text)
	}
	return err
}

// A standing is all that everybody must agree about.
type standing struct {
	Matter matter.Matter
	Thread []matter.Message
}

func standingOf(co *company, c *core.Client, id matter.ID) standing {
	co.t.Helper()
	m, err := c.Matter(co.ctx(), id)
	if err != nil {
		co.t.Fatal(err)
	}
	if n := c.Status().Queued; n != 0 {
		co.t.Fatalf("%d messages of %s still wait", n, c.Me().Member.Name)
	}
	m.Unread, m.Last, m.Active = 0, nil, time.Time{}
	ms, err := c.Messages(co.ctx(), id, core.Page{Limit: 1000})
	if err != nil {
		co.t.Fatal(err)
	}
	var thread []matter.Message
	for _, x := range ms {
		if x.Delivery == matter.DeliverySent && x.Kind != matter.KindOpened {
			thread = append(thread, x)
		}
	}
	return standing{m, thread}
}
