package core_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causa/core"
	"causa/internal/fault"
	"causa/matter"
)

// A device that is online is wiped within moments, says why, and gives its receipt.
func TestWipeOnline(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	id := co.start(alice, "work", bob)
	for n := range 200 {
		co.say(alice, id, fmt.Sprintf("canary-%d-乌鸦", n))
	}
	co.sync(bob)
	began, shut := make(chan core.Wiping, 1), make(chan error, 1)
	bob.Subscribe(func(e core.Event) {
		switch e := e.(type) {
		case core.WipeBegins:
			began <- e.Wiping
		case core.Shut:
			shut <- e.Reason
		}
	})
	order, err := alice.OrderWipe(co.ctx(), core.WipeOrder{Member: bob.Me().Member.ID, Reason: "phone lost"})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case w := <-began:
		if w.By != "Alice" || w.Reason != "phone lost" {
			t.Errorf("the device shows %+v", w)
		}
	case <-time.After(patience):
		t.Fatal("the device does not hear of the order")
	}
	select {
	case err := <-shut:
		if !errors.Is(err, core.ErrWiped) {
			t.Errorf("shut: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the wipe does not end")
	}
	if _, err := bob.Matters(co.ctx()); !errors.Is(err, core.ErrWiped) {
		t.Errorf("a wiped client still answers: %v", err)
	}
	co.awaitStage(alice, order, core.WipeReceipted)
	if err := bob.Close(); err != nil {
		t.Error(err)
	}
	co.nothingLeft("Bob")
	if _, err := core.Open(co.ctx(), co.options("Bob")); !errors.Is(err, core.ErrWiped) {
		t.Errorf("a wiped home opens: %v", err)
	}
	var words *fault.Error
	_, err = core.Open(co.ctx(), co.options("Bob"))
	if !errors.As(err, &words) || !strings.Contains(fmt.Sprintf(words.Text, words.TextArgs...), "Alice took its data back") {
		t.Errorf("the wiped home says %v", err)
	}
}

func (co *company) awaitStage(c *core.Client, order uint64, want core.WipeStage) {
	co.t.Helper()
	var got core.WipeStage
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		co.sync(c)
		all, err := c.Wipes(co.ctx())
		if err != nil {
			co.t.Fatal(err)
		}
		for _, w := range all {
			if w.Order == order {
				got = w.Stage
			}
		}
		if got == want {
			return
		}
	}
	co.t.Fatalf("order %d is at %q, want %q", order, got, want)
}

// nothingLeft fails unless a home has only the note of its wipe, with no key in it.
func (co *company) nothingLeft(name string) {
	co.t.Helper()
	w, err := core.ReadWiping(co.options(name).Home)
	if err != nil || w == nil || !w.Receipted() || w.Identity != nil {
		co.t.Errorf("the note of the wipe is %+v, %v", w, err)
	}
	err = filepath.WalkDir(co.options(name).Home, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && e.Name() != "wiped.json" && e.Name() != "lock" {
			co.t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		co.t.Error(err)
	}
}

// Attack: the power is cut while a device is wiped, after any part of the files is gone. The
// next start goes on: what can still be opened is never shown again.
func TestWipeSurvivesPowerLoss(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	id := co.start(alice, "work", bob)
	co.say(alice, id, "secret")
	co.sync(bob)
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	order, err := alice.OrderWipe(co.ctx(), core.WipeOrder{Member: bob.Me().Member.ID, Reason: "gone"})
	if err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(co.dir, "image")
	if err := os.CopyFS(image, os.DirFS(co.options("Bob").Home)); err != nil {
		t.Fatal(err)
	}
	note := core.BeginWipe(t, core.Options{Home: image})
	files := filesIn(t, image)
	if len(files) < 2 {
		t.Fatalf("only %v in a home", files)
	}
	for n := range 2*len(files) + 1 {
		home := fmt.Sprintf("cut-%d", n)
		dir := co.options(home).Home
		if err := os.CopyFS(dir, os.DirFS(image)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "wiped.json"), note, 0o600); err != nil {
			t.Fatal(err)
		}
		for i, name := range files { // the first n/2 are removed, the next one overwritten
			path := filepath.Join(dir, name)
			if i < n/2 {
				err = os.Remove(path)
			} else if i == n/2 && n%2 == 1 {
				err = os.WriteFile(path, bytes.Repeat([]byte{0xa5}, 100), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := core.Open(co.ctx(), co.options(home)); !errors.Is(err, core.ErrWiped) {
			t.Errorf("cut %d: %v", n, err)
		}
		co.nothingLeft(home)
	}
	co.awaitStage(alice, order, core.WipeReceipted)
}

func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && e.Name() != "lock" {
			rel, _ := filepath.Rel(dir, path)
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// A wipe whose receipt can't be delivered destroys all the same and brings it later.
func TestWipeWithoutHub(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice, bob)
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	order, err := alice.OrderWipe(co.ctx(), core.WipeOrder{Member: bob.Me().Member.ID, Reason: "gone"})
	if err != nil {
		t.Fatal(err)
	}
	home := co.options("Bob")
	note := core.BeginWipe(t, home)
	if err := os.WriteFile(filepath.Join(home.Home, "wiped.json"), note, 0o600); err != nil {
		t.Fatal(err)
	}
	inv, err := alice.Invite(co.ctx(), core.InviteRequest{Name: "Eve"})
	if err != nil {
		t.Fatal(err)
	}
	co.hub.Stop()
	if _, err := core.Open(co.ctx(), home); !errors.Is(err, core.ErrWiped) {
		t.Errorf("without the hub: %v", err)
	}
	if left := filesIn(t, home.Home); len(left) != 1 {
		t.Errorf("left without the hub: %v", left)
	}
	// Nobody can make a new account on top before the organisation has its word.
	if _, err := core.Join(co.ctx(), home, core.JoinRequest{Link: inv.Link, Name: "Eve"}); !errors.Is(err, core.ErrWiped) {
		t.Errorf("joining a home whose wipe is not over: %v", err)
	}
	co.hub.Restart()
	if _, err := core.Open(co.ctx(), home); !errors.Is(err, core.ErrWiped) {
		t.Errorf("with the hub again: %v", err)
	}
	co.nothingLeft("Bob")
	co.awaitStage(alice, order, core.WipeReceipted)
}

// Attack: an order that has expired is shown to a device. It takes nothing.
func TestExpiredWipe(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	id := co.start(alice, "work", bob)
	co.say(alice, id, "still here")
	co.sync(bob)
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	order := core.OrderExpiring(t, alice, bob.Me().Member.ID, id, time.Now().Add(time.Second))
	time.Sleep(1200 * time.Millisecond)
	bob = co.open("Bob")
	co.sync(bob)
	if m, err := bob.Matter(co.ctx(), id); err != nil || m.Title != "work" {
		t.Errorf("an expired order took the matter: %v", err)
	}
	all, err := alice.Wipes(co.ctx())
	if err != nil || all[0].Order != order || all[0].Stage == core.WipeReceipted {
		t.Errorf("wipes = %+v, %v", all, err)
	}
}

func TestWipeRefusals(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice, bob)
	for what, err := range map[string]error{
		"by a member":       order(bob, core.WipeOrder{Member: alice.Me().Member.ID, Reason: "coup"}),
		"of oneself":        order(alice, core.WipeOrder{Device: alice.Me().Device.ID, Reason: "oops"}),
		"of nobody":         order(alice, core.WipeOrder{Reason: "oops"}),
		"of a stranger":     order(alice, core.WipeOrder{Member: matter.NewMemberID(), Reason: "oops"}),
		"without a reason":  order(alice, core.WipeOrder{Member: bob.Me().Member.ID}),
		"for no time":       order(alice, core.WipeOrder{Member: bob.Me().Member.ID, Reason: "x", Expires: time.Second}),
		"approving nothing": alice.ApproveWipe(t.Context(), 77),
	} {
		var words *fault.Error
		if !errors.As(err, &words) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := bob.Matters(co.ctx()); err != nil {
		t.Error(err)
	}
}

func order(c *core.Client, o core.WipeOrder) error {
	_, err := c.OrderWipe(context.Background(), o)
	return err
}
