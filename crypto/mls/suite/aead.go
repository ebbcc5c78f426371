package suite

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

type aeadKind uint8

const (
	aesGCM aeadKind = iota
	chacha
)

// ErrDecrypt says that a ciphertext was not made with this key for this context.
var ErrDecrypt = errors.New("message can't be decrypted")

func (s *Suite) cipher(key []byte) (cipher.AEAD, error) {
	if s.aead == chacha {
		c, err := chacha20poly1305.New(key)
		if err != nil {
			return nil, fmt.Errorf("make cipher: %w", err)
		}
		return c, nil
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	c, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	return c, nil
}

// Seal encrypts plaintext with a key and nonce that are never used again.
func (s *Suite) Seal(key, nonce, aad, plaintext []byte) ([]byte, error) {
	c, err := s.cipher(key)
	if err != nil {
		return nil, err
	}
	return c.Seal(nil, nonce, plaintext, aad), nil
}

// Open decrypts what [Suite.Seal] made, or returns [ErrDecrypt].
func (s *Suite) Open(key, nonce, aad, ciphertext []byte) ([]byte, error) {
	c, err := s.cipher(key)
	if err != nil {
		return nil, err
	}
	p, err := c.Open(nil, nonce, ciphertext, aad)
	if err != nil {
		return nil, ErrDecrypt
	}
	return p, nil
}
