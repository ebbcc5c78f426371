package tree

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
)

// A Source tells how a leaf came into the tree (section 7.2).
type Source uint8

// The leaf node sources.
const (
	FromKeyPackage Source = 1
	FromUpdate     Source = 2
	FromCommit     Source = 3
)

// Protocol version and the credential types of section 17.5.
const (
	MLS10           uint16 = 1
	CredentialBasic uint16 = 1
	CredentialX509  uint16 = 2
)

// A Credential binds a member to an identity (section 5.3).
type Credential struct {
	Type         uint16
	Identity     []byte   // basic
	Certificates [][]byte // X.509, end entity first
}

// Basic returns a basic credential.
func Basic(identity []byte) Credential {
	return Credential{Type: CredentialBasic, Identity: identity}
}

// Decode reads c.
func (c *Credential) Decode(r *syntax.Reader) {
	switch c.Type = r.Uint16(); c.Type {
	case CredentialBasic:
		c.Identity = r.Opaque()
	case CredentialX509:
		r.List(func(r *syntax.Reader) { c.Certificates = append(c.Certificates, r.Opaque()) })
	default:
		r.Fail("credential type %d", c.Type)
	}
}

// Append appends c's encoding.
func (c *Credential) Append(b []byte) []byte {
	b = syntax.AppendUint16(b, c.Type)
	if c.Type == CredentialBasic {
		return syntax.AppendOpaque(b, c.Identity)
	}
	return syntax.AppendList(b, func(b []byte) []byte {
		for _, cert := range c.Certificates {
			b = syntax.AppendOpaque(b, cert)
		}
		return b
	})
}

// Presented returns what the credential presents as identity: the identity of a basic
// one, the end entity's certificate of an X.509 one.
func (c *Credential) Presented() []byte {
	if c.Type == CredentialX509 {
		if len(c.Certificates) > 0 {
			return c.Certificates[0]
		}
		return nil
	}
	return c.Identity
}

// Capabilities are the protocol features a client supports (section 7.2).
type Capabilities struct {
	Versions    []uint16
	Suites      []uint16
	Extensions  []uint16
	Proposals   []uint16
	Credentials []uint16
}

// Decode reads c.
func (c *Capabilities) Decode(r *syntax.Reader) {
	c.Versions = r.Uint16s()
	c.Suites = r.Uint16s()
	c.Extensions = r.Uint16s()
	c.Proposals = r.Uint16s()
	c.Credentials = r.Uint16s()
}

// Append appends c's encoding.
func (c *Capabilities) Append(b []byte) []byte {
	for _, v := range [][]uint16{c.Versions, c.Suites, c.Extensions, c.Proposals, c.Credentials} {
		b = syntax.AppendUint16s(b, v)
	}
	return b
}

// Lifetime is the time in which a key package may be used, in seconds since 1970.
type Lifetime struct {
	NotBefore uint64
	NotAfter  uint64
}

// Contains reports whether t is within the lifetime.
func (l Lifetime) Contains(t time.Time) bool {
	s := t.Unix()
	return s >= 0 && l.NotBefore <= uint64(s) && uint64(s) <= l.NotAfter
}

// A LeafNode is one client's place in the tree (section 7.2). It is immutable once it
// was decoded or signed. Nothing in it is trusted before [LeafNode.Verify].
type LeafNode struct {
	EncryptionKey []byte
	SignatureKey  []byte
	Credential    Credential
	Capabilities  Capabilities
	Source        Source
	Lifetime      Lifetime // FromKeyPackage only
	ParentHash    []byte   // FromCommit only
	Extensions    Extensions
	Signature     []byte

	raw    []byte // the encoding
	signed int    // how much of raw the signature covers
}

// DecodeLeafNode reads a leaf node.
func DecodeLeafNode(r *syntax.Reader) *LeafNode {
	start := r.Offset()
	l := &LeafNode{EncryptionKey: r.Opaque(), SignatureKey: r.Opaque()}
	l.Credential.Decode(r)
	l.Capabilities.Decode(r)
	switch l.Source = Source(r.Uint8()); l.Source {
	case FromKeyPackage:
		l.Lifetime = Lifetime{NotBefore: r.Uint64(), NotAfter: r.Uint64()}
	case FromUpdate:
	case FromCommit:
		l.ParentHash = r.Opaque()
	default:
		r.Fail("leaf node source %d", l.Source)
	}
	l.Extensions.Decode(r)
	l.signed = r.Offset() - start
	l.Signature = r.Opaque()
	l.raw = r.Since(start)
	return l
}

// Raw returns the leaf's encoding, which must not be changed.
func (l *LeafNode) Raw() []byte { return l.raw }

// Append appends l's encoding.
func (l *LeafNode) Append(b []byte) []byte { return append(b, l.raw...) }

// Detached returns a copy of l that doesn't keep the message alive it was decoded from.
func (l *LeafNode) Detached() *LeafNode {
	return DecodeLeafNode(syntax.NewReader(bytes.Clone(l.raw)))
}

func (l *LeafNode) tbs(groupID []byte, index LeafIndex) []byte {
	b := make([]byte, 0, l.signed+len(groupID)+8)
	b = append(b, l.raw[:l.signed]...)
	if l.Source != FromKeyPackage {
		b = syntax.AppendOpaque(b, groupID)
		b = syntax.AppendUint32(b, uint32(index))
	}
	return b
}

// Sign fills in l's signature. Group and index matter unless l is from a key package.
func (l *LeafNode) Sign(s *suite.Suite, key suite.Signer, groupID []byte, index LeafIndex) error {
	b := syntax.AppendOpaque(nil, l.EncryptionKey)
	b = syntax.AppendOpaque(b, l.SignatureKey)
	b = l.Credential.Append(b)
	b = l.Capabilities.Append(b)
	b = append(b, byte(l.Source))
	switch l.Source {
	case FromKeyPackage:
		b = syntax.AppendUint64(b, l.Lifetime.NotBefore)
		b = syntax.AppendUint64(b, l.Lifetime.NotAfter)
	case FromCommit:
		b = syntax.AppendOpaque(b, l.ParentHash)
	}
	b = l.Extensions.Append(b)
	l.raw, l.signed = b, len(b)
	sig, err := s.SignWithLabel(key, "LeafNodeTBS", l.tbs(groupID, index))
	if err != nil {
		return err
	}
	l.Signature = sig
	l.raw = syntax.AppendOpaque(l.raw, sig)
	return nil
}

// VerifySignature checks l's signature and that its keys fit the suite.
func (l *LeafNode) VerifySignature(s *suite.Suite, groupID []byte, index LeafIndex) error {
	if err := s.CheckPublicKey(l.EncryptionKey); err != nil {
		return fmt.Errorf("leaf encryption key: %w", err)
	}
	if err := s.VerifyWithLabel(l.SignatureKey, "LeafNodeTBS", l.tbs(groupID, index), l.Signature); err != nil {
		return fmt.Errorf("leaf node (section 7.2): %w", err)
	}
	return nil
}

// SameIdentity reports whether both leaves present the same identity.
func (l *LeafNode) SameIdentity(o *LeafNode) bool {
	return l.Credential.Type == o.Credential.Type && bytes.Equal(l.Credential.Presented(), o.Credential.Presented())
}

// checkOwnConsistency checks what section 7.3 demands of a leaf regardless of its group.
func (l *LeafNode) checkOwnConsistency(s *suite.Suite) error {
	c := &l.Capabilities
	if !slices.Contains(c.Versions, MLS10) {
		return fmt.Errorf("leaf doesn't support MLS 1.0 (section 7.2)")
	}
	if !slices.Contains(c.Suites, uint16(s.ID())) {
		return fmt.Errorf("leaf doesn't support its cipher suite (section 7.2)")
	}
	if !slices.Contains(c.Credentials, l.Credential.Type) {
		return fmt.Errorf("leaf doesn't support its own credential type (section 7.3)")
	}
	if err := l.Extensions.CheckUnique(); err != nil {
		return err
	}
	for _, e := range l.Extensions {
		if !e.Type.Default() && !slices.Contains(c.Extensions, uint16(e.Type)) {
			return fmt.Errorf("leaf carries extension %d but doesn't list it (section 7.3)", e.Type)
		}
	}
	return nil
}
