package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"causa/matter"
)

// quoteSize is how much of a message an answer to it shows, in bytes.
const quoteSize = 240

// dress adds what messages have gained in their thread. ms are lines of one matter in
// order; refs are the lines they answer.
func (tx *Tx) dress(id matter.ID, ms []matter.Message, refs []int64) error {
	if len(ms) == 0 {
		return nil
	}
	at := make(map[int64]*matter.Message, len(ms))
	for i := range ms {
		at[int64(ms[i].Seq)] = &ms[i]
	}
	from, to := int64(ms[0].Seq), int64(ms[len(ms)-1].Seq)
	if err := tx.FillFiles(ms); err != nil {
		return err
	}
	if err := tx.dressReactions(id, at, from, to); err != nil {
		return err
	}
	if err := tx.dressTasks(id, at, from, to); err != nil {
		return err
	}
	if err := tx.dressPolls(id, at, from, to); err != nil {
		return err
	}
	for i, ref := range refs {
		if ref == 0 {
			continue
		}
		q, err := tx.quote(id, ref)
		if err != nil {
			return err
		}
		ms[i].Reply = q
	}
	return nil
}

func (tx *Tx) quote(id matter.ID, seq int64) (*matter.Quote, error) {
	q := &matter.Quote{}
	if seq < 0 {
		return q, nil
	}
	var author []byte
	err := tx.one([]any{&author, &q.Kind, &q.Text}, "SELECT author, kind, substr(text, 1, ?) FROM message WHERE matter = ? AND seq = ?", quoteSize, id[:], seq)
	if err != nil {
		if err == ErrNone { //nolint:errorlint // one returns it as it is
			return q, nil // deleted since
		}
		return nil, err
	}
	q.Seq, q.Author = uint64(seq), matter.MemberID(author)
	for len(q.Text) > quoteSize || !utf8.ValidString(q.Text) {
		_, n := utf8.DecodeLastRuneInString(q.Text)
		q.Text = q.Text[:len(q.Text)-n]
	}
	return q, nil
}

func (tx *Tx) dressReactions(id matter.ID, at map[int64]*matter.Message, from, to int64) error {
	return tx.each(func(r *sql.Rows) error {
		var seq int64
		var emoji string
		var member []byte
		if err := r.Scan(&seq, &emoji, &member); err != nil {
			return err
		}
		m := at[seq]
		if m == nil {
			return nil
		}
		for i := range m.Reactions {
			if m.Reactions[i].Emoji == emoji {
				m.Reactions[i].Members = append(m.Reactions[i].Members, matter.MemberID(member))
				return nil
			}
		}
		m.Reactions = append(m.Reactions, matter.Reaction{Emoji: emoji, Members: []matter.MemberID{matter.MemberID(member)}})
		return nil
	}, "SELECT seq, emoji, member FROM reaction WHERE matter = ? AND seq BETWEEN ? AND ? ORDER BY seq, at", id[:], from, to)
}

func (tx *Tx) dressTasks(id matter.ID, at map[int64]*matter.Message, from, to int64) error {
	err := tx.each(func(r *sql.Rows) error {
		var seq int64
		t, err := scanTask(r, &seq)
		if m := at[seq]; m != nil {
			m.Task = t
		}
		return err
	}, "SELECT seq, assignee, due, done_by, done_at FROM task WHERE matter = ? AND seq BETWEEN ? AND ?", id[:], from, to)
	if err != nil {
		return err
	}
	return tx.each(func(r *sql.Rows) error {
		var seq int64
		if err := r.Scan(&seq); err != nil {
			return err
		}
		if m := at[seq]; m != nil {
			m.Pinned = true
		}
		return nil
	}, "SELECT seq FROM pin WHERE matter = ? AND seq BETWEEN ? AND ?", id[:], from, to)
}

func scanTask(r *sql.Rows, seq *int64) (*matter.Task, error) {
	var assignee, by []byte
	var due, done int64
	if err := r.Scan(seq, &assignee, &due, &by, &done); err != nil {
		return nil, err
	}
	t := &matter.Task{Assignee: matter.MemberID(assignee), Due: instant(due), Done: len(by) > 0, At: instant(done)}
	copy(t.By[:], by)
	return t, nil
}

func (tx *Tx) dressPolls(id matter.ID, at map[int64]*matter.Message, from, to int64) error {
	err := tx.each(func(r *sql.Rows) error {
		var seq int64
		var options string
		p := &matter.Poll{}
		if err := r.Scan(&seq, &options, &p.Multiple, &p.Closed); err != nil {
			return err
		}
		var texts []string
		if err := json.Unmarshal([]byte(options), &texts); err != nil {
			return fmt.Errorf("options of message %d: %w", seq, err)
		}
		for _, t := range texts {
			p.Options = append(p.Options, matter.Option{Text: t})
		}
		if m := at[seq]; m != nil {
			m.Poll = p
		}
		return nil
	}, "SELECT seq, options, multiple, closed FROM poll WHERE matter = ? AND seq BETWEEN ? AND ?", id[:], from, to)
	if err != nil {
		return err
	}
	return tx.each(func(r *sql.Rows) error {
		var seq, choices int64
		var member []byte
		if err := r.Scan(&seq, &member, &choices); err != nil {
			return err
		}
		m := at[seq]
		if m == nil || m.Poll == nil {
			return nil
		}
		for i := range m.Poll.Options {
			if choices&(1<<i) != 0 {
				m.Poll.Options[i].Voters = append(m.Poll.Options[i].Voters, matter.MemberID(member))
			}
		}
		return nil
	}, "SELECT seq, member, choices FROM vote WHERE matter = ? AND seq BETWEEN ? AND ? ORDER BY at", id[:], from, to)
}
