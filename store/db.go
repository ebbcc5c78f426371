// Package store keeps what a device knows: one encrypted SQLite database per home (and
// one for each sealed module), its tables and their migrations, and the search in it.
// docs/store.md describes the files.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"causa/matter"
	"causa/store/sealvfs"
)

// A Key encrypts one database. It can't be printed, logged or marshalled.
type Key [32]byte

// Format hides the key from every verb of package fmt.
func (Key) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "Key(hidden)") }

// MarshalText refuses.
func (Key) MarshalText() ([]byte, error) { return nil, errors.New("key can't be marshalled") }

// Options change how a database is opened. The zero value is right for a device.
type Options struct {
	// ReadOnly opens an existing database and writes nothing, not even beside it.
	ReadOnly bool

	base string      // tests: the VFS under the sealing one
	all  []migration // tests: other migrations than the real ones
}

// A DB is one database of a device: the main one, or a sealed module's. It is safe for
// concurrent use: readers run beside the one writer. One process has a database to
// itself.
type DB struct {
	file  *file
	write *sql.DB // nil when opened for reading only
	read  *sql.DB
	purge purger

	reason atomic.Pointer[error] // why it was closed, where that was told
}

// A Tx is a transaction on a [DB]; it must not leave the function it was given to.
type Tx struct {
	ctx context.Context //nolint:containedctx // a Tx lives no longer than the call it was made for
	sql *sql.Tx
	db  *DB

	freed bool                // something was deleted: the purger follows the commit
	nums  map[matter.ID]int64 // search numbers already known
	day   int                 // the day last noted for search
}

// Open opens the database at path, creating it when it is missing, and brings its
// tables up to date. Its errors are [ErrWrongKey], [ErrDamaged], [ErrNewer],
// [ErrForeign], [ErrInUse], [ErrReadOnly] and [ErrDiskFull], with words for the person.
func Open(ctx context.Context, path string, key Key, o Options) (*DB, error) {
	f := newFile(path, key, o.base)
	db, err := open(ctx, f, o)
	if err != nil {
		err = f.worded(err)
		f.forget()
		return nil, fmt.Errorf("open %s: %w", filepath.Base(path), err)
	}
	return db, nil
}

func open(ctx context.Context, f *file, o Options) (*DB, error) {
	if o.all == nil {
		all, err := readMigrations(migrationFiles)
		if err != nil {
			return nil, err
		}
		o.all = all
	}
	missing, err := f.missing()
	if err != nil {
		return nil, err
	}
	if missing {
		if o.ReadOnly {
			return nil, fmt.Errorf("%w: there is no store", ErrNone)
		}
		if err := create(ctx, f, o); err != nil {
			return nil, err
		}
	}
	return attach(ctx, f, o)
}

// attach connects to an existing file and migrates it.
func attach(ctx context.Context, f *file, o Options) (*DB, error) {
	db := &DB{file: f}
	var err error
	if db.write, db.read, err = f.pools(o); err != nil {
		return nil, err
	}
	if err := db.migrate(ctx, o.all); err != nil {
		return nil, errors.Join(err, db.closePools())
	}
	db.purge.start(db)
	return db, nil
}

// create makes a new database under another name and moves it to its place when it is
// whole, so that a crash never leaves half of one.
func create(ctx context.Context, f *file, o Options) error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		if errors.Is(err, os.ErrPermission) {
			return readOnly(err)
		}
		return fmt.Errorf("make the folder: %w", err)
	}
	tmp := newFile(f.path+".new", f.secret, f.base)
	defer tmp.forget()
	if err := Remove(tmp.path); err != nil {
		return fmt.Errorf("remove what an earlier try left: %w", err)
	}
	if err := touch(tmp.path); err != nil {
		if errors.Is(err, os.ErrPermission) {
			return readOnly(err)
		}
		return fmt.Errorf("make the file: %w", err)
	}
	db, err := attach(ctx, tmp, o)
	if err == nil {
		db.purge.stop() // it reads, and would be in the way
		err = errors.Join(db.clearLog(ctx), db.closePools())
	}
	if err == nil {
		err = publish(tmp.path, f.path)
	}
	if err != nil {
		return errors.Join(tmp.worded(err), Remove(tmp.path))
	}
	return nil
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

// Close ends all use of the database, after the transactions that run.
func (db *DB) Close() error {
	db.purge.stop()
	err := db.file.worded(db.closePools())
	db.file.forget()
	return err
}

func (db *DB) closePools() error {
	db.purge.stop()
	err := db.read.Close() // the writer goes last: it clears the log
	if db.write != nil {
		err = errors.Join(err, db.write.Close())
	}
	if !db.file.key.Drain(drainTime) {
		err = errors.Join(err, errors.New("a transaction does not end"))
	}
	return err
}

// CloseFor closes the database and has everything that still wants it fail with reason.
func (db *DB) CloseFor(reason error) error {
	db.reason.Store(&reason)
	return db.Close()
}

// explain returns why the database was closed, if that is known, instead of an error.
func (db *DB) explain(err error) error {
	if reason := db.reason.Load(); reason != nil {
		return *reason
	}
	return db.file.worded(err)
}

// drainTime is how long Close waits for connections whose caller has given up.
const drainTime = 15 * time.Second

// Update runs f in the one write transaction; all of it is durable when Update returns
// nil, and nothing of it has happened otherwise.
func (db *DB) Update(ctx context.Context, f func(*Tx) error) error {
	if db.write == nil {
		return readOnly(errors.New("opened for reading only"))
	}
	tx, err := db.run(ctx, db.write, f)
	if err == nil && tx.freed {
		db.purge.wake()
	}
	return err
}

// View runs f in a read transaction: it sees one state of the database throughout.
func (db *DB) View(ctx context.Context, f func(*Tx) error) error {
	_, err := db.run(ctx, db.read, f)
	return err
}

func (db *DB) run(ctx context.Context, on *sql.DB, f func(*Tx) error) (*Tx, error) {
	stx, err := on.BeginTx(ctx, nil)
	if err != nil {
		return nil, db.explain(err)
	}
	tx := &Tx{ctx: ctx, sql: stx, db: db}
	done := false
	defer func() {
		if !done {
			_ = stx.Rollback() // f has panicked
		}
	}()
	err = f(tx)
	done = true
	if err != nil {
		if rb := stx.Rollback(); rb != nil && !errors.Is(rb, sql.ErrTxDone) {
			err = errors.Join(err, rb)
		}
		return nil, db.explain(err)
	}
	return tx, db.file.worded(stx.Commit())
}

// A Recovery says what opening a database after a crash had to leave out.
type Recovery struct {
	// Torn is whether the log ended in a piece that does not authenticate. After a power
	// cut that is the transaction that was being written; nothing acknowledged is lost.
	Torn bool
	// Damaged is whether acknowledged transactions lay behind that piece. They are lost:
	// the file was damaged or changed, and what the hub has must be fetched again.
	Damaged bool
}

// Recovery returns what was left out when the database was opened.
func (db *DB) Recovery() (r Recovery) {
	for _, x := range db.file.key.Reports() {
		if x.Kind == sealvfs.LogTail {
			r.Torn = true
			r.Damaged = r.Damaged || x.Later > 0
		}
	}
	return r
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
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
