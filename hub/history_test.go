package hub_test

import (
	"slices"
	"testing"

	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

func grantHistory(id matter.ID, from uint64, who ...*member) *pb.ClientFrame {
	g := &pb.GrantHistory{Matter: id[:], From: from}
	for _, m := range who {
		g.Devices = append(g.Devices, m.ID[:])
	}
	return &pb.ClientFrame{Body: &pb.ClientFrame_GrantHistory{GrantHistory: g}}
}

// A device lets others read as far back as it can itself, and nobody reads more than they
// were granted.
func TestGrantHistory(t *testing.T) {
	r := newRig(t)
	a, b, c, d := r.owner(), r.hire(matter.RoleMember), r.hire(matter.RoleMember), r.hire(matter.RoleMember)
	id := a.open()
	a.say(id, "first")
	added := a.change(id, []*member{b}, nil)
	a.say(id, "with b")
	a.change(id, []*member{c}, nil)
	a.say(id, "with c")

	b.refused(wire.CodeNotAllowed, grantHistory(id, 1, c)) // b can't read that itself
	d.refused(wire.CodeNoMatter, grantHistory(id, 1, d))
	if got := payloads(c.log(id)); !slices.Equal(got, []string{"with c"}) {
		t.Errorf("c reads %q", got)
	}
	b.must(grantHistory(id, added.GetSeq(), c))
	if got := payloads(c.log(id)); !slices.Equal(got, []string{"with b", "with c"}) {
		t.Errorf("granted by b, c reads %q", got)
	}
	a.must(grantHistory(id, 1, c, d)) // d is not in it, and stays out
	if got := payloads(c.log(id)); !slices.Equal(got, []string{"first", "with b", "with c"}) {
		t.Errorf("granted by a, c reads %q", got)
	}
	d.refused(wire.CodeNoMatter, pull(id, 0))
	if got := payloads(b.log(id)); !slices.Equal(got, []string{"with b", "with c"}) {
		t.Errorf("b reads %q", got)
	}
}
