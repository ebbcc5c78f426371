package store

import "database/sql"

// AppendLog stores organisation log entries, the first of them at index from.
func (tx *Tx) AppendLog(from uint64, entries [][]byte) error {
	for i, e := range entries {
		if err := tx.exec("INSERT INTO log_entry(idx, bytes) VALUES(?, ?)", int64(from)+int64(i), e); err != nil {
			return err
		}
	}
	return nil
}

// EachLogEntry calls f for every stored organisation log entry, in order.
func (tx *Tx) EachLogEntry(f func(entry []byte) error) error {
	return tx.each(func(r *sql.Rows) error {
		var b []byte
		if err := r.Scan(&b); err != nil {
			return err
		}
		return f(b)
	}, "SELECT bytes FROM log_entry ORDER BY idx")
}
