package db

import (
	"context"
	"database/sql"
)

// Due returns the matters whose oldest entry is from before a time.
func (d *DB) Due(ctx context.Context, beforeMS int64) (nos []MatterNo, err error) {
	err = each("list matters to trim", func() (*sql.Rows, error) {
		return d.read.due.QueryContext(ctx, beforeMS)
	}, func(rows *sql.Rows) (bool, error) {
		var no MatterNo
		if err := rows.Scan(&no); err != nil {
			return false, err
		}
		nos = append(nos, no)
		return true, nil
	})
	return nos, err
}

// Trim deletes the oldest entries of a matter that are from before a time, at most
// limit of them, and returns how many. The matter's floor says up to where.
func (tx *Tx) Trim(no MatterNo, beforeMS int64, limit int) (n uint64, err error) {
	var floor, upTo uint64
	ok, err := one(tx.oldest, "find entries to trim", []any{int64(no), limit, beforeMS}, &floor, &upTo)
	if err != nil || !ok || upTo <= floor {
		return 0, err
	}
	for _, s := range []*sql.Stmt{tx.trimEntries, tx.trimCommits, tx.setFloor} {
		if err := run(s, "trim matter", int64(no), int64(upTo)); err != nil {
			return 0, err
		}
	}
	return upTo - floor, nil
}
