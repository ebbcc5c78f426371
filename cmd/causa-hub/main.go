// Command causa-hub is the server of one organisation.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"

	"causa/hub"
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
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run carries a command line out and returns the exit code.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	tr := words.For(words.System())
	command := ""
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "serve":
		return serve(ctx, args, tr, out, errOut)
	case "backup", "restore", "check", "status":
		return runOperation(ctx, command, args, tr, out, errOut)
	case "config":
		if len(args) > 0 {
			return complainUsage(errOut, tr, fmt.Errorf("unexpected argument %q", args[0]))
		}
		_, _ = io.WriteString(out, defaultConfig) // nobody to tell
		return 0
	case "help", "-h", "--help":
		usage(out, tr)
		return 0
	case "":
		usage(errOut, tr)
		return exitUsage
	default:
		return complainUsage(errOut, tr, fmt.Errorf("no such command: %q", command))
	}
}

// serve runs a hub until ctx ends.
func serve(ctx context.Context, args []string, tr *words.Catalogue, out, errOut io.Writer) int {
	s, err := parseServe(args)
	if errors.Is(err, pflag.ErrHelp) {
		usage(out, tr)
		return 0
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return complainUsage(errOut, tr, err)
	}
	if err != nil {
		return complain(errOut, tr, err)
	}
	s.Log = slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: s.level}))
	h, err := hub.Open(s.Options)
	if err != nil {
		return complain(errOut, tr, err)
	}
	announce(out, tr, h)
	if err := h.Serve(ctx); err != nil {
		return complain(errOut, tr, err)
	}
	return 0
}

// announce says where the hub listens and, while nobody has founded, how to.
func announce(out io.Writer, tr *words.Catalogue, h *hub.Hub) {
	text := fmt.Sprintf("listening on %s\n", h.Addr()) // scripts read this line: it has one language
	if link, ok := h.FoundingLink(); ok {
		text += "\n" + tr.T("Nobody has founded an organisation here yet. Open this link in Causa on the founder's computer, or run: causactl join LINK --name NAME") + "\n"
		text += tr.T("It works once. Whoever has it becomes the owner: don't pass it on.") + "\n"
		text += link + "\n"
	}
	_, _ = io.WriteString(out, text) // nobody to tell
}

// complain writes what went wrong, for a person, and returns the exit code.
func complain(w io.Writer, tr *words.Catalogue, err error) int {
	text, hint := fault.Words(err, tr.T)
	if text == tr.T(fault.General) { // the operator is helped by the cause
		text = err.Error()
	}
	_, _ = fmt.Fprintln(w, text) // nobody to tell
	if hint != "" {
		_, _ = fmt.Fprintln(w, hint)
	}
	return exitFailed
}

func complainUsage(w io.Writer, tr *words.Catalogue, err error) int {
	_, _ = fmt.Fprintf(w, "%s: %v\n%s\n", tr.T("The command line can't be understood"), err, tr.T("Run causa-hub help to see what there is."))
	return exitUsage
}

func usage(w io.Writer, tr *words.Catalogue) {
	_, _ = fmt.Fprintf(w, `%s

  causa-hub serve --data DIR [--listen ADDR] [--public-url URL] [--database URL] [--config FILE]
  causa-hub backup  --data DIR FILE.tar|DIR [--json]
  causa-hub restore --data DIR FILE.tar|DIR [--json]
  causa-hub restore --data DIR --database URL [--json]
  causa-hub check   --data DIR [--database URL] [--json]
  causa-hub status  --data DIR [--database URL] [--json]
  causa-hub config > hub.toml

%s`, tr.T("causa-hub is the server of one organisation."), serveFlags(new(settings)).FlagUsages()) // nobody to tell
}
