package mls

import (
	"errors"

	"causa/crypto/mls/suite"
)

// errNoLeaf: there is no member at a place.
var errNoLeaf = errors.New("mls: no such member")

// SealTo encrypts for one member only, under the key of its leaf. Whoever opens it has
// to be that member, with the leaf of this moment. The label keeps apart what leaves' keys
// are used for; MLS itself uses others.
func (g *Group) SealTo(to LeafIndex, label string, context, plaintext []byte) (kem, ciphertext []byte, err error) {
	if err := g.usable(); err != nil {
		return nil, nil, err
	}
	leaf := g.state.Tree.Leaf(to)
	if leaf == nil {
		return nil, nil, errNoLeaf
	}
	c, err := g.suite.EncryptWithLabel(leaf.EncryptionKey, label, context, plaintext)
	return c.KEMOutput, c.Ciphertext, err
}

// OpenSealed decrypts what was sealed to our leaf.
func (g *Group) OpenSealed(label string, context, kem, ciphertext []byte) ([]byte, error) {
	if err := g.usable(); err != nil {
		return nil, err
	}
	return g.suite.DecryptWithLabel(g.keys.Leaf, label, context, suite.Ciphertext{KEMOutput: kem, Ciphertext: ciphertext})
}
