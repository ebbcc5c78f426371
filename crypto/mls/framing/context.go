package framing

import (
	"fmt"

	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
	"causa/crypto/mls/tree"
)

// A GroupContext sums up a group's state in one epoch (section 8.1).
type GroupContext struct {
	Suite                   suite.ID
	GroupID                 []byte
	Epoch                   uint64
	TreeHash                []byte
	ConfirmedTranscriptHash []byte
	Extensions              tree.Extensions
}

// Decode reads c.
func (c *GroupContext) Decode(r *syntax.Reader) {
	if v := r.Uint16(); v != tree.MLS10 {
		r.Fail("group context of version %d", v)
	}
	c.Suite = suite.ID(r.Uint16())
	c.GroupID = r.Opaque()
	c.Epoch = r.Uint64()
	c.TreeHash = r.Opaque()
	c.ConfirmedTranscriptHash = r.Opaque()
	c.Extensions.Decode(r)
}

// Append appends c's encoding.
func (c *GroupContext) Append(b []byte) []byte {
	b = syntax.AppendUint16(b, tree.MLS10)
	b = syntax.AppendUint16(b, uint16(c.Suite))
	b = syntax.AppendOpaque(b, c.GroupID)
	b = syntax.AppendUint64(b, c.Epoch)
	b = syntax.AppendOpaque(b, c.TreeHash)
	b = syntax.AppendOpaque(b, c.ConfirmedTranscriptHash)
	return c.Extensions.Append(b)
}

// Encode returns c's encoding.
func (c *GroupContext) Encode() []byte { return c.Append(nil) }

// InterimTranscriptHash continues a confirmed transcript hash with a confirmation tag
// (section 8.2).
func InterimTranscriptHash(s *suite.Suite, confirmed, tag []byte) []byte {
	return s.Hash(syntax.AppendOpaque(append([]byte(nil), confirmed...), tag))
}

// A GroupInfo tells newcomers about a group (section 12.4.3). It is immutable once
// decoded or signed, and not trusted before VerifySignature.
type GroupInfo struct {
	Context         GroupContext
	Extensions      tree.Extensions
	ConfirmationTag []byte
	Signer          tree.LeafIndex
	Signature       []byte

	raw    []byte
	signed int
}

// DecodeGroupInfo reads a group info.
func DecodeGroupInfo(r *syntax.Reader) *GroupInfo {
	start := r.Offset()
	g := new(GroupInfo)
	g.Context.Decode(r)
	g.Extensions.Decode(r)
	g.ConfirmationTag = r.Opaque()
	g.Signer = tree.LeafIndex(r.Uint32())
	g.signed = r.Offset() - start
	g.Signature = r.Opaque()
	g.raw = r.Since(start)
	return g
}

// Raw returns the encoding, which must not be changed.
func (g *GroupInfo) Raw() []byte { return g.raw }

// Append appends g's encoding.
func (g *GroupInfo) Append(b []byte) []byte { return append(b, g.raw...) }

// Sign fills in g's signature.
func (g *GroupInfo) Sign(s *suite.Suite, key suite.Signer) error {
	b := g.Context.Append(nil)
	b = g.Extensions.Append(b)
	b = syntax.AppendOpaque(b, g.ConfirmationTag)
	b = syntax.AppendUint32(b, uint32(g.Signer))
	sig, err := s.SignWithLabel(key, "GroupInfoTBS", b)
	if err != nil {
		return err
	}
	g.Signature, g.signed = sig, len(b)
	g.raw = syntax.AppendOpaque(b, sig)
	return nil
}

// VerifySignature checks that the member with the given leaf signed g.
func (g *GroupInfo) VerifySignature(s *suite.Suite, signer *tree.LeafNode) error {
	if signer == nil {
		return fmt.Errorf("group info signed by blank leaf %d (section 12.4.3.1)", g.Signer)
	}
	if err := s.VerifyWithLabel(signer.SignatureKey, "GroupInfoTBS", g.raw[:g.signed], g.Signature); err != nil {
		return fmt.Errorf("group info (section 12.4.3.1): %w", err)
	}
	return nil
}

// ExternalPub returns the group's external public key, if the group info has one.
func (g *GroupInfo) ExternalPub() ([]byte, bool) {
	data, ok := g.Extensions.Find(tree.ExtExternalPub)
	if !ok {
		return nil, false
	}
	r := syntax.NewReader(data)
	key := r.Opaque()
	return key, r.Done() == nil
}

// A Welcome brings new members into a group (section 12.4.3.1).
type Welcome struct {
	Suite              suite.ID
	Secrets            []EncryptedGroupSecrets
	EncryptedGroupInfo []byte
}

// EncryptedGroupSecrets is one new member's part of a Welcome.
type EncryptedGroupSecrets struct {
	NewMember []byte // the key package's reference
	Secrets   suite.Ciphertext
}

// Decode reads w.
func (w *Welcome) Decode(r *syntax.Reader) {
	w.Suite = suite.ID(r.Uint16())
	r.List(func(r *syntax.Reader) {
		e := EncryptedGroupSecrets{NewMember: r.Opaque()}
		e.Secrets.Decode(r)
		w.Secrets = append(w.Secrets, e)
	})
	w.EncryptedGroupInfo = r.Opaque()
}

// Append appends w's encoding.
func (w *Welcome) Append(b []byte) []byte {
	b = syntax.AppendUint16(b, uint16(w.Suite))
	b = syntax.AppendList(b, func(b []byte) []byte {
		for i := range w.Secrets {
			b = syntax.AppendOpaque(b, w.Secrets[i].NewMember)
			b = w.Secrets[i].Secrets.Append(b)
		}
		return b
	})
	return syntax.AppendOpaque(b, w.EncryptedGroupInfo)
}

// An ExternalSender may send proposals without being a member (section 12.1.8.1).
type ExternalSender struct {
	SignatureKey []byte
	Credential   tree.Credential
}

// ExternalSenders decodes the external_senders extension of a group, if it has one.
func ExternalSenders(group tree.Extensions) ([]ExternalSender, error) {
	data, ok := group.Find(tree.ExtExternalSenders)
	if !ok {
		return nil, nil
	}
	var out []ExternalSender
	r := syntax.NewReader(data)
	r.List(func(r *syntax.Reader) {
		e := ExternalSender{SignatureKey: r.Opaque()}
		e.Credential.Decode(r)
		out = append(out, e)
	})
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("external_senders: %w", err)
	}
	return out, nil
}

// EncodeExternalSenders returns the data of an external_senders extension.
func EncodeExternalSenders(senders []ExternalSender) []byte {
	return syntax.AppendList(nil, func(b []byte) []byte {
		for i := range senders {
			b = syntax.AppendOpaque(b, senders[i].SignatureKey)
			b = senders[i].Credential.Append(b)
		}
		return b
	})
}
