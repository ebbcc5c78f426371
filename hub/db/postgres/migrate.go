package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/jackc/pgx/v5"

	"causa/hub/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrSetting means that the server is set up in a way that a hub can't work with.
var ErrSetting = errors.New("database is not set up for a hub")

// migrationLock is what hubs that migrate at once take turns at.
const migrationLock = 0x63617573612d6d69

// scripts returns the names of all migrations, in order.
func scripts() ([]string, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

// version returns how many migrations the database has had; ok is false when no hub has
// ever used it.
func version(ctx context.Context, c interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
},
) (have int, ok bool, err error) {
	if err := c.QueryRow(ctx, `SELECT to_regclass('causa_version') IS NOT NULL`).Scan(&ok); err != nil || !ok {
		return 0, false, err
	}
	err = c.QueryRow(ctx, `SELECT version FROM causa_version`).Scan(&have)
	return have, true, err
}

// migrate brings the database to this version's tables, all in one transaction.
func migrate(ctx context.Context, c *pgx.Conn) error {
	names, err := scripts()
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
			return fmt.Errorf("wait for other hubs: %w", err)
		}
		have, ok, err := version(ctx, tx)
		if err != nil {
			return fmt.Errorf("read version: %w", err)
		}
		if have > len(names) {
			return fmt.Errorf("%w: it has version %d, this program knows %d", db.ErrNewer, have, len(names))
		}
		if have == len(names) {
			return nil
		}
		if !ok {
			if _, err := tx.Exec(ctx, `CREATE TABLE causa_version (version integer NOT NULL); INSERT INTO causa_version VALUES (0)`); err != nil {
				return fmt.Errorf("make version: %w", err)
			}
		}
		for _, name := range names[have:] {
			script, err := migrations.ReadFile(name)
			if err != nil {
				return fmt.Errorf("read migration: %w", err)
			}
			if _, err := tx.Exec(ctx, string(script)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		_, err = tx.Exec(ctx, `UPDATE causa_version SET version = $1`, len(names))
		return err
	})
}
