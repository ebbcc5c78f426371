// Package framing holds the messages of MLS and their authentication (RFC 9420, sections
// 6, 8.1, 8.2, 10 and 12.4): all that can be read, checked and built without the group's
// secrets.
package framing

import (
	"bytes"
	"fmt"

	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
	"causa/crypto/mls/tree"
)

// A ContentType says what a message carries.
type ContentType uint8

// The content types.
const (
	ContentApplication ContentType = 1
	ContentProposal    ContentType = 2
	ContentCommit      ContentType = 3
)

// A SenderType says in what role a message was sent.
type SenderType uint8

// The sender types.
const (
	SenderMember            SenderType = 1
	SenderExternal          SenderType = 2
	SenderNewMemberProposal SenderType = 3
	SenderNewMemberCommit   SenderType = 4
)

// A Sender is who sent a message: a member's leaf, or the index of an external sender.
type Sender struct {
	Type  SenderType
	Index uint32
}

// Member returns the sender for a member.
func Member(l tree.LeafIndex) Sender { return Sender{Type: SenderMember, Index: uint32(l)} }

// Leaf returns a member's leaf index.
func (s Sender) Leaf() tree.LeafIndex { return tree.LeafIndex(s.Index) }

func (s *Sender) decode(r *syntax.Reader) {
	switch s.Type = SenderType(r.Uint8()); s.Type {
	case SenderMember, SenderExternal:
		s.Index = r.Uint32()
	case SenderNewMemberProposal, SenderNewMemberCommit:
	default:
		r.Fail("sender type %d", s.Type)
	}
}

func (s Sender) append(b []byte) []byte {
	b = append(b, byte(s.Type))
	if s.Type == SenderMember || s.Type == SenderExternal {
		b = syntax.AppendUint32(b, s.Index)
	}
	return b
}

// A Content is a FramedContent (section 6). It is immutable once decoded or sealed.
type Content struct {
	GroupID           []byte
	Epoch             uint64
	Sender            Sender
	AuthenticatedData []byte
	Type              ContentType
	Application       []byte
	Proposal          *Proposal
	Commit            *Commit

	raw []byte
}

func decodeContent(r *syntax.Reader) *Content {
	start := r.Offset()
	c := &Content{GroupID: r.Opaque(), Epoch: r.Uint64()}
	c.Sender.decode(r)
	c.AuthenticatedData = r.Opaque()
	c.Type = ContentType(r.Uint8())
	c.decodeBody(r)
	c.raw = r.Since(start)
	return c
}

func (c *Content) decodeBody(r *syntax.Reader) {
	switch c.Type {
	case ContentApplication:
		c.Application = r.Opaque()
	case ContentProposal:
		c.Proposal = new(Proposal)
		c.Proposal.Decode(r)
	case ContentCommit:
		c.Commit = new(Commit)
		c.Commit.Decode(r)
	default:
		r.Fail("content type %d", c.Type)
	}
}

func (c *Content) appendBody(b []byte) []byte {
	switch c.Type {
	case ContentApplication:
		return syntax.AppendOpaque(b, c.Application)
	case ContentProposal:
		return c.Proposal.Append(b)
	case ContentCommit:
		return c.Commit.Append(b)
	}
	panic("framing: content without a type")
}

// encode fills in raw.
func (c *Content) encode() {
	b := syntax.AppendOpaque(nil, c.GroupID)
	b = syntax.AppendUint64(b, c.Epoch)
	b = c.Sender.append(b)
	b = syntax.AppendOpaque(b, c.AuthenticatedData)
	b = append(b, byte(c.Type))
	c.raw = c.appendBody(b)
}

// An Auth is a FramedContentAuthData (section 6.1).
type Auth struct {
	Signature       []byte
	ConfirmationTag []byte // commits only
}

func (a *Auth) decode(r *syntax.Reader, t ContentType) {
	a.Signature = r.Opaque()
	if t == ContentCommit {
		a.ConfirmationTag = r.Opaque()
	}
}

func (a *Auth) append(b []byte, t ContentType) []byte {
	b = syntax.AppendOpaque(b, a.Signature)
	if t == ContentCommit {
		b = syntax.AppendOpaque(b, a.ConfirmationTag)
	}
	return b
}

// A WireFormat says how a message is encoded (section 17.2).
type WireFormat uint16

// The wire formats.
const (
	FormatPublic     WireFormat = 1
	FormatPrivate    WireFormat = 2
	FormatWelcome    WireFormat = 3
	FormatGroupInfo  WireFormat = 4
	FormatKeyPackage WireFormat = 5
)

// An Unverified is an AuthenticatedContent whose signature wasn't checked yet. Only
// [Unverified.Verify] leads on from here.
type Unverified struct {
	a Authentic
}

// Content returns the unverified content, to find out whose key has to verify it.
func (u *Unverified) Content() *Content { return u.a.Content }

// Format returns the wire format the message came in.
func (u *Unverified) Format() WireFormat { return u.a.Format }

// Verify checks the sender's signature with the sender's key; context is the encoded
// group context, and only used for senders whose signature covers it (section 6.1).
func (u *Unverified) Verify(s *suite.Suite, key, context []byte) (*Authentic, error) {
	if err := s.VerifyWithLabel(key, "FramedContentTBS", u.a.tbs(context), u.a.Auth.Signature); err != nil {
		return nil, err
	}
	return &u.a, nil
}

// Trust returns the content as authentic without a check. It is for messages from the
// caller's own storage, which were checked when they came.
func (u *Unverified) Trust() *Authentic { return &u.a }

// DecodeUnverified reads an AuthenticatedContent.
func DecodeUnverified(r *syntax.Reader) *Unverified {
	u := &Unverified{a: Authentic{Format: WireFormat(r.Uint16()), Content: decodeContent(r)}}
	u.a.Auth.decode(r, u.a.Content.Type)
	return u
}

// An Authentic is an AuthenticatedContent (section 6) that its sender verifiably
// signed, or that we signed ourselves.
type Authentic struct {
	Format  WireFormat
	Content *Content
	Auth    Auth
}

// Sign makes an Authentic. For a commit, the confirmation tag is to be filled in later.
func Sign(s *suite.Suite, key suite.Signer, format WireFormat, c *Content, context []byte) (*Authentic, error) {
	c.encode()
	a := &Authentic{Format: format, Content: c}
	sig, err := s.SignWithLabel(key, "FramedContentTBS", a.tbs(context))
	if err != nil {
		return nil, err
	}
	a.Auth.Signature = sig
	return a, nil
}

// tbs is FramedContentTBS.
func (a *Authentic) tbs(context []byte) []byte {
	b := make([]byte, 0, 4+len(a.Content.raw)+len(context)+256)
	b = syntax.AppendUint16(b, tree.MLS10)
	b = syntax.AppendUint16(b, uint16(a.Format))
	b = append(b, a.Content.raw...)
	switch a.Content.Sender.Type {
	case SenderMember, SenderNewMemberCommit:
		b = append(b, context...)
	}
	return b
}

// Append appends the encoding of the AuthenticatedContent.
func (a *Authentic) Append(b []byte) []byte {
	b = syntax.AppendUint16(b, uint16(a.Format))
	b = append(b, a.Content.raw...)
	return a.Auth.append(b, a.Content.Type)
}

// Ref is the hash by which commits refer to a proposal (section 5.2).
func (a *Authentic) Ref(s *suite.Suite) []byte {
	return s.RefHash("MLS 1.0 Proposal Reference", a.Append(nil))
}

// ConfirmedTranscriptHash continues an interim transcript hash with this commit
// (section 8.2).
func (a *Authentic) ConfirmedTranscriptHash(s *suite.Suite, interim []byte) []byte {
	b := append(make([]byte, 0, len(interim)+len(a.Content.raw)+80), interim...)
	b = syntax.AppendUint16(b, uint16(a.Format))
	b = append(b, a.Content.raw...)
	return s.Hash(syntax.AppendOpaque(b, a.Auth.Signature))
}

// MembershipTag computes the tag of a member's PublicMessage (section 6.2).
func (a *Authentic) MembershipTag(s *suite.Suite, membershipKey, context []byte) []byte {
	return s.MAC(membershipKey, a.Auth.append(a.tbs(context), a.Content.Type))
}

// AppendPrivate appends the encoding of a PrivateMessageContent without padding
// (section 6.3.1).
func (a *Authentic) AppendPrivate(b []byte) []byte {
	return a.Auth.append(a.Content.appendBody(b), a.Content.Type)
}

// DecodePrivate reads a decrypted PrivateMessageContent and puts it together with what
// the message said outside. The padding must be all zero.
func DecodePrivate(m *PrivateMessage, sender Sender, plaintext []byte) (*Unverified, error) {
	c := &Content{GroupID: m.GroupID, Epoch: m.Epoch, Sender: sender, AuthenticatedData: m.AuthenticatedData, Type: m.Type}
	r := syntax.NewReader(plaintext)
	c.decodeBody(r)
	u := &Unverified{a: Authentic{Format: FormatPrivate, Content: c}}
	u.a.Auth.decode(r, c.Type)
	if len(bytes.Trim(r.Rest(), "\x00")) != 0 {
		r.Fail("padding isn't zero (section 6.3.1)")
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("private message: %w", err)
	}
	c.encode()
	return u, nil
}
