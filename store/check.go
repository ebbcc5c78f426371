package store

import (
	"context"
	"errors"
	"fmt"
)

// Check reads every page of the database and compares its tables with their indexes. It
// takes as long as reading the file does. A fault is an [ErrDamaged].
func (db *DB) Check(ctx context.Context) error {
	return db.View(ctx, func(tx *Tx) error {
		// A connection that has not used an index since another one wrote to it checks what
		// it remembers of it. Using it first makes it look.
		for k := range shards {
			table := shardTable(int64(k))
			if err := tx.exec("SELECT rowid FROM " + table + " WHERE " + table + " MATCH 'x' LIMIT 1"); err != nil {
				return err
			}
		}
		var found string
		if err := tx.one([]any{&found}, "PRAGMA integrity_check(1)"); err != nil {
			return err
		}
		if found != "ok" {
			return db.file.damaged(errors.New(found))
		}
		if err := tx.one([]any{&found}, "SELECT coalesce((SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1), '')"); err != nil {
			return err
		}
		if found != "" {
			return db.file.damaged(fmt.Errorf("rows of %s point nowhere", found))
		}
		return nil
	})
}
