// Package db is the hub's storage: what everything that the hub has acknowledged
// survives in. It knows the tables; an engine ([Store]) keeps them on a disk: a SQLite
// file for one hub, or PostgreSQL, which several hubs may share.
//
// Each hub has one writer, who puts many requests into one transaction ([DB.Write]);
// reads run beside it and see what is committed.
package db

import (
	"context"
	"fmt"
)

// A DB is an open hub database. It is safe for concurrent use.
type DB struct{ store Store }

// New puts the tables on an engine, which brings them along. The DB owns it.
func New(s Store) *DB { return &DB{store: s} }

// Store returns the engine.
func (d *DB) Store() Store { return d.store }

// Shared reports whether other hubs may write to this database, too.
func (d *DB) Shared() bool { return d.store.Shared() }

// Close closes the database. No transaction may be open.
func (d *DB) Close() error { return d.store.Close() }

// Write runs fn in a transaction and commits it: when Write returns nil, all of it is
// on the disk; otherwise none of it is. The error wraps [ErrFull] when the disk is
// full, [ErrConflict] when another hub was faster, and [ErrGone] when the database
// can't be reached: then nobody knows.
func (d *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	return d.store.Write(ctx, func(c Conn) error {
		tx := &Tx{conn: c}
		if err := fn(tx); err != nil {
			return err
		}
		return tx.flush()
	})
}

// query runs one query beside the writer.
func (d *DB) query(ctx context.Context, what string, scan Scan, query string, args ...any) error {
	return wrap(what, d.store.Query(ctx, scan, query, args...))
}

// get is query for a single row.
func (d *DB) get(ctx context.Context, what string, to []any, query string, args ...any) (found bool, err error) {
	err = d.query(ctx, what, only(&found, to...), query, args...)
	return found, err
}

// wrap says what was being done.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
