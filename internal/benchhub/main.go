//go:build linux && cgo

// Command benchhub measures the hub: the real program, real TLS WebSockets, on this
// machine, in the same run as what it is compared with.
//
//	go run ./internal/benchhub [-engines sqlite,postgres] [-many 10000] [-peers]
//
// Loader and hub share the processor, and often others do too: compare what is said for
// a second of processor time, and ratios, not rates.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"causa/e2e/rig"
)

// A bench is one run.
type bench struct {
	ctx      context.Context //nolint:containedctx // a run is one call
	dir      string
	hub      string // the program
	measured time.Duration
	many     int
	database string // PostgreSQL's URL, "" when it is not measured
	pgPID    int
	xmpp     string // ejabberd's address, "" when it is not measured
	xmppPID  int
	perCPU   map[string]map[int]float64 // by server and group size
}

func main() {
	b := &bench{perCPU: map[string]map[int]float64{}}
	engines := flag.String("engines", "sqlite", "what the hub keeps things in: sqlite, postgres")
	only := flag.String("only", "", "run only these parts: load,rate,many")
	flag.StringVar(&b.dir, "dir", "", "where to write; a temporary folder")
	flag.DurationVar(&b.measured, "for", 8*time.Second, "how long each load is measured")
	flag.IntVar(&b.many, "many", 10000, "devices that are idle and catch up")
	flag.StringVar(&b.database, "database", "", "an empty PostgreSQL database, for the engine postgres")
	flag.IntVar(&b.pgPID, "database-pid", 0, "PostgreSQL's first process")
	flag.StringVar(&b.xmpp, "xmpp", "", "address of an ejabberd to compare with")
	flag.IntVar(&b.xmppPID, "xmpp-pid", 0, "ejabberd's process")
	flag.Parse()
	b.ctx = context.Background()
	if err := b.run(strings.Split(*engines, ","), *only); err != nil {
		fmt.Fprintln(os.Stderr, "benchhub:", err)
		os.Exit(1)
	}
}

func (b *bench) run(engines []string, only string) (err error) {
	if b.dir == "" {
		if b.dir, err = os.MkdirTemp("", "benchhub-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	}
	programs, err := rig.Build(b.ctx, b.dir)
	if err != nil {
		return err
	}
	b.hub = programs.Hub
	for _, engine := range engines {
		for _, part := range []struct {
			name string
			run  func(engine string) error
		}{{"load", b.loads}, {"rate", b.rated}, {"many", b.masses}} {
			if only != "" && !strings.Contains(","+only+",", ","+part.name+",") {
				continue
			}
			if err := part.run(engine); err != nil {
				return fmt.Errorf("%s, %s: %w", engine, part.name, err)
			}
		}
	}
	if b.xmpp != "" {
		return b.compare(engines)
	}
	return nil
}

// shapes are the loads of the table, by group size.
func (b *bench) shapes() []shape {
	warm := 2 * time.Second
	return []shape{
		{group: 2, senders: 64, window: 4, warm: warm, measured: b.measured},
		{group: 20, senders: 64, window: 4, warm: warm, measured: b.measured},
		{group: 200, senders: 16, window: 4, warm: warm, measured: b.measured},
	}
}

// loads measures how much the hub takes.
func (b *bench) loads(engine string) error {
	return b.with(engine, func(c *company, _ *rig.Hub, pids pids) error {
		for _, s := range b.shapes() {
			r, err := c.load(s, pids)
			if err != nil {
				return err
			}
			b.note(engine, s.group, r)
			fmt.Printf("%-9s group %3d  %v\n", engine, s.group, r)
		}
		return nil
	})
}

func (b *bench) note(server string, group int, r *result) {
	if b.perCPU[server] == nil {
		b.perCPU[server] = map[int]float64{}
	}
	b.perCPU[server][group] = r.perCPU()
}

// rated measures how long a message waits at a moderate rate, against what the disk takes.
func (b *bench) rated(engine string) error {
	return b.with(engine, func(c *company, _ *rig.Hub, pids pids) error {
		before, err := syncTime(b.dir)
		if err != nil {
			return err
		}
		r, err := c.load(shape{group: 20, senders: 64, window: 4, rate: 400, warm: 2 * time.Second, measured: b.measured}, pids)
		if err != nil {
			return err
		}
		after, err := syncTime(b.dir)
		if err != nil {
			return err
		}
		disk := (before + after) / 2
		p50 := r.ack.at(0.5)
		fmt.Printf("%-9s 400/s      %v\n%-9s 400/s      the disk's sync p50 %v: ack p50 is %.1f times that\n",
			engine, r, engine, short(disk), float64(p50)/float64(disk))
		return nil
	})
}

// masses measures many devices.
func (b *bench) masses(engine string) error {
	if b.many == 0 {
		return nil
	}
	return b.with(engine, func(c *company, h *rig.Hub, pids pids) error {
		fmt.Printf("%-9s many\n", engine)
		return c.many(b.ctx, h, b.many, pids)
	})
}

// limits lets the loader, which is one address, do what thousands of people would.
const limits = `
[limits]
sends = [1e6, 1e6]
commits = [1e6, 1e6]
claims = [1e6, 1e6]
requests = [1e6, 1e6]
connections = [1e6, 1e6]
joining = 100000
`

// Pids tells the processes that work for a hub, which may be another after a restart.
type pids func() []int

// with runs fn against a new hub and its founded company.
func (b *bench) with(engine string, fn func(c *company, h *rig.Hub, pids pids) error) (err error) {
	data, err := os.MkdirTemp(b.dir, engine+"-")
	if err != nil {
		return err
	}
	config := filepath.Join(data, "hub.toml")
	text := limits
	if engine == "postgres" {
		if err := b.emptyDatabase(); err != nil {
			return err
		}
		text = fmt.Sprintf("database = %q\n", b.database) + text
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	h, err := rig.StartHub(b.ctx, rig.HubOptions{Program: b.hub, Data: filepath.Join(data, "hub"), Args: []string{"--config", config}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Kill()) }()
	link, err := h.Link(b.ctx)
	if err != nil {
		return err
	}
	c, err := found(h.Addr(), link)
	if err != nil {
		return err
	}
	return fn(c, h, func() []int {
		if engine == "postgres" {
			return []int{h.PID(), b.pgPID}
		}
		return []int{h.PID()}
	})
}

// emptyDatabase gives each part a database of its own.
func (b *bench) emptyDatabase() error {
	out, err := exec.CommandContext(b.ctx, "psql", "-q", b.database, "-c", "DROP SCHEMA public CASCADE; CREATE SCHEMA public").CombinedOutput()
	if err != nil {
		return fmt.Errorf("empty the database: %w\n%s", err, out)
	}
	return nil
}
