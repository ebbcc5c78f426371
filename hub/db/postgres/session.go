package postgres

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5"

	"causa/hub/db"
)

// A session is a connection with the statements that wait to be sent together. It is
// for use by one goroutine.
type session struct {
	ctx     context.Context //nolint:containedctx // of the transaction, which it lives no longer than
	conn    *pgx.Conn
	pending *pgx.Batch
	sent    int   // statements
	failed  error // what scan said
}

var _ db.Conn = (*session)(nil)

func (s *session) queue(query string, args ...any) *pgx.QueuedQuery {
	return s.pending.Queue(query, args...)
}

// Exec implements [db.Conn].
func (s *session) Exec(query string, args ...any) error {
	s.queue(query, args...)
	return nil
}

// Query implements [db.Conn].
func (s *session) Query(scan db.Scan, query string, args ...any) error {
	s.queue(query, args...).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			more, err := scan(rows)
			if err != nil {
				s.failed = err
				return err
			}
			if !more {
				return nil
			}
		}
		return rows.Err()
	})
	return nil
}

// Many implements [db.Conn].
func (s *session) Many(b db.Bulk, columns ...any) error {
	if len(columns) == 0 {
		return fmt.Errorf("%q without columns", b.All)
	}
	if reflect.ValueOf(columns[0]).Len() > 0 {
		s.queue(b.All, columns...)
	}
	return nil
}

// Flush implements [db.Conn]: all statements that wait go to the server at once, and
// the results come back at once.
func (s *session) Flush() error {
	if s.pending.Len() == 0 {
		return nil
	}
	batch := s.pending
	s.sent += batch.Len()
	s.pending = &pgx.Batch{}
	err := s.conn.SendBatch(s.ctx, batch).Close()
	if s.failed != nil {
		return s.failed // not the database's fault
	}
	return classify(err)
}

// Pick implements [db.Conn].
func (s *session) Pick(_, postgres string) string { return postgres }

// rollback undoes what was sent. When that fails, the connection is closed, which is as
// good.
func (s *session) rollback() {
	s.pending = &pgx.Batch{}
	if s.sent == 0 || s.conn.IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), 5*time.Second)
	defer cancel()
	if _, err := s.conn.Exec(ctx, "rollback"); err != nil {
		_ = s.conn.Close(ctx) // this is the end either way
	}
}
