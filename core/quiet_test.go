package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"causa/core"
	"causa/dnd"
	"causa/matter"
)

// notices collects what a client's device shows.
type notices struct {
	mu  sync.Mutex
	all []core.Notice
}

func listen(t *testing.T, c *core.Client) *notices {
	n := &notices{}
	t.Cleanup(c.Subscribe(func(e core.Event) {
		if e, ok := e.(core.Notified); ok {
			n.mu.Lock()
			n.all = append(n.all, e.Notice)
			n.mu.Unlock()
		}
	}))
	return n
}

// texts is what the notices say, "digest 3/2" for a digest of three in two matters.
func (n *notices) texts() (out []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, x := range n.all {
		switch x.Kind {
		case core.NoticeDigest:
			out = append(out, fmt.Sprintf("digest %d/%d", x.Count, x.Matters))
		case core.NoticeUrgent:
			out = append(out, fmt.Sprintf("urgent %s %d", x.Message.Text, x.Ring))
		default:
			out = append(out, x.Message.Text)
		}
	}
	return out
}

// eventually waits until f is true.
func (co *company) eventually(what string, f func() bool) {
	co.t.Helper()
	for deadline := time.Now().Add(patience); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			co.t.Fatalf("never happened: %s", what)
		}
	}
}

func (co *company) quiet(c *core.Client, edit func(*dnd.Rules)) {
	co.t.Helper()
	err := c.EditQuiet(co.ctx(), func(q *core.Quiet) error {
		edit(&q.Rules)
		return nil
	})
	if err != nil {
		co.t.Fatal(err)
	}
}

func quietFor(d time.Duration) func(*dnd.Rules) {
	return func(r *dnd.Rules) {
		r.Manual = dnd.Manual{Kind: dnd.ManualQuiet, Until: time.Now().Add(d).Truncate(time.Second)}
	}
}

func notQuiet(r *dnd.Rules) { r.Manual = dnd.Manual{} }

// take takes a digest, as "title: text, !text".
func (co *company) take(c *core.Client) (out []string) {
	co.t.Helper()
	d, err := c.TakeDigest(co.ctx())
	if err != nil {
		co.t.Fatal(err)
	}
	n := 0
	for _, m := range d.Matters {
		var items []string
		for _, it := range m.Items {
			n++
			text := it.Message.Text
			if it.Urgent {
				text = "!" + text
			}
			items = append(items, text)
		}
		out = append(out, m.Title+": "+strings.Join(items, ", "))
	}
	if n != d.Items {
		co.t.Errorf("the digest counts %d items and lists %d", d.Items, n)
	}
	return out
}

// pair makes a company of Alice and Bob with a matter that Bob knows.
func pair(t *testing.T) (co *company, alice, bob *core.Client, id matter.ID) {
	t.Helper()
	co, alice = found(t)
	bob = co.invite(alice, "Bob")
	co.sync(alice)
	id = co.start(alice, "work", bob)
	co.knows(bob, id)
	return co, alice, bob, id
}

func (co *company) knows(c *core.Client, id matter.ID) {
	co.t.Helper()
	co.eventually("the matter arrives", func() bool {
		m, err := c.Matter(co.ctx(), id)
		return err == nil && m.Title != ""
	})
}

func (co *company) has(c *core.Client, id matter.ID, text string) {
	co.t.Helper()
	co.eventually(text+" arrives", func() bool {
		return slices.ContainsFunc(co.texts(c, id), func(s string) bool { return strings.HasSuffix(s, ": "+text) })
	})
}

// What comes while it is quiet interrupts nobody, and is listed once when it is over.
func TestQuietHoldsForTheDigest(t *testing.T) {
	co, alice, bob, work := pair(t)
	carol := co.invite(alice, "Carol")
	co.sync(alice, bob)
	lunch, vip := co.start(alice, "lunch", bob), co.start(carol, "press", bob)
	co.knows(bob, lunch)
	co.knows(bob, vip)
	got := listen(t, bob)
	co.quiet(bob, quietFor(time.Hour))
	co.quiet(bob, func(r *dnd.Rules) { r.VIPs = []matter.MemberID{carol.Me().Member.ID} })
	for i := range 3 {
		co.say(alice, work, fmt.Sprint("w", i))
	}
	co.say(alice, lunch, "noodles")
	co.say(carol, vip, "the press is here")
	co.has(bob, vip, "the press is here")
	co.has(bob, lunch, "noodles")
	co.has(bob, work, "w2")
	co.eventually("the VIP breaks through", func() bool { return slices.Equal(got.texts(), []string{"the press is here"}) })
	now, err := bob.QuietNow(co.ctx())
	if err != nil || !now.Quiet || now.Held != 4 || now.Due != 0 || now.Until.IsZero() {
		t.Errorf("QuietNow = %+v, %v; want 4 held", now, err)
	}
	if d := co.take(bob); d != nil {
		t.Errorf("the digest lists %q before quiet hours are over", d)
	}

	// What is read is not listed, and rules that end sooner release what they held.
	m, err := bob.Matter(co.ctx(), lunch)
	if err != nil {
		t.Fatal(err)
	}
	if err := bob.MarkRead(co.ctx(), lunch, m.Last.Seq); err != nil {
		t.Fatal(err)
	}
	co.quiet(bob, notQuiet)
	co.eventually("the digest is announced", func() bool {
		return slices.Equal(got.texts(), []string{"the press is here", "digest 3/1"})
	})
	if got, want := co.take(bob), []string{"work: w0, w1, w2"}; !slices.Equal(got, want) {
		t.Errorf("the digest lists %q, want %q", got, want)
	}
	if again := co.take(bob); again != nil {
		t.Errorf("the digest lists %q again", again)
	}
	co.say(alice, work, "loud again")
	co.eventually("a notification", func() bool {
		return slices.Equal(got.texts(), []string{"the press is here", "digest 3/1", "loud again"})
	})
}

// A window's end releases what it held, also when the device was off meanwhile, and tells
// of it once.
func TestDigestSurvivesRestart(t *testing.T) {
	co, alice, bob, work := pair(t)
	co.quiet(bob, quietFor(4*time.Second))
	until := time.Now().Add(4 * time.Second)
	co.say(alice, work, "held")
	co.has(bob, work, "held")
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	bob = co.open("Bob")
	if n, err := bob.QuietNow(co.ctx()); err != nil || n.Held != 1 || n.Due != 0 {
		t.Errorf("after a restart QuietNow = %+v, %v; want one held", n, err)
	}
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	co.say(alice, work, "while off")
	co.sync(alice)
	time.Sleep(time.Until(until))
	bob = co.open("Bob")
	got := listen(t, bob)
	co.has(bob, work, "while off")
	// Both were said while it was quiet: neither interrupts now, whenever they came here.
	co.eventually("the digest is announced", func() bool {
		n, err := bob.QuietNow(co.ctx())
		return err == nil && n.Due == 2
	})
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(got.texts(), "while off") {
		t.Errorf("notified of %q: it was said in quiet hours", got.texts())
	}
	bob = co.open("Bob")
	got = listen(t, bob)
	co.sync(bob)
	if got, want := co.take(bob), []string{"work: held, while off"}; !slices.Equal(got, want) {
		t.Errorf("the digest lists %q, want %q", got, want)
	}
	if n := got.texts(); n != nil {
		t.Errorf("announced again after a restart: %q", n)
	}
}

// phone makes a second device of Bob's and waits until both talk to each other.
func (co *company) phone(bob *core.Client) *core.Client {
	co.t.Helper()
	inv, err := bob.InviteDevice(co.ctx(), matter.MemberID{}, 0)
	if err != nil {
		co.t.Fatal(err)
	}
	phone, err := core.Join(co.ctx(), co.options("Bob's phone"), core.JoinRequest{Link: inv.Link, Device: "phone"})
	if err != nil {
		co.t.Fatal(err)
	}
	co.t.Cleanup(func() { _ = phone.Close() })
	co.eventually("the devices find each other", func() bool { return core.Personal(co.t, phone) == 1 && core.Personal(co.t, bob) == 1 })
	return phone
}

// All devices of a person agree: on the rules, on what is read and on what was listed.
func TestDevicesAgree(t *testing.T) {
	co, alice, bob, work := pair(t)
	co.quiet(bob, func(r *dnd.Rules) {
		r.Zone = "Asia/Shanghai"
		r.Windows = []dnd.Window{{Days: dnd.EveryDay, From: dnd.At(22, 0), To: dnd.At(8, 0)}}
	})
	phone := co.phone(bob)
	co.knows(phone, work)
	co.eventually("a new device learns the rules", func() bool { return len(phone.Quiet().Rules.Windows) == 1 })

	co.quiet(phone, func(r *dnd.Rules) { r.Windows = nil })
	co.quiet(phone, quietFor(time.Hour))
	co.eventually("the rules spread", func() bool {
		r := bob.Quiet().Rules
		return r.Windows == nil && r.Manual.Kind == dnd.ManualQuiet
	})
	co.say(alice, work, "one")
	co.say(alice, work, "two")
	for _, c := range []*core.Client{bob, phone} {
		co.has(c, work, "two")
		if n, err := c.QuietNow(co.ctx()); err != nil || n.Held != 2 {
			t.Errorf("QuietNow = %+v, %v; want two held", n, err)
		}
	}
	co.quiet(bob, notQuiet)
	due := func(c *core.Client, want int) func() bool {
		return func() bool {
			n, err := c.QuietNow(co.ctx())
			return err == nil && n.Due == want && n.Held == want
		}
	}
	co.eventually("both have the digest", due(phone, 2))
	if got, want := co.take(phone), []string{"work: one, two"}; !slices.Equal(got, want) {
		t.Errorf("the digest lists %q, want %q", got, want)
	}
	co.eventually("the other device hears of it", due(bob, 0))
	if again := co.take(bob); again != nil {
		t.Errorf("the other device lists %q again", again)
	}

	// Read here, read there; and a matter of devices only is shown nowhere.
	seen := make(chan core.Seen, 10)
	t.Cleanup(phone.Subscribe(func(e core.Event) {
		if s, ok := e.(core.Seen); ok {
			seen <- s
		}
	}))
	m, err := bob.Matter(co.ctx(), work)
	if err != nil {
		t.Fatal(err)
	}
	if err := bob.MarkRead(co.ctx(), work, m.Last.Seq); err != nil {
		t.Fatal(err)
	}
	select {
	case s := <-seen:
		if s != (core.Seen{Matter: work, Seq: m.Last.Seq}) {
			t.Errorf("the phone hears of %+v", s)
		}
	case <-time.After(patience):
		t.Fatal("the phone never hears that it was read")
	}
	if m, err = phone.Matter(co.ctx(), work); err != nil || m.Unread != 0 {
		t.Errorf("unread on the phone = %d, %v", m.Unread, err)
	}
	for _, c := range []*core.Client{bob, phone} {
		all, err := c.Matters(co.ctx())
		if err != nil || len(all) != 1 {
			t.Errorf("%d matters are listed, %v; want 1", len(all), err)
		}
	}
}

// Rules that can't hold are refused with words and change nothing.
func TestRefusedQuietHours(t *testing.T) {
	co, alice := found(t)
	for name, edit := range map[string]func(*dnd.Rules){
		"unknown zone": func(r *dnd.Rules) { r.Zone = "Mars/Olympus" },
		"ends when it begins": func(r *dnd.Rules) {
			r.Zone, r.Windows = "Asia/Shanghai", []dnd.Window{{Days: dnd.EveryDay, From: dnd.At(8, 0), To: dnd.At(8, 0)}}
		},
		"no such time": func(r *dnd.Rules) {
			r.Zone, r.Windows = "Asia/Shanghai", []dnd.Window{{Days: dnd.EveryDay, From: dnd.At(8, 0), To: dnd.At(25, 0)}}
		},
	} {
		err := alice.EditQuiet(co.ctx(), func(q *core.Quiet) error { edit(&q.Rules); return nil })
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if n, err := alice.QuietNow(co.ctx()); err != nil || n.Quiet || n.Problem != nil {
		t.Errorf("QuietNow = %+v, %v after refused rules", n, err)
	}
	// The whole week is allowed, and never notifies.
	co.quiet(alice, func(r *dnd.Rules) {
		r.Zone, r.Windows = "Asia/Shanghai", []dnd.Window{{Days: dnd.EveryDay, From: 0, To: dnd.At(24, 0)}}
	})
	if n, err := alice.QuietNow(co.ctx()); err != nil || !n.Quiet || !n.Until.IsZero() {
		t.Errorf("QuietNow = %+v, %v in a week that is all quiet", n, err)
	}
}

// A device whose clock is hours off goes by the hub's.
func TestHubTimeCorrects(t *testing.T) {
	co, alice := found(t)
	co.quiet(alice, quietFor(time.Hour))
	if n, err := alice.QuietNow(co.ctx()); err != nil || !n.Quiet {
		t.Errorf("QuietNow = %+v, %v", n, err)
	}
	core.ShiftClock(alice, 3*time.Hour)
	if n, err := alice.QuietNow(co.ctx()); err != nil || n.Quiet {
		t.Errorf("QuietNow = %+v, %v when the hub says that it is three hours later", n, err)
	}
}

func TestUrgent(t *testing.T) {
	co, alice, bob, work := pair(t)
	got := listen(t, bob)
	co.quiet(bob, quietFor(time.Hour))
	m, err := alice.SendUrgent(co.ctx(), work, "the line stands still", "production stop")
	if err != nil {
		t.Fatal(err)
	}
	co.eventually("it breaks through", func() bool { return slices.Equal(got.texts(), []string{"urgent the line stands still 0"}) })
	state := func(c *core.Client, acked, waiting int, mine bool) func() bool {
		return func() bool {
			all, err := c.Urgent(co.ctx(), work)
			return err == nil && len(all) > 0 && all[0].Message == m.ID && len(all[0].Acknowledged) == acked &&
				len(all[0].Waiting) == waiting && all[0].Mine == mine
		}
	}
	co.eventually("Bob has to acknowledge it", state(bob, 0, 1, true))
	core.Hasten(t, bob, 5*time.Minute)
	co.eventually("Bob is reminded", func() bool { return slices.Contains(got.texts(), "urgent the line stands still 1") })

	if err := alice.Acknowledge(co.ctx(), work, m.ID); err == nil {
		t.Error("Alice could acknowledge what she has sent herself")
	}
	if err := bob.Acknowledge(co.ctx(), work, m.ID); err != nil {
		t.Fatal(err)
	}
	co.eventually("Alice sees it", state(alice, 1, 0, false))
	core.Hasten(t, bob, 5*time.Minute)
	time.Sleep(100 * time.Millisecond)
	if n := len(got.texts()); n != 2 {
		t.Errorf("after the acknowledgement there are %d notices, want 2: %q", n, got.texts())
	}

	// The budget: two in a day. A third one is refused here, and an ordinary message to
	// everybody when it is sent all the same.
	if _, err := alice.SendUrgent(co.ctx(), work, "again", "production stop"); err != nil {
		t.Fatal(err)
	}
	if left, of, err := alice.UrgentLeft(co.ctx()); err != nil || left != 0 || of != 2 {
		t.Errorf("UrgentLeft = %d of %d, %v", left, of, err)
	}
	if _, err := alice.SendUrgent(co.ctx(), work, "and again", "production stop"); err == nil {
		t.Error("a third urgent message was accepted")
	}
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	co.policy(alice, "urgent.budget", "3") // the hub lets one more pass, and Bob knows better by the time he reads it
	if _, err := alice.SendUrgent(co.ctx(), work, "flood", "no reason"); err != nil {
		t.Fatal(err)
	}
	co.sync(alice)
	co.policy(alice, "urgent.budget", "2")
	bob = co.open("Bob")
	got = listen(t, bob)
	co.has(bob, work, "flood")
	if n, err := bob.QuietNow(co.ctx()); err != nil || n.Held != 1 {
		t.Errorf("QuietNow = %+v, %v; want the third one held", n, err)
	}
	if slices.Contains(got.texts(), "urgent flood 0") {
		t.Error("a third urgent message broke through")
	}
	for _, reason := range []string{"", "two\nlines", strings.Repeat("x", 300)} {
		if _, err := bob.SendUrgent(co.ctx(), work, "text", reason); err == nil {
			t.Errorf("an urgent message with the reason %q was accepted", reason)
		}
	}
}

// Nobody is reminded more than six times, also after a long sleep.
func TestRemindersEnd(t *testing.T) {
	co, alice, bob, work := pair(t)
	got := listen(t, bob)
	if _, err := alice.SendUrgent(co.ctx(), work, "fire", "fire drill"); err != nil {
		t.Fatal(err)
	}
	co.eventually("it comes", func() bool { return len(got.texts()) == 1 })
	for range 6 {
		before := len(got.texts())
		core.Hasten(t, bob, 5*time.Minute)
		co.eventually("a reminder", func() bool { return len(got.texts()) > before })
	}
	core.Hasten(t, bob, time.Hour)
	time.Sleep(100 * time.Millisecond)
	if all := got.texts(); len(all) != 7 || all[6] != "urgent fire 6" {
		t.Errorf("notices %q, want the message and six reminders", all)
	}
}

func TestGuestsAreNotUrgent(t *testing.T) {
	co, alice := found(t)
	inv, err := alice.Invite(co.ctx(), core.InviteRequest{Name: "Gwen", Role: matter.RoleGuest})
	if err != nil {
		t.Fatal(err)
	}
	gwen := co.join(inv.Link, "Gwen")
	co.sync(alice)
	work := co.start(alice, "work", gwen)
	co.knows(gwen, work)
	if _, err := gwen.SendUrgent(co.ctx(), work, "listen", "because"); err == nil {
		t.Error("a guest sent an urgent message")
	}
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	if err := alice.AddParticipants(co.ctx(), work, []matter.MemberID{bob.Me().Member.ID}); err != nil {
		t.Fatal(err)
	}
	co.knows(bob, work)
	co.quiet(bob, quietFor(time.Hour))
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	co.policy(alice, "urgent.guests", "yes")
	co.sync(gwen)
	if _, err := gwen.SendUrgent(co.ctx(), work, "listen", "because"); err != nil {
		t.Fatal(err)
	}
	co.sync(gwen)
	co.policy(alice, "urgent.guests", "")
	bob = co.open("Bob")
	got := listen(t, bob)
	co.has(bob, work, "listen")
	if n := got.texts(); n != nil {
		t.Errorf("a guest's urgent message broke through: %q", n)
	}
}

func (co *company) policy(by *core.Client, name, value string) {
	co.t.Helper()
	if err := by.SetPolicy(co.ctx(), name, value); err != nil {
		co.t.Fatal(err)
	}
}

func TestSchedule(t *testing.T) {
	co, alice, bob, work := pair(t)
	at := time.Now().Add(2500 * time.Millisecond)
	m, err := alice.Schedule(co.ctx(), work, "later", at.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if m.Delivery != matter.DeliveryScheduled {
		t.Errorf("delivery = %d", m.Delivery)
	}
	dropped, err := alice.Schedule(co.ctx(), work, "never mind", at)
	if err != nil {
		t.Fatal(err)
	}
	co.sync(alice) // does not wait for what is scheduled
	if err := alice.Reschedule(co.ctx(), m.ID, "now", at); err != nil {
		t.Fatal(err)
	}
	if err := alice.Unschedule(co.ctx(), dropped.ID); err != nil {
		t.Fatal(err)
	}
	if err := alice.Unschedule(co.ctx(), dropped.ID); err == nil {
		t.Error("a message was taken back twice")
	}
	for _, at := range []time.Time{time.Now().Add(-time.Second), time.Now().Add(400 * 24 * time.Hour), {}} {
		if _, err := alice.Schedule(co.ctx(), work, "text", at); err == nil {
			t.Errorf("scheduled for %v", at)
		}
	}
	if err := alice.Close(); err != nil {
		t.Fatal(err)
	}
	alice = co.open("Alice")
	all, err := alice.Scheduled(co.ctx())
	if err != nil || len(all) != 1 || all[0].Text != "now" {
		t.Fatalf("scheduled after a restart: %+v, %v", all, err)
	}
	co.sync(bob)
	if slices.Contains(co.texts(bob, work), "Alice: now") {
		t.Error("sent too early")
	}
	co.has(bob, work, "now")
	if time.Now().Before(at) {
		t.Error("sent too early")
	}
	if slices.Contains(co.texts(bob, work), "Alice: never mind") {
		t.Error("a message that was taken back was sent")
	}
	if _, err := alice.Schedule(context.Background(), matter.ID{}, "text", time.Now().Add(time.Hour)); err == nil || errors.Is(err, core.ErrOffline) {
		t.Errorf("scheduled in no matter: %v", err)
	}
}
