// Package matter is the vocabulary that the engine, the stores and the screens share:
// who and what a matter consists of. It imports nothing of ours and does no I/O.
package matter

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// An ID names a matter; it is also the id of its MLS group.
type ID [16]byte

// A MemberID names a member of the organisation.
type MemberID [16]byte

// A MessageID names a message for the device that wrote it and everyone who reads it.
type MessageID [16]byte

// A DeviceID is the SHA-256 fingerprint of a device's Ed25519 identity key.
type DeviceID [32]byte

// NewID returns a random matter id.
func NewID() (id ID) { _, _ = rand.Read(id[:]); return id }

// NewMemberID returns a random member id.
func NewMemberID() (id MemberID) { _, _ = rand.Read(id[:]); return id }

// NewMessageID returns a random message id.
func NewMessageID() (id MessageID) { _, _ = rand.Read(id[:]); return id }

// DeviceOf returns the id of the device whose identity key is key.
func DeviceOf(key ed25519.PublicKey) DeviceID { return sha256.Sum256(key) }

func (id ID) String() string        { return hex.EncodeToString(id[:]) }
func (id MemberID) String() string  { return hex.EncodeToString(id[:]) }
func (id MessageID) String() string { return hex.EncodeToString(id[:]) }
func (id DeviceID) String() string  { return hex.EncodeToString(id[:]) }

// Short returns the first eight digits, enough for people to tell ids apart.
func (id ID) Short() string { return id.String()[:8] }

// Short returns the first eight digits, enough for people to tell devices apart.
func (id DeviceID) Short() string { return id.String()[:8] }

// IsZero reports whether id is unset.
func (id ID) IsZero() bool { return id == ID{} }

// IsZero reports whether id is unset.
func (id MemberID) IsZero() bool { return id == MemberID{} }

// ParseID reads the text form of a matter id.
func ParseID(s string) (id ID, err error) {
	err = parse(id[:], s)
	return id, err
}

func parse(dst []byte, s string) error {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(dst) {
		return fmt.Errorf("want %d hex digits, have %q", 2*len(dst), s)
	}
	copy(dst, b)
	return nil
}

// ParseMemberID reads the text form of a member's id.
func ParseMemberID(s string) (id MemberID, err error) {
	err = parse(id[:], s)
	return id, err
}
