// Command causa is the app: a window onto one device of one member.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"causa/app"
	"causa/assets"
	"causa/core"
	"causa/internal/fault"
	"causa/internal/words"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"
)

// version is what the settings show; a release is built with -ldflags "-X main.version=…".
var version = "0.1.0"

func main() { os.Exit(run()) }

// options are what the command line says.
type options struct {
	home, lang, listen, link string
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("causa", flag.ContinueOnError)
	f.StringVar(&o.home, "home", "", "the folder that is this device (default: $CAUSA_HOME, else causa in the user's configuration folder)")
	f.StringVar(&o.lang, "lang", "", "the language: zh-Hans or en (default: the one chosen in the settings, else the system's)")
	f.StringVar(&o.listen, "listen", "", "where a workspace created on this computer listens, as host:port")
	f.Usage = func() {
		_, _ = fmt.Fprintln(f.Output(), "usage: causa [--home DIR] [--lang LANGUAGE] [--listen ADDRESS] [causa://INVITE]")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.link = f.Arg(0)
	if f.NArg() > 1 || o.link != "" && !isLink(o.link) {
		f.Usage()
		return o, errors.New("only an invite may follow the flags")
	}
	if o.home == "" {
		o.home = os.Getenv("CAUSA_HOME")
	}
	if o.home == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return o, fmt.Errorf("find the user's configuration folder: %w", err)
		}
		o.home = filepath.Join(dir, "causa")
	}
	return o, nil
}

// isLink reports whether a text may be an invite; the engine looks closer.
func isLink(s string) bool { return strings.HasPrefix(s, "causa:") }

func run() int {
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		_, _ = fmt.Fprintln(os.Stderr, "causa:", err)
		return 2
	}
	if handOver(o.home, o.link) {
		return 0
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	debug.SetGCPercent(50) // a window that is open all day: rather small than fast
	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	fyneApp := fyneapp.NewWithID("im.causa.Causa")
	still(fyneApp)
	fyneApp.SetIcon(fyne.NewStaticResource("causa.png", assets.Mark))
	window := fyneApp.NewWindow("Causa 事由")
	choices := openPreferences(o.home, log)
	window.Resize(choices.windowSize())
	opts := app.Options{
		Window: window, Choices: choices, Notify: true, Raise: window.RequestFocus, Link: o.link, Lang: o.lang, Version: version, Log: log, Wake: wake,
	}
	if opts.Device, err = os.Hostname(); err != nil {
		opts.Device = "" // the engine finds a name of its own
	}

	// A hub that this computer is starts first: the engine below signs in to it.
	host := newWorkspace(o.home, o.listen, log)
	defer host.close()
	opts.Problem = host.resume()

	dev := &device{opts: core.Options{Home: o.home, Keystore: core.SystemKeystore(), Log: log}, ctx: ctx}
	opts.Locker = dev
	switch err := dev.open(); {
	case err == nil:
		opts.Engine = dev.client
	case errors.Is(err, core.ErrLocked): // the window asks for the passcode
	case errors.Is(err, core.ErrNoAccount):
		opts.Host, opts.Join = host, dev.join
	case errors.Is(err, core.ErrDamaged):
		opts.Join, opts.Problem = dev.join, err
	default:
		log.Error("open the account", "err", err)
		return refuse(opts, err)
	}
	raise := func() { window.Show(); window.RequestFocus() }
	var a *app.App
	quit := func() {
		a.End()
		choices.setWindowSize(window.Canvas().Size())
		window.Close()
		fyneApp.Quit() // the tray alone would keep it running
	}
	window.SetCloseIntercept(quit)
	beside := newTray(fyneApp, raise, quit)
	beside.set(0, words.For(app.Language(opts))) // before the window: later ones are not shown
	opts.Unread = beside.set
	a = app.New(opts)
	defer onSignal(a.End)()
	later := listen(o.home, log, func(link string) {
		fyne.Do(func() { raise(); a.OpenLink(link) })
		wake()
	})
	defer later.close()
	registerOnce(ctx, choices, log)
	show(window)
	a.Close()
	stop() // a join that is on its way ends here
	if err := dev.close(); err != nil {
		log.Error("close the account", "err", err)
		return 1
	}
	return 0
}

// A device is the engine, which is there from the start or comes by joining.
type device struct {
	opts core.Options
	ctx  context.Context // ends with the window, which joins must not outlive

	mu     sync.Mutex // held while joining
	client *core.Client
}

func (d *device) open() (err error) {
	d.client, err = core.Open(d.ctx, d.opts)
	return err
}

func (d *device) join(ctx context.Context, r core.JoinRequest) (app.Engine, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.ctx, cancel)()
	client, err := core.Join(ctx, d.opts, r)
	if err != nil {
		return nil, err
	}
	d.client = client
	return client, nil
}

// Locked implements app.Locker.
func (d *device) Locked() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	has, err := core.HasPasscode(d.opts.Home)
	return d.client == nil && has && err == nil
}

// Unlock implements app.Locker.
func (d *device) Unlock(_ context.Context, passcode []byte) (app.Engine, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reopen(passcode)
}

// reopen opens the account with a passcode, which may be empty. d.mu is held.
func (d *device) reopen(passcode []byte) (app.Engine, error) {
	opts := d.opts
	opts.Passcode = passcode
	client, err := core.Open(d.ctx, opts)
	if err != nil {
		return nil, err
	}
	d.client = client
	return client, nil
}

// Lock implements app.Locker.
func (d *device) Lock() error { return d.close() }

// SetPasscode implements app.Locker.
func (d *device) SetPasscode(ctx context.Context, old, passcode []byte) (app.Engine, error) {
	if err := d.close(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	opts := d.opts
	opts.Passcode = old
	err := core.SetPasscode(ctx, opts, passcode)
	if err != nil {
		passcode = old
	}
	engine, reopened := d.reopen(passcode)
	if err == nil {
		err = reopened
	}
	return engine, err
}

func (d *device) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.client == nil {
		return nil
	}
	client := d.client
	d.client = nil
	return client.Close()
}

// onSignal has f called when the system ends the program, which Fyne does, too; the
// function returned ends that.
func onSignal(f func()) (end func()) {
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer close(done)
		for range signals {
			f()
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}

// show shows the window until it is closed.
func show(window fyne.Window) {
	end := idle()
	window.ShowAndRun()
	end()
}

// refuse says in a window and on the terminal why the app can't open.
func refuse(opts app.Options, err error) int {
	text, hint := fault.Words(err, words.For(app.Language(opts)).T)
	_, _ = fmt.Fprintln(os.Stderr, "causa:", text, hint)
	app.Refuse(opts, err)
	show(opts.Window)
	return 1
}
