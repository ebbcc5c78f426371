package vault

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

// schemaVersion is the version of the file.
const schemaVersion = 1

const schema = `
CREATE TABLE slot (
  id           BLOB PRIMARY KEY,
  device       BLOB NOT NULL,
  module       TEXT NOT NULL,     -- '': the app's slot
  unlock       BLOB NOT NULL UNIQUE,
  proof        BLOB NOT NULL,
  generation   INTEGER NOT NULL,
  key          BLOB,              -- NULL: never confirmed, or destroyed
  next         INTEGER NOT NULL,
  next_key     BLOB,              -- NULL: destroyed
  tries        INTEGER NOT NULL,  -- since it was last proven open
  not_before   INTEGER NOT NULL,  -- Unix milliseconds
  confirmed    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX slot_device ON slot (device);
-- Statements of the organisation log that were carried out here, by their entries' hashes.
CREATE TABLE done (entry BLOB PRIMARY KEY) WITHOUT ROWID;
PRAGMA user_version = 1;
`

// A Store is the file that holds the slots. It is safe for concurrent use: what comes
// while a transaction is being written goes into the next one together.
type Store struct {
	db   *sql.DB
	conn *sql.Conn
	in   chan *job
	done sync.WaitGroup

	mu     sync.RWMutex // held for reading while something is put into in
	closed bool
}

// A job is one change on its way to the disk.
type job struct {
	do  func(*tx) error
	err chan error
}

const maxBatch = 512

// Open opens the file at path, making it when it is missing.
func Open(ctx context.Context, path string) (_ *Store, err error) {
	s := &Store{in: make(chan *job, maxBatch)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of slot keys: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open slot keys: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open slot keys: %w", err)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open slot keys: %w", err)
	}
	slashed := filepath.ToSlash(abs)
	if slashed[0] != '/' {
		slashed = "/" + slashed // a Windows drive
	}
	// A rollback journal, not a log: keys that were destroyed don't linger in one.
	u := url.URL{Scheme: "file", Path: slashed, RawQuery: "_journal_mode=TRUNCATE&_synchronous=EXTRA&_secure_delete=1&_busy_timeout=10000&_txlock=immediate"}
	if s.db, err = sql.Open("sqlite3", u.String()); err != nil {
		return nil, fmt.Errorf("open slot keys: %w", err)
	}
	s.db.SetMaxOpenConns(1)
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return nil, fmt.Errorf("open slot keys: %w", err)
	}
	if err := s.migrate(ctx); err != nil {
		return nil, err
	}
	s.done.Go(s.run)
	return s, nil
}

func (s *Store) migrate(ctx context.Context) error {
	var version int
	if err := s.conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("read slot keys: %w", err)
	}
	switch {
	case version > schemaVersion:
		return ErrNewer
	case version == schemaVersion:
		return nil
	}
	t, err := s.conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("make slot keys: %w", err)
	}
	if _, err := t.ExecContext(ctx, schema); err != nil {
		return errors.Join(fmt.Errorf("make slot keys: %w", err), t.Rollback())
	}
	return t.Commit()
}

// Close waits for what was begun and closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.in)
	}
	s.mu.Unlock()
	s.done.Wait()
	return s.release()
}

func (s *Store) release() error {
	var err error
	if s.conn != nil {
		err = s.conn.Close()
	}
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	if errors.Is(err, sql.ErrConnDone) {
		return nil // closed before
	}
	return err
}

// write has f run in a transaction. When write returns nil, the disk has what f did. An
// error of f must come before it has changed anything.
func (s *Store) write(ctx context.Context, f func(*tx) error) error {
	j := &job{do: f, err: make(chan error, 1)}
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return errors.New("slot keys are closed")
	}
	select {
	case s.in <- j:
		s.mu.RUnlock()
	case <-ctx.Done():
		s.mu.RUnlock()
		return ctx.Err()
	}
	return <-j.err // begun work is seen through
}

// run writes until in is closed.
func (s *Store) run() {
	for first := range s.in {
		jobs := []*job{first}
	gather:
		for len(jobs) < maxBatch {
			select {
			case j, ok := <-s.in:
				if !ok {
					break gather
				}
				jobs = append(jobs, j)
			default:
				break gather
			}
		}
		s.batch(jobs)
	}
}

// batch carries jobs out in one transaction. What a job refuses concerns it alone; when
// the disk refuses, all of them fail.
func (s *Store) batch(jobs []*job) {
	ctx := context.Background()
	errs := make([]error, len(jobs))
	t, err := s.conn.BeginTx(ctx, nil)
	if err == nil {
		tx := &tx{ctx: ctx, sql: t}
		for i, j := range jobs {
			errs[i] = j.do(tx)
			if tx.failed != nil {
				err = tx.failed
				break
			}
		}
		if err == nil {
			err = t.Commit()
		} else {
			_ = t.Rollback() // the first error counts
		}
	}
	for i, j := range jobs {
		if err != nil {
			errs[i] = fmt.Errorf("write slot keys: %w", err)
		}
		j.err <- errs[i]
	}
}
