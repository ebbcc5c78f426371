package schedule

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
)

// Limits of out-of-order delivery (section 15.3).
const (
	// MaxForward is how many generations a message may be ahead of the last one.
	MaxForward = 1024
	// MaxSkipped is how many keys of messages that didn't come yet are kept per sender.
	MaxSkipped = 256
)

// Errors of ratchets.
var (
	ErrGenerationUsed = errors.New("key of this generation was used or dropped already (section 9.2)")
	ErrGenerationFar  = errors.New("generation is too far ahead (section 15.3)")
	ErrExhausted      = errors.New("sender ratchet has no generations left")
)

// A Key encrypts or decrypts exactly one message.
type Key struct {
	Key, Nonce suite.Secret
}

// Wipe overwrites the key.
func (k Key) Wipe() {
	k.Key.Wipe()
	k.Nonce.Wipe()
}

// A ratchet makes one sender's keys for one kind of message (section 9.1). Its methods
// leave it unchanged and return the ratchet after the step, so that a message that
// turns out to be forged costs nothing.
type ratchet struct {
	secret  suite.Secret // of generation next
	next    uint32
	skipped map[uint32]Key
}

// step derives the key of generation next and the ratchet after it.
func (t *ratchet) step(s *suite.Suite) (Key, *ratchet, error) {
	if t.next == 1<<32-1 {
		return Key{}, nil, ErrExhausted
	}
	k := Key{
		Key:   s.DeriveTreeSecret(t.secret, "key", t.next, s.KeyLen()),
		Nonce: s.DeriveTreeSecret(t.secret, "nonce", t.next, s.NonceLen()),
	}
	secret := s.DeriveTreeSecret(t.secret, "secret", t.next, s.HashLen())
	return k, &ratchet{secret: secret, next: t.next + 1, skipped: t.skipped}, nil
}

// at derives the key of a generation and the ratchet after its use. Keys passed over are
// kept in the result, the oldest being dropped beyond [MaxSkipped].
func (t *ratchet) at(s *suite.Suite, generation uint32) (Key, *ratchet, error) {
	if generation < t.next {
		k, ok := t.skipped[generation]
		if !ok {
			return Key{}, nil, ErrGenerationUsed
		}
		after := &ratchet{secret: t.secret, next: t.next, skipped: maps.Clone(t.skipped)}
		delete(after.skipped, generation)
		return k, after, nil
	}
	if generation-t.next > MaxForward {
		return Key{}, nil, fmt.Errorf("%w: %d after %d", ErrGenerationFar, generation, t.next)
	}
	cur := t
	if generation > t.next {
		cur = &ratchet{secret: t.secret, next: t.next, skipped: maps.Clone(t.skipped)}
		if cur.skipped == nil {
			cur.skipped = make(map[uint32]Key)
		}
		for cur.next < generation {
			k, after, err := cur.step(s)
			if err != nil {
				return Key{}, nil, err
			}
			if generation-cur.next <= MaxSkipped {
				cur.skipped[cur.next] = k
			}
			if cur.next != t.next {
				cur.secret.Wipe()
			}
			cur = after
		}
		cur.trim()
	}
	k, after, err := cur.step(s)
	if err != nil {
		return Key{}, nil, err
	}
	return k, after, nil
}

func (t *ratchet) trim() {
	if len(t.skipped) <= MaxSkipped {
		return
	}
	order := slices.Sorted(maps.Keys(t.skipped))
	for _, g := range order[:len(order)-MaxSkipped] {
		delete(t.skipped, g)
	}
}

func (t *ratchet) append(b []byte) []byte {
	b = syntax.AppendOpaque(b, t.secret)
	b = syntax.AppendUint32(b, t.next)
	return syntax.AppendList(b, func(b []byte) []byte {
		for _, g := range slices.Sorted(maps.Keys(t.skipped)) {
			b = syntax.AppendUint32(b, g)
			b = syntax.AppendOpaque(b, t.skipped[g].Key)
			b = syntax.AppendOpaque(b, t.skipped[g].Nonce)
		}
		return b
	})
}

func decodeRatchet(r *syntax.Reader, s *suite.Suite) *ratchet {
	t := &ratchet{secret: slices.Clone(r.Opaque()), next: r.Uint32()}
	if len(t.secret) != s.HashLen() {
		r.Fail("ratchet secret of %d bytes", len(t.secret))
	}
	r.List(func(r *syntax.Reader) {
		g := r.Uint32()
		k := Key{Key: slices.Clone(r.Opaque()), Nonce: slices.Clone(r.Opaque())}
		if len(k.Key) != s.KeyLen() || len(k.Nonce) != s.NonceLen() {
			r.Fail("message key of wrong length")
		}
		if t.skipped == nil {
			t.skipped = make(map[uint32]Key)
		}
		t.skipped[g] = k
	})
	return t
}
