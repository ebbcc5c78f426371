package hub_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

func TestMessagesReachEverybodyInOneOrder(t *testing.T) {
	r := newRig(t)
	a, b, c := r.owner(), r.hire(matter.RoleMember), r.hire(matter.RoleGuest)
	id := a.open()
	a.change(id, []*member{b, c}, nil)
	a.say(id, "one")
	b.say(id, "two")
	c.say(id, "three")
	want := []string{"one", "two", "three"}
	for _, m := range []*member{a, b, c} {
		entries := m.log(id)
		if diff := cmp.Diff(want, payloads(entries)); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
		for i, e := range entries {
			if e.GetSeq() != uint64(i+1) {
				t.Errorf("entry %d has seq %d", i, e.GetSeq())
			}
		}
	}
	// The same three were pushed to everybody, senders included.
	for _, m := range []*member{a, b, c} {
		var got []string
		for len(got) < 3 {
			f, err := m.Push(isPage(id))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, payloads(f.GetMatterPage().GetEntries())...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pushed (-want +got):\n%s", diff)
		}
	}
	head := a.must(heads()).GetHeads().GetHeads()
	if len(head) != 1 || head[0].GetSeq() != 4 || head[0].GetEpoch() != 1 {
		t.Errorf("heads = %v", head)
	}
}

func TestCounters(t *testing.T) {
	r := newRig(t)
	a := r.owner()
	id := a.open()
	first := a.must(send(id, 1, 0, "one")).GetAccepted()
	again := a.must(send(id, 1, 0, "one")).GetAccepted()
	if first.GetSeq() != again.GetSeq() || first.GetTimeMs() != again.GetTimeMs() {
		t.Errorf("a resend was answered %v, first %v", again, first)
	}
	if f := a.refused(wire.CodeCounterGap, send(id, 3, 0, "three")); f.GetWant() != 1 {
		t.Errorf("gap wants %d, want 1", f.GetWant())
	}
	if f := a.refused(wire.CodeEpochStale, send(id, 2, 7, "two")); f.GetEpoch() != 0 || f.GetHead() != 1 {
		t.Errorf("stale epoch: %v", f)
	}
	a.must(send(id, 2, 0, "two")) // the refused ones took no counter
	r.Restart()
	a.connect()
	if a.ready.GetLastCounter() != 2 {
		t.Errorf("last counter after a restart = %d, want 2", a.ready.GetLastCounter())
	}
	again = a.must(send(id, 1, 0, "one")).GetAccepted()
	if first.GetSeq() != again.GetSeq() || first.GetTimeMs() != again.GetTimeMs() {
		t.Errorf("a resend after a restart was answered %v, first %v", again, first)
	}
	other := a.open()
	a.refused(wire.CodeCounterGap, send(other, 1, 0, "one")) // counter 1 went elsewhere
	if got := payloads(a.log(id)); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("log = %q", got)
	}
}

func TestRemovedDeviceReadsNothingMore(t *testing.T) {
	r := newRig(t)
	a, b := r.owner(), r.hire(matter.RoleMember)
	id := a.open()
	a.say(id, "before b")
	added := a.change(id, []*member{b}, nil)
	a.say(id, "with b")
	removed := a.change(id, nil, []*member{b})
	a.say(id, "after b")

	entries := b.log(id)
	if got := payloads(entries); !slices.Equal(got, []string{"with b"}) {
		t.Errorf("b reads %q", got)
	}
	if first, last := entries[0].GetSeq(), entries[len(entries)-1].GetSeq(); first != added.GetSeq() || last != removed.GetSeq() {
		t.Errorf("b sees entries %d to %d, want %d to %d", first, last, added.GetSeq(), removed.GetSeq())
	}
	page := b.must(pull(id, removed.GetSeq())).GetMatterPage()
	if len(page.GetEntries()) != 0 || page.GetHead() != removed.GetSeq() {
		t.Errorf("b sees a head of %d with %d entries after its removal", page.GetHead(), len(page.GetEntries()))
	}
	if h := b.must(heads()).GetHeads().GetHeads(); len(h) != 1 || h[0].GetSeq() != removed.GetSeq() {
		t.Errorf("b's heads = %v", h)
	}
	b.refused(wire.CodeNoMatter, send(id, 1, 2, "let me in"))
	b.refused(wire.CodeNoMatter, pullGroupInfo(id))
	// Pushed, too: up to the removal and no further.
	var got []string
	for last := uint64(0); last < removed.GetSeq(); {
		f, err := b.Push(isPage(id))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, payloads(f.GetMatterPage().GetEntries())...)
		last = f.GetMatterPage().GetHead()
	}
	b.must(heads()) // everything pushed before this answer has arrived
	if f, ok := b.Pushed(isPage(id)); ok {
		t.Errorf("b was pushed %v after its removal", f)
	}
	if !slices.Equal(got, []string{"with b"}) {
		t.Errorf("b was pushed %q", got)
	}

	// Taken back, it reads on from there.
	a.change(id, []*member{b}, nil)
	a.say(id, "b is back")
	if got := payloads(b.log(id)); !slices.Equal(got, []string{"with b", "b is back"}) {
		t.Errorf("b reads %q", got)
	}
}

func TestStrangersToAMatter(t *testing.T) {
	r := newRig(t)
	a, b := r.owner(), r.hire(matter.RoleMember)
	id := a.open()
	a.say(id, "one")
	b.refused(wire.CodeNoMatter, pull(id, 0))
	b.refused(wire.CodeNoMatter, send(id, 1, 0, "hello"))
	b.refused(wire.CodeNoMatter, pullGroupInfo(id))
	b.refused(wire.CodeNoMatter, pull(matter.NewID(), 0))
	_, bundle := a.bundle(id, []*member{b}, nil)
	b.refused(wire.CodeNoMatter, commit(bundle)) // a's commit, handed over by b
	if h := b.must(heads()).GetHeads().GetHeads(); len(h) != 0 {
		t.Errorf("b's heads = %v", h)
	}
	if w := b.must(take()).GetWelcomes().GetItems(); len(w) != 0 {
		t.Errorf("b has %d welcomes of a refused commit", len(w))
	}
}

func TestCreateMatter(t *testing.T) {
	r := newRig(t)
	a, guest := r.owner(), r.hire(matter.RoleGuest)
	id := matter.NewID()
	_, info := a.group(id)
	a.refused(wire.CodeCommitRefused, create(matter.NewID(), info)) // the group is another's
	a.must(create(id, info))
	a.must(create(id, info)) // the answer was lost
	_, other := a.group(id)
	a.refused(wire.CodeMatterExists, create(id, other))
	b := r.hire(matter.RoleMember)
	b.refused(wire.CodeCommitRefused, create(id, info)) // a's leaf
	_, mine := b.group(id)
	b.refused(wire.CodeMatterExists, create(id, mine))
	gid := matter.NewID()
	_, ginfo := guest.group(gid)
	guest.refused(wire.CodeNotAllowed, create(gid, ginfo))
	a.refused(wire.CodeCommitRefused, create(gid, []byte("nonsense")))
}

func TestWelcomesWaitUntilDropped(t *testing.T) {
	r := newRig(t)
	a, b := r.owner(), r.hire(matter.RoleMember)
	b.stock()
	b.stock()
	b.Close()
	<-b.Ended()
	first, second := a.open(), a.open()
	for _, id := range []matter.ID{first, second} {
		p, bundle := a.bundleOf(id, a.must(claim(b.ID)).GetKeyPackages().GetClaimed())
		a.must(commit(bundle))
		a.groups[id] = p.Group()
	}
	b.connect()
	if b.ready.GetWelcomes() != 2 || stockOf(b.ready.GetKeyPackages()) != 0 {
		t.Errorf("ready = %v, want 2 welcomes and no key packages", b.ready)
	}
	items := b.must(take()).GetWelcomes().GetItems()
	if len(items) != 2 || matter.ID(items[0].GetMatter()) != first || items[0].GetSeq() != 1 || matter.DeviceID(items[0].GetSender()) != a.ID {
		t.Fatalf("welcomes = %v", items)
	}
	a.must(drop(items[0].GetId())) // not a's to drop
	r.Restart()
	a.connect()
	b.connect()
	b.join(first)
	b.join(second)
	if items := b.must(take()).GetWelcomes().GetItems(); len(items) != 0 {
		t.Errorf("%d welcomes after all were dropped", len(items))
	}
	c := r.hire(matter.RoleMember)
	p, bundle := a.bundle(first, []*member{c}, nil)
	a.must(commit(bundle))
	a.groups[first] = p.Group()
	f, err := c.Push(func(f *pb.HubFrame) bool { return f.GetWelcomes() != nil })
	if err != nil || len(f.GetWelcomes().GetItems()) != 1 {
		t.Fatalf("pushed welcome: %v, %v", f, err)
	}
}
