// Package lock is what stands before an account that has a passcode: the page that asks
// for it, and the sheet on which it is chosen. Neither says anything about the account.
package lock

import (
	"context"

	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// A Lock is the page that asks for the passcode.
type Lock struct {
	widget.BaseWidget
	env    *screen.Env
	code   *appwidget.Entry
	act    *appwidget.Button
	notice *appwidget.Notice
	page   *appwidget.Page
	ground *appwidget.Fill
	busy   bool
}

// New returns the page. Problem, which may be nil, is told at once. Unlock tries a passcode;
// opened is called on the UI goroutine when it was right.
func New(env *screen.Env, problem error, unlock func(ctx context.Context, passcode []byte) error, opened func()) *Lock {
	l := &Lock{env: env, notice: appwidget.NewNotice(), code: passcodeEntry(env.T("Passcode"))}
	l.act = appwidget.NewButton(env.T("Unlock"), appwidget.Primary, func() { l.try(unlock, opened) })
	l.act.Height = 40
	l.code.OnSubmitted = func(string) { l.try(unlock, opened) }
	card := appwidget.NewCard(appwidget.NewColumn(16,
		appwidget.NewCentre(appwidget.NewMark(64)),
		appwidget.NewHeading(env.T("Causa is locked"), 20).Centered(),
		l.notice, l.code, l.act))
	card.Inset = appwidget.Insets{Top: 28, Right: 30, Bottom: 28, Left: 30}
	if problem != nil {
		l.notice.Fail(env.Fault(problem))
	}
	column := appwidget.NewColumn(16, card).Inset(appwidget.Insets{Top: 24, Right: 16, Bottom: 24, Left: 16})
	column.Widest = 380
	l.page = appwidget.NewPage(column)
	l.page.Balanced = true
	l.ground = appwidget.NewFill(apptheme.Canvas, l.page)
	l.ExtendBaseWidget(l)
	return l
}

func passcodeEntry(placeholder string) *appwidget.Entry {
	e := appwidget.NewEntry(placeholder)
	e.Password = true
	return e
}

// Focus gives the keyboard to the entry, once the page is in the window.
func (l *Lock) Focus() { l.env.Window.Focus(l.code) }

func (l *Lock) try(unlock func(context.Context, []byte) error, opened func()) {
	if l.busy || l.code.Text == "" {
		return
	}
	l.busy = true
	passcode := []byte(l.code.Text)
	l.code.SetText("")
	label := l.act.Text()
	l.act.Disable()
	l.act.SetText(l.env.T("One moment…"))
	l.notice.Clear()
	l.page.Fit()
	l.env.Do(func(ctx context.Context) error {
		defer clear(passcode)
		return unlock(ctx, passcode)
	}, func(err error) {
		l.busy = false
		l.act.Enable()
		l.act.SetText(label)
		if err != nil {
			l.notice.Fail(l.env.Fault(err))
			l.page.Fit()
			l.Focus()
			return
		}
		opened()
	})
}

// CreateRenderer is part of fyne.Widget.
func (l *Lock) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(l.ground) }
