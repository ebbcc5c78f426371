// Package seal protects the content of a matter: one message at a time, under the
// content secret of an MLS epoch, signed by the device that wrote it.
//
// Every message has a key of its own, derived from the epoch's content secret, the
// sender and the message id, so that messages can be opened in any order and on any
// core. The signature lies inside the encryption and covers header and plaintext: it is
// evidence of who said what, and only those who can read the message hold it.
//
// A sealed message is
//
//	version(1) = 1 ‖ matter(16) ‖ epoch(8) ‖ sender(32) ‖ message(16) ‖ nonce(24) ‖ ciphertext
//
// where everything before the nonce is associated data. The plaintext of the
// XChaCha20-Poly1305 ciphertext is
//
//	signature(64) ‖ length(4) ‖ body ‖ zeros
//
// The zeros hide the exact length (Padmé, Nikitin et al., PETS 2019: at most 12 % more).
package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"golang.org/x/crypto/chacha20poly1305"

	"causa/matter"
)

// ExporterLabel is the MLS exporter label of content secrets (RFC 9420 section 8.5);
// the context is the matter id and the length 32 bytes.
const ExporterLabel = "causa content"

const (
	version    = 1
	headerSize = 1 + 16 + 8 + 32 + 16
	sigSize    = ed25519.SignatureSize
	minSize    = headerSize + chacha20poly1305.NonceSizeX + sigSize + 4 + chacha20poly1305.Overhead
	sigLabel   = "causa message v1\x00"
	keyLabel   = "causa message key v1\x00"
	minPadded  = 256 // shorter messages all look the same
)

// What can be wrong with a sealed message. Every error of this package wraps one.
var (
	ErrMalformed = errors.New("sealed message is malformed")
	ErrKey       = errors.New("sealed message does not open with this secret")
	ErrSignature = errors.New("sealed message is not signed by its sender")
)

// A Secret is the content secret of one epoch of one matter. It can't be printed,
// logged or marshalled.
type Secret [32]byte

// Format hides the secret from every verb of package fmt.
func (Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "Secret(hidden)") }

// MarshalText refuses.
func (Secret) MarshalText() ([]byte, error) { return nil, errors.New("secret can't be marshalled") }

// A Header says where a message belongs and who wrote it. The hub can read it.
type Header struct {
	Matter  matter.ID
	Epoch   uint64
	Sender  matter.DeviceID
	Message matter.MessageID
}

func (h Header) bytes() []byte {
	b := make([]byte, 0, headerSize)
	b = append(b, version)
	b = append(b, h.Matter[:]...)
	b = binary.BigEndian.AppendUint64(b, h.Epoch)
	b = append(b, h.Sender[:]...)
	return append(b, h.Message[:]...)
}

// Seal encrypts body under the epoch's secret and signs it with the device's identity
// key, whose fingerprint must be h.Sender.
func Seal(s *Secret, h Header, key ed25519.PrivateKey, body []byte) ([]byte, error) {
	if matter.DeviceOf(key.Public().(ed25519.PublicKey)) != h.Sender {
		return nil, errors.New("seal: the key is not the sender's")
	}
	m := Signed{Header: h, Body: body}
	copy(m.Signature[:], ed25519.Sign(key, signed(h.bytes(), body)))
	_, _ = rand.Read(m.Nonce[:])
	k, err := s.MessageKey(h)
	if err != nil {
		return nil, err
	}
	return m.Reseal(&k)
}

// plaintext is what is encrypted of a message.
func plaintext(signature, body []byte) []byte {
	plain := make([]byte, padded(sigSize+4+len(body)))
	copy(plain, signature)
	binary.BigEndian.PutUint32(plain[sigSize:], uint32(len(body)))
	copy(plain[sigSize+4:], body)
	return plain
}

// A Sealed is a message from outside, its header readable but not to be trusted before
// [Sealed.Open] has succeeded.
type Sealed struct {
	Header Header
	raw    []byte
}

// Parse reads the header of a sealed message. It keeps b.
func Parse(b []byte) (*Sealed, error) {
	if len(b) < minSize || b[0] != version {
		return nil, ErrMalformed
	}
	s := &Sealed{raw: b}
	r := bytes.NewReader(b[1:])
	_, _ = io.ReadFull(r, s.Header.Matter[:])
	_ = binary.Read(r, binary.BigEndian, &s.Header.Epoch)
	_, _ = io.ReadFull(r, s.Header.Sender[:])
	_, _ = io.ReadFull(r, s.Header.Message[:])
	return s, nil
}

// Open decrypts the message under its epoch's secret and verifies that it was signed
// by sender, the identity key of the device the header names.
func (m *Sealed) Open(s *Secret, sender ed25519.PublicKey) (*Signed, error) {
	k, err := s.MessageKey(m.Header)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(k[:])
	if err != nil {
		return nil, err
	}
	out := &Signed{Header: m.Header}
	copy(out.Nonce[:], m.raw[headerSize:])
	plain, err := aead.Open(nil, out.Nonce[:], m.raw[headerSize+len(out.Nonce):], m.raw[:headerSize])
	if err != nil {
		return nil, ErrKey
	}
	copy(out.Signature[:], plain)
	n := uint64(binary.BigEndian.Uint32(plain[sigSize:]))
	rest := plain[sigSize+4:]
	if n > uint64(len(rest)) || len(plain) != padded(sigSize+4+int(n)) {
		return nil, fmt.Errorf("%w: length", ErrMalformed)
	}
	out.Body = rest[:n:n]
	for _, b := range rest[n:] {
		if b != 0 {
			return nil, fmt.Errorf("%w: padding", ErrMalformed)
		}
	}
	if err := out.Verify(sender); err != nil {
		return nil, err
	}
	return out, nil
}

// A sealer is an AEAD under one key.
type sealer interface {
	Seal(dst, nonce, plaintext, additionalData []byte) []byte
	Open(dst, nonce, ciphertext, additionalData []byte) ([]byte, error)
	Overhead() int
}

func signed(head, body []byte) []byte {
	b := make([]byte, 0, len(sigLabel)+len(head)+len(body))
	b = append(b, sigLabel...)
	b = append(b, head...)
	return append(b, body...)
}

// padded returns the Padmé length of n bytes: its low bits are rounded up so that only
// the exponent and as many bits as the exponent is long remain.
func padded(n int) int {
	if n <= minPadded {
		return minPadded
	}
	e := bits.Len(uint(n)) - 1
	s := bits.Len(uint(e))
	mask := 1<<(e-s) - 1
	return (n + mask) &^ mask
}
