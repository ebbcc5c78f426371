package app

import (
	"context"
	"time"

	"causa/app/lock"
	appwidget "causa/app/widget"

	"fyne.io/fyne/v2"
)

// A Locker opens and closes the account of this device where a passcode guards it.
type Locker interface {
	// Locked reports whether the account waits for its passcode.
	Locked() bool
	// Unlock opens it.
	Unlock(ctx context.Context, passcode []byte) (Engine, error)
	// Lock closes the engine and forgets its keys.
	Lock() error
	// SetPasscode closes the engine, gives the account another passcode and opens it. Should
	// that fail, the engine it returns is the account as it was before, or nil when it is
	// locked now.
	SetPasscode(ctx context.Context, old, passcode []byte) (Engine, error)
}

// idleCheck is how often the app looks whether anybody uses it.
const idleCheck = 15 * time.Second

// asleep is how long a pause between two checks means that the computer slept.
const asleep = 2 * time.Minute

// showLock asks for the passcode. Nothing of the account is in the window or its title.
func (a *App) showLock(problem error) {
	page := lock.New(a.env, problem, func(ctx context.Context, passcode []byte) error {
		engine, err := a.opts.Locker.Unlock(ctx, passcode)
		if err == nil {
			a.engine = engine
		}
		return err
	}, a.start)
	a.opts.Window.SetTitle("Causa 事由")
	a.opts.Window.SetContent(page)
	page.Focus()
}

// Lock closes the account at once, if a passcode guards it, and asks for that.
func (a *App) Lock() {
	if a.engine == nil || a.opts.Locker == nil || !a.engine.Lock().Passcode {
		return
	}
	a.leave()
	a.showLock(nil)
	a.env.Do(func(context.Context) error { return a.opts.Locker.Lock() }, func(err error) {
		if err != nil {
			a.opts.Log.Error("lock", "err", err)
		}
	})
}

// leave takes all that is of the account out of the window.
func (a *App) leave() {
	a.Close()
	a.thread.Close()
	for _, o := range a.env.Window.Overlays().List() {
		a.env.Window.Overlays().Remove(o)
	}
	a.engine, a.shell, a.list, a.thread, a.panel, a.people, a.settings = nil, nil, nil, nil, nil, nil, nil
	a.begun = false
	a.watching++
	a.newEnv()
}

// setPasscode gives the account another passcode; the window stays as it is, with an
// engine opened anew.
func (a *App) setPasscode(ctx context.Context, old, passcode []byte) error {
	a.Close()
	engine, err := a.opts.Locker.SetPasscode(ctx, old, passcode)
	fyne.Do(func() {
		a.leave()
		if a.engine = engine; engine == nil {
			a.showLock(err)
			return
		}
		a.start()
		if err == nil {
			a.env.Tell(a.env.T("The passcode is set."), "", false)
		} else {
			a.env.TellFault(err)
		}
	})
	return nil
}

// lockRows are what the settings say of the lock; nil where there can be none.
func (a *App) lockRows() []fyne.CanvasObject {
	if a.opts.Locker == nil || a.engine == nil {
		return nil
	}
	return lock.Rows(a.env, a.engine.Lock(), a.setPasscode, a.Lock)
}

// watch locks the account when nobody uses it for as long as the policy says, and when the
// computer has slept.
func (a *App) watch() {
	if a.opts.Locker == nil || !a.engine.Lock().Passcode {
		return
	}
	a.watching++
	watch := a.watching
	a.used, a.trace = a.opts.Now(), a.traces()
	last := a.used
	var check func()
	check = func() {
		if watch != a.watching {
			return
		}
		now, trace := a.opts.Now(), a.traces()
		if trace != a.trace {
			a.used, a.trace = now, trace
		}
		if now.Sub(a.used) >= a.engine.Lock().Idle || now.Sub(last) >= asleep {
			a.Lock()
			return
		}
		last = now
		a.opts.After(idleCheck, check)
	}
	a.opts.After(idleCheck, check)
}

// traces are what use of the app leaves behind: what has the keyboard and what was typed
// there, what is open, where the pointer was last seen.
type traces struct {
	focused fyne.Focusable
	text    string
	overlay fyne.CanvasObject
	matter  string
	at      place
	moves   int
}

func (a *App) traces() traces {
	t := traces{focused: a.env.Window.Focused(), overlay: a.env.Window.Overlays().Top(), moves: a.moves}
	if e, ok := t.focused.(*appwidget.Entry); ok {
		t.text = e.Text
	}
	if a.shell != nil {
		t.at, t.matter = a.shell.at, a.thread.ID().String()
	}
	return t
}
