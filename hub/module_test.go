package hub_test

import (
	"crypto/ed25519"
	"testing"
	"time"

	"causa/matter"
	"causa/orglog"
	"causa/wire"
	"causa/wire/pb"
)

// sealed makes a member's device for a sealed module.
func (r *rig) sealed(of *member, module string) *member {
	r.t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	err = r.company.Say(of.Device, orglog.ModuleInvited{
		Member: of.Member, InviteKey: public, Expires: time.Now().Add(time.Hour).Truncate(time.Millisecond), Module: module,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	d, err := r.company.Enrol(key)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.member(d)
}

// attack: a member's open device, or one of another module, asks for and comes into what is
// sealed; and a participant brings one in
func TestSealedModules(t *testing.T) {
	r := newRig(t)
	a, b := r.owner(), r.hire(matter.RoleMember)
	pa, pb1, other := r.sealed(a, "payroll"), r.sealed(b, "payroll"), r.sealed(b, "administration")
	id := pa.open()
	pa.change(id, []*member{pb1}, nil)

	for _, m := range []*member{b, other, a} {
		m.refused(wire.CodeNoMatter, pullGroupInfo(id))
		info := pb1.must(pullGroupInfo(id)).GetGroupInfo() // it leaked
		_, f := m.comeIn(id, info, false)
		m.refused(wire.CodeNoMatter, f)
		_, bundle := pa.bundle(id, []*member{m}, nil)
		pa.refused(wire.CodeCommitRefused, commit(bundle))
	}
	open := a.open()
	_, bundle := a.bundle(open, []*member{pb1}, nil)
	a.refused(wire.CodeCommitRefused, commit(bundle))

	// While it is closed, a count is all there is to see, and only for its member.
	before := r.waiting(b)
	pa.say(id, "eleven thousand")
	after := r.waiting(b)
	if after[pb1.ID] != before[pb1.ID]+1 || len(after) != 2 {
		t.Errorf("waiting: %v, then %v", before, after)
	}
	if got := r.waiting(r.hire(matter.RoleMember)); len(got) != 0 {
		t.Errorf("somebody else sees %v", got)
	}
}

func (r *rig) waiting(m *member) map[matter.DeviceID]uint64 {
	r.t.Helper()
	out := map[matter.DeviceID]uint64{}
	for _, d := range m.must(&pb.ClientFrame{Body: &pb.ClientFrame_PullWaiting{PullWaiting: &pb.PullWaiting{}}}).GetWaiting().GetDevices() {
		out[matter.DeviceID(d.GetDevice())] = d.GetTotal()
	}
	return out
}
