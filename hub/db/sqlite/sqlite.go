// Package sqlite keeps a hub's tables in one SQLite file, in which everything that was
// committed survives a crash of the machine. One hub uses it at a time.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver

	"causa/hub/db"
)

// readers is how many reads run at once: more only wait for the processor.
const readers = 4

// closeTime is how long Close waits for a read that is under way.
const closeTime = 5 * time.Second

// cacheKiB is the writer's page cache.
const cacheKiB = 32 << 10

// A Store is an open file. Reads are safe for concurrent use; writes wait for each
// other.
type Store struct {
	writing, reading *sql.DB

	mu     sync.Mutex // held while a transaction is open
	writer *session
	idle   chan *session // that read, and are not in use
	read   int           // how many read
}

var _ db.Store = (*Store)(nil)

// Open opens the database file, making or migrating it as needed.
func Open(ctx context.Context, path string) (*Store, error) { return openOn(ctx, path, "") }

// openOn is Open on a file system of SQLite's, such as a test's.
func openOn(ctx context.Context, path, vfs string) (_ *Store, err error) {
	if vfs != "" {
		vfs = "&vfs=" + vfs
	}
	s := &Store{}
	defer func() {
		if err != nil {
			_ = s.Close() // the first error counts
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
	if s.writing, err = open(path, "_foreign_keys=1"+vfs); err != nil {
		return nil, err
	}
	if s.writer, err = begin(ctx, s.writing); err != nil {
		return nil, err
	}
	for _, pragma := range []string{
		fmt.Sprintf("PRAGMA cache_size = -%d", cacheKiB),
		"PRAGMA wal_autocheckpoint = 2000",
		"PRAGMA journal_size_limit = 67108864",
	} {
		if _, err = s.writer.conn.ExecContext(ctx, pragma); err != nil {
			return nil, fmt.Errorf("%s: %w", pragma, classify(err))
		}
	}
	if err = s.assertDurable(ctx); err != nil {
		return nil, err
	}
	if err = migrate(ctx, s.writer.conn); err != nil {
		return nil, err
	}
	if s.reading, err = open(path, "_query_only=1"+vfs); err != nil {
		return nil, err
	}
	s.idle = make(chan *session, readers)
	for range readers {
		r, err := begin(ctx, s.reading)
		if err != nil {
			return nil, err
		}
		s.read++
		s.idle <- r
	}
	return s, nil
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
func (s *Store) assertDurable(ctx context.Context) error {
	var mode string
	var synchronous int
	if err := s.writer.conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return fmt.Errorf("read journal mode: %w", classify(err))
	}
	if err := s.writer.conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous); err != nil {
		return fmt.Errorf("read synchronous: %w", classify(err))
	}
	if mode != "wal" || synchronous != 2 {
		return fmt.Errorf("database is not durable: journal mode %s, synchronous %d", mode, synchronous)
	}
	return nil
}

// Close closes the file, once the reads under way are over. No transaction may be open.
func (s *Store) Close() error {
	var errs []error
	for range s.read {
		select {
		case r := <-s.idle:
			errs = append(errs, r.end())
		case <-time.After(closeTime): // the end comes anyway
		}
	}
	s.read = 0
	if s.writer != nil {
		errs = append(errs, s.writer.end())
	}
	for _, file := range []*sql.DB{s.reading, s.writing} {
		if file != nil {
			errs = append(errs, file.Close())
		}
	}
	return errors.Join(errs...)
}

// Shared reports that one hub has the file to itself.
func (s *Store) Shared() bool { return false }

// Write implements [db.Store].
func (s *Store) Write(ctx context.Context, fn func(db.Conn) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writer.within(ctx, `BEGIN IMMEDIATE`, fn)
}

// Read implements [db.Store].
func (s *Store) Read(ctx context.Context, fn func(db.Conn) error) error {
	return s.onReader(ctx, func(r *session) error { return r.within(ctx, `BEGIN`, fn) })
}

// Query implements [db.Store].
func (s *Store) Query(ctx context.Context, scan db.Scan, query string, args ...any) error {
	return s.onReader(ctx, func(r *session) error { return r.Query(scan, query, args...) })
}

// onReader runs fn on a reading session that is not in use.
func (s *Store) onReader(ctx context.Context, fn func(*session) error) error {
	select {
	case r := <-s.idle:
		defer func() { s.idle <- r }()
		return fn(r)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// LimitPages caps the database file at so many pages, as a full disk would; 0 lifts
// the cap. It is for tests of the hub.
func (s *Store) LimitPages(ctx context.Context, n int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n == 0 {
		n = 4294967294
	}
	if _, err := s.writer.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
		return fmt.Errorf("limit pages: %w", classify(err))
	}
	return nil
}
