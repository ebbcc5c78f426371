package framing

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"time"

	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
	"causa/crypto/mls/tree"
)

// A KeyPackage lets its client be added to a group without being online (section 10).
// It is immutable once decoded or signed; nothing in it is trusted before Verify.
type KeyPackage struct {
	Version    uint16
	Suite      suite.ID
	InitKey    []byte
	Leaf       *tree.LeafNode
	Extensions tree.Extensions
	Signature  []byte

	raw    []byte
	signed int
	valid  atomic.Bool // signatures were found valid before
}

// DecodeKeyPackage reads a key package.
func DecodeKeyPackage(r *syntax.Reader) *KeyPackage {
	start := r.Offset()
	k := &KeyPackage{Version: r.Uint16(), Suite: suite.ID(r.Uint16()), InitKey: r.Opaque(), Leaf: tree.DecodeLeafNode(r)}
	k.Extensions.Decode(r)
	k.signed = r.Offset() - start
	k.Signature = r.Opaque()
	k.raw = r.Since(start)
	return k
}

// Raw returns the encoding, which must not be changed.
func (k *KeyPackage) Raw() []byte { return k.raw }

// Append appends k's encoding.
func (k *KeyPackage) Append(b []byte) []byte { return append(b, k.raw...) }

// Sign fills in k's signature.
func (k *KeyPackage) Sign(s *suite.Suite, key suite.Signer) error {
	b := syntax.AppendUint16(nil, k.Version)
	b = syntax.AppendUint16(b, uint16(k.Suite))
	b = syntax.AppendOpaque(b, k.InitKey)
	b = k.Leaf.Append(b)
	b = k.Extensions.Append(b)
	sig, err := s.SignWithLabel(key, "KeyPackageTBS", b)
	if err != nil {
		return err
	}
	k.Signature, k.signed = sig, len(b)
	k.raw = syntax.AppendOpaque(b, sig)
	return nil
}

// Ref is the hash by which a Welcome names the key package (section 5.2).
func (k *KeyPackage) Ref(s *suite.Suite) []byte {
	return s.RefHash("MLS 1.0 KeyPackage Reference", k.raw)
}

// MaxLifetime is the longest total lifetime of a key package that members and the hub
// accept; section 7.2 makes every application define one.
const MaxLifetime = 400 * 24 * time.Hour

// Lifetimes says which lifetimes of key packages are acceptable.
type Lifetimes struct {
	Max time.Duration // longest total lifetime; 0: any
	Now time.Time     // zero: expiry isn't checked
}

// Check applies section 7.3's rules for lifetimes.
func (l Lifetimes) Check(t tree.Lifetime) error {
	if t.NotBefore > t.NotAfter {
		return fmt.Errorf("lifetime ends before it begins (section 7.3)")
	}
	if l.Max > 0 && t.NotAfter-t.NotBefore > uint64(l.Max/time.Second) {
		return fmt.Errorf("lifetime is longer than allowed (section 7.2)")
	}
	if !l.Now.IsZero() && !t.Contains(l.Now) {
		return fmt.Errorf("key package is outside its lifetime (section 7.3)")
	}
	return nil
}

// Verify checks everything sections 7.3 and 10.1 say about a key package that is to be
// used in a group with the given extensions. Signatures are checked once only.
func (k *KeyPackage) Verify(s *suite.Suite, group tree.Extensions, lifetimes Lifetimes, check tree.LeafCheck) error {
	if k.Version != tree.MLS10 {
		return fmt.Errorf("key package of version %d (section 10.1)", k.Version)
	}
	if k.Suite != s.ID() {
		return fmt.Errorf("key package for %v, not %v (section 10.1)", k.Suite, s.ID())
	}
	if k.Leaf.Source != tree.FromKeyPackage {
		return fmt.Errorf("key package with a leaf of source %d (section 7.3)", k.Leaf.Source)
	}
	if bytes.Equal(k.InitKey, k.Leaf.EncryptionKey) {
		return fmt.Errorf("init key equals the leaf's encryption key (section 10.1)")
	}
	if err := k.Extensions.CheckUnique(); err != nil {
		return err
	}
	if err := lifetimes.Check(k.Leaf.Lifetime); err != nil {
		return err
	}
	if err := s.CheckPublicKey(k.InitKey); err != nil {
		return fmt.Errorf("init key: %w", err)
	}
	if k.valid.Load() {
		return k.Leaf.CheckFitness(s, group, check)
	}
	if err := k.Leaf.VerifyFresh(s, nil, 0, group, check); err != nil {
		return err
	}
	if err := s.VerifyWithLabel(k.Leaf.SignatureKey, "KeyPackageTBS", k.raw[:k.signed], k.Signature); err != nil {
		return fmt.Errorf("key package (section 10.1): %w", err)
	}
	k.valid.Store(true)
	return nil
}
