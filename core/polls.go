package core

import (
	"context"
	"encoding/binary"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"

	"causa/internal/fault"
	"causa/matter"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

// A NewPoll is a question with answers to choose from.
type NewPoll struct {
	Question string
	Options  []string // 2 to 20
	Multiple bool     // more than one may be chosen
}

// Limits of a poll.
const (
	minOptions = 2
	maxOptions = 20
)

// AddPoll asks something in a matter. The bytes of its content:
//
//	opaque question<1..2^24-1>; uint8 multiple; struct { opaque text<1..255>; } options<0..2^16-1>;
func (c *Client) AddPoll(ctx context.Context, id matter.ID, n NewPoll) (matter.Message, error) {
	question, err := cleanText(n.Question)
	if err != nil {
		return matter.Message{}, err
	}
	var options []string
	for _, o := range n.Options {
		o, err := matter.CleanName(o)
		if err != nil {
			return matter.Message{}, worded(err)
		}
		options = append(options, o)
	}
	if !goodOptions(options) {
		return matter.Message{}, &fault.Error{Text: "A poll has 2 to 20 different answers.", Hint: "Write each in a few words."}
	}
	return c.post(ctx, id, func(_ *store.Tx, p store.Place) (uint16, []byte, error) {
		if p.State.Closed() {
			return 0, nil, concludedAlready()
		}
		var b cryptobyte.Builder
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(question)) })
		b.AddUint8(flag(n.Multiple))
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, o := range options {
				b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(o)) })
			}
		})
		body, err := b.Bytes()
		return contentPoll, body, err
	})
}

func goodOptions(options []string) bool {
	seen := map[string]bool{}
	for _, o := range options {
		if clean, err := matter.CleanName(o); err != nil || clean != o || len(o) > 255 || seen[o] {
			return false
		}
		seen[o] = true
	}
	return len(options) >= minOptions && len(options) <= maxOptions
}

func parsePoll(body []byte) (question string, p *matter.Poll, ok bool) {
	s := cryptobyte.String(body)
	var said, list cryptobyte.String
	var multiple uint8
	if !s.ReadUint24LengthPrefixed(&said) || !s.ReadUint8(&multiple) || !s.ReadUint16LengthPrefixed(&list) || !s.Empty() ||
		len(said) == 0 || len(said) > wire.MaxText || !utf8.Valid(said) || multiple > 1 {
		return "", nil, false
	}
	p = &matter.Poll{Multiple: multiple == 1}
	var options []string
	for !list.Empty() {
		var o cryptobyte.String
		if !list.ReadUint8LengthPrefixed(&o) {
			return "", nil, false
		}
		options = append(options, string(o))
		p.Options = append(p.Options, matter.Option{Text: string(o)})
	}
	return string(said), p, goodOptions(options)
}

func (a *applying) polled(e *pb.Entry, m matter.Message, con content) error {
	question, p, ok := parsePoll(con.Body)
	if !ok {
		return a.malformed(e, m)
	}
	m.Kind, m.Text, m.Poll = matter.KindPoll, question, p
	return a.show(e, m)
}

// Vote chooses answers of the poll at seq, by their numbers from 0 on, in place of what
// was chosen before; none takes the vote back.
func (c *Client) Vote(ctx context.Context, id matter.ID, seq uint64, options ...int) error {
	_, err := c.act(ctx, id, seq, contentVote, func(_ *store.Tx, m *matter.Message) ([]byte, error) {
		var choices uint32
		for _, o := range options {
			if o < 0 || o >= len(m.Poll.Options) {
				return nil, &fault.Error{Text: "There is no such answer.", Hint: "Choose one of those the poll has."}
			}
			choices |= 1 << o
		}
		if !goodVote(choices, m.Poll) {
			return nil, &fault.Error{Text: "Only one answer can be chosen.", Hint: "Choose the one that fits best."}
		}
		return binary.BigEndian.AppendUint32(nil, choices), nil
	})
	return err
}

func goodVote(choices uint32, p *matter.Poll) bool {
	return choices < 1<<len(p.Options) && (p.Multiple || choices&(choices-1) == 0)
}

func (a *applying) voted(e *pb.Entry, m matter.Message, con content) error {
	r, rest, ok := readRef(con.Body)
	var choices uint32
	if !ok || !rest.ReadUint32(&choices) || !rest.Empty() {
		return a.malformed(e, m)
	}
	return a.on(e, m, con.Kind, r, func(t *matter.Message) error {
		if !goodVote(choices, t.Poll) {
			return nil
		}
		return a.tx.Vote(a.id, t.Seq, m.Author, choices, e.GetSeq())
	})
}

// EndPoll closes the poll at seq: nobody votes in it any more.
func (c *Client) EndPoll(ctx context.Context, id matter.ID, seq uint64) error {
	_, err := c.act(ctx, id, seq, contentPollEnd, nil)
	return err
}

func (a *applying) pollEnded(e *pb.Entry, m matter.Message, con content) error {
	r, rest, ok := readRef(con.Body)
	if !ok || !rest.Empty() {
		return a.malformed(e, m)
	}
	return a.on(e, m, con.Kind, r, func(t *matter.Message) error { return a.tx.ClosePoll(a.id, t.Seq) })
}

// queuedThread fills in what waits to be sent and will show a line of its own.
func queuedThread(m *matter.Message, con content) bool {
	ok := false
	switch con.Kind {
	case contentReply:
		_, text, has := readRef(con.Body)
		m.Kind, m.Text, m.Reply, ok = matter.KindText, string(text), &matter.Quote{}, has
	case contentTask:
		var t matter.Task
		m.Text, t, ok = parseTask(con.Body)
		m.Kind, m.Task = matter.KindTask, &t
	case contentPoll:
		m.Text, m.Poll, ok = parsePoll(con.Body)
		m.Kind = matter.KindPoll
	case contentCarried:
		ok = queuedCarried(m, con)
	}
	return ok
}
