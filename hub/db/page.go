package db

import (
	"context"
	"database/sql"

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
// that ended it, and what was granted of the time before. It holds at most limit entries and at most maxBytes of payload (but
// one entry in any case). What is no longer kept is passed over. ok is false when the
// device never was in such a matter.
func (d *DB) Page(ctx context.Context, id matter.ID, device DeviceNo, after uint64, limit, maxBytes int) (p Page, ok bool, err error) {
	err = d.store.Read(ctx, func(c Conn) error {
		p, ok, err = page(c, id, device, after, limit, maxBytes)
		return err
	})
	return p, ok, err
}

func page(c Conn, id matter.ID, device DeviceNo, after uint64, limit, maxBytes int) (p Page, ok bool, err error) {
	no, floor, spans, err := spansOf(c, id, device)
	if err != nil || len(spans) == 0 {
		return p, false, err
	}
	p.Head = spans[len(spans)-1].until
	for _, s := range spans {
		if s.until <= after {
			continue
		}
		if gone := min(floor, s.until); gone > after && gone >= s.from {
			after, p.Trimmed = gone, gone
		}
		if s.until <= after {
			continue // nothing of this time is left
		}
		// The next span, if any, is another page's.
		p.Entries, err = entriesOf(c, no, max(after+1, s.from), s.until, limit, maxBytes)
		return p, true, err
	}
	return p, true, nil
}

// spansOf returns the times that a device was in a matter, none when there is no such
// matter, and the matter's floor.
func spansOf(c Conn, id matter.ID, device DeviceNo) (no MatterNo, floor uint64, spans []span, err error) {
	err = ask(c, "read participants", func(r Row) (bool, error) {
		var s span
		var head uint64
		var until sql.NullInt64
		if err := r.Scan(&no, &head, &floor, &s.from, &until); err != nil {
			return false, err
		}
		s.until = head
		if until.Valid {
			s.until = uint64(until.Int64)
		}
		// What was granted may reach into earlier times, which are one with it then.
		for n := len(spans); n > 0 && spans[n-1].until+1 >= s.from; n = len(spans) {
			s.from = min(s.from, spans[n-1].from)
			spans = spans[:n-1]
		}
		spans = append(spans, s)
		return true, nil
	}, `SELECT m.no, m.head, m.floor, coalesce(p.history, p.from_seq), p.until_seq FROM matters m JOIN participants p ON p.matter = m.no
		WHERE m.id = $1 AND p.device = $2 ORDER BY p.from_seq`, id[:], int64(device))
	return no, floor, spans, err
}

func entriesOf(c Conn, no MatterNo, from, until uint64, limit, maxBytes int) (entries []Entry, err error) {
	size := 0
	err = ask(c, "read entries", func(r Row) (bool, error) {
		var e Entry
		var sender []byte
		if err := r.Scan(&e.Seq, &e.TimeMS, &e.Kind, &sender, &e.Epoch, &e.Payload); err != nil {
			return false, err
		}
		if size += len(e.Payload); size > maxBytes && len(entries) > 0 {
			return false, nil
		}
		copy(e.Sender[:], sender)
		entries = append(entries, e)
		return true, nil
	}, `SELECT e.seq, e.time_ms, e.kind, d.id, e.epoch, e.payload FROM entries e JOIN devices d ON d.no = e.sender
		WHERE e.matter = $1 AND e.seq BETWEEN $2 AND $3 ORDER BY e.seq LIMIT $4`, int64(no), clamp(from), clamp(until), limit)
	return entries, err
}
