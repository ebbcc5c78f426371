package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"causa/hub/db"
)

// OpenSnapshot looks at a database file, which must exist, beside a hub or without one.
func OpenSnapshot(ctx context.Context, path string) (_ *db.Snapshot, err error) {
	if _, err := os.Stat(path); err != nil { // SQLite would make it
		return nil, fmt.Errorf("open database: %w", err)
	}
	file, err := open(path, "_query_only=1")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = file.Close() // the first error counts
		}
	}()
	file.SetMaxOpenConns(1)
	tx, err := file.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", classify(err))
	}
	read := &session{on: tx, all: map[string]*sql.Stmt{}}
	end := func() error {
		errs := []error{read.end()}
		if err := tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
			errs = append(errs, err)
		}
		return errors.Join(append(errs, file.Close())...)
	}
	if err := checkVersion(ctx, tx); err != nil {
		return nil, errors.Join(err, end())
	}
	return db.NewSnapshot(read, end), nil
}

// checkVersion makes sure that the file has this version's tables.
func checkVersion(ctx context.Context, tx *sql.Tx) error {
	var have int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return fmt.Errorf("read version: %w", classify(err))
	}
	names, err := scripts()
	switch {
	case err != nil:
		return err
	case have > len(names):
		return db.ErrNewer
	case have < len(names):
		return db.ErrOlder
	}
	return nil
}
