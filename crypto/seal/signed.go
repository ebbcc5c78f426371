package seal

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"causa/matter"
)

// A Signed is an opened message with all that proves who wrote it. Together with the
// message's key it becomes the sealed bytes again, to the last bit: so whoever keeps the
// digest of those can be shown that this is what they said.
type Signed struct {
	Header    Header
	Nonce     [chacha20poly1305.NonceSizeX]byte
	Signature [sigSize]byte
	Body      []byte
}

// Verify checks that the message was signed by sender, the identity key of the device that
// its header names.
func (m *Signed) Verify(sender ed25519.PublicKey) error {
	if len(sender) != ed25519.PublicKeySize || matter.DeviceOf(sender) != m.Header.Sender {
		return fmt.Errorf("%w: another device's key", ErrSignature)
	}
	if !ed25519.Verify(sender, signed(m.Header.bytes(), m.Body), m.Signature[:]) {
		return ErrSignature
	}
	return nil
}

// A MessageKey opens one message and nothing else. It can't be printed, logged or
// marshalled.
type MessageKey [chacha20poly1305.KeySize]byte

// Format hides the key from every verb of package fmt.
func (MessageKey) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "MessageKey(hidden)") }

// MarshalText refuses.
func (MessageKey) MarshalText() ([]byte, error) {
	return nil, errors.New("message key can't be marshalled")
}

// MessageKey derives the key of one message of the epoch.
func (s *Secret) MessageKey(h Header) (k MessageKey, err error) {
	info := make([]byte, 0, len(keyLabel)+32+16)
	info = append(info, keyLabel...)
	info = append(info, h.Sender[:]...)
	info = append(info, h.Message[:]...)
	b, err := hkdf.Expand(sha256.New, s[:], string(info), len(k))
	copy(k[:], b)
	clear(b)
	return k, err
}

// Reseal returns the bytes the message was opened from, given its key.
func (m *Signed) Reseal(k *MessageKey) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(k[:])
	if err != nil {
		return nil, err
	}
	head := m.Header.bytes()
	plain := plaintext(m.Signature[:], m.Body)
	out := make([]byte, 0, headerSize+len(m.Nonce)+len(plain)+aead.Overhead())
	out = append(out, head...)
	out = append(out, m.Nonce[:]...)
	out = aead.Seal(out, m.Nonce[:], plain, head)
	clear(plain)
	return out, nil
}
