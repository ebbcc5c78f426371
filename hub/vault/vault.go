// Package vault keeps the hub's halves of the devices' slots: for each slot a random key
// under which it evaluates a blinded passcode (RFC 9497, ristretto255-SHA512, base mode),
// and how often it did so for nothing.
//
// It has a file of its own, apart from the hub's database and outside its backups: what is
// destroyed here must not come back by restoring one. The hub learns neither passcodes nor
// what they open.
package vault

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/oprf"

	"causa/wire"
)

// Errors that callers branch on.
var (
	ErrNone    = errors.New("no such slot, or its keys were destroyed")
	ErrLocked  = errors.New("the slot is locked after too many wrong tries")
	ErrRefused = errors.New("not the slot's owner, signature, proof or generation")
	ErrTooMany = errors.New("the device has too many slots")
	ErrBlinded = errors.New("not a blinded passcode")
	ErrNewer   = errors.New("slot keys of a newer version")
)

// A WaitError says that the slot takes no try yet.
type WaitError struct {
	For  time.Duration
	Left int // tries
}

func (e *WaitError) Error() string { return fmt.Sprintf("the slot takes no try for %v", e.For) }

// A Slot says whose a slot is and by which keys requests for it are signed.
type Slot struct {
	ID     [16]byte
	Device [32]byte
	Module string            // "": the app's
	Unlock ed25519.PublicKey // signs requests for evaluation
	Proof  ed25519.PublicKey // signs what proves that the slot was opened
	// Destroyed: it has no keys any more.
	Destroyed bool
	// Confirmed is when it was last proven open; zero: never.
	Confirmed time.Time
	Tries     int // since then
}

// An Evaluation is a blinded passcode under a slot's key and under its next one.
type Evaluation struct {
	Generation uint64 // 0: there is none yet
	Evaluated  []byte
	Next       uint64
	NextResult []byte
	Left       int // tries after this one
}

// delays are how long a slot takes no try after so many wrong ones.
var delays = [wire.MaxTries]time.Duration{
	4: 30 * time.Second,
	5: time.Minute,
	6: 5 * time.Minute,
	7: 15 * time.Minute,
	8: time.Hour,
	9: 3 * time.Hour,
}

// Register makes a slot, pending until it is confirmed, and evaluates the first passcode.
// A repeat is taken until then.
func (s *Store) Register(ctx context.Context, slot Slot, blinded []byte) (*Evaluation, error) {
	e, err := element(blinded)
	if err != nil {
		return nil, err
	}
	var r row
	err = s.write(ctx, func(tx *tx) error {
		err := tx.slot(&r, slot.ID)
		if err == nil {
			if r.generation != 0 || r.Destroyed || r.Device != slot.Device || !r.Unlock.Equal(slot.Unlock) || !r.Proof.Equal(slot.Proof) || r.Module != slot.Module {
				return ErrRefused
			}
			return nil
		}
		if !errors.Is(err, ErrNone) {
			return err
		}
		var other row
		if err := tx.byUnlock(&other, slot.Unlock); !errors.Is(err, ErrNone) {
			return errors.Join(err, ErrRefused) // another slot's key
		}
		if err := tx.makeRoom(slot.Device); err != nil {
			return err
		}
		r.Slot, r.next = slot, 1
		if r.nextKey, err = newKey(); err != nil {
			return err
		}
		return tx.insert(&r)
	})
	if err != nil {
		return nil, err
	}
	return r.evaluate(e)
}

// Evaluate counts a try, durably, and only then evaluates: a crash in between costs a try
// and gives none for nothing. The error may be [ErrNone], [ErrLocked] or a [*WaitError];
// nothing is counted then.
func (s *Store) Evaluate(ctx context.Context, slot [16]byte, blinded []byte, now time.Time) (*Evaluation, error) {
	e, err := element(blinded)
	if err != nil {
		return nil, err
	}
	var r row
	err = s.write(ctx, func(tx *tx) error {
		if err := tx.slot(&r, slot); err != nil {
			return err
		}
		switch {
		case r.Destroyed:
			return ErrNone
		case r.Tries >= wire.MaxTries:
			return ErrLocked
		case now.Before(r.notBefore):
			return &WaitError{For: r.notBefore.Sub(now), Left: wire.MaxTries - r.Tries}
		}
		r.Tries++
		r.notBefore = time.Time{}
		if r.Tries < wire.MaxTries && delays[r.Tries] > 0 {
			r.notBefore = now.Add(delays[r.Tries])
		}
		return tx.count(&r)
	})
	if err != nil {
		return nil, err
	}
	return r.evaluate(e)
}

// Confirm takes note that a slot was opened, as somebody has verified, and is wrapped for
// a generation: older keys are destroyed, and tries count anew.
func (s *Store) Confirm(ctx context.Context, slot [16]byte, generation uint64, now time.Time) error {
	return s.write(ctx, func(tx *tx) error {
		var r row
		if err := tx.slot(&r, slot); err != nil {
			return err
		}
		switch {
		case r.Destroyed:
			return ErrNone
		case generation == r.next:
			r.generation, r.key = r.next, r.nextKey
			r.next = r.generation + 1
			var err error
			if r.nextKey, err = newKey(); err != nil {
				return err
			}
		case generation == 0 || generation != r.generation: // else a repeat
			return ErrRefused
		}
		r.Tries, r.notBefore, r.Confirmed = 0, time.Time{}, now
		return tx.update(&r)
	})
}

func newKey() ([]byte, error) {
	k, err := oprf.GenerateKey(oprf.SuiteRistretto255, rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a slot key: %w", err)
	}
	return k.MarshalBinary()
}

// element decodes a blinded passcode. The identity would tell the key's holder nothing,
// but nobody honest sends it.
func element(b []byte) (group.Element, error) {
	e := group.Ristretto255.NewElement()
	if err := e.UnmarshalBinary(b); err != nil || e.IsIdentity() {
		return nil, ErrBlinded
	}
	return e, nil
}

func evaluate(key []byte, e group.Element) ([]byte, error) {
	k := new(oprf.PrivateKey)
	if err := k.UnmarshalBinary(oprf.SuiteRistretto255, key); err != nil {
		return nil, fmt.Errorf("read a slot key: %w", err)
	}
	out, err := oprf.NewServer(oprf.SuiteRistretto255, k).Evaluate(&oprf.EvaluationRequest{Elements: []oprf.Blinded{e}})
	if err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	return out.Elements[0].MarshalBinaryCompress()
}

func (r *row) evaluate(e group.Element) (*Evaluation, error) {
	out := &Evaluation{Generation: r.generation, Next: r.next, Left: wire.MaxTries - r.Tries}
	var err error
	if r.generation != 0 {
		if out.Evaluated, err = evaluate(r.key, e); err != nil {
			return nil, err
		}
	}
	out.NextResult, err = evaluate(r.nextKey, e)
	return out, err
}
