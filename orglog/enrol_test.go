package orglog

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"causa/matter"
)

func TestInvites(t *testing.T) {
	c := newCompany(t)
	c.invite("bob", "frank", matter.RoleMember, "for frank")
	i, err := c.s.OpenInvite(public("for frank"), c.now)
	if err != nil || i.Member != person("frank") || i.By != c.deviceID("bob") || i.Index != c.s.Next()-1 {
		t.Fatalf("OpenInvite = %+v, %v", i, err)
	}
	if m, ok := c.s.Member(person("frank")); !ok || m.Joined {
		t.Errorf("invited: Member = %+v, %v", m, ok)
	}
	c.refuses(c.sign("bob", DeviceInvited{
		Member: person("carol"), InviteKey: public("for frank"), Expires: c.now.Add(time.Hour),
	}), ErrTaken)
	c.refuses(c.sign("bob", DeviceInvited{
		Member: person("carol"), InviteKey: public("carol"), Expires: c.now.Add(time.Hour),
	}), ErrTaken)
	c.refuses(c.sign("bob", DeviceInvited{
		Member: person("carol"), InviteKey: public("late"), Expires: c.now,
	}), ErrInviteExpired)

	c.apply(c.enrolment("frank", "frank", "for frank"))
	if m, _ := c.s.Member(person("frank")); !m.Joined {
		t.Error("enrolled, but not joined")
	}
	if _, err := c.s.OpenInvite(public("for frank"), c.now); !errors.Is(err, ErrInviteUsed) {
		t.Errorf("a used invite: %v", err)
	}
	c.refuses(c.enrolment("frank", "frank 2", "for frank"), ErrInviteUsed)
	c.refuses(c.enrolment("frank", "frank 2", "unheard of"), ErrInviteUnknown)
	c.refuses(c.sign("bob", InviteWithdrawn{InviteKey: public("for frank")}), ErrInviteUsed)
	c.refuses(c.sign("bob", InviteWithdrawn{InviteKey: public("unheard of")}), ErrInviteUnknown)
	if _, err := c.s.OpenInvite([]byte("short"), c.now); !errors.Is(err, ErrInviteUnknown) {
		t.Errorf("an impossible key: %v", err)
	}
	if got := c.s.Invitations(); len(got) != 0 {
		t.Errorf("Invitations = %+v, want none", got)
	}
}

func TestInviteExpires(t *testing.T) {
	c := newCompany(t)
	c.invite("bob", "frank", matter.RoleMember, "for frank")
	i, err := c.s.OpenInvite(public("for frank"), c.now)
	if err != nil {
		t.Fatal(err)
	}
	c.now = i.Expires.Add(time.Millisecond)
	c.refuses(c.enrolment("frank", "frank", "for frank"), ErrInviteExpired)
	if _, err := c.s.OpenInvite(public("for frank"), c.now); !errors.Is(err, ErrInviteExpired) {
		t.Errorf("OpenInvite: %v", err)
	}
	if got := c.s.Invitations(); len(got) != 1 || got[0].Member != person("frank") {
		t.Errorf("Invitations = %+v", got)
	}
	// Invited anew; the last millisecond counts.
	c.says("bob", DeviceInvited{Member: person("frank"), InviteKey: public("again"), Expires: c.now.Add(time.Hour)})
	again, err := c.s.OpenInvite(public("again"), c.now)
	if err != nil {
		t.Fatal(err)
	}
	c.says("bob", InviteWithdrawn{InviteKey: public("for frank")}) // tidying up is allowed
	c.now = again.Expires
	c.apply(c.enrolment("frank", "frank", "again"))
}

func TestInviteWithdrawn(t *testing.T) {
	c := newCompany(t)
	c.hire("alice laptop", "gina", matter.RoleAdmin)
	c.invite("bob", "frank", matter.RoleMember, "1")
	c.refuses(c.sign("carol", InviteWithdrawn{InviteKey: public("1")}), ErrNotAllowed)
	c.says("gina", InviteWithdrawn{InviteKey: public("1")})
	c.refuses(c.enrolment("frank", "frank", "1"), ErrInviteWithdrawn)
	c.refuses(c.sign("bob", InviteWithdrawn{InviteKey: public("1")}), ErrInviteWithdrawn)

	// One's own invite, made by someone above.
	c.says("bob", DeviceInvited{Member: person("dan"), InviteKey: public("2"), Expires: c.now.Add(time.Hour)})
	c.says("dan", InviteWithdrawn{InviteKey: public("2")})
	// An owner's invite for an owner is beyond an admin.
	c.invite("alice laptop", "olga", matter.RoleOwner, "3")
	c.refuses(c.sign("bob", InviteWithdrawn{InviteKey: public("3")}), ErrNotAllowed)
}

// Who may no longer invite leaves no open door behind.
func TestInviteFallsWithItsMaker(t *testing.T) {
	tests := []struct {
		name string
		act  func(c *company)
		open bool
	}{
		{"nothing happens", func(*company) {}, true},
		{"maker's device is revoked", func(c *company) { c.says("alice laptop", DeviceRevoked{Device: c.deviceID("bob")}) }, false},
		{"maker leaves", func(c *company) { c.says("alice laptop", MemberLeft{Member: person("bob")}) }, false},
		{"maker is demoted", func(c *company) {
			c.says("alice laptop", RoleChanged{Member: person("bob"), Role: matter.RoleMember})
			c.says("alice laptop", RoleChanged{Member: person("bob"), Role: matter.RoleAdmin}) // too late
		}, false},
		{"maker is promoted", func(c *company) {
			c.says("alice laptop", RoleChanged{Member: person("bob"), Role: matter.RoleOwner})
		}, true},
		{"invited is raised above the maker", func(c *company) {
			c.says("alice laptop", RoleChanged{Member: person("frank"), Role: matter.RoleOwner})
		}, false},
		{"invited becomes a guest", func(c *company) {
			c.says("alice laptop", RoleChanged{Member: person("frank"), Role: matter.RoleGuest})
		}, true},
		{"invited is offboarded", func(c *company) { c.says("alice laptop", MemberLeft{Member: person("frank")}) }, false},
		{"someone else leaves", func(c *company) { c.says("carol", MemberLeft{Member: person("carol")}) }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCompany(t)
			c.invite("bob", "frank", matter.RoleMember, "for frank")
			tt.act(c)
			e := c.enrolment("frank", "frank", "for frank")
			if tt.open {
				c.apply(e)
			} else {
				c.refuses(e, ErrInviteWithdrawn)
			}
		})
	}
}

func TestGuestsOwnInviteFalls(t *testing.T) {
	c := newCompany(t)
	c.says("carol", DeviceInvited{Member: person("carol"), InviteKey: public("phone"), Expires: c.now.Add(time.Hour)})
	c.says("bob", RoleChanged{Member: person("carol"), Role: matter.RoleGuest})
	c.refuses(c.enrolment("carol", "carol phone", "phone"), ErrInviteWithdrawn)
}

func TestEnrolment(t *testing.T) {
	c := newCompany(t)
	c.invite("bob", "frank", matter.RoleMember, "for frank")
	c.invite("bob", "gina", matter.RoleGuest, "for gina")

	good, err := c.s.SignEnrolment(key("frank"), key("for frank"), c.now, "frank's laptop")
	if err != nil {
		t.Fatal(err)
	}
	st, ok := good.Statement.(DeviceEnrolled)
	if !ok {
		t.Fatalf("SignEnrolment made a %T", good.Statement)
	}
	signAs := func(device string, change func(*DeviceEnrolled)) *Entry {
		t.Helper()
		x := st
		x.InviteSignature = bytes.Clone(st.InviteSignature)
		change(&x)
		return c.sign(device, x)
	}
	// Whoever sees the enrolment can't make it their own.
	c.refuses(signAs("mallory", func(x *DeviceEnrolled) { x.DeviceKey = public("mallory") }), ErrInviteForged)
	c.refuses(signAs("mallory", func(*DeviceEnrolled) {}), ErrForged)
	c.refuses(signAs("frank", func(x *DeviceEnrolled) { x.DeviceKey = public("mallory") }), ErrForged)
	c.refuses(signAs("frank", func(x *DeviceEnrolled) { x.DeviceName = "other" }), ErrInviteForged)
	c.refuses(signAs("frank", func(x *DeviceEnrolled) { x.Member = person("gina") }), ErrInviteUnknown)
	c.refuses(signAs("frank", func(x *DeviceEnrolled) {
		x.Member, x.InviteKey = person("gina"), public("for gina")
	}), ErrInviteForged)
	c.refuses(signAs("frank", func(x *DeviceEnrolled) { x.InviteSignature[0] ^= 1 }), ErrInviteForged)
	// A key that the inviter or another device has is nobody's new key.
	c.refuses(c.enrolment("frank", "carol", "for frank"), ErrTaken)
	c.refuses(c.enrolment("frank", "for gina", "for frank"), ErrTaken)
	c.refuses(c.enrolment("frank", "for frank", "for frank"), ErrTaken)
	long := string(bytes.Repeat([]byte("x"), 201))
	e, err := SignEnrolment(key("frank"), key("for frank"), c.s.OrgID(), c.s.Next(), c.s.Head(), c.now,
		DeviceEnrolled{Member: person("frank"), DeviceName: long})
	if err != nil {
		t.Fatal(err)
	}
	c.refuses(e, ErrName)

	// The same words of the invite at a later place or time, or in another organisation.
	other := signAs("frank", func(*DeviceEnrolled) {})
	other.Time = other.Time.Add(time.Second)
	if other, err = Sign(key("frank"), other.Index, other.Previous, other.Time, other.Statement); err != nil {
		t.Fatal(err)
	}
	c.refuses(other, ErrInviteForged)
	foreign, err := SignEnrolment(key("frank"), key("for frank"), Hash{1}, c.s.Next(), c.s.Head(), c.now,
		DeviceEnrolled{Member: person("frank"), DeviceName: "frank's laptop"})
	if err != nil {
		t.Fatal(err)
	}
	c.refuses(foreign, ErrInviteForged)
	c.says("carol", MemberRenamed{Member: person("carol"), Name: "Caroline"})
	c.refuses(good, ErrOrder)
	c.refuses(signAs("frank", func(*DeviceEnrolled) {}), ErrInviteForged)

	late, err := c.s.SignEnrolment(key("frank"), key("for frank"), c.now, "frank's laptop")
	if err != nil {
		t.Fatal(err)
	}
	c.apply(late)
	if d := c.s.DevicesOf(person("frank")); len(d) != 1 || d[0].Name != "frank's laptop" || !c.s.ActiveDevice(d[0].ID) {
		t.Errorf("DevicesOf = %+v", d)
	}
	if _, err := c.s.SignEnrolment(key("frank 2"), key("for frank"), c.now, "x"); !errors.Is(err, ErrInviteUsed) {
		t.Errorf("SignEnrolment with a used invite: %v", err)
	}
	if d := c.s.DevicesOf(person("nobody")); d != nil {
		t.Errorf("DevicesOf(nobody) = %v", d)
	}
	// A revoked device's key stays out for good.
	c.says("bob", DeviceRevoked{Device: c.deviceID("frank")})
	c.says("bob", DeviceInvited{Member: person("frank"), InviteKey: public("again"), Expires: c.now.Add(time.Hour)})
	c.refuses(c.enrolment("frank", "frank", "again"), ErrTaken)
	c.apply(c.enrolment("frank", "frank new", "again"))
}
