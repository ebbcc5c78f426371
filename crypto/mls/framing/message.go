package framing

import (
	"bytes"
	"fmt"

	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
	"causa/crypto/mls/tree"
)

// A PublicMessage is signed but not encrypted (section 6.2).
type PublicMessage struct {
	Unverified
	MembershipTag []byte // members only
}

func decodePublic(r *syntax.Reader) *PublicMessage {
	m := &PublicMessage{Unverified: Unverified{a: Authentic{Format: FormatPublic, Content: decodeContent(r)}}}
	m.a.Auth.decode(r, m.a.Content.Type)
	if m.a.Content.Sender.Type == SenderMember {
		m.MembershipTag = r.Opaque()
	}
	return m
}

// CheckMembership checks that the sender knew the epoch's membership key.
func (m *PublicMessage) CheckMembership(s *suite.Suite, membershipKey, context []byte) error {
	tbm := m.a.Auth.append(m.a.tbs(context), m.a.Content.Type)
	if !s.VerifyMAC(membershipKey, tbm, m.MembershipTag) {
		return fmt.Errorf("membership tag doesn't verify (section 6.2)")
	}
	return nil
}

func (m *PublicMessage) append(b []byte) []byte {
	b = append(b, m.a.Content.raw...)
	b = m.a.Auth.append(b, m.a.Content.Type)
	if m.a.Content.Sender.Type == SenderMember {
		b = syntax.AppendOpaque(b, m.MembershipTag)
	}
	return b
}

// Public frames a as a PublicMessage. The tag is ignored for senders that aren't members.
func Public(a *Authentic, membershipTag []byte) *Message {
	return &Message{Format: FormatPublic, Public: &PublicMessage{Unverified: Unverified{a: *a}, MembershipTag: membershipTag}}
}

// A PrivateMessage is signed and encrypted (section 6.3).
type PrivateMessage struct {
	GroupID             []byte
	Epoch               uint64
	Type                ContentType
	AuthenticatedData   []byte
	EncryptedSenderData []byte
	Ciphertext          []byte
}

func decodePrivateMessage(r *syntax.Reader) *PrivateMessage {
	m := &PrivateMessage{GroupID: r.Opaque(), Epoch: r.Uint64(), Type: ContentType(r.Uint8())}
	if m.Type < ContentApplication || m.Type > ContentCommit {
		r.Fail("content type %d", m.Type)
	}
	m.AuthenticatedData = r.Opaque()
	m.EncryptedSenderData = r.Opaque()
	m.Ciphertext = r.Opaque()
	return m
}

func (m *PrivateMessage) append(b []byte) []byte {
	b = m.AppendContentAAD(b)
	b = syntax.AppendOpaque(b, m.EncryptedSenderData)
	return syntax.AppendOpaque(b, m.Ciphertext)
}

// AppendContentAAD appends PrivateContentAAD (section 6.3.1).
func (m *PrivateMessage) AppendContentAAD(b []byte) []byte {
	return syntax.AppendOpaque(m.AppendSenderAAD(b), m.AuthenticatedData)
}

// AppendSenderAAD appends SenderDataAAD (section 6.3.2).
func (m *PrivateMessage) AppendSenderAAD(b []byte) []byte {
	b = syntax.AppendOpaque(b, m.GroupID)
	b = syntax.AppendUint64(b, m.Epoch)
	return append(b, byte(m.Type))
}

// SenderData says which key a private message is encrypted with (section 6.3.2).
type SenderData struct {
	Leaf       tree.LeafIndex
	Generation uint32
	ReuseGuard [4]byte
}

// Encode returns d's encoding.
func (d *SenderData) Encode() []byte {
	b := syntax.AppendUint32(nil, uint32(d.Leaf))
	b = syntax.AppendUint32(b, d.Generation)
	return append(b, d.ReuseGuard[:]...)
}

// DecodeSenderData reads a sender data.
func DecodeSenderData(b []byte) (SenderData, error) {
	r := syntax.NewReader(b)
	d := SenderData{Leaf: tree.LeafIndex(r.Uint32()), Generation: r.Uint32()}
	copy(d.ReuseGuard[:], r.Take(4))
	if err := r.Done(); err != nil {
		return SenderData{}, fmt.Errorf("sender data: %w", err)
	}
	return d, nil
}

// A Message is an MLSMessage (section 6). Only the field of its format is set.
type Message struct {
	Format     WireFormat
	Public     *PublicMessage
	Private    *PrivateMessage
	Welcome    *Welcome
	GroupInfo  *GroupInfo
	KeyPackage *KeyPackage
}

// Parse reads an MLSMessage. The result doesn't alias b.
func Parse(b []byte) (*Message, error) {
	r := syntax.NewReader(bytes.Clone(b))
	m := new(Message)
	if v := r.Uint16(); v != tree.MLS10 {
		r.Fail("protocol version %d", v)
	}
	switch m.Format = WireFormat(r.Uint16()); m.Format {
	case FormatPublic:
		m.Public = decodePublic(r)
	case FormatPrivate:
		m.Private = decodePrivateMessage(r)
	case FormatWelcome:
		m.Welcome = new(Welcome)
		m.Welcome.Decode(r)
	case FormatGroupInfo:
		m.GroupInfo = DecodeGroupInfo(r)
	case FormatKeyPackage:
		m.KeyPackage = DecodeKeyPackage(r)
		if r.Err() == nil && m.KeyPackage.Version != tree.MLS10 {
			r.Fail("key package of version %d (section 10)", m.KeyPackage.Version)
		}
	default:
		r.Fail("wire format %d", m.Format)
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	return m, nil
}

// Encode returns m's encoding.
func (m *Message) Encode() []byte {
	b := syntax.AppendUint16(nil, tree.MLS10)
	b = syntax.AppendUint16(b, uint16(m.Format))
	switch m.Format {
	case FormatPublic:
		return m.Public.append(b)
	case FormatPrivate:
		return m.Private.append(b)
	case FormatWelcome:
		return m.Welcome.Append(b)
	case FormatGroupInfo:
		return m.GroupInfo.Append(b)
	case FormatKeyPackage:
		return m.KeyPackage.Append(b)
	}
	panic("framing: message without a format")
}

// EncodeGroupInfo returns g as an MLSMessage.
func EncodeGroupInfo(g *GroupInfo) []byte {
	return (&Message{Format: FormatGroupInfo, GroupInfo: g}).Encode()
}
