package store

import (
	"database/sql"
	"time"

	"causa/matter"
)

// An Urgent is an urgent message and how far this person's reminders of it have come.
type Urgent struct {
	Matter matter.ID
	ID     matter.MessageID
	Seq    uint64
	Author matter.MemberID
	Time   time.Time
	Rings  int       // reminders so far
	Next   time.Time // of the next one; zero: there are no more
}

// AddUrgent notes that a message is urgent.
func (tx *Tx) AddUrgent(u Urgent) error {
	return tx.exec("INSERT OR IGNORE INTO urgent(matter, id, seq, author, time, rings, next) VALUES(?, ?, ?, ?, ?, ?, ?)",
		u.Matter[:], u.ID[:], int64(u.Seq), u.Author[:], u.Time.UnixMilli(), u.Rings, millis(u.Next))
}

// UrgentSince counts a member's urgent messages after a time: those of one matter, or with
// zero all that this device knows of.
func (tx *Tx) UrgentSince(id matter.ID, author matter.MemberID, since time.Time) (n int, err error) {
	err = tx.one([]any{&n}, "SELECT count(*) FROM urgent WHERE author = ? AND time > ? AND (? OR matter = ?)",
		author[:], since.UnixMilli(), id.IsZero(), id[:])
	return n, err
}

// UrgentMessage returns what is known of an urgent message, or ErrNone.
func (tx *Tx) UrgentMessage(id matter.ID, msg matter.MessageID) (Urgent, error) {
	us, err := tx.urgents("WHERE matter = ? AND id = ?", id[:], msg[:])
	if err == nil && len(us) == 0 {
		err = ErrNone
	}
	if err != nil {
		return Urgent{}, err
	}
	return us[0], nil
}

// UrgentOf returns the urgent messages of a matter, in order.
func (tx *Tx) UrgentOf(id matter.ID) ([]Urgent, error) {
	return tx.urgents("WHERE matter = ? ORDER BY seq", id[:])
}

// Ringing returns the urgent messages whose next reminder is due no later than a time.
func (tx *Tx) Ringing(by time.Time) ([]Urgent, error) {
	return tx.urgents("WHERE next > 0 AND next <= ? ORDER BY next", by.UnixMilli())
}

// NextRing returns when the next reminder is due; zero means never.
func (tx *Tx) NextRing() (time.Time, error) {
	var ms int64
	err := tx.one([]any{&ms}, "SELECT coalesce(min(next), 0) FROM urgent WHERE next > 0")
	return instant(ms), err
}

func (tx *Tx) urgents(where string, args ...any) ([]Urgent, error) {
	var out []Urgent
	err := tx.each(func(r *sql.Rows) error {
		var u Urgent
		var mid, id, author []byte
		var seq, t, next int64
		if err := r.Scan(&mid, &id, &seq, &author, &t, &u.Rings, &next); err != nil {
			return err
		}
		u.Matter, u.ID, u.Seq, u.Author = matter.ID(mid), matter.MessageID(id), uint64(seq), matter.MemberID(author)
		u.Time, u.Next = instant(t), instant(next)
		out = append(out, u)
		return nil
	}, "SELECT matter, id, seq, author, time, rings, next FROM urgent "+where, args...)
	return out, err
}

// SetRings notes how many reminders there have been and when the next one is due.
func (tx *Tx) SetRings(id matter.ID, msg matter.MessageID, rings int, next time.Time) error {
	return tx.exec("UPDATE urgent SET rings = ?, next = ? WHERE matter = ? AND id = ?", rings, millis(next), id[:], msg[:])
}

// Acknowledge notes that a member has acknowledged an urgent message. The first time
// counts.
func (tx *Tx) Acknowledge(id matter.ID, msg matter.MessageID, member matter.MemberID, at time.Time) error {
	return tx.exec("INSERT OR IGNORE INTO acknowledged(matter, id, member, time) VALUES(?, ?, ?, ?)", id[:], msg[:], member[:], at.UnixMilli())
}

// Acknowledged returns who has acknowledged an urgent message, in order.
func (tx *Tx) Acknowledged(id matter.ID, msg matter.MessageID) (out []matter.MemberID, err error) {
	for b, err := range tx.blobs("SELECT member FROM acknowledged WHERE matter = ? AND id = ? ORDER BY time, member", id[:], msg[:]) {
		if err != nil {
			return nil, err
		}
		out = append(out, matter.MemberID(b))
	}
	return out, nil
}

// Promote makes a scheduled item one to be sent now, with its content made anew.
func (tx *Tx) Promote(position int64, at time.Time, content []byte) error {
	return tx.exec("UPDATE outbox SET due = 0, time = ?, content = ? WHERE position = ? AND due > 0", at.UnixMilli(), content, position)
}

// Reschedule changes when a scheduled item is sent and what it says. It reports whether
// there was one.
func (tx *Tx) Reschedule(msg matter.MessageID, due time.Time, content []byte) (bool, error) {
	return tx.changed("UPDATE outbox SET due = ?, content = ? WHERE id = ? AND due > 0", due.UnixMilli(), content, msg[:])
}

// Unschedule drops a scheduled item. It reports whether there was one.
func (tx *Tx) Unschedule(msg matter.MessageID) (bool, error) {
	return tx.changed("DELETE FROM outbox WHERE id = ? AND due > 0", msg[:])
}

// changed reports whether a statement changed anything.
func (tx *Tx) changed(query string, args ...any) (bool, error) {
	res, err := tx.sql.ExecContext(tx.ctx, query, args...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}
