package core

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"causa/internal/fault"
	"causa/matter"
	"causa/orglog"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

// A directory is this device's verified copy of the organisation log. It is safe for
// concurrent use.
type directory struct {
	db  *store.DB // nil: it is kept in memory alone
	org orglog.Hash
	// module is the sealed module whose matters this device has; empty: those in none. It is
	// set before anybody else knows the directory.
	module string

	mu     sync.RWMutex // guards state and claims
	state  *orglog.State
	claims map[uint64]orglog.Hash // heads others told us of, for indexes we do not have yet
}

// logHeadSetting holds the hash of the newest stored entry.
const logHeadSetting = "log head"

// openDirectory reads the stored log; an organisation id of zero means that the log
// is empty and its first entry decides.
func openDirectory(ctx context.Context, db *store.DB, org orglog.Hash) (*directory, error) {
	d := &directory{db: db, org: org, claims: map[uint64]orglog.Hash{}}
	return d, d.reload(ctx)
}

// newDirectory returns an empty copy of the log of an organisation, kept in memory.
func newDirectory(org orglog.Hash) *directory {
	return &directory{org: org, claims: map[uint64]orglog.Hash{}, state: orglog.NewState()}
}

// reload reads the stored log. What was stored had been verified, so its signatures
// are not checked again.
func (d *directory) reload(ctx context.Context) error {
	err := d.db.View(ctx, func(tx *store.Tx) error {
		head, err := tx.Setting(logHeadSetting)
		if errors.Is(err, store.ErrNone) {
			d.state = orglog.NewState()
			return nil
		}
		if err != nil {
			return err
		}
		if len(head) != len(orglog.Hash{}) {
			return errors.New("the stored head is damaged")
		}
		d.state, err = orglog.Restore(tx.LogEntries(), orglog.Hash(head))
		return err
	})
	if err != nil {
		return fmt.Errorf("read the stored organisation log: %w", err)
	}
	return nil
}

// errTwoLogs: the hub shows this device another log than it shows to others.
var errTwoLogs = errors.New("the hub shows two different organisation logs")

func twoLogs(err error) error {
	return &fault.Error{
		Text: "The hub shows different people different lists of members.",
		Hint: "Do not trust it until an administrator has found out why.",
		Err:  errors.Join(errTwoLogs, err),
	}
}

// take verifies entries that begin at index from and stores those that are new. It
// returns how many were.
func (d *directory) take(ctx context.Context, from uint64, entries [][]byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if from > d.state.Next() {
		return 0, nil // a gap: whoever calls pulls what lies between
	}
	if skip := d.state.Next() - from; skip < uint64(len(entries)) {
		from, entries = d.state.Next(), entries[skip:]
	} else {
		return 0, nil
	}
	good, err := d.verify(from, entries)
	if good == 0 || d.db == nil {
		return good, err
	}
	if err := d.db.Update(ctx, func(tx *store.Tx) error {
		if err := tx.AppendLog(from, entries[:good]); err != nil {
			return err
		}
		head := d.state.Head()
		return tx.SetSetting(logHeadSetting, head[:])
	}); err != nil {
		return 0, errors.Join(err, d.reload(ctx))
	}
	return good, err
}

// verify applies entries to the state and returns how many were good.
func (d *directory) verify(from uint64, entries [][]byte) (good int, err error) {
	for i, b := range entries {
		e, err := orglog.Decode(b)
		if err != nil {
			return i, twoLogs(err)
		}
		if e.Index == 0 && d.org != (orglog.Hash{}) && e.Hash() != d.org {
			return i, twoLogs(errors.New("another organisation"))
		}
		if err := d.state.Apply(e); err != nil {
			if errors.Is(err, orglog.ErrNewer) {
				return i, err
			}
			return i, twoLogs(err)
		}
		next := from + uint64(i) + 1
		if h, ok := d.claims[next]; ok && h != d.state.Head() {
			return i + 1, twoLogs(fmt.Errorf("entry %d", next-1))
		}
		delete(d.claims, next)
	}
	return len(entries), nil
}

// claim checks the log head that another device knew when it wrote a message: next
// is its next index and head the hash of the entry before.
func (d *directory) claim(next uint64, head orglog.Hash) error {
	if next == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if got, ok := d.state.HashAt(next - 1); ok {
		if got != head {
			return twoLogs(fmt.Errorf("entry %d", next-1))
		}
		return nil
	}
	if old, ok := d.claims[next]; ok && old != head {
		return twoLogs(fmt.Errorf("entry %d", next-1))
	}
	if len(d.claims) < 1000 {
		d.claims[next] = head
	}
	return nil
}

// pull brings the copy up to what the hub has.
func (d *directory) pull(ctx context.Context, l *link) (int, error) {
	n := 0
	for {
		from := d.next()
		f, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_PullLog{PullLog: &pb.PullLog{From: from}}})
		if err != nil {
			return n, err
		}
		page := f.GetLogPage()
		if page == nil || page.GetFrom() != from {
			return n, errors.New("the hub answered a log request with something else")
		}
		if page.GetNext() < from {
			return n, twoLogs(fmt.Errorf("the log shrank to %d entries", page.GetNext()))
		}
		taken, err := d.take(ctx, from, page.GetEntries())
		n += taken
		if err != nil || d.next() >= page.GetNext() {
			return n, err
		}
		if taken == 0 {
			return n, errors.New("the hub keeps back organisation log entries")
		}
	}
}

// appendTries is how often an append is offered when others keep being faster.
const appendTries = 20

// appendPause bounds the wait between them.
const appendPause = 100 * time.Millisecond

// append signs a statement and has the hub take it. now is the hub's time.
func (d *directory) append(ctx context.Context, l *link, key ed25519.PrivateKey, now time.Time, s orglog.Statement) error {
	var err error
	for range appendTries {
		var e *orglog.Entry
		if e, err = d.sign(key, now, s); err != nil {
			return err
		}
		_, err = l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_AppendLog{AppendLog: &pb.AppendLog{Entry: e.Bytes()}}})
		if err == nil {
			_, err = d.pull(ctx, l)
			return err
		}
		if !refused(err, wire.CodeLogConflict) {
			return err
		}
		if _, err := d.pull(ctx, l); err != nil {
			return err
		}
		select { // many who want to append at once would only get into each other's way
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(appendPause)):
		}
	}
	return err
}

// sign makes the next entry. What the rules of the log refuse is refused here, with
// words, before the hub is asked.
func (d *directory) sign(key ed25519.PrivateKey, now time.Time, s orglog.Statement) (e *orglog.Entry, err error) {
	d.see(func(state *orglog.State) { e, err = state.Sign(key, now, s) })
	return e, err
}

// verifyAll verifies the stored log again, from its root, and returns its entries.
func (d *directory) verifyAll(ctx context.Context) (entries []*orglog.Entry, err error) {
	s := orglog.NewState()
	err = d.db.View(ctx, func(tx *store.Tx) error {
		for b, err := range tx.LogEntries() {
			if err != nil {
				return err
			}
			e, err := orglog.Decode(b)
			if err != nil {
				return err
			}
			if err := s.Apply(e); err != nil {
				return err
			}
			entries = append(entries, e)
		}
		return nil
	})
	if err == nil && s.OrgID() != d.org {
		err = twoLogs(errors.New("another organisation"))
	}
	return entries, err
}

func (d *directory) next() uint64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.state.Next()
}

// head returns the next index and the hash of the entry before it.
func (d *directory) head() (uint64, orglog.Hash) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.state.Next(), d.state.Head()
}

// see runs f on the state, which f must not change or keep.
func (d *directory) see(f func(*orglog.State)) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	f(d.state)
}

// device returns what the log says of a device, whether it is active or not.
func (d *directory) device(id matter.DeviceID) (dev matter.Device, key ed25519.PublicKey, ok bool) {
	d.see(func(s *orglog.State) { dev, key, ok = s.Device(id) })
	return dev, key, ok
}

// active reports whether a device may take part.
func (d *directory) active(id matter.DeviceID) (ok bool) {
	d.see(func(s *orglog.State) { ok = s.ActiveDevice(id) })
	return ok
}

// devicesOf lists the active devices of a member that are for the same module as this one.
func (d *directory) devicesOf(m matter.MemberID) (ids []matter.DeviceID) {
	d.see(func(s *orglog.State) {
		for _, dev := range s.DevicesOf(m) {
			if s.ActiveDevice(dev.ID) && dev.Module == d.module {
				ids = append(ids, dev.ID)
			}
		}
	})
	return ids
}

// errUnknownDevice: an MLS leaf names a device this copy of the log does not have.
var errUnknownDevice = errors.New("device is not in the organisation log")

// checkLeaf is the hook of crypto/mls: a leaf must be a device of the organisation,
// with that device's own key. A device that has been revoked since passes, because
// old commits are processed late; [Client.reconcile] removes it.
func (d *directory) checkLeaf(identity, signatureKey []byte) error {
	if len(identity) != len(matter.DeviceID{}) {
		return errors.New("leaf identity is not a device id")
	}
	dev, key, ok := d.device(matter.DeviceID(identity))
	if !ok {
		return errUnknownDevice
	}
	if dev.Module != d.module {
		return errors.New("leaf is of another module")
	}
	if !key.Equal(ed25519.PublicKey(signatureKey)) {
		return errors.New("leaf key is not the device's key")
	}
	return nil
}
