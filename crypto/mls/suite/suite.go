// Package suite holds the cipher suites of RFC 9420 (sections 5.1, 5.2 and 17.1): for
// each one its hash, key derivation, authenticated encryption, public-key encryption and
// signature, with the labels MLS puts on every use. It keeps no state.
package suite

import (
	"crypto"
	"crypto/ecdh"
	"crypto/elliptic"
	"crypto/hpke"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"slices"
)

// An ID names a cipher suite on the wire.
type ID uint16

// The supported suites. Suites 4 and 6 need X448 and Ed448, which Go's standard
// library doesn't have.
const (
	X25519AES128SHA256Ed25519   ID = 0x0001
	P256AES128SHA256P256        ID = 0x0002
	X25519ChaChaSHA256Ed25519   ID = 0x0003
	P521AES256SHA512P521        ID = 0x0005
	P384AES256SHA384P384        ID = 0x0007
	MLKEM768X25519AES128Ed25519 ID = Hybrid
)

// Hybrid is MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519 of
// draft-ietf-mls-pq-ciphersuites. The draft has no code point yet, so this is one from
// the private-use range; groups move to the assigned one by ReInit.
const Hybrid ID = 0xF001

func (id ID) String() string {
	if s, err := Of(id); err == nil {
		return s.name
	}
	return fmt.Sprintf("suite 0x%04X", uint16(id))
}

// ErrUnsupported is wrapped when a cipher suite isn't one of ours.
var ErrUnsupported = errors.New("cipher suite not supported")

// A Suite is one cipher suite ready for use. It is immutable.
type Suite struct {
	id     ID
	name   string
	hash   func() hash.Hash
	sum    func(b []byte) []byte
	nh     int // KDF.Nh, also the hash length
	nk, nn int // AEAD key and nonce lengths
	aead   aeadKind
	kem    hpke.KEM
	dh     ecdh.Curve // nil: hybrid
	kdf    hpke.KDF
	seal   hpke.AEAD
	nenc   int            // length of a KEM output
	npk    int            // length of a KEM public key
	curve  elliptic.Curve // nil: Ed25519
	digest crypto.Hash
}

func sum256(b []byte) []byte { s := sha256.Sum256(b); return s[:] }
func sum384(b []byte) []byte { s := sha512.Sum384(b); return s[:] }
func sum512(b []byte) []byte { s := sha512.Sum512(b); return s[:] }

var suites = []*Suite{
	{
		id: X25519AES128SHA256Ed25519, name: "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
		hash: sha256.New, sum: sum256, nh: 32, nk: 16, nn: 12, aead: aesGCM,
		kem: hpke.DHKEM(ecdh.X25519()), dh: ecdh.X25519(), kdf: hpke.HKDFSHA256(), seal: hpke.AES128GCM(), nenc: 32, npk: 32,
	},
	{
		id: P256AES128SHA256P256, name: "MLS_128_DHKEMP256_AES128GCM_SHA256_P256",
		hash: sha256.New, sum: sum256, nh: 32, nk: 16, nn: 12, aead: aesGCM,
		kem: hpke.DHKEM(ecdh.P256()), dh: ecdh.P256(), kdf: hpke.HKDFSHA256(), seal: hpke.AES128GCM(), nenc: 65, npk: 65,
		curve: elliptic.P256(), digest: crypto.SHA256,
	},
	{
		id: X25519ChaChaSHA256Ed25519, name: "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519",
		hash: sha256.New, sum: sum256, nh: 32, nk: 32, nn: 12, aead: chacha,
		kem: hpke.DHKEM(ecdh.X25519()), dh: ecdh.X25519(), kdf: hpke.HKDFSHA256(), seal: hpke.ChaCha20Poly1305(), nenc: 32, npk: 32,
	},
	{
		id: P521AES256SHA512P521, name: "MLS_256_DHKEMP521_AES256GCM_SHA512_P521",
		hash: sha512.New, sum: sum512, nh: 64, nk: 32, nn: 12, aead: aesGCM,
		kem: hpke.DHKEM(ecdh.P521()), dh: ecdh.P521(), kdf: hpke.HKDFSHA512(), seal: hpke.AES256GCM(), nenc: 133, npk: 133,
		curve: elliptic.P521(), digest: crypto.SHA512,
	},
	{
		id: P384AES256SHA384P384, name: "MLS_256_DHKEMP384_AES256GCM_SHA384_P384",
		hash: sha512.New384, sum: sum384, nh: 48, nk: 32, nn: 12, aead: aesGCM,
		kem: hpke.DHKEM(ecdh.P384()), dh: ecdh.P384(), kdf: hpke.HKDFSHA384(), seal: hpke.AES256GCM(), nenc: 97, npk: 97,
		curve: elliptic.P384(), digest: crypto.SHA384,
	},
	{
		id: Hybrid, name: "MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519",
		hash: sha256.New, sum: sum256, nh: 32, nk: 16, nn: 12, aead: aesGCM,
		kem: hpke.MLKEM768X25519(), kdf: hpke.HKDFSHA256(), seal: hpke.AES128GCM(), nenc: 1120, npk: 1216,
	},
}

// Of returns the suite with the given id. The error wraps [ErrUnsupported].
func Of(id ID) (*Suite, error) {
	i := slices.IndexFunc(suites, func(s *Suite) bool { return s.id == id })
	if i < 0 {
		return nil, fmt.Errorf("%w: 0x%04X", ErrUnsupported, uint16(id))
	}
	return suites[i], nil
}

// All lists the supported suites.
func All() []ID {
	ids := make([]ID, len(suites))
	for i, s := range suites {
		ids[i] = s.id
	}
	return ids
}

// ID returns the suite's code point.
func (s *Suite) ID() ID { return s.id }

// HashLen is KDF.Nh, the length of hashes and of most secrets.
func (s *Suite) HashLen() int { return s.nh }

// KeyLen is AEAD.Nk.
func (s *Suite) KeyLen() int { return s.nk }

// NonceLen is AEAD.Nn.
func (s *Suite) NonceLen() int { return s.nn }

// Hash returns the hash of b.
func (s *Suite) Hash(b []byte) []byte { return s.sum(b) }
