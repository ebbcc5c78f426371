package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Options say how a depot keeps its blobs.
type Options struct {
	Store   Store
	Staging string // a local folder for what is being brought; made when missing

	PerDevice int64         // most bytes that one device may have here
	Total     int64         // most bytes in all
	Expire    time.Duration // how long an upload, or a blob that no message names, may wait

	Now func() time.Time
}

const (
	maxUnfinished = 64        // uploads of one device
	leastCharge   = 4 << 10   // bytes that the smallest blob counts for: it has an inode
	markEvery     = time.Hour // a blob named again within this time is not marked again
	storeTimeout  = 30 * time.Minute
)

// A Depot knows what is in a store, takes uploads in and holds devices to their quota.
// Several depots may share a store that several machines reach; what another one has
// taken in is found when it is asked for. A Depot is safe for concurrent use.
type Depot struct {
	o Options

	work context.Context //nolint:containedctx // ends with the depot
	stop context.CancelFunc

	mu      sync.Mutex // never held while the store or a disk is waited for
	blobs   map[Key]*blob
	uploads map[Key]*upload
	used    map[[32]byte]int64 // by device: blobs and what uploads announced
	total   int64
	closed  bool
	busy    sync.WaitGroup
}

// A blob is whole and in the store.
type blob struct {
	device [32]byte
	size   int64
	stored time.Time
	marks  []time.Time // when messages named it; the newest counts
}

func (b *blob) named() (last time.Time) {
	for _, m := range b.marks {
		if m.After(last) {
			last = m
		}
	}
	return last
}

func charge(size int64) int64 { return max(size, leastCharge) }

// Open opens a depot.
func Open(ctx context.Context, o Options) (*Depot, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &Depot{o: o, blobs: map[Key]*blob{}, uploads: map[Key]*upload{}, used: map[[32]byte]int64{}}
	d.work, d.stop = context.WithCancel(context.Background())
	if err := os.MkdirAll(o.Staging, 0o700); err != nil {
		return nil, fmt.Errorf("open blobs: %w", classify(err))
	}
	if err := d.readStaging(); err != nil {
		return nil, err
	}
	return d, d.refresh(ctx)
}

// Close lets nothing in any more and waits for what is under way. Whoever is connected
// must be cut off before.
func (d *Depot) Close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.stop()
	d.busy.Wait()
}

// enter begins something that Close waits for; leave ends it.
func (d *Depot) enter() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return ErrClosed
	}
	d.busy.Add(1)
	return nil
}

func (d *Depot) leave() { d.busy.Done() }

// Usage is how much is here.
type Usage struct {
	Blobs, Uploads int
	Bytes          int64 // blobs, and what uploads announced
}

// Usage tells how much is here.
func (d *Depot) Usage() Usage {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Usage{len(d.blobs), len(d.uploads), d.total}
}

// refresh compares what is known with what the store has.
func (d *Depot) refresh(ctx context.Context) error {
	began := d.o.Now()
	found := map[Key]*blob{}
	if err := d.list(ctx, "", found); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for k, b := range d.blobs {
		if found[k] == nil && b.stored.Before(began) {
			d.forget(k)
		}
	}
	for k, b := range found {
		d.learn(k, b)
	}
	return nil
}

// list reads what the store has under a prefix.
func (d *Depot) list(ctx context.Context, prefix string, found map[Key]*blob) error {
	marks := map[Key][]time.Time{}
	err := d.o.Store.List(ctx, prefix, func(o Object) error {
		switch p, ok := parseName(o.Name); {
		case !ok:
		case p.mark:
			marks[p.key] = append(marks[p.key], p.named)
		case found[p.key] == nil || o.Stored.Before(found[p.key].stored):
			found[p.key] = &blob{device: p.device, size: o.Size, stored: o.Stored}
		}
		return nil
	})
	for k, b := range found {
		b.marks = marks[k]
	}
	return err
}

// learn counts a blob in. d.mu is held.
func (d *Depot) learn(k Key, b *blob) {
	if old := d.blobs[k]; old != nil {
		for _, m := range old.marks {
			if !slices.ContainsFunc(b.marks, m.Equal) {
				b.marks = append(b.marks, m)
			}
		}
		d.forget(k)
	}
	d.blobs[k] = b
	d.used[b.device] += charge(b.size)
	d.total += charge(b.size)
}

// forget counts a blob out. d.mu is held.
func (d *Depot) forget(k Key) {
	b := d.blobs[k]
	delete(d.blobs, k)
	d.release(b.device, b.size)
}

// release gives room back. d.mu is held.
func (d *Depot) release(device [32]byte, size int64) {
	d.total -= charge(size)
	if d.used[device] -= charge(size); d.used[device] <= 0 {
		delete(d.used, device)
	}
}

// find returns a blob that is whole, if need be from the store.
func (d *Depot) find(ctx context.Context, k Key) (blob, error) {
	d.mu.Lock()
	b := d.blobs[k]
	d.mu.Unlock()
	if b == nil {
		found := map[Key]*blob{}
		if err := d.list(ctx, k.prefix(), found); err != nil {
			return blob{}, err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if found[k] == nil {
			return blob{}, ErrNone
		}
		d.learn(k, found[k])
		return *found[k], nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return *b, nil
}

// Stat returns the size of a whole blob.
func (d *Depot) Stat(ctx context.Context, k Key) (int64, error) {
	b, err := d.find(ctx, k)
	return b.size, err
}

// Fetch opens a whole blob. ctx must last as long as the reading.
func (d *Depot) Fetch(ctx context.Context, k Key) (io.ReadSeekCloser, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	b, err := d.find(ctx, k)
	if err != nil {
		d.leave()
		return nil, err
	}
	r, err := d.o.Store.Open(ctx, k.bytesName(b.device))
	if err != nil {
		d.leave()
		return nil, err
	}
	return &reading{ReadSeekCloser: r, leave: sync.OnceFunc(d.leave)}, nil
}

// A reading is a blob that is being fetched.
type reading struct {
	io.ReadSeekCloser
	leave func()
}

func (r *reading) Close() error {
	defer r.leave()
	return r.ReadSeekCloser.Close()
}

// Name notes durably that a message names a blob, which must be whole.
func (d *Depot) Name(ctx context.Context, k Key) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.leave()
	b, err := d.find(ctx, k)
	if err != nil {
		return err
	}
	now := d.o.Now()
	if last := b.named(); !last.IsZero() && now.Sub(last) < markEvery && !now.Before(last) {
		return nil
	}
	if err := d.o.Store.Mark(ctx, k.markName(now)); err != nil {
		return err
	}
	d.mu.Lock()
	known := d.blobs[k]
	var old []string
	if known != nil {
		for _, m := range known.marks {
			old = append(old, k.markName(m))
		}
		known.marks = []time.Time{time.UnixMilli(now.UnixMilli())}
	}
	d.mu.Unlock()
	if known == nil {
		return ErrNone // deleted meanwhile; the sweeper takes the mark
	}
	old = slices.DeleteFunc(old, func(name string) bool { return name == k.markName(now) })
	return d.o.Store.Delete(ctx, old...)
}

// Drop deletes what a device brought, whole or not.
func (d *Depot) Drop(ctx context.Context, k Key, device [32]byte) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.leave()
	if err := d.abandon(k, device); err == nil || !errors.Is(err, ErrNone) {
		return err
	}
	b, err := d.find(ctx, k)
	if err != nil {
		return err
	}
	if b.device != device {
		return ErrOthers
	}
	return d.remove(ctx, k)
}

// DropMatter deletes all blobs of a matter.
func (d *Depot) DropMatter(ctx context.Context, matter [16]byte) error {
	return d.removeWhere(ctx, func(k Key, _ *blob) bool { return k.Matter == matter }, func(u *upload) bool { return u.key.Matter == matter })
}

// remove deletes a whole blob and its marks.
func (d *Depot) remove(ctx context.Context, k Key) error {
	d.mu.Lock()
	b := d.blobs[k]
	d.mu.Unlock()
	if b == nil {
		return nil
	}
	names := []string{k.bytesName(b.device)} // first: without it the marks mean nothing
	for _, m := range b.marks {
		names = append(names, k.markName(m))
	}
	if err := d.o.Store.Delete(ctx, names...); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.blobs[k] == b {
		d.forget(k)
	}
	return nil
}

// Sweep deletes what nobody waits for any more: uploads without progress and blobs that
// no message names, after their time, and blobs that were last named before a time.
// A zero time keeps all that are named.
func (d *Depot) Sweep(ctx context.Context, before time.Time) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.leave()
	if err := d.refresh(ctx); err != nil {
		return err
	}
	late := d.o.Now().Add(-d.o.Expire)
	return d.removeWhere(ctx, func(_ Key, b *blob) bool {
		last := b.named()
		if last.IsZero() {
			return b.stored.Before(late)
		}
		// The message may be younger than the mark by this much.
		return !before.IsZero() && last.Before(before.Add(-markEvery))
	}, func(u *upload) bool { return u.touched.Before(late) })
}

func (d *Depot) removeWhere(ctx context.Context, blobs func(Key, *blob) bool, uploads func(*upload) bool) error {
	var whole []Key
	var unfinished []*upload
	d.mu.Lock()
	for k, b := range d.blobs {
		if blobs(k, b) {
			whole = append(whole, k)
		}
	}
	for _, u := range d.uploads {
		if uploads(u) {
			unfinished = append(unfinished, u)
		}
	}
	d.mu.Unlock()
	for _, k := range whole {
		if err := d.remove(ctx, k); err != nil {
			return err
		}
	}
	for _, u := range unfinished {
		if err := d.abandon(u.key, u.device); err != nil && !errors.Is(err, ErrNone) && !errors.Is(err, ErrBusy) {
			return err
		}
	}
	return nil
}

// stagingPath is where an upload's bytes are kept.
func (d *Depot) stagingPath(name string) string { return filepath.Join(d.o.Staging, name) }
