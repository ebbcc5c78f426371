package db

import (
	"context"

	"causa/matter"
)

// A Snapshot is a hub's database as it is at one instant, to be looked at beside the
// hub or without one. It changes nothing. It is for use by one goroutine.
type Snapshot struct {
	conn Conn
	end  func() error
}

// NewSnapshot makes a snapshot of a transaction that sees one instant; end ends it.
func NewSnapshot(c Conn, end func() error) *Snapshot { return &Snapshot{conn: c, end: end} }

// View runs fn on a snapshot, which ends with it.
func (d *DB) View(ctx context.Context, fn func(*Snapshot) error) error {
	return d.store.Read(ctx, func(c Conn) error {
		return fn(NewSnapshot(c, func() error { return nil }))
	})
}

// Close ends looking.
func (s *Snapshot) Close() error { return s.end() }

// Counts say how much a hub keeps.
type Counts struct {
	Log         uint64 // entries of the organisation log
	Matters     uint64
	Entries     uint64 // of all matters' logs
	Welcomes    uint64 // that wait
	KeyPackages uint64
	Bytes       int64 // of the database
}

// Counts counts.
func (s *Snapshot) Counts(_ context.Context) (c Counts, err error) {
	_, err = one(s.conn, "count", []any{&c.Log, &c.Matters, &c.Entries, &c.Welcomes, &c.KeyPackages, &c.Bytes}, `SELECT
		(SELECT count(*) FROM org_log), (SELECT count(*) FROM matters), (SELECT CAST(coalesce(sum(head), 0) AS bigint) FROM matters),
		(SELECT count(*) FROM welcomes), (SELECT count(*) FROM key_packages), `+
		s.conn.Pick(`(SELECT page_count * page_size FROM pragma_page_count, pragma_page_size)`, `pg_database_size(current_database())`))
	return c, err
}

// Meta returns the value kept under a name, nil when there is none.
func (s *Snapshot) Meta(_ context.Context, name string) (value []byte, err error) {
	_, err = one(s.conn, "read meta", []any{&value}, `SELECT value FROM meta WHERE name = $1`, name)
	return value, err
}

// Log calls fn for every entry of the organisation log, in order.
func (s *Snapshot) Log(_ context.Context, fn func(index uint64, entry []byte) error) error {
	return ask(s.conn, "read organisation log", func(r Row) (bool, error) {
		var index uint64
		var entry []byte
		if err := r.Scan(&index, &entry); err != nil {
			return false, err
		}
		return true, fn(index, entry)
	}, `SELECT idx, entry FROM org_log ORDER BY idx`)
}

// Devices returns all devices by number.
func (s *Snapshot) Devices(_ context.Context) (map[DeviceNo]matter.DeviceID, error) {
	devices := map[DeviceNo]matter.DeviceID{}
	err := ask(s.conn, "list devices", deviceInto(devices), `SELECT no, id FROM devices`)
	return devices, err
}

// Matters returns the numbers of all matters.
func (s *Snapshot) Matters(_ context.Context) (nos []MatterNo, err error) {
	err = ask(s.conn, "list matters", func(r Row) (bool, error) {
		var no MatterNo
		err := r.Scan(&no)
		nos = append(nos, no)
		return true, err
	}, `SELECT no FROM matters ORDER BY no`)
	return nos, err
}

// Group returns a matter's id, its epoch, its GroupInfo and the devices that are in it.
func (s *Snapshot) Group(_ context.Context, no MatterNo) (id matter.ID, epoch uint64, info []byte, devices []DeviceNo, err error) {
	var b []byte
	if _, err := one(s.conn, "read group info", []any{&b, &epoch, &info}, `SELECT m.id, m.epoch, g.info FROM matters m
		JOIN group_infos g ON g.matter = m.no WHERE m.no = $1`, int64(no)); err != nil {
		return id, 0, nil, nil, err
	}
	copy(id[:], b)
	err = ask(s.conn, "list participants", func(r Row) (bool, error) {
		var d DeviceNo
		err := r.Scan(&d)
		devices = append(devices, d)
		return true, err
	}, `SELECT device FROM participants WHERE matter = $1 AND until_seq IS NULL ORDER BY device`, int64(no))
	return id, epoch, info, devices, err
}
