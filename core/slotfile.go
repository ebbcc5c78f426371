package core

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"causa/crypto/vault"
	"causa/internal/fault"
	"causa/store"
)

// The files of a slot in a home. Without a keystore, the device's secret is a file, too.
const (
	slotName   = "app.slot"
	secretName = "device.secret"
)

// A slotFile is what a locked device may know: a slot, and where the hub is.
type slotFile struct {
	Version  int
	Hub      string // host:port
	Pin      []byte
	Slot     []byte
	Keystore bool // the device's secret is in the system's keystore
}

const slotFileVersion = 1

// A lock is the slot of a home that has one.
type lock struct {
	file slotFile
	slot *vault.Slot

	opened *vault.Opened // nil while it is locked
	lease  *vault.Lease  // what opens it without the hub; nil while there is none
}

// readLock reads a home's slot; fs.ErrNotExist when it has none.
func readLock(dir string) (*lock, error) {
	b, err := os.ReadFile(filepath.Join(dir, slotName))
	if err != nil {
		return nil, err
	}
	l := &lock{}
	err = json.Unmarshal(b, &l.file)
	switch {
	case err == nil && l.file.Version > slotFileVersion:
		err = vault.ErrNewer
	case err == nil && (l.file.Version != slotFileVersion || len(l.file.Pin) != 32 || l.file.Hub == ""):
		err = vault.ErrMalformed
	}
	if err == nil {
		l.slot, err = vault.Parse(l.file.Slot)
	}
	if errors.Is(err, vault.ErrNewer) {
		return nil, &fault.Error{Text: "A newer version of Causa has used this folder.", Hint: "Update Causa, then try again.", Err: err}
	}
	if err != nil {
		return nil, &fault.Error{
			Text: "The lock of Causa's data is damaged.",
			Hint: "Join again with a new invite.",
			Err:  fmt.Errorf("%w: %w", ErrDamaged, err),
		}
	}
	return l, nil
}

// write makes the slot as it is now durable.
func (l *lock) write(dir string) error {
	l.file.Slot = l.slot.Bytes()
	b, err := json.Marshal(l.file)
	if err != nil {
		return err
	}
	return store.WriteFile(filepath.Join(dir, slotName), b)
}

// Names in the keystore.
func secretKey(id vault.ID) string { return fmt.Sprintf("%x/secret", id[:]) }
func leaseKey(id vault.ID) string  { return fmt.Sprintf("%x/lease", id[:]) }

// secret returns the device's secret.
func (l *lock) secret(dir string, ks Keystore) (s vault.DeviceSecret, err error) {
	var b []byte
	switch {
	case !l.file.Keystore:
		b, err = os.ReadFile(filepath.Join(dir, secretName))
	case ks != nil:
		b, err = ks.Secret(secretKey(l.slot.ID))
	}
	defer clear(b)
	if err != nil || len(b) != len(s) {
		return s, noSecret(err)
	}
	copy(s[:], b)
	return s, nil
}

// keepSecret makes the device's secret durable, in the keystore where there is one.
func (l *lock) keepSecret(dir string, ks Keystore, s *vault.DeviceSecret) error {
	if ks != nil {
		if err := ks.SetSecret(secretKey(l.slot.ID), s[:]); err == nil {
			l.file.Keystore = true
			return nil
		}
	}
	return store.WriteFile(filepath.Join(dir, secretName), s[:])
}

// destroy takes away all that opens the slot, the keystore's part first.
func (l *lock) destroy(dir string, ks Keystore) error {
	var errs []error
	errs = append(errs, dropKept(dir, ks))
	for _, name := range []string{secretName, slotName} {
		errs = append(errs, store.Shred(filepath.Join(dir, name)))
	}
	return errors.Join(errs...)
}

// close forgets what is secret.
func (l *lock) close() {
	if l.opened != nil {
		l.opened.Clear()
		l.opened = nil
	}
	if l.lease != nil {
		l.lease.Clear()
		l.lease = nil
	}
}

// dropKept takes out of the keystore what is kept there for a home's slot and those of its
// modules.
func dropKept(dir string, ks Keystore) error {
	if ks == nil {
		return nil
	}
	var errs []error
	modules, err := os.ReadDir(filepath.Join(dir, modulesFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	for _, m := range modules {
		errs = append(errs, dropKept(filepath.Join(dir, modulesFolder, m.Name()), ks))
	}
	l, err := readLock(dir)
	if err != nil {
		return errors.Join(errs...) // without a slot to be read there is nothing to be found
	}
	return errors.Join(append(errs, ks.DropSecret(leaseKey(l.slot.ID)), ks.DropSecret(secretKey(l.slot.ID)))...)
}

// replace makes room for a new account where there is a locked one: by an administrator's
// invite, somebody who has forgotten the passcode comes back as a new device. What the old
// one kept can't be opened any more.
func (r *JoinRequest) replace(opts Options) (err error) {
	if has, err := HasPasscode(opts.Home); !has && !errors.Is(err, ErrDamaged) {
		return err
	}
	if !r.Replace {
		return &fault.Error{
			Text: "There is a Causa account here already, and it is locked.",
			Hint: "Unlock it, or have this invite replace it: what it keeps on this device is gone then.",
			Err:  errors.Join(ErrAccount, ErrLocked),
		}
	}
	h, err := takeHome(opts)
	if err != nil {
		return err
	}
	err = destroyKeys(h.dir, h.keystore)
	if err == nil {
		err = removeRest(h.dir)
	}
	return errors.Join(err, h.close())
}
