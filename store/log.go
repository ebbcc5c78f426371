package store

import (
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
	return tx.blobs("SELECT bytes FROM log_entry ORDER BY idx")
}

var errStop = errors.New("stop")
