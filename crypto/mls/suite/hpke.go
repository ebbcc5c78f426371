package suite

import (
	"crypto/hpke"
	"crypto/mlkem"
	"errors"
	"fmt"

	"causa/crypto/mls/syntax"
)

// A Ciphertext is an HPKECiphertext (section 7.6).
type Ciphertext struct {
	KEMOutput  []byte
	Ciphertext []byte
}

// Decode reads c.
func (c *Ciphertext) Decode(r *syntax.Reader) {
	c.KEMOutput = r.Opaque()
	c.Ciphertext = r.Opaque()
}

// Append appends c's encoding.
func (c *Ciphertext) Append(b []byte) []byte {
	b = syntax.AppendOpaque(b, c.KEMOutput)
	return syntax.AppendOpaque(b, c.Ciphertext)
}

// A PrivateKey is an HPKE private key. Its bytes are a [Secret].
type PrivateKey struct {
	key hpke.PrivateKey
	raw Secret
	pub []byte
}

// Public returns the encoded public key.
func (k *PrivateKey) Public() []byte { return k.pub }

// Secret returns the encoded private key, for storing it. The caller must not change it.
func (k *PrivateKey) Secret() Secret { return k.raw }

// Format hides the key.
func (PrivateKey) Format(w fmt.State, _ rune) { Hide(w, "PrivateKey") }

// Wipe overwrites the key as far as it is in reach and makes it unusable.
func (k *PrivateKey) Wipe() {
	k.raw.Wipe()
	k.key = nil
}

func newPrivateKey(key hpke.PrivateKey) (*PrivateKey, error) {
	raw, err := key.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode private key: %w", err)
	}
	return &PrivateKey{key: key, raw: raw, pub: key.PublicKey().Bytes()}, nil
}

// GenerateKey makes a fresh HPKE key pair.
func (s *Suite) GenerateKey() (*PrivateKey, error) {
	key, err := s.kem.GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	return newPrivateKey(key)
}

// DeriveKeyPair is KEM.DeriveKeyPair.
func (s *Suite) DeriveKeyPair(ikm []byte) (*PrivateKey, error) {
	key, err := s.kem.DeriveKeyPair(ikm)
	if err != nil {
		return nil, fmt.Errorf("derive key pair: %w", err)
	}
	return newPrivateKey(key)
}

// ParsePrivateKey reads what [PrivateKey.Secret] returned. A scalar of a NIST curve may
// lack leading zeros, as other implementations write them.
func (s *Suite) ParsePrivateKey(b []byte) (*PrivateKey, error) {
	if s.curve != nil && len(b) < curveSize(s.curve) {
		b = append(make([]byte, curveSize(s.curve)-len(b)), b...)
	}
	key, err := s.kem.NewPrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("read private key: %w", err)
	}
	return newPrivateKey(key)
}

// CheckPublicKey reports whether key is a public key of the suite's KEM.
func (s *Suite) CheckPublicKey(key []byte) error {
	if len(key) != s.npk {
		return fmt.Errorf("public key of %d bytes, want %d", len(key), s.npk)
	}
	switch {
	case s.npk == 32:
		return nil // X25519: any 32 bytes
	case s.id == Hybrid:
		return checkMLKEM(key[:mlkem.EncapsulationKeySize768])
	}
	if _, err := s.kem.NewPublicKey(key); err != nil {
		return fmt.Errorf("public key: %w", err)
	}
	return nil
}

// checkMLKEM is the check of FIPS 203, section 7.2, that an encapsulation key's
// coefficients are reduced. Parsing the key would check the same, but also derive the
// matrix that only encapsulation needs: twenty times the work, for each leaf of a tree.
func checkMLKEM(key []byte) error {
	const q, polynomials = 3329, 384 * 3
	for b := key[:polynomials]; len(b) > 0; b = b[3:] {
		if uint16(b[0])|uint16(b[1]&0xf)<<8 >= q || uint16(b[1])>>4|uint16(b[2])<<4 >= q {
			return errors.New("public key: coefficient isn't reduced")
		}
	}
	return nil
}

// CheckCiphertext checks what anybody can see of a ciphertext: the KEM output's length.
func (s *Suite) CheckCiphertext(c Ciphertext) error {
	if len(c.KEMOutput) != s.nenc {
		return fmt.Errorf("KEM output of %d bytes, want %d", len(c.KEMOutput), s.nenc)
	}
	return nil
}

// EncryptContext (section 5.1.3).
func encryptContext(label string, context []byte) []byte {
	b := make([]byte, 0, 1+len(labelPrefix)+len(label)+4+len(context))
	b = appendLabel(b, label)
	return syntax.AppendOpaque(b, context)
}

// EncryptWithLabel is section 5.1.3's function of that name.
func (s *Suite) EncryptWithLabel(publicKey []byte, label string, context, plaintext []byte) (Ciphertext, error) {
	return s.Encryptor(label, context).Encrypt(publicKey, plaintext)
}

// DecryptWithLabel is section 5.1.3's function of that name. A failure to decrypt
// wraps [ErrDecrypt].
func (s *Suite) DecryptWithLabel(key *PrivateKey, label string, context []byte, c Ciphertext) (Secret, error) {
	if len(c.KEMOutput) != s.nenc {
		return nil, fmt.Errorf("%w: KEM output of %d bytes", ErrDecrypt, len(c.KEMOutput))
	}
	r, err := hpke.NewRecipient(c.KEMOutput, key.key, s.kdf, s.seal, encryptContext(label, context))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDecrypt, err)
	}
	p, err := r.Open(nil, c.Ciphertext)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDecrypt, err)
	}
	return p, nil
}

const externalInitLabel = "MLS 1.0 external init secret"

// ExternalInit makes an init secret for an external commit to the group whose external
// public key is given (section 8.3).
func (s *Suite) ExternalInit(externalPub []byte) (kemOutput []byte, initSecret Secret, err error) {
	pub, err := s.kem.NewPublicKey(externalPub)
	if err != nil {
		return nil, nil, fmt.Errorf("external public key: %w", err)
	}
	enc, sender, err := hpke.NewSender(pub, s.kdf, s.seal, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("encapsulate: %w", err)
	}
	secret, err := sender.Export(externalInitLabel, s.nh)
	if err != nil {
		return nil, nil, fmt.Errorf("export init secret: %w", err)
	}
	return enc, secret, nil
}

// OpenExternalInit recovers the init secret of an external commit.
func (s *Suite) OpenExternalInit(key *PrivateKey, kemOutput []byte) (Secret, error) {
	if len(kemOutput) != s.nenc {
		return nil, fmt.Errorf("%w: KEM output of %d bytes", ErrDecrypt, len(kemOutput))
	}
	r, err := hpke.NewRecipient(kemOutput, key.key, s.kdf, s.seal, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDecrypt, err)
	}
	secret, err := r.Export(externalInitLabel, s.nh)
	if err != nil {
		return nil, fmt.Errorf("export init secret: %w", err)
	}
	return secret, nil
}
