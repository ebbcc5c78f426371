package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// A migration brings the tables from the version before it to its own. A released one
// never changes.
type migration struct {
	version int
	sql     string
}

func readMigrations(from fs.FS) ([]migration, error) {
	names, err := fs.Glob(from, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	out := make([]migration, 0, len(names))
	for i, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		if v, err := strconv.Atoi(number); err != nil || v != i+1 {
			return nil, fmt.Errorf("migration %s: want number %04d", name, i+1)
		}
		b, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, err
		}
		out = append(out, migration{version: i + 1, sql: string(b)})
	}
	return out, nil
}

// migrate brings the tables up to date, each step in a transaction of its own. A file
// that knows more than this app is refused before anything is written.
func (db *DB) migrate(ctx context.Context, all []migration) error {
	have, err := db.version(ctx)
	if err != nil {
		return err
	}
	if have > len(all) {
		return newer(&NewerError{Have: have, Want: len(all)})
	}
	if have < len(all) && db.write == nil {
		return readOnly(fmt.Errorf("version %d needs migrations up to %d", have, len(all)))
	}
	for _, m := range all[have:] {
		err := db.Update(ctx, func(tx *Tx) error {
			if err := tx.exec(m.sql); err != nil {
				return err
			}
			return tx.exec("PRAGMA user_version = " + strconv.Itoa(m.version))
		})
		if err != nil {
			return fmt.Errorf("migration %d: %w", m.version, err)
		}
	}
	return nil
}

func (db *DB) version(ctx context.Context) (v int, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		return tx.one([]any{&v}, "PRAGMA user_version")
	})
	return v, err
}
