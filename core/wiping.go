package core

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"causa/internal/fault"
	"causa/internal/folderlock"
	"causa/matter"
	"causa/orglog"
	"causa/store"
	"causa/wire"
)

// ErrWiped means that the organisation's data was destroyed on this device by an order.
var ErrWiped = errors.New("this device was wiped")

// wipeFile says in a home what is or was wiped there. It is written before anything is
// destroyed and outlives everything else.
const wipeFile = "wiped.json"

// How far a wipe has come; each step is durable before the next one begins.
type wipeStep int

const (
	wipeBegun    wipeStep = 1 // the order is verified and noted
	wipeKeysGone wipeStep = 2 // nothing of what is left can be opened
	wipeAllGone  wipeStep = 3 // the files are gone too
	wipeTold     wipeStep = 4 // the receipt is in the organisation log; so is the end of the identity key
)

// A Wiping is an order that takes everything, on its way through a device.
type Wiping struct {
	Organisation string
	By           string // who ordered it
	At           time.Time
	Reason       string

	Step     wipeStep
	Order    uint64
	Org      orglog.Hash
	Hub      string
	Pin      [32]byte
	Identity []byte // the last key, that signs the receipt; nil afterwards
}

// Receipted reports whether the organisation has this device's word.
func (w *Wiping) Receipted() bool { return w.Step >= wipeTold }

// ReadWiping returns what was wiped in a home, nil when nothing was.
func ReadWiping(home string) (*Wiping, error) {
	b, err := os.ReadFile(filepath.Join(home, wipeFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	w := &Wiping{}
	if err := json.Unmarshal(b, w); err != nil {
		return nil, err
	}
	return w, nil
}

// write makes a step durable.
func (w *Wiping) write(dir string) error {
	b, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return store.WriteFile(filepath.Join(dir, wipeFile), b)
}

// destroy does what a device can do by itself: keys first, then everything else. It may be
// called again after a crash at any point.
func (w *Wiping) destroy(dir string, ks Keystore) error {
	if w.Step < wipeKeysGone {
		if err := destroyKeys(dir, ks); err != nil {
			return err
		}
		w.Step = wipeKeysGone
		if err := w.write(dir); err != nil {
			return err
		}
	}
	if w.Step < wipeAllGone {
		if err := removeRest(dir); err != nil {
			return err
		}
		w.Step = wipeAllGone
		return w.write(dir)
	}
	return nil
}

// largestKeyFile bounds the files that are overwritten before they are removed: keys are
// small, and the rest can't be opened without them.
const largestKeyFile = 64 << 10

// destroyKeys takes out of the system's keystore what is kept there for a home, and
// overwrites and removes every small file.
func destroyKeys(dir string, ks Keystore) error {
	if err := dropKept(dir, ks); err != nil {
		return err
	}
	return eachFile(dir, func(path string, size int64) error {
		if size > largestKeyFile {
			return nil
		}
		return store.Shred(path)
	})
}

func removeRest(dir string) error {
	if err := eachFile(dir, func(path string, _ int64) error { return os.Remove(path) }); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return store.SyncDir(dir)
}

// eachFile visits every file of a home but those that a wipe itself needs.
func eachFile(dir string, visit func(path string, size int64) error) error {
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || e.IsDir():
			return err
		case path == filepath.Join(dir, wipeFile), path == filepath.Join(dir, wipeFile+".new"), path == filepath.Join(dir, folderlock.Name):
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		return visit(path, info.Size())
	})
	return errors.Join(err, store.SyncDir(dir))
}

// tell brings the receipt into the organisation log and destroys the key that signed it.
func (w *Wiping) tell(ctx context.Context, dir string) error {
	key := ed25519.NewKeyFromSeed(w.Identity)
	l, ready, err := dial(ctx, w.Hub, w.Pin, who{device: key})
	if refused(err, wire.CodeRevoked) { // it has the receipt, or the order is of no concern to it any more
		return w.told(dir)
	}
	if err != nil {
		return err
	}
	defer l.close()
	log, self := newDirectory(w.Org), matter.DeviceOf(key.Public().(ed25519.PublicKey))
	if _, err := log.pull(ctx, l); err != nil {
		return err
	}
	now := time.UnixMilli(ready.GetTimeMs())
	for _, order := range log.owed(self) {
		if order.Order.Extent != orglog.ExtentAll && order.Index != w.Order {
			continue // what it took went with everything
		}
		err := log.append(ctx, l, key, now, orglog.WipeReceipt{Order: order.Index})
		if refused(err, wire.CodeRevoked) {
			break // it owed no more than this, and the hub has it
		}
		if err != nil && !errors.Is(err, orglog.ErrNoChange) {
			return err
		}
	}
	return w.told(dir)
}

func (w *Wiping) told(dir string) error {
	w.Step = wipeTold
	clear(w.Identity)
	w.Identity = nil
	return w.write(dir)
}

// error tells a person who wiped this device, when and why.
func (w *Wiping) error() error {
	return &fault.Error{
		Text: "%s took its data back from this device on %s: %s", TextArgs: []any{w.By, w.At.Local().Format(time.DateTime), w.Reason},
		Hint: "Nothing of the organisation is left here. Ask an administrator for a new invite if this was a mistake.",
		Err:  ErrWiped,
	}
}

// How long a program that meets a wiped home tries to bring the receipt to the hub.
const receiptPatience = 15 * time.Second

// finish goes on with a wipe that was begun, as far as it comes, and returns what a person
// is told.
func (w *Wiping) finish(ctx context.Context, dir string, ks Keystore) error {
	if err := w.destroy(dir, ks); err != nil {
		return errors.Join(w.error(), err)
	}
	if !w.Receipted() {
		ctx, stop := context.WithTimeout(ctx, receiptPatience)
		defer stop()
		if err := w.tell(ctx, dir); err != nil {
			return errors.Join(w.error(), err) // the next start tries again
		}
	}
	return w.error()
}

// meet is what opening a home does that was wiped: it goes on with the wipe. A new account
// may be made there when the organisation has this device's word.
func (w *Wiping) meet(ctx context.Context, opts Options, create bool) error {
	err := w.finish(ctx, opts.Home, opts.Keystore)
	if !create || !w.Receipted() {
		return err
	}
	if err := os.Remove(filepath.Join(opts.Home, wipeFile)); err != nil {
		return err
	}
	return store.SyncDir(opts.Home)
}

// heed asks the hub, which serves this device no more, whether a wipe order is why, and
// carries it out. It returns nil when there is none.
func (c *Client) heed(ctx context.Context) error {
	l, _, err := dial(ctx, c.acct.Hub, c.acct.Pin, who{device: c.key})
	if err != nil {
		return nil //nolint:nilerr // it does not serve us even for that
	}
	_, err = c.dir.pull(ctx, l)
	l.close()
	if err != nil {
		return nil //nolint:nilerr // what could not be verified is not obeyed
	}
	now := c.now()
	for _, order := range c.dir.owed(c.self) {
		if order.Order.Extent == orglog.ExtentAll && now.Before(order.Order.Expires) {
			return c.wipe(ctx, order)
		}
	}
	return nil
}

// wipe carries out an order that takes everything. The engine calls it as its last act.
func (c *Client) wipe(ctx context.Context, order orglog.Wipe) error {
	w := &Wiping{
		Organisation: c.Me().Organisation, At: order.At, Reason: order.Order.Reason,
		Step: wipeBegun, Order: order.Index, Org: c.acct.Org, Hub: c.acct.Hub, Pin: c.acct.Pin, Identity: c.key.Seed(),
	}
	by, _, _ := c.dir.device(order.By)
	if m, ok := c.Member(by.Member); ok {
		w.By = m.Name
	}
	if err := w.write(c.home.dir); err != nil {
		return err
	}
	c.events.tell(WipeBegins{*w})
	c.log.Warn("this device is wiped by order", "order", order.Index)
	if err := c.home.closeStore(w.error()); err != nil {
		c.log.Warn("close the store before the wipe", "err", err)
	}
	if err := w.destroy(c.home.dir, c.home.keystore); err != nil {
		c.log.Error("wipe", "err", err) // finish tries again, and so does the next start
	} else {
		c.events.tell(KeysGone{})
	}
	return w.finish(ctx, c.home.dir, c.home.keystore)
}

// keepTelling tries to bring the receipt for a wipe to the hub, as long as the program runs.
func (c *Client) keepTelling(ctx context.Context) {
	for fails := 1; ctx.Err() == nil; fails++ {
		w, err := ReadWiping(c.home.dir)
		if err != nil || w == nil || w.Receipted() {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(backoff(fails)):
			if err := w.finish(ctx, c.home.dir, c.home.keystore); !errors.Is(err, ErrWiped) {
				c.log.Warn("wipe", "err", err)
			}
		}
	}
}

// takeBack carries out the orders that take single matters from this device.
func (c *Client) takeBack(ctx context.Context, l *link) error {
	now := c.now()
	for _, order := range c.dir.owed(c.self) {
		if order.Order.Extent != orglog.ExtentMatter || !now.Before(order.Order.Expires) {
			continue
		}
		id := order.Order.Matter
		if _, err := c.place(ctx, id); err == nil {
			if err := c.home.db.DropMatter(ctx, id); err != nil {
				return err
			}
		} else if !errors.Is(err, store.ErrNone) {
			return err
		}
		c.work.forget(id)
		c.events.tell(MatterGone{id})
		if err := c.dir.append(ctx, l, c.key, now, orglog.WipeReceipt{Order: order.Index}); err != nil && !errors.Is(err, orglog.ErrNoChange) {
			return err
		}
		c.events.tell(DirectoryChanged{})
	}
	return nil
}

// owed returns the orders in effect that a device has given no receipt for.
func (d *directory) owed(device matter.DeviceID) (out []orglog.Wipe) {
	d.see(func(s *orglog.State) { out = s.WipesOf(device) })
	return out
}
