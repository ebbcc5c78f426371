package core

import (
	"errors"
	"fmt"
	"math"
	"time"

	"causa/internal/fault"
	"causa/wire"
)

// Errors of opening a home that has a passcode.
var (
	ErrLocked    = errors.New("the home is locked")                     // a passcode is needed
	ErrPasscode  = errors.New("not the passcode")                       // try again
	ErrWait      = errors.New("too many wrong passcodes: wait")         // try again later
	ErrTries     = errors.New("too many wrong passcodes")               // somebody else must give new tries
	ErrDestroyed = errors.New("the hub has destroyed the key")          // there is no way back
	ErrWeak      = errors.New("the passcode is not acceptable")         // choose another one
	errOldSlot   = errors.New("the slot is older than the hub's key")   // a copy was put back
	errNoSecret  = errors.New("the device's secret is not on this one") // the folder was copied
)

func lockedFault() error {
	return &fault.Error{Text: "Causa is locked on this device.", Hint: "Give its passcode.", Err: ErrLocked}
}

// wrongPasscode says that the passcode is wrong; left is how many tries are left, less
// than 0 when they are not counted.
func wrongPasscode(left int) error {
	f := &fault.Error{Text: "This is not the passcode.", Hint: "Try again.", Err: ErrPasscode}
	switch {
	case left == 0:
		return triesFault()
	case left > 0:
		f.Hint, f.HintArgs = "Tries left: %d. After the last one, an administrator must give new ones.", []any{left}
	}
	return f
}

func triesFault() error {
	return &fault.Error{
		Text: "This device is locked after too many wrong passcodes.",
		Hint: "Ask an administrator for new tries, or do it yourself from another device of yours.",
		Err:  ErrTries,
	}
}

func waitFault(d time.Duration) error {
	minutes := int(math.Ceil(d.Minutes()))
	return &fault.Error{
		Text: "There were too many wrong passcodes.", Hint: "Try again in %d min.", HintArgs: []any{minutes},
		Err: fmt.Errorf("%w %v", ErrWait, d),
	}
}

// unlockRefusal gives words to what the hub says to a locked device.
func unlockRefusal(err error) error {
	var r *refusal
	if !errors.As(err, &r) {
		if errors.Is(err, ErrOffline) {
			return &fault.Error{
				Text: "Causa can't be opened without the hub.",
				Hint: "Part of the key of this device is there. Check the network, then try again.",
				Err:  err,
			}
		}
		return err
	}
	switch r.Code {
	case wire.CodeVaultWait:
		return waitFault(time.Duration(r.RetryAfter) * time.Millisecond)
	case wire.CodeVaultLocked:
		return triesFault()
	case wire.CodeVaultNone:
		return &fault.Error{
			Text: "The key to what Causa keeps on this device was destroyed.",
			Hint: "Nothing here can be opened any more. Ask an administrator for a new invite if you still belong to the organisation.",
			Err:  errors.Join(ErrDestroyed, err),
		}
	}
	return r.worded()
}

func oldSlot() error {
	return &fault.Error{
		Text: "What Causa keeps on this device was put back to an earlier state.",
		Hint: "Its key is gone. Join again with a new invite.",
		Err:  errors.Join(ErrDestroyed, errOldSlot),
	}
}

func noSecret(err error) error {
	return &fault.Error{
		Text: "The secret of this device is missing.",
		Hint: "Was the folder copied from another computer? Join there with an invite of its own.",
		Err:  errors.Join(errNoSecret, err),
	}
}
