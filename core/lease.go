package core

import (
	"context"
	"errors"
	"time"

	"causa/crypto/vault"
)

const (
	leaseCheck  = time.Minute      // how often a lease is looked at
	leaseNote   = 10 * time.Minute // how often it is written anew at most
	leaseWrongs = 5                // after so many wrong passcodes in a row it ends
)

var errNoLease = errors.New("no lease opens this slot now")

// LockDue says that the time is over for which this device may be open without the hub:
// whoever shows it should lock.
type LockDue struct{}

func (LockDue) event() {}

// openLeased opens the slot with the share that the keystore holds. The error is
// errNoLease when it holds none that is good.
func (l *lock) openLeased(ks Keystore, passcode []byte, secret *vault.DeviceSecret) error {
	if ks == nil {
		return errNoLease
	}
	b, err := ks.Secret(leaseKey(l.slot.ID))
	if err != nil || b == nil {
		return errNoLease
	}
	defer clear(b)
	lease, err := vault.ParseLease(b, l.slot.ID)
	if err != nil || lease.Left(time.Now()) == 0 {
		return errors.Join(errNoLease, ks.DropSecret(leaseKey(l.slot.ID)))
	}
	code, err := l.slot.Code(lease.Generation, passcode)
	if err != nil {
		return errNoLease // the slot has moved on
	}
	defer code.Clear()
	opened, err := l.slot.Open(lease.Generation, code, &lease.Share, secret)
	if errors.Is(err, vault.ErrWrong) {
		// Nobody counts these but this device: after a few, the hub does.
		if lease.Wrong++; lease.Wrong >= leaseWrongs {
			return errors.Join(wrongPasscode(-1), ks.DropSecret(leaseKey(l.slot.ID)))
		}
		return errors.Join(wrongPasscode(-1), ks.SetSecret(leaseKey(l.slot.ID), lease.Bytes()))
	}
	if err != nil {
		return err
	}
	lease.Wrong = 0
	lease.Note(time.Now())
	l.opened, l.lease = opened, lease
	return ks.SetSecret(leaseKey(l.slot.ID), lease.Bytes())
}

// leaseTerm is how long leases are by policy.
func (d *directory) leaseTerm() time.Duration {
	if d.module != "" {
		return 0 // a sealed module opens with the hub only
	}
	return time.Duration(d.number(leasePolicy, 72)) * time.Hour
}

// leaseLeft is for how long this device may still be opened without the hub.
func (c *Client) leaseLeft() time.Duration {
	c.leaseMu.Lock()
	defer c.leaseMu.Unlock()
	if c.home.keystore == nil || c.home.slot == nil || c.home.slot.lease == nil {
		return 0
	}
	return c.home.slot.lease.Left(time.Now())
}

// tendLease keeps the lease of an open device: while the hub is there it grows, and the
// time that passes is noted, so that a clock that is turned back does not stretch it. It
// reports whether there was a lease that is over.
func (c *Client) tendLease() (over bool) {
	c.leaseMu.Lock()
	defer c.leaseMu.Unlock()
	k, ks := c.home.slot, c.home.keystore
	if k == nil || k.lease == nil || ks == nil {
		return false
	}
	now, term, write := time.Now(), c.dir.leaseTerm(), false
	l := k.lease
	had := !l.Expires.IsZero()
	switch online := c.link.Load() != nil; {
	case online && term == 0:
		c.logKeystore(ks.DropSecret(leaseKey(k.slot.ID)))
		l.Expires = time.Time{}
		return false
	case online:
		l.Ahead = time.Duration(c.clock.Load())
		if end := c.now().Add(term); end.Sub(l.Expires).Abs() > leaseNote {
			l.Granted, l.Expires, write = c.now(), end, true
			l.Seen = l.Granted
		}
	case !had && term > 0: // the hub has just opened this slot
		l.Expires, write = l.Granted.Add(term), true
	}
	if now.Add(l.Ahead).Sub(l.Seen) > leaseNote {
		write = l.Note(now) || write
	}
	if write {
		c.logKeystore(ks.SetSecret(leaseKey(k.slot.ID), l.Bytes()))
	}
	return had && l.Left(now) == 0
}

func (c *Client) logKeystore(err error) {
	if err != nil {
		c.log.Warn("the system's keystore does not work", "err", err)
	}
}

// keepLease tends the lease until ctx ends.
func (c *Client) keepLease(ctx context.Context) {
	t := time.NewTicker(leaseCheck)
	defer t.Stop()
	for {
		if c.tendLease() {
			c.events.tell(LockDue{})
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}
