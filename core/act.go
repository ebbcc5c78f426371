package core

import (
	"context"
	"errors"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"causa/internal/fault"
	"causa/matter"
	"causa/store"
	"causa/wire/pb"
)

// acts says how each kind of content that people make in a thread is taken in.
var acts = map[uint16]func(*applying, *pb.Entry, matter.Message, content) error{
	contentReply:     (*applying).replied,
	contentReaction:  (*applying).reacted,
	contentEdit:      (*applying).edited,
	contentRecall:    (*applying).recalled,
	contentPin:       (*applying).pinned,
	contentTask:      (*applying).tasked,
	contentTaskState: (*applying).taskSet,
	contentPoll:      (*applying).polled,
	contentVote:      (*applying).voted,
	contentPollEnd:   (*applying).pollEnded,
	contentCarried:   (*applying).carried,
	contentMoved:     (*applying).moved,
	contentReceipt:   (*applying).receipt,
}

// A rule says to which messages something can be done, and by whom.
type rule struct {
	to func(*matter.Message) bool
	by by
	no *fault.Error // what is said to whoever may not
}

// by is a set of people, seen from a message.
type by uint8

const (
	author   by = 1 << iota // whoever wrote it
	owner                   // the matter's
	assignee                // of a task
	anyone                  // in the matter
)

// rules is the table of who may do what to a message. Whatever it refuses has no effect on
// any device, and is refused before it is sent.
var rules = map[uint16]rule{
	contentReply:    {answerable, anyone, nil},
	contentReaction: {answerable, anyone, nil},
	contentPin:      {answerable, anyone, nil},
	contentEdit:     {editable, author, &fault.Error{Text: "Only its author can change a message.", Hint: "Write an answer instead."}},
	contentRecall: {recallable, author | owner, &fault.Error{
		Text: "Only its author or the owner of the matter can take a message back.", Hint: "Ask one of them.",
	}},
	contentMoved: {recallable, author | owner, &fault.Error{Text: "Only texts can be moved.", Hint: "Tasks, polls and files stay where they are."}},
	contentTaskState: {isTask, author | owner | assignee, &fault.Error{
		Text: "Only those who have to do with a task can change it.", Hint: "Ask whoever set it, or the owner of the matter.",
	}},
	contentVote: {openPoll, anyone, nil},
	contentPollEnd: {openPoll, author | owner, &fault.Error{
		Text: "Only whoever asked, or the owner of the matter, can end a poll.", Hint: "Ask one of them.",
	}},
}

func answerable(m *matter.Message) bool { return m.Kind.Said() }
func recallable(m *matter.Message) bool { return m.Kind.Recallable() }
func editable(m *matter.Message) bool   { return m.Kind == matter.KindText && m.Origin == nil }
func isTask(m *matter.Message) bool     { return m.Task != nil }
func openPoll(m *matter.Message) bool   { return m.Poll != nil && !m.Poll.Closed }

// may returns why a member may not do something to a message; nil when they may.
func may(kind uint16, who matter.MemberID, p store.Place, m *matter.Message) error {
	r := rules[kind]
	is := anyone
	if who == m.Author || m.Origin != nil && who == m.Origin.Author {
		is |= author
	}
	if who == p.Owner {
		is |= owner
	}
	if m.Task != nil && who == m.Task.Assignee {
		is |= assignee
	}
	switch {
	case p.State.Closed():
		return concludedAlready()
	case !r.to(m):
		return &fault.Error{Text: "This can't be done with that message.", Hint: "It may have been taken back, or it is of another kind."}
	case r.by&is == 0:
		return r.no
	}
	return nil
}

// act queues something that is done to the message at seq. rest is what follows the
// reference.
func (c *Client) act(ctx context.Context, id matter.ID, seq uint64, kind uint16, rest func(*store.Tx, *matter.Message) ([]byte, error)) (matter.Message, error) {
	return c.post(ctx, id, func(tx *store.Tx, p store.Place) (uint16, []byte, error) {
		m, err := c.mayAct(tx, id, p, seq, kind)
		if err != nil {
			return 0, nil, err
		}
		body := appendRef(nil, m.Ref())
		if rest == nil {
			return kind, body, nil
		}
		more, err := rest(tx, m)
		return kind, append(body, more...), err
	})
}

// mayAct returns the message at seq if this member may do something to it.
func (c *Client) mayAct(tx *store.Tx, id matter.ID, p store.Place, seq uint64, kind uint16) (*matter.Message, error) {
	m, err := tx.Message(id, seq)
	if errors.Is(err, store.ErrNone) {
		err = noMessage()
	}
	if err == nil {
		err = may(kind, c.acct.Member, p, &m)
	}
	return &m, err
}

func noMessage() error {
	return &fault.Error{Text: "There is no such message on this device.", Hint: "Look at the thread again."}
}

// on takes in something that was done to a message. It has an effect when the message is
// here and its author may do it; do says which.
func (a *applying) on(e *pb.Entry, m matter.Message, kind uint16, r matter.Ref, do func(*matter.Message) error) error {
	if err := a.hide(e, m); err != nil {
		return err
	}
	return a.onTarget(e, m, kind, r, do)
}

// onTarget is on for an entry that is filed already.
func (a *applying) onTarget(e *pb.Entry, m matter.Message, kind uint16, r matter.Ref, do func(*matter.Message) error) error {
	seq, err := a.tx.Find(a.id, r)
	if err != nil || seq == 0 {
		return err
	}
	target, err := a.tx.Message(a.id, seq)
	if errors.Is(err, store.ErrNone) || err == nil && may(kind, m.Author, a.place, &target) != nil {
		return nil
	}
	if err != nil {
		return err
	}
	if err := do(&target); err != nil {
		return err
	}
	if err := a.tx.SetRef(a.id, e.GetSeq(), seq); err != nil {
		return err
	}
	if target, err = a.tx.Message(a.id, seq); err != nil {
		return err
	}
	after := []matter.Message{target}
	if err := a.c.countGone(a.tx, a.id, after); err != nil {
		return err
	}
	a.events = append(a.events, MessageChanged{after[0]})
	return nil
}

// malformed files content that can't be understood.
func (a *applying) malformed(e *pb.Entry, m matter.Message) error {
	m.Kind = matter.KindUnread
	return a.show(e, m)
}

// hide files an entry that shows no line of its own.
func (a *applying) hide(e *pb.Entry, m matter.Message) error {
	m.Kind, m.Matter, m.Seq, m.Time = matter.KindAct, a.id, e.GetSeq(), time.UnixMilli(e.GetTimeMs())
	a.filed = true
	_, err := a.tx.AddMessage(m, a.c.acct.Member)
	return err
}

// calls notes whether a message calls for this member, or is the answer of one to those
// that did.
func (a *applying) calls(m matter.Message) error {
	switch self := a.c.acct.Member; {
	case !m.Kind.Said():
		return nil
	case m.Origin != nil:
		return nil // said elsewhere, to others
	case m.Author == self:
		return a.tx.Answered(a.id, 0)
	case matter.Mentions(m.Text, self):
		return a.tx.Mentioned(a.id, m.Seq)
	}
	return nil
}

func appendRef(b []byte, r matter.Ref) []byte {
	return append(append(b, r.Device[:]...), r.Message[:]...)
}

// readRef reads the reference that a body begins with and returns what follows.
func readRef(body []byte) (r matter.Ref, rest cryptobyte.String, ok bool) {
	s := cryptobyte.String(body)
	ok = s.CopyBytes(r.Device[:]) && s.CopyBytes(r.Message[:])
	return r, s, ok
}
