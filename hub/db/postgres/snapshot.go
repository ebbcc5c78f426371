package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"causa/hub/db"
)

// ErrNone means that no hub has ever used the database.
var ErrNone = errors.New("no hub has used this database")

// OpenSnapshot looks at the database that a URL names, beside hubs or without any.
func OpenSnapshot(ctx context.Context, url string) (_ *db.Snapshot, err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTime
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, classify(err)
	}
	end := func() error { return conn.Close(context.WithoutCancel(ctx)) }
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, errors.Join(classify(err), end())
	}
	if err := checkVersion(ctx, tx); err != nil {
		return nil, errors.Join(err, end())
	}
	return db.NewSnapshot(&session{ctx: ctx, conn: conn, pending: &pgx.Batch{}}, end), nil
}

// checkVersion makes sure that the database has this version's tables.
func checkVersion(ctx context.Context, tx pgx.Tx) error {
	names, err := scripts()
	if err != nil {
		return err
	}
	have, ok, err := version(ctx, tx)
	switch {
	case err != nil:
		return classify(err)
	case !ok:
		return ErrNone
	case have > len(names):
		return db.ErrNewer
	case have < len(names):
		return db.ErrOlder
	}
	return nil
}
