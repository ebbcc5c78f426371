package suite

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
)

// A Secret is key material. It prints as "Secret(hidden)" and can't be marshalled as text.
type Secret []byte

// Format writes a placeholder for every verb.
func (Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "Secret(hidden)") }

// MarshalText refuses.
func (Secret) MarshalText() ([]byte, error) { return nil, errors.New("secret can't be marshalled") }

// MarshalJSON refuses; without it a slice would be encoded as base64.
func (Secret) MarshalJSON() ([]byte, error) { return nil, errors.New("secret can't be marshalled") }

// Wipe overwrites the secret. Copies the runtime may have made are out of reach.
func (s Secret) Wipe() { clear(s) }

// Hide writes a placeholder in place of a value that holds secrets. fmt doesn't call the
// methods of unexported fields, so that types with such fields need this themselves.
func Hide(w fmt.State, name string) { _, _ = io.WriteString(w, name+"(hidden)") }

// RandomSecret returns n random bytes.
func RandomSecret(n int) Secret {
	b := make(Secret, n)
	_, _ = rand.Read(b) // never fails; the process ends if the system has no randomness
	return b
}
