package core_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"causa/core"
)

// A memoryKeystore is a system that keeps secrets.
type memoryKeystore struct {
	mu      sync.Mutex
	secrets map[string][]byte
}

func newKeystore() *memoryKeystore { return &memoryKeystore{secrets: map[string][]byte{}} }

func (k *memoryKeystore) Secret(name string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return bytes.Clone(k.secrets[name]), nil
}

func (k *memoryKeystore) SetSecret(name string, b []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.secrets[name] = bytes.Clone(b)
	return nil
}

func (k *memoryKeystore) DropSecret(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.secrets, name)
	return nil
}

// A locker is a home with a passcode.
type locker struct {
	*company
	opts core.Options
}

// lock closes a client and gives its home a passcode.
func (co *company) lock(c *core.Client, home, passcode string, ks core.Keystore) *locker {
	co.t.Helper()
	if err := c.Close(); err != nil {
		co.t.Fatal(err)
	}
	l := &locker{co, co.options(home)}
	l.opts.Keystore = ks
	if err := core.SetPasscode(co.ctx(), l.opts, []byte(passcode)); err != nil {
		co.t.Fatalf("set a passcode: %v", err)
	}
	return l
}

// try opens the home and closes it again.
func (l *locker) try(passcode string) error {
	l.t.Helper()
	o := l.opts
	o.Passcode = []byte(passcode)
	c, err := core.Open(l.ctx(), o)
	if err != nil {
		return err
	}
	return c.Close()
}

func (l *locker) wants(passcode string, want error) {
	l.t.Helper()
	if err := l.try(passcode); !errors.Is(err, want) {
		l.t.Fatalf("open with %q: %v, want %v", passcode, err, want)
	}
}

// copyHome copies a folder as a thief would, with the machine off.
func copyHome(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func TestPasscode(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	id := co.start(alice, "work", bob)
	co.sync(bob)
	l := co.lock(bob, "Bob", "first passcode", nil)

	l.wants("", core.ErrLocked)
	l.wants("first passcodf", core.ErrPasscode)
	l.wants("first passcode", nil)
	if _, err := os.Stat(filepath.Join(l.opts.Home, "store.key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the key is still there in the clear: %v", err)
	}

	o := l.opts
	o.Passcode = []byte("first passcode")
	if err := core.SetPasscode(co.ctx(), o, []byte("short")); !errors.Is(err, core.ErrWeak) {
		t.Errorf("a short passcode: %v", err)
	}
	if err := core.SetPasscode(co.ctx(), o, []byte("second passcode")); err != nil {
		t.Fatal(err)
	}
	l.wants("first passcode", core.ErrPasscode)
	l.wants("second passcode", nil)

	if _, err := alice.Send(co.ctx(), id, "hello"); err != nil {
		t.Fatal(err)
	}
	o.Passcode = []byte("second passcode")
	c, err := core.Open(co.ctx(), o)
	if err != nil {
		t.Fatal(err)
	}
	co.sync(alice, c)
	if ms, err := c.Messages(co.ctx(), id, core.Page{}); err != nil || len(ms) == 0 {
		t.Errorf("%d messages, %v", len(ms), err)
	}
	if k := c.Lock(); !k.Passcode || k.Lease != 0 {
		t.Errorf("lock = %+v", k)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}

	if err := core.ClearPasscode(co.ctx(), o); err != nil {
		t.Fatal(err)
	}
	l.wants("", nil)
	if ok, err := core.HasPasscode(l.opts.Home); ok || err != nil {
		t.Errorf("there is still a passcode: %v", err)
	}
}

// attack: a copy of the disk, made earlier, with the right passcode known
func TestOldImage(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	l := co.lock(bob, "Bob", "passcode", nil)
	old := filepath.Join(co.dir, "image")
	copyHome(t, l.opts.Home, old)
	l.wants("passcode", nil) // the hub's key moves on
	thief := &locker{co, core.Options{Home: old}}
	thief.wants("passcode", core.ErrDestroyed)
	l.wants("passcode", nil)
}

// attack: the disk alone, without the hub, and without the system's keystore
func TestImageAlone(t *testing.T) {
	co, alice := found(t)
	ks := newKeystore()
	l := co.lock(co.invite(alice, "Bob"), "Bob", "passcode", ks)
	l.wants("passcode", nil)
	co.hub.Stop()
	l.wants("passcode", nil) // the lease
	image := filepath.Join(co.dir, "image")
	copyHome(t, l.opts.Home, image)
	thief := &locker{co, core.Options{Home: image}}
	if err := thief.try("passcode"); err == nil {
		t.Error("a copied folder opens without its keystore")
	}
	thief.opts.Keystore = newKeystore()
	if err := thief.try("passcode"); err == nil {
		t.Error("a copied folder opens with another keystore")
	}
	if err := core.Forget(l.opts); err != nil {
		t.Fatal(err)
	}
	l.wants("passcode", core.ErrOffline)
}

// attack: guess under the lease, where the hub does not count
func TestGuessesUnderLease(t *testing.T) {
	co, alice := found(t)
	l := co.lock(co.invite(alice, "Bob"), "Bob", "passcode", newKeystore())
	l.wants("passcode", nil)
	co.hub.Stop()
	for range 5 {
		l.wants("guess", core.ErrPasscode)
	}
	l.wants("passcode", core.ErrOffline) // the lease is over: the hub counts from now on
	co.hub.Restart()
	l.wants("passcode", nil)
}

// attack: the key file from before there was a passcode, put back into the home
func TestOldKeyFile(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	key, err := os.ReadFile(filepath.Join(co.options("Bob").Home, "store.key"))
	if err != nil {
		t.Fatal(err)
	}
	l := co.lock(bob, "Bob", "passcode", nil)
	if err := os.WriteFile(filepath.Join(l.opts.Home, "store.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	l.wants("", core.ErrLocked)
	l.wants("passcode", nil)
	if _, err := os.Stat(filepath.Join(l.opts.Home, "store.key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old key file stays: %v", err)
	}
}

// A crash while the passcode is set leaves the home without one, and open.
func TestCrashBeforeRekey(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	before := filepath.Join(co.dir, "before")
	home := co.options("Bob").Home
	copyHome(t, home, before)
	l := &locker{co, co.options("Bob")}
	if err := core.SetPasscode(co.ctx(), l.opts, []byte("passcode")); err != nil {
		t.Fatal(err)
	}
	// What a crash before the store was put under its new key leaves behind.
	for _, name := range []string{"main.db", "store.key"} {
		b, err := os.ReadFile(filepath.Join(before, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l.wants("", nil)
	if ok, err := core.HasPasscode(home); ok || err != nil {
		t.Errorf("the slot that does not count stays: %v", err)
	}
}

// Who has forgotten the passcode comes back as a new device, by an invite.
func TestReplaceLockedHome(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	member := bob.Me().Member.ID
	l := co.lock(bob, "Bob", "forgotten", nil)
	inv, err := alice.InviteDevice(co.ctx(), member, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := core.JoinRequest{Link: inv.Link, Device: "laptop"}
	if _, err := core.Join(co.ctx(), l.opts, r); !errors.Is(err, core.ErrLocked) {
		t.Fatalf("join over a locked account: %v", err)
	}
	r.Replace = true
	c, err := core.Join(co.ctx(), l.opts, r)
	if err != nil {
		t.Fatal(err)
	}
	co.sync(c)
	if me := c.Me(); me.Member.ID != member {
		t.Errorf("came back as %v", me.Member.Name)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	l.wants("", nil)
}
