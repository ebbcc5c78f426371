package core

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"causa/crypto/seal"
	"causa/internal/fault"
	"causa/matter"
	"causa/store"
	"causa/wire/pb"
)

// A Move says which messages go to which matter.
type Move struct {
	From matter.ID
	Seqs []uint64 // none: every text of the matter
	To   matter.ID
	Copy bool // the originals stay
	// Widen names those who may newly read what is moved, because they are in To and not
	// in From. Nobody else will: see [WidensError].
	Widen []matter.MemberID
}

// Moved says what came of a move.
type Moved struct {
	Moved  int // leave their matter as soon as the others have them
	Copied int // stay as well: they are neither this member's nor in this member's matter
}

// A WidensError says that people would read what they have not read so far.
type WidensError struct{ Members []matter.MemberID }

func (e *WidensError) Error() string { return "people would newly read what is moved" }

// maxMove is how many messages are moved at once.
const maxMove = 1000

// maxCarried is how many references one entry has that takes messages away.
const maxCarried = 200

// Newcomers lists who of some members is not in a matter: they would newly read what comes
// to them from there.
func (c *Client) Newcomers(ctx context.Context, from matter.ID, members []matter.MemberID) (out []matter.MemberID, err error) {
	m, err := c.Matter(ctx, from)
	return missing(members, m.Participants), err
}

// Move brings messages to another matter: sealed anew for the people there, with what
// proves who wrote them in the first place. Where this member may take them away, they
// leave their matter as soon as they have arrived. The error is a [WidensError] when more
// people would read them than m.Widen allows.
func (c *Client) Move(ctx context.Context, m Move) (done Moved, err error) {
	if m.From == m.To {
		return done, &fault.Error{Text: "The messages are in this matter already.", Hint: "Choose another one."}
	}
	to, err := c.Matter(ctx, m.To)
	if err != nil {
		return done, err
	}
	fresh, err := c.Newcomers(ctx, m.From, to.Participants)
	if err != nil {
		return done, err
	}
	if fresh = missing(fresh, m.Widen); len(fresh) > 0 {
		return done, &WidensError{fresh}
	}
	err = c.home.db.Update(ctx, func(tx *store.Tx) (err error) {
		done, err = c.move(tx, m)
		return err
	})
	if err != nil {
		return done, worded(err)
	}
	if err := c.countQueue(ctx); err != nil {
		return done, worded(err)
	}
	c.events.tell(MatterChanged{m.To})
	c.kick()
	return done, nil
}

// Split starts a matter with messages of another one.
func (c *Client) Split(ctx context.Context, n NewMatter, m Move) (id matter.ID, done Moved, err error) {
	fresh, err := c.Newcomers(ctx, m.From, n.With)
	if err != nil {
		return id, done, err
	}
	if fresh = missing(fresh, m.Widen); len(fresh) > 0 {
		return id, done, &WidensError{fresh}
	}
	if id, err = c.OpenMatter(ctx, n); err != nil {
		return id, done, err
	}
	m.To = id
	done, err = c.Move(ctx, m)
	return id, done, err
}

func (c *Client) move(tx *store.Tx, m Move) (done Moved, err error) {
	from, err := tx.Place(m.From)
	if err != nil {
		return done, err
	}
	to, err := tx.Place(m.To)
	if err != nil {
		return done, err
	}
	switch {
	case from.Removed || to.Removed:
		return done, notIn(nil)
	case to.State == matter.StateConcluded || to.State == matter.StateArchived:
		return done, concludedAlready()
	}
	msgs, err := c.movable(tx, m)
	if err != nil {
		return done, err
	}
	batch := matter.NewMessageID()
	for i := range msgs {
		body, err := carry(tx, &msgs[i])
		if err != nil {
			return done, err
		}
		it, err := c.enqueue(tx, m.To, contentCarried, body)
		if err != nil {
			return done, err
		}
		if m.Copy || may(contentMoved, c.acct.Member, from, &msgs[i]) != nil {
			done.Copied++
			continue
		}
		done.Moved++
		if err := tx.PutMoving(store.Moving{Batch: batch, To: m.To, Copy: it.ID, From: m.From, Source: msgs[i].Ref()}); err != nil {
			return done, err
		}
	}
	return done, nil
}

// movable returns the messages that a move names.
func (c *Client) movable(tx *store.Tx, m Move) (out []matter.Message, err error) {
	if len(m.Seqs) == 0 {
		all, err := tx.Messages(m.From, 0, maxMove*4)
		if err != nil {
			return nil, err
		}
		out = slices.DeleteFunc(all, func(x matter.Message) bool { return x.Kind != matter.KindText })
	}
	for _, seq := range slices.Compact(slices.Sorted(slices.Values(m.Seqs))) {
		x, err := tx.Message(m.From, seq)
		switch {
		case errors.Is(err, store.ErrNone):
			return nil, noMessage()
		case err != nil:
			return nil, err
		case x.Kind != matter.KindText:
			return nil, &fault.Error{Text: "Only texts can be moved.", Hint: "Tasks, polls and files stay where they are."}
		}
		out = append(out, x)
	}
	switch {
	case len(out) == 0:
		return nil, &fault.Error{Text: "There is nothing to move.", Hint: "Choose at least one message."}
	case len(out) > maxMove:
		return nil, &fault.Error{Text: "At most 1000 messages can be moved at once.", Hint: "Move them in parts."}
	}
	return out, nil
}

// A carried message comes from another matter. Its bytes:
//
//	opaque matter[16]; uint64 epoch; opaque sender[32]; opaque message[16];   the header it was signed with
//	opaque signature[64]; opaque body<0..2^24-1>;                            the content that was signed
type carriedMessage struct {
	signed  seal.Signed
	content content
	text    string
	origin  matter.Origin
}

// carry makes a carried message of what a message says now.
func carry(tx *store.Tx, m *matter.Message) (body []byte, err error) {
	err = tx.EvidenceOf(m.Matter, m.Seq, func(e store.Evidence) error {
		if e.Signed == nil {
			return nil
		}
		s, err := unpackEvidence(m.Matter, e)
		if err != nil {
			return err
		}
		con, err := parseContent(s.Body)
		if err != nil {
			return err
		}
		if con.Kind == contentCarried && e.Seq == m.Seq {
			body = slices.Clone(con.Body) // once more: the first author's words stay the proof
			return nil
		}
		if text, ok := saidBy(con, m.Ref()); !ok || text != m.Text {
			return nil // another version, or something else that was done to it
		}
		body, err = carriedBytes(s)
		return err
	})
	if err == nil && body == nil {
		err = &fault.Error{Text: "This device can't prove who wrote one of these messages.", Hint: "Move it from a device that was there when it was written."}
	}
	return body, err
}

func carriedBytes(s *seal.Signed) ([]byte, error) {
	var b cryptobyte.Builder
	h := s.Header
	b.AddBytes(h.Matter[:])
	b.AddUint64(h.Epoch)
	b.AddBytes(h.Sender[:])
	b.AddBytes(h.Message[:])
	b.AddBytes(s.Signature[:])
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(s.Body) })
	return b.Bytes()
}

func parseCarried(raw []byte) (m carriedMessage, ok bool) {
	s := cryptobyte.String(raw)
	h := &m.signed.Header
	var body cryptobyte.String
	if !s.CopyBytes(h.Matter[:]) || !s.ReadUint64(&h.Epoch) || !s.CopyBytes(h.Sender[:]) || !s.CopyBytes(h.Message[:]) ||
		!s.CopyBytes(m.signed.Signature[:]) || !s.ReadUint24LengthPrefixed(&body) || !s.Empty() {
		return m, false
	}
	m.signed.Body = body
	var err error
	if m.content, err = parseContent(body); err != nil {
		return m, false
	}
	said := matter.Ref{Device: h.Sender, Message: h.Message}
	if m.content.Kind == contentEdit { // the message is the one that was edited
		if said, _, ok = readRef(m.content.Body); !ok {
			return m, false
		}
	}
	m.text, ok = saidBy(m.content, said)
	m.origin = matter.Origin{Matter: h.Matter, Device: h.Sender, Message: said.Message, Time: m.content.Time}
	return m, ok && goodText(m.text)
}

// carried takes in a message from another matter, if whoever it names has signed it.
func (a *applying) carried(e *pb.Entry, m matter.Message, con content) error {
	x, ok := parseCarried(con.Body)
	if !ok || x.origin.Matter == a.id {
		return a.malformed(e, m)
	}
	dev, key, known := a.c.dir.device(x.origin.Device)
	if !known && !a.final {
		return errUnknownDevice
	}
	if !known || x.signed.Verify(key) != nil {
		return a.malformed(e, m)
	}
	x.origin.Author = dev.Member
	m.Kind, m.Text, m.Origin = matter.KindText, x.text, &x.origin
	if err := a.show(e, m); err != nil || m.Device != a.c.self {
		return err
	}
	return a.arrived(m)
}

// arrived takes the originals away when all of what this device moved has its place.
func (a *applying) arrived(m matter.Message) error {
	batch, err := a.tx.Arrived(a.id, m.ID)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(batch, maxCarried) {
		body := slices.Clone(a.id[:])
		for _, x := range part {
			body = appendRef(body, x.Source)
		}
		if _, err := a.c.enqueue(a.tx, part[0].From, contentMoved, body); err != nil {
			return err
		}
	}
	return nil
}

// moved takes messages away that went to another matter. The bytes of its content:
//
//	opaque to[16]; Ref messages[];
func (a *applying) moved(e *pb.Entry, m matter.Message, con content) error {
	to := matter.ID{}
	rest := con.Body[copy(to[:], con.Body):]
	const refSize = 48
	if len(rest) == 0 || len(rest)%refSize != 0 || len(rest) > maxCarried*refSize || to == a.id || to.IsZero() {
		return a.malformed(e, m)
	}
	if err := a.hide(e, m); err != nil {
		return err
	}
	for len(rest) > 0 {
		r, next, _ := readRef(rest)
		rest = next
		err := a.onTarget(e, m, con.Kind, r, func(t *matter.Message) error {
			return a.tx.Recall(a.id, t.Seq, m.Author, matter.KindMoved, to)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// queuedCarried fills in a carried message that waits to be sent.
func queuedCarried(m *matter.Message, con content) bool {
	x, ok := parseCarried(con.Body)
	m.Kind, m.Text, m.Origin = matter.KindText, x.text, &x.origin
	return ok
}
