package vault

import (
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// Errors of slots.
var (
	// ErrWrong means that passcode, share or device secret is not the slot's.
	ErrWrong = errors.New("the slot does not open with this")
	// ErrGeneration means that the slot was never wrapped for that slot key.
	ErrGeneration = errors.New("the slot has no wrap for this generation")
	// ErrMalformed means that bytes are not a slot.
	ErrMalformed = errors.New("slot is malformed")
	// ErrNewer means that a later version wrote the slot.
	ErrNewer = errors.New("slot of a newer version")
)

// An ID names a slot, to the hub too.
type ID [16]byte

// NewID makes a random id.
func NewID() (id ID) {
	_, _ = rand.Read(id[:]) // never fails
	return id
}

// Params are the cost of Argon2id.
type Params struct {
	MemoryKiB uint32
	Passes    uint32
	Lanes     uint8
}

// What slots are made with; nothing weaker than Phone is ever opened or made.
var (
	Desktop = Params{MemoryKiB: 128 << 10, Passes: 3, Lanes: 4}
	Phone   = Params{MemoryKiB: 64 << 10, Passes: 3, Lanes: 4}
)

// Above these a slot is refused: it would stall the machine that opens it.
const (
	maxMemoryKiB = 1 << 20
	maxPasses    = 64
	maxLanes     = 64
)

func (p Params) valid() bool {
	return p.MemoryKiB >= Phone.MemoryKiB && p.MemoryKiB <= maxMemoryKiB &&
		p.Passes >= Phone.Passes && p.Passes <= maxPasses && p.Lanes >= 1 && p.Lanes <= maxLanes
}

// A Slot is a wrapped key, for one or, while it moves on, two generations of the hub's
// slot key. It holds nothing secret by itself.
type Slot struct {
	ID    ID
	wraps []wrap // oldest generation first
}

// A wrap is the slot's content for one passcode and one generation.
type wrap struct {
	generation uint64
	params     Params
	salt       [16]byte
	nonce      [chacha20poly1305.NonceSizeX]byte
	sealed     [sealedSize]byte
}

const (
	contentSize = 32 + ed25519.SeedSize
	sealedSize  = contentSize + chacha20poly1305.Overhead
)

// An Opened is what was in a slot. [Opened.Clear] it after use.
type Opened struct {
	Key  Key
	seed [ed25519.SeedSize]byte
}

// NewOpened is the content of a new slot: a store's key and a fresh seed for proofs.
func NewOpened(key Key) *Opened {
	o := &Opened{Key: key}
	_, _ = rand.Read(o.seed[:]) // never fails
	return o
}

// ProofKey is the key that proves to the hub that the slot is open.
func (o *Opened) ProofKey() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(o.seed[:]) }

// Clear overwrites what is secret.
func (o *Opened) Clear() {
	clear(o.Key[:])
	clear(o.seed[:])
}

// Format hides the content from every verb of package fmt.
func (*Opened) Format(w fmt.State, _ rune) { hide(w, "Opened") }

// A Code is a passcode with the cost and salt that it was stretched with, so that an
// opening and the wrapping that follows stretch it once.
type Code struct {
	params    Params
	salt      [16]byte
	stretched Stretched
}

// NewCode stretches a new passcode.
func NewCode(passcode []byte, p Params) (*Code, error) {
	if !p.valid() {
		return nil, fmt.Errorf("argon2id with %d KiB, %d passes, %d lanes is not acceptable", p.MemoryKiB, p.Passes, p.Lanes)
	}
	c := &Code{params: p}
	_, _ = rand.Read(c.salt[:]) // never fails
	c.stretch(passcode)
	return c, nil
}

func (c *Code) stretch(passcode []byte) {
	code := normal(passcode)
	defer clear(code)
	out := argon2.IDKey(code, c.salt[:], c.params.Passes, c.params.MemoryKiB, c.params.Lanes, uint32(len(c.stretched)))
	copy(c.stretched[:], out)
	clear(out)
}

// Clear overwrites what is secret.
func (c *Code) Clear() { clear(c.stretched[:]) }

// Format hides the code from every verb of package fmt.
func (*Code) Format(w fmt.State, _ rune) { hide(w, "Code") }

// Code stretches a passcode to open the slot's wrap of a generation.
func (s *Slot) Code(generation uint64, passcode []byte) (*Code, error) {
	w := s.wrap(generation)
	if w == nil {
		return nil, ErrGeneration
	}
	c := &Code{params: w.params, salt: w.salt}
	c.stretch(passcode)
	return c, nil
}

// Generations returns those that the slot is wrapped for, oldest first.
func (s *Slot) Generations() []uint64 {
	out := make([]uint64, len(s.wraps))
	for i, w := range s.wraps {
		out[i] = w.generation
	}
	return out
}

// Open opens the wrap of a generation. When something is wrong the error is [ErrWrong];
// what, nobody can tell.
func (s *Slot) Open(generation uint64, c *Code, share *Share, device *DeviceSecret) (*Opened, error) {
	w := s.wrap(generation)
	if w == nil {
		return nil, ErrGeneration
	}
	if w.params != c.params || w.salt != c.salt {
		return nil, ErrWrong
	}
	aead, err := s.cipher(generation, c, share, device)
	if err != nil {
		return nil, err
	}
	content, err := aead.Open(nil, w.nonce[:], w.sealed[:], s.associated(w))
	if err != nil {
		return nil, ErrWrong
	}
	defer clear(content)
	o := &Opened{}
	copy(o.Key[:], content)
	copy(o.seed[:], content[len(o.Key):])
	return o, nil
}

// Wrap adds a wrap for a generation, or replaces the one it has. All others but the
// newest older one are dropped.
func (s *Slot) Wrap(generation uint64, c *Code, share *Share, device *DeviceSecret, o *Opened) error {
	aead, err := s.cipher(generation, c, share, device)
	if err != nil {
		return err
	}
	w := wrap{generation: generation, params: c.params, salt: c.salt}
	_, _ = rand.Read(w.nonce[:]) // never fails
	content := append(append(make([]byte, 0, contentSize), o.Key[:]...), o.seed[:]...)
	defer clear(content)
	aead.Seal(w.sealed[:0], w.nonce[:], content, s.associated(&w))
	older := slices.DeleteFunc(s.wraps, func(x wrap) bool { return x.generation >= generation })
	if len(older) > 1 {
		older = older[len(older)-1:]
	}
	s.wraps = append(older, w)
	return nil
}

// Keep drops all wraps but that of one generation.
func (s *Slot) Keep(generation uint64) {
	s.wraps = slices.DeleteFunc(s.wraps, func(w wrap) bool { return w.generation != generation })
}

func (s *Slot) wrap(generation uint64) *wrap {
	for i := range s.wraps {
		if s.wraps[i].generation == generation {
			return &s.wraps[i]
		}
	}
	return nil
}

// cipher derives the key that wraps.
func (s *Slot) cipher(generation uint64, c *Code, share *Share, device *DeviceSecret) (cipher.AEAD, error) {
	material := make([]byte, 0, len(c.stretched)+len(share)+len(device))
	material = append(append(append(material, c.stretched[:]...), share[:]...), device[:]...)
	defer clear(material)
	salt := binary.BigEndian.AppendUint64(slices.Clone(s.ID[:]), generation)
	kek, err := hkdf.Key(sha512.New, material, salt, "causa slot key v1", chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	defer clear(kek)
	return chacha20poly1305.NewX(kek)
}
