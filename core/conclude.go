package core

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"

	"causa/internal/fault"
	"causa/matter"
	"causa/store"
	"causa/wire/pb"
)

// A conclusion is the signed result that closes a matter. It covers the discussion it
// closes: every entry that its author's device had, from the first one on. Its bytes:
//
//	opaque decision<1..2^16-1>;
//	struct { opaque name<1..255>; opaque value<0..2^16-1>; } facts<0..2^24-1>;
//	uint64 from; uint64 upto;     the sequences of the first and last entry covered
//	opaque discussion[32];        discussionHash over them
//	opaque cosigners<0..2^16-1>;  ids of the members who have to sign it too, 16 bytes each
type conclusion struct {
	Decision   string
	Facts      []matter.Fact
	From, Upto uint64
	Discussion [32]byte
	Cosigners  []matter.MemberID
}

// Limits of a conclusion.
const (
	maxDecision = 8 << 10 // bytes
	maxFacts    = 50
	maxFact     = 1 << 10 // bytes of a name or value; a name is a matter.CleanName
)

func (d conclusion) bytes() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(d.Decision)) })
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, f := range d.Facts {
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(f.Name)) })
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(f.Value)) })
		}
	})
	b.AddUint64(d.From)
	b.AddUint64(d.Upto)
	b.AddBytes(d.Discussion[:])
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, m := range d.Cosigners {
			b.AddBytes(m[:])
		}
	})
	return b.Bytes()
}

func parseConclusion(raw []byte) (d conclusion, err error) {
	s := cryptobyte.String(raw)
	var decision, facts, cosigners cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&decision) || !s.ReadUint24LengthPrefixed(&facts) || !s.ReadUint64(&d.From) || !s.ReadUint64(&d.Upto) ||
		!s.CopyBytes(d.Discussion[:]) || !s.ReadUint16LengthPrefixed(&cosigners) || !s.Empty() || !readIDs(cosigners, &d.Cosigners) {
		return d, errContent
	}
	d.Decision = string(decision)
	for !facts.Empty() {
		var name, value cryptobyte.String
		if !facts.ReadUint8LengthPrefixed(&name) || !facts.ReadUint16LengthPrefixed(&value) {
			return d, errContent
		}
		d.Facts = append(d.Facts, matter.Fact{Name: string(name), Value: string(value)})
	}
	return d, d.check()
}

// check holds a conclusion to its limits. What it lets pass is fit to be shown.
func (d *conclusion) check() error {
	if d.Decision == "" || len(d.Decision) > maxDecision || !utf8.ValidString(d.Decision) || len(d.Facts) > maxFacts || d.From > d.Upto {
		return errContent
	}
	for i, m := range d.Cosigners {
		if i >= maxSigners || m.IsZero() || slices.Contains(d.Cosigners[:i], m) {
			return errContent
		}
	}
	for _, f := range d.Facts {
		if clean, err := matter.CleanName(f.Name); err != nil || clean != f.Name || len(f.Name) > 255 || len(f.Value) > maxFact || !utf8.ValidString(f.Value) {
			return errContent
		}
	}
	return nil
}

// discussionHash covers a matter's entries from one sequence up to another: all of them,
// in this order.
func discussionHash(tx *store.Tx, id matter.ID, from, upto uint64) (sum [32]byte, err error) {
	h := sha256.New()
	h.Write(discussionStart(id, from, upto))
	for d, err := range tx.Digests(id, from, upto) {
		if err != nil {
			return sum, err
		}
		h.Write(d)
	}
	return [32]byte(h.Sum(nil)), nil
}

// A Conclusion says how a matter ends.
type Conclusion struct {
	Decision string        // what was decided
	Facts    []matter.Fact // the decision table; may be empty
	// Cosigners have to sign it too: it takes effect when the last of them has.
	Cosigners []matter.MemberID
}

// Conclude closes a matter with a result that this device signs, over the whole discussion
// that it has. Only the owner of a matter can. Nobody writes in it then until the owner
// reopens it.
func (c *Client) Conclude(ctx context.Context, id matter.ID, con Conclusion) (matter.Message, error) {
	text, err := cleanText(con.Decision)
	if err != nil {
		return matter.Message{}, err
	}
	if err := c.mayTakePart(con.Cosigners); err != nil {
		return matter.Message{}, err
	}
	d := conclusion{Decision: text, Cosigners: con.Cosigners}
	if len(text) > maxDecision {
		return matter.Message{}, &fault.Error{Text: "The decision is too long.", Hint: "Say it in fewer words; the discussion stays where it is."}
	}
	for _, f := range con.Facts {
		name, err := matter.CleanName(f.Name)
		if err != nil {
			return matter.Message{}, worded(err)
		}
		d.Facts = append(d.Facts, matter.Fact{Name: name, Value: f.Value})
	}
	return c.post(ctx, id, func(tx *store.Tx, p store.Place) (uint16, []byte, error) {
		switch {
		case p.Owner != c.acct.Member:
			return 0, nil, &fault.Error{Text: "Only the owner of a matter can conclude it.", Hint: "Ask the owner."}
		case p.State == matter.StateDraft:
			return 0, nil, draftOnly()
		case p.State.Closed():
			return 0, nil, concludedAlready()
		}
		if m, err := tx.Matter(id); err != nil {
			return 0, nil, err
		} else if m.Proposal != nil {
			return 0, nil, &fault.Error{Text: "A conclusion of this matter waits for signatures.", Hint: "Withdraw it first."}
		} else if err := mayCosign(&m, con.Cosigners); err != nil {
			return 0, nil, err
		}
		d.Upto = p.Cursor
		if d.From, err = tx.DigestsFrom(id, d.Upto); err != nil {
			return 0, nil, err
		}
		if d.Discussion, err = discussionHash(tx, id, d.From, d.Upto); err != nil {
			return 0, nil, err
		}
		if err := d.check(); err != nil {
			return 0, nil, &fault.Error{Text: "The decision table is too large.", Hint: "Use at most 50 lines with short names and values.", Err: err}
		}
		body, err := d.bytes()
		return contentConclusion, body, err
	})
}

// Reopen has a concluded matter go on. The conclusion stays in the record.
func (c *Client) Reopen(ctx context.Context, id matter.ID, why string) (matter.Message, error) {
	if why != "" {
		var err error
		if why, err = cleanText(why); err != nil {
			return matter.Message{}, err
		}
	}
	return c.post(ctx, id, func(_ *store.Tx, p store.Place) (uint16, []byte, error) {
		switch {
		case p.Owner != c.acct.Member:
			return 0, nil, &fault.Error{Text: "Only the owner of a matter can reopen it.", Hint: "Ask the owner."}
		case !p.State.Closed():
			return 0, nil, &fault.Error{Text: "This matter is not concluded.", Hint: "There is nothing to reopen."}
		}
		return contentReopening, []byte(why), nil
	})
}

func concludedAlready() error {
	return &fault.Error{Text: "This matter is concluded.", Hint: "Its owner can reopen it."}
}

// concluded takes a conclusion when it is the owner's and the matter has neither ended nor
// another conclusion that waits for signatures; anything else has no effect, on every
// device alike.
func (a *applying) concluded(e *pb.Entry, m matter.Message, con content) error {
	d, err := parseConclusion(con.Body)
	if err != nil {
		m.Kind = matter.KindUnread
		return a.show(e, m)
	}
	r := a.known
	if m.Author != r.Owner || r.State.Closed() || r.Proposal != nil {
		return a.void(m, con)
	}
	if err := a.witness(e, d); err != nil {
		a.c.setStatus(func(s *Status) { s.Problem = err })
	}
	m.Text, m.Facts, m.Subjects = d.Decision, d.Facts, d.Cosigners
	if len(d.Cosigners) == 0 {
		r.State, r.WaitsFor = matter.StateConcluded, nil
		m.Kind = matter.KindConcluded
	} else {
		r.Proposal = &matter.Proposal{
			Seq: e.GetSeq(), By: m.Author, Device: m.Device, Message: m.ID, Body: con.Body, Decision: d.Decision, Facts: d.Facts, Cosigners: d.Cosigners,
		}
		m.Kind = matter.KindProposed
	}
	if err := a.save(); err != nil {
		return err
	}
	return a.show(e, m)
}

// witness compares the discussion that a conclusion covers with the one on this device, as
// far as it has it.
func (a *applying) witness(e *pb.Entry, d conclusion) error {
	different := &fault.Error{
		Text: "A conclusion covers another discussion than the one on this device.",
		Hint: "The hub may show different people different things. Tell your administrator.",
		Err:  errors.New("discussion hash differs"),
	}
	if d.Upto >= e.GetSeq() {
		return different
	}
	if d.Upto == 0 {
		return nil
	}
	from, err := a.tx.DigestsFrom(a.id, d.Upto)
	if err != nil || from == 0 || from > d.From {
		return err // this device came later
	}
	sum, err := discussionHash(a.tx, a.id, d.From, d.Upto)
	if err != nil || sum == d.Discussion {
		return err
	}
	return different
}

// reopened lets a concluded matter go on when its owner says so.
func (a *applying) reopened(e *pb.Entry, m matter.Message, con content) error {
	r := a.known
	if m.Author != r.Owner || !r.State.Closed() || !utf8.Valid(con.Body) {
		return a.void(m, con)
	}
	r.State = matter.StateOpen
	if err := a.save(); err != nil {
		return err
	}
	m.Kind, m.Text = matter.KindReopened, string(con.Body)
	return a.show(e, m)
}
