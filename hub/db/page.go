package db

import (
	"context"
	"database/sql"
	"fmt"

	"causa/matter"
)

// A Page is part of a matter's log as one device may see it.
type Page struct {
	Entries []Entry
	Head    uint64 // the last sequence that the device may see
	Trimmed uint64 // entries up to here, which it might have seen, are no longer kept; 0: all are
}

// A span is a time in a matter: the entries that a device may see.
type span struct{ from, until uint64 }

// Page returns the entries after a sequence that the device may see, in order: those
// of the times it was in the matter, each with the commit that began and the commit
// that ended it. It holds at most limit entries and at most maxBytes of payload (but
// one entry in any case). What is no longer kept is passed over. ok is false when the device never was in such a matter.
func (d *DB) Page(ctx context.Context, id matter.ID, device DeviceNo, after uint64, limit, maxBytes int) (p Page, ok bool, err error) {
	tx, err := d.reader.BeginTx(ctx, nil) // one view of both tables
	if err != nil {
		return p, false, fmt.Errorf("read matter: %w", classify(err))
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	var no, head, floor int64
	ok, err = scanOne(tx.StmtContext(ctx, d.read.matterOf).QueryRowContext(ctx, id[:]), "read matter", &no, &head, &floor)
	if err != nil || !ok {
		return p, false, err
	}
	spans, err := d.spansOf(ctx, tx, no, device, uint64(head))
	if err != nil || len(spans) == 0 {
		return p, false, err
	}
	p.Head = spans[len(spans)-1].until
	for _, s := range spans {
		if s.until <= after {
			continue
		}
		if gone := min(uint64(floor), s.until); gone > after && gone >= s.from {
			after, p.Trimmed = gone, gone
		}
		if s.until <= after {
			continue // nothing of this time is left
		}
		// The next span, if any, is another page's.
		p.Entries, err = d.entries(ctx, tx, no, max(after+1, s.from), s.until, limit, maxBytes)
		return p, true, err
	}
	return p, true, nil
}

func (d *DB) spansOf(ctx context.Context, tx *sql.Tx, no int64, device DeviceNo, head uint64) (spans []span, err error) {
	err = each("read participants", func() (*sql.Rows, error) {
		return tx.StmtContext(ctx, d.read.spans).QueryContext(ctx, no, int64(device))
	}, func(rows *sql.Rows) (bool, error) {
		var s span
		var until sql.NullInt64
		if err := rows.Scan(&s.from, &until); err != nil {
			return false, err
		}
		s.until = head
		if until.Valid {
			s.until = uint64(until.Int64)
		}
		spans = append(spans, s)
		return true, nil
	})
	return spans, err
}

func (d *DB) entries(ctx context.Context, tx *sql.Tx, no int64, from, until uint64, limit, maxBytes int) (entries []Entry, err error) {
	size := 0
	err = each("read entries", func() (*sql.Rows, error) {
		return tx.StmtContext(ctx, d.read.page).QueryContext(ctx, no, clamp(from), clamp(until), limit)
	}, func(rows *sql.Rows) (bool, error) {
		var e Entry
		var sender []byte
		if err := rows.Scan(&e.Seq, &e.TimeMS, &e.Kind, &sender, &e.Epoch, &e.Payload); err != nil {
			return false, err
		}
		if size += len(e.Payload); size > maxBytes && len(entries) > 0 {
			return false, nil
		}
		copy(e.Sender[:], sender)
		entries = append(entries, e)
		return true, nil
	})
	return entries, err
}
