package orglog

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causa/internal/fault"
	"causa/matter"
)

// start is when the logs of these tests begin.
var start = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// key returns the key of that name, always the same one.
func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("orglog test key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(name string) ed25519.PublicKey { return publicOf(key(name)) }

// person returns the member of that name, always the same one.
func person(name string) (id matter.MemberID) {
	sum := sha256.Sum256([]byte("orglog test member " + name))
	copy(id[:], sum[:])
	return id
}

// A company is a log under test. Devices and invites go by the names of their keys.
type company struct {
	t   testing.TB
	s   *State
	now time.Time
	log []*Entry
}

// newCompany returns a log with the owner alice on "alice laptop", the admin bob, the
// member carol, the guest dan and the bot eve, each on the device of their name.
func newCompany(t testing.TB) *company {
	t.Helper()
	c := &company{t: t, s: NewState(), now: start}
	c.apply(c.sign("alice laptop", Founded{
		Organisation: "Acme 事务所", Member: person("alice"), Name: "Alice",
		DeviceKey: public("alice laptop"), DeviceName: "laptop",
	}))
	c.hire("alice laptop", "bob", matter.RoleAdmin)
	c.hire("alice laptop", "carol", matter.RoleMember)
	c.hire("alice laptop", "dan", matter.RoleGuest)
	c.hire("alice laptop", "eve", matter.RoleBot)
	return c
}

// sign makes the next entry without checking it.
func (c *company) sign(device string, st Statement) *Entry {
	c.t.Helper()
	e, err := Sign(key(device), c.s.Next(), c.s.Head(), c.now, st)
	if err != nil {
		c.t.Fatalf("sign %T: %v", st, err)
	}
	return e
}

func (c *company) apply(e *Entry) {
	c.t.Helper()
	if err := c.s.Apply(e); err != nil {
		c.t.Fatalf("apply %T at %d: %v", e.Statement, e.Index, err)
	}
	c.log = append(c.log, e)
	c.now = c.now.Add(time.Second)
}

// says applies what a device says.
func (c *company) says(device string, st Statement) {
	c.t.Helper()
	c.apply(c.sign(device, st))
}

// invite makes the invite with the key of the given name, for an hour.
func (c *company) invite(by, name string, role matter.Role, inviteKey string) {
	c.t.Helper()
	c.says(by, MemberInvited{
		Member: person(name), Name: name, Role: role,
		InviteKey: public(inviteKey), Expires: c.now.Add(time.Hour),
	})
}

// enrolment makes the entry by which a device uses an invite, without checking it.
func (c *company) enrolment(name, device, inviteKey string) *Entry {
	c.t.Helper()
	e, err := SignEnrolment(key(device), key(inviteKey), c.s.OrgID(), c.s.Next(), c.s.Head(), c.now,
		DeviceEnrolled{Member: person(name), DeviceName: device})
	if err != nil {
		c.t.Fatalf("sign enrolment: %v", err)
	}
	return e
}

// hire brings a member in, on a device of the same name.
func (c *company) hire(by, name string, role matter.Role) {
	c.t.Helper()
	c.invite(by, name, role, "invite for "+name)
	c.apply(c.enrolment(name, name, "invite for "+name))
}

func (c *company) deviceID(name string) matter.DeviceID { return matter.DeviceOf(public(name)) }

// refuses fails unless e breaks the rule and leaves the state as it was.
func (c *company) refuses(e *Entry, want Rule) {
	c.t.Helper()
	before := dump(c.s)
	err := c.s.Apply(e)
	var broken *RuleError
	if !errors.As(err, &broken) || !errors.Is(err, want) || broken.Rule != want {
		c.t.Errorf("apply %T: %v, want %v", e.Statement, err, want)
	}
	if text, _ := fault.Words(err, nil); text == fault.General {
		c.t.Errorf("no words for %v", err)
	}
	if diff := cmp.Diff(before, dump(c.s)); diff != "" {
		c.t.Errorf("refused, but the state changed:\n%s", diff)
	}
}

// A snapshot is all there is to know about a state.
type snapshot struct {
	Head         string
	Time         time.Time
	Organisation string
	Members      []matter.Member
	Devices      []matter.Device
	Invites      map[string]string
	Policies     map[string]string
	Wipes        []Wipe
	HubKey       string
}

func dump(s *State) snapshot {
	d := snapshot{
		Head: fmt.Sprintf("%d %v", s.Next(), s.Head()), Time: s.Time(), Organisation: s.Organisation(),
		Members: s.Members(), Devices: s.Devices(), Policies: s.Policies(), Invites: map[string]string{},
		HubKey: hex.EncodeToString(s.HubKey()),
	}
	if wipes := s.Wipes(); len(wipes) > 0 {
		d.Wipes = wipes
	}
	for k, i := range s.invites {
		_, open := s.open[k]
		d.Invites[hex.EncodeToString(k[:])] = fmt.Sprintf("%d %d %v %v %v", i.Index, i.status, open, i.Member, i.Expires)
	}
	return d
}
