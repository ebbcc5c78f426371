package app

import (
	"context"
	"sync"

	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/internal/fault"
	"causa/internal/words"
	"causa/matter"

	"fyne.io/fyne/v2"
)

// An inbox takes the engine's events on its goroutines and hands them to the UI
// goroutine in batches: while the window is busy, a catch-up of a thousand messages
// waits as one.
type inbox struct {
	do      func(func()) // calls on the UI goroutine
	deliver func([]core.Event)

	mu      sync.Mutex // guards waiting
	waiting []core.Event
}

func (in *inbox) add(e core.Event) {
	in.mu.Lock()
	in.waiting = append(in.waiting, e)
	first := len(in.waiting) == 1
	in.mu.Unlock()
	if first {
		in.do(in.flush)
	}
}

func (in *inbox) flush() {
	in.mu.Lock()
	events := in.waiting
	in.waiting = nil
	in.mu.Unlock()
	in.deliver(events)
}

// deliver tells the screens what happened, each thing that needs reading only once.
func (a *App) deliver(events []core.Event) {
	if a.shell == nil {
		return // the account was left meanwhile
	}
	var list, people, quiet bool
	var status *core.Status
	for _, e := range events {
		switch e := e.(type) {
		case core.StatusChanged:
			status = &e.Status
		case core.MatterChanged:
			list = true
		case core.MessageAdded:
			a.thread.Added(e.Message)
		case core.MessageChanged:
			a.thread.Changed(e.Message)
		case core.FileProgress:
			a.desk.Progress(e)
		case core.FileChanged:
			a.desk.Changed(e.File)
			a.thread.Fetched(e.File)
		case core.DirectoryChanged:
			people = true
		case core.Notified:
			a.notified(e.Notice)
		case core.Seen:
			a.seen(e)
		case core.QuietChanged:
			quiet = true
		case core.LockDue:
			a.Lock()
			return
		case core.Shut:
			a.shut(e.Reason)
			return
		}
	}
	if status != nil {
		a.showStatus(*status)
	}
	if people {
		a.reloadPeople()
	}
	if list {
		a.list.Reload()
	}
	if quiet {
		a.quietChanged()
	}
}

func (a *App) showStatus(s core.Status) {
	a.thread.SetStatus(s)
	a.list.SetStatus(s)
}

// reloadPeople reads the directory and shows the names anew.
func (a *App) reloadPeople() {
	var members []matter.Member
	a.env.Do(func(ctx context.Context) (err error) {
		members, err = a.engine.Members(ctx)
		return err
	}, func(err error) {
		if err != nil {
			a.env.TellFault(err)
			return
		}
		a.env.People = screen.NewPeople(a.engine.Me().Member.ID, members)
		a.list.Renamed()
		a.thread.Renamed()
		a.panel.Renamed()
		a.people.Reload()
		a.settings.Reload()
		a.setTitle(a.list.Unread())
	})
}

// shut replaces everything by why the engine has stopped for good.
func (a *App) shut(reason error) {
	for _, o := range a.env.Window.Overlays().List() {
		a.env.Window.Overlays().Remove(o)
	}
	text, hint := a.env.Fault(reason)
	a.opts.Window.SetContent(stop(text, hint))
	a.Close()
}

// Refuse fills the window with why the app can't open.
func Refuse(opts Options, err error) {
	mode := apptheme.System
	if opts.Choices != nil {
		mode = apptheme.Mode(opts.Choices.String(prefMode))
	}
	fyne.CurrentApp().Settings().SetTheme(apptheme.New(mode))
	opts.Window.SetPadded(false)
	opts.Window.SetContent(stop(fault.Words(err, words.For(Language(opts)).T)))
}

// stop is a page on which there is nothing to do but read.
func stop(text, hint string) fyne.CanvasObject {
	column := appwidget.NewColumn(14,
		appwidget.NewCentre(appwidget.NewIcon("lock").Sized(36).In(apptheme.SealText)),
		appwidget.NewHeading(text, apptheme.SizeTitle).Wrapped().Centered(),
		appwidget.NewText(hint).Wrapped().Centered().In(apptheme.Muted))
	column.Insets = appwidget.Around(24)
	return appwidget.NewFill(apptheme.Canvas, appwidget.NewCentre(appwidget.NewBox(440, 0, column)))
}
