package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"causa/store/sealvfs"
)

// Backup writes a copy of the database, as it is now, to a new file under a key of its
// own. The copy is whole or not there, and holds nothing that was deleted.
func (db *DB) Backup(ctx context.Context, path string, key Key) error {
	return db.file.worded(db.copyTo(ctx, path, key))
}

func (db *DB) copyTo(ctx context.Context, path string, key Key) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("copy the store: %s: %w", filepath.Base(path), os.ErrExist)
	}
	tmp := newFile(path+".new", key, db.file.base)
	defer tmp.forget()
	if err := Remove(tmp.path); err != nil {
		return fmt.Errorf("copy the store: %w", err)
	}
	if err := touch(tmp.path); err != nil {
		return fmt.Errorf("copy the store: %w", err)
	}
	uri, err := tmp.key.URI(tmp.path, sealvfs.Conn{Base: tmp.base})
	if err == nil {
		err = db.vacuumInto(ctx, uri)
	}
	if err == nil {
		err = verify(ctx, tmp)
	}
	if err == nil {
		err = publish(tmp.path, path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("copy the store: %w", err), Remove(tmp.path))
	}
	return nil
}

// vacuumInto uses a reader, so that writers go on meanwhile. Writing the copy needs its
// guard against writing off.
func (db *DB) vacuumInto(ctx context.Context, uri string) (err error) {
	c, err := db.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() {
		_, e := c.ExecContext(context.WithoutCancel(ctx), "PRAGMA query_only = ON")
		err = errors.Join(err, e, c.Close())
	}()
	if _, err := c.ExecContext(ctx, "PRAGMA query_only = OFF"); err != nil {
		return err
	}
	_, err = c.ExecContext(ctx, "VACUUM INTO ?", uri)
	return err
}

// verify opens a copy as a database in use, so that it is in log mode, and reads it.
func verify(ctx context.Context, f *file) error {
	db := &DB{file: f}
	var err error
	if db.write, db.read, err = f.pools(Options{}); err != nil {
		return err
	}
	err = db.clearLog(ctx)
	if err == nil {
		err = db.Check(ctx)
	}
	return errors.Join(err, db.closePools())
}

// Rekey puts a closed database under another key. A crash leaves it under the old or the
// new one, whole. What the disk still has of the old file opens with the old key only,
// so destroy that key.
func Rekey(ctx context.Context, path string, from, to Key) error {
	f := newFile(path, from, "")
	defer f.forget()
	if err := rekey(ctx, f, to); err != nil {
		return fmt.Errorf("rekey %s: %w", filepath.Base(path), f.worded(err))
	}
	return nil
}

func rekey(ctx context.Context, f *file, to Key) error {
	if missing, err := f.missing(); missing || err != nil {
		return errors.Join(ErrNone, err)
	}
	fresh := f.path + ".rekey"
	if err := Remove(fresh); err != nil {
		return err
	}
	db := &DB{file: f}
	var err error
	if db.write, db.read, err = f.pools(Options{}); err != nil {
		return err
	}
	err = db.clearLog(ctx) // the old log must not stand beside the new file
	if err == nil {
		err = db.copyTo(ctx, fresh, to)
	}
	if err = errors.Join(err, db.closePools()); err != nil {
		return errors.Join(err, Remove(fresh))
	}
	if info, err := os.Stat(f.path + "-wal"); err == nil && info.Size() > 0 {
		return errors.Join(errors.New("the log could not be emptied"), Remove(fresh))
	}
	if err := os.Rename(fresh, f.path); err != nil {
		return errors.Join(err, Remove(fresh))
	}
	return SyncDir(filepath.Dir(f.path))
}
