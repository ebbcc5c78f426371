package store

import (
	"context"
	"fmt"

	"causa/matter"
)

// DropMessage deletes one message with its files: its text can't be read or found any
// more. The purger clears what is left of it in the log and the index.
func (tx *Tx) DropMessage(id matter.ID, seq uint64) error {
	num, err := tx.searchNum(id)
	if err != nil {
		return err
	}
	if err := tx.unindex(num, seq, seq); err != nil {
		return err
	}
	if err := tx.dropFiles(id, seq); err != nil {
		return err
	}
	if err := tx.forget(id, seq); err != nil {
		return err
	}
	tx.freed = true
	return tx.exec("DELETE FROM message WHERE matter = ? AND seq = ?", id[:], int64(seq))
}

// ClearMessage empties a message that was taken back: its place in the thread stays, its
// text and its files go.
func (tx *Tx) ClearMessage(id matter.ID, seq uint64) error {
	num, err := tx.searchNum(id)
	if err != nil {
		return err
	}
	if err := tx.unindex(num, seq, seq); err != nil {
		return err
	}
	if err := tx.dropFiles(id, seq); err != nil {
		return err
	}
	if err := tx.forget(id, seq); err != nil {
		return err
	}
	tx.freed = true
	return tx.exec("UPDATE message SET text = '', facts = '' WHERE matter = ? AND seq = ?", id[:], int64(seq))
}

// dropMatter deletes a matter with everything that belongs to it.
func (tx *Tx) dropMatter(id matter.ID) error {
	num, err := tx.searchNum(id)
	if err != nil {
		return err
	}
	if err := tx.unindex(num, 0, 1<<32-1); err != nil {
		return err
	}
	for _, q := range []string{
		"DELETE FROM search_matter WHERE matter = ?",
		"DELETE FROM message WHERE matter = ?", // all at once, before the cascade would take them one by one
		"DELETE FROM matter WHERE id = ?",
	} {
		if err := tx.exec(q, id[:]); err != nil {
			return err
		}
	}
	delete(tx.nums, id)
	tx.freed = true
	return tx.rewriteIndex(num) // here and not later: one commit less to wait for
}

// DropMatter deletes a matter, its thread, keys, files and drafts. When it returns nil,
// nothing of them is left in any file of the database: freed pages are cleared, the
// index is rewritten and the log emptied. When it returns an error after the deletion
// itself, the rest is done later by itself; [DB.Purge] says when.
func (db *DB) DropMatter(ctx context.Context, id matter.ID) error {
	if err := db.Update(ctx, func(tx *Tx) error { return tx.dropMatter(id) }); err != nil {
		return fmt.Errorf("drop matter: %w", err)
	}
	return db.Purge(ctx)
}
