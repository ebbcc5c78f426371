// Command causactl is the windowless client: for scripts, bots and administrators.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"causa/core"
	"causa/internal/fault"
	"causa/internal/words"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// A call is one run of a command.
type call struct {
	ctx    context.Context //nolint:containedctx // a call lives as long as the process
	in     io.Reader
	out    *printer
	errOut io.Writer
	flags  *pflag.FlagSet
	opts   core.Options
	tr     *words.Catalogue

	patience time.Duration
}

// errUsage: the command line itself is wrong.
type errUsage struct{ text string }

func (e *errUsage) Error() string { return e.text }

func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	tr := words.For(words.System())
	global := pflag.NewFlagSet("causactl", pflag.ContinueOnError)
	global.SetInterspersed(false)
	global.SetOutput(io.Discard)
	home := global.String("home", "", "the folder that is this device (default: $CAUSA_HOME, else causa in the user's configuration folder)")
	module := global.String("module", "", "act in this sealed module of the device; its passcode is asked for")
	asJSON := global.Bool("json", false, "print one JSON object a line")
	lang := global.String("lang", "", "language of messages: en or zh-Hans (default: the system's)")
	verbose := global.Bool("verbose", false, "log what the engine does to standard error")
	patience := global.Duration("timeout", 20*time.Second, "how long to wait for the hub")
	err := global.Parse(args)
	if *lang != "" {
		tr = words.For(*lang)
	}
	rest := global.Args()
	if errors.Is(err, pflag.ErrHelp) || err == nil && (len(rest) == 0 || rest[0] == "help") {
		usage(out, global)
		if len(rest) == 0 && err == nil {
			return exitUsage
		}
		return 0
	}
	if err != nil {
		return complain(errOut, tr, &errUsage{err.Error()})
	}
	cmd, rest := find(rest)
	if cmd == nil {
		return complain(errOut, tr, &errUsage{fmt.Sprintf("no such command: %q", global.Arg(0))})
	}
	c := &call{ctx: ctx, in: in, errOut: errOut, tr: tr, patience: *patience, flags: pflag.NewFlagSet(cmd.name, pflag.ContinueOnError)}
	c.flags.SetOutput(io.Discard)
	c.out = &printer{w: out, json: *asJSON}
	level := slog.LevelError
	if *verbose {
		level = slog.LevelDebug
	}
	c.opts.Log = slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: level}))
	if c.opts.Home, err = homeFolder(*home); err == nil {
		err = c.inModule(*module)
	}
	if err != nil {
		return complain(errOut, tr, err)
	}
	work := cmd.prepare(c)
	if err := c.flags.Parse(rest); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			_, _ = fmt.Fprintf(out, "causactl %s %s\n  %s\n%s", cmd.name, cmd.args, cmd.help, c.flags.FlagUsages())
			return 0
		}
		return complain(errOut, tr, &errUsage{err.Error()})
	}
	if n := c.flags.NArg(); n < cmd.least || cmd.most >= 0 && n > cmd.most {
		return complain(errOut, tr, &errUsage{fmt.Sprintf("causactl %s %s", cmd.name, cmd.args)})
	}
	if err := work(c.flags.Args()); err != nil {
		return complain(errOut, tr, err)
	}
	if err := c.out.err; err != nil {
		return complain(errOut, tr, err)
	}
	return 0
}

// complain tells a person what went wrong and returns the exit code.
func complain(w io.Writer, tr *words.Catalogue, err error) int {
	var u *errUsage
	if errors.As(err, &u) {
		_, _ = fmt.Fprintf(w, "causactl: %s\n%s\n", u.text, tr.T("Type causactl help for the list of commands."))
		return exitUsage
	}
	text, hint := fault.Words(err, tr.T)
	_, _ = fmt.Fprintln(w, clean(text))
	if hint != "" {
		_, _ = fmt.Fprintln(w, clean(hint))
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		_, _ = fmt.Fprintf(w, "(%s)\n", clean(err.Error()))
	}
	return exitFailed
}

func homeFolder(flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if env := os.Getenv("CAUSA_HOME"); env != "" {
		return env, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", &fault.Error{Text: "There is no folder for Causa's data.", Hint: "Name one with --home.", Err: err}
	}
	return filepath.Join(dir, "causa"), nil
}

// client opens the account and, unless the hub can't be reached in time, brings it up
// to date. The error of that is returned by whoever needs the hub.
func (c *call) client() (*core.Client, error) {
	return c.open()
}

// within gives f a client for as long as it needs one.
func (c *call) within(f func(*core.Client) error) (err error) {
	cl, err := c.client()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cl.Close()) }()
	return f(cl)
}

// synced gives f a client that is up to date with the hub, and waits at the end until
// the hub has everything.
func (c *call) synced(f func(*core.Client) error) error {
	return c.within(func(cl *core.Client) error {
		if err := c.sync(cl); err != nil {
			return err
		}
		if err := f(cl); err != nil {
			return err
		}
		return c.sync(cl)
	})
}

// fresh gives f a client that is up to date if the hub can be reached; if it can't, f
// runs all the same and a note says so.
func (c *call) fresh(f func(*core.Client) error) error {
	return c.within(func(cl *core.Client) error {
		behind := c.sync(cl)
		if err := f(cl); err != nil {
			return err
		}
		return behind
	})
}

func (c *call) sync(cl *core.Client) error {
	ctx, stop := context.WithTimeout(c.ctx, c.patience)
	defer stop()
	return cl.Sync(ctx)
}
