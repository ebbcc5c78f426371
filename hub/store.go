package hub

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"causa/hub/db"
	"causa/hub/db/postgres"
	"causa/hub/db/sqlite"
	"causa/internal/fault"
)

// A Place is where a hub keeps what it has.
type Place struct {
	Data     string // the data folder
	Database string // the postgres:// URL of a database that it shares; empty: a file in the data folder
}

// shared reports whether the database is not the folder's own.
func (p Place) shared() bool { return p.Database != "" }

// check refuses a database of no kind that there is. It does not repeat it: there may be
// a password in it.
func (p Place) check() error {
	if p.Database == "" || strings.HasPrefix(p.Database, "postgres://") || strings.HasPrefix(p.Database, "postgresql://") {
		return nil
	}
	return &fault.Error{
		Text: "The hub can't use a database with such an address.",
		Hint: "Write postgres://USER@HOST/NAME, or leave it empty for a file in the data folder.",
	}
}

// openDatabase opens the database, making or migrating it as needed.
func openDatabase(ctx context.Context, at Place) (*db.DB, error) {
	if err := at.check(); err != nil {
		return nil, err
	}
	var s db.Store
	var err error
	if at.shared() {
		s, err = postgres.Open(ctx, at.Database)
	} else {
		s, err = sqlite.Open(ctx, filepath.Join(at.Data, databaseFile))
	}
	if err != nil {
		return nil, storeFault(err)
	}
	return db.New(s), nil
}

// openSnapshot looks at the database beside a hub or without one.
func openSnapshot(ctx context.Context, at Place) (*db.Snapshot, error) {
	if err := at.check(); err != nil {
		return nil, err
	}
	if at.shared() {
		s, err := postgres.OpenSnapshot(ctx, at.Database)
		if errors.Is(err, postgres.ErrNone) {
			return nil, &fault.Error{Text: "No hub has used this database yet.", Hint: "Say which one with --database or in the configuration file.", Err: err}
		}
		if err != nil {
			return nil, folderFault(err)
		}
		return s, nil
	}
	s, err := sqlite.OpenSnapshot(ctx, filepath.Join(at.Data, databaseFile))
	if err != nil {
		return nil, folderFault(err)
	}
	return s, nil
}
