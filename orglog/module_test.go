package orglog

import (
	"strings"
	"testing"
	"time"

	"causa/matter"
)

// A sealed module's device comes in by its member's own invite, and stays what it is.
func TestModuleInvited(t *testing.T) {
	c := newCompany(t)
	in := func(name, key, module string) ModuleInvited {
		return ModuleInvited{Member: person(name), InviteKey: public(key), Expires: c.now.Add(time.Hour), Module: module}
	}
	c.says("carol", in("carol", "for payroll", "payroll"))
	c.apply(c.enrolment("carol", "carol payroll", "for payroll"))
	if d, _, ok := c.s.Device(c.deviceID("carol payroll")); !ok || d.Module != "payroll" || d.Member != person("carol") {
		t.Errorf("device = %+v", d)
	}
	if d, _, _ := c.s.Device(c.deviceID("carol")); d.Module != "" {
		t.Errorf("the first device is for %q", d.Module)
	}
	for ok, names := range map[bool][]string{true: {"carol", "bob"}, false: {"carol", "carol payroll"}} {
		var ids []matter.Device
		for _, n := range names {
			d, _, _ := c.s.Device(c.deviceID(n))
			ids = append(ids, d)
		}
		if got := c.s.SameModule([]matter.DeviceID{ids[0].ID, ids[1].ID}); got != ok {
			t.Errorf("%v in the same module: %v", names, got)
		}
	}

	// attack: an open device in a thief's hands makes a second way in, in whatever order
	c.refuses(c.sign("carol", in("carol", "x", "payroll")), ErrNotAllowed)
	c.says("alice laptop", DeviceRevoked{Device: c.deviceID("carol payroll")})
	c.refuses(c.sign("carol", in("carol", "x", "payroll")), ErrNotAllowed)
	c.says("carol", in("carol", "first", "hr"))
	c.says("carol", in("carol", "in store", "hr"))
	c.apply(c.enrolment("carol", "carol hr", "first"))
	c.refuses(c.enrolment("carol", "thief hr", "in store"), ErrInviteWithdrawn)
	c.refuses(c.sign("carol hr", in("carol", "x", "payroll")), ErrNotAllowed) // from one module into another

	c.says("carol hr", in("carol", "hr phone", "hr")) // the module's device, and somebody above
	c.apply(c.enrolment("carol", "carol hr phone", "hr phone"))
	c.says("bob", in("carol", "by bob", "payroll"))
	c.apply(c.enrolment("carol", "carol payroll again", "by bob"))

	c.refuses(c.sign("bob", in("alice", "x", "payroll")), ErrNotAllowed)
	c.refuses(c.sign("dan", in("dan", "x", "payroll")), ErrNotAllowed) // a guest
	c.refuses(c.sign("bob", in("dan", "x", "payroll")), ErrNotAllowed)
	c.refuses(c.sign("carol", in("nobody", "x", "payroll")), ErrNoSubject)
	c.refuses(c.sign("bob", in("carol", "for payroll", "payroll")), ErrTaken)
	for _, name := range []string{"", "Payroll", "pay roll", strings.Repeat("x", 65)} {
		c.refuses(c.sign("bob", in("carol", "x", name)), ErrName)
	}
	late := in("carol", "x", "payroll")
	late.Expires = c.now
	c.refuses(c.sign("bob", late), ErrInviteExpired)
}
