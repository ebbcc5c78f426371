package store

import (
	"database/sql"
	"iter"

	"causa/matter"
)

// AddDigest keeps the digest of one entry of a matter, as the hub handed it over, and the
// chain up to it where that is known.
func (tx *Tx) AddDigest(id matter.ID, seq uint64, digest [32]byte, chain []byte) error {
	return tx.exec("INSERT OR IGNORE INTO entry_digest(matter, seq, digest, chain) VALUES(?, ?, ?, ?)", id[:], int64(seq), digest[:], chain)
}

// DigestsFrom returns the first sequence since which this device has every digest up to
// upto; 0 when it has none.
func (tx *Tx) DigestsFrom(id matter.ID, upto uint64) (from uint64, err error) {
	var first int64
	// Within an unbroken run, seq less its rank is the same.
	err = tx.one([]any{&first}, `SELECT coalesce(min(seq), 0) FROM (
			SELECT seq, seq - row_number() OVER (ORDER BY seq) AS run FROM entry_digest WHERE matter = ?1 AND seq <= ?2)
		WHERE run = ?2 - (SELECT count(*) FROM entry_digest WHERE matter = ?1 AND seq <= ?2)`, id[:], int64(upto))
	return uint64(first), err
}

// Digests yields the digests of the entries from one sequence up to another, in order.
func (tx *Tx) Digests(id matter.ID, from, upto uint64) iter.Seq2[[]byte, error] {
	return tx.blobs("SELECT digest FROM entry_digest WHERE matter = ? AND seq BETWEEN ? AND ? ORDER BY seq", id[:], int64(from), int64(upto))
}

// blobs yields the one column of a query.
func (tx *Tx) blobs(query string, args ...any) iter.Seq2[[]byte, error] {
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
		}, query, args...)
		if err != nil && err != errStop { //nolint:errorlint // each returns it as it is
			yield(nil, err)
		}
	}
}
