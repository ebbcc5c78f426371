package orglog

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"causa/matter"
)

// Who may do what to whom, written out: rows are authors, columns are subjects.
// The letters are o(wner), a(dmin), m(ember), g(uest), b(ot).
func TestRoles(t *testing.T) {
	const roles = "oamgb"
	devices := map[byte]string{'o': "alice laptop", 'a': "bob", 'm': "carol", 'g': "dan", 'b': "eve"}
	// Someone of the subject's role who is not the author; for the owner it is frank.
	subjects := map[byte]string{'o': "frank", 'a': "gina", 'm': "hugo", 'g': "ivan", 'b': "judy"}
	roleOf := map[byte]matter.Role{
		'o': matter.RoleOwner, 'a': matter.RoleAdmin, 'm': matter.RoleMember, 'g': matter.RoleGuest, 'b': matter.RoleBot,
	}
	others := map[byte]string{'o': "oamgb", 'a': "mgb", 'm': "", 'g': "", 'b': ""}
	self := map[byte]bool{'o': true, 'a': true, 'm': true, 'g': true, 'b': true}

	c := newCompany(t)
	for _, r := range roles {
		c.hire("alice laptop", subjects[byte(r)], roleOf[byte(r)])
	}
	expires := c.now.Add(time.Hour)
	acts := []struct {
		name   string
		say    func(name string, r matter.Role) Statement
		others map[byte]string // over whom each author may do it
		self   map[byte]bool   // who may do it to themselves
	}{
		{"invite a member", func(_ string, r matter.Role) Statement {
			return MemberInvited{Member: person("new"), Name: "New", Role: r, InviteKey: public("new"), Expires: expires}
		}, others, nil},
		{"invite a device", func(name string, _ matter.Role) Statement {
			return DeviceInvited{Member: person(name), InviteKey: public("new"), Expires: expires}
		}, others, map[byte]bool{'o': true, 'a': true, 'm': true}},
		{"rename", func(name string, _ matter.Role) Statement {
			return MemberRenamed{Member: person(name), Name: "Renamed"}
		}, others, self},
		{"offboard", func(name string, _ matter.Role) Statement {
			return MemberLeft{Member: person(name), Reason: "gone"}
		}, others, self},
		{"revoke a device", func(name string, _ matter.Role) Statement {
			return DeviceRevoked{Device: c.deviceID(name), Reason: "lost"}
		}, others, self},
		{"make a guest or member", func(name string, r matter.Role) Statement {
			to := matter.RoleGuest
			if r == to {
				to = matter.RoleMember
			}
			return RoleChanged{Member: person(name), Role: to}
		}, others, map[byte]bool{'o': true}},
		{"make an admin", func(name string, r matter.Role) Statement {
			to := matter.RoleAdmin
			if r == to {
				to = matter.RoleOwner
			}
			return RoleChanged{Member: person(name), Role: to}
		}, map[byte]string{'o': "oamgb"}, map[byte]bool{'o': true}},
		{"make an owner", func(name string, r matter.Role) Statement {
			to := matter.RoleOwner
			if r == to {
				to = matter.RoleAdmin
			}
			return RoleChanged{Member: person(name), Role: to}
		}, map[byte]string{'o': "oamgb"}, map[byte]bool{'o': true}},
		{"set a policy", func(string, matter.Role) Statement {
			return PolicySet{Name: "x", Value: "y"}
		}, map[byte]string{'o': "oamgb", 'a': "oamgb"}, nil},
	}
	for _, act := range acts {
		for _, a := range roles {
			for _, b := range roles {
				author, subject := byte(a), byte(b)
				allowed := false
				for _, x := range act.others[author] {
					allowed = allowed || byte(x) == subject
				}
				name := fmt.Sprintf("%s: %c to %c", act.name, author, subject)
				check(t, c, name, devices[author], act.say(subjects[subject], roleOf[subject]), allowed)
			}
			author := byte(a)
			if act.self == nil {
				continue
			}
			own := map[byte]string{'o': "alice", 'a': "bob", 'm': "carol", 'g': "dan", 'b': "eve"}[author]
			st := act.say(own, roleOf[author])
			if _, ok := st.(DeviceRevoked); ok {
				st = DeviceRevoked{Device: c.deviceID(devices[author])}
			}
			check(t, c, fmt.Sprintf("%s: %c to oneself", act.name, author), devices[author], st, act.self[author])
		}
	}
}

func check(t *testing.T, c *company, name, device string, st Statement, allowed bool) {
	t.Helper()
	err := c.s.Check(c.sign(device, st))
	if allowed && err != nil || !allowed && !errors.Is(err, ErrNotAllowed) {
		t.Errorf("%s: allowed = %v, but %v", name, allowed, err)
	}
}

func TestLastOwner(t *testing.T) {
	c := newCompany(t)
	stays := func() {
		t.Helper()
		c.refuses(c.sign("alice laptop", RoleChanged{Member: person("alice"), Role: matter.RoleAdmin}), ErrLastOwner)
		c.refuses(c.sign("alice laptop", MemberLeft{Member: person("alice")}), ErrLastOwner)
		c.refuses(c.sign("alice laptop", DeviceRevoked{Device: c.deviceID("alice laptop")}), ErrLastOwner)
	}
	stays()
	// An owner who has not joined can't take over.
	c.invite("alice laptop", "frank", matter.RoleOwner, "for frank")
	stays()
	// A second device can, but then it is the last.
	c.says("alice laptop", DeviceInvited{Member: person("alice"), InviteKey: public("phone"), Expires: c.now.Add(time.Hour)})
	c.apply(c.enrolment("alice", "alice phone", "phone"))
	c.says("alice phone", DeviceRevoked{Device: c.deviceID("alice phone")})
	stays()
	// A second owner with a device can.
	c.apply(c.enrolment("frank", "frank", "for frank"))
	c.says("alice laptop", RoleChanged{Member: person("alice"), Role: matter.RoleMember})
	c.refuses(c.sign("alice laptop", MemberLeft{Member: person("frank")}), ErrNotAllowed)
	c.refuses(c.sign("frank", MemberLeft{Member: person("frank")}), ErrLastOwner)
	// An owner whose devices are all gone can be demoted by one who is there.
	c.says("frank", RoleChanged{Member: person("alice"), Role: matter.RoleOwner})
	c.says("frank", DeviceRevoked{Device: c.deviceID("alice laptop")})
	c.refuses(c.sign("frank", MemberLeft{Member: person("frank")}), ErrLastOwner)
	c.says("frank", RoleChanged{Member: person("alice"), Role: matter.RoleGuest})
}
