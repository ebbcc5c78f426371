// Package work is what benchstore does to a SQLite, whichever it is: the writing and
// reading of a messenger, in phases.
package work

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"causa/internal/bigstore/corpus"
)

// An Opener connects to the database at path, which may not exist yet.
type Opener func(path string) (*sql.DB, error)

// A Cost is what a phase took.
type Cost struct{ Wall, CPU time.Duration }

// A Result has the cost of each phase and the size of the file.
type Result struct {
	Costs map[string]Cost
	Size  int64
	Hits  int
}

// Phases are the names of the phases, in order.
var Phases = []string{"bulk insert", "single commits", "cold newest-50", "warm newest-50", "search", "full scan", "open"}

// A Load is the data and how often each phase does its thing.
type Load struct {
	Bulk, Single, Cold, Warm, Search, Open int
	Old                                    bool // an SQLite without STRICT and contentless_delete

	lines   []line
	queries []string
}

type line struct {
	matter     int
	text, seen string
}

const (
	writerCache, readerCache = 6000, 12000 // KiB, as in the store

	matters = 150
	schema  = `CREATE TABLE message(matter INTEGER NOT NULL, seq INTEGER NOT NULL, id BLOB NOT NULL, time INTEGER NOT NULL,
	author BLOB NOT NULL, text TEXT NOT NULL, PRIMARY KEY (matter, seq)) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX message_id ON message(matter, id);
CREATE VIRTUAL TABLE search USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
INSERT INTO search(search, rank) VALUES('pgsz', 3990);`
)

// Prepare makes up the data.
func (l *Load) Prepare() {
	g := corpus.New(1)
	for range l.Bulk + l.Single {
		text := g.Message()
		l.lines = append(l.lines, line{g.Rand().IntN(matters), text, segment(text)})
	}
	for range l.Search {
		l.queries = append(l.queries, string([]rune(g.Topic())[:2]))
	}
}

// segment is what the store does before it hands a text to the index, in short.
func segment(s string) string {
	var b strings.Builder
	var last rune
	for _, r := range s {
		if !unicode.Is(unicode.Han, r) {
			if last != 0 || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				b.WriteByte(' ')
			}
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				b.WriteRune(r)
			}
			last = 0
			continue
		}
		b.WriteByte(' ')
		b.WriteRune(r)
		if last != 0 {
			b.WriteByte(' ')
			b.WriteRune(last)
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}

type run struct {
	*Load
	ctx  context.Context //nolint:containedctx // a run is one call
	open Opener
	path string
	seq  []int
	out  Result
}

// Run does all phases to a new database in dir.
func (l *Load) Run(ctx context.Context, dir string, open Opener) (*Result, error) {
	r := &run{Load: l, ctx: ctx, open: open, path: filepath.Join(dir, "bench.db"), seq: make([]int, matters), out: Result{Costs: map[string]Cost{}}}
	for _, step := range []func() error{r.write, r.cold, r.read, r.opening} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return &r.out, nil
}

func (r *run) phase(name string, f func() error) error {
	cpu, wall := CPU(), time.Now()
	err := f()
	r.out.Costs[name] = Cost{Wall: time.Since(wall), CPU: CPU() - cpu}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (r *run) connect(cache int) (*sql.DB, error) {
	db, err := r.open(r.path)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(r.ctx, fmt.Sprintf("PRAGMA cache_size = -%d", cache))
	return db, err
}

func (r *run) write() error {
	db, err := r.connect(writerCache)
	if err != nil {
		return err
	}
	defer db.Close()
	ddl := schema
	if r.Old {
		ddl = strings.NewReplacer("STRICT, ", "", "contentless_delete=1, ", "").Replace(schema)
	}
	if _, err := db.ExecContext(r.ctx, ddl); err != nil {
		return err
	}
	msg, err := db.PrepareContext(r.ctx, "INSERT INTO message VALUES(?,?,?,?,?,?)")
	if err != nil {
		return err
	}
	defer msg.Close()
	idx, err := db.PrepareContext(r.ctx, "INSERT INTO search(rowid, t) VALUES(?,?)")
	if err != nil {
		return err
	}
	defer idx.Close()
	batch := func(from, to int) error {
		tx, err := db.BeginTx(r.ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
		for i := from; i < to; i++ {
			l := r.lines[i]
			r.seq[l.matter]++
			id := fmt.Appendf(nil, "%016d", i*7919%1000003)
			if _, err := tx.StmtContext(r.ctx, msg).ExecContext(r.ctx, l.matter, r.seq[l.matter], id, 1700000000000+i, id, l.text); err != nil {
				return err
			}
			if _, err := tx.StmtContext(r.ctx, idx).ExecContext(r.ctx, l.matter<<32|r.seq[l.matter], l.seen); err != nil {
				return err
			}
		}
		return tx.Commit()
	}
	err = r.phase("bulk insert", func() error {
		for i := 0; i < r.Bulk; i += 100 {
			if err := batch(i, min(i+100, r.Bulk)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(r.ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return err
	}
	info, err := os.Stat(r.path)
	if err != nil {
		return err
	}
	r.out.Size = info.Size()
	err = r.phase("single commits", func() error {
		for i := r.Bulk; i < len(r.lines); i++ {
			if err := batch(i, i+1); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return db.Close()
}

func (r *run) newest(db *sql.DB, matter int) error {
	rows, err := db.QueryContext(r.ctx, "SELECT seq, id, time, author, text FROM message WHERE matter = ? ORDER BY seq DESC LIMIT 50", matter)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var seq, at int64
		var id, author []byte
		var text string
		if err := rows.Scan(&seq, &id, &at, &author, &text); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (r *run) cold() error {
	return r.phase("cold newest-50", func() error {
		for i := range r.Cold {
			db, err := r.connect(200)
			if err != nil {
				return err
			}
			if err := r.newest(db, i*37%matters); err != nil {
				return err
			}
			if err := db.Close(); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *run) read() error {
	db, err := r.connect(32000)
	if err != nil {
		return err
	}
	defer db.Close()
	for m := range matters {
		if err := r.newest(db, m); err != nil {
			return err
		}
	}
	if err := r.phase("warm newest-50", func() error {
		for i := range r.Warm {
			if err := r.newest(db, i*37%matters); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if _, err := db.ExecContext(r.ctx, fmt.Sprintf("PRAGMA cache_size = -%d", readerCache)); err != nil {
		return err
	}
	if err := r.phase("search", func() error { return r.search(db) }); err != nil {
		return err
	}
	return r.phase("full scan", func() error {
		var n int64
		for range 5 {
			if err := db.QueryRowContext(r.ctx, "SELECT sum(length(text)) FROM message").Scan(&n); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *run) search(db *sql.DB) error {
	for _, q := range r.queries {
		if err := r.find(db, q); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) find(db *sql.DB, q string) error {
	rows, err := db.QueryContext(r.ctx, `SELECT m.seq, m.text FROM (SELECT rowid AS r FROM search WHERE search MATCH ? ORDER BY rowid DESC LIMIT 50)
		JOIN message m ON m.matter = r >> 32 AND m.seq = r & 4294967295`, `"`+q+`"`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		var text string
		if err := rows.Scan(&seq, &text); err != nil {
			return err
		}
		r.out.Hits++
	}
	return rows.Err()
}

func (r *run) opening() error {
	return r.phase("open", func() error {
		for range r.Open {
			db, err := r.connect(200)
			if err != nil {
				return err
			}
			var n int
			if err := db.QueryRowContext(r.ctx, "SELECT count(*) FROM sqlite_master").Scan(&n); err != nil {
				return err
			}
			if err := db.Close(); err != nil {
				return err
			}
		}
		return nil
	})
}
