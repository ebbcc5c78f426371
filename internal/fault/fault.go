// Package fault carries errors whose words are written for the person who reads them.
package fault

import (
	"errors"
	"fmt"
)

// An Error is what a person is told when something can't be done. Text and Hint are
// English sentences and at the same time the keys of their translations; their
// verbs are filled from TextArgs and HintArgs.
type Error struct {
	Text     string
	Hint     string
	TextArgs []any
	HintArgs []any
	Err      error // the cause, for the log only
}

func (e *Error) Error() string {
	s := fmt.Sprintf(e.Text, e.TextArgs...)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// General is what is shown for an error that carries no words.
const General = "Something went wrong that Causa has no words for."

// Words returns what a person is told about err, passing each sentence through
// translate (which may be nil). An error without words gives the general sentence.
func Words(err error, translate func(key string, args ...any) string) (text, hint string) {
	if translate == nil {
		translate = fmt.Sprintf
	}
	var e *Error
	if !errors.As(err, &e) {
		return translate(General), ""
	}
	text = translate(e.Text, e.TextArgs...)
	if e.Hint != "" {
		hint = translate(e.Hint, e.HintArgs...)
	}
	return text, hint
}
