package store

import (
	"database/sql"
	"time"

	"causa/matter"
)

// A Group is the stored MLS group of a matter.
type Group struct {
	Epoch   uint64
	Since   time.Time // when the epoch began
	State   []byte
	Pending []byte // an own commit the hub has not answered yet, or nil
}

// PutGroup stores a matter's group in a new epoch; what was pending is gone.
func (tx *Tx) PutGroup(id matter.ID, epoch uint64, since time.Time, state []byte) error {
	return tx.exec(`INSERT INTO mls_group(matter, epoch, since, state, pending) VALUES(?, ?, ?, ?, NULL)
		ON CONFLICT(matter) DO UPDATE SET epoch = excluded.epoch, since = excluded.since, state = excluded.state, pending = NULL`,
		id[:], int64(epoch), since.UnixMilli(), state)
}

// SetPending stores an own commit before it is handed to the hub; nil forgets it.
func (tx *Tx) SetPending(id matter.ID, pending []byte) error {
	return tx.exec("UPDATE mls_group SET pending = ? WHERE matter = ?", pending, id[:])
}

// DropPending forgets every own commit that the hub has not answered.
func (tx *Tx) DropPending() error {
	return tx.exec("UPDATE mls_group SET pending = NULL WHERE pending IS NOT NULL")
}

// Group returns the stored group of a matter, or ErrNone.
func (tx *Tx) Group(id matter.ID) (*Group, error) {
	var g Group
	var epoch, since int64
	err := tx.one([]any{&epoch, &since, &g.State, &g.Pending}, "SELECT epoch, since, state, pending FROM mls_group WHERE matter = ?", id[:])
	if err != nil {
		return nil, err
	}
	g.Epoch, g.Since = uint64(epoch), time.UnixMilli(since)
	return &g, nil
}

// DropGroup forgets the group of a matter this device is no longer in.
func (tx *Tx) DropGroup(id matter.ID) error {
	return tx.exec("DELETE FROM mls_group WHERE matter = ?", id[:])
}

// PutContentSecret keeps an epoch's content secret; an equal one may be there already.
func (tx *Tx) PutContentSecret(id matter.ID, epoch uint64, secret []byte) error {
	return tx.exec("INSERT OR REPLACE INTO content_secret(matter, epoch, secret) VALUES(?, ?, ?)", id[:], int64(epoch), secret)
}

// ContentSecret returns an epoch's content secret, or ErrNone.
func (tx *Tx) ContentSecret(id matter.ID, epoch uint64) (secret []byte, err error) {
	err = tx.one([]any{&secret}, "SELECT secret FROM content_secret WHERE matter = ? AND epoch = ?", id[:], int64(epoch))
	return secret, err
}

// A Wish says whether a member shall be in a matter or out of it.
type Wish struct {
	Present bool
	Own     bool // this person wished it; else it follows from what stands in the matter
}

// SetWanted notes that a member shall be in the matter, or out of it.
func (tx *Tx) SetWanted(id matter.ID, member matter.MemberID, w Wish) error {
	return tx.exec("INSERT OR REPLACE INTO wanted(matter, member, present, own) VALUES(?, ?, ?, ?)", id[:], member[:], w.Present, w.Own)
}

// DropWanted forgets the wish, because it is fulfilled or can't be.
func (tx *Tx) DropWanted(id matter.ID, member matter.MemberID) error {
	return tx.exec("DELETE FROM wanted WHERE matter = ? AND member = ?", id[:], member[:])
}

// Wanted returns who shall be in the matter or out of it.
func (tx *Tx) Wanted(id matter.ID) (map[matter.MemberID]Wish, error) {
	m := map[matter.MemberID]Wish{}
	err := tx.each(func(r *sql.Rows) error {
		var b []byte
		var w Wish
		if err := r.Scan(&b, &w.Present, &w.Own); err != nil {
			return err
		}
		m[matter.MemberID(b)] = w
		return nil
	}, "SELECT member, present, own FROM wanted WHERE matter = ?", id[:])
	return m, err
}

// GroupMatters lists the matters this device has a group for.
func (tx *Tx) GroupMatters() ([]matter.ID, error) {
	return tx.matterIDs("SELECT matter FROM mls_group")
}

// MattersWithoutGroup lists the matters this member is in that this device has no keys
// for any more.
func (tx *Tx) MattersWithoutGroup() ([]matter.ID, error) {
	return tx.matterIDs("SELECT id FROM matter WHERE NOT removed AND NOT unborn AND id NOT IN (SELECT matter FROM mls_group)")
}

// matterIDs returns the one column of a query.
func (tx *Tx) matterIDs(query string, args ...any) (ids []matter.ID, err error) {
	for b, err := range tx.blobs(query, args...) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, matter.ID(b))
	}
	return ids, nil
}
