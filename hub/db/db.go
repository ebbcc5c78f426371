// Package db is the hub's storage: one SQLite file in which everything that the hub
// has acknowledged survives a crash of the machine.
//
// There is one writer, the caller's, who puts many requests into one transaction
// ([DB.Write]); reads run beside it on connections of their own and see what is
// committed.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	_ "github.com/mattn/go-sqlite3" // the driver
)

// ErrFull means that the disk took no more. What was being written is as if it had
// never been tried; reading goes on.
var ErrFull = errors.New("disk full")

// ErrNewer means that a later version of the hub wrote the file.
var ErrNewer = errors.New("database of a newer version")

// readers is how many reads run at once: more only wait for the processor.
const readers = 4

// cacheKiB is the writer's page cache.
const cacheKiB = 32 << 10

// A DB is an open hub database. Reads are safe for concurrent use; writes wait for
// each other.
type DB struct {
	writer *sql.DB
	reader *sql.DB
	read   readStatements

	mu sync.Mutex // held while a transaction is open
	tx Tx
}

// Open opens the database file, making or migrating it as needed.
func Open(ctx context.Context, path string) (_ *DB, err error) {
	d := &DB{}
	defer func() {
		if err != nil {
			_ = d.Close() // the first error counts
		}
	}()
	// Made here because SQLite would let others read it; its side files take after it.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err = f.Close(); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if d.writer, err = open(path, "_txlock=immediate&_foreign_keys=1"); err != nil {
		return nil, err
	}
	d.writer.SetMaxOpenConns(1)
	if d.tx.conn, err = d.writer.Conn(ctx); err != nil {
		return nil, fmt.Errorf("open database: %w", classify(err))
	}
	for _, pragma := range []string{
		fmt.Sprintf("PRAGMA cache_size = -%d", cacheKiB),
		"PRAGMA wal_autocheckpoint = 2000",
		"PRAGMA journal_size_limit = 67108864",
	} {
		if _, err = d.tx.conn.ExecContext(ctx, pragma); err != nil {
			return nil, fmt.Errorf("%s: %w", pragma, classify(err))
		}
	}
	if err = d.assertDurable(ctx); err != nil {
		return nil, err
	}
	if err = migrate(ctx, d.tx.conn); err != nil {
		return nil, err
	}
	if err = d.tx.prepare(ctx); err != nil {
		return nil, err
	}
	if d.reader, err = open(path, "_query_only=1"); err != nil {
		return nil, err
	}
	d.reader.SetMaxOpenConns(readers)
	d.reader.SetMaxIdleConns(readers)
	if err = d.read.prepare(ctx, d.reader); err != nil {
		return nil, err
	}
	return d, nil
}

func open(path, options string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find database: %w", err)
	}
	slashed := filepath.ToSlash(abs)
	if slashed[0] != '/' {
		slashed = "/" + slashed // a Windows drive
	}
	u := url.URL{Scheme: "file", Path: slashed}
	db, err := sql.Open("sqlite3", u.String()+"?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=10000&"+options)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return db, nil
}

// assertDurable makes sure that a commit of the writer means that the disk has it.
// mattn's default in WAL mode would be synchronous=NORMAL, which loses what a power
// cut catches.
func (d *DB) assertDurable(ctx context.Context) error {
	var mode string
	var synchronous int
	if err := d.tx.conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return fmt.Errorf("read journal mode: %w", classify(err))
	}
	if err := d.tx.conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous); err != nil {
		return fmt.Errorf("read synchronous: %w", classify(err))
	}
	if mode != "wal" || synchronous != 2 {
		return fmt.Errorf("database is not durable: journal mode %s, synchronous %d", mode, synchronous)
	}
	return nil
}

// Close closes the database. No transaction may be open.
func (d *DB) Close() error {
	var errs []error
	if d.reader != nil {
		errs = append(errs, d.reader.Close())
	}
	for _, s := range d.tx.all { // while one is open, SQLite does not close the file
		errs = append(errs, s.Close())
	}
	if d.tx.conn != nil {
		errs = append(errs, d.tx.conn.Close())
	}
	if d.writer != nil {
		errs = append(errs, d.writer.Close())
	}
	return errors.Join(errs...)
}

// Write runs fn in a transaction and commits it: when Write returns nil, all of it is
// on the disk; otherwise none of it is. The error wraps [ErrFull] when the disk is
// full.
func (d *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.tx.begin.ExecContext(ctx); err != nil {
		return fmt.Errorf("begin: %w", classify(err))
	}
	committed := false
	defer func() {
		if !committed {
			// It fails when SQLite has rolled back by itself, as on a full disk.
			_, _ = d.tx.rollback.ExecContext(context.WithoutCancel(ctx))
		}
	}()
	if err := fn(&d.tx); err != nil {
		return err
	}
	if _, err := d.tx.commit.ExecContext(ctx); err != nil {
		return fmt.Errorf("commit: %w", classify(err))
	}
	committed = true
	return nil
}

// LimitPages caps the database file at so many pages, as a full disk would; 0 lifts
// the cap. It is for tests of the hub.
func (d *DB) LimitPages(ctx context.Context, n int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n == 0 {
		n = 4294967294
	}
	if _, err := d.tx.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
		return fmt.Errorf("limit pages: %w", classify(err))
	}
	return nil
}
