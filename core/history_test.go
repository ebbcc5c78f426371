package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causa/core"
	"causa/matter"
)

// TestHistoryEverything adds somebody to a matter in which newcomers read everything: they
// have the same matter and the same words as everybody else, and nothing calls for them.
func TestHistoryEverything(t *testing.T) {
	co, alice := found(t)
	bob, carol := co.invite(alice, "Bob"), co.invite(alice, "Carol")
	id, err := alice.OpenMatter(co.ctx(), core.NewMatter{Title: "work", With: []matter.MemberID{bob.Me().Member.ID}, History: matter.HistoryEverything})
	if err != nil {
		t.Fatal(err)
	}
	if err := alice.WaitParticipants(co.ctx(), id); err != nil {
		t.Fatal(err)
	}
	co.sync(alice, bob)
	co.say(alice, id, "one")
	co.sync(alice)
	if _, err := bob.Label(co.ctx(), id, "urgent", true); err != nil {
		t.Fatal(err)
	}
	co.say(bob, id, "two")
	co.sync(bob, alice)
	if _, err := alice.Conclude(co.ctx(), id, core.Conclusion{Decision: "yes"}); err != nil {
		t.Fatal(err)
	}
	co.sync(alice)
	if _, err := alice.Reopen(co.ctx(), id, ""); err != nil {
		t.Fatal(err)
	}
	co.sync(alice)
	if err := alice.AddParticipants(co.ctx(), id, []matter.MemberID{carol.Me().Member.ID}); err != nil {
		t.Fatal(err)
	}
	if err := alice.WaitParticipants(co.ctx(), id); err != nil {
		t.Fatal(err)
	}
	co.say(alice, id, "three")
	co.sync(alice, bob)
	// Comings and goings are of keys that Carol never had.
	lines := func(c *core.Client) []string {
		return slices.DeleteFunc(co.texts(c, id), func(line string) bool {
			return strings.HasPrefix(line, fmt.Sprintf("[%d ", matter.KindOpened)) || strings.HasPrefix(line, fmt.Sprintf("[%d ", matter.KindAdded))
		})
	}
	want := lines(alice)
	for deadline := time.Now().Add(patience / 3); !slices.Equal(lines(carol), want); co.sync(carol) {
		if time.Now().After(deadline) {
			t.Fatalf("Carol reads otherwise (-Alice +Carol):\n%s", cmp.Diff(want, lines(carol)))
		}
	}
	am, err := alice.Matter(co.ctx(), id)
	if err != nil {
		t.Fatal(err)
	}
	cm, err := carol.Matter(co.ctx(), id)
	if err != nil {
		t.Fatal(err)
	}
	if cm.Unread > 1 {
		t.Errorf("Carol has %d unread messages of before she came", cm.Unread)
	}
	am.Unread, am.Last, am.Active, cm.Unread, cm.Last, cm.Active = 0, nil, time.Time{}, 0, nil, time.Time{}
	am.Participants, cm.Participants = nil, nil
	if d := cmp.Diff(am, cm); d != "" {
		t.Errorf("Carol's matter differs (-Alice +Carol):\n%s", d)
	}
	if s := carol.Status(); s.Problem != nil {
		t.Errorf("Carol is told %v", s.Problem)
	}
}

// TestHistoryOfOneself gives a member's further device all that the member could read, also
// where newcomers read from when they come.
func TestHistoryOfOneself(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	id := co.start(alice, "work")
	co.say(alice, id, "before Bob")
	co.sync(alice)
	if err := alice.AddParticipants(co.ctx(), id, []matter.MemberID{bob.Me().Member.ID}); err != nil {
		t.Fatal(err)
	}
	if err := alice.WaitParticipants(co.ctx(), id); err != nil {
		t.Fatal(err)
	}
	co.say(alice, id, "after Bob")
	co.sync(alice, bob)
	inv, err := bob.InviteDevice(co.ctx(), matter.MemberID{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	phone := co.join(inv.Link, "phone")
	spokenOf := func(c *core.Client) []string { return spoken(co.texts(c, id)) }
	for deadline := time.Now().Add(patience / 3); !slices.Equal(spokenOf(phone), []string{"Alice: after Bob"}); co.sync(alice, bob, phone) {
		if time.Now().After(deadline) {
			t.Fatalf("the phone reads %q", spokenOf(phone))
		}
	}
}
