package hub_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"causa/crypto/mls"
	"causa/hub/hubtest"
	"causa/matter"
	"causa/wire/pb"
)

// crowd makes a matter of so many devices, all added at once, with the keys of the
// suite that new matters have. It returns the matter, some of the devices added and
// the bundle.
func (r *rig) crowd(by *member, n int) (id matter.ID, some []*member, b *pb.CommitBundle) {
	r.t.Helper()
	id = matter.NewID()
	g, err := mls.Create(mls.Hybrid, id[:], by.ID[:], by.Key, mls.GroupOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	info, err := g.GroupInfo()
	if err != nil {
		r.t.Fatal(err)
	}
	by.must(create(id, info))
	by.groups[id] = g
	var claimed []*pb.KeyPackages_Claimed
	for i := 1; i < n; i++ {
		d, err := r.company.Hire(matter.RoleMember)
		if err != nil {
			r.t.Fatal(err)
		}
		kp, secrets, err := mls.NewKeyPackage(mls.Hybrid, d.ID[:], d.Key, mls.KeyPackageOptions{})
		if err != nil {
			r.t.Fatal(err)
		}
		claimed = append(claimed, &pb.KeyPackages_Claimed{Device: d.ID[:], KeyPackage: kp.Bytes()})
		if len(some) < 32 {
			m := r.member(d)
			m.secrets[string(kp.Ref())] = secrets
			some = append(some, m)
		}
	}
	pending, b := by.bundleOf(id, claimed)
	by.must(commit(b))
	by.groups[id] = pending.Group()
	return id, some, b
}

// A matter of a thousand devices works, and no number of slow ones takes the memory of
// the hub.
func TestLargeMatter(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute: it enrols a thousand devices")
	}
	n := 1000
	if raceEnabled {
		n = 600 // the first limit was met at about 450
	}
	r := newRig(t)
	a := r.owner()
	began := time.Now()
	id, some, b := r.crowd(a, n)
	t.Logf("%d devices after %v: commit %d, welcome %d, group info %d bytes", n, time.Since(began).Round(time.Second),
		len(b.GetCommit()), len(b.GetWelcome()), len(b.GetGroupInfo()))
	if len(b.GetCommit()) < n*2600 {
		t.Errorf("the commit has %d bytes: the test does not test what it should", len(b.GetCommit()))
	}
	first := some[0]
	first.join(id)
	if got := first.log(id); len(got) != 1 || !bytes.Equal(got[0].GetPayload(), b.GetCommit()) {
		t.Errorf("the log of one who was added has %d entries, or another commit", len(got))
	}
	if got := a.must(pullGroupInfo(id)).GetGroupInfo(); !bytes.Equal(got.GetGroupInfo(), b.GetGroupInfo()) {
		t.Error("another group info than the one handed over")
	}
	first.say(id, "from one of a thousand")
	p, err := first.groups[id].Commit(mls.CommitRequest{ForcePath: true})
	if err != nil {
		t.Fatal(err)
	}
	a.must(pull(id, 0))
	first.must(commit(&pb.CommitBundle{Matter: id[:], Epoch: 1, Commit: p.Commit(), GroupInfo: p.GroupInfo()}))
	first.groups[id] = p.Group()
	t.Run("slow readers", func(t *testing.T) { slowReaders(t, r, id, some, len(b.GetCommit())) })
	t.Run("slow writers", func(t *testing.T) { slowWriters(t, r, first, id, some) })
}

// slowReaders has many devices ask for megabytes that they don't read.
func slowReaders(t *testing.T, r *rig, id matter.ID, some []*member, size int) {
	var answers sync.WaitGroup
	goOn := sync.OnceFunc(func() {
		for _, m := range some {
			m.Resume()
		}
		answers.Wait()
	})
	defer goOn()
	for _, m := range some {
		m.Pause()
		var waiting []<-chan *pb.HubFrame
		for range 2 + 12<<20/size { // more than both sockets' buffers take, which grow to 10 MB
			c, err := m.Go(pull(id, 0))
			if err != nil {
				t.Fatal(err)
			}
			waiting = append(waiting, c)
		}
		answers.Go(func() {
			for _, c := range waiting {
				if f, err := m.Await(c); err != nil || len(f.GetMatterPage().GetEntries()) == 0 {
					t.Errorf("pull: %v", err)
				}
			}
		})
	}
	most := 0
	full := 24 * size
	for late := time.Now().Add(3 * time.Minute); r.Queued() < full; { // until the sockets' own buffers are
		if time.Now().After(late) {
			t.Fatalf("%d bytes wait for slow readers, want 24 answers of %d", r.Queued(), size)
		}
		time.Sleep(5 * time.Millisecond)
	}
	for range 20 {
		most = max(most, r.Queued())
		time.Sleep(10 * time.Millisecond)
	}
	if most > full+full/100 {
		t.Errorf("%d bytes wait for slow readers, want at most 24 answers of %d", most, size)
	}
	t.Logf("at most %d bytes waited for %d slow readers", most, len(some))
	r.hire(matter.RoleMember).must(heads()) // everything else goes on
	goOn()
}

// slowWriters has many devices begin large requests that they don't end.
func slowWriters(t *testing.T, r *rig, by *member, id matter.ID, some []*member) {
	var slow []*hubtest.Peer
	for _, m := range some[1:9] {
		w, err := m.Writer()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, m.Peer)
	}
	for r.LargeRequests() < len(slow) {
		time.Sleep(time.Millisecond)
	}
	p, err := by.groups[id].Commit(mls.CommitRequest{ForcePath: true})
	if err != nil {
		t.Fatal(err)
	}
	large, err := by.Go(commit(&pb.CommitBundle{Matter: id[:], Epoch: 2, Commit: p.Commit(), GroupInfo: p.GroupInfo()}))
	if err != nil {
		t.Fatal(err)
	}
	some[20].must(heads()) // everything else goes on
	select {
	case <-large:
		t.Error("a ninth large request was taken")
	default:
	}
	slow[3].Close()
	if f, err := by.Await(large); err != nil || f.GetAccepted() == nil {
		t.Errorf("when there is room again: %v, %v", f, err)
	}
}
