package core

import (
	"context"
	"errors"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-text/typesetting/segmenter"

	"causa/internal/fault"
	"causa/matter"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

// Reply answers the message at seq.
func (c *Client) Reply(ctx context.Context, id matter.ID, seq uint64, text string) (matter.Message, error) {
	text, err := cleanText(text)
	if err != nil {
		return matter.Message{}, err
	}
	return c.act(ctx, id, seq, contentReply, func(tx *store.Tx, _ *matter.Message) ([]byte, error) { return c.addressed(tx, id, text) })
}

func (a *applying) replied(e *pb.Entry, m matter.Message, con content) error {
	r, text, ok := readRef(con.Body)
	if !ok || !goodText(string(text)) {
		return a.malformed(e, m)
	}
	seq, err := a.tx.Find(a.id, r)
	if err != nil {
		return err
	}
	m.Kind, m.Text, m.Reply = matter.KindText, string(text), &matter.Quote{Seq: seq}
	return a.show(e, m)
}

// goodText is what of a text is asked of others.
func goodText(s string) bool { return s != "" && len(s) <= wire.MaxText && utf8.ValidString(s) }

// React puts a sign beside the message at seq, or takes it away: one emoji, or whatever
// else is a single character to the eye.
func (c *Client) React(ctx context.Context, id matter.ID, seq uint64, emoji string, on bool) error {
	if !oneSign(emoji) {
		return &fault.Error{Text: "A reaction is a single emoji.", Hint: "For more, write an answer."}
	}
	_, err := c.act(ctx, id, seq, contentReaction, func(*store.Tx, *matter.Message) ([]byte, error) {
		return append([]byte{flag(on)}, emoji...), nil
	})
	return err
}

// maxSign is how many bytes a reaction has at most: families of emoji are long.
const maxSign = 64

// oneSign reports whether s is one character to the eye.
func oneSign(s string) bool {
	if !fitSign(s) {
		return false
	}
	var seg segmenter.Segmenter
	seg.Init([]rune(s))
	g, n := seg.GraphemeIterator(), 0
	for g.Next() {
		n++
	}
	return n == 1
}

// fitSign is what of a reaction is asked of others: where characters end changes from one
// version of Unicode to the next, but all devices must agree on what has an effect.
func fitSign(s string) bool {
	if s == "" || len(s) > maxSign || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.IsSpace(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return false
		}
	}
	return true
}

func (a *applying) reacted(e *pb.Entry, m matter.Message, con content) error {
	r, rest, ok := readRef(con.Body)
	var on uint8
	if !ok || !rest.ReadUint8(&on) || on > 1 || !fitSign(string(rest)) {
		return a.malformed(e, m)
	}
	return a.on(e, m, con.Kind, r, func(t *matter.Message) error {
		if m.Author == a.c.acct.Member {
			if err := a.tx.Answered(a.id, t.Seq); err != nil {
				return err
			}
		}
		return a.tx.React(a.id, t.Seq, m.Author, string(rest), on == 1, e.GetSeq())
	})
}

// Edit replaces what the message at seq says. Earlier versions stay readable: see
// [Client.Versions].
func (c *Client) Edit(ctx context.Context, id matter.ID, seq uint64, text string) error {
	text, err := cleanText(text)
	if err != nil {
		return err
	}
	_, err = c.act(ctx, id, seq, contentEdit, func(tx *store.Tx, _ *matter.Message) ([]byte, error) { return c.addressed(tx, id, text) })
	return err
}

func (a *applying) edited(e *pb.Entry, m matter.Message, con content) error {
	r, text, ok := readRef(con.Body)
	if !ok || !goodText(string(text)) {
		return a.malformed(e, m)
	}
	return a.on(e, m, con.Kind, r, func(t *matter.Message) error {
		if self := a.c.acct.Member; m.Author != self && matter.Mentions(string(text), self) && !matter.Mentions(t.Text, self) {
			if err := a.tx.Mentioned(a.id, t.Seq); err != nil {
				return err
			}
		}
		return a.tx.SetText(a.id, t.Seq, string(text), time.UnixMilli(e.GetTimeMs()))
	})
}

// A Version is what a message said until its author changed it.
type Version struct {
	Seq  uint64 // the entry that brought it
	Time time.Time
	Text string
}

// Versions returns all that the message at seq has said, oldest first.
func (c *Client) Versions(ctx context.Context, id matter.ID, seq uint64) (out []Version, err error) {
	err = c.home.db.View(ctx, func(tx *store.Tx) error {
		m, err := tx.Message(id, seq)
		if err != nil {
			return err
		}
		return tx.EvidenceOf(id, seq, func(ev store.Evidence) error {
			if ev.Signed == nil {
				return nil
			}
			s, err := unpackEvidence(id, ev)
			if err != nil {
				return err
			}
			con, err := parseContent(s.Body)
			if err != nil {
				return err
			}
			if text, ok := saidBy(con, m.Ref()); ok {
				out = append(out, Version{Seq: ev.Seq, Time: con.Time, Text: text})
			}
			return nil
		})
	})
	if errors.Is(err, store.ErrNone) {
		err = noMessage()
	}
	return out, worded(err)
}

// saidBy returns the text that content gives to a message, as new or as changed.
func saidBy(con content, m matter.Ref) (string, bool) {
	switch con.Kind {
	case contentText:
		return string(con.Body), true
	case contentReply:
		_, text, ok := readRef(con.Body)
		return string(text), ok
	case contentEdit:
		r, text, ok := readRef(con.Body)
		return string(text), ok && r == m
	}
	return "", false
}

// Recall takes the message at seq back. Every device destroys what it said as soon as it
// hears of it; a line stays that says who took it back.
func (c *Client) Recall(ctx context.Context, id matter.ID, seq uint64) error {
	_, err := c.act(ctx, id, seq, contentRecall, nil)
	return err
}

func (a *applying) recalled(e *pb.Entry, m matter.Message, con content) error {
	r, rest, ok := readRef(con.Body)
	if !ok || !rest.Empty() {
		return a.malformed(e, m)
	}
	return a.on(e, m, con.Kind, r, func(t *matter.Message) error {
		if err := a.tx.AddReceipt(a.id, t.Seq, m.Device); err != nil {
			return err
		}
		if m.Device != a.c.self {
			a.destroyed = append(a.destroyed, r)
		}
		return a.tx.Recall(a.id, t.Seq, m.Author, matter.KindRecalled, matter.ID{})
	})
}

// Pin keeps the message at seq in sight for everybody, or no longer.
func (c *Client) Pin(ctx context.Context, id matter.ID, seq uint64, on bool) error {
	_, err := c.act(ctx, id, seq, contentPin, func(*store.Tx, *matter.Message) ([]byte, error) { return []byte{flag(on)}, nil })
	return err
}

func (a *applying) pinned(e *pb.Entry, m matter.Message, con content) error {
	r, rest, ok := readRef(con.Body)
	var on uint8
	if !ok || !rest.ReadUint8(&on) || on > 1 || !rest.Empty() {
		return a.malformed(e, m)
	}
	return a.on(e, m, con.Kind, r, func(t *matter.Message) error { return a.tx.Pin(a.id, t.Seq, on == 1, e.GetSeq()) })
}

func flag(on bool) byte {
	if on {
		return 1
	}
	return 0
}
