package core

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"causa/hub/hubtest"
	"causa/matter"
	"causa/orglog"
)

// attack: a hub lets a device into a matter that is for another module, or for none
func TestLeavesOfAnotherModule(t *testing.T) {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	hub := hubtest.Start(t)
	opts := Options{Home: filepath.Join(t.TempDir(), "alice")}
	alice, err := Join(ctx, opts, JoinRequest{Link: hub.Founding(), Name: "Alice", Device: "laptop"})
	must(err)
	t.Cleanup(func() { must(alice.Close()) })
	must(alice.Sync(ctx))
	must(alice.AddModule(ctx, "payroll", "", []byte("passcode")))
	must(alice.Sync(ctx))
	home, err := ModuleHome(opts.Home, "payroll")
	must(err)
	if _, err := Open(ctx, Options{Home: home}); !errors.Is(err, ErrLocked) {
		t.Errorf("the module opens without its passcode: %v", err)
	}
	payroll, err := Open(ctx, Options{Home: home, Passcode: []byte("passcode")})
	must(err)
	t.Cleanup(func() { must(payroll.Close()) })

	var open, sealed matter.Device
	alice.dir.see(func(s *orglog.State) {
		for _, d := range s.Devices() {
			if d.Module == "" {
				open = d
			} else {
				sealed = d
			}
		}
	})
	for _, tt := range []struct {
		name string
		at   *Client
		leaf matter.Device
		ok   bool
	}{
		{"open into open", alice, open, true},
		{"sealed into open", alice, sealed, false},
		{"open into sealed", payroll, open, false},
		{"sealed into sealed", payroll, sealed, true},
	} {
		_, key, _ := alice.dir.device(tt.leaf.ID)
		if err := tt.at.dir.checkLeaf(tt.leaf.ID[:], key); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if l := payroll.Lock(); !l.Passcode || l.Idle > time.Minute || l.Lease != 0 {
		t.Errorf("the module's lock is %+v", l)
	}
	if err := alice.AddModule(ctx, "payroll", "", []byte("passcode")); err == nil {
		t.Error("added twice")
	}
	if err := alice.AddModule(ctx, "../../elsewhere", "", []byte("passcode")); err == nil {
		t.Error("a module outside its folder")
	}
	if err := alice.AddModule(ctx, "administration", "", []byte("x")); !errors.Is(err, ErrWeak) {
		t.Errorf("a short passcode: %v", err)
	}
}
