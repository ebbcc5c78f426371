package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"causa/hub/db"
)

// A preparer is what a session runs on: a connection or a transaction.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// A session is one connection to the file, with its statements, each prepared once. It
// runs them at once, and none is abandoned halfway, so no context cuts it short. It is
// for use by one goroutine.
type session struct {
	on   preparer
	conn *sql.Conn // nil when it is somebody else's
	all  map[string]*sql.Stmt
}

var _ db.Conn = (*session)(nil)

// begin makes a session with a connection of its own.
func begin(ctx context.Context, file *sql.DB) (*session, error) {
	c, err := file.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", classify(err))
	}
	return &session{on: c, conn: c, all: map[string]*sql.Stmt{}}, nil
}

// end closes what the session has open: while a statement is, SQLite does not close
// the file.
func (s *session) end() error {
	var errs []error
	for _, st := range s.all {
		errs = append(errs, st.Close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	return errors.Join(errs...)
}

// within runs fn in a transaction and commits it.
func (s *session) within(ctx context.Context, beginning string, fn func(db.Conn) error) error {
	if err := s.Exec(beginning); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	committed := false
	defer func() {
		if !committed {
			// It fails when SQLite has rolled back by itself, as on a full disk.
			_ = s.Exec(`ROLLBACK`)
		}
	}()
	if err := fn(s); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.Exec(`COMMIT`); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	committed = true
	return nil
}

// statement returns a prepared query. Its parameters are $1, $2 ..., which to SQLite
// would be names.
func (s *session) statement(query string) (*sql.Stmt, error) {
	if st := s.all[query]; st != nil {
		return st, nil
	}
	st, err := s.on.PrepareContext(context.Background(), strings.ReplaceAll(query, "$", "?"))
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, classify(err))
	}
	s.all[query] = st
	return st, nil
}

// Exec implements [db.Conn].
func (s *session) Exec(query string, args ...any) error {
	st, err := s.statement(query) //nolint:sqlclosecheck // end closes it
	if err != nil {
		return err
	}
	if _, err := st.ExecContext(context.Background(), args...); err != nil {
		return classify(err)
	}
	return nil
}

// Query implements [db.Conn].
func (s *session) Query(scan db.Scan, query string, args ...any) error {
	st, err := s.statement(query) //nolint:sqlclosecheck // end closes it
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(context.Background(), args...)
	if err != nil {
		return classify(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below tells all
	for rows.Next() {
		more, err := scan(rows)
		if err != nil {
			return classify(err)
		}
		if !more {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return classify(err)
	}
	return nil
}

// Many implements [db.Conn].
func (s *session) Many(b db.Bulk, columns ...any) error {
	st, err := s.statement(b.One) //nolint:sqlclosecheck // end closes it
	if err != nil {
		return err
	}
	args := make([]any, len(columns))
	for row := 0; ; row++ {
		for i, column := range columns {
			switch column := column.(type) {
			case []int64:
				if row == len(column) {
					return nil
				}
				args[i] = column[row]
			case [][]byte:
				if row == len(column) {
					return nil
				}
				args[i] = column[row]
			default:
				return fmt.Errorf("column of type %T", column)
			}
		}
		if _, err := st.ExecContext(context.Background(), args...); err != nil {
			return classify(err)
		}
	}
}

// Flush implements [db.Conn]: nothing is ever put off.
func (s *session) Flush() error { return nil }

// Pick implements [db.Conn].
func (s *session) Pick(sqlite, _ string) string { return sqlite }
