package suite

import (
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha3"
	"fmt"

	"causa/crypto/mls/syntax"
)

// This file is the sender's half of HPKE (RFC 9180, base mode), for encrypting one secret
// to many keys. The standard library's crypto/hpke does the same, and opens what is made
// here; but it hashes the info string again for every recipient. In a Welcome that
// string is the encrypted group info, as large as the group: adding n members would
// cost n² (RFC 9420, section 12.4.3.1).

// An Encryptor encrypts to many keys under one label and context. It is immutable.
type Encryptor struct {
	s       *Suite
	suiteID []byte
	context []byte // key_schedule_context
}

// Encryptor returns one for the label and context.
func (s *Suite) Encryptor(label string, context []byte) *Encryptor {
	id := []byte("HPKE")
	id = syntax.AppendUint16(id, s.kem.ID())
	id = syntax.AppendUint16(id, s.kdf.ID())
	id = syntax.AppendUint16(id, s.seal.ID())
	e := &Encryptor{s: s, suiteID: id}
	e.context = append([]byte{0}, s.labeledExtract(id, nil, "psk_id_hash", nil)...)
	e.context = append(e.context, s.labeledExtract(id, nil, "info_hash", encryptContext(label, context))...)
	return e
}

// Encrypt is EncryptWithLabel to the given public key.
func (e *Encryptor) Encrypt(publicKey, plaintext []byte) (Ciphertext, error) {
	shared, enc, err := e.s.encapsulate(publicKey)
	if err != nil {
		return Ciphertext{}, fmt.Errorf("encapsulate: %w", err)
	}
	defer clear(shared)
	aead, nonce, err := e.schedule(shared)
	if err != nil {
		return Ciphertext{}, err
	}
	return Ciphertext{KEMOutput: enc, Ciphertext: aead.Seal(nil, nonce, plaintext, nil)}, nil
}

// schedule is KeySchedule of RFC 9180, section 5.1.
func (e *Encryptor) schedule(shared []byte) (cipher.AEAD, []byte, error) {
	s := e.s
	secret := s.labeledExtract(e.suiteID, shared, "secret", nil)
	defer clear(secret)
	key := s.labeledExpand(e.suiteID, secret, "key", e.context, s.nk)
	defer clear(key)
	aead, err := s.cipher(key)
	if err != nil {
		return nil, nil, err
	}
	return aead, s.labeledExpand(e.suiteID, secret, "base_nonce", e.context, s.nn), nil
}

// encapsulate is Encap of the suite's KEM.
func (s *Suite) encapsulate(publicKey []byte) (shared, enc []byte, err error) {
	if s.id == Hybrid {
		return encapsulateXWing(publicKey)
	}
	ephemeral, err := s.dh.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("generate key: %w", err)
	}
	return s.encapsulateDH(publicKey, ephemeral)
}

// encapsulateDH is Encap of DHKEM (RFC 9180, section 4.1) with a given ephemeral key.
func (s *Suite) encapsulateDH(publicKey []byte, ephemeral *ecdh.PrivateKey) (shared, enc []byte, err error) {
	pub, err := s.dh.NewPublicKey(publicKey)
	if err != nil {
		return nil, nil, fmt.Errorf("public key: %w", err)
	}
	dh, err := ephemeral.ECDH(pub)
	if err != nil {
		return nil, nil, fmt.Errorf("diffie-hellman: %w", err)
	}
	defer clear(dh)
	enc = ephemeral.PublicKey().Bytes()
	id := syntax.AppendUint16([]byte("KEM"), s.kem.ID())
	prk := s.labeledExtract(id, nil, "eae_prk", dh)
	defer clear(prk)
	context := append(append(make([]byte, 0, 2*len(enc)), enc...), publicKey...)
	return s.labeledExpand(id, prk, "shared_secret", context, s.nh), enc, nil
}

// encapsulateXWing is Encap of MLKEM768-X25519, that is X-Wing (draft-ietf-hpke-pq).
func encapsulateXWing(publicKey []byte) (shared, enc []byte, err error) {
	const label = `\./` + `/^\`
	if len(publicKey) != mlkem.EncapsulationKeySize768+32 {
		return nil, nil, fmt.Errorf("public key of %d bytes", len(publicKey))
	}
	pq, err := mlkem.NewEncapsulationKey768(publicKey[:mlkem.EncapsulationKeySize768])
	if err != nil {
		return nil, nil, fmt.Errorf("public key: %w", err)
	}
	pub, err := ecdh.X25519().NewPublicKey(publicKey[mlkem.EncapsulationKeySize768:])
	if err != nil {
		return nil, nil, fmt.Errorf("public key: %w", err)
	}
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("generate key: %w", err)
	}
	dh, err := ephemeral.ECDH(pub)
	if err != nil {
		return nil, nil, fmt.Errorf("diffie-hellman: %w", err)
	}
	ss, ct := pq.Encapsulate()
	own := ephemeral.PublicKey().Bytes()
	b := make([]byte, 0, 4*32+len(label))
	for _, part := range [][]byte{ss, dh, own, pub.Bytes(), []byte(label)} {
		b = append(b, part...)
	}
	sum := sha3.Sum256(b)
	clear(b)
	clear(ss)
	clear(dh)
	return sum[:], append(ct, own...), nil
}

const hpkeVersion = "HPKE-v1"

func (s *Suite) labeledExtract(id, salt []byte, label string, ikm []byte) []byte {
	b := make([]byte, 0, len(hpkeVersion)+len(id)+len(label)+len(ikm))
	b = append(append(append(append(b, hpkeVersion...), id...), label...), ikm...)
	out, err := hkdf.Extract(s.hash, b, salt)
	if err != nil {
		panic("suite: hkdf extract: " + err.Error()) // only in FIPS-only mode with short keys
	}
	return out
}

func (s *Suite) labeledExpand(id, secret []byte, label string, info []byte, n int) []byte {
	b := make([]byte, 0, 2+len(hpkeVersion)+len(id)+len(label)+len(info))
	b = syntax.AppendUint16(b, uint16(n))
	b = append(append(append(append(b, hpkeVersion...), id...), label...), info...)
	out, err := hkdf.Expand(s.hash, secret, string(b), n)
	if err != nil {
		panic("suite: hkdf expand: " + err.Error())
	}
	return out
}
