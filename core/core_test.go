package core_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"causa/core"
	"causa/internal/fault"
	"causa/matter"
)

func TestTalk(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	id := co.start(alice, "供货合同", bob)
	co.say(alice, id, "hello")
	co.sync(alice)
	opened := fmt.Sprintf("[%d Alice Alice Bob]", matter.KindOpened)
	co.await(bob, id, opened, "Alice: hello")
	co.say(bob, id, "你好")
	co.await(alice, id, opened, "Alice: hello", "Bob: 你好")

	m, err := bob.Matter(co.ctx(), id)
	if err != nil {
		t.Fatal(err)
	}
	if m.Title != "供货合同" || m.Unread != 1 || len(m.Participants) != 2 {
		t.Errorf("Bob's matter = %+v", m)
	}
	if err := bob.MarkRead(co.ctx(), id, m.Last.Seq); err != nil {
		t.Fatal(err)
	}
	if m, _ = bob.Matter(co.ctx(), id); m.Unread != 0 {
		t.Errorf("unread after reading = %d", m.Unread)
	}
}

func TestAddAndRemove(t *testing.T) {
	co, alice := found(t)
	bob, carol := co.invite(alice, "Bob"), co.invite(alice, "Carol")
	co.sync(alice)
	id := co.start(alice, "work", bob)
	co.say(alice, id, "before Carol")
	co.sync(alice)

	if err := alice.AddParticipants(co.ctx(), id, []matter.MemberID{carol.Me().Member.ID}); err != nil {
		t.Fatal(err)
	}
	if err := alice.WaitParticipants(co.ctx(), id); err != nil {
		t.Fatal(err)
	}
	co.say(alice, id, "with Carol")
	added := fmt.Sprintf("[%d Alice Carol]", matter.KindAdded)
	opened := fmt.Sprintf("[%d Alice Alice Bob]", matter.KindOpened)
	co.await(bob, id, opened, "Alice: before Carol", added, "Alice: with Carol")
	// Whoever is brought in later sees the matter from there on.
	co.await(carol, id, added, fmt.Sprintf("[%d Alice Alice Bob Carol]", matter.KindOpened), "Alice: with Carol")

	if err := alice.RemoveParticipant(co.ctx(), id, carol.Me().Member.ID); err != nil {
		t.Fatal(err)
	}
	if err := alice.WaitParticipants(co.ctx(), id); err != nil {
		t.Fatal(err)
	}
	co.say(alice, id, "without Carol")
	removed := fmt.Sprintf("[%d Alice Carol]", matter.KindRemoved)
	co.await(bob, id, opened, "Alice: before Carol", added, "Alice: with Carol", removed, "Alice: without Carol")
	co.await(carol, id, added, fmt.Sprintf("[%d Alice Alice Bob Carol]", matter.KindOpened), "Alice: with Carol", removed)
	if _, err := carol.Send(co.ctx(), id, "let me in"); err == nil {
		t.Error("Carol could send after she was removed")
	}

	// Back again, she reads on.
	if err := alice.AddParticipants(co.ctx(), id, []matter.MemberID{carol.Me().Member.ID}); err != nil {
		t.Fatal(err)
	}
	if err := alice.WaitParticipants(co.ctx(), id); err != nil {
		t.Fatal(err)
	}
	co.say(alice, id, "back")
	co.await(carol, id, added, fmt.Sprintf("[%d Alice Alice Bob Carol]", matter.KindOpened), "Alice: with Carol", removed, added, "Alice: back")
}

func TestOnlyTheOwnerRemoves(t *testing.T) {
	co, alice := found(t)
	bob, carol := co.invite(alice, "Bob"), co.invite(alice, "Carol")
	co.sync(alice)
	id := co.start(alice, "work", bob, carol)
	co.await(bob, id, fmt.Sprintf("[%d Alice Alice Bob Carol]", matter.KindOpened))
	if err := bob.RemoveParticipant(co.ctx(), id, carol.Me().Member.ID); err == nil {
		t.Error("Bob could remove Carol from Alice's matter")
	}
}

// What is said while the hub is away is sent when it is back, in order, once.
func TestOffline(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	id := co.start(alice, "work", bob)
	opened := fmt.Sprintf("[%d Alice Alice Bob]", matter.KindOpened)
	co.await(bob, id, opened)

	co.hub.Stop()
	want := []string{opened}
	for i := range 5 {
		text := fmt.Sprintf("said offline %d", i)
		co.say(alice, id, text)
		want = append(want, "Alice: "+text)
	}
	offline, err := alice.OpenMatter(co.ctx(), core.NewMatter{Title: "begun offline", With: []matter.MemberID{bob.Me().Member.ID}})
	if err != nil {
		t.Fatalf("open a matter offline: %v", err)
	}
	co.say(alice, offline, "and talked in")
	if err := alice.Close(); err != nil { // a restart keeps it all
		t.Fatal(err)
	}
	co.hub.Restart()
	alice = co.open("Alice")
	co.await(bob, id, want...)
	co.await(bob, offline, opened, "Alice: and talked in")
	co.sync(alice)
	co.await(alice, id, want...)
}

// Everybody talks at once while membership changes: all see the same order, all of it.
func TestConcurrentTalk(t *testing.T) {
	co, alice := found(t)
	people := []*core.Client{alice, co.invite(alice, "Bob"), co.invite(alice, "Carol"), co.invite(alice, "Dave")}
	co.sync(people...)
	id := co.start(alice, "work", people[1], people[2])
	co.await(people[2], id, fmt.Sprintf("[%d Alice Alice Bob Carol]", matter.KindOpened))
	const each = 40
	errs := make(chan error, 3)
	for _, c := range people[:3] {
		go func() {
			for i := range each {
				if _, err := c.Send(context.Background(), id, fmt.Sprintf("%s says %d", c.Me().Member.Name, i)); err != nil {
					errs <- err
					return
				}
				if i == each/2 && c == alice {
					if err := c.AddParticipants(context.Background(), id, []matter.MemberID{people[3].Me().Member.ID}); err != nil {
						errs <- err
						return
					}
				}
			}
			errs <- nil
		}()
	}
	for range 3 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	co.sync(people...)
	deadline := time.Now().Add(patience)
	var first []string
	for {
		co.sync(people...)
		if first = co.texts(alice, id); len(first) >= 3*each+2 || time.Now().After(deadline) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if len(first) != 3*each+2 {
		t.Fatalf("Alice has %d lines, want %d", len(first), 3*each+2)
	}
	co.await(people[1], id, first...)
	co.await(people[2], id, first...)
	dave := co.texts(people[3], id)
	tail := 0
	for _, line := range dave {
		if strings.Contains(line, " says ") {
			tail++
		}
	}
	if tail == 0 {
		t.Error("Dave, who came in the middle, reads nothing")
	}
}

// A revoked device is out at once, and the others remove it from what it was in.
func TestRevokedDevice(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	id := co.start(alice, "work", bob)
	opened := fmt.Sprintf("[%d Alice Alice Bob]", matter.KindOpened)
	co.await(bob, id, opened)
	if err := alice.RevokeDevice(co.ctx(), bob.Me().Device.ID, "lost"); err != nil {
		t.Fatal(err)
	}
	co.say(alice, id, "after the loss")
	co.await(alice, id, opened, fmt.Sprintf("[%d Alice Bob]", matter.KindRemoved), "Alice: after the loss")
	for _, line := range co.texts(bob, id) {
		if strings.Contains(line, "after the loss") {
			t.Error("the revoked device reads on")
		}
	}
	if _, err := bob.Invite(co.ctx(), core.InviteRequest{Name: "Eve"}); err == nil {
		t.Error("the revoked device could invite")
	}
}

// A further device of a participant comes into the member's matters by itself.
func TestSecondDevice(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	id := co.start(alice, "work", bob)
	co.await(bob, id, fmt.Sprintf("[%d Alice Alice Bob]", matter.KindOpened))
	inv, err := bob.InviteDevice(co.ctx(), matter.MemberID{}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	phone, err := core.Join(co.ctx(), co.options("phone"), core.JoinRequest{Link: inv.Link, Device: "phone"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = phone.Close() })
	if got, want := phone.Me().Member, bob.Me().Member.ID; got.ID != want {
		t.Fatalf("the phone is %s's", got.Name)
	}
	ctx := co.ctx()
	for {
		if m, err := phone.Matter(ctx, id); err == nil && m.Title == "work" {
			break
		}
		if ctx.Err() != nil {
			t.Fatal("the phone never gets the matter")
		}
		time.Sleep(10 * time.Millisecond)
	}
	co.say(phone, id, "from the phone")
	// Everybody sees that there is another device, whichever of the others let it in.
	device := fmt.Sprintf("[%d Bob Bob]", matter.KindDevice)
	if lines := co.texts(phone, id); len(lines) > 0 && strings.Contains(lines[0], "Alice") {
		device = fmt.Sprintf("[%d Alice Bob]", matter.KindDevice)
	}
	co.await(alice, id, fmt.Sprintf("[%d Alice Alice Bob]", matter.KindOpened), device, "Bob: from the phone")
}

func TestBadInvites(t *testing.T) {
	co, alice := found(t)
	inv, err := alice.Invite(co.ctx(), core.InviteRequest{Name: "Bob"})
	if err != nil {
		t.Fatal(err)
	}
	founding := strings.Replace(inv.Link, "causa://join", "causa://found", 1)
	co.join(inv.Link, "Bob")
	for name, link := range map[string]string{
		"used":       inv.Link,
		"truncated":  inv.Link[:len(inv.Link)-7],
		"not a link": "https://example.org",
		"retyped":    founding,
		"empty":      "",
	} {
		home := co.options("bad " + name)
		_, err := core.Join(co.ctx(), home, core.JoinRequest{Link: link, Name: "Mallory"})
		if err == nil {
			t.Errorf("%s: joined", name)
			continue
		}
		text, hint := fault.Words(err, nil)
		if text == fault.General || hint == "" {
			t.Errorf("%s: no words: %v", name, err)
		}
		if _, err := core.Open(co.ctx(), home); !errors.Is(err, core.ErrNoAccount) {
			t.Errorf("%s: something of the account is left: %v", name, err)
		}
	}
	if _, err := core.Open(co.ctx(), co.options("Alice")); err == nil {
		t.Error("a second client opened the same home")
	} else if text, _ := fault.Words(err, nil); text == fault.General {
		t.Errorf("second client: no words: %v", err)
	}
}

func TestAudit(t *testing.T) {
	co, alice := found(t)
	co.invite(alice, "Bob")
	co.sync(alice)
	lines, err := alice.Audit(co.ctx())
	if err != nil {
		t.Fatal(err)
	}
	var what []string
	for _, l := range lines {
		what = append(what, l.What)
	}
	if got, want := strings.Join(what, ", "), "founded, hub key set, member invited, device enrolled"; got != want {
		t.Errorf("audit = %s, want %s", got, want)
	}
}

// Somebody who is invited and has not joined comes into a matter when they do.
func TestInvitedParticipant(t *testing.T) {
	co, alice := found(t)
	inv, err := alice.Invite(co.ctx(), core.InviteRequest{Name: "Bob"})
	if err != nil {
		t.Fatal(err)
	}
	id, err := alice.OpenMatter(co.ctx(), core.NewMatter{Title: "work", With: []matter.MemberID{inv.Member}})
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := fault.Words(alice.WaitParticipants(co.ctx(), id), nil); !strings.Contains(text, "can't be added yet") {
		t.Errorf("waiting for somebody without a device: %q", text)
	}
	bob := co.join(inv.Link, "Bob")
	ctx := co.ctx()
	for {
		if m, err := bob.Matter(ctx, id); err == nil && m.Title == "work" {
			break
		}
		if ctx.Err() != nil {
			t.Fatal("Bob never gets the matter")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestConclude(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	id := co.start(alice, "work", bob)
	co.say(alice, id, "60 or 45 days?")
	opened := fmt.Sprintf("[%d Alice Alice Bob]", matter.KindOpened)
	co.await(bob, id, opened, "Alice: 60 or 45 days?")
	if _, err := bob.Conclude(co.ctx(), id, core.Conclusion{Decision: "mine"}); err == nil {
		t.Error("Bob could conclude Alice's matter")
	}
	want := core.Conclusion{Decision: "60 days", Facts: []matter.Fact{{Name: "账期", Value: "60 天"}}}
	if _, err := alice.Conclude(co.ctx(), id, want); err != nil {
		t.Fatal(err)
	}
	concluded := fmt.Sprintf("[%d Alice ]", matter.KindConcluded)
	co.await(alice, id, opened, "Alice: 60 or 45 days?", concluded)
	co.await(bob, id, opened, "Alice: 60 or 45 days?", concluded)
	m, err := bob.Matter(co.ctx(), id)
	if err != nil {
		t.Fatal(err)
	}
	if m.State != matter.StateConcluded || m.Last.Text != want.Decision || len(m.Last.Facts) != 1 || m.Last.Facts[0] != want.Facts[0] {
		t.Errorf("Bob's matter: state %v, last %+v", m.State, m.Last)
	}
	for _, c := range []*core.Client{alice, bob} {
		if p := c.Status().Problem; p != nil {
			t.Errorf("%s: %v", c.Me().Member.Name, p)
		}
		if _, err := c.Send(co.ctx(), id, "one more thing"); err == nil {
			t.Errorf("%s could write in a concluded matter", c.Me().Member.Name)
		}
	}
	if _, err := alice.Conclude(co.ctx(), id, want); err == nil {
		t.Error("a concluded matter was concluded again")
	}
	if _, err := alice.Reopen(co.ctx(), id, "they want 75"); err != nil {
		t.Fatal(err)
	}
	reopened := fmt.Sprintf("[%d Alice ]", matter.KindReopened)
	co.await(bob, id, opened, "Alice: 60 or 45 days?", concluded, reopened)
	co.say(bob, id, "on we go")
	co.await(alice, id, opened, "Alice: 60 or 45 days?", concluded, reopened, "Bob: on we go")
}
