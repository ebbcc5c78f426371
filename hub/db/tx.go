package db

import (
	"causa/matter"
)

// A Tx is the open transaction of [DB.Write]. It reads what it has written itself.
// It is valid only inside the function that Write calls.
type Tx struct {
	conn    Conn
	entries entryColumns // that wait to be stored
}

// exec runs a statement whose result is of no interest.
func (tx *Tx) exec(what, query string, args ...any) error {
	return wrap(what, tx.conn.Exec(query, args...))
}

// SetMeta keeps a value under a name.
func (tx *Tx) SetMeta(name string, value []byte) error {
	return tx.exec("set meta", `INSERT INTO meta (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
}

// KeepMeta keeps a value under a name unless there is one, and returns what is kept.
func (tx *Tx) KeepMeta(name string, value []byte) (kept []byte, err error) {
	if err := tx.exec("keep meta", `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, value); err != nil {
		return nil, err
	}
	_, err = one(tx.conn, "read meta", []any{&kept}, `SELECT value FROM meta WHERE name = $1`, name)
	return kept, err
}

// AppendLog stores an entry of the organisation log. The database refuses an index
// that is taken.
func (tx *Tx) AppendLog(index uint64, entry []byte) error {
	return tx.exec("append to organisation log", `INSERT INTO org_log (idx, entry) VALUES ($1, $2)`, int64(index), entry)
}

// LogEntry returns an entry of the organisation log.
func (tx *Tx) LogEntry(index uint64) (entry []byte, ok bool, err error) {
	ok, err = one(tx.conn, "read organisation log", []any{&entry}, `SELECT entry FROM org_log WHERE idx = $1`, clamp(index))
	return entry, ok, err
}

// AddDevice gives a device its number; it keeps the one it has.
func (tx *Tx) AddDevice(id matter.DeviceID) (no DeviceNo, err error) {
	_, err = one(tx.conn, "add device", []any{&no},
		`INSERT INTO devices (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING no`, id[:])
	return no, err
}

// Device returns a device's number and the last counter taken from it.
func (tx *Tx) Device(id matter.DeviceID) (no DeviceNo, counter uint64, ok bool, err error) {
	ok, err = one(tx.conn, "find device", []any{&no, &counter}, `SELECT no, counter FROM devices WHERE id = $1`, id[:])
	return no, counter, ok, err
}

// SetCounters keeps the last counter taken from each of these devices.
func (tx *Tx) SetCounters(counters map[DeviceNo]uint64) error {
	nos, values := make([]int64, 0, len(counters)), make([]int64, 0, len(counters))
	for no, counter := range counters {
		nos, values = append(nos, int64(no)), append(values, int64(counter))
	}
	return wrap("set counters", tx.conn.Many(Bulk{
		One: `UPDATE devices SET counter = $2 WHERE no = $1`,
		All: `UPDATE devices SET counter = u.counter FROM unnest($1::bigint[], $2::bigint[]) AS u (no, counter) WHERE devices.no = u.no`,
	}, nos, values))
}

// clamp makes a number from outside fit the database's integers.
func clamp(n uint64) int64 { return int64(min(n, 1<<63-1)) }

// Waiting counts what is held for a device: its key packages (those of last resort
// aside) and its welcomes.
func (tx *Tx) Waiting(no DeviceNo) (keyPackages []Stock, welcomes int, err error) {
	var found bool
	if err := tx.conn.Query(only(&found, &welcomes), `SELECT count(*) FROM welcomes WHERE device = $1`, int64(no)); err != nil {
		return nil, 0, wrap("count welcomes", err)
	}
	keyPackages, err = tx.keyPackageStocks(no)
	return keyPackages, welcomes, err
}
