package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"causa/matter"
)

// AddMessage stores a message the hub has put in its place and returns whether it was
// new. Unless it is by self, it counts as unread when it is something said.
func (tx *Tx) AddMessage(m matter.Message, self matter.MemberID) (added bool, err error) {
	facts, err := besides(m)
	if err != nil {
		return false, err
	}
	more, err := extra{Origin: m.Origin}.text()
	if err != nil {
		return false, err
	}
	var ref int64
	if m.Reply != nil {
		if ref = int64(m.Reply.Seq); ref == 0 {
			ref = -1
		}
	}
	res, err := tx.sql.ExecContext(tx.ctx, `INSERT OR IGNORE INTO message(matter, seq, id, time, author, device, kind, text, subjects, facts, ref, extra)
		VALUES(?,?,?,?,?,?,?,?,?,?,?,?)`, m.Matter[:], int64(m.Seq), m.ID[:], m.Time.UnixMilli(), m.Author[:], m.Device[:], int(m.Kind), m.Text,
		joinMembers(m.Subjects), facts, ref, more)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return false, err
	}
	if m.Kind == matter.KindAct {
		return true, nil
	}
	if err := tx.addThread(m); err != nil {
		return false, err
	}
	if m.Kind.Said() && m.Text != "" {
		file, err := tx.hasFile(m.Matter, m.ID)
		if err != nil {
			return false, err
		}
		if err := tx.index(m.Matter, m.Seq, m.Text, m.Time, m.Author, file); err != nil {
			return false, err
		}
	}
	unread := 0
	if m.Kind.Said() && m.Author != self {
		unread = 1
	}
	// Another device of this person may have told that it is read before it came here.
	return true, tx.exec("UPDATE matter SET active = max(active, ?), unread = unread + iif(read_seq < ?, ?, 0) WHERE id = ?",
		m.Time.UnixMilli(), int64(m.Seq), unread, m.Matter[:])
}

// besides is what a message has besides its text, as JSON: facts or a change.
func besides(m matter.Message) (string, error) {
	var what any = m.Facts
	switch {
	case m.Change != nil:
		what = m.Change
	case len(m.Facts) == 0:
		return "", nil
	}
	b, err := json.Marshal(what)
	return string(b), err
}

// HasMessage reports whether a device's message is stored.
func (tx *Tx) HasMessage(id matter.ID, device matter.DeviceID, msg matter.MessageID) (found bool, err error) {
	err = tx.one([]any{&found}, "SELECT EXISTS(SELECT 1 FROM message WHERE matter = ? AND device = ? AND id = ?)", id[:], device[:], msg[:])
	return found, err
}

// Messages returns at most limit messages before sequence before (0: the newest),
// oldest first, with what they have gained in their thread.
func (tx *Tx) Messages(id matter.ID, before uint64, limit int) ([]matter.Message, error) {
	if before == 0 {
		before = 1 << 62
	}
	ms, refs, err := tx.lines(id, "seq < ? AND kind <> ? ORDER BY seq DESC LIMIT ?", int64(before), int(matter.KindAct), limit)
	if err != nil {
		return nil, err
	}
	slices.Reverse(ms)
	slices.Reverse(refs)
	if err := tx.dress(id, ms, refs); err != nil || len(ms) == 0 {
		return ms, err
	}
	warnings, err := tx.warnings(id, ms[0].Seq, before-1)
	return withWarnings(ms, warnings), err
}

// Message returns one line of a thread, or ErrNone.
func (tx *Tx) Message(id matter.ID, seq uint64) (matter.Message, error) {
	ms, refs, err := tx.lines(id, "seq = ? AND kind <> ?", int64(seq), int(matter.KindAct))
	if err == nil && len(ms) == 0 {
		err = ErrNone
	}
	if err != nil {
		return matter.Message{}, err
	}
	return ms[0], tx.dress(id, ms, refs)
}

// lines reads lines of a thread as they came, and which lines they answer.
func (tx *Tx) lines(id matter.ID, where string, args ...any) (out []matter.Message, refs []int64, err error) {
	err = tx.each(func(r *sql.Rows) error {
		m := matter.Message{Matter: id, Delivery: matter.DeliverySent}
		var mid, author, device, subjects []byte
		var seq, t, ref, edited int64
		var facts, more string
		if err := r.Scan(&seq, &mid, &t, &author, &device, &m.Kind, &m.Text, &subjects, &facts, &ref, &edited, &more); err != nil {
			return err
		}
		if facts != "" {
			var to any = &m.Facts
			if m.Kind == matter.KindChanged {
				to = &m.Change
			}
			if err := json.Unmarshal([]byte(facts), to); err != nil {
				return fmt.Errorf("facts of message %d: %w", seq, err)
			}
		}
		if more != "" {
			var x extra
			if err := json.Unmarshal([]byte(more), &x); err != nil {
				return fmt.Errorf("extras of message %d: %w", seq, err)
			}
			if m.Origin = x.Origin; x.Moved != nil {
				m.Moved = *x.Moved
			}
		}
		m.Seq, m.Time, m.ID, m.Edited = uint64(seq), instant(t), matter.MessageID(mid), instant(edited)
		m.Author, m.Device, m.Subjects = matter.MemberID(author), matter.DeviceID(device), splitMembers(subjects)
		out, refs = append(out, m), append(refs, ref)
		return nil
	}, "SELECT seq, id, time, author, device, kind, text, subjects, facts, ref, edited, extra FROM message WHERE matter = ? AND "+where,
		append([]any{id[:]}, args...)...)
	return out, refs, err
}

func joinMembers(ids []matter.MemberID) []byte {
	b := make([]byte, 0, 16*len(ids))
	for _, id := range ids {
		b = append(b, id[:]...)
	}
	return b
}

func splitMembers(b []byte) (ids []matter.MemberID) {
	for ; len(b) >= 16; b = b[16:] {
		ids = append(ids, matter.MemberID(b[:16]))
	}
	return ids
}

// HasKind reports whether a thread has a line of a kind.
func (tx *Tx) HasKind(id matter.ID, kind matter.Kind) (found bool, err error) {
	err = tx.one([]any{&found}, "SELECT EXISTS(SELECT 1 FROM message WHERE matter = ? AND kind = ?)", id[:], int(kind))
	return found, err
}
