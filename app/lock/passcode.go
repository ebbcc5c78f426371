package lock

import (
	"context"
	"time"

	"causa/app/screen"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/internal/fault"

	"fyne.io/fyne/v2"
)

// Set gives the device a passcode, or with an empty one takes it away; old is the one it
// has.
type Set func(ctx context.Context, old, passcode []byte) error

// Rows say in the settings how the device is locked, and let that be changed.
func Rows(env *screen.Env, l core.Lock, set Set, lockNow func()) []fyne.CanvasObject {
	var state string
	switch {
	case l.Required:
		state = env.T("Your organisation wants a passcode on every device.")
	case !l.Passcode:
		state = env.T("No passcode: whoever can open this computer can read what is here.")
	case l.Lease > 0:
		state = env.T("Opens with the passcode; for %s also without the hub.", left(env, l.Lease))
	default:
		state = env.T("Opens with the passcode and the hub.")
	}
	label := env.T("Set a passcode")
	if l.Passcode {
		label = env.T("Change the passcode")
	}
	buttons := []fyne.CanvasObject{appwidget.NewIconButton("key-round", label, appwidget.Quiet, func() { Show(env, l, set) })}
	if l.Passcode {
		buttons = append(buttons, appwidget.NewIconButton("lock", env.T("Lock now"), appwidget.Quiet, lockNow))
	}
	rows := []fyne.CanvasObject{appwidget.NewText(state).Wrapped()}
	for _, b := range buttons {
		rows = append(rows, appwidget.NewRow(0, 1, b, appwidget.NewSpace(0, 0)))
	}
	return rows
}

// left says how long a lease lasts.
func left(env *screen.Env, d time.Duration) string {
	if d >= 2*time.Hour {
		return env.T("%d h", int(d.Hours()))
	}
	return env.T("%d min", max(1, int(d.Minutes())))
}

// Show opens the sheet on which a passcode is chosen.
func Show(env *screen.Env, l core.Lock, set Set) {
	old, first, again := passcodeEntry(""), passcodeEntry(""), passcodeEntry("")
	notice := appwidget.NewNotice()
	body := appwidget.NewColumn(14,
		appwidget.NewSmall(env.T("It becomes part of the key to what is on this device. Nobody can bring a forgotten one back: then you are invited again, and what was only here is gone.")).Wrapped(),
		notice)
	if l.Passcode {
		body.Add(appwidget.NewField(env.T("Passcode now"), old, ""))
	}
	body.Add(appwidget.NewField(env.T("New passcode"), first, env.T("It must have at least %d characters.", l.Minimum)),
		appwidget.NewField(env.T("Once more"), again, ""))
	var sheet *appwidget.Sheet
	var act *appwidget.Button
	busy := false
	submit := func() {
		if busy {
			return
		}
		if first.Text != again.Text {
			notice.Fail(env.Fault(&fault.Error{Text: "These are two different passcodes.", Hint: "Try again."}))
			sheet.Fit()
			return
		}
		busy = true
		act.Disable()
		was, code := []byte(old.Text), []byte(first.Text)
		env.Do(func(ctx context.Context) error {
			defer clear(was)
			defer clear(code)
			return set(ctx, was, code)
		}, func(err error) {
			busy = false
			act.Enable()
			if err != nil {
				notice.Fail(env.Fault(err))
				sheet.Fit()
				return
			}
			sheet.Close()
		})
	}
	act = appwidget.NewButton(env.T("Set the passcode"), appwidget.Primary, submit)
	act.Height = 40
	again.OnSubmitted = func(string) { submit() }
	sheet = appwidget.ShowSheet(env.Window, env.T("Passcode"), 420, body, act)
	if l.Passcode {
		env.Window.Focus(old)
	} else {
		env.Window.Focus(first)
	}
}
