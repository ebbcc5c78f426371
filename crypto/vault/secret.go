package vault

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
)

// A Key is what a slot keeps: the key of a store. It can't be printed or marshalled.
type Key [32]byte

// A DeviceSecret is kept by the device's system, apart from the slot.
type DeviceSecret [32]byte

// A Share is the hub's part of a slot's key, for one passcode and one generation.
type Share [64]byte

// A Stretched is what Argon2id makes of a passcode.
type Stretched [32]byte

// Format hides the key from every verb of package fmt.
func (Key) Format(w fmt.State, _ rune) { hide(w, "Key") }

// Format hides the secret from every verb of package fmt.
func (DeviceSecret) Format(w fmt.State, _ rune) { hide(w, "DeviceSecret") }

// Format hides the share from every verb of package fmt.
func (Share) Format(w fmt.State, _ rune) { hide(w, "Share") }

// Format hides the value from every verb of package fmt.
func (Stretched) Format(w fmt.State, _ rune) { hide(w, "Stretched") }

// MarshalText refuses.
func (Key) MarshalText() ([]byte, error) { return nil, errSecret }

// MarshalText refuses.
func (DeviceSecret) MarshalText() ([]byte, error) { return nil, errSecret }

// MarshalText refuses.
func (Share) MarshalText() ([]byte, error) { return nil, errSecret }

// MarshalText refuses.
func (Stretched) MarshalText() ([]byte, error) { return nil, errSecret }

var errSecret = errors.New("secret can't be marshalled")

func hide(w io.Writer, name string) { _, _ = io.WriteString(w, name+"(hidden)") }

// NewDeviceSecret makes a random device secret.
func NewDeviceSecret() (s DeviceSecret) {
	_, _ = rand.Read(s[:]) // never fails
	return s
}

// UnlockKey is the key with which a locked device signs in to the hub and asks for the
// share of one of its slots. Whoever has it can guess passcodes, as often as the hub lets
// anybody, and do nothing else.
func (s *DeviceSecret) UnlockKey(slot ID) (ed25519.PrivateKey, error) {
	seed, err := hkdf.Key(sha512.New, s[:], slot[:], "causa unlock key v1", ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	defer clear(seed)
	return ed25519.NewKeyFromSeed(seed), nil
}
