// Package screen is what all screens of the app share: the words and clock they use,
// how they do work away from the UI goroutine, and who is who.
package screen

import (
	"context"
	"errors"
	"time"

	"causa/internal/fault"
	"causa/internal/words"

	"fyne.io/fyne/v2"
)

// An Env is what every screen is handed. Its fields are used on the UI goroutine only,
// except Words, which is safe everywhere.
type Env struct {
	Words  *words.Catalogue
	Window fyne.Canvas
	People *People
	Log    func(err error) // records what a person was not told in full; may be nil

	// Now is the clock, in the time zone in which people read times.
	Now func() time.Time
	// Run does work on another goroutine and then calls done on the UI goroutine.
	Run func(work, done func())
	// Copy puts text on the clipboard.
	Copy func(text string)
	// Tell shows a few words for a moment: what worked, or why something did not.
	Tell func(text, hint string, failed bool)
}

// limit is how long a screen waits for the engine before it says that it took too long.
const limit = 60 * time.Second

// Do runs work away from the UI goroutine, then done, with work's error, on it.
func (e *Env) Do(work func(context.Context) error, done func(error)) {
	var err error
	e.Run(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		err = work(ctx)
	}, func() {
		if cause := unworded(err); cause != nil && e.Log != nil {
			e.Log(cause)
		}
		if done != nil {
			done(err)
		}
	})
}

// unworded returns what an error says beyond the words that a person is told, which may
// have names in them and belong in no log.
func unworded(err error) error {
	var worded *fault.Error
	if errors.As(err, &worded) {
		return worded.Err
	}
	return err
}

// T translates; see [words.Catalogue].
func (e *Env) T(key string, args ...any) string { return e.Words.T(key, args...) }

// Local returns t in the time zone in which people read times.
func (e *Env) Local(t time.Time) time.Time { return t.In(e.Now().Location()) }

// Fault returns what a person is told about err.
func (e *Env) Fault(err error) (text, hint string) {
	if errors.Is(err, context.DeadlineExceeded) {
		var worded *fault.Error
		if !errors.As(err, &worded) {
			return e.T("That took too long."), e.T("Check the connection and try again.")
		}
	}
	return fault.Words(err, e.Words.T)
}

// TellFault shows err, or nothing when it is nil.
func (e *Env) TellFault(err error) {
	if err != nil {
		text, hint := e.Fault(err)
		e.Tell(text, hint, true)
	}
}
