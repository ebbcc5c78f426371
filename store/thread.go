package store

import (
	"encoding/json"
	"fmt"
	"time"

	"causa/matter"
)

// extra is what few messages have, as JSON in the table.
type extra struct {
	Origin *matter.Origin `json:"origin,omitempty"`
	Moved  *matter.ID     `json:"moved,omitempty"`
}

func (x extra) text() (string, error) {
	if x == (extra{}) {
		return "", nil
	}
	b, err := json.Marshal(x)
	return string(b), err
}

// about lists the tables that tell of a line of a thread.
var about = [...]string{"reaction", "pin", "task", "poll", "vote", "mention"}

// addThread stores what a new message brings for its thread. ref is the line it answers.
func (tx *Tx) addThread(m matter.Message) error {
	if t := m.Task; t != nil {
		if err := tx.SetTask(m.Matter, m.Seq, *t); err != nil {
			return err
		}
	}
	if p := m.Poll; p != nil {
		options := make([]string, len(p.Options))
		for i, o := range p.Options {
			options[i] = o.Text
		}
		b, err := json.Marshal(options)
		if err != nil {
			return err
		}
		return tx.exec("INSERT INTO poll(matter, seq, options, multiple) VALUES(?, ?, ?, ?)", m.Matter[:], int64(m.Seq), string(b), p.Multiple)
	}
	return nil
}

// Find returns the line a reference means; 0 when it is not here.
func (tx *Tx) Find(id matter.ID, r matter.Ref) (uint64, error) {
	var seq int64
	err := tx.one([]any{&seq}, "SELECT coalesce(max(seq), 0) FROM message WHERE matter = ? AND device = ? AND id = ?", id[:], r.Device[:], r.Message[:])
	return uint64(seq), err
}

// SetRef notes which line another one changes.
func (tx *Tx) SetRef(id matter.ID, seq, ref uint64) error {
	return tx.exec("UPDATE message SET ref = ? WHERE matter = ? AND seq = ?", int64(ref), id[:], int64(seq))
}

// SetText replaces what a message says.
func (tx *Tx) SetText(id matter.ID, seq uint64, text string, at time.Time) error {
	var sent int64
	var author, mid []byte
	err := tx.one([]any{&sent, &author, &mid}, "SELECT time, author, id FROM message WHERE matter = ? AND seq = ?", id[:], int64(seq))
	if err != nil {
		return err
	}
	num, err := tx.searchNum(id)
	if err != nil {
		return err
	}
	if err := tx.unindex(num, seq, seq); err != nil {
		return err
	}
	file, err := tx.hasFile(id, matter.MessageID(mid))
	if err != nil {
		return err
	}
	if err := tx.index(id, seq, text, instant(sent), matter.MemberID(author), file); err != nil {
		return err
	}
	return tx.exec("UPDATE message SET text = ?, edited = ? WHERE matter = ? AND seq = ?", text, millis(at), id[:], int64(seq))
}

// Recall destroys a message that was taken back or moved away: its place stays and says
// by whom; text, earlier versions, files, proof and all that was put beside it go.
func (tx *Tx) Recall(id matter.ID, seq uint64, by matter.MemberID, kind matter.Kind, moved matter.ID) error {
	if err := tx.ClearMessage(id, seq); err != nil {
		return err
	}
	x := extra{}
	if !moved.IsZero() {
		x.Moved = &moved
	}
	text, err := x.text()
	if err != nil {
		return err
	}
	return tx.exec("UPDATE message SET kind = ?, subjects = ?, ref = 0, edited = 0, extra = ? WHERE matter = ? AND seq = ?",
		int(kind), by[:], text, id[:], int64(seq))
}

// sealedHeader is how much of a sealed message says where it belongs, and nothing of what
// it says (docs/protocol.md, section 5).
const sealedHeader = 1 + 16 + 8 + 32 + 16

// forget deletes what was put beside a line, and the proofs of it and its versions.
func (tx *Tx) forget(id matter.ID, seq uint64) error {
	for _, table := range about {
		if err := tx.exec("DELETE FROM "+table+" WHERE matter = ? AND seq = ?", id[:], int64(seq)); err != nil {
			return err
		}
	}
	for _, gone := range []string{
		"UPDATE entry_digest SET signed = NULL",
		fmt.Sprintf("UPDATE recent_entry SET payload = substr(payload, 1, %d)", sealedHeader),
	} {
		if err := tx.exec(gone+` WHERE matter = ?1 AND (seq = ?2
			OR seq IN (SELECT seq FROM message WHERE matter = ?1 AND ref = ?2 AND kind = ?3))`, id[:], int64(seq), int(matter.KindAct)); err != nil {
			return err
		}
	}
	return nil
}

// maxReactions is how many signs one member can put beside a message.
const maxReactions = 8

// React puts a sign of a member beside a message, or takes it away.
func (tx *Tx) React(id matter.ID, seq uint64, member matter.MemberID, emoji string, on bool, at uint64) error {
	if !on {
		return tx.exec("DELETE FROM reaction WHERE matter = ? AND seq = ? AND emoji = ? AND member = ?", id[:], int64(seq), emoji, member[:])
	}
	return tx.exec(`INSERT OR IGNORE INTO reaction(matter, seq, emoji, member, at) SELECT ?1, ?2, ?3, ?4, ?5
		WHERE (SELECT count(*) FROM reaction WHERE matter = ?1 AND seq = ?2 AND member = ?4) < ?6`,
		id[:], int64(seq), emoji, member[:], int64(at), maxReactions)
}

// Pin pins a message or unpins it.
func (tx *Tx) Pin(id matter.ID, seq uint64, on bool, at uint64) error {
	if !on {
		return tx.exec("DELETE FROM pin WHERE matter = ? AND seq = ?", id[:], int64(seq))
	}
	return tx.exec("INSERT OR IGNORE INTO pin(matter, seq, at) VALUES(?, ?, ?)", id[:], int64(seq), int64(at))
}

// SetTask notes how a task stands.
func (tx *Tx) SetTask(id matter.ID, seq uint64, t matter.Task) error {
	by := []byte{}
	if t.Done {
		by = t.By[:]
	}
	return tx.exec("INSERT OR REPLACE INTO task(matter, seq, assignee, due, done_by, done_at) VALUES(?, ?, ?, ?, ?, ?)",
		id[:], int64(seq), t.Assignee[:], millis(t.Due), by, millis(t.At))
}

// Vote notes what a member chose of a poll, bit n for option n; 0 takes the vote back.
func (tx *Tx) Vote(id matter.ID, seq uint64, member matter.MemberID, choices uint32, at uint64) error {
	if choices == 0 {
		return tx.exec("DELETE FROM vote WHERE matter = ? AND seq = ? AND member = ?", id[:], int64(seq), member[:])
	}
	return tx.exec("INSERT OR REPLACE INTO vote(matter, seq, member, choices, at) VALUES(?, ?, ?, ?, ?)", id[:], int64(seq), member[:], int64(choices), int64(at))
}

// ClosePoll ends a poll.
func (tx *Tx) ClosePoll(id matter.ID, seq uint64) error {
	return tx.exec("UPDATE poll SET closed = 1 WHERE matter = ? AND seq = ?", id[:], int64(seq))
}

// Mentioned notes that a message calls for this member.
func (tx *Tx) Mentioned(id matter.ID, seq uint64) error {
	return tx.exec("INSERT OR IGNORE INTO mention(matter, seq) VALUES(?, ?)", id[:], int64(seq))
}

// Answered notes that this member has said something, or put a sign beside seq (0: none).
func (tx *Tx) Answered(id matter.ID, seq uint64) error {
	return tx.exec("DELETE FROM mention WHERE matter = ?1 AND (?2 = 0 OR seq = ?2)", id[:], int64(seq))
}
