package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteFile writes a small file that only this user can read, all of it or nothing of it,
// and durably. An older one is replaced.
func WriteFile(path string, b []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(tmp, path)
	}
	if err == nil {
		err = SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", filepath.Base(path), err), os.Remove(tmp))
	}
	return nil
}

// Shred overwrites a small file with random bytes and deletes it. On media that write
// elsewhere than told, the old bytes may stay: what matters must not depend on this. A
// file that is not there is fine.
func Shred(path string) error {
	err := overwrite(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if e := os.Remove(path); e != nil && !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return errors.Join(err, SyncDir(filepath.Dir(path)))
}

func overwrite(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	b := make([]byte, info.Size())
	_, _ = rand.Read(b) // never fails
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}
