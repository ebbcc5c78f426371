package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"causa/matter"
)

// ErrOlder means that the file has the tables of an earlier version: a hub that is
// started on it brings it up to date.
var ErrOlder = errors.New("database of an older version")

// A Snapshot is a hub's database as it is at one instant, to be looked at beside the
// hub or without one. It changes nothing. It is for use by one goroutine.
type Snapshot struct {
	db *sql.DB
	tx *sql.Tx
}

// OpenSnapshot looks at the database file, which must exist.
func OpenSnapshot(ctx context.Context, path string) (_ *Snapshot, err error) {
	if _, err := os.Stat(path); err != nil { // SQLite would make it
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := &Snapshot{}
	defer func() {
		if err != nil {
			_ = s.Close() // the first error counts
		}
	}()
	if s.db, err = open(path, "_query_only=1"); err != nil {
		return nil, err
	}
	s.db.SetMaxOpenConns(1)
	if s.tx, err = s.db.BeginTx(ctx, nil); err != nil {
		return nil, fmt.Errorf("begin: %w", classify(err))
	}
	var have int
	if err := s.tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return nil, fmt.Errorf("read version: %w", classify(err))
	}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	switch {
	case have > len(names):
		return nil, ErrNewer
	case have < len(names):
		return nil, ErrOlder
	}
	return s, nil
}

// Close ends looking.
func (s *Snapshot) Close() error {
	var errs []error
	if s.tx != nil {
		if err := s.tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
			errs = append(errs, err)
		}
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}

// Counts say how much a hub keeps.
type Counts struct {
	Log         uint64 // entries of the organisation log
	Matters     uint64
	Entries     uint64 // of all matters' logs
	Welcomes    uint64 // that wait
	KeyPackages uint64
	Bytes       int64 // of the database file
}

// Counts counts.
func (s *Snapshot) Counts(ctx context.Context) (c Counts, err error) {
	const query = `SELECT (SELECT count(*) FROM org_log), (SELECT count(*) FROM matters), (SELECT coalesce(sum(head), 0) FROM matters),
		(SELECT count(*) FROM welcomes), (SELECT count(*) FROM key_packages),
		(SELECT page_count * page_size FROM pragma_page_count, pragma_page_size)`
	err = s.tx.QueryRowContext(ctx, query).Scan(&c.Log, &c.Matters, &c.Entries, &c.Welcomes, &c.KeyPackages, &c.Bytes)
	if err != nil {
		return c, fmt.Errorf("count: %w", classify(err))
	}
	return c, nil
}

// Meta returns the value kept under a name, nil when there is none.
func (s *Snapshot) Meta(ctx context.Context, name string) (value []byte, err error) {
	_, err = scanOne(s.tx.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = ?`, name), "read meta", &value)
	return value, err
}

// Log calls fn for every entry of the organisation log, in order.
func (s *Snapshot) Log(ctx context.Context, fn func(index uint64, entry []byte) error) error {
	return s.rows(ctx, "read organisation log", func(rows *sql.Rows) error {
		var index uint64
		var entry []byte
		if err := rows.Scan(&index, &entry); err != nil {
			return err
		}
		return fn(index, entry)
	}, `SELECT idx, entry FROM org_log ORDER BY idx`)
}

// Devices returns all devices by number.
func (s *Snapshot) Devices(ctx context.Context) (map[DeviceNo]matter.DeviceID, error) {
	devices := map[DeviceNo]matter.DeviceID{}
	err := s.rows(ctx, "list devices", func(rows *sql.Rows) error {
		var no DeviceNo
		var id []byte
		if err := rows.Scan(&no, &id); err != nil {
			return err
		}
		if len(id) != len(matter.DeviceID{}) {
			return fmt.Errorf("device %d has an id of %d bytes", no, len(id))
		}
		devices[no] = matter.DeviceID(id)
		return nil
	}, `SELECT no, id FROM devices`)
	return devices, err
}

// Matters returns the numbers of all matters.
func (s *Snapshot) Matters(ctx context.Context) (nos []MatterNo, err error) {
	err = s.rows(ctx, "list matters", func(rows *sql.Rows) error {
		var no MatterNo
		if err := rows.Scan(&no); err != nil {
			return err
		}
		nos = append(nos, no)
		return nil
	}, `SELECT no FROM matters ORDER BY no`)
	return nos, err
}

// Group returns a matter's id, its epoch, its GroupInfo and the devices that are in it.
func (s *Snapshot) Group(ctx context.Context, no MatterNo) (id matter.ID, epoch uint64, info []byte, devices []DeviceNo, err error) {
	var b []byte
	_, err = scanOne(s.tx.QueryRowContext(ctx, `SELECT m.id, m.epoch, g.info FROM matters m
		JOIN group_infos g ON g.matter = m.no WHERE m.no = ?`, int64(no)), "read group info", &b, &epoch, &info)
	if err != nil {
		return id, 0, nil, nil, err
	}
	copy(id[:], b)
	err = s.rows(ctx, "list participants", func(rows *sql.Rows) error {
		var d DeviceNo
		if err := rows.Scan(&d); err != nil {
			return err
		}
		devices = append(devices, d)
		return nil
	}, `SELECT device FROM participants WHERE matter = ? AND until_seq IS NULL ORDER BY device`, int64(no))
	return id, epoch, info, devices, err
}

func (s *Snapshot) rows(ctx context.Context, what string, scan func(*sql.Rows) error, query string, args ...any) error {
	return each(what, func() (*sql.Rows, error) {
		return s.tx.QueryContext(ctx, query, args...)
	}, func(rows *sql.Rows) (bool, error) { return true, scan(rows) })
}
