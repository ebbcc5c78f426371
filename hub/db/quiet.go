package db

import (
	"context"
	"fmt"

	"causa/matter"
)

// A Quiet is what a member has published of their quiet hours.
type Quiet struct {
	Member    matter.MemberID
	Version   uint64
	Device    matter.DeviceID // that made it
	Rules     []byte
	Signature []byte
}

// SetQuiet keeps a member's quiet hours.
func (tx *Tx) SetQuiet(q Quiet) error {
	return tx.exec("keep quiet hours", `INSERT INTO quiet_rules (member, version, device, rules, signature) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (member) DO UPDATE SET version = excluded.version, device = excluded.device, rules = excluded.rules, signature = excluded.signature`,
		q.Member[:], int64(q.Version), q.Device[:], q.Rules, q.Signature)
}

// Quiet returns what a member has published of their quiet hours.
func (tx *Tx) Quiet(m matter.MemberID) (q Quiet, ok bool, err error) {
	ok, err = one(tx.conn, "read quiet hours", quietInto(&q), quietColumns+` WHERE member = $1`, m[:])
	return q, ok, err
}

const quietColumns = `SELECT member, version, device, rules, signature FROM quiet_rules`

func quietInto(q *Quiet) []any {
	return []any{exact(q.Member[:]), &q.Version, exact(q.Device[:]), &q.Rules, &q.Signature}
}

// AllQuiet has f look at everything published.
func (d *DB) AllQuiet(ctx context.Context, f func(Quiet)) error {
	return d.query(ctx, "read quiet hours", func(r Row) (bool, error) {
		var q Quiet
		err := r.Scan(quietInto(&q)...)
		if err == nil {
			f(q)
		}
		return true, err
	}, quietColumns)
}

// SetEndpoint keeps where a device is woken; empty forgets it.
func (tx *Tx) SetEndpoint(no DeviceNo, url string) error {
	if url == "" {
		return tx.exec("forget an endpoint", `DELETE FROM wake_endpoints WHERE device = $1`, int64(no))
	}
	return tx.exec("keep an endpoint", `INSERT INTO wake_endpoints (device, url) VALUES ($1, $2)
		ON CONFLICT (device) DO UPDATE SET url = excluded.url`, int64(no), url)
}

// Endpoints returns where devices are woken.
func (d *DB) Endpoints(ctx context.Context) (map[DeviceNo]string, error) {
	all := map[DeviceNo]string{}
	err := d.query(ctx, "read endpoints", func(r Row) (bool, error) {
		var no DeviceNo
		var url string
		err := r.Scan(&no, &url)
		all[no] = url
		return true, err
	}, `SELECT device, url FROM wake_endpoints`)
	return all, err
}

// A HeldWake is a wake-up that waits for the end of a member's quiet hours.
type HeldWake struct {
	Member matter.MemberID
	Matter matter.ID
	Sender matter.MemberID
	Urgent bool
	Until  int64 // Unix seconds
}

// HoldWakes keeps wake-ups; one of the same matter and sender is replaced.
func (tx *Tx) HoldWakes(all []HeldWake) error {
	n := len(all)
	members, matters, senders := make([][]byte, n), make([][]byte, n), make([][]byte, n)
	urgent, until := make([]int64, n), make([]int64, n)
	for i := range all {
		w := &all[i]
		members[i], matters[i], senders[i], until[i] = w.Member[:], w.Matter[:], w.Sender[:], w.Until
		if w.Urgent {
			urgent[i] = 1
		}
	}
	const conflict = ` ON CONFLICT (member, matter, sender, urgent) DO UPDATE SET until_s = excluded.until_s`
	return wrap("hold wake-ups", tx.conn.Many(Bulk{
		One: `INSERT INTO held_wakes (member, matter, sender, urgent, until_s) VALUES ($1, $2, $3, $4, $5)` + conflict,
		All: `INSERT INTO held_wakes (member, matter, sender, urgent, until_s)
			SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[])` + conflict,
	}, members, matters, senders, urgent, until))
}

// DropWakes forgets wake-ups that are not held longer than they say.
func (tx *Tx) DropWakes(all []HeldWake) error {
	n := len(all)
	members, matters, senders := make([][]byte, n), make([][]byte, n), make([][]byte, n)
	urgent, until := make([]int64, n), make([]int64, n)
	for i := range all {
		w := &all[i]
		members[i], matters[i], senders[i], until[i] = w.Member[:], w.Matter[:], w.Sender[:], w.Until
		if w.Urgent {
			urgent[i] = 1
		}
	}
	return wrap("drop wake-ups", tx.conn.Many(Bulk{
		One: `DELETE FROM held_wakes WHERE member = $1 AND matter = $2 AND sender = $3 AND urgent = $4 AND until_s <= $5`,
		All: `DELETE FROM held_wakes h USING unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[]) AS u (member, matter, sender, urgent, until_s)
			WHERE h.member = u.member AND h.matter = u.matter AND h.sender = u.sender AND h.urgent = u.urgent AND h.until_s <= u.until_s`,
	}, members, matters, senders, urgent, until))
}

// HeldWakes has f look at everything that is held.
func (d *DB) HeldWakes(ctx context.Context, f func(HeldWake)) error {
	return d.query(ctx, "read held wake-ups", func(r Row) (bool, error) {
		var w HeldWake
		var urgent int64
		err := r.Scan(exact(w.Member[:]), exact(w.Matter[:]), exact(w.Sender[:]), &urgent, &w.Until)
		if err == nil {
			w.Urgent = urgent != 0
			f(w)
		}
		return true, err
	}, `SELECT member, matter, sender, urgent, until_s FROM held_wakes`)
}

// CountUrgent counts a member's urgent messages after a time.
func (tx *Tx) CountUrgent(m matter.MemberID, after int64) (n int, err error) {
	_, err = one(tx.conn, "count urgent messages", []any{&n}, `SELECT count(*) FROM urgent_sent WHERE member = $1 AND time_ms > $2`, m[:], after)
	return n, err
}

// AddUrgent notes that a message is urgent, and forgets those up to a time.
func (tx *Tx) AddUrgent(m matter.MemberID, no DeviceNo, counter uint64, timeMS, upto int64) error {
	if err := tx.exec("forget urgent messages", `DELETE FROM urgent_sent WHERE member = $1 AND time_ms <= $2`, m[:], upto); err != nil {
		return err
	}
	return tx.exec("note an urgent message", `INSERT INTO urgent_sent (member, device, counter, time_ms) VALUES ($1, $2, $3, $4)`,
		m[:], int64(no), int64(counter), timeMS)
}

// DevicesIn returns the devices that are in a matter now.
func (d *DB) DevicesIn(ctx context.Context, id matter.ID) (nos []DeviceNo, err error) {
	err = d.query(ctx, "list participants", func(r Row) (bool, error) {
		var no DeviceNo
		err := r.Scan(&no)
		nos = append(nos, no)
		return true, err
	}, `SELECT p.device FROM participants p JOIN matters m ON m.no = p.matter WHERE m.id = $1 AND p.until_seq IS NULL ORDER BY p.device`, id[:])
	return nos, err
}

// exact takes a column of exactly so many bytes.
type exact []byte

// Scan implements [database/sql.Scanner].
func (b exact) Scan(src any) error {
	from, ok := src.([]byte)
	if !ok || len(from) != len(b) {
		return fmt.Errorf("column is not of %d bytes", len(b))
	}
	copy(b, from)
	return nil
}
