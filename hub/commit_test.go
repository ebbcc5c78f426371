package hub_test

import (
	"bytes"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"causa/crypto/mls"
	"causa/hub/hubtest"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

func TestCommitBundles(t *testing.T) {
	r := newRig(t)
	a, b, c := r.owner(), r.hire(matter.RoleMember), r.hire(matter.RoleMember)
	id := a.open()
	a.change(id, []*member{b}, nil)

	// Two at once: one wins, the other is told where the matter stands.
	_, losing := b.bundle(id, []*member{c}, nil)
	winning, bundle := a.bundle(id, nil, nil)
	first := a.must(commit(bundle)).GetAccepted()
	a.groups[id] = winning.Group()
	if f := b.refused(wire.CodeEpochConflict, commit(losing)); f.GetEpoch() != 2 || f.GetHead() != first.GetSeq() {
		t.Errorf("conflict: %v", f)
	}
	if items := c.must(take()).GetWelcomes().GetItems(); len(items) != 0 {
		t.Error("a refused bundle left its welcome")
	}
	// A repeat is known again, also after a restart; a changed one is not.
	if again := a.must(commit(bundle)).GetAccepted(); again.GetSeq() != first.GetSeq() || again.GetTimeMs() != first.GetTimeMs() {
		t.Errorf("repeat: %v, first %v", again, first)
	}
	b.refused(wire.CodeEpochConflict, commit(bundle)) // not b's
	r.Restart()
	a.connect()
	b.connect()
	c.connect()
	if again := a.must(commit(bundle)).GetAccepted(); again.GetSeq() != first.GetSeq() {
		t.Errorf("repeat after a restart: %v, first %v", again, first)
	}
	changed, _ := proto.Clone(bundle).(*pb.CommitBundle)
	changed.GroupInfo = bytes.Clone(changed.GetGroupInfo())
	changed.GroupInfo[len(changed.GroupInfo)-1] ^= 1
	a.refused(wire.CodeEpochConflict, commit(changed))

	b.process(id)
	b.change(id, []*member{c}, nil)
	c.say(id, "all well")
	a.process(id)
	a.say(id, "indeed")
	if got := payloads(b.log(id)); !slices.Equal(got, []string{"all well", "indeed"}) {
		t.Errorf("log = %q", got)
	}
}

func TestCommitsRefused(t *testing.T) {
	r := newRig(t)
	a, b, c := r.owner(), r.hire(matter.RoleMember), r.hire(matter.RoleMember)
	id := a.open()
	a.change(id, []*member{b}, nil)
	other := a.open()
	_, elsewhere := a.bundle(other, nil, nil)
	spoil := func(change func(bundle *pb.CommitBundle)) *pb.ClientFrame {
		_, bundle := a.bundle(id, []*member{c}, nil)
		change(bundle)
		return commit(bundle)
	}
	flip := func(b []byte) []byte { b = bytes.Clone(b); b[len(b)/2] ^= 1; return b }
	tests := []struct {
		name string
		by   *member
		f    *pb.ClientFrame
		want wire.Code
	}{
		{"damaged commit", a, spoil(func(m *pb.CommitBundle) { m.Commit = flip(m.GetCommit()) }), wire.CodeCommitRefused},
		{"damaged group info", a, spoil(func(m *pb.CommitBundle) { m.GroupInfo = flip(m.GetGroupInfo()) }), wire.CodeCommitRefused},
		{"another matter's commit", a, spoil(func(m *pb.CommitBundle) { m.Commit, m.GroupInfo = elsewhere.GetCommit(), elsewhere.GetGroupInfo() }), wire.CodeCommitRefused},
		{"another matter's group info", a, spoil(func(m *pb.CommitBundle) { m.GroupInfo = elsewhere.GetGroupInfo() }), wire.CodeCommitRefused},
		{"no welcome for the one added", a, spoil(func(m *pb.CommitBundle) { m.Welcome, m.WelcomeDevices = nil, nil }), wire.CodeCommitRefused},
		{"welcome for another", a, spoil(func(m *pb.CommitBundle) { m.WelcomeDevices = [][]byte{b.ID[:]} }), wire.CodeCommitRefused},
		{"welcome for one more", a, spoil(func(m *pb.CommitBundle) { m.WelcomeDevices = append(m.GetWelcomeDevices(), b.ID[:]) }), wire.CodeCommitRefused},
		{"welcomed twice", a, spoil(func(m *pb.CommitBundle) { m.WelcomeDevices = append(m.GetWelcomeDevices(), c.ID[:]) }), wire.CodeCommitRefused},
		{"said to be of a later epoch", a, spoil(func(m *pb.CommitBundle) { m.Epoch++ }), wire.CodeEpochConflict},
		{"another member's commit", b, spoil(func(*pb.CommitBundle) {}), wire.CodeCommitRefused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.by.t = t
			tt.by.refused(tt.want, tt.f)
		})
	}
	a.t, b.t = t, t
	// A device that the organisation does not know, added with a key package of its own.
	_, err := r.company.Invite(matter.RoleMember, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	stranger := newStranger(t)
	kp, _, err := mls.NewKeyPackage(mls.Classic, stranger.ID[:], stranger.Key, mls.KeyPackageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, bundle := a.bundleOf(id, []*pb.KeyPackages_Claimed{{Device: stranger.ID[:], KeyPackage: kp.Bytes()}})
	a.refused(wire.CodeCommitRefused, commit(bundle))
	// A known device's name with a key that is not its own.
	fake, _, err := mls.NewKeyPackage(mls.Classic, c.ID[:], stranger.Key, mls.KeyPackageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, bundle = a.bundleOf(id, []*pb.KeyPackages_Claimed{{Device: c.ID[:], KeyPackage: fake.Bytes()}})
	a.refused(wire.CodeCommitRefused, commit(bundle))

	if entries := a.log(id); len(entries) != 1 {
		t.Errorf("%d entries after refused commits, want 1", len(entries))
	}
	if items := c.must(take()).GetWelcomes().GetItems(); len(items) != 0 {
		t.Errorf("refused commits left %d welcomes", len(items))
	}
	a.change(id, []*member{c}, nil)
	a.say(id, "still in order")
}

// newStranger makes a device that no organisation knows.
func newStranger(t *testing.T) *hubtest.Device {
	t.Helper()
	h := hubtest.Start(t)
	_, d, err := hubtest.Found(h.Addr(), h.Founding())
	if err != nil {
		t.Fatal(err)
	}
	return d
}
