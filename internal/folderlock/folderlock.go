// Package folderlock lets one process at a time use a folder.
package folderlock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrTaken means that another process uses the folder.
var ErrTaken = errors.New("folder is in use by another process")

// Name is the file that is locked; it stays, empty.
const Name = "lock"

// A Lock is a folder taken for this process. It goes with the process, however that ends.
type Lock struct{ f *os.File }

// Take takes the folder dir, which must exist. When another process has it, or this one
// already, the error wraps [ErrTaken].
func Take(dir string) (*Lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, Name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	if err := tryLock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrTaken, err), f.Close())
	}
	return &Lock{f}, nil
}

// Release gives the folder back.
func (l *Lock) Release() error { return l.f.Close() }
