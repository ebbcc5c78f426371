package store

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"causa/store/sealvfs"
)

// A file is one database file under its key.
type file struct {
	path   string
	base   string // the VFS under the sealing one; tests put one in
	secret Key
	key    *sealvfs.Key
}

func newFile(path string, key Key, base string) *file {
	return &file{path: path, base: base, secret: key, key: sealvfs.New((*[32]byte)(&key))}
}

func (f *file) forget() {
	f.key.Close()
	clear(f.secret[:])
}

// The settings of every connection. FULL makes a commit durable when Update returns;
// secure_delete clears what is deleted.
var pragmas = []string{
	"PRAGMA busy_timeout = 10000",
	"PRAGMA foreign_keys = ON",
	"PRAGMA synchronous = FULL",
	"PRAGMA secure_delete = ON",
	"PRAGMA recursive_triggers = ON",
}

const (
	// How much each connection caches, in KiB.
	writerCache = 6000
	readerCache = 12000
	maxReaders  = 4
	logPages    = 4000 // after so many pages the log is moved into the main file
	logLimit    = 20 << 20
)

// pools opens the writer and the readers. With readOnly there are only readers.
func (f *file) pools(o Options) (write, read *sql.DB, err error) {
	if !o.ReadOnly {
		c, err := f.key.Connector(f.path, sealvfs.Conn{Base: f.base, Immediate: true, Pragmas: append(pragmas[:len(pragmas):len(pragmas)],
			"PRAGMA journal_mode = WAL",
			fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", logPages),
			fmt.Sprintf("PRAGMA journal_size_limit = %d", logLimit),
			fmt.Sprintf("PRAGMA cache_size = -%d", writerCache))})
		if err != nil {
			return nil, nil, err
		}
		write = sql.OpenDB(c)
		write.SetMaxOpenConns(1)
		write.SetMaxIdleConns(1)
	}
	c, err := f.key.Connector(f.path, sealvfs.Conn{Base: f.base, ReadOnly: o.ReadOnly, Pragmas: append(pragmas[:len(pragmas):len(pragmas)],
		"PRAGMA query_only = ON",
		fmt.Sprintf("PRAGMA cache_size = -%d", readerCache))})
	if err != nil {
		return nil, nil, err
	}
	read = sql.OpenDB(c)
	read.SetMaxOpenConns(maxReaders)
	read.SetMaxIdleConns(maxReaders)
	return write, read, nil
}

// What belongs to a database, beside its main file.
var companions = []string{"-wal", "-journal", "-shm"}

// missing reports whether there is no database at path. A log without its main file, or
// an empty main file, is what damage leaves: databases appear whole (see create).
func (f *file) missing() (bool, error) {
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if wal, err := os.Stat(f.path + "-wal"); err == nil && wal.Size() > 0 {
			return false, damage(&DamagedError{File: filepath.Base(f.path), Part: "missing page", At: 1}, nil)
		}
		return true, nil
	case errors.Is(err, fs.ErrPermission):
		return false, readOnly(err)
	case err != nil:
		return false, fmt.Errorf("look for the store: %w", err)
	case info.IsDir():
		return false, fmt.Errorf("%s: %w", filepath.Base(f.path), ErrForeign)
	case info.Size() == 0:
		return false, damage(&DamagedError{File: filepath.Base(f.path), Part: "missing page", At: 1}, nil)
	}
	return false, nil
}

// touch makes an empty file that only this user can read.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// publish makes the finished database at from the one at to, durably. Both are closed.
// Whoever calls it has emptied the log: closing alone does not tell when that fails.
func publish(from, to string) error {
	if info, err := os.Stat(from + "-wal"); err == nil && info.Size() > 0 {
		return errors.New("the log of the new file is not empty")
	}
	f, err := os.OpenFile(from, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(to))
}

// SetAside moves a damaged database out of the way and returns where its main file is
// now. [Open] makes a new one in its place, to be filled from the hub. The database must
// not be open.
func SetAside(path string) (string, error) {
	for n := 1; ; n++ {
		to := path + ".damaged-" + strconv.Itoa(n)
		if _, err := os.Lstat(to); err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("set the store aside: %w", err)
		}
		// The main file goes last: while it is there, a crash leaves a store that is
		// still found to be damaged, not a new and empty one.
		for _, s := range append(companions[:len(companions):len(companions)], "") {
			if err := os.Rename(path+s, to+s); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return "", fmt.Errorf("set the store aside: %w", err)
			}
		}
		return to, SyncDir(filepath.Dir(path))
	}
}

// Remove deletes a database with all that belongs to it. The database must not be open.
// Whoever has kept a copy still needs the key; destroy that first.
func Remove(path string) error {
	var errs []error
	for _, s := range append(companions[:len(companions):len(companions)], "") {
		if err := os.Remove(path + s); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, SyncDir(filepath.Dir(path)))...)
}
