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

	c.refuses(c.sign("bob", in("carol", "x", "payroll")), ErrNotAllowed)           // an administrator, for somebody else
	c.refuses(c.sign("alice laptop", in("carol", "x", "payroll")), ErrNotAllowed)  // nor an owner
	c.refuses(c.sign("carol payroll", in("carol", "x", "payroll")), ErrNotAllowed) // a module's device
	c.refuses(c.sign("dan", in("dan", "x", "payroll")), ErrNotAllowed)             // a guest
	c.refuses(c.sign("carol", in("nobody", "x", "payroll")), ErrNoSubject)
	c.refuses(c.sign("carol", in("carol", "for payroll", "payroll")), ErrTaken)
	for _, name := range []string{"", "Payroll", "pay roll", strings.Repeat("x", 65)} {
		c.refuses(c.sign("carol", in("carol", "x", name)), ErrName)
	}
	late := in("carol", "x", "payroll")
	late.Expires = c.now
	c.refuses(c.sign("carol", late), ErrInviteExpired)
}
