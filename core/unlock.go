package core

import (
	"context"
	"crypto/ed25519"
	"errors"
	"time"

	"causa/crypto/vault"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

// open gives the store's key for a passcode: by the lease while there is one, else with
// the hub's share.
func (l *lock) open(ctx context.Context, dir string, ks Keystore, passcode []byte) (key store.Key, err error) {
	if len(passcode) == 0 {
		return key, lockedFault()
	}
	secret, err := l.secret(dir, ks)
	if err != nil {
		return key, err
	}
	defer clear(secret[:])
	err = l.openLeased(ks, passcode, &secret)
	if errors.Is(err, errNoLease) {
		err = l.openAtHub(ctx, dir, passcode, &secret)
	}
	if err != nil {
		return key, err
	}
	return store.Key(l.opened.Key), nil
}

// openAtHub opens the slot with the hub's share, and moves it on to the hub's next key.
func (l *lock) openAtHub(ctx context.Context, dir string, passcode []byte, secret *vault.DeviceSecret) error {
	unlock, err := secret.UnlockKey(l.slot.ID)
	if err != nil {
		return err
	}
	first := l.slot.Generations()[0]
	codes := make(chan *vault.Code, 1)
	go func() { // the passcode is stretched while the hub is asked
		code, err := l.slot.Code(first, passcode)
		if err != nil {
			code = nil // it is stretched again, and fails there
		}
		codes <- code
	}()
	ask, err := askShare(ctx, l, unlock, passcode)
	code := <-codes
	if code != nil {
		defer code.Clear()
	}
	if err != nil {
		return unlockRefusal(err)
	}
	defer ask.link.close()
	generation, share, err := ask.current(l.slot)
	if err != nil {
		return err
	}
	defer clear(share[:])
	if generation != first || code == nil {
		if code, err = l.slot.Code(generation, passcode); err != nil {
			return err
		}
		defer code.Clear()
	}
	opened, err := l.slot.Open(generation, code, share, secret)
	if errors.Is(err, vault.ErrWrong) {
		return wrongPasscode(int(ask.answer.GetTriesLeft()))
	}
	if err != nil {
		return err
	}
	l.opened = opened
	moved, err := ask.moveOn(ctx, l, dir, generation, code, share, secret)
	if err != nil {
		return err
	}
	l.lease = &vault.Lease{Slot: l.slot.ID, Generation: moved, Share: *share, Granted: ask.hubTime, Seen: ask.hubTime, Ahead: time.Until(ask.hubTime)}
	return nil
}

// A shareAnswer is the hub's answer to a blinded passcode, and the connection to it.
type shareAnswer struct {
	link    *link
	attempt *vault.Attempt
	answer  *pb.VaultEvaluation
	hubTime time.Time
}

// askShare signs in as a locked device and asks for the share of a passcode. Whoever calls
// it closes the link.
func askShare(ctx context.Context, l *lock, unlock ed25519.PrivateKey, passcode []byte) (*shareAnswer, error) {
	attempt, err := vault.Begin(l.slot.ID, passcode)
	if err != nil {
		return nil, err
	}
	link, ready, err := dial(ctx, l.file.Hub, [32]byte(l.file.Pin), who{unlock: unlock})
	if err != nil {
		return nil, err
	}
	a := &shareAnswer{link: link, attempt: attempt, hubTime: time.UnixMilli(ready.GetTimeMs())}
	if err := a.ask(ctx, l.slot.ID, unlock); err != nil {
		link.close()
		return nil, err
	}
	return a, nil
}

func (a *shareAnswer) ask(ctx context.Context, slot vault.ID, unlock ed25519.PrivateKey) error {
	f, err := a.link.askSigned(ctx, func(request uint64) *pb.ClientFrame {
		return &pb.ClientFrame{Body: &pb.ClientFrame_VaultEvaluate{VaultEvaluate: &pb.VaultEvaluate{
			Slot: slot[:], Blinded: a.attempt.Blinded(),
			Signature: ed25519.Sign(unlock, wire.VaultBytes(a.link.nonce, request, wire.VaultAsk, slot, a.attempt.Blinded())),
		}}}
	})
	if err != nil {
		return err
	}
	if a.answer = f.GetVaultEvaluation(); a.answer == nil {
		return (&refusal{Code: wire.CodeVersion}).worded()
	}
	return nil
}

// current returns the share for the generation that the slot is wrapped for and the hub
// has the key of.
func (a *shareAnswer) current(s *vault.Slot) (generation uint64, share *vault.Share, err error) {
	for _, g := range s.Generations() {
		evaluated := a.answer.GetEvaluated()
		switch g {
		case a.answer.GetGeneration():
		case a.answer.GetNextGeneration():
			evaluated = a.answer.GetNextEvaluated()
		default:
			continue
		}
		out, err := a.attempt.Share(evaluated)
		return g, &out, err
	}
	return 0, nil, oldSlot()
}

// moveOn wraps an opened slot for the hub's next generation, makes that durable and has
// the hub destroy its older key. Then the older wrap goes, too, and share becomes the next
// generation's. When the hub can't be told, the slot stays at the generation that it was
// opened with: the next opening moves it on.
func (a *shareAnswer) moveOn(ctx context.Context, l *lock, dir string, generation uint64, code *vault.Code, share *vault.Share, secret *vault.DeviceSecret) (uint64, error) {
	next := a.answer.GetNextGeneration()
	fresh := *share
	defer clear(fresh[:])
	if generation != next {
		var err error
		if fresh, err = a.attempt.Share(a.answer.GetNextEvaluated()); err != nil {
			return 0, err
		}
		if err := l.slot.Wrap(next, code, &fresh, secret, l.opened); err != nil {
			return 0, err
		}
		if err := l.write(dir); err != nil {
			return 0, err
		}
	}
	if err := a.link.confirmSlot(ctx, l, next); err != nil {
		return generation, nil // not known whether the hub has moved on: both wraps stay
	}
	l.slot.Keep(next)
	*share = fresh
	return next, l.write(dir)
}

// confirmSlot proves that the slot is open and wrapped for a generation.
func (l *link) confirmSlot(ctx context.Context, k *lock, generation uint64) error {
	_, err := l.askSigned(ctx, func(request uint64) *pb.ClientFrame {
		return &pb.ClientFrame{Body: &pb.ClientFrame_VaultConfirm{VaultConfirm: &pb.VaultConfirm{
			Slot: k.slot.ID[:], Generation: generation,
			Proof: ed25519.Sign(k.opened.ProofKey(), wire.VaultBytes(l.nonce, request, wire.VaultProve, k.slot.ID, wire.VaultGeneration(generation))),
		}}}
	})
	return err
}

// dropSlot has the hub destroy the slot's keys.
func (l *link) dropSlot(ctx context.Context, k *lock) error {
	_, err := l.askSigned(ctx, func(request uint64) *pb.ClientFrame {
		return &pb.ClientFrame{Body: &pb.ClientFrame_VaultDrop{VaultDrop: &pb.VaultDrop{
			Slot: k.slot.ID[:], Proof: ed25519.Sign(k.opened.ProofKey(), wire.VaultBytes(l.nonce, request, wire.VaultDestroy, k.slot.ID, nil)),
		}}}
	})
	return err
}
