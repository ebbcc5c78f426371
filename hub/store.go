package hub

import (
	"context"
	"path/filepath"

	"causa/hub/db"
	"causa/hub/db/sqlite"
)

// openDatabase opens the database of a data folder, making or migrating it as needed.
func openDatabase(ctx context.Context, data string) (*db.DB, error) {
	s, err := sqlite.Open(ctx, filepath.Join(data, databaseFile))
	if err != nil {
		return nil, err
	}
	return db.New(s), nil
}

// openSnapshot looks at the database of a data folder, beside a hub or without one.
func openSnapshot(ctx context.Context, data string) (*db.Snapshot, error) {
	s, err := sqlite.OpenSnapshot(ctx, filepath.Join(data, databaseFile))
	if err != nil {
		return nil, folderFault(err)
	}
	return s, nil
}
