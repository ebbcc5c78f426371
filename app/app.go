// Package app is Causa's window: it puts the screens together, tells them what the
// engine tells it, and keeps what a person chose for this device.
package app

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"causa/app/admin"
	"causa/app/details"
	"causa/app/files"
	"causa/app/invite"
	"causa/app/matters"
	"causa/app/newmatter"
	"causa/app/people"
	"causa/app/quiet"
	"causa/app/screen"
	"causa/app/search"
	"causa/app/settings"
	apptheme "causa/app/theme"
	"causa/app/thread"
	"causa/app/welcome"
	"causa/core"
	"causa/internal/fault"
	"causa/internal/words"
	"causa/matter"

	"fyne.io/fyne/v2"
)

// An Engine is a signed-in device; [core.Client] is one.
type Engine interface {
	Status() core.Status
	Subscribe(f func(core.Event)) (cancel func())
	Members(ctx context.Context) ([]matter.Member, error)
	Lock() core.Lock

	matters.Engine
	thread.Engine
	details.Engine
	newmatter.Engine
	people.Engine
	invite.Engine
	settings.Engine
	quiet.Engine
	quiet.Sender
	files.Engine
	search.Engine
	admin.Engine
}

// Options say what the app needs. Window, and Join when there is no Engine, are needed;
// the rest has sensible zero values.
type Options struct {
	Window  fyne.Window
	Engine  Engine // nil: nobody is signed in yet
	Host    welcome.Host
	Join    func(ctx context.Context, r core.JoinRequest) (Engine, error)
	Locker  Locker // nil: this account can't have a passcode
	Link    string // an invite that the program was started with
	Device  string // how this computer is called
	Lang    string // overrules what was chosen
	Version string
	Log     *slog.Logger
	Choices Preferences // nil: Fyne's
	Problem error       // what went wrong before the window opened, to be told
	Wake    func()      // draws soon what came from another goroutine; may be nil
	Notify  bool        // show notifications on the desktop
	Raise   func()      // brings the window to the front; may be nil
	// Unread is told how many matters have something unread; may be nil.
	Unread func(n int, w *words.Catalogue)

	// For tests: a fixed clock, and work that is done before Run returns.
	Now   func() time.Time
	Run   func(work, done func())
	After func(d time.Duration, f func())
}

// Preferences keep what a person chose for this device, between starts.
type Preferences interface {
	String(key string) string
	SetString(key, value string)
}

// App is the window's content and what holds it together. Its methods are called on
// the UI goroutine, except [App.Close].
type App struct {
	opts   Options
	env    *screen.Env
	engine Engine
	cancel func()
	inbox  inbox
	over   atomic.Bool // the window is gone, or about to
	told   int         // counts toasts, so that an old one's end does not hide a new one

	shell    *shell
	list     *matters.List
	desk     *files.Desk
	thread   *thread.Thread
	panel    *details.Panel
	people   *people.Directory
	search   *search.Search
	admin    *admin.Admin
	settings *settings.Settings
	welcome  *welcome.Welcome
	quiet    *quiet.Screen // nil: was never open
	notifying
	begun bool      // the first list of matters has come
	want  matter.ID // to be opened as soon as the list has it
	away  bool      // another window is in front

	used     time.Time // when somebody last used the app
	trace    traces    // of that
	moves    int       // of the pointer
	watching int       // counts watches, so that an old one's end does not lock a new one
}

// The keys under which a person's choices are kept.
const (
	prefLanguage = "language"
	prefMode     = "mode"
	prefMatter   = "matter"
	prefNotices  = "notices"
)

// New fills the window.
func New(opts Options) *App {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Choices == nil {
		opts.Choices = fyne.CurrentApp().Preferences()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	a := &App{}
	if opts.Run == nil {
		opts.Run = func(work, done func()) {
			go func() {
				work()
				a.do(done)
			}()
		}
	}
	if opts.After == nil {
		opts.After = func(d time.Duration, f func()) { time.AfterFunc(d, func() { a.do(f) }) }
	}
	a.opts, a.engine = opts, opts.Engine
	a.inbox.do, a.inbox.deliver = a.do, a.deliver
	a.newEnv()
	a.setMode(a.mode())
	opts.Window.SetPadded(false)
	a.addShortcuts()
	if a.engine == nil && opts.Locker != nil && opts.Locker.Locked() {
		a.showLock(nil)
		return a
	}
	if a.engine == nil {
		a.showWelcome()
		return a
	}
	a.start()
	a.OpenLink(opts.Link)
	return a
}

// do has f called on the UI goroutine, and what it changed drawn; nothing is called once
// the app is over.
func (a *App) do(f func()) {
	fyne.Do(func() {
		if !a.over.Load() {
			f()
		}
	})
	if a.opts.Wake != nil {
		a.opts.Wake()
	}
}

// End says that the window is about to go: what other goroutines have for it comes too
// late. It may be called from any goroutine.
func (a *App) End() { a.over.Store(true) }

// newEnv gives the screens made from now on what they need. What earlier ones have begun
// and not finished yet is forgotten: it may be of an account that was left.
func (a *App) newEnv() {
	env := &screen.Env{
		Words:  words.For(Language(a.opts)),
		Window: a.opts.Window.Canvas(),
		People: screen.NewPeople(matter.MemberID{}, nil),
		Log:    func(err error) { a.opts.Log.Info("told a person", "error", err) },
		Now:    a.opts.Now,
		Copy:   func(text string) { fyne.CurrentApp().Clipboard().SetContent(text) },
		Tell:   a.tell,
	}
	env.Run = func(work, done func()) {
		a.opts.Run(work, func() {
			if a.env == env {
				done()
			}
		})
	}
	a.env = env
}

// Close stops listening to the engine, which is left to whoever opened it.
func (a *App) Close() {
	a.End()
	if a.cancel != nil {
		a.cancel()
	}
	if a.notifier != nil {
		a.notifier.Close()
		a.notifier = nil
	}
}

// OpenLink takes an invite that came from outside: from the command line, or from a
// second start of the program.
func (a *App) OpenLink(link string) {
	switch {
	case link == "":
	case a.engine != nil:
		a.env.TellFault(&fault.Error{Text: "There is a Causa account here already.", Hint: "Use another folder for another account."})
	default:
		a.opts.Link = link
		a.showWelcome()
	}
}

// Engine returns the engine, which may have come by joining; nil before that.
func (a *App) Engine() Engine { return a.engine }

// Language returns the language to use: the one asked for, the one chosen, or the
// system's.
func Language(o Options) string {
	if o.Lang != "" {
		return o.Lang
	}
	if o.Choices != nil {
		if l := o.Choices.String(prefLanguage); l != "" {
			return l
		}
	}
	if l := words.System(); l != "" && l != "C" && l != "POSIX" && l != "C.UTF-8" {
		return l
	}
	return fyne.CurrentDevice().Locale().String()
}

func (a *App) mode() apptheme.Mode {
	switch m := apptheme.Mode(a.opts.Choices.String(prefMode)); m {
	case apptheme.Light, apptheme.Dark:
		return m
	}
	return apptheme.System
}

func (a *App) setMode(m apptheme.Mode) {
	a.opts.Choices.SetString(prefMode, string(m))
	fyne.CurrentApp().Settings().SetTheme(apptheme.New(m))
}

// setLanguage builds all screens anew in another language; one stays where one was.
func (a *App) setLanguage(code string) {
	a.opts.Choices.SetString(prefLanguage, code)
	a.opts.Lang = ""
	if a.env.Words.Lang() == words.Match(code) {
		return
	}
	a.env.Words = words.For(code)
	if a.engine == nil {
		a.showWelcome()
		return
	}
	at := a.shell.at
	m, open := a.list.Matter(a.thread.ID())
	a.thread.Close()
	a.build()
	a.shell.at = at
	if open {
		a.openMatter(m)
	}
	a.list.Reload()
}

func (a *App) showWelcome() {
	a.welcome = welcome.New(a.env, welcome.Options{
		Host: a.opts.Host, Device: a.opts.Device, Link: a.opts.Link, Problem: a.opts.Problem,
		Join: func(ctx context.Context, r core.JoinRequest) error {
			engine, err := a.opts.Join(ctx, r)
			if err == nil {
				a.engine = engine
			}
			return err
		},
		Joined:      a.start,
		SetLanguage: a.setLanguage,
	})
	a.opts.Window.SetTitle("Causa 事由")
	a.opts.Window.SetContent(a.welcome)
	a.welcome.Focus()
}

// start shows the account of the engine.
func (a *App) start() {
	a.welcome = nil
	a.env.People = screen.NewPeople(a.engine.Me().Member.ID, []matter.Member{a.engine.Me().Member})
	a.build()
	a.openNotifier()
	a.cancel = a.engine.Subscribe(a.inbox.add)
	a.reloadPeople()
	a.list.Reload()
	a.watch()
	if a.opts.Problem != nil {
		a.env.TellFault(a.opts.Problem)
	}
}

// build makes all screens.
func (a *App) build() {
	env, engine := a.env, a.engine
	a.words.Store(env.Words)
	a.list = matters.New(env, engine)
	a.list.OnOpen = a.open
	a.list.OnNew = a.NewMatter
	a.list.OnLoaded = a.listed
	a.desk = a.newDesk()
	a.thread = thread.New(env, engine, a.desk)
	a.desk.Moved = a.thread.Attached
	a.opts.Window.SetOnDropped(func(_ fyne.Position, uris []fyne.URI) { a.Dropped(uris) })
	a.thread.OnBack = func() { a.Back() }
	a.thread.OnDetails = a.toggleDetails
	a.panel = details.New(env, engine)
	a.panel.OnClose = a.toggleDetails
	a.panel.OnFiles = a.desk.List
	a.people = people.New(env, engine)
	a.people.OnInvite = func() { invite.ShowPerson(env, engine) }
	a.people.OnMatter = func(with matter.MemberID) { newmatter.Show(env, engine, a.opened, with) }
	a.people.OnDevice = func(of matter.MemberID) { invite.ShowDevice(env, engine, of) }
	a.search = search.New(env, engine)
	a.search.OnFound = a.found
	a.admin = admin.New(env, engine)
	a.admin.OnInvite = func() { invite.ShowPerson(env, engine) }
	a.admin.OnPerson = func(id matter.MemberID) { a.people.Choose(id); a.Go(placePeople) }
	a.settings = settings.New(env, engine, settings.Choices{
		Mode: a.mode(), SetMode: a.setMode, SetLanguage: a.setLanguage, Version: a.opts.Version,
		Shortcuts:  a.showShortcuts,
		Lock:       a.lockRows,
		Quiet:      func() { a.quiet = quiet.Show(env, engine, a.visit) },
		Notices:    a.notices(),
		SetNotices: a.setNotices,
		LinkDevice: func() { invite.ShowDevice(env, engine, env.People.Self) },
	})
	a.shell = newShell(a)
	a.shell.showEmpty()
	a.showStatus(engine.Status())
	a.opts.Window.SetContent(a.shell)
}

// tell shows a few words at the top of the window for a moment.
func (a *App) tell(text, hint string, failed bool) {
	if a.shell == nil {
		return
	}
	if failed {
		a.shell.toast.Fail(text, hint)
	} else {
		a.shell.toast.Done(text)
	}
	a.shell.Refresh()
	a.told++
	told, shell := a.told, a.shell
	a.opts.After(8*time.Second, func() {
		if told == a.told {
			shell.toast.Clear()
		}
	})
}
