package vault

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"causa/wire"
)

// A tx is a transaction on the slots.
type tx struct {
	ctx    context.Context //nolint:containedctx // it lives no longer than its batch
	sql    *sql.Tx
	failed error // the file's own error, which spoils the batch
}

// A row is a slot with its keys.
type row struct {
	Slot
	generation uint64
	key        []byte
	next       uint64
	nextKey    []byte
	notBefore  time.Time
}

func (t *tx) fail(err error) error {
	if err != nil && t.failed == nil {
		t.failed = err
	}
	return err
}

func (t *tx) exec(query string, args ...any) (n int64, err error) {
	r, err := t.sql.ExecContext(t.ctx, query, args...)
	if err == nil {
		n, err = r.RowsAffected()
	}
	return n, t.fail(err)
}

const columns = "id, device, module, unlock, proof, generation, key, next, next_key, tries, not_before, confirmed"

func (t *tx) slot(r *row, id [16]byte) error {
	return t.scan(r, t.sql.QueryRowContext(t.ctx, "SELECT "+columns+" FROM slot WHERE id = ?", id[:]))
}

func (t *tx) byUnlock(r *row, unlock []byte) error {
	return t.scan(r, t.sql.QueryRowContext(t.ctx, "SELECT "+columns+" FROM slot WHERE unlock = ?", unlock))
}

func (t *tx) scan(r *row, from interface{ Scan(dest ...any) error }) error {
	var id, device, unlock, proof []byte
	var notBefore, confirmed int64
	err := from.Scan(&id, &device, &r.Module, &unlock, &proof, &r.generation, &r.key, &r.next, &r.nextKey, &r.Tries, &notBefore, &confirmed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrNone
	case err != nil:
		return t.fail(err)
	case len(id) != len(r.ID) || len(device) != len(r.Device):
		return t.fail(errors.New("a slot is damaged"))
	}
	r.ID, r.Device, r.Unlock, r.Proof = [16]byte(id), [32]byte(device), unlock, proof
	r.Destroyed = r.nextKey == nil
	r.notBefore, r.Confirmed = instant(notBefore), instant(confirmed)
	return nil
}

// instant and millis keep the zero time as 0.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func (t *tx) insert(r *row) error {
	_, err := t.exec("INSERT INTO slot ("+columns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		r.ID[:], r.Device[:], r.Module, []byte(r.Unlock), []byte(r.Proof), r.generation, r.key, r.next, r.nextKey, r.Tries, millis(r.notBefore), millis(r.Confirmed))
	return err
}

func (t *tx) update(r *row) error {
	_, err := t.exec("UPDATE slot SET generation = ?, key = ?, next = ?, next_key = ?, tries = ?, not_before = ?, confirmed = ? WHERE id = ?",
		r.generation, r.key, r.next, r.nextKey, r.Tries, millis(r.notBefore), millis(r.Confirmed), r.ID[:])
	return err
}

// count stores the tries of a slot and nothing else.
func (t *tx) count(r *row) error {
	_, err := t.exec("UPDATE slot SET tries = ?, not_before = ? WHERE id = ?", r.Tries, millis(r.notBefore), r.ID[:])
	return err
}

// makeRoom sees to it that a device may have one slot more: those never confirmed go.
func (t *tx) makeRoom(device [32]byte) error {
	var n int
	if err := t.sql.QueryRowContext(t.ctx, "SELECT count(*) FROM slot WHERE device = ?", device[:]).Scan(&n); err != nil {
		return t.fail(err)
	}
	if n < wire.MaxSlots {
		return nil
	}
	gone, err := t.exec("DELETE FROM slot WHERE device = ? AND (generation = 0 OR next_key IS NULL)", device[:])
	if err != nil {
		return err
	}
	if gone == 0 {
		return ErrTooMany
	}
	return nil
}

// destroyed overwrites a slot's keys, of which nothing is left in the file then.
const destroyed = "UPDATE slot SET key = NULL, next_key = NULL WHERE next_key IS NOT NULL AND "

// Find returns the slot whose requests a key signs.
func (s *Store) Find(ctx context.Context, unlock []byte) (Slot, error) {
	var r row
	err := s.write(ctx, func(t *tx) error { return t.byUnlock(&r, unlock) })
	return r.Slot, err
}

// Get returns a slot.
func (s *Store) Get(ctx context.Context, id [16]byte) (Slot, error) {
	var r row
	err := s.write(ctx, func(t *tx) error { return t.slot(&r, id) })
	return r.Slot, err
}

// Of returns a device's slots that have keys.
func (s *Store) Of(ctx context.Context, device [32]byte) (slots []Slot, err error) {
	err = s.write(ctx, func(t *tx) error {
		rows, err := t.sql.QueryContext(t.ctx, "SELECT "+columns+" FROM slot WHERE device = ? AND next_key IS NOT NULL", device[:])
		if err != nil {
			return t.fail(err)
		}
		defer rows.Close()
		for rows.Next() {
			var r row
			if err := t.scan(&r, rows); err != nil {
				return err
			}
			slots = append(slots, r.Slot)
		}
		return t.fail(rows.Err())
	})
	return slots, err
}

// Drop destroys the keys of one slot.
func (s *Store) Drop(ctx context.Context, id [16]byte) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec(destroyed+"id = ?", id[:])
		return err
	})
}

// Destroy destroys the keys of devices' slots, as an entry of the organisation log orders;
// for each entry once. With modules, only theirs. It returns how many slots had keys.
func (s *Store) Destroy(ctx context.Context, entry [32]byte, devices [][32]byte, modules ...string) (n int, err error) {
	err = s.once(ctx, entry, func(t *tx) error {
		n = 0
		for _, d := range devices {
			if len(modules) == 0 {
				gone, err := t.exec(destroyed+"device = ?", d[:])
				if err != nil {
					return err
				}
				n += int(gone)
			}
			for _, m := range modules {
				gone, err := t.exec(destroyed+"device = ? AND module = ?", d[:], m)
				if err != nil {
					return err
				}
				n += int(gone)
			}
		}
		return nil
	})
	return n, err
}

// Reset lets a device's slots be tried anew, as an entry of the organisation log orders;
// for each entry once.
func (s *Store) Reset(ctx context.Context, entry, device [32]byte) error {
	return s.once(ctx, entry, func(t *tx) error {
		_, err := t.exec("UPDATE slot SET tries = 0, not_before = 0 WHERE device = ?", device[:])
		return err
	})
}

// once carries an entry out, unless that was done before.
func (s *Store) once(ctx context.Context, entry [32]byte, f func(*tx) error) error {
	return s.write(ctx, func(t *tx) error {
		n, err := t.exec("INSERT OR IGNORE INTO done (entry) VALUES (?)", entry[:])
		if err != nil || n == 0 {
			return err
		}
		return f(t)
	})
}
