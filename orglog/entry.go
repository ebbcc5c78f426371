package orglog

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"causa/matter"
)

// MaxEntry is how long an entry can be, in bytes.
const MaxEntry = 16 << 10

// version is the first byte of every entry of this layout.
const version = 1

// What the signatures of the log are for: first part of the bytes they cover, so that
// none of them can pass for another, nor for any other signature of a device's key.
const (
	labelEntry     = "causa orglog 1 entry"
	labelEnrolment = "causa orglog 1 enrolment"
)

// A Hash is the SHA-256 of an entry's bytes. That of the first entry is the
// organisation's id.
type Hash [32]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero reports whether h is unset.
func (h Hash) IsZero() bool { return h == Hash{} }

// An Entry is one signed line of the log. [Decode], [Sign] and [SignEnrolment] make
// entries; change none.
type Entry struct {
	Index     uint64
	Previous  Hash      // of the entry before; zero in the first one
	Time      time.Time // whole milliseconds, UTC
	Author    matter.DeviceID
	Statement Statement
	Signature []byte
}

// Decode reads an entry. It is strict: what it accepts is the one encoding of the
// entry that it returns. It does not verify anything; [State.Apply] does. The error
// wraps [ErrMalformed], or [ErrNewer] for a layout of a later version. It keeps
// no reference to b.
func Decode(b []byte) (*Entry, error) {
	if len(b) > MaxEntry {
		return nil, &RuleError{Rule: ErrMalformed, Err: fmt.Errorf("%d bytes", len(b))}
	}
	r := &reader{s: b}
	if v := r.uint8(); !r.bad && v != version {
		return nil, &RuleError{Rule: ErrNewer, Err: fmt.Errorf("layout %d", v)}
	}
	e := &Entry{
		Index: r.uint64(), Previous: Hash(r.fixed(32)), Time: r.time(),
		Author: matter.DeviceID(r.fixed(32)),
	}
	kind := Type(r.uint16())
	body := &reader{s: r.vector()}
	e.Signature = r.fixed(ed25519.SignatureSize)
	if !r.done() {
		return nil, &RuleError{Rule: ErrMalformed, Index: e.Index, Err: errors.New("bad layout")}
	}
	e.Statement = readStatement(kind, body)
	if !body.done() || kind == 0 {
		return nil, &RuleError{Rule: ErrMalformed, Index: e.Index, Err: fmt.Errorf("bad statement of type %d", kind)}
	}
	return e, nil
}

// Bytes returns the entry's encoding: nil for a hand-made entry that has none.
func (e *Entry) Bytes() []byte {
	w := writer{new(cryptobyte.Builder)}
	e.write(&w)
	w.fixed(e.Signature, ed25519.SignatureSize)
	b, err := w.Bytes()
	if err != nil {
		return nil
	}
	return b
}

// Hash returns the SHA-256 of the entry's bytes.
func (e *Entry) Hash() Hash { return sha256.Sum256(e.Bytes()) }

// write appends everything but the signature.
func (e *Entry) write(w *writer) {
	w.AddUint8(version)
	w.AddUint64(e.Index)
	w.AddBytes(e.Previous[:])
	w.time(e.Time)
	w.AddBytes(e.Author[:])
	if e.Statement == nil {
		w.SetError(errors.New("no statement"))
		return
	}
	w.AddUint16(uint16(e.Statement.Type()))
	w.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { e.Statement.write(&writer{b}) })
}

// signed returns the bytes that the entry's signature covers.
func (e *Entry) signed() ([]byte, error) {
	return labelled(labelEntry, e.write)
}

// labelled returns what is signed: the label behind its 8-bit length, then the rest.
func labelled(label string, rest func(w *writer)) ([]byte, error) {
	w := writer{new(cryptobyte.Builder)}
	w.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(label)) })
	rest(&w)
	return w.Bytes()
}

// verify reports whether key made the entry's signature.
func (e *Entry) verify(key ed25519.PublicKey) bool {
	b, err := e.signed()
	return err == nil && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, b, e.Signature)
}

// Sign makes the entry at the given index, after the entry whose hash is previous.
// Times are cut to milliseconds. Most callers want [State.Sign], which knows
// index, previous and the rules; for a [DeviceEnrolled] take [SignEnrolment].
func Sign(key ed25519.PrivateKey, index uint64, previous Hash, at time.Time, s Statement) (*Entry, error) {
	e := &Entry{Index: index, Previous: previous, Time: at, Author: deviceOf(key), Statement: s}
	b, err := e.signed()
	if err != nil {
		return nil, fmt.Errorf("encode statement: %w", err)
	}
	e.Signature = ed25519.Sign(key, b)
	return Decode(e.Bytes())
}

// SignEnrolment makes the entry by which device enrols itself with the key of an
// invite. It fills in DeviceKey, InviteKey and InviteSignature of s. org is the id of
// the organisation. Both signatures hold only for this index, previous hash and time.
// Most callers want [State.SignEnrolment].
func SignEnrolment(device, invite ed25519.PrivateKey, org Hash, index uint64, previous Hash, at time.Time, s DeviceEnrolled) (*Entry, error) {
	s.DeviceKey = publicOf(device)
	s.InviteKey = publicOf(invite)
	b, err := enrolmentSigned(org, &Entry{Index: index, Previous: previous, Time: at}, s)
	if err != nil {
		return nil, fmt.Errorf("encode enrolment: %w", err)
	}
	s.InviteSignature = ed25519.Sign(invite, b)
	return Sign(device, index, previous, at, s)
}

// enrolmentSigned returns the bytes that the invite's key signs when a device enrols
// by entry e: all that says where, when, for whom and for which device it is used.
func enrolmentSigned(org Hash, e *Entry, s DeviceEnrolled) ([]byte, error) {
	return labelled(labelEnrolment, func(w *writer) {
		w.AddBytes(org[:])
		w.AddUint64(e.Index)
		w.AddBytes(e.Previous[:])
		w.time(e.Time)
		w.AddBytes(s.Member[:])
		w.fixed(s.DeviceKey, ed25519.PublicKeySize)
		w.text(s.DeviceName)
		w.fixed(s.InviteKey, ed25519.PublicKeySize)
	})
}

func publicOf(key ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(key[ed25519.PrivateKeySize-ed25519.PublicKeySize:])
}

func deviceOf(key ed25519.PrivateKey) matter.DeviceID { return matter.DeviceOf(publicOf(key)) }

// usable reports whether key may be anyone's key: canonical, and not one of the few
// points (of small order) under which everybody can sign.
func usable(key ed25519.PublicKey) bool {
	if len(key) != ed25519.PublicKeySize {
		return false
	}
	y := [32]byte(key)
	y[31] &= 0x7f // the sign of x
	if y[0] >= 0xec && y[31] == 0x7f {
		top := true // y is p-1 (order 2), or not below p
		for _, b := range y[1:31] {
			top = top && b == 0xff
		}
		if top {
			return false
		}
	}
	return y != [32]byte{} && y != [32]byte{1} && y != order8a && y != order8b
}

// The y coordinates of the points of order 8.
var (
	order8a = [32]byte{
		0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
	}
	order8b = [32]byte{
		0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
	}
)
