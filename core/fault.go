package core

import (
	"context"
	"errors"
	"fmt"

	"causa/internal/fault"
	"causa/matter"
	"causa/store"
	"causa/wire"
)

// Errors that callers branch on.
var (
	ErrNoAccount = errors.New("this home has no account")
	ErrAccount   = errors.New("this home has an account already")
	ErrOffline   = errors.New("the hub can't be reached")
	ErrRevoked   = errors.New("this device was taken out of the organisation")
	ErrClosed    = errors.New("the client is closed")
	ErrDamaged   = errors.New("the home's store can't be read") // joining anew sets it aside
)

// A refusal is a request the hub answered with a failure.
type refusal struct {
	Code       wire.Code
	RetryAfter uint32 // milliseconds
	Epoch      uint64
	Head       uint64
	Want       uint64
}

func (r *refusal) Error() string { return fmt.Sprintf("the hub refused: code %d", r.Code) }

// refused reports whether err is a refusal with the given code.
func refused(err error, code wire.Code) bool {
	var r *refusal
	return errors.As(err, &r) && r.Code == code
}

// offline tells a person that the hub can't be reached.
func offline(err error) error {
	return &fault.Error{
		Text: "The hub can't be reached.",
		Hint: "Check the network. Nothing is lost: Causa goes on by itself when the hub is back.",
		Err:  errors.Join(ErrOffline, err),
	}
}

// worded gives words to errors of layers that have none, where their cause is certain.
func worded(err error) error {
	var f *fault.Error
	var name *matter.NameError
	var r *refusal
	switch {
	case err == nil || errors.As(err, &f):
		return err
	case errors.As(err, &name):
		text, hint := name.Words()
		return &fault.Error{Text: text, Hint: hint, Err: err}
	case errors.Is(err, store.ErrDiskFull):
		return &fault.Error{
			Text: "The disk of this computer is full.",
			Hint: "Make some room, then try again. What was there before is unharmed.",
			Err:  err,
		}
	case errors.Is(err, context.DeadlineExceeded):
		return &fault.Error{
			Text: "The hub took too long to answer.",
			Hint: "Nothing is lost. Try again in a moment.",
			Err:  err,
		}
	case errors.Is(err, errSequence):
		return &fault.Error{
			Text: "The hub's record of a matter has gaps.",
			Hint: "Nothing is shown that can't be proven. Tell whoever runs the hub.",
			Err:  err,
		}
	case errors.As(err, &r):
		return r.worded()
	}
	return err
}

// refusalWords has a sentence and a hint for each refusal a person can meet.
var refusalWords = map[wire.Code][2]string{
	wire.CodeInternal:       {"The hub has a problem of its own.", "Try again later, or tell whoever runs the hub."},
	wire.CodeTooLarge:       {"This is larger than the hub takes.", "Make it smaller and try again."},
	wire.CodeVersion:        {"This version of Causa and the hub do not understand each other.", "Update Causa, or ask whoever runs the hub to update it."},
	wire.CodeSignIn:         {"The hub does not know this device or invite.", "Ask an administrator for a new invite."},
	wire.CodeRevoked:        {"This device was taken out of the organisation.", "Ask an administrator for a new invite if you still belong to it."},
	wire.CodeLocked:         {"This device is locked.", "Unlock it from another device of yours, or ask an administrator."},
	wire.CodeInvite:         {"This invite can't be used any more.", "It was used already, withdrawn or has expired. Ask for a new one."},
	wire.CodeAlreadyFounded: {"This hub has its organisation already.", "Ask a member of it for an invite."},
	wire.CodeNotAllowed:     {"You are not allowed to do this.", "Ask an administrator of the organisation."},
	wire.CodeLogRefused:     {"You are not allowed to do this.", "Ask an administrator of the organisation."},
	wire.CodeClock:          {"The clock of this computer is wrong.", "Set the time and try again."},
	wire.CodeNoMatter:       {"You are not in this matter, or it does not exist.", "Ask a participant to add you."},
	wire.CodeBusy:           {"The hub asks to slow down.", "Causa tries again by itself in a moment."},
	wire.CodeFull:           {"The hub's disk is full.", "Nothing is lost. Tell whoever runs the hub; Causa sends what waits when there is room."},
	wire.CodeNoBlob:         {"The hub does not have this file any more.", "Ask whoever sent it to send it again."},
	wire.CodeBlobQuota:      {"There is no more room for files at the hub.", "Ask whoever runs the hub for more room, or send a smaller file."},
	wire.CodeUnavailable:    {"The hub can't reach what it keeps.", "Nothing is lost. Causa sends what waits when the hub can."},
	wire.CodeQuiet:          {"The hub can't use these quiet hours.", "They hold on your devices. Ask whoever runs the hub to update it."},
	wire.CodeUrgentBudget:   {"You have used up your urgent messages of these 24 hours.", "Send it as an ordinary message; it arrives when quiet hours end."},
	wire.CodeWakeHost:       {"The hub sends no wake-ups to this address.", "Ask whoever runs the hub which hosts it allows."},
	wire.CodeReplaced:       {"This device is connected from somewhere else too.", "Was this home copied? Each device needs its own."},
}

func (r *refusal) worded() error {
	w, ok := refusalWords[r.Code]
	if !ok {
		w = refusalWords[wire.CodeInternal]
	}
	var err error = r
	if r.Code == wire.CodeRevoked {
		err = errors.Join(ErrRevoked, r)
	}
	return &fault.Error{Text: w[0], Hint: w[1], Err: err}
}
