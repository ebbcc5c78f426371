package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"causa/hub"
	"causa/internal/fault"
	"causa/internal/words"
)

// An operation is a command about a data folder: its operands, and what it does.
type operation struct {
	operands []string // what they are called in the help
	run      func(ctx context.Context, o *operate) error
}

var operations = map[string]operation{
	"backup":  {[]string{"FILE.tar|DIR"}, backup},
	"restore": {[]string{"FILE.tar|DIR"}, restore},
	"check":   {nil, check},
	"status":  {nil, status},
}

// operate is one call of an operation.
type operate struct {
	at       hub.Place
	json     bool
	operands []string
	tr       *words.Catalogue
	out      io.Writer
}

// errUnsound means that check has told of problems.
var errUnsound = errors.New("problems were found")

func operateFlags(name string, s *settings, asJSON *bool) *pflag.FlagSet {
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.Usage = func() {}
	fs.StringVar(&s.Data, "data", "", "the hub's data folder")
	fs.StringVar(&s.Database, "database", "", "postgres:// URL of the database, if it is not in the folder")
	fs.StringVar(&s.config, "config", "", "configuration file that names the data folder")
	fs.BoolVar(asJSON, "json", false, "print JSON")
	return fs
}

// parseOperate reads an operation's command line.
func parseOperate(name string, op operation, args []string) (*operate, error) {
	s, o := new(settings), new(operate)
	fs := operateFlags(name, s, &o.json)
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return nil, err
		}
		return nil, &usageError{err}
	}
	if s.config != "" {
		if err := s.readFile(fs); err != nil {
			return nil, err
		}
	}
	if fs.NArg() != len(op.operands) && !(name == "restore" && s.Database != "" && fs.NArg() == 0) {
		return nil, &usageError{fmt.Errorf("%s needs --data DIR%s", name, operandText(op))}
	}
	if s.Data == "" {
		return nil, &usageError{fmt.Errorf("%s needs --data DIR", name)}
	}
	o.at, o.operands = hub.Place{Data: s.Data, Database: s.Database}, fs.Args()
	return o, nil
}

func operandText(op operation) (text string) {
	for _, name := range op.operands {
		text += " " + name
	}
	return text
}

// runOperation carries out an operation and returns the exit code.
func runOperation(ctx context.Context, name string, args []string, tr *words.Catalogue, out, errOut io.Writer) int {
	op := operations[name]
	o, err := parseOperate(name, op, args)
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
	o.tr, o.out = tr, out
	switch err := op.run(ctx, o); {
	case errors.Is(err, errUnsound): // said already
		return exitFailed
	case err != nil:
		return complain(errOut, tr, err)
	}
	return 0
}

// print prints a value as JSON or, unless asked to, words.
func (o *operate) print(value any, lines ...string) error {
	if o.json {
		return json.NewEncoder(o.out).Encode(value)
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(o.out, l); err != nil {
			return err
		}
	}
	return nil
}

func backup(ctx context.Context, o *operate) error {
	m, err := hub.Backup(ctx, o.at, o.operands[0])
	if err != nil {
		return err
	}
	return o.print(m,
		o.tr.T("Saved and checked. Entries of the organisation log: %d. Matters: %d, with entries: %d.", m.Log, m.Matters, m.Entries),
		o.tr.T("Whoever has this backup can pretend to be the hub: keep it as safe as the hub itself."))
}

func restore(ctx context.Context, o *operate) error {
	if o.at.Database != "" {
		return restored(ctx, o)
	}
	m, err := hub.Restore(ctx, o.operands[0], o.at.Data)
	if err != nil {
		return err
	}
	return o.print(m,
		o.tr.T("Restored and checked. Entries of the organisation log: %d. Matters: %d, with entries: %d.", m.Log, m.Matters, m.Entries),
		o.tr.T("What the hub took after %s is not in it.", m.Made.Local().Format(time.DateTime)))
}

// restored is restore for a database that PostgreSQL's own programs have put back.
func restored(ctx context.Context, o *operate) error {
	if len(o.operands) > 0 {
		return &fault.Error{
			Text: "A database in PostgreSQL is restored with PostgreSQL's own programs.",
			Hint: "Do that first; then run causa-hub restore without a file, so that devices learn of it.",
		}
	}
	incarnation, err := hub.Restored(ctx, o.at)
	if err != nil {
		return err
	}
	return o.print(map[string]uint64{"incarnation": incarnation},
		o.tr.T("Devices will learn that the database was put back. Start all hubs on it again."))
}

func check(ctx context.Context, o *operate) error {
	problems, err := hub.Check(ctx, o.at)
	if err != nil {
		return err
	}
	type report struct {
		Sound    bool     `json:"sound"`
		Problems []string `json:"problems"`
	}
	if len(problems) == 0 {
		return o.print(report{Sound: true, Problems: []string{}}, o.tr.T("Everything is in order."))
	}
	lines := append(problems[:len(problems):len(problems)],
		o.tr.T("Problems: %d. Stop the hub, keep a copy of the folder, and restore the newest backup.", len(problems)))
	return errors.Join(o.print(report{Problems: problems}, lines...), errUnsound)
}

func status(ctx context.Context, o *operate) error {
	st, err := hub.ReadStatus(ctx, o.at)
	if err != nil {
		return err
	}
	var lines []string
	if l := st.Live; l != nil {
		lines = append(lines,
			o.tr.T("Running at %s since %s", l.Address, l.Started.Local().Format(time.DateTime)),
			o.tr.T("Devices connected: %d. Connections signing in: %d. Requests waiting: %d.", l.Connections, l.Joining, l.Queued))
		if l.DiskFull {
			lines = append(lines, o.tr.T("The disk of the hub is full."))
		}
		if l.Gone {
			lines = append(lines, o.tr.T("The hub can't reach its database."))
		}
	} else {
		lines = append(lines, o.tr.T("Not running"))
	}
	lines = append(lines,
		o.tr.T("Entries of the organisation log: %d. Active devices: %d.", st.Log, st.Devices),
		o.tr.T("Matters: %d, with entries: %d. Welcomes waiting: %d. Key packages in stock: %d.", st.Matters, st.Entries, st.Welcomes, st.KeyPackages),
		o.tr.T("Database: %d MiB. Incarnation: %d.", (st.DatabaseBytes+1<<20-1)>>20, st.Incarnation))
	return o.print(st, lines...)
}
