package store

import (
	"database/sql"
	"time"

	"causa/matter"
)

// A RecentEntry is an entry of a matter as the hub gave it.
type RecentEntry struct {
	Seq     uint64
	TimeMS  int64
	Kind    int32
	Sender  []byte
	Epoch   uint64
	Payload []byte
}

// AddRecent keeps an entry for the time being.
func (tx *Tx) AddRecent(id matter.ID, e RecentEntry, received time.Time) error {
	if e.Sender == nil {
		e.Sender = []byte{}
	}
	return tx.exec("INSERT OR REPLACE INTO recent_entry(matter, seq, received, time, kind, sender, epoch, payload) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
		id[:], int64(e.Seq), received.UnixMilli(), e.TimeMS, e.Kind, e.Sender, int64(e.Epoch), e.Payload)
}

// Recent calls f for the kept entries of a matter from a sequence on, until f returns
// false.
func (tx *Tx) Recent(id matter.ID, from uint64, f func(RecentEntry) bool) error {
	more := true
	return tx.each(func(r *sql.Rows) error {
		if !more {
			return nil
		}
		var e RecentEntry
		var seq, epoch int64
		if err := r.Scan(&seq, &e.TimeMS, &e.Kind, &e.Sender, &epoch, &e.Payload); err != nil {
			return err
		}
		e.Seq, e.Epoch = uint64(seq), uint64(epoch)
		more = f(e)
		return nil
	}, "SELECT seq, time, kind, sender, epoch, payload FROM recent_entry WHERE matter = ? AND seq >= ? ORDER BY seq", id[:], int64(from))
}

// DropRecentBefore forgets entries that came before an instant.
func (tx *Tx) DropRecentBefore(t time.Time) error {
	return tx.exec("DELETE FROM recent_entry WHERE received < ?", t.UnixMilli())
}

// HeldMatters lists the matters that the hub has or should have.
func (tx *Tx) HeldMatters() ([]matter.ID, error) {
	return tx.matterIDs("SELECT id FROM matter WHERE NOT removed AND NOT unborn")
}
