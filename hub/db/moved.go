package db

import (
	"context"

	"causa/matter"
)

// A Move is how far a matter has come.
type Move struct {
	No   MatterNo
	ID   matter.ID
	Head uint64
}

// Moved returns the matters that have moved at or after a time, by the clocks of the hubs
// that moved them.
func (d *DB) Moved(ctx context.Context, sinceMS int64) (moves []Move, err error) {
	err = d.query(ctx, "list movements", func(r Row) (bool, error) {
		var m Move
		var id []byte
		err := r.Scan(&m.No, &id, &m.Head)
		copy(m.ID[:], id)
		moves = append(moves, m)
		return true, err
	}, `SELECT no, id, head FROM matters WHERE time_ms >= $1`, sinceMS)
	return moves, err
}

// Participants returns the devices that are in matters, ascending.
func (d *DB) Participants(ctx context.Context, matters []MatterNo) (in map[MatterNo][]DeviceNo, err error) {
	err = d.store.Read(ctx, func(c Conn) error {
		in, err = participants(c, matters)
		return err
	})
	return in, err
}

// A Post is what concerns one device alone.
type Post struct {
	Session  uint64 // number of its newest connection
	Welcomes uint64 // the newest that waits, 0: none
}

// Posts returns what concerns each of some devices. Only a shared database has it.
func (d *DB) Posts(ctx context.Context, devices []DeviceNo) (map[DeviceNo]Post, error) {
	posts := make(map[DeviceNo]Post, len(devices))
	err := d.query(ctx, "list posts", func(r Row) (bool, error) {
		var no DeviceNo
		var p Post
		err := r.Scan(&no, &p.Session, &p.Welcomes)
		posts[no] = p
		return true, err
	}, `SELECT d.no, d.session, (SELECT coalesce(max(w.id), 0) FROM welcomes w WHERE w.device = d.no)
		FROM devices d WHERE d.no = ANY($1::bigint[])`, numbers(devices))
	return posts, err
}
