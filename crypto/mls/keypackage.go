package mls

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"causa/crypto/mls/framing"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
	"causa/crypto/mls/tree"
)

// Lifetimes of key packages.
const (
	// DefaultLifetime is how long a new key package may be used unless told otherwise.
	DefaultLifetime = 90 * 24 * time.Hour
	// DefaultMaxLifetime is the longest total lifetime accepted unless told otherwise.
	DefaultMaxLifetime = framing.MaxLifetime

	// clockSkew is how far other clocks may be behind ours.
	clockSkew = time.Hour
)

// KeyPackageOptions are the settings of a new key package; the zero value works.
type KeyPackageOptions struct {
	LastResort bool          // may be used again when no other is left (section 16.8)
	NotBefore  time.Time     // zero: an hour ago
	NotAfter   time.Time     // zero: NotBefore + Lifetime
	Lifetime   time.Duration // zero: DefaultLifetime
	Now        time.Time     // zero: time.Now()

	Extensions     Extensions // further KeyPackage extensions
	LeafExtensions Extensions // extensions of the leaf node
	Capabilities   []uint16   // non-default extension types that are supported
}

// A KeyPackage is somebody's public offer to be added to groups. One that came from
// outside isn't checked before [KeyPackage.Verify]; committing an Add checks it anyway.
type KeyPackage struct {
	kp    *framing.KeyPackage
	suite *suite.Suite
}

// KeyPackageSecrets are the private keys of a key package. Whoever joins with them must
// destroy them, unless the key package is one of last resort.
type KeyPackageSecrets struct {
	kp         *KeyPackage
	init, leaf *suite.PrivateKey
}

// NewKeyPackage makes a key package for this device, whose signature key is signer.
func NewKeyPackage(id Suite, identity []byte, signer Signer, o KeyPackageOptions) (*KeyPackage, *KeyPackageSecrets, error) {
	s, err := suite.Of(id)
	if err != nil {
		return nil, nil, err
	}
	initKey, err := s.GenerateKey()
	if err != nil {
		return nil, nil, err
	}
	leaf, leafKey, err := newLeaf(s, identity, signer, o)
	if err != nil {
		return nil, nil, err
	}
	if err := leaf.Sign(s, signer, nil, 0); err != nil {
		return nil, nil, err
	}
	kp := &framing.KeyPackage{Version: tree.MLS10, Suite: id, InitKey: initKey.Public(), Leaf: leaf, Extensions: o.Extensions}
	if o.LastResort {
		kp.Extensions = append(kp.Extensions[:len(kp.Extensions):len(kp.Extensions)], Extension{Type: tree.ExtLastResort})
	}
	if err := kp.Sign(s, signer); err != nil {
		return nil, nil, err
	}
	out := &KeyPackage{kp: kp, suite: s}
	return out, &KeyPackageSecrets{kp: out, init: initKey, leaf: leafKey}, nil
}

// newLeaf makes an unsigned leaf node of source key_package.
func newLeaf(s *suite.Suite, identity []byte, signer Signer, o KeyPackageOptions) (*tree.LeafNode, *suite.PrivateKey, error) {
	public, err := s.SignatureKey(signer)
	if err != nil {
		return nil, nil, err
	}
	key, err := s.GenerateKey()
	if err != nil {
		return nil, nil, err
	}
	now := o.Now
	if now.IsZero() {
		now = time.Now()
	}
	from, to := o.NotBefore, o.NotAfter
	if from.IsZero() {
		from = now.Add(-clockSkew)
	}
	if to.IsZero() {
		lifetime := o.Lifetime
		if lifetime == 0 {
			lifetime = DefaultLifetime
		}
		to = from.Add(lifetime)
	}
	if from.Unix() < 0 || to.Before(from) {
		return nil, nil, errors.New("key package lifetime ends before it begins")
	}
	leaf := &tree.LeafNode{
		EncryptionKey: key.Public(),
		SignatureKey:  bytes.Clone(public),
		Credential:    tree.Basic(bytes.Clone(identity)),
		Capabilities:  capabilities(o.Capabilities),
		Source:        tree.FromKeyPackage,
		Lifetime:      tree.Lifetime{NotBefore: uint64(from.Unix()), NotAfter: uint64(to.Unix())},
		Extensions:    o.LeafExtensions,
	}
	return leaf, key, nil
}

// capabilities says what we support, with a random GREASE value in each list that may
// have one (section 13.5).
func capabilities(extensions []uint16) tree.Capabilities {
	var seed [4]byte
	_, _ = rand.Read(seed[:]) // never fails
	grease := func(i int) uint16 { return uint16(seed[i]%15)*0x1010 + 0x0A0A }
	c := tree.Capabilities{
		Versions:    []uint16{tree.MLS10},
		Extensions:  append([]uint16{uint16(tree.ExtLastResort)}, extensions...),
		Credentials: []uint16{tree.CredentialBasic, grease(0)},
		Proposals:   []uint16{grease(1)},
	}
	for _, id := range suite.All() {
		c.Suites = append(c.Suites, uint16(id))
	}
	c.Suites = append(c.Suites, grease(2))
	c.Extensions = append(c.Extensions, grease(3))
	return c
}

// ParseKeyPackage reads a key package, framed as MLSMessage. It is unverified.
func ParseKeyPackage(b []byte) (*KeyPackage, error) {
	m, err := framing.Parse(b)
	if err != nil {
		return nil, err
	}
	if m.Format != framing.FormatKeyPackage {
		return nil, fmt.Errorf("%w: not a key package", syntax.ErrMalformed)
	}
	s, err := suite.Of(m.KeyPackage.Suite)
	if err != nil {
		return nil, err
	}
	return &KeyPackage{kp: m.KeyPackage, suite: s}, nil
}

// Verify checks the key package as section 10.1 demands, apart from its fitness for a
// certain group. A zero now leaves expiry unchecked.
func (k *KeyPackage) Verify(now time.Time, check LeafCheck) error {
	return k.kp.Verify(k.suite, nil, framing.Lifetimes{Max: DefaultMaxLifetime, Now: now}, check)
}

// Bytes returns the key package framed as MLSMessage.
func (k *KeyPackage) Bytes() []byte {
	return (&framing.Message{Format: framing.FormatKeyPackage, KeyPackage: k.kp}).Encode()
}

// Ref is the hash that names the key package in a Welcome.
func (k *KeyPackage) Ref() []byte { return k.kp.Ref(k.suite) }

// Suite returns the cipher suite the key package is for.
func (k *KeyPackage) Suite() Suite { return k.kp.Suite }

// Identity returns the identity in the credential.
func (k *KeyPackage) Identity() []byte { return k.kp.Leaf.Credential.Presented() }

// SignatureKey returns the owner's public signature key.
func (k *KeyPackage) SignatureKey() []byte { return k.kp.Leaf.SignatureKey }

// LastResort reports whether the key package may be used more than once.
func (k *KeyPackage) LastResort() bool {
	_, ok := k.kp.Extensions.Find(tree.ExtLastResort)
	return ok
}

// Expires returns when the key package's lifetime ends.
func (k *KeyPackage) Expires() time.Time {
	end := k.kp.Leaf.Lifetime.NotAfter
	if end > 1<<40 { // beyond any calendar
		end = 1 << 40
	}
	return time.Unix(int64(end), 0)
}

// Ref names the key package these secrets belong to.
func (k *KeyPackageSecrets) Ref() []byte { return k.kp.Ref() }

// KeyPackage returns the public part.
func (k *KeyPackageSecrets) KeyPackage() *KeyPackage { return k.kp }

// Format hides the keys.
func (KeyPackageSecrets) Format(w fmt.State, _ rune) { suite.Hide(w, "KeyPackageSecrets") }

// Wipe overwrites the private keys.
func (k *KeyPackageSecrets) Wipe() {
	k.init.Wipe()
	k.leaf.Wipe()
}

const keyPackageSecretsVersion = 1

// Marshal returns the secrets' stored form, which is itself a secret.
func (k *KeyPackageSecrets) Marshal() []byte {
	b := syntax.AppendUint16(nil, keyPackageSecretsVersion)
	b = syntax.AppendOpaque(b, k.kp.kp.Raw())
	b = syntax.AppendOpaque(b, k.init.Secret())
	return syntax.AppendOpaque(b, k.leaf.Secret())
}

// UnmarshalKeyPackageSecrets reads what Marshal returned.
func UnmarshalKeyPackageSecrets(b []byte) (*KeyPackageSecrets, error) {
	r := syntax.NewReader(bytes.Clone(b))
	if v := r.Uint16(); r.Err() == nil && v != keyPackageSecretsVersion {
		return nil, fmt.Errorf("%w: key package secrets of version %d", ErrVersion, v)
	}
	inner := syntax.NewReader(r.Opaque())
	kp := framing.DecodeKeyPackage(inner)
	initKey, leafKey := r.Opaque(), r.Opaque()
	if err := errors.Join(r.Done(), inner.Done()); err != nil {
		return nil, fmt.Errorf("key package secrets: %w", err)
	}
	return newKeyPackageSecrets(kp, initKey, leafKey)
}

func newKeyPackageSecrets(kp *framing.KeyPackage, initKey, leafKey []byte) (*KeyPackageSecrets, error) {
	s, err := suite.Of(kp.Suite)
	if err != nil {
		return nil, err
	}
	k := &KeyPackageSecrets{kp: &KeyPackage{kp: kp, suite: s}}
	if k.init, err = s.ParsePrivateKey(initKey); err != nil {
		return nil, fmt.Errorf("init key: %w", err)
	}
	if k.leaf, err = s.ParsePrivateKey(leafKey); err != nil {
		return nil, fmt.Errorf("leaf key: %w", err)
	}
	if !bytes.Equal(k.init.Public(), kp.InitKey) || !bytes.Equal(k.leaf.Public(), kp.Leaf.EncryptionKey) {
		return nil, errors.New("private keys don't belong to the key package")
	}
	return k, nil
}
