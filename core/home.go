package core

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"causa/internal/fault"
	"causa/internal/folderlock"
	"causa/store"
)

// Options say where a client lives. Only Home is needed.
type Options struct {
	Home     string       // the folder that is this device; made when missing
	Passcode []byte       // opens a home that has one
	Keystore Keystore     // nil: the system has none
	Log      *slog.Logger // nil: nothing is logged
}

// The files of a home.
const (
	keyFile   = "store.key" // the main store's key, while there is no passcode
	storeFile = "main.db"
)

// A home is a device's folder, locked by this process, with its main store open.
type home struct {
	dir      string
	keystore Keystore // may be nil
	lock     *folderlock.Lock
	slot     *lock // nil: there is no passcode
	db       *store.DB

	once sync.Once // closes the store
}

// openHome locks a home and opens its store. Without create, a home that has no store
// gives ErrNoAccount.
func openHome(ctx context.Context, opts Options, create bool) (_ *home, err error) {
	wiped, err := ReadWiping(opts.Home)
	if err != nil {
		return nil, err
	}
	if !create && wiped == nil && !exists(filepath.Join(opts.Home, keyFile)) && !exists(filepath.Join(opts.Home, slotName)) {
		return nil, noAccount()
	}
	h, err := takeHome(opts)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if wiped != nil {
		if err := wiped.meet(ctx, opts, create); err != nil {
			return nil, err
		}
	}
	if exists(filepath.Join(opts.Home, slotName)) {
		return h, h.openLocked(ctx, opts.Passcode)
	}
	_, none := os.Stat(filepath.Join(opts.Home, keyFile))
	key, err := readKey(filepath.Join(opts.Home, keyFile), create)
	if err != nil {
		return nil, err
	}
	defer clear(key[:])
	defer func() {
		if err != nil && errors.Is(none, fs.ErrNotExist) {
			err = errors.Join(err, os.Remove(filepath.Join(opts.Home, keyFile))) // nothing was written under it
		}
	}()
	path := filepath.Join(opts.Home, storeFile)
	h.db, err = openStore(ctx, path, key)
	if create && errors.Is(err, ErrDamaged) {
		if _, err := store.SetAside(path); err != nil {
			return nil, err
		}
		h.db, err = openStore(ctx, path, key)
	}
	return h, err
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// takeHome makes a home this process's own, without opening it.
func takeHome(opts Options) (*home, error) {
	if err := os.MkdirAll(opts.Home, 0o700); err != nil {
		return nil, &fault.Error{
			Text: "The folder for Causa's data can't be made.",
			Hint: "Choose a folder that you may write to.",
			Err:  err,
		}
	}
	l, err := folderlock.Take(opts.Home)
	if errors.Is(err, folderlock.ErrTaken) {
		err = &fault.Error{
			Text: "Causa is already running with this folder.",
			Hint: "Close the other one first, or use another folder.",
			Err:  err,
		}
	}
	if err != nil {
		return nil, err
	}
	return &home{dir: opts.Home, keystore: opts.Keystore, lock: l}, nil
}

// openLocked opens the store of a home that has a slot. Where a crash has left a key file
// beside it, the file counts if it opens the store: then the passcode was not there yet, or
// was just taken away.
func (h *home) openLocked(ctx context.Context, passcode []byte) error {
	l, err := readLock(h.dir)
	if err != nil {
		return err
	}
	path, plain := filepath.Join(h.dir, storeFile), filepath.Join(h.dir, keyFile)
	if exists(plain) {
		key, err := readKey(plain, false)
		if err != nil {
			return err
		}
		h.db, err = openStore(ctx, path, key)
		clear(key[:])
		if err == nil {
			return l.destroy(h.dir, h.keystore)
		}
		if !errors.Is(err, ErrDamaged) {
			return err
		}
	}
	key, err := l.open(ctx, h.dir, h.keystore, passcode)
	if err != nil {
		l.close()
		return err
	}
	h.slot = l
	defer clear(key[:])
	if h.db, err = openStore(ctx, path, key); err != nil {
		return err
	}
	return store.Shred(plain)
}

// openStore opens the main store. A damaged first page can't be told from a wrong key, so
// both are ErrDamaged.
func openStore(ctx context.Context, path string, key store.Key) (*store.DB, error) {
	db, err := store.Open(ctx, path, key, store.Options{})
	if errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrWrongKey) || errors.Is(err, store.ErrForeign) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return db, err
}

func (h *home) close() error {
	err := h.closeStore(ErrClosed)
	if h.slot != nil {
		h.slot.close()
	}
	if h.lock != nil {
		err = errors.Join(err, h.lock.Release())
	}
	return err
}

// closeStore closes the store, once; what still wants it gets the reason.
func (h *home) closeStore(reason error) (err error) {
	if h.db != nil {
		h.once.Do(func() { err = h.db.CloseFor(reason) })
	}
	return err
}

func noAccount() error {
	return &fault.Error{
		Text: "There is no Causa account here yet.",
		Hint: "Join an organisation with an invite first.",
		Err:  ErrNoAccount,
	}
}

// readKey reads the store's key; with create, it makes one where there is none.
func readKey(path string, create bool) (key store.Key, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && create {
		return newKey(path)
	}
	if err != nil {
		return key, &fault.Error{
			Text: "The key of Causa's data can't be read.",
			Hint: "Make sure that the folder belongs to you.",
			Err:  err,
		}
	}
	if len(b) != len(key) {
		return key, &fault.Error{
			Text: "The key of Causa's data is damaged.",
			Hint: "Put the folder back from a backup, or join again with a new invite.",
			Err:  fmt.Errorf("key file has %d bytes", len(b)),
		}
	}
	copy(key[:], b)
	clear(b)
	return key, nil
}

// newKey makes the key durable before anything is written under it.
func newKey(path string) (key store.Key, err error) {
	_, _ = rand.Read(key[:])
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return key, err
	}
	_, err = f.Write(key[:])
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return key, errors.Join(err, os.Remove(path))
	}
	return key, nil
}

// remove deletes a home that never became an account.
func (h *home) remove() error {
	if err := h.closeStore(ErrClosed); err != nil {
		return err
	}
	var err error
	for _, name := range []string{storeFile, storeFile + "-wal", storeFile + "-shm", keyFile} {
		if e := os.Remove(filepath.Join(h.dir, name)); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return errors.Join(err, h.close())
}
