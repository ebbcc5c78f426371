package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"causa/matter"
)

// readStatements run on the reading connections.
type readStatements struct {
	meta, logPage, logNext, devices *sql.Stmt
	matterOf, spans, page, heads    *sql.Stmt
	groupInfo, isIn                 *sql.Stmt
	welcomes, due                   *sql.Stmt
}

func (r *readStatements) prepare(ctx context.Context, db *sql.DB) error {
	for _, s := range []struct {
		to    **sql.Stmt
		query string
	}{
		{&r.meta, `SELECT value FROM meta WHERE name = ?`},
		{&r.logPage, `SELECT entry FROM org_log WHERE idx >= ? ORDER BY idx LIMIT ?`},
		{&r.logNext, `SELECT coalesce(max(idx) + 1, 0) FROM org_log`},
		{&r.devices, `SELECT no, id FROM devices`},
		{&r.matterOf, `SELECT no, head, floor FROM matters WHERE id = ?`},
		{&r.spans, `SELECT from_seq, until_seq FROM participants WHERE matter = ? AND device = ? ORDER BY from_seq`},
		{&r.page, `SELECT e.seq, e.time_ms, e.kind, d.id, e.epoch, e.payload FROM entries e JOIN devices d ON d.no = e.sender
			WHERE e.matter = ? AND e.seq BETWEEN ? AND ? ORDER BY e.seq LIMIT ?`},
		// One row a matter; a device that was removed sees it as its last span left it.
		{&r.heads, `SELECT m.id, m.head, m.epoch, m.time_ms, p.until_seq, e.epoch, e.time_ms
			FROM (SELECT matter, max(from_seq) AS from_seq FROM participants WHERE device = ?1 GROUP BY matter) q
			JOIN participants p ON p.matter = q.matter AND p.device = ?1 AND p.from_seq = q.from_seq
			JOIN matters m ON m.no = q.matter
			LEFT JOIN entries e ON e.matter = q.matter AND e.seq = p.until_seq
			ORDER BY coalesce(e.time_ms, m.time_ms) DESC, m.no DESC LIMIT ?2`},
		{&r.due, `SELECT m.no FROM matters m JOIN entries e ON e.matter = m.no AND e.seq = m.floor + 1 WHERE e.time_ms < ?`},
		{&r.groupInfo, `SELECT g.epoch, g.info FROM group_infos g JOIN matters m ON m.no = g.matter WHERE m.id = ?`},
		{&r.isIn, `SELECT 1 FROM participants p JOIN matters m ON m.no = p.matter WHERE m.id = ? AND p.device = ? AND p.until_seq IS NULL`},
		{&r.welcomes, `SELECT w.id, m.id, w.seq, d.id, b.body FROM welcomes w
			JOIN matters m ON m.no = w.matter JOIN devices d ON d.no = w.sender JOIN welcome_bodies b ON b.id = w.body
			WHERE w.device = ? ORDER BY w.id LIMIT ?`},
	} {
		var err error
		if *s.to, err = db.PrepareContext(ctx, s.query); err != nil {
			return fmt.Errorf("prepare %q: %w", s.query, classify(err))
		}
	}
	return nil
}

func scanOne(row *sql.Row, what string, to ...any) (bool, error) {
	err := row.Scan(to...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", what, classify(err))
	}
	return true, nil
}

// each calls scan for every row of a query; scan returns false to stop.
func each(what string, query func() (*sql.Rows, error), scan func(*sql.Rows) (bool, error)) error {
	rows, err := query()
	if err != nil {
		return fmt.Errorf("%s: %w", what, classify(err))
	}
	defer func() { _ = rows.Close() }() // rows.Err below tells all
	for rows.Next() {
		more, err := scan(rows)
		if err != nil {
			return fmt.Errorf("%s: %w", what, classify(err))
		}
		if !more {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, classify(err))
	}
	return nil
}

// Meta returns the value kept under a name.
func (d *DB) Meta(ctx context.Context, name string) (value []byte, ok bool, err error) {
	ok, err = scanOne(d.read.meta.QueryRowContext(ctx, name), "read meta", &value)
	return value, ok, err
}

// LogPage returns consecutive entries of the organisation log from an index on, at
// most limit of them and at most maxBytes together (but one in any case), and the next
// free index.
func (d *DB) LogPage(ctx context.Context, from uint64, limit, maxBytes int) (entries [][]byte, next uint64, err error) {
	tx, err := d.reader.BeginTx(ctx, nil)
	if err != nil {
		return nil, 0, fmt.Errorf("read organisation log: %w", classify(err))
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	if _, err := scanOne(tx.StmtContext(ctx, d.read.logNext).QueryRowContext(ctx), "read organisation log", &next); err != nil {
		return nil, 0, err
	}
	size := 0
	err = each("read organisation log", func() (*sql.Rows, error) {
		return tx.StmtContext(ctx, d.read.logPage).QueryContext(ctx, clamp(from), limit)
	}, func(rows *sql.Rows) (bool, error) {
		var e []byte
		if err := rows.Scan(&e); err != nil {
			return false, err
		}
		if size += len(e); size > maxBytes && len(entries) > 0 {
			return false, nil
		}
		entries = append(entries, e)
		return true, nil
	})
	return entries, next, err
}

// Devices returns all devices by number.
func (d *DB) Devices(ctx context.Context) (devices map[DeviceNo]matter.DeviceID, err error) {
	devices = map[DeviceNo]matter.DeviceID{}
	err = each("list devices", func() (*sql.Rows, error) {
		return d.read.devices.QueryContext(ctx)
	}, func(rows *sql.Rows) (bool, error) {
		var no DeviceNo
		var id []byte
		if err := rows.Scan(&no, &id); err != nil {
			return false, err
		}
		if len(id) != len(matter.DeviceID{}) {
			return false, fmt.Errorf("device %d has an id of %d bytes", no, len(id))
		}
		devices[no] = matter.DeviceID(id)
		return true, nil
	})
	return devices, err
}

// Heads tells where every matter stands that the device is or was in, newest movement
// first. A matter that it was removed from stands where it left it.
func (d *DB) Heads(ctx context.Context, device DeviceNo, limit int) (heads []Head, err error) {
	err = each("list heads", func() (*sql.Rows, error) {
		return d.read.heads.QueryContext(ctx, int64(device), limit)
	}, func(rows *sql.Rows) (bool, error) {
		var h Head
		var id []byte
		var until, untilEpoch, untilTime sql.NullInt64
		if err := rows.Scan(&id, &h.Seq, &h.Epoch, &h.TimeMS, &until, &untilEpoch, &untilTime); err != nil {
			return false, err
		}
		copy(h.Matter[:], id)
		if until.Valid {
			h.Seq, h.Epoch, h.TimeMS = uint64(until.Int64), uint64(untilEpoch.Int64), untilTime.Int64
		}
		heads = append(heads, h)
		return true, nil
	})
	return heads, err
}

// GroupInfo returns a matter's current GroupInfo.
func (d *DB) GroupInfo(ctx context.Context, id matter.ID) (epoch uint64, info []byte, ok bool, err error) {
	ok, err = scanOne(d.read.groupInfo.QueryRowContext(ctx, id[:]), "read group info", &epoch, &info)
	return epoch, info, ok, err
}

// IsIn reports whether a device is in a matter now.
func (d *DB) IsIn(ctx context.Context, id matter.ID, device DeviceNo) (bool, error) {
	var yes int
	return scanOne(d.read.isIn.QueryRowContext(ctx, id[:], int64(device)), "find participant", &yes)
}

// Welcomes returns the oldest welcomes that wait for a device, at most limit of them
// and at most maxBytes together (but one in any case).
func (d *DB) Welcomes(ctx context.Context, device DeviceNo, limit, maxBytes int) (ws []Welcome, err error) {
	size := 0
	err = each("list welcomes", func() (*sql.Rows, error) {
		return d.read.welcomes.QueryContext(ctx, int64(device), limit)
	}, func(rows *sql.Rows) (bool, error) {
		var w Welcome
		var m, sender []byte
		if err := rows.Scan(&w.ID, &m, &w.Seq, &sender, &w.Body); err != nil {
			return false, err
		}
		if size += len(w.Body); size > maxBytes && len(ws) > 0 {
			return false, nil
		}
		copy(w.Matter[:], m)
		copy(w.Sender[:], sender)
		ws = append(ws, w)
		return true, nil
	})
	return ws, err
}
