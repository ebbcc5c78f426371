package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"slices"

	"causa/hub/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// scripts returns the names of all migrations, in order.
func scripts() ([]string, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

// migrate brings the file to this version's tables, one transaction a migration. The
// file's user_version is how many it has had.
func migrate(ctx context.Context, conn *sql.Conn) error {
	names, err := scripts()
	if err != nil {
		return err
	}
	var have int
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return fmt.Errorf("read version: %w", classify(err))
	}
	if have > len(names) {
		return fmt.Errorf("%w: it has version %d, this program knows %d", db.ErrNewer, have, len(names))
	}
	for i, name := range names[have:] {
		script, err := migrations.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read migration: %w", err)
		}
		tx, err := conn.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("begin migration: %w", classify(err))
		}
		if _, err := tx.ExecContext(ctx, string(script)); err != nil {
			_ = tx.Rollback() // the first error counts
			return fmt.Errorf("%s: %w", name, classify(err))
		}
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", have+i+1)); err != nil {
			_ = tx.Rollback() // the first error counts
			return fmt.Errorf("%s: %w", name, classify(err))
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("%s: %w", name, classify(err))
		}
	}
	return nil
}
