package db

import "context"

// Due returns the matters whose oldest entry is from before a time.
func (d *DB) Due(ctx context.Context, beforeMS int64) (nos []MatterNo, err error) {
	err = d.query(ctx, "list matters to trim", func(r Row) (bool, error) {
		var no MatterNo
		err := r.Scan(&no)
		nos = append(nos, no)
		return true, err
	}, `SELECT m.no FROM matters m JOIN entries e ON e.matter = m.no AND e.seq = m.floor + 1 WHERE e.time_ms < $1`, beforeMS)
	return nos, err
}

// Trim deletes the oldest entries of a matter that are from before a time, at most
// limit of them, and returns how many. The matter's floor says up to where.
func (tx *Tx) Trim(no MatterNo, beforeMS int64, limit int) (n uint64, err error) {
	if err := tx.flush(); err != nil {
		return 0, err
	}
	var floor, upTo uint64
	// Of several hubs that trim a matter at once, each sees what the one before did.
	ok, err := one(tx.conn, "find matter to trim", []any{&floor}, tx.conn.Pick(
		`SELECT floor FROM matters WHERE no = $1`, `SELECT floor FROM matters WHERE no = $1 FOR NO KEY UPDATE`), int64(no))
	if err != nil || !ok {
		return 0, err
	}
	// The entries' times don't run backwards: those that are too old come first.
	if _, err := one(tx.conn, "find entries to trim", []any{&upTo}, `SELECT coalesce(max(seq), 0) FROM
		(SELECT seq, time_ms FROM entries WHERE matter = $1 AND seq > $2 ORDER BY seq LIMIT $3) AS e WHERE time_ms < $4`,
		int64(no), int64(floor), limit, beforeMS); err != nil || upTo <= floor {
		return 0, err
	}
	for _, query := range []string{
		`DELETE FROM entries WHERE matter = $1 AND seq <= $2`,
		`DELETE FROM commits WHERE matter = $1 AND seq <= $2`,
		`UPDATE matters SET floor = $2 WHERE no = $1`,
	} {
		if err := tx.exec("trim matter", query, int64(no), int64(upTo)); err != nil {
			return 0, err
		}
	}
	return upTo - floor, nil
}
