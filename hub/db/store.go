package db

import (
	"context"
	"errors"
)

// ErrFull means that the disk took no more. What was being written is as if it had
// never been tried; reading goes on.
var ErrFull = errors.New("disk full")

// ErrNewer means that a later version of the hub wrote the database.
var ErrNewer = errors.New("database of a newer version")

// ErrOlder means that the database has the tables of an earlier version: a hub that is
// started on it brings it up to date.
var ErrOlder = errors.New("database of an older version")

// ErrGone means that the database can't be reached. What was being written may or may
// not be there: whoever tries again must be able to tell.
var ErrGone = errors.New("database can't be reached")

// ErrConflict means that another hub on the same database was faster. Nothing was
// written; trying again is all that it takes.
var ErrConflict = errors.New("another hub was faster")

// A Store is an engine: it keeps the hub's tables and runs this package's statements on
// them. Two are there, hub/db/sqlite and hub/db/postgres. It is safe for concurrent
// use.
type Store interface {
	// Write runs fn in a transaction and commits it: when Write returns nil, all of it
	// is on the disk; otherwise none of it is, but for [ErrGone].
	Write(ctx context.Context, fn func(Conn) error) error
	// Read runs fn on what is committed, all its queries on the same instant.
	Read(ctx context.Context, fn func(Conn) error) error
	// Query runs one query on what is committed.
	Query(ctx context.Context, scan Scan, query string, args ...any) error
	// Shared reports whether other hubs may write to this database, too. What a hub
	// remembers of it must then be checked under [Tx.Lock].
	Shared() bool
	// Close closes the database. No transaction may be open.
	Close() error
}

// A Conn is the open transaction of a Store. Statements are written in what both
// engines understand, with parameters $1, $2 ...; where they differ, [Conn.Pick]
// chooses. A Conn may put statements off until [Conn.Flush], so that many travel
// together; an error then comes from there.
type Conn interface {
	// Exec runs a statement whose result is of no interest.
	Exec(query string, args ...any) error
	// Query runs a statement and has scan look at each row.
	Query(scan Scan, query string, args ...any) error
	// Many runs a statement for each row of columns, which are []int64 or [][]byte and
	// all equally long.
	Many(b Bulk, columns ...any) error
	// Flush runs what was put off.
	Flush() error
	// Pick returns the text for this engine.
	Pick(sqlite, postgres string) string
}

// A Row is a row of a result.
type Row interface{ Scan(to ...any) error }

// A Scan looks at one row of a result; more is false when the rest is of no interest.
type Scan func(Row) (more bool, err error)

// A Bulk is a statement for many rows: for one row with a parameter a column, or for
// all at once with arrays.
type Bulk struct{ One, All string }

// ask is Query at once.
func ask(c Conn, what string, scan Scan, query string, args ...any) error {
	if err := c.Query(scan, query, args...); err != nil {
		return wrap(what, err)
	}
	return wrap(what, c.Flush())
}

// one scans the only row of a query and reports whether there was one.
func one(c Conn, what string, to []any, query string, args ...any) (found bool, err error) {
	err = ask(c, what, only(&found, to...), query, args...)
	return found, err
}

// only is a Scan for a single row.
func only(found *bool, to ...any) Scan {
	return func(r Row) (bool, error) {
		*found = true
		return false, r.Scan(to...)
	}
}
