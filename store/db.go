// Package store keeps what a device knows: one encrypted SQLite database per home (and
// one for each sealed module), its tables and their migrations.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	_ "github.com/mattn/go-sqlite3" // the SQLite driver
)

//go:embed migrations/*.sql
var migrations embed.FS

// A Key encrypts one database. It can't be printed, logged or marshalled.
type Key [32]byte

// Format hides the key from every verb of package fmt.
func (Key) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "Key(hidden)") }

// MarshalText refuses.
func (Key) MarshalText() ([]byte, error) { return nil, errors.New("key can't be marshalled") }

// Options change how a database is opened. The zero value is right for a device.
type Options struct{}

// A DB is one database of a device. It is safe for concurrent use: readers run beside
// the one writer.
type DB struct {
	write, read *sql.DB
}

// A Tx is a transaction on a [DB]; it must not leave the function it was given to.
type Tx struct {
	ctx context.Context //nolint:containedctx // a Tx lives no longer than the call it was made for
	sql *sql.Tx
}

// ErrNone is returned when the row asked for does not exist.
var ErrNone = errors.New("not in the store")

// Open opens the database at path, creating it when it is missing, and brings its
// tables up to date.
func Open(ctx context.Context, path string, key Key, _ Options) (*DB, error) {
	_ = key
	dsn := "file:" + path + "?_journal_mode=WAL&_synchronous=FULL&_foreign_keys=on&_busy_timeout=5000&_txlock="
	w, err := sql.Open("sqlite3", dsn+"immediate")
	if err != nil {
		return nil, err
	}
	w.SetMaxOpenConns(1)
	r, err := sql.Open("sqlite3", dsn+"deferred")
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	r.SetMaxOpenConns(4)
	db := &DB{write: w, read: r}
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", filepath.Base(path), err), db.Close())
	}
	return db, nil
}

// OpenTemp opens a new database for a test.
func OpenTemp(t testing.TB) *DB {
	t.Helper()
	db, err := Open(context.Background(), filepath.Join(t.TempDir(), "main.db"), Key{1}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Close ends all use of the database.
func (db *DB) Close() error { return errors.Join(db.read.Close(), db.write.Close()) }

// Update runs f in the one write transaction; all of it is durable when Update returns
// nil, and nothing of it has happened otherwise.
func (db *DB) Update(ctx context.Context, f func(*Tx) error) error { return run(ctx, db.write, f) }

// View runs f in a read transaction: it sees one state of the database throughout.
func (db *DB) View(ctx context.Context, f func(*Tx) error) error { return run(ctx, db.read, f) }

func run(ctx context.Context, on *sql.DB, f func(*Tx) error) error {
	tx, err := on.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(&Tx{ctx: ctx, sql: tx}); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (db *DB) migrate(ctx context.Context) error {
	var v int
	if err := db.write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&v); err != nil {
		return err
	}
	if v >= 1 {
		return nil
	}
	b, err := migrations.ReadFile("migrations/0001_first.sql")
	if err != nil {
		return err
	}
	return db.Update(ctx, func(tx *Tx) error {
		if err := tx.exec(string(b)); err != nil {
			return err
		}
		return tx.exec("PRAGMA user_version = 1")
	})
}

func (tx *Tx) exec(query string, args ...any) error {
	_, err := tx.sql.ExecContext(tx.ctx, query, args...)
	return err
}

// one scans the single row of a query; no row is ErrNone.
func (tx *Tx) one(dest []any, query string, args ...any) error {
	err := tx.sql.QueryRowContext(tx.ctx, query, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNone
	}
	return err
}

// each calls scan for every row of a query.
func (tx *Tx) each(scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := tx.sql.QueryContext(tx.ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err below has the error
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ErrDiskFull: there is no room for what was to be written. What was there is unharmed.
var ErrDiskFull = errors.New("disk is full")
