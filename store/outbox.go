package store

import (
	"database/sql"
	"time"

	"causa/matter"
)

// An Outgoing is something said here that the hub has not acknowledged.
type Outgoing struct {
	Position int64
	Matter   matter.ID
	ID       matter.MessageID
	Time     time.Time
	Content  []byte    // plaintext: it is sealed when it is sent, in the epoch of that moment
	Counter  uint64    // 0: never handed to the hub
	Failed   string    // why the hub refused it for good; a translation key
	Due      time.Time // not sent before; zero: at once
}

// PutOutgoing queues something said here.
func (tx *Tx) PutOutgoing(o Outgoing) error {
	return tx.exec("INSERT INTO outbox(matter, id, time, content, due) VALUES(?, ?, ?, ?, ?)", o.Matter[:], o.ID[:], o.Time.UnixMilli(), o.Content, millis(o.Due))
}

// Outbox returns what waits to be sent, at most limit, in the order it was said. What is
// scheduled is not among it.
func (tx *Tx) Outbox(limit int) ([]Outgoing, error) {
	return tx.outgoing("WHERE failed = '' AND due = 0 ORDER BY position LIMIT ?", limit)
}

// Scheduled returns what is not to be sent yet, the next one first.
func (tx *Tx) Scheduled() ([]Outgoing, error) {
	return tx.outgoing("WHERE failed = '' AND due > 0 ORDER BY due, position")
}

// OutboxOf returns everything of one matter that is not acknowledged, failed ones too.
func (tx *Tx) OutboxOf(id matter.ID) ([]Outgoing, error) {
	return tx.outgoing("WHERE matter = ? ORDER BY position", id[:])
}

func (tx *Tx) outgoing(where string, args ...any) ([]Outgoing, error) {
	var out []Outgoing
	err := tx.each(func(r *sql.Rows) error {
		var o Outgoing
		var mid, id []byte
		var t, counter, due int64
		if err := r.Scan(&o.Position, &mid, &id, &t, &o.Content, &counter, &o.Failed, &due); err != nil {
			return err
		}
		o.Due = instant(due)
		o.Matter, o.ID, o.Time, o.Counter = matter.ID(mid), matter.MessageID(id), instant(t), uint64(counter)
		out = append(out, o)
		return nil
	}, "SELECT position, matter, id, time, content, counter, failed, due FROM outbox "+where, args...)
	return out, err
}

// OutboxLen returns how many things wait to be sent; what is scheduled does not count.
func (tx *Tx) OutboxLen() (n int, err error) {
	err = tx.one([]any{&n}, "SELECT count(*) FROM outbox WHERE failed = '' AND due = 0")
	return n, err
}

// SetCounter notes under which counter an item is about to be handed to the hub; 0
// takes the counter back.
func (tx *Tx) SetCounter(position int64, counter uint64) error {
	return tx.exec("UPDATE outbox SET counter = ? WHERE position = ?", int64(counter), position)
}

// SetFailed notes that the hub refused an item for good.
func (tx *Tx) SetFailed(position int64, why string) error {
	return tx.exec("UPDATE outbox SET failed = ?, counter = 0 WHERE position = ?", why, position)
}

// DropOutgoing removes an item that has its place in the thread.
func (tx *Tx) DropOutgoing(id matter.ID, msg matter.MessageID) error {
	return tx.exec("DELETE FROM outbox WHERE matter = ? AND id = ?", id[:], msg[:])
}

// DropCounted removes items the hub took under a counter up to last.
func (tx *Tx) DropCounted(last uint64) error {
	return tx.exec("DELETE FROM outbox WHERE counter > 0 AND counter <= ?", int64(last))
}

// UncountAfter takes back the counters after last: the hub never took those items.
func (tx *Tx) UncountAfter(last uint64) error {
	return tx.exec("UPDATE outbox SET counter = 0 WHERE counter > ?", int64(last))
}
