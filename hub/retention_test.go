package hub_test

import (
	"slices"
	"testing"
	"time"

	"causa/hub"
	"causa/hub/hubtest"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// What is too old goes, in order; devices are told up to where, and all else goes on.
func TestRetention(t *testing.T) {
	r := newRig(t)
	a, b, c := r.owner(), r.hire(matter.RoleMember), r.hire(matter.RoleMember)
	id, other := a.open(), a.open()
	a.change(id, []*member{b}, nil)
	for i := range 600 { // more than goes in one step
		a.say(id, name(i))
	}
	a.change(id, []*member{c}, nil)
	a.change(id, nil, []*member{c}) // 603: c has seen 602 and 603
	head := a.say(id, "the last of the old").GetSeq()
	resend := send(id, a.counter, a.groups[id].Epoch(), "the last of the old")
	r.Stop()
	time.Sleep(2 * time.Millisecond)
	h := hubtest.Start(t, func(o *hub.Options) {
		o.Data, o.Database, o.Listen, o.Retention = r.Data(), r.Database(), r.Addr(), time.Millisecond
	})
	if err := h.Trim(); err != nil {
		t.Fatal(err)
	}
	a.connect()
	b.connect()
	c.connect()
	if page := a.must(pull(id, 0)).GetMatterPage(); page.GetTrimmed() != head || page.GetHead() != head || len(page.GetEntries()) > 0 {
		t.Errorf("page of a matter without entries: trimmed %d, head %d, %d entries", page.GetTrimmed(), page.GetHead(), len(page.GetEntries()))
	}
	if page := a.must(pull(id, head)).GetMatterPage(); page.GetTrimmed() != 0 {
		t.Errorf("one who has all is told of %d entries that are gone", page.GetTrimmed())
	}
	if page := c.must(pull(id, 0)).GetMatterPage(); page.GetTrimmed() != 603 || page.GetHead() != 603 || len(page.GetEntries()) > 0 {
		t.Errorf("page of one who was removed: %v", page)
	}
	sound(t, hub.Place{Data: r.Data(), Database: r.Database()})
	h.Stop()

	h = hubtest.Start(t, func(o *hub.Options) { o.Data, o.Database, o.Listen = r.Data(), r.Database(), r.Addr() })
	a.connect()
	b.connect()
	c.connect()
	if a.ready.GetLastCounter() != a.counter {
		t.Errorf("last counter %d, want %d", a.ready.GetLastCounter(), a.counter)
	}
	a.refused(wire.CodeCounterGap, resend) // taken, but from where nobody knows any more
	if seq := a.say(id, "new").GetSeq(); seq != head+1 {
		t.Errorf("the next entry is %d, want %d", seq, head+1)
	}
	page := b.must(pull(id, 10)).GetMatterPage()
	if page.GetTrimmed() != head || !slices.Equal(payloads(page.GetEntries()), []string{"new"}) {
		t.Errorf("page of one who was away: trimmed %d, %q", page.GetTrimmed(), payloads(page.GetEntries()))
	}
	a.change(id, []*member{c}, nil)
	if page := c.must(pull(id, 0)).GetMatterPage(); page.GetTrimmed() != 603 || len(page.GetEntries()) != 1 {
		t.Errorf("page of one who is back: trimmed %d, %d entries", page.GetTrimmed(), len(page.GetEntries()))
	}
	var stands []uint64
	for _, m := range c.must(heads()).GetHeads().GetHeads() {
		stands = append(stands, m.GetSeq())
	}
	if !slices.Equal(stands, []uint64{head + 2}) {
		t.Errorf("heads of one who is back: %v", stands)
	}
	if page := a.must(pull(other, 0)).GetMatterPage(); page.GetTrimmed() != 0 || page.GetHead() != 0 {
		t.Errorf("page of a matter in which nothing happened: %v", page)
	}
	a.change(other, []*member{b}, nil)
	sound(t, hub.Place{Data: r.Data(), Database: r.Database()})
	h.Stop()
}

// While old entries go, step by step, messages are taken.
func TestRetentionUnderLoad(t *testing.T) {
	r := newRig(t, func(o *hub.Options) { o.Retention, o.Metrics = 50*time.Millisecond, "127.0.0.1:0" })
	a := r.owner()
	id := a.open()
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			if err := r.Trim(); err != nil {
				stopped <- err
				return
			}
		}
	}()
	var last *pb.Accepted
	for i := range 300 {
		last = a.say(id, name(i))
		time.Sleep(time.Millisecond)
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	page := a.must(pull(id, 0)).GetMatterPage()
	if page.GetTrimmed() == 0 || page.GetHead() != last.GetSeq() || page.GetHead()-page.GetTrimmed() != uint64(len(page.GetEntries())) {
		t.Errorf("trimmed %d, head %d, %d entries", page.GetTrimmed(), page.GetHead(), len(page.GetEntries()))
	}
	if got := scrape(t, r.Hub)["causa_hub_trimmed_entries_total"]; got != float64(page.GetTrimmed()) {
		t.Errorf("metrics tell of %v entries that went, want %d", got, page.GetTrimmed())
	}
	sound(t, hub.Place{Data: r.Data(), Database: r.Database()})
}
