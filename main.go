// Command causa is the app: a window onto one device of one member.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

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
	if f.NArg() > 1 || o.link != "" && !strings.HasPrefix(o.link, "causa:") {
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

func run() int {
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		_, _ = fmt.Fprintln(os.Stderr, "causa:", err)
		return 2
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	fyneApp := fyneapp.NewWithID("im.causa.Causa")
	fyneApp.SetIcon(fyne.NewStaticResource("causa.png", assets.Mark))
	window := fyneApp.NewWindow("Causa 事由")
	window.Resize(fyne.NewSize(1280, 800))
	opts := app.Options{
		Window: window, Choices: openPreferences(o.home, log), Link: o.link, Lang: o.lang, Version: version, Log: log,
	}
	if opts.Device, err = os.Hostname(); err != nil {
		opts.Device = "" // the engine finds a name of its own
	}

	// A hub that this computer is starts first: the engine below signs in to it.
	host := newWorkspace(o.home, o.listen, log)
	defer host.close()
	opts.Problem = host.resume(ctx)

	settings := core.Options{Home: o.home, Log: log}
	var client *core.Client
	client, err = core.Open(ctx, settings)
	switch {
	case err == nil:
		opts.Engine = client
	case errors.Is(err, core.ErrNoAccount):
		opts.Host = host
		opts.Join = func(ctx context.Context, r core.JoinRequest) (app.Engine, error) {
			var err error
			if client, err = core.Join(ctx, settings, r); err != nil {
				return nil, err
			}
			return client, nil
		}
	default:
		log.Error("open the account", "err", err)
		return refuse(opts, err)
	}
	a := app.New(opts)
	window.ShowAndRun()
	a.Close()
	if client != nil {
		if err := client.Close(); err != nil {
			log.Error("close the account", "err", err)
			return 1
		}
	}
	return 0
}

// refuse says in a window and on the terminal why the app can't open.
func refuse(opts app.Options, err error) int {
	text, hint := fault.Words(err, words.For(app.Language(opts)).T)
	_, _ = fmt.Fprintln(os.Stderr, "causa:", text, hint)
	app.Refuse(opts, err)
	opts.Window.ShowAndRun()
	return 1
}
