package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"causa/matter"
)

// NewMatter stores a matter that has just been opened here or joined. When the matter
// is known already (this member was removed and has come back) what was read before
// stays and the rest starts again after cursor.
func (tx *Tx) NewMatter(m matter.Matter, adder matter.DeviceID, cursor uint64) error {
	life, err := lifeText(m)
	if err != nil {
		return err
	}
	err = tx.exec(`INSERT INTO matter(id, title, class, state, owner, due, opened, opener, active, adder, cursor, life, ref, described, since)
		VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
		ON CONFLICT(id) DO UPDATE SET removed = 0, adder = excluded.adder, cursor = excluded.cursor, active = excluded.active, described = 0, since = excluded.since`,
		m.ID[:], m.Title, string(m.Class), int(m.State), m.Owner[:], millis(m.Due), millis(m.Opened), m.OpenedBy[:], millis(m.Active), adder[:], int64(cursor),
		life, m.Ref, m.Title != "", int64(cursor)+1)
	if err != nil {
		return err
	}
	return tx.indexTitle(m.ID)
}

func lifeText(m matter.Matter) (string, error) {
	b, err := json.Marshal(m.Life)
	return string(b), err
}

// Describe sets what a matter is about and how it stands.
func (tx *Tx) Describe(m matter.Matter) error {
	life, err := lifeText(m)
	if err != nil {
		return err
	}
	err = tx.exec("UPDATE matter SET title = ?, class = ?, state = ?, owner = ?, due = ?, opened = ?, opener = ?, life = ?, ref = ? WHERE id = ?",
		m.Title, string(m.Class), int(m.State), m.Owner[:], millis(m.Due), millis(m.Opened), m.OpenedBy[:], life, m.Ref, m.ID[:])
	if err != nil {
		return err
	}
	return tx.indexTitle(m.ID)
}

// SetUnborn notes that the hub does not know of the matter yet, or now does.
func (tx *Tx) SetUnborn(id matter.ID, unborn bool) error {
	return tx.exec("UPDATE matter SET unborn = ? WHERE id = ?", unborn, id[:])
}

// A Place says how far this device is in a matter.
type Place struct {
	Cursor    uint64          // last sequence taken from the hub
	Base      uint64          // the commit by which this device came in; 0: it opened the matter
	Since     uint64          // the first entry that this device can read
	Replay    uint64          // entries up to here are taken a second time, see Rewind
	Adder     matter.DeviceID // whose description is believed
	Described bool            // this device knows how the matter stands
	Removed   bool
	Unborn    bool // the hub does not know of the matter yet
	Personal  bool // it is of this person's own devices only
	Owner     matter.MemberID
	State     matter.State
}

// Place returns how far this device is in a matter, or ErrNone.
func (tx *Tx) Place(id matter.ID) (p Place, err error) {
	var cursor, base, since, replay int64
	var adder, owner []byte
	err = tx.one([]any{&cursor, &base, &since, &replay, &adder, &p.Described, &p.Removed, &p.Unborn, &p.Personal, &owner, &p.State},
		"SELECT cursor, base, since, replay, adder, described, removed, unborn, personal, owner, state FROM matter WHERE id = ?", id[:])
	if err != nil {
		return p, err
	}
	p.Since, p.Replay = uint64(since), uint64(replay)
	p.Cursor, p.Base, p.Adder, p.Owner = uint64(cursor), uint64(base), matter.DeviceID(adder), matter.MemberID(owner)
	return p, nil
}

// SetCursor notes the last sequence taken from the hub.
func (tx *Tx) SetCursor(id matter.ID, seq uint64) error {
	return tx.exec("UPDATE matter SET cursor = ? WHERE id = ?", int64(seq), id[:])
}

// SetRemoved notes that this member is no longer in the matter.
func (tx *Tx) SetRemoved(id matter.ID) error {
	return tx.exec("UPDATE matter SET removed = 1 WHERE id = ?", id[:])
}

// SetParticipants replaces the list of participants, in order of joining.
func (tx *Tx) SetParticipants(id matter.ID, members []matter.MemberID) error {
	if err := tx.exec("DELETE FROM participant WHERE matter = ?", id[:]); err != nil {
		return err
	}
	for i, m := range members {
		if err := tx.exec("INSERT INTO participant(matter, member, position) VALUES(?, ?, ?)", id[:], m[:], i); err != nil {
			return err
		}
	}
	return nil
}

// Participants lists who is in the matter, in order of joining.
func (tx *Tx) Participants(id matter.ID) ([]matter.MemberID, error) {
	var out []matter.MemberID
	err := tx.each(func(r *sql.Rows) error {
		var b []byte
		if err := r.Scan(&b); err != nil {
			return err
		}
		out = append(out, matter.MemberID(b))
		return nil
	}, "SELECT member FROM participant WHERE matter = ? ORDER BY position", id[:])
	return out, err
}

const matterColumns = "id, title, class, state, owner, due, opened, opener, active, removed, unread, life"

// Matter returns one matter with its participants and last message, or ErrNone.
func (tx *Tx) Matter(id matter.ID) (matter.Matter, error) {
	ms, err := tx.matters("SELECT "+matterColumns+" FROM matter WHERE id = ?", id[:])
	if err != nil {
		return matter.Matter{}, err
	}
	if len(ms) == 0 {
		return matter.Matter{}, ErrNone
	}
	return ms[0], nil
}

// Matters lists at most limit matters, those that moved last first, after skipping
// offset of them. One whose description has not come yet is left out.
func (tx *Tx) Matters(offset, limit int) ([]matter.Matter, error) {
	return tx.matters("SELECT "+matterColumns+" FROM matter WHERE title <> '' ORDER BY active DESC, id LIMIT ? OFFSET ?", limit, offset)
}

func (tx *Tx) matters(query string, args ...any) ([]matter.Matter, error) {
	var out []matter.Matter
	err := tx.each(func(r *sql.Rows) error {
		var m matter.Matter
		var id, owner, opener []byte
		var due, opened, active int64
		var life []byte
		if err := r.Scan(&id, &m.Title, &m.Class, &m.State, &owner, &due, &opened, &opener, &active, &m.Removed, &m.Unread, &life); err != nil {
			return err
		}
		if err := json.Unmarshal(life, &m.Life); err != nil {
			return fmt.Errorf("life of a matter: %w", err)
		}
		m.ID, m.Owner, m.OpenedBy = matter.ID(id), matter.MemberID(owner), matter.MemberID(opener)
		m.Due, m.Opened, m.Active = instant(due), instant(opened), instant(active)
		out = append(out, m)
		return nil
	}, query, args...)
	if err != nil {
		return nil, err
	}
	for i := range out {
		m := &out[i]
		if m.Participants, err = tx.Participants(m.ID); err != nil {
			return nil, err
		}
		last, _, err := tx.lines(m.ID, "kind <> ? ORDER BY seq DESC LIMIT 1", int(matter.KindAct))
		if err != nil {
			return nil, err
		}
		if len(last) > 0 {
			m.Last = &last[len(last)-1]
		}
	}
	return out, nil
}

// MattersLike returns the ids of matters whose id begins with prefix (hex digits) or
// whose title or own reference is exactly name; at most limit.
func (tx *Tx) MattersLike(prefix, name string, limit int) ([]matter.ID, error) {
	return tx.matterIDs("SELECT id FROM matter WHERE (?1 <> '' AND substr(lower(hex(id)), 1, length(?1)) = ?1) OR title = ?2 OR ref <> '' AND ref = ?2 ORDER BY active DESC LIMIT ?3",
		prefix, name, limit)
}

// MarkRead notes that the person has seen everything up to seq.
func (tx *Tx) MarkRead(id matter.ID, seq uint64, self matter.MemberID) error {
	return tx.exec(`UPDATE matter SET read_seq = max(read_seq, ?1), unread = (SELECT count(*) FROM message
		WHERE message.matter = matter.id AND seq > max(matter.read_seq, ?1) AND author <> ?2 AND kind IN (`+saidKinds+`)) WHERE id = ?3`,
		int64(seq), self[:], id[:])
}

// saidKinds lists the kinds of what people say, for queries.
var saidKinds = func() string {
	var list []string
	for k := range matter.Kind(100) {
		if k.Said() {
			list = append(list, strconv.Itoa(int(k)))
		}
	}
	return strings.Join(list, ",")
}()

// Draft returns what was typed in a matter and not sent.
func (tx *Tx) Draft(id matter.ID) (text string, err error) {
	err = tx.one([]any{&text}, "SELECT draft FROM matter WHERE id = ?", id[:])
	return text, err
}

// SetDraft keeps what was typed in a matter and not sent.
func (tx *Tx) SetDraft(id matter.ID, text string) error {
	return tx.exec("UPDATE matter SET draft = ? WHERE id = ?", text, id[:])
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
