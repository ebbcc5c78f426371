package orglog

import (
	"strings"
	"testing"
)

// New tries are for others to give: not for the device itself, whoever holds it.
func TestTriesGiven(t *testing.T) {
	c := newCompany(t)
	c.says("alice laptop", DeviceInvited{Member: person("carol"), InviteKey: public("second"), Expires: c.now.Add(1e12)})
	c.apply(c.enrolment("carol", "carol phone", "second"))

	c.says("bob", TriesGiven{Device: c.deviceID("carol"), Reason: "forgot it"})
	given := c.s.Head()
	c.says("carol phone", TriesGiven{Device: c.deviceID("carol")})
	if got := c.s.Given(); len(got) != 2 || got[0] != (Given{given, c.deviceID("carol")}) {
		t.Errorf("given = %v", got)
	}

	c.refuses(c.sign("carol", TriesGiven{Device: c.deviceID("carol")}), ErrNotAllowed) // the locked device itself
	c.refuses(c.sign("carol", TriesGiven{Device: c.deviceID("dan")}), ErrNotAllowed)
	c.refuses(c.sign("bob", TriesGiven{Device: c.deviceID("alice laptop")}), ErrNotAllowed)
	c.refuses(c.sign("bob", TriesGiven{Device: c.deviceID("nobody")}), ErrNoSubject)
	c.refuses(c.sign("bob", TriesGiven{Device: c.deviceID("carol"), Reason: strings.Repeat("x", 1000)}), ErrName)
	c.says("alice laptop", DeviceRevoked{Device: c.deviceID("carol")})
	c.refuses(c.sign("bob", TriesGiven{Device: c.deviceID("carol")}), ErrNoSubject)
}
