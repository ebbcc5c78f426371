package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"causa/app"
	"causa/app/apptest"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/internal/fault"

	"fyne.io/fyne/v2"
)

// A locker guards an engine in memory.
type locker struct {
	engine *apptest.Engine
	code   string
	open   bool
	locks  int
}

func newLocker(code string) *locker {
	e, _ := apptest.Company()
	e.SetLock(core.Lock{Passcode: code != "", Minimum: 6, Idle: 5 * time.Minute, Keystore: true, Lease: 71 * time.Hour})
	return &locker{engine: e, code: code}
}

func (l *locker) Locked() bool { return l.code != "" && !l.open }

func (l *locker) Unlock(_ context.Context, passcode []byte) (app.Engine, error) {
	if string(passcode) != l.code {
		return nil, &fault.Error{Text: "This is not the passcode.", Hint: "Try again.", Err: core.ErrPasscode}
	}
	l.open = true
	return l.engine, nil
}

func (l *locker) Lock() error {
	l.open = false
	l.locks++
	return nil
}

func (l *locker) SetPasscode(_ context.Context, old, passcode []byte) (app.Engine, error) {
	if string(old) != l.code {
		l.open = false
		return nil, core.ErrPasscode
	}
	l.code = string(passcode)
	lock := l.engine.Lock()
	lock.Passcode = true
	l.engine.SetLock(lock)
	return l.engine, nil
}

// said returns all the words in a window.
func said(w fyne.Window) string {
	var b strings.Builder
	for _, o := range visible(top(w)) {
		if x, ok := o.(interface{ Text() string }); ok {
			b.WriteString(x.Text() + "\n")
		}
	}
	return b.String()
}

func TestGoldenLock(t *testing.T) {
	for _, l := range []look{wideZh, phoneEn} {
		t.Run(l.name, func(t *testing.T) {
			k := newLocker("123456")
			_, w := open(t, l, nil, func(o *app.Options) { o.Locker = k })
			typeText(entry(t, w, l.tr("Passcode")), "guess")
			press(t, w, l.tr("Unlock"))
			golden(t, "lock-"+l.name, w)
		})
	}
	t.Run("settings", func(t *testing.T) {
		k := newLocker("123456")
		k.open = true
		a, w := open(t, wideZh, k.engine, func(o *app.Options) { o.Locker = k })
		a.Go(app.Settings)
		golden(t, "settings-lock-"+wideZh.name, w)
		press(t, w, wideZh.tr("Change the passcode"))
		golden(t, "passcode-"+wideZh.name, w)
	})
}

func TestLockAndUnlock(t *testing.T) {
	k := newLocker("123456")
	k.open = true
	a, w := open(t, wideEn, k.engine, func(o *app.Options) { o.Locker = k })
	pressAnyMatter(t, w)
	if w.Title() == "Causa 事由" {
		t.Errorf("title %q says nothing", w.Title())
	}
	a.Lock()
	if k.open || k.locks != 1 {
		t.Error("the account was not closed")
	}
	if w.Title() != "Causa 事由" {
		t.Errorf("the title of a locked window is %q", w.Title())
	}
	if words := said(w); strings.Contains(words, "Hengda") {
		t.Errorf("a locked window says %q", words)
	}
	k.engine.Say(k.engine.Newest().ID, k.engine.Me().Member.ID, apptest.Now, "nobody hears this")
	press(t, w, "Unlock") // without a passcode nothing happens
	typeText(entry(t, w, "Passcode"), "wrong")
	press(t, w, "Unlock")
	if !strings.Contains(said(w), "This is not the passcode.") {
		t.Errorf("a wrong passcode: %q", said(w))
	}
	typeText(entry(t, w, "Passcode"), "123456")
	press(t, w, "Unlock")
	if a.Engine() == nil || !strings.Contains(w.Title(), "(") && !strings.Contains(w.Title(), "·") {
		t.Errorf("unlocked, but the title is %q", w.Title())
	}
}

func TestLocksWhenIdle(t *testing.T) {
	k := newLocker("123456")
	k.open = true
	now := apptest.Now
	var check func()
	a, w := open(t, wideEn, k.engine, func(o *app.Options) {
		o.Locker = k
		o.Now = func() time.Time { return now }
		o.After = func(d time.Duration, f func()) {
			if d == 15*time.Second {
				check = f
			}
		}
	})
	tick := func() {
		now = now.Add(15 * time.Second)
		check()
	}
	for range 19 {
		tick()
	}
	if a.Engine() == nil {
		t.Fatal("locked before five minutes had passed")
	}
	a.Go(app.People) // somebody is there
	for range 19 {
		tick()
	}
	if a.Engine() == nil {
		t.Fatal("locked while somebody used it")
	}
	tick()
	tick()
	if a.Engine() != nil {
		t.Fatal("not locked after five minutes")
	}
	typeText(entry(t, w, "Passcode"), "123456")
	press(t, w, "Unlock")
	now = now.Add(time.Hour) // the computer sleeps
	check()
	if a.Engine() != nil {
		t.Error("not locked after the computer has slept")
	}
}

func TestNoPasscodeNoLock(t *testing.T) {
	k := newLocker("")
	a, _ := open(t, wideEn, k.engine, func(o *app.Options) {
		o.Locker = k
		o.After = func(d time.Duration, _ func()) {
			if d == 15*time.Second {
				t.Error("an account without a passcode is watched")
			}
		}
	})
	a.Lock()
	if a.Engine() == nil {
		t.Error("locked without a passcode")
	}
}

func TestSetPasscode(t *testing.T) {
	k := newLocker("")
	a, w := open(t, wideEn, k.engine, func(o *app.Options) { o.Locker = k })
	a.Go(app.Settings)
	press(t, w, "Set a passcode")
	es := entries(w)
	if len(es) != 2 {
		t.Fatalf("%d entries", len(es))
	}
	typeText(es[0], "correct horse")
	typeText(es[1], "correct hors")
	press(t, w, "Set the passcode")
	if k.code != "" || !strings.Contains(said(w), "two different passcodes") {
		t.Errorf("two different ones: %q", said(w))
	}
	es[1].SetText("correct horse")
	press(t, w, "Set the passcode")
	if k.code != "correct horse" || a.Engine() == nil {
		t.Errorf("code %q", k.code)
	}
	a.Lock()
	if a.Engine() != nil {
		t.Error("the new passcode locks nothing")
	}
}

// entries returns the entries to be seen, from top to bottom.
func entries(w fyne.Window) (out []*appwidget.Entry) {
	for _, o := range visible(top(w)) {
		if e, ok := o.(*appwidget.Entry); ok {
			out = append(out, e)
		}
	}
	return out
}
