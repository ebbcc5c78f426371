package orglog

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causa/matter"
)

// frozenLog has the entries of the first release, one hex line each. It is never
// written again: every later program must read it, and read the same out of it.
const frozenLog = "testdata/frozen-v1.hex"

func readFrozen(t *testing.T) [][]byte { return readHex(t, frozenLog) }

func readHex(t *testing.T, path string) [][]byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var entries [][]byte
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 3*MaxEntry)
	for lines.Scan() {
		e, err := hex.DecodeString(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestFrozenLog(t *testing.T) {
	s := NewState()
	for _, b := range readFrozen(t) {
		e, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(frozenState(), dump(s)); diff != "" {
		t.Errorf("the frozen log says something else (-want +got):\n%s", diff)
	}
}

// The same keys saying the same things still make the same bytes.
func TestFrozenBytes(t *testing.T) {
	c := frozenCompany(t)
	frozen := readFrozen(t)
	if len(frozen) != len(c.log) {
		t.Fatalf("%d entries are frozen, %d are made", len(frozen), len(c.log))
	}
	for i, e := range c.log {
		if !bytes.Equal(e.Bytes(), frozen[i]) {
			t.Errorf("entry %d (%T) has other bytes than the frozen one", i, e.Statement)
		}
	}
}

// frozenCompany says everything that can be said.
func frozenCompany(t testing.TB) *company {
	c := newCompany(t)
	c.says("carol", DeviceInvited{Member: person("carol"), InviteKey: public("phone"), Expires: c.now.Add(time.Hour)})
	c.apply(c.enrolment("carol", "carol phone", "phone"))
	c.says("bob", RoleChanged{Member: person("dan"), Role: matter.RoleMember})
	c.says("dan", MemberRenamed{Member: person("dan"), Name: "丹 Müller 👩\u200d🚒"})
	c.says("bob", PolicySet{Name: "lease.hours", Value: "24"})
	c.says("alice laptop", PolicySet{Name: "quiet.floor", Value: "22:00-07:00"})
	c.says("bob", PolicySet{Name: "lease.hours"})
	c.invite("bob", "frank", matter.RoleGuest, "for frank")
	c.says("bob", InviteWithdrawn{InviteKey: public("for frank")})
	c.invite("bob", "gina", matter.RoleMember, "for gina")
	c.invite("alice laptop", "hugo", matter.RoleAdmin, "for hugo")
	c.says("carol phone", DeviceRevoked{Device: c.deviceID("carol"), Reason: "lost on the train"})
	c.says("bob", MemberLeft{Member: person("eve"), Reason: "switched off"})
	c.says("alice laptop", MemberLeft{Member: person("bob")})
	return c
}

func each(entries [][]byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, b := range entries {
			if !yield(b, nil) {
				return
			}
		}
	}
}

func TestRestore(t *testing.T) {
	c := frozenCompany(t)
	entries := readFrozen(t)
	s, err := Restore(each(entries), c.s.Head())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dump(c.s), dump(s)); diff != "" {
		t.Errorf("restored to something else:\n%s", diff)
	}
	if _, err := Restore(each(entries[:len(entries)-1]), c.s.Head()); !errors.Is(err, ErrChain) {
		t.Errorf("without the last entry: %v", err)
	}
	if _, err := Restore(each(entries[1:]), c.s.Head()); !errors.Is(err, ErrOrder) {
		t.Errorf("without the first entry: %v", err)
	}
	// It does not look at signatures, but at the head, which covers them too.
	for i := range entries {
		entries[i][len(entries[i])-1] ^= 1
		if _, err := Restore(each(entries), c.s.Head()); !errors.Is(err, ErrChain) {
			t.Errorf("entry %d changed: %v", i, err)
		}
		entries[i][len(entries[i])-1] ^= 1
	}
	disk := errors.New("disk")
	if _, err := Restore(func(yield func([]byte, error) bool) { yield(nil, disk) }, Hash{}); !errors.Is(err, disk) {
		t.Errorf("unreadable: %v", err)
	}
	if s, err := Restore(each(nil), Hash{}); err != nil || s.Next() != 0 {
		t.Errorf("an empty log: %v", err)
	}
}

// frozenState is what the frozen log says, written out by hand.
func frozenState() snapshot {
	member := func(name string, role matter.Role, joined, left bool) matter.Member {
		return matter.Member{ID: person(name), Name: name, Role: role, Joined: joined, Left: left}
	}
	device := func(name, of string, second int, revoked bool) matter.Device {
		return matter.Device{
			ID: matter.DeviceOf(public(name)), Member: person(of), Name: name,
			Enrolled: start.Add(time.Duration(second) * time.Second), Revoked: revoked,
		}
	}
	alice, dan := member("alice", matter.RoleOwner, true, false), member("dan", matter.RoleMember, true, false)
	alice.Name, dan.Name = "Alice", "丹 Müller 👩\u200d🚒"
	laptop := device("alice laptop", "alice", 0, false)
	laptop.Name = "laptop"

	invites := map[string]string{}
	invite := func(keyName, of string, index int, why Rule) {
		expires := start.Add(time.Hour + time.Duration(index)*time.Second)
		invites[hex.EncodeToString(public(keyName))] = fmt.Sprintf("%d %d %v %v %v", index, why, why == 0, person(of), expires)
	}
	invite("invite for bob", "bob", 1, ErrInviteUsed)
	invite("invite for carol", "carol", 3, ErrInviteUsed)
	invite("invite for dan", "dan", 5, ErrInviteUsed)
	invite("invite for eve", "eve", 7, ErrInviteUsed)
	invite("phone", "carol", 9, ErrInviteUsed)
	invite("for frank", "frank", 16, ErrInviteWithdrawn)
	invite("for gina", "gina", 18, ErrInviteWithdrawn) // bob made it, and left
	invite("for hugo", "hugo", 19, 0)

	return snapshot{
		Head: "23 cd1b55fd3311fa5a1ca0861c43f77d423422c15b1eb2cac66c121045d2544b41",
		Time: start.Add(22 * time.Second), Organisation: "Acme 事务所",
		Members: []matter.Member{
			alice, member("bob", matter.RoleAdmin, true, true), member("carol", matter.RoleMember, true, false), dan,
			member("eve", matter.RoleBot, true, true), member("frank", matter.RoleGuest, false, false),
			member("gina", matter.RoleMember, false, false), member("hugo", matter.RoleAdmin, false, false),
		},
		Devices: []matter.Device{
			laptop, device("bob", "bob", 2, true), device("carol", "carol", 4, true),
			device("carol phone", "carol", 10, false), device("dan", "dan", 6, false), device("eve", "eve", 8, true),
		},
		Invites: invites, Policies: map[string]string{"quiet.floor": "22:00-07:00"},
	}
}
