// Package postgres keeps the hub's tables in PostgreSQL, which several hubs may share.
// What one transaction does travels in few messages: statements are put off until a
// result is needed, and many rows go in one statement.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"causa/hub/db"
)

const (
	maxConns    = 8                // unless the URL says pool_max_conns
	connectTime = 5 * time.Second  // unless it says connect_timeout
	longest     = 20 * time.Second // that a transaction may take: then the server counts as gone
)

// A Store is a pool of connections. It is safe for concurrent use.
type Store struct{ pool *pgxpool.Pool }

var _ db.Store = (*Store)(nil)

// Open connects to the database that a postgres:// URL names, and makes or migrates the
// tables as needed.
func Open(ctx context.Context, url string) (_ *Store, err error) {
	pool, err := connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			pool.Close()
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, 10*longest) // others may be migrating
	defer cancel()
	if err := pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		return errors.Join(assertDurable(ctx, c.Conn()), migrate(ctx, c.Conn()))
	}); err != nil {
		return nil, classify(err)
	}
	return &Store{pool}, nil
}

// connect makes the pool. It does not connect yet.
func connect(ctx context.Context, url string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err) // pgx leaves the password out
	}
	if _, said := config.ConnConfig.RuntimeParams["pool_max_conns"]; !said && config.MaxConns < maxConns {
		config.MaxConns = maxConns
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTime
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "causa-hub"
	}
	config.AfterConnect = durable
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("database: %w", classify(err))
	}
	return pool, nil
}

// durable makes sure that a commit on a connection means that the server's disk has it.
// Who waits for other servers, too, is left to.
func durable(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false)
		WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')`)
	return err
}

// assertDurable refuses a server that would lose what a power cut catches.
func assertDurable(ctx context.Context, c *pgx.Conn) error {
	for setting, want := range map[string]string{"fsync": "on", "full_page_writes": "on"} {
		var is string
		if err := c.QueryRow(ctx, `SELECT current_setting($1)`, setting).Scan(&is); err != nil {
			return fmt.Errorf("read %s: %w", setting, err)
		}
		if is != want {
			return fmt.Errorf("%w: %s = %s would lose what was acknowledged", ErrSetting, setting, is)
		}
	}
	return nil
}

// Shared reports that other hubs may use the database, too.
func (s *Store) Shared() bool { return true }

// Close closes all connections once they are not in use.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// Write implements [db.Store].
func (s *Store) Write(ctx context.Context, fn func(db.Conn) error) error {
	return s.within(ctx, `begin isolation level read committed read write`, fn)
}

// Read implements [db.Store].
func (s *Store) Read(ctx context.Context, fn func(db.Conn) error) error {
	return s.within(ctx, `begin isolation level repeatable read read only`, fn)
}

// Query implements [db.Store].
func (s *Store) Query(ctx context.Context, scan db.Scan, query string, args ...any) error {
	return s.use(ctx, func(c *session) error {
		if err := c.Query(scan, query, args...); err != nil {
			return err
		}
		return c.Flush()
	})
}

// within runs fn in a transaction and commits it.
func (s *Store) within(ctx context.Context, beginning string, fn func(db.Conn) error) error {
	return s.use(ctx, func(c *session) error {
		c.queue(beginning)
		err := fn(c)
		if err == nil && c.sent+c.pending.Len() == 1 {
			return nil // nothing was asked of the database
		}
		if err == nil {
			c.queue(`commit`)
			err = c.Flush()
		}
		if err != nil {
			c.rollback()
		}
		return err
	})
}

// use runs fn on a connection, for not too long.
func (s *Store) use(ctx context.Context, fn func(*session) error) error {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", classify(err))
	}
	done := false
	defer func() {
		if !done { // fn panics: what state the connection is in, nobody knows
			_ = conn.Conn().Close(context.WithoutCancel(ctx))
		}
		conn.Release()
	}()
	err = fn(&session{ctx: ctx, conn: conn.Conn(), pending: &pgx.Batch{}})
	done = true
	return err
}
