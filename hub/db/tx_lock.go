package db

import (
	"slices"

	"causa/matter"
)

// MetaIncarnation names the hub's incarnation in meta.
const MetaIncarnation = "incarnation"

// A Seat is what only one hub at a time may move on of a device.
type Seat struct {
	Counter uint64 // the last one taken
	Session uint64 // of the device's newest connection
}

// Locked is what a hub must know for certain before it decides anything in a database
// that it shares. Until the transaction ends nobody else changes what is locked.
type Locked struct {
	Seats       map[DeviceNo]Seat
	Matters     []Matter // those that there are, without their devices
	LogNext     uint64   // of the organisation log, which is not locked
	Incarnation []byte   // as kept in meta; nil: none
}

// Lock takes devices and matters for this transaction. All hubs take them in the same
// order, so that none waits for another that waits for it; therefore a transaction locks
// once, first. What the log is at is read last: all that led to what is locked is in it.
func (tx *Tx) Lock(devices []DeviceNo, matters []matter.ID) (l Locked, err error) {
	l.Seats = make(map[DeviceNo]Seat, len(devices))
	if len(devices) > 0 {
		if err := tx.conn.Query(func(r Row) (bool, error) {
			var no DeviceNo
			var s Seat
			err := r.Scan(&no, &s.Counter, &s.Session)
			l.Seats[no] = s
			return true, err
		}, `SELECT no, counter, session FROM devices WHERE no = ANY($1::bigint[]) ORDER BY no FOR NO KEY UPDATE`, numbers(devices)); err != nil {
			return l, wrap("lock devices", err)
		}
	}
	if len(matters) > 0 {
		if err := tx.conn.Query(func(r Row) (bool, error) {
			var m Matter
			var id, digest []byte
			err := r.Scan(&m.No, &id, &m.Creator, &digest, &m.Epoch, &m.Head, &m.TimeMS)
			copy(m.ID[:], id)
			copy(m.Digest[:], digest)
			l.Matters = append(l.Matters, m)
			return true, err
		}, `SELECT no, id, creator, digest, epoch, head, time_ms FROM matters WHERE id = ANY($1::bytea[]) ORDER BY no FOR NO KEY UPDATE`,
			ids(matters)); err != nil {
			return l, wrap("lock matters", err)
		}
	}
	_, err = one(tx.conn, "lock", []any{&l.LogNext, &l.Incarnation},
		`SELECT coalesce(max(idx) + 1, 0), (SELECT value FROM meta WHERE name = $1) FROM org_log`, MetaIncarnation)
	return l, err
}

// Participants returns the devices that are in matters, ascending.
func (tx *Tx) Participants(matters []MatterNo) (map[MatterNo][]DeviceNo, error) {
	return participants(tx.conn, matters)
}

func participants(c Conn, matters []MatterNo) (map[MatterNo][]DeviceNo, error) {
	in := make(map[MatterNo][]DeviceNo, len(matters))
	err := ask(c, "list participants", func(r Row) (bool, error) {
		var m MatterNo
		var d DeviceNo
		err := r.Scan(&m, &d)
		in[m] = append(in[m], d)
		return true, err
	}, `SELECT matter, device FROM participants WHERE matter = ANY($1::bigint[]) AND until_seq IS NULL ORDER BY matter, device`, numbers(matters))
	return in, err
}

// SetSessions keeps the number of the newest connection of each of these devices.
func (tx *Tx) SetSessions(sessions map[DeviceNo]uint64) error {
	nos, values := make([]int64, 0, len(sessions)), make([]int64, 0, len(sessions))
	for no, session := range sessions {
		nos, values = append(nos, int64(no)), append(values, int64(session))
	}
	return wrap("set sessions", tx.conn.Many(Bulk{
		All: `UPDATE devices SET session = u.session FROM unnest($1::bigint[], $2::bigint[]) AS u (no, session) WHERE devices.no = u.no`,
	}, nos, values))
}

// LogPage is [DB.LogPage] within the transaction.
func (tx *Tx) LogPage(from uint64, limit, maxBytes int) (entries [][]byte, next uint64, err error) {
	return logPage(tx.conn, from, limit, maxBytes)
}

// numbers makes an argument of numbers, in ascending order.
func numbers[N ~int64](nos []N) []int64 {
	out := make([]int64, len(nos))
	for i, no := range nos {
		out[i] = int64(no)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ids makes an argument of ids.
func ids(of []matter.ID) [][]byte {
	out := make([][]byte, len(of))
	for i := range of {
		out[i] = of[i][:]
	}
	return out
}
