package db

import (
	"context"
	"database/sql"
	"fmt"

	"causa/matter"
)

// Meta returns the value kept under a name.
func (d *DB) Meta(ctx context.Context, name string) (value []byte, ok bool, err error) {
	ok, err = d.get(ctx, "read meta", []any{&value}, `SELECT value FROM meta WHERE name = $1`, name)
	return value, ok, err
}

// LogPage returns consecutive entries of the organisation log from an index on, at
// most limit of them and at most maxBytes together (but one in any case), and the next
// free index.
func (d *DB) LogPage(ctx context.Context, from uint64, limit, maxBytes int) (entries [][]byte, next uint64, err error) {
	err = d.store.Read(ctx, func(c Conn) error {
		entries, next, err = logPage(c, from, limit, maxBytes)
		return err
	})
	return entries, next, err
}

func logPage(c Conn, from uint64, limit, maxBytes int) (entries [][]byte, next uint64, err error) {
	var found bool
	if err := c.Query(only(&found, &next), `SELECT coalesce(max(idx) + 1, 0) FROM org_log`); err != nil {
		return nil, 0, wrap("read organisation log", err)
	}
	size := 0
	err = ask(c, "read organisation log", func(r Row) (bool, error) {
		var e []byte
		if err := r.Scan(&e); err != nil {
			return false, err
		}
		if size += len(e); size > maxBytes && len(entries) > 0 {
			return false, nil
		}
		entries = append(entries, e)
		return true, nil
	}, `SELECT entry FROM org_log WHERE idx >= $1 ORDER BY idx LIMIT $2`, clamp(from), limit)
	return entries, next, err
}

// Devices returns all devices by number.
func (d *DB) Devices(ctx context.Context) (devices map[DeviceNo]matter.DeviceID, err error) {
	devices = map[DeviceNo]matter.DeviceID{}
	err = d.query(ctx, "list devices", deviceInto(devices), `SELECT no, id FROM devices`)
	return devices, err
}

// deviceInto is a Scan that notes devices.
func deviceInto(devices map[DeviceNo]matter.DeviceID) Scan {
	return func(r Row) (bool, error) {
		var no DeviceNo
		var id []byte
		if err := r.Scan(&no, &id); err != nil {
			return false, err
		}
		if len(id) != len(matter.DeviceID{}) {
			return false, fmt.Errorf("device %d has an id of %d bytes", no, len(id))
		}
		devices[no] = matter.DeviceID(id)
		return true, nil
	}
}

// Heads tells where every matter stands that the device is or was in, newest movement
// first. A matter that it was removed from stands where it left it.
func (d *DB) Heads(ctx context.Context, device DeviceNo, limit int) (heads []Head, err error) {
	// One row a matter; a device that was removed sees it as its last span left it.
	const query = `SELECT m.id, m.head, m.epoch, m.time_ms, p.until_seq, e.epoch, e.time_ms
		FROM (SELECT matter, max(from_seq) AS from_seq FROM participants WHERE device = $1 GROUP BY matter) q
		JOIN participants p ON p.matter = q.matter AND p.device = $1 AND p.from_seq = q.from_seq
		JOIN matters m ON m.no = q.matter
		LEFT JOIN entries e ON e.matter = q.matter AND e.seq = p.until_seq
		ORDER BY coalesce(e.time_ms, m.time_ms) DESC, m.no DESC LIMIT $2`
	err = d.query(ctx, "list heads", func(r Row) (bool, error) {
		var h Head
		var id []byte
		var until, untilEpoch, untilTime sql.NullInt64
		if err := r.Scan(&id, &h.Seq, &h.Epoch, &h.TimeMS, &until, &untilEpoch, &untilTime); err != nil {
			return false, err
		}
		copy(h.Matter[:], id)
		if until.Valid {
			h.Seq, h.Epoch, h.TimeMS = uint64(until.Int64), uint64(untilEpoch.Int64), untilTime.Int64
		}
		heads = append(heads, h)
		return true, nil
	}, query, int64(device), limit)
	return heads, err
}

// GroupInfo returns a matter's current GroupInfo.
func (d *DB) GroupInfo(ctx context.Context, id matter.ID) (epoch uint64, info []byte, ok bool, err error) {
	ok, err = d.get(ctx, "read group info", []any{&epoch, &info},
		`SELECT g.epoch, g.info FROM group_infos g JOIN matters m ON m.no = g.matter WHERE m.id = $1`, id[:])
	return epoch, info, ok, err
}

// IsIn reports whether a device is in a matter now.
func (d *DB) IsIn(ctx context.Context, id matter.ID, device DeviceNo) (bool, error) {
	var yes int
	return d.get(ctx, "find participant", []any{&yes},
		`SELECT 1 FROM participants p JOIN matters m ON m.no = p.matter WHERE m.id = $1 AND p.device = $2 AND p.until_seq IS NULL`, id[:], int64(device))
}

// Welcomes returns the oldest welcomes that wait for a device, at most limit of them
// and at most maxBytes together (but one in any case).
func (d *DB) Welcomes(ctx context.Context, device DeviceNo, limit, maxBytes int) (ws []Welcome, err error) {
	size := 0
	err = d.query(ctx, "list welcomes", func(r Row) (bool, error) {
		var w Welcome
		var m, sender []byte
		if err := r.Scan(&w.ID, &m, &w.Seq, &sender, &w.Body); err != nil {
			return false, err
		}
		if size += len(w.Body); size > maxBytes && len(ws) > 0 {
			return false, nil
		}
		copy(w.Matter[:], m)
		copy(w.Sender[:], sender)
		ws = append(ws, w)
		return true, nil
	}, `SELECT w.id, m.id, w.seq, d.id, b.body FROM welcomes w
		JOIN matters m ON m.no = w.matter JOIN devices d ON d.no = w.sender JOIN welcome_bodies b ON b.id = w.body
		WHERE w.device = $1 ORDER BY w.id LIMIT $2`, int64(device), limit)
	return ws, err
}
