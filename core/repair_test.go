package core_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"causa/core"
	"causa/hub"
	"causa/hub/hubtest"
	"causa/internal/fault"
	"causa/matter"
)

// A device that has lost a matter's keys comes back by itself.
func TestComeBack(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	id := co.start(alice, "work", bob)
	opened := fmt.Sprintf("[%d Alice Alice Bob]", matter.KindOpened)
	co.say(alice, id, "one")
	co.await(bob, id, opened, "Alice: one")
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	co.say(alice, id, "two")
	co.sync(alice)
	core.LoseGroup(t, co.options("Bob"), id)
	bob = co.open("Bob")
	co.sync(bob)
	co.say(bob, id, "I am back")
	co.say(alice, id, "three")
	lost := fmt.Sprintf("[%d Alice ]", matter.KindUnread)
	got := func() []string { co.sync(alice, bob); return co.texts(bob, id) }
	for ctx := co.ctx(); len(got()) < 5; {
		if ctx.Err() != nil {
			t.Fatalf("Bob reads %q", got())
		}
		time.Sleep(10 * time.Millisecond)
	}
	lines := got()
	if lines[2] != lost {
		t.Errorf("what was said while Bob had no keys = %q, want %q", lines[2], lost)
	}
	if tail := strings.Join(lines[3:], ", "); !strings.Contains(tail, "Bob: I am back") || !strings.Contains(tail, "Alice: three") {
		t.Errorf("Bob reads %q at the end", tail)
	}
}

// A hub that was put back to an older copy of its data is found out, and nothing that was
// said is lost on the devices.
func TestHubPutBack(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	id := co.start(alice, "work", bob)
	opened := fmt.Sprintf("[%d Alice Alice Bob]", matter.KindOpened)
	co.await(bob, id, opened)
	co.hub.Stop()
	old := t.TempDir()
	if err := os.CopyFS(filepath.Join(old, "hub"), os.DirFS(co.hub.Data())); err != nil {
		t.Fatal(err)
	}
	co.hub.Restart()
	co.say(alice, id, "after the copy")
	co.await(bob, id, opened, "Alice: after the copy")
	co.hub.Stop()
	if err := os.RemoveAll(co.hub.Data()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(old, "hub"), co.hub.Data()); err != nil {
		t.Fatal(err)
	}
	co.hub.Restart()
	ctx := co.ctx()
	for {
		if text, _ := fault.Words(bob.Status().Problem, nil); bob.Status().Problem != nil && strings.Contains(text, "earlier state") {
			break
		}
		if ctx.Err() != nil {
			t.Fatalf("Bob is not told: %v", bob.Status().Problem)
		}
		time.Sleep(10 * time.Millisecond)
	}
	co.await(bob, id, opened, "Alice: after the copy")
}

// A damaged home says so, and joining again sets it aside.
func TestDamagedHome(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	home := co.options("Bob")
	path := filepath.Join(home.Home, "main.db")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 100; i < len(b); i += 1000 {
		b[i] ^= 1
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = core.Open(co.ctx(), home)
	if text, hint := fault.Words(err, nil); !errors.Is(err, core.ErrDamaged) || text == fault.General || hint == "" {
		t.Fatalf("open a damaged home: %v", err)
	}
	inv, err := alice.InviteDevice(co.ctx(), bob.Me().Member.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	bob = co.join(inv.Link, "Bob")
	if got := bob.Me().Member.Name; got != "Bob" {
		t.Errorf("joined again as %q", got)
	}
	aside, err := filepath.Glob(path + ".damaged-*")
	if err != nil || len(aside) == 0 {
		t.Errorf("the damaged store was not set aside: %v, %v", aside, err)
	}
}

// What the hub no longer keeps is gone for a device that was away; it goes on with what
// follows, coming back into the matter when keys changed meanwhile.
func TestTrimmed(t *testing.T) {
	co, alice := found(t)
	bob, carol := co.invite(alice, "Bob"), co.invite(alice, "Carol")
	co.sync(alice)
	id := co.start(alice, "work", bob)
	opened := fmt.Sprintf("[%d Alice Alice Bob]", matter.KindOpened)
	co.await(bob, id, opened)
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	co.say(alice, id, "while Bob was away")
	co.sync(alice)
	if err := alice.AddParticipants(co.ctx(), id, []matter.MemberID{carol.Me().Member.ID}); err != nil {
		t.Fatal(err)
	}
	if err := alice.WaitParticipants(co.ctx(), id); err != nil {
		t.Fatal(err)
	}
	co.sync(alice)
	co.hub.Stop()
	trimming := hubtest.Start(t, func(o *hub.Options) {
		o.Data, o.Listen, o.Retention = co.hub.Data(), co.hub.Addr(), time.Millisecond
	})
	ctx := co.ctx()
	for co.sync(alice); core.Trimmed(t, alice, id) == 0; {
		if ctx.Err() != nil {
			t.Fatal("the hub trims nothing")
		}
		time.Sleep(10 * time.Millisecond)
	}
	trimming.Stop()
	co.hub.Restart()
	bob = co.open("Bob")
	co.sync(bob, alice)
	for !strings.Contains(strings.Join(co.texts(bob, id), ", "), "Alice: Bob is back") {
		co.say(alice, id, "Bob is back") // until Bob is
		co.sync(alice, bob)
		if ctx.Err() != nil {
			t.Fatalf("of %d lines, Bob reads none", len(co.texts(bob, id)))
		}
		time.Sleep(10 * time.Millisecond)
	}
	if slices.Contains(co.texts(bob, id), "Alice: while Bob was away") {
		t.Error("Bob reads what the hub no longer keeps")
	}
}

// A device whose store was put back to an older copy is told, because the hub has taken
// more from it than the copy knows of.
func TestStorePutBack(t *testing.T) {
	co, alice := found(t)
	id := co.start(alice, "work")
	if err := alice.Close(); err != nil {
		t.Fatal(err)
	}
	home := co.options("Alice").Home
	old := filepath.Join(t.TempDir(), "old")
	if err := os.CopyFS(old, os.DirFS(home)); err != nil {
		t.Fatal(err)
	}
	alice = co.open("Alice")
	co.say(alice, id, "after the copy")
	co.sync(alice)
	if p := alice.Status().Problem; p != nil {
		t.Errorf("a store that was not put back: %v", p)
	}
	if err := alice.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(home); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(old, home); err != nil {
		t.Fatal(err)
	}
	alice = co.open("Alice")
	co.sync(alice)
	if text, _ := fault.Words(alice.Status().Problem, nil); alice.Status().Problem == nil || !strings.Contains(text, "earlier state") {
		t.Errorf("a store that was put back: %v", alice.Status().Problem)
	}
	// What the hub has is here again, and one can go on.
	co.say(alice, id, "and on")
	co.await(alice, id, fmt.Sprintf("[%d Alice Alice]", matter.KindOpened), "Alice: after the copy", "Alice: and on")
}
