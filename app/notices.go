package app

import (
	"context"
	"strconv"
	"sync/atomic"

	"causa/app/notify"
	"causa/app/quiet"
	"causa/core"
	"causa/internal/words"
	"causa/matter"
)

// notifying is what the notifier asks on its own goroutine.
type notifying struct {
	notifier *notify.Notifier // nil: there are no notifications
	detail   atomic.Int32
	words    atomic.Pointer[words.Catalogue]
}

// notices returns how much of a message notifications show.
func (a *App) notices() int {
	n, err := strconv.Atoi(a.opts.Choices.String(prefNotices))
	if err != nil || n < 0 || n > int(notify.Text) {
		return int(notify.Nothing)
	}
	return n
}

func (a *App) setNotices(n int) {
	a.opts.Choices.SetString(prefNotices, strconv.Itoa(n))
	a.detail.Store(int32(n))
}

// openNotifier begins to show notifications.
func (a *App) openNotifier() {
	a.quiet = nil // of an account that was left
	a.detail.Store(int32(a.notices()))
	if !a.opts.Notify || a.notifier != nil {
		return
	}
	a.notifier = notify.New(notify.Options{
		T:      func(key string, args ...any) string { return a.words.Load().T(key, args...) },
		Detail: func() notify.Detail { return notify.Detail(a.detail.Load()) },
		Open:   func(id matter.ID) { a.do(func() { a.clicked(id) }) },
		Log:    a.opts.Log,
	})
}

// notified shows a notification, unless somebody is looking at what it is about.
func (a *App) notified(n core.Notice) {
	if a.notifier == nil || n.Kind == core.NoticeMessage && !a.away && a.thread.ID() == n.Matter {
		return
	}
	m, _ := a.list.Matter(n.Matter)
	a.notifier.Notice(n, m.Title, a.env.People.Member(n.Message.Author).Name)
}

// seen takes away the notification of what was read, here or on another device.
func (a *App) seen(e core.Seen) {
	if a.notifier != nil {
		a.notifier.Seen(e.Matter, e.Seq)
	}
}

// quietChanged shows quiet hours anew where they are open, and takes the digest's
// notification away once it was taken.
func (a *App) quietChanged() {
	if a.quiet != nil {
		a.quiet.Reload()
	}
	if a.notifier == nil {
		return
	}
	var now core.QuietNow
	engine := a.engine
	a.env.Do(func(ctx context.Context) (err error) {
		now, err = engine.QuietNow(ctx)
		return err
	}, func(err error) {
		if err == nil && now.Due == 0 && a.notifier != nil {
			a.notifier.DigestTaken()
		}
	})
}

// clicked opens what a notification is about.
func (a *App) clicked(id matter.ID) {
	if a.opts.Raise != nil {
		a.opts.Raise()
	}
	if a.shell == nil {
		return // the app is locked
	}
	if id.IsZero() {
		quiet.ShowDigest(a.env, a.engine, a.visit)
		return
	}
	a.visit(id)
}

// visit opens a matter of the list.
func (a *App) visit(id matter.ID) {
	if m, ok := a.list.Matter(id); ok {
		a.open(m)
	}
}
