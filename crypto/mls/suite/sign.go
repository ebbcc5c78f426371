package suite

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"

	"causa/crypto/mls/syntax"
)

// A Signer is a private signature key. An [ed25519.PrivateKey] is one for suites 1, 3
// and the hybrid suite, an [*ecdsa.PrivateKey] on the suite's curve for the others.
type Signer = crypto.Signer

// ErrSignature says that a signature doesn't verify.
var ErrSignature = errors.New("signature doesn't verify")

// SignContent (section 5.1.2).
func signContent(label string, content []byte) []byte {
	b := make([]byte, 0, 1+len(labelPrefix)+len(label)+4+len(content))
	b = appendLabel(b, label)
	return syntax.AppendOpaque(b, content)
}

// SignWithLabel signs content under label.
func (s *Suite) SignWithLabel(key Signer, label string, content []byte) ([]byte, error) {
	if _, err := s.SignatureKey(key); err != nil {
		return nil, err
	}
	msg := signContent(label, content)
	opts := crypto.SignerOpts(crypto.Hash(0))
	if s.curve != nil {
		h := s.digest.New()
		_, _ = h.Write(msg) // hash.Hash never returns an error
		msg, opts = h.Sum(nil), s.digest
	}
	sig, err := key.Sign(rand.Reader, msg, opts)
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", label, err)
	}
	return sig, nil
}

// VerifyWithLabel returns nil if signature is key's over content under label, else an
// error wrapping [ErrSignature].
func (s *Suite) VerifyWithLabel(key []byte, label string, content, signature []byte) error {
	msg := signContent(label, content)
	if s.curve == nil {
		if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, msg, signature) {
			return fmt.Errorf("%s: %w", label, ErrSignature)
		}
		return nil
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(s.curve, key)
	if err != nil {
		return fmt.Errorf("%s: %w: bad key", label, ErrSignature)
	}
	h := s.digest.New()
	_, _ = h.Write(msg) // hash.Hash never returns an error
	if !ecdsa.VerifyASN1(pub, h.Sum(nil), signature) {
		return fmt.Errorf("%s: %w", label, ErrSignature)
	}
	return nil
}

// SignatureKey returns the public key of key as MLS encodes it: 32 bytes for Ed25519,
// an uncompressed point for ECDSA.
func (s *Suite) SignatureKey(key Signer) ([]byte, error) {
	if key == nil {
		return nil, errors.New("no signature key")
	}
	switch pub := key.Public().(type) {
	case ed25519.PublicKey:
		if s.curve == nil && len(pub) == ed25519.PublicKeySize {
			return pub, nil
		}
	case *ecdsa.PublicKey:
		if s.curve != nil && pub.Curve == s.curve {
			b, err := pub.Bytes()
			if err != nil {
				return nil, fmt.Errorf("encode signature key: %w", err)
			}
			return b, nil
		}
	}
	return nil, fmt.Errorf("signature key of type %T doesn't fit %s", key.Public(), s.id)
}

// CheckSignatureKey reports whether key is an encoding the suite's signatures can use.
func (s *Suite) CheckSignatureKey(key []byte) error {
	if s.curve == nil {
		if len(key) != ed25519.PublicKeySize {
			return fmt.Errorf("signature key of %d bytes", len(key))
		}
		return nil
	}
	if _, err := ecdsa.ParseUncompressedPublicKey(s.curve, key); err != nil {
		return fmt.Errorf("signature key: %w", err)
	}
	return nil
}

// GenerateSigner makes a new private signature key.
func (s *Suite) GenerateSigner() (Signer, error) {
	if s.curve == nil {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("generate signature key: %w", err)
		}
		return k, nil
	}
	k, err := ecdsa.GenerateKey(s.curve, rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate signature key: %w", err)
	}
	return k, nil
}

// ParseSigner reads a private signature key: an Ed25519 seed, or an ECDSA scalar of the
// curve's length (leading zeros may be missing).
func (s *Suite) ParseSigner(b []byte) (Signer, error) {
	if s.curve == nil {
		if len(b) != ed25519.SeedSize {
			return nil, fmt.Errorf("signature key of %d bytes", len(b))
		}
		return ed25519.NewKeyFromSeed(b), nil
	}
	size := curveSize(s.curve)
	if len(b) > size {
		return nil, fmt.Errorf("signature key of %d bytes", len(b))
	}
	k, err := ecdsa.ParseRawPrivateKey(s.curve, new(big.Int).SetBytes(b).FillBytes(make([]byte, size)))
	if err != nil {
		return nil, fmt.Errorf("signature key: %w", err)
	}
	return k, nil
}

func curveSize(c elliptic.Curve) int { return (c.Params().BitSize + 7) / 8 }
