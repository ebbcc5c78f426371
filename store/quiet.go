package store

import (
	"database/sql"
	"time"

	"causa/matter"
)

// A Held is a message whose notification waits for the end of quiet hours.
type Held struct {
	Matter matter.ID
	Seq    uint64
	Until  time.Time
	Urgent bool
	Author matter.MemberID
}

// Hold keeps the notification of a message until a time. One that was listed or read
// already is not held.
func (tx *Tx) Hold(h Held) error {
	return tx.exec(`INSERT OR IGNORE INTO held(matter, seq, until, urgent) SELECT ?1, ?2, ?3, ?4
		WHERE NOT EXISTS (SELECT 1 FROM listed WHERE matter = ?1 AND seq = ?2)
		AND NOT EXISTS (SELECT 1 FROM matter WHERE id = ?1 AND read_seq >= ?2)`, h.Matter[:], int64(h.Seq), h.Until.UnixMilli(), h.Urgent)
}

// HeldUntil changes how long a message is held.
func (tx *Tx) HeldUntil(id matter.ID, seq uint64, until time.Time) error {
	return tx.exec("UPDATE held SET until = ? WHERE matter = ? AND seq = ?", until.UnixMilli(), id[:], int64(seq))
}

// Unhold forgets that a message is held.
func (tx *Tx) Unhold(id matter.ID, seq uint64) error {
	return tx.exec("DELETE FROM held WHERE matter = ? AND seq = ?", id[:], int64(seq))
}

// UnholdRead forgets what is held of a matter up to a sequence.
func (tx *Tx) UnholdRead(id matter.ID, seq uint64) error {
	return tx.exec("DELETE FROM held WHERE matter = ? AND seq <= ?", id[:], int64(seq))
}

// HeldItems returns what is held no longer than until (zero: everything), in the order of
// matters and sequences; with fresh, only what this device has not announced yet.
func (tx *Tx) HeldItems(until time.Time, fresh bool) ([]Held, error) {
	return tx.held("WHERE (?1 = 0 OR until <= ?1) AND (NOT ?2 OR announced = 0)", millis(until), fresh)
}

func (tx *Tx) held(where string, args ...any) ([]Held, error) {
	var out []Held
	err := tx.each(func(r *sql.Rows) error {
		var h Held
		var id, author []byte
		var seq, until int64
		if err := r.Scan(&id, &seq, &until, &h.Urgent, &author); err != nil {
			return err
		}
		h.Matter, h.Seq, h.Until, h.Author = matter.ID(id), uint64(seq), instant(until), matter.MemberID(author)
		out = append(out, h)
		return nil
	}, `SELECT held.matter, held.seq, held.until, held.urgent, message.author FROM held
		JOIN message ON message.matter = held.matter AND message.seq = held.seq `+where+" ORDER BY held.matter, held.seq", args...)
	return out, err
}

// Announced notes that this device has told of everything held no longer than until.
func (tx *Tx) Announced(until time.Time) error {
	return tx.exec("UPDATE held SET announced = 1 WHERE until <= ?", until.UnixMilli())
}

// NextHeld returns when the first of what is held and not announced is due; zero means
// that nothing is.
func (tx *Tx) NextHeld() (time.Time, error) {
	var ms int64
	err := tx.one([]any{&ms}, "SELECT coalesce(min(until), 0) FROM held WHERE announced = 0")
	return instant(ms), err
}

// SetListed notes that a digest has listed a message, on this device or another one of
// this person: it may not have come here yet.
func (tx *Tx) SetListed(id matter.ID, seq uint64) error {
	if err := tx.Unhold(id, seq); err != nil {
		return err
	}
	return tx.exec("INSERT OR IGNORE INTO listed(matter, seq) SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM matter WHERE id = ?1 AND cursor >= ?2)",
		id[:], int64(seq))
}

// DropListed forgets which messages of a matter were listed, up to a sequence.
func (tx *Tx) DropListed(id matter.ID, seq uint64) error {
	return tx.exec("DELETE FROM listed WHERE matter = ? AND seq <= ?", id[:], int64(seq))
}

// ReadSeq returns up to where the person has read a matter.
func (tx *Tx) ReadSeq(id matter.ID) (uint64, error) {
	var seq int64
	err := tx.one([]any{&seq}, "SELECT read_seq FROM matter WHERE id = ?", id[:])
	return uint64(seq), err
}

// MessageAt returns the message at a sequence, or ErrNone.
func (tx *Tx) MessageAt(id matter.ID, seq uint64) (matter.Message, error) {
	ms, err := tx.Messages(id, seq+1, 1)
	if err == nil && (len(ms) == 0 || ms[0].Seq != seq) {
		err = ErrNone
	}
	if err != nil {
		return matter.Message{}, err
	}
	return ms[0], nil
}

// SetPersonal makes a matter the one of this person's own devices.
func (tx *Tx) SetPersonal(id matter.ID) error {
	return tx.exec("UPDATE matter SET personal = 1 WHERE id = ?", id[:])
}

// Personal returns the matters of this person's own devices, those by the smallest id
// first.
func (tx *Tx) Personal() ([]matter.ID, error) {
	return tx.matterIDs("SELECT id FROM matter WHERE personal = 1 AND removed = 0 ORDER BY id")
}
