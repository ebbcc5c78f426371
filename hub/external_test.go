package hub_test

import (
	"slices"
	"testing"

	"causa/crypto/mls"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// comeIn makes an external commit from the matter's GroupInfo.
func (m *member) comeIn(id matter.ID, info *pb.GroupInfo, resync bool) (*mls.Pending, *pb.ClientFrame) {
	m.t.Helper()
	p, err := mls.JoinExternal(info.GetGroupInfo(), m.ID[:], m.Key, mls.ExternalRequest{Resync: resync}, mls.GroupOptions{})
	if err != nil {
		m.t.Fatal(err)
	}
	return p, commit(&pb.CommitBundle{Matter: id[:], Epoch: info.GetEpoch(), Commit: p.Commit(), GroupInfo: p.GroupInfo()})
}

// A member's further device may come into the member's matters by itself, and a device
// that lost its state may come back. Nobody else may.
func TestExternalCommits(t *testing.T) {
	r := newRig(t)
	a, b, stranger := r.owner(), r.hire(matter.RoleMember), r.hire(matter.RoleMember)
	id := a.open()
	a.change(id, []*member{b}, nil)
	d, err := r.company.Another(b.Device)
	if err != nil {
		t.Fatal(err)
	}
	further := r.member(d)
	stranger.refused(wire.CodeNoMatter, pullGroupInfo(id))
	info := further.must(pullGroupInfo(id)).GetGroupInfo()
	_, f := stranger.comeIn(id, info, false) // the info leaked
	stranger.refused(wire.CodeNoMatter, f)

	p, f := further.comeIn(id, info, false)
	a.refused(wire.CodeCommitRefused, &pb.ClientFrame{Body: f.GetBody()}) // handed over by another
	in := further.must(f).GetAccepted()
	further.groups[id] = p.Group()
	further.say(id, "from my phone")
	if got := further.log(id); got[0].GetSeq() != in.GetSeq() {
		t.Errorf("the new device sees entries from %d on, want %d", got[0].GetSeq(), in.GetSeq())
	}

	// b has lost its state.
	info = b.must(pullGroupInfo(id)).GetGroupInfo()
	p, f = b.comeIn(id, info, true)
	b.must(f)
	b.groups[id] = p.Group()
	b.say(id, "back again")
	a.process(id)
	a.say(id, "welcome back")
	want := []string{"from my phone", "back again", "welcome back"}
	for _, m := range []*member{a, b, further} {
		if got := payloads(m.log(id)); !slices.Equal(got, want) {
			t.Errorf("log = %q", got)
		}
	}
	a.change(id, nil, []*member{b, further})
	b.refused(wire.CodeNoMatter, pullGroupInfo(id))
}
