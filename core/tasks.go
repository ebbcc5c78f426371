package core

import (
	"context"
	"encoding/binary"
	"slices"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"

	"causa/internal/fault"
	"causa/matter"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

// A NewTask is something that somebody is to do.
type NewTask struct {
	Text     string
	Assignee matter.MemberID // zero: nobody yet
	Due      time.Time       // zero: no date
}

// AddTask sets a task in a matter. The bytes of its content:
//
//	opaque text<1..2^24-1>; opaque assignee[16]; uint64 due_ms;
func (c *Client) AddTask(ctx context.Context, id matter.ID, t NewTask) (matter.Message, error) {
	text, err := cleanText(t.Text)
	if err != nil {
		return matter.Message{}, err
	}
	return c.post(ctx, id, func(tx *store.Tx, p store.Place) (uint16, []byte, error) {
		if p.State.Closed() {
			return 0, nil, concludedAlready()
		}
		if err := c.takesPart(tx, id, t.Assignee); err != nil {
			return 0, nil, err
		}
		var b cryptobyte.Builder
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
		b.AddBytes(t.Assignee[:])
		b.AddUint64(millis(t.Due))
		body, err := b.Bytes()
		return contentTask, body, err
	})
}

// takesPart refuses to set a task to somebody who would not hear of it.
func (c *Client) takesPart(tx *store.Tx, id matter.ID, who matter.MemberID) error {
	if who.IsZero() {
		return nil
	}
	in, err := tx.Participants(id)
	if err == nil && !slices.Contains(in, who) {
		err = &fault.Error{Text: "This person is not in the matter.", Hint: "Look at its participants again."}
	}
	return err
}

func parseTask(body []byte) (text string, t matter.Task, ok bool) {
	s := cryptobyte.String(body)
	var said cryptobyte.String
	var due uint64
	ok = s.ReadUint24LengthPrefixed(&said) && s.CopyBytes(t.Assignee[:]) && s.ReadUint64(&due) && s.Empty() &&
		len(said) > 0 && len(said) <= wire.MaxText && utf8.Valid(said) && due <= maxMillis
	t.Due = instant(due)
	return string(said), t, ok
}

func (a *applying) tasked(e *pb.Entry, m matter.Message, con content) error {
	text, t, ok := parseTask(con.Body)
	if !ok {
		return a.malformed(e, m)
	}
	m.Kind, m.Text, m.Task = matter.KindTask, text, &t
	return a.show(e, m)
}

// A TaskChange says what is to change about a task; what is nil stays.
type TaskChange struct {
	Done     *bool
	Assignee *matter.MemberID
	Due      *time.Time
}

// SetTask changes the task at seq. The bytes after the reference say how it stands then:
//
//	uint8 done; opaque assignee[16]; uint64 due_ms;
func (c *Client) SetTask(ctx context.Context, id matter.ID, seq uint64, change TaskChange) error {
	_, err := c.post(ctx, id, func(tx *store.Tx, p store.Place) (uint16, []byte, error) {
		m, err := c.mayAct(tx, id, p, seq, contentTaskState)
		if err != nil {
			return 0, nil, err
		}
		t := *m.Task
		if change.Done != nil {
			t.Done = *change.Done
		}
		if change.Due != nil {
			t.Due = *change.Due
		}
		if change.Assignee != nil {
			t.Assignee = *change.Assignee
			if err := c.takesPart(tx, id, t.Assignee); err != nil {
				return 0, nil, err
			}
		}
		body := append(appendRef(nil, m.Ref()), flag(t.Done))
		return contentTaskState, binary.BigEndian.AppendUint64(append(body, t.Assignee[:]...), millis(t.Due)), nil
	})
	return err
}

func (a *applying) taskSet(e *pb.Entry, m matter.Message, con content) error {
	r, rest, ok := readRef(con.Body)
	var done uint8
	var due uint64
	t := matter.Task{By: m.Author, At: time.UnixMilli(e.GetTimeMs())}
	if !ok || !rest.ReadUint8(&done) || !rest.CopyBytes(t.Assignee[:]) || !rest.ReadUint64(&due) || !rest.Empty() || done > 1 || due > maxMillis {
		return a.malformed(e, m)
	}
	t.Done, t.Due = done == 1, instant(due)
	return a.on(e, m, con.Kind, r, func(target *matter.Message) error {
		if !t.Done || target.Task.Done {
			t.By, t.At = target.Task.By, target.Task.At // who was first to say so has done it
		}
		return a.tx.SetTask(a.id, target.Seq, t)
	})
}

// millis is an instant as it is signed; 0 means none.
func millis(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixMilli())
}

func instant(ms uint64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms))
}
