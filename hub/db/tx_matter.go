package db

import (
	"causa/matter"
)

// Matter returns where a matter stands, with its devices in ascending order, and has it
// stand there until the transaction ends.
func (tx *Tx) Matter(id matter.ID) (m Matter, ok bool, err error) {
	m.ID = id
	var digest []byte
	ok, err = one(tx.conn, "find matter", []any{&m.No, &m.Creator, &digest, &m.Epoch, &m.Head, &m.TimeMS},
		`SELECT no, creator, digest, epoch, head, time_ms FROM matters WHERE id = $1 `+tx.conn.Pick("", "FOR NO KEY UPDATE"), id[:])
	if err != nil || !ok {
		return m, ok, err
	}
	copy(m.Digest[:], digest)
	err = ask(tx.conn, "list participants", func(r Row) (bool, error) {
		var d DeviceNo
		err := r.Scan(&d)
		m.Devices = append(m.Devices, d)
		return true, err
	}, `SELECT device FROM participants WHERE matter = $1 AND until_seq IS NULL ORDER BY device`, int64(m.No))
	return m, err == nil, err
}

// AddMatter stores a new matter with its first GroupInfo and its devices, who are in
// it from the first entry on, and sets its number.
func (tx *Tx) AddMatter(m *Matter, groupInfo []byte) error {
	if _, err := one(tx.conn, "add matter", []any{&m.No},
		`INSERT INTO matters (id, creator, digest, epoch, head, time_ms) VALUES ($1, $2, $3, $4, $5, $6) RETURNING no`,
		m.ID[:], int64(m.Creator), m.Digest[:], int64(m.Epoch), int64(m.Head), m.TimeMS); err != nil {
		return err
	}
	for _, d := range m.Devices {
		if err := tx.AddParticipant(m.No, d, 1); err != nil {
			return err
		}
	}
	return tx.SetGroupInfo(m.No, m.Epoch, groupInfo)
}

// SetMatters stores the epoch, head and time of matters.
func (tx *Tx) SetMatters(ms []*Matter) error {
	var nos, epochs, heads, times []int64
	for _, m := range ms {
		nos, epochs = append(nos, int64(m.No)), append(epochs, int64(m.Epoch))
		heads, times = append(heads, int64(m.Head)), append(times, m.TimeMS)
	}
	return wrap("set matters", tx.conn.Many(Bulk{
		One: `UPDATE matters SET epoch = $2, head = $3, time_ms = $4 WHERE no = $1`,
		All: `UPDATE matters SET epoch = u.epoch, head = u.head, time_ms = u.time_ms
			FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS u (no, epoch, head, time_ms) WHERE matters.no = u.no`,
	}, nos, epochs, heads, times))
}

// SetGroupInfo replaces a matter's GroupInfo.
func (tx *Tx) SetGroupInfo(no MatterNo, epoch uint64, info []byte) error {
	return tx.exec("set group info", `INSERT INTO group_infos (matter, epoch, info) VALUES ($1, $2, $3)
		ON CONFLICT (matter) DO UPDATE SET epoch = excluded.epoch, info = excluded.info`, int64(no), int64(epoch), info)
}

// entryColumns are new entries, column by column.
type entryColumns struct {
	matters, seqs, times, kinds, senders, epochs, counters []int64
	payloads                                               [][]byte
}

// AddEntry appends to a matter's log. The database refuses a sequence or a counter
// that is taken, at the latest when the transaction ends.
func (tx *Tx) AddEntry(e *NewEntry) error {
	c := &tx.entries
	c.matters, c.seqs, c.times = append(c.matters, int64(e.Matter)), append(c.seqs, int64(e.Seq)), append(c.times, e.TimeMS)
	c.kinds, c.senders = append(c.kinds, int64(e.Kind)), append(c.senders, int64(e.Sender))
	c.epochs, c.counters = append(c.epochs, int64(e.Epoch)), append(c.counters, int64(e.Counter))
	c.payloads = append(c.payloads, e.Payload)
	return nil
}

var addEntries = Bulk{
	One: `INSERT INTO entries (matter, seq, time_ms, kind, sender, epoch, counter, payload) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
	All: `INSERT INTO entries (matter, seq, time_ms, kind, sender, epoch, counter, payload)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bytea[])`,
}

// flush stores the entries that wait. Whatever reads entries calls it first.
func (tx *Tx) flush() error {
	c := tx.entries
	if len(c.matters) == 0 {
		return nil
	}
	tx.entries = entryColumns{}
	return wrap("add entries", tx.conn.Many(addEntries, c.matters, c.seqs, c.times, c.kinds, c.senders, c.epochs, c.counters, c.payloads))
}

// SentAs finds the entry that a device's counter stands for.
func (tx *Tx) SentAs(device DeviceNo, counter uint64) (p Place, ok bool, err error) {
	if err := tx.flush(); err != nil {
		return p, false, err
	}
	ok, err = one(tx.conn, "find entry", []any{&p.Matter, &p.Seq, &p.TimeMS},
		`SELECT matter, seq, time_ms FROM entries WHERE sender = $1 AND counter = $2 AND counter > 0`, int64(device), clamp(counter))
	return p, ok, err
}

// AddCommit notes which entry ended an epoch, and the digest of its bundle.
func (tx *Tx) AddCommit(no MatterNo, epoch, seq uint64, digest Digest) error {
	return tx.exec("add commit", `INSERT INTO commits (matter, epoch, seq, digest) VALUES ($1, $2, $3, $4)`,
		int64(no), int64(epoch), int64(seq), digest[:])
}

// CommitOf returns the commit that ended an epoch: where it is, whose, and its digest.
func (tx *Tx) CommitOf(no MatterNo, epoch uint64) (p Place, sender DeviceNo, digest Digest, ok bool, err error) {
	if err := tx.flush(); err != nil {
		return p, 0, digest, false, err
	}
	p.Matter = no
	var b []byte
	ok, err = one(tx.conn, "find commit", []any{&p.Seq, &b, &p.TimeMS, &sender},
		`SELECT c.seq, c.digest, e.time_ms, e.sender FROM commits c JOIN entries e ON e.matter = c.matter AND e.seq = c.seq
			WHERE c.matter = $1 AND c.epoch = $2`, int64(no), clamp(epoch))
	copy(digest[:], b)
	return p, sender, digest, ok, err
}

// AddParticipant puts a device into a matter from a sequence on.
func (tx *Tx) AddParticipant(no MatterNo, device DeviceNo, from uint64) error {
	return tx.exec("add participant", `INSERT INTO participants (matter, device, from_seq) VALUES ($1, $2, $3)`,
		int64(no), int64(device), int64(from))
}

// HistoryOf returns the first entry that a device in a matter may read.
func (tx *Tx) HistoryOf(no MatterNo, device DeviceNo) (from uint64, err error) {
	_, err = one(tx.conn, "find participant", []any{&from},
		`SELECT coalesce(history, from_seq) FROM participants WHERE matter = $1 AND device = $2 AND until_seq IS NULL`, int64(no), int64(device))
	return from, err
}

// GrantHistory lets a device in a matter read from an earlier entry on.
func (tx *Tx) GrantHistory(no MatterNo, device DeviceNo, from uint64) error {
	return tx.exec("grant history", `UPDATE participants SET history = $1
		WHERE matter = $2 AND device = $3 AND until_seq IS NULL AND coalesce(history, from_seq) > $1`, int64(from), int64(no), int64(device))
}

// EndParticipant takes a device out of a matter: until is the last sequence it may see.
func (tx *Tx) EndParticipant(no MatterNo, device DeviceNo, until uint64) error {
	return tx.exec("end participant", `UPDATE participants SET until_seq = $1 WHERE matter = $2 AND device = $3 AND until_seq IS NULL`,
		int64(until), int64(no), int64(device))
}
