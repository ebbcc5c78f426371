package core

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"strconv"
	"time"
	"unicode/utf8"

	"causa/crypto/vault"
	"causa/internal/fault"
	"causa/matter"
	"causa/orglog"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

// The policies of locks.
var (
	requiredPolicy = policy{
		name: "passcode.required", help: "Whether every device must have a passcode: yes or no, which is the default.",
		check: oneOf("yes", "no"),
	}
	minimumPolicy = policy{
		name: "passcode.minimum", help: "How many characters a passcode must have at least: from 4 to 64, 6 by default.",
		check: between(4, 64),
	}
	idlePolicy = policy{
		name: "lock.minutes", help: "After how many minutes without use Causa locks itself: from 1 to 60, 5 by default.",
		check: between(1, 60),
	}
	leasePolicy = policy{
		name: "lease.hours", help: "For how many hours a device may be opened without the hub: 0, 24 or 72, which is the default.",
		check: oneOf("0", "24", "72"),
	}
)

func oneOf(values ...string) func(string) error {
	return func(value string) error {
		for _, v := range values {
			if v == value {
				return nil
			}
		}
		return badValue(value)
	}
}

func between(least, most int) func(string) error {
	return func(value string) error {
		if n, err := strconv.Atoi(value); err != nil || n < least || n > most || strconv.Itoa(n) != value {
			return badValue(value)
		}
		return nil
	}
}

func badValue(value string) error {
	return &fault.Error{Text: "This policy can't be “%s”.", TextArgs: []any{value}, Hint: "Look at the list of policies."}
}

// number returns a policy's value, or what holds when none was set that makes sense.
func (d *directory) number(p policy, otherwise int) int {
	value := d.policy(p.name)
	if value == "" || p.check(value) != nil {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return otherwise
	}
	return n
}

// A Lock says how a device is locked.
type Lock struct {
	Passcode bool          // there is one
	Required bool          // the organisation wants one, and there is none
	Minimum  int           // characters of a new one
	Idle     time.Duration // after so long without use, lock
	Keystore bool          // the system keeps this device's secret
	Lease    time.Duration // for so long it may still be opened without the hub
}

// Lock says how this device is locked.
func (c *Client) Lock() Lock {
	l := Lock{
		Minimum: c.dir.number(minimumPolicy, 6),
		Idle:    time.Duration(c.dir.number(idlePolicy, 5)) * time.Minute,
		Lease:   c.leaseLeft(),
	}
	if c.dir.module != "" {
		l.Idle = min(l.Idle, moduleIdle)
	}
	if k := c.home.slot; k != nil {
		l.Passcode, l.Keystore = true, k.file.Keystore
	} else {
		l.Required = c.dir.policy(requiredPolicy.name) == "yes"
	}
	return l
}

// argon is what passcodes cost on this machine.
func argon() vault.Params {
	if runtime.GOOS == "android" || runtime.GOOS == "ios" {
		return vault.Phone
	}
	return vault.Desktop
}

// SetPasscode gives a home that is not open a passcode, or another one: opts.Passcode is
// the old one. It needs the hub. A crash leaves the home with the old one, or with the new.
func SetPasscode(ctx context.Context, opts Options, passcode []byte) error {
	return worded(withHome(ctx, opts, func(h *home, acct *account, dir *directory) error {
		if err := acceptable(passcode, dir.number(minimumPolicy, 6)); err != nil {
			return err
		}
		if h.slot != nil {
			return h.changePasscode(ctx, passcode)
		}
		self, _, _ := dir.device(acct.device())
		return h.firstPasscode(ctx, acct, self.Module, passcode)
	}))
}

// acceptable reports whether a passcode may be chosen.
func acceptable(passcode []byte, least int) error {
	if utf8.RuneCount(passcode) >= least && len(passcode) <= 1024 && utf8.Valid(passcode) {
		return nil
	}
	return &fault.Error{
		Text: "This passcode is too short or too long.", Hint: "It must have at least %d characters.", HintArgs: []any{least},
		Err: ErrWeak,
	}
}

// ClearPasscode takes the passcode of a home that is not open away, if the organisation
// allows it. It needs the hub.
func ClearPasscode(ctx context.Context, opts Options) error {
	return worded(withHome(ctx, opts, func(h *home, acct *account, dir *directory) error {
		if h.slot == nil {
			return nil
		}
		if self, _, _ := dir.device(acct.device()); self.Module != "" || dir.policy(requiredPolicy.name) == "yes" {
			return &fault.Error{Text: "Your organisation wants a passcode on every device.", Hint: "Choose another one instead.", Err: ErrWeak}
		}
		l, _, err := dial(ctx, acct.Hub, acct.Pin, who{device: acct.key()})
		if err != nil {
			return err
		}
		defer l.close()
		// While both are there, the key file counts if it opens the store.
		key := h.slot.opened.Key
		defer clear(key[:])
		if err := store.WriteFile(filepath.Join(h.dir, keyFile), key[:]); err != nil {
			return err
		}
		return errors.Join(l.dropSlot(ctx, h.slot), h.slot.destroy(h.dir, h.keystore))
	}))
}

// HasPasscode reports whether a home has a passcode.
func HasPasscode(dir string) (bool, error) {
	_, err := readLock(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Forget ends a home's lease: from now on it can be opened with the hub only.
func Forget(opts Options) error {
	h, err := takeHome(opts)
	if err == nil {
		err = errors.Join(h.forget(), h.close())
	}
	return worded(err)
}

func (h *home) forget() error {
	l, err := readLock(h.dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && h.keystore == nil {
		return nil
	}
	if err != nil {
		return err
	}
	return h.keystore.DropSecret(leaseKey(l.slot.ID))
}

// withHome opens a joined home without an engine, for f.
func withHome(ctx context.Context, opts Options, f func(*home, *account, *directory) error) (err error) {
	h, err := openHome(ctx, opts, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	var acct *account
	err = h.db.View(ctx, func(tx *store.Tx) (err error) {
		acct, err = readAccount(tx)
		return err
	})
	if err == nil && !acct.Joined {
		err = ErrNoAccount
	}
	if errors.Is(err, ErrNoAccount) {
		return noAccount()
	}
	if err != nil {
		return err
	}
	dir, err := openDirectory(ctx, h.db, acct.Org)
	if err != nil {
		return err
	}
	return f(h, acct, dir)
}

// firstPasscode makes a slot and puts the store under a new key that is only in it: what
// the disk still has of the old key opens nothing that is written from now on.
func (h *home) firstPasscode(ctx context.Context, acct *account, module string, passcode []byte) (err error) {
	link, _, err := dial(ctx, acct.Hub, acct.Pin, who{device: acct.key()})
	if err != nil {
		return err
	}
	defer link.close()
	var key store.Key
	_, _ = rand.Read(key[:]) // never fails
	defer clear(key[:])
	l := &lock{
		file: slotFile{Version: slotFileVersion, Hub: acct.Hub, Pin: acct.Pin[:]},
		slot: &vault.Slot{ID: vault.NewID()}, opened: vault.NewOpened(vault.Key(key)),
	}
	defer l.close()
	secret := vault.NewDeviceSecret()
	defer clear(secret[:])
	moving := false // to the new key: what counts, the next opening finds out
	defer func() {
		if err != nil && !moving {
			err = errors.Join(err, l.destroy(h.dir, h.keystore))
		}
	}()
	if err := l.keepSecret(h.dir, h.keystore, &secret); err != nil {
		return err
	}
	if err := l.register(ctx, link, module, passcode, &secret); err != nil {
		return err
	}
	if err := l.write(h.dir); err != nil {
		return err
	}
	if err := link.confirmSlot(ctx, l, 1); err != nil {
		return err
	}
	old, err := readKey(filepath.Join(h.dir, keyFile), false)
	if err != nil {
		return err
	}
	defer clear(old[:])
	moving = true
	err = h.db.Close()
	h.db = nil
	if err == nil {
		err = store.Rekey(ctx, filepath.Join(h.dir, storeFile), old, key)
	}
	if err != nil {
		return err
	}
	_ = store.Shred(filepath.Join(h.dir, keyFile)) // it opens nothing now; the next opening tries again
	return nil
}

// register makes the slot known to the hub and wraps it for its first generation.
func (l *lock) register(ctx context.Context, link *link, module string, passcode []byte, secret *vault.DeviceSecret) error {
	unlock, err := secret.UnlockKey(l.slot.ID)
	if err != nil {
		return err
	}
	attempt, err := vault.Begin(l.slot.ID, passcode)
	if err != nil {
		return err
	}
	f, err := link.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_VaultRegister{VaultRegister: &pb.VaultRegister{
		Slot: l.slot.ID[:], UnlockKey: unlock.Public().(ed25519.PublicKey),
		ProofKey: l.opened.ProofKey().Public().(ed25519.PublicKey), Blinded: attempt.Blinded(), Module: module,
	}}})
	if err != nil {
		return unlockRefusal(err)
	}
	e := f.GetVaultEvaluation()
	if e == nil || e.GetNextGeneration() != 1 {
		return (&refusal{Code: wire.CodeVersion}).worded()
	}
	share, err := attempt.Share(e.GetNextEvaluated())
	if err != nil {
		return err
	}
	defer clear(share[:])
	code, err := vault.NewCode(passcode, argon())
	if err != nil {
		return err
	}
	defer code.Clear()
	return l.slot.Wrap(1, code, &share, secret, l.opened)
}

// changePasscode wraps an open slot under another passcode, for the hub's next generation.
func (h *home) changePasscode(ctx context.Context, passcode []byte) error {
	l := h.slot
	secret, err := l.secret(h.dir, h.keystore)
	if err != nil {
		return err
	}
	defer clear(secret[:])
	unlock, err := secret.UnlockKey(l.slot.ID)
	if err != nil {
		return err
	}
	a, err := askShare(ctx, l, unlock, passcode)
	if err != nil {
		return unlockRefusal(err)
	}
	defer a.link.close()
	code, err := vault.NewCode(passcode, argon())
	if err != nil {
		return err
	}
	defer code.Clear()
	next := a.answer.GetNextGeneration()
	share, err := a.attempt.Share(a.answer.GetNextEvaluated())
	if err != nil {
		return err
	}
	defer clear(share[:])
	if err := l.slot.Wrap(next, code, &share, &secret, l.opened); err != nil {
		return err
	}
	if err := l.write(h.dir); err != nil {
		return err
	}
	if err := a.link.confirmSlot(ctx, l, next); err != nil {
		return unlockRefusal(err)
	}
	l.slot.Keep(next)
	if err := l.write(h.dir); err != nil {
		return err
	}
	return h.forget() // the lease was the old passcode's
}

// GiveTries lets a device that is locked after too many wrong passcodes try again.
func (c *Client) GiveTries(ctx context.Context, device matter.DeviceID, reason string) error {
	return c.state(ctx, orglog.TriesGiven{Device: device, Reason: reason})
}
