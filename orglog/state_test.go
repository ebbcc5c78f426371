package orglog

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"causa/matter"
)

func TestState(t *testing.T) {
	c := newCompany(t)
	if got := c.s.Organisation(); got != "Acme 事务所" {
		t.Errorf("Organisation = %q", got)
	}
	if c.s.OrgID() != c.log[0].Hash() || c.s.Head() != c.log[len(c.log)-1].Hash() {
		t.Error("OrgID or Head is not the hash of the first or last entry")
	}
	for i, e := range c.log {
		if h, ok := c.s.HashAt(uint64(i)); !ok || h != e.Hash() {
			t.Errorf("HashAt(%d) = %v, %v", i, h, ok)
		}
	}
	if _, ok := c.s.HashAt(c.s.Next()); ok {
		t.Error("HashAt knows an entry that isn't there")
	}
	m, ok := c.s.Member(person("bob"))
	want := matter.Member{ID: person("bob"), Name: "bob", Role: matter.RoleAdmin, Joined: true}
	if diff := cmp.Diff(want, m); diff != "" || !ok {
		t.Errorf("Member: %v\n%s", ok, diff)
	}
	d, k, ok := c.s.Device(c.deviceID("carol"))
	if !ok || d.Member != person("carol") || d.Name != "carol" || d.Revoked || !k.Equal(public("carol")) {
		t.Errorf("Device = %+v, %v", d, ok)
	}
	if m, ok := c.s.Member(person("nobody")); ok {
		t.Errorf("Member(nobody) = %+v", m)
	}
	if d, k, ok := c.s.Device(c.deviceID("nobody")); ok || k != nil {
		t.Errorf("Device(nobody) = %+v", d)
	}
	if got := len(c.s.Members()); got != 5 {
		t.Errorf("%d members, want 5", got)
	}
	if got := len(c.s.Devices()); got != 5 {
		t.Errorf("%d devices, want 5", got)
	}
	if got := c.s.Members()[0].ID; got != person("alice") {
		t.Error("the founder isn't the first member")
	}
}
