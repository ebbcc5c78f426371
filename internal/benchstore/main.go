//go:build cgo

// Command benchstore measures what sealing costs: the same work on plain SQLite and on
// the product's, turn and turn about, as ratios. With -big it also times the product on
// a store made by bigstore.
//
//	go run ./internal/benchstore [-rounds 5] [-big /tmp/big]
//
// Processor time is compared, since it does not depend on what else the machine does;
// the ratio of wall times stands beside it.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mattn/go-sqlite3"

	"causa/internal/benchstore/work"
	"causa/store/sealvfs"
)

// limits are the ratios to plain SQLite that a phase may have.
var limits = map[string]float64{
	"bulk insert": 1.20, "single commits": 1.15, "cold newest-50": 1.25, "warm newest-50": 1.10, "search": 1.25,
}

const sizeLimit = 1.08

func main() {
	rounds := flag.Int("rounds", 5, "how often each variant does the work")
	big := flag.String("big", "", "a home made by bigstore, to be timed as well")
	dir := flag.String("dir", "", "where to write; a temporary folder")
	cipher := flag.String("sqlcipher", "", "a binary of internal/benchstore/sqlcipher, for a third column")
	load := &work.Load{}
	flag.IntVar(&load.Bulk, "bulk", 40000, "messages written in batches of 100")
	flag.IntVar(&load.Single, "single", 4000, "messages written one by one")
	flag.IntVar(&load.Cold, "cold", 600, "reads of newest messages, opening the file each time")
	flag.IntVar(&load.Warm, "warm", 3000, "reads of newest messages from memory")
	flag.IntVar(&load.Search, "search", 1500, "searches")
	flag.IntVar(&load.Open, "open", 300, "openings")
	child := flag.String("variant", "", "used by itself")
	flag.Parse()
	var err error
	switch {
	case *child != "":
		err = runChild(*child, *dir, load)
	default:
		var over int
		if *rounds > 0 {
			over, err = compare(*rounds, *dir, *cipher, load)
		}
		if err == nil && *big != "" {
			var slow int
			slow, err = timeBig(*big)
			over += slow
		}
		if err == nil && over > 0 {
			err = fmt.Errorf("%d figures are over their limit", over)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchstore:", err)
		os.Exit(1)
	}
}

// pragmas are those of the store.
var pragmas = []string{
	"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA temp_store = MEMORY",
	"PRAGMA secure_delete = ON", "PRAGMA wal_autocheckpoint = 4000",
}

// variants open a database in each way.
var variants = map[string]work.Opener{
	"plain": func(path string) (*sql.DB, error) {
		return sql.OpenDB(plain{path}), nil
	},
	"sealed": func() work.Opener {
		key := sealvfs.New(&[32]byte{9})
		return func(path string) (*sql.DB, error) {
			f, err := os.OpenFile(path, os.O_CREATE, 0o600)
			if err != nil {
				return nil, err
			}
			if err := f.Close(); err != nil {
				return nil, err
			}
			c, err := key.Connector(path, sealvfs.Conn{Pragmas: pragmas})
			if err != nil {
				return nil, err
			}
			return sql.OpenDB(c), nil
		}
	}(),
}

// runChild does the work once, in a process of its own, and writes the result.
func runChild(name, dir string, load *work.Load) error {
	open := variants[name]
	if open == nil {
		return fmt.Errorf("no variant %q", name)
	}
	load.Prepare()
	res, err := load.Run(context.Background(), dir, open)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(res)
}

func compare(rounds int, dir, cipher string, load *work.Load) (over int, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	columns := []string{"plain", "sealed"}
	if cipher != "" {
		columns = append(columns, "sqlcipher")
	}
	results := map[string][]*work.Result{}
	for range rounds {
		for _, name := range columns {
			bin := self
			if name == "sqlcipher" {
				bin = cipher
			}
			res, err := spawn(bin, name, dir, load)
			if err != nil {
				return 0, fmt.Errorf("%s: %w", name, err)
			}
			results[name] = append(results[name], res)
		}
	}
	return table(columns, results, rounds), nil
}

func spawn(bin, name, dir string, load *work.Load) (_ *work.Result, err error) {
	tmp, err := os.MkdirTemp(dir, "benchstore")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	cmd := exec.Command(bin, "-variant", name, "-dir", tmp, "-bulk", fmt.Sprint(load.Bulk), "-single", fmt.Sprint(load.Single), //nolint:noctx // interrupted with its parent
		"-cold", fmt.Sprint(load.Cold), "-warm", fmt.Sprint(load.Warm), "-search", fmt.Sprint(load.Search), "-open", fmt.Sprint(load.Open))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var res work.Result
	return &res, json.Unmarshal(out, &res)
}

// table prints the middle of the rounds and counts what is over its limit.
func table(columns []string, results map[string][]*work.Result, rounds int) (over int) {
	fmt.Printf("%d rounds, processor time; ratio to plain SQLite (ratio of wall times)\n%-16s", rounds, "")
	for _, c := range columns {
		fmt.Printf("%26s", c)
	}
	fmt.Println("   limit")
	for _, phase := range work.Phases {
		fmt.Printf("%-16s", phase)
		ratio := 0.0
		for _, c := range columns {
			cpu := middle(results[c], func(r *work.Result) float64 { return r.Costs[phase].CPU.Seconds() * 1e3 })
			var perRound, wall []float64
			for i, r := range results[c] {
				perRound = append(perRound, r.Costs[phase].CPU.Seconds()/results["plain"][i].Costs[phase].CPU.Seconds())
				wall = append(wall, r.Costs[phase].Wall.Seconds()/results["plain"][i].Costs[phase].Wall.Seconds())
			}
			x := median(perRound)
			if c == "sealed" {
				ratio = x
			}
			fmt.Printf("%10.0f ms %5.2f (%4.2f)", cpu, x, median(wall))
		}
		over += verdict(ratio, limits[phase])
	}
	fmt.Printf("%-16s", "file")
	ratio := 0.0
	for _, c := range columns {
		x := float64(results[c][0].Size) / float64(results["plain"][0].Size)
		if c == "sealed" {
			ratio = x
		}
		fmt.Printf("%10.1f MB %5.2f       ", float64(results[c][0].Size)/1e6, x)
	}
	return over + verdict(ratio, sizeLimit)
}

func verdict(ratio, limit float64) int {
	switch {
	case limit == 0:
		fmt.Println()
		return 0
	case ratio > limit:
		fmt.Printf("   %.2f  OVER\n", limit)
		return 1
	}
	fmt.Printf("   %.2f  ok\n", limit)
	return 0
}

func middle(rs []*work.Result, f func(*work.Result) float64) float64 {
	var xs []float64
	for _, r := range rs {
		xs = append(xs, f(r))
	}
	return median(xs)
}

func median(xs []float64) float64 {
	xs = slices.Sorted(slices.Values(xs))
	return xs[len(xs)/2]
}

// plain connects to SQLite as it is.
type plain struct{ path string }

func plainDriver() *sqlite3.SQLiteDriver {
	return &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
		_, err := c.Exec(strings.Join(pragmas, "; "), nil)
		return err
	}}
}

func (p plain) uri() string { return "file:" + filepath.ToSlash(p.path) + "?_stmt_cache_size=160" }
