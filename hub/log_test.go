package hub_test

import (
	"testing"
	"time"

	"causa/hub/hubtest"
	"causa/matter"
	"causa/orglog"
	"causa/wire"
	"causa/wire/pb"
)

func TestAppendLog(t *testing.T) {
	r := newRig(t)
	a, b, guest := r.owner(), r.hire(matter.RoleMember), r.hire(matter.RoleGuest)
	next := r.company.Next()
	sign := func(d *hubtest.Device, s orglog.Statement) *orglog.Entry {
		t.Helper()
		e, err := r.company.SignAs(d, s)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	first := sign(a.Device, orglog.PolicySet{Name: "lease", Value: "24h"})
	second := sign(b.Device, orglog.MemberRenamed{Member: b.Member, Name: "Bob"})
	if err := b.Append(first); hubtest.CodeOf(err) != wire.CodeLogRefused {
		t.Errorf("b hands over the owner's entry: %v", err)
	}
	if err := a.Append(first); err != nil {
		t.Fatal(err)
	}
	if err := a.Append(first); err != nil { // the answer was lost
		t.Errorf("append once more: %v", err)
	}
	_, err := b.Call(&pb.ClientFrame{Body: &pb.ClientFrame_AppendLog{AppendLog: &pb.AppendLog{Entry: second.Bytes()}}})
	if hubtest.CodeOf(err) != wire.CodeLogConflict {
		t.Errorf("append at a taken index: %v", err)
	}
	if err := r.company.Apply(first); err != nil {
		t.Fatal(err)
	}
	// Everybody was told.
	for _, m := range []*member{a, b, guest} {
		f, err := m.Push(func(f *pb.HubFrame) bool { return f.GetLogPage().GetFrom() == next })
		if err != nil {
			t.Fatal(err)
		}
		if p := f.GetLogPage(); len(p.GetEntries()) != 1 || string(p.GetEntries()[0]) != string(first.Bytes()) || p.GetNext() != next+1 {
			t.Errorf("pushed log page %v", p)
		}
	}

	head := first.Hash()
	forge := func(at time.Time, s orglog.Statement) *orglog.Entry {
		t.Helper()
		e, err := orglog.Sign(b.Key, next+1, head, at, s)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	// Not b's to say: the log's rules hold at the hub, too.
	if err := b.Append(forge(time.Now(), orglog.RoleChanged{Member: b.Member, Role: matter.RoleOwner})); hubtest.CodeOf(err) != wire.CodeLogRefused {
		t.Errorf("b makes itself an owner: %v", err)
	}
	if err := b.Append(forge(time.Now().Add(wire.MaxClockSkew+time.Minute), orglog.MemberRenamed{Member: b.Member, Name: "Bob"})); hubtest.CodeOf(err) != wire.CodeClock {
		t.Errorf("an entry from the future: %v", err)
	}
	bad := second.Bytes()
	bad[len(bad)-1] ^= 1
	b.refused(wire.CodeLogConflict, &pb.ClientFrame{Body: &pb.ClientFrame_AppendLog{AppendLog: &pb.AppendLog{Entry: bad}}})
	b.refused(wire.CodeMalformed, &pb.ClientFrame{Body: &pb.ClientFrame_AppendLog{AppendLog: &pb.AppendLog{Entry: []byte{1}}}})

	r.Restart()
	b.connect()
	page := b.must(pullLog(0)).GetLogPage()
	if page.GetNext() != next+1 || uint64(len(page.GetEntries())) != next+1 {
		t.Errorf("log after a restart: %d of %d", len(page.GetEntries()), page.GetNext())
	}
	if p := b.must(pullLog(1 << 63)).GetLogPage(); len(p.GetEntries()) != 0 || p.GetNext() != next+1 {
		t.Errorf("log past its end: %v", p)
	}
}

func TestRevokedDeviceIsDropped(t *testing.T) {
	r := newRig(t)
	a, b, c := r.owner(), r.hire(matter.RoleMember), r.hire(matter.RoleMember)
	id := a.open()
	a.change(id, []*member{b, c}, nil)
	b.stock()
	if err := r.company.Say(a.Device, orglog.DeviceRevoked{Device: b.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Push(isFailure(wire.CodeRevoked)); err != nil {
		t.Errorf("the revoked device is not told: %v", err)
	}
	awaitEnd(t, b.Peer, wire.CodeRevoked)
	p := dial(t, r.Addr())
	if _, err := p.SignInDevice(b.ID, b.Key); hubtest.CodeOf(err) != wire.CodeRevoked {
		t.Errorf("a revoked device signs in: %v", err)
	}
	if got := a.must(claim(b.ID)).GetKeyPackages().GetClaimed(); len(got) != 0 {
		t.Error("a revoked device's key package is handed out")
	}

	// Until somebody has removed it, the matter stands still.
	c.process(id)
	c.refused(wire.CodeRemovalDue, send(id, 1, 1, "is b listening?"))
	_, rotation := c.bundle(id, nil, nil)
	c.refused(wire.CodeRemovalDue, commit(rotation))
	d := r.hire(matter.RoleMember)
	_, adding := c.bundle(id, []*member{d}, nil)
	c.refused(wire.CodeRemovalDue, commit(adding))
	c.change(id, nil, []*member{b})
	c.say(id, "now we are alone")

	// The same for a member who leaves.
	if err := r.company.Say(c.Device, orglog.MemberLeft{Member: c.Member}); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, c.Peer, wire.CodeRevoked)
	a.process(id)
	a.refused(wire.CodeRemovalDue, send(id, 1, 2, "hello?"))
	a.change(id, nil, []*member{c})
	a.say(id, "alone")
	r.Restart()
	a.connect()
	a.say(id, "still alone")
}
