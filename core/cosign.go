package core

import (
	"context"
	"crypto/sha256"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"

	"causa/internal/fault"
	"causa/matter"
	"causa/store"
	"causa/wire/pb"
)

// A conclusion with co-signers is a proposal until the last of them has signed it: then it
// takes effect, in the place of that signature. The owner can withdraw it, and any of the
// co-signers can refuse: then it is off. Until then the matter goes on, and no other
// conclusion has an effect.

// proposalDigest stands for a proposed conclusion: what its co-signers sign.
func proposalDigest(id matter.ID, p *matter.Proposal) [32]byte {
	h := sha256.New()
	h.Write([]byte("causa proposal v1\x00"))
	h.Write(id[:])
	h.Write(p.Device[:])
	h.Write(p.Message[:])
	h.Write(p.Body)
	return [32]byte(h.Sum(nil))
}

// A signature is under a proposed conclusion, or why there is none. Its bytes:
//
//	opaque proposal[32]; opaque why<0..2^16-1>;   why is empty in signatures and withdrawals
type signature struct {
	Proposal [32]byte
	Why      string
}

func (s signature) bytes() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddBytes(s.Proposal[:])
	addText(&b, s.Why)
	return b.Bytes()
}

func parseSignature(raw []byte, refusal bool) (sig signature, err error) {
	s := cryptobyte.String(raw)
	if !s.CopyBytes(sig.Proposal[:]) || !readText(&s, &sig.Why) || !s.Empty() || !utf8.ValidString(sig.Why) ||
		len(sig.Why) > maxWhy || (sig.Why != "") != refusal {
		return sig, errContent
	}
	return sig, nil
}

// mayCosign refuses co-signers who could not sign.
func mayCosign(m *matter.Matter, who []matter.MemberID) error {
	in := map[matter.MemberID]bool{}
	for _, p := range m.Participants {
		in[p] = true
	}
	for _, w := range who {
		switch {
		case w == m.Owner:
			return &fault.Error{Text: "The owner signs a conclusion anyway.", Hint: "Name others as co-signers."}
		case !in[w]:
			return &fault.Error{Text: "Only people who are in a matter can sign its conclusion.", Hint: "Add them first."}
		}
	}
	if len(who) > maxSigners {
		return &fault.Error{Text: "At most 50 people can sign a conclusion.", Hint: "Name fewer."}
	}
	return nil
}

// Cosign signs the conclusion that waits for this member's signature.
func (c *Client) Cosign(ctx context.Context, id matter.ID) (matter.Message, error) {
	return c.answer(ctx, id, contentSignature, "")
}

// DeclineToSign refuses to sign a proposed conclusion: it is off then.
func (c *Client) DeclineToSign(ctx context.Context, id matter.ID, why string) (matter.Message, error) {
	why, err := cleanText(why)
	if err != nil {
		return matter.Message{}, err
	}
	if len(why) > maxWhy {
		return matter.Message{}, &fault.Error{Text: "The reason is too long.", Hint: "Say it in fewer words."}
	}
	return c.answer(ctx, id, contentRefusal, why)
}

// WithdrawConclusion takes back a conclusion that waits for signatures.
func (c *Client) WithdrawConclusion(ctx context.Context, id matter.ID) (matter.Message, error) {
	return c.answer(ctx, id, contentWithdrawal, "")
}

// answer says something about the conclusion that waits for signatures.
func (c *Client) answer(ctx context.Context, id matter.ID, kind uint16, why string) (matter.Message, error) {
	return c.post(ctx, id, func(tx *store.Tx, _ store.Place) (uint16, []byte, error) {
		m, err := tx.Matter(id)
		switch {
		case err != nil:
			return 0, nil, err
		case m.Proposal == nil:
			return 0, nil, &fault.Error{Text: "No conclusion of this matter waits for signatures.", Hint: "Perhaps it was withdrawn."}
		case kind == contentWithdrawal && m.Owner != c.acct.Member:
			return 0, nil, &fault.Error{Text: "Only the owner of a matter can take its conclusion back.", Hint: "Ask the owner."}
		case kind != contentWithdrawal && !m.AwaitsSignature(c.acct.Member):
			return 0, nil, &fault.Error{Text: "Your signature is not asked for.", Hint: "Look at who is to sign, and who has signed."}
		}
		body, err := signature{Proposal: proposalDigest(id, m.Proposal), Why: why}.bytes()
		return kind, body, err
	})
}

// answered takes a signature, a refusal or a withdrawal. One that is not for the proposal
// of this moment, or by somebody who is not asked, has no effect.
func (a *applying) answered(e *pb.Entry, m matter.Message, con content) error {
	r := a.known
	sig, err := parseSignature(con.Body, con.Kind == contentRefusal)
	if err != nil {
		m.Kind = matter.KindUnread
		return a.show(e, m)
	}
	p := r.Proposal
	entitled := r.AwaitsSignature(m.Author)
	if con.Kind == contentWithdrawal {
		entitled = m.Author == r.Owner
	}
	if p == nil || !entitled || sig.Proposal != proposalDigest(a.id, p) {
		return a.void(m, con)
	}
	switch con.Kind {
	case contentWithdrawal:
		r.Proposal, m.Kind = nil, matter.KindWithdrawn
	case contentRefusal:
		r.Proposal, m.Kind, m.Text = nil, matter.KindDeclined, sig.Why
	case contentSignature:
		signed := *p
		signed.Signed = append(append([]matter.MemberID{}, p.Signed...), m.Author)
		r.Proposal, m.Kind = &signed, matter.KindSigned
		if len(signed.Signed) == len(p.Cosigners) {
			r.Proposal, r.State, r.WaitsFor = nil, matter.StateConcluded, nil
			m.Kind, m.Author, m.Text, m.Facts, m.Subjects = matter.KindConcluded, p.By, p.Decision, p.Facts, p.Cosigners
		}
	}
	if err := a.save(); err != nil {
		return err
	}
	return a.show(e, m)
}
