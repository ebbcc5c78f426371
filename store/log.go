package store

import (
	"database/sql"
	"errors"
	"iter"
)

// AppendLog stores organisation log entries, the first of them at index from.
func (tx *Tx) AppendLog(from uint64, entries [][]byte) error {
	for i, e := range entries {
		if err := tx.exec("INSERT INTO log_entry(idx, bytes) VALUES(?, ?)", int64(from)+int64(i), e); err != nil {
			return err
		}
	}
	return nil
}

// LogEntries yields the stored organisation log entries, in order.
func (tx *Tx) LogEntries() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		err := tx.each(func(r *sql.Rows) error {
			var b []byte
			if err := r.Scan(&b); err != nil {
				return err
			}
			if !yield(b, nil) {
				return errStop
			}
			return nil
		}, "SELECT bytes FROM log_entry ORDER BY idx")
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}

var errStop = errors.New("stop")
