package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Backup copies the database file to another, which must not exist, while a hub may be
// writing: the copy is the database as it was at one instant. When Backup returns nil,
// the copy is on the disk.
func Backup(ctx context.Context, from, to string) (err error) {
	if _, err := os.Stat(from); err != nil { // SQLite would make it
		return fmt.Errorf("open database: %w", err)
	}
	// Made here because SQLite would let others read it. It takes an empty file.
	f, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make copy: %w", err)
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(to))
		}
	}()
	source, err := open(from, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if _, err := source.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return fmt.Errorf("copy database: %w", classify(err))
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("copy database: %w", err)
	}
	return nil
}
