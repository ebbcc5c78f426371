//go:build !windows

package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// SyncDir makes names in a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil // this file system has nothing to sync in folders
	}
	return errors.Join(err, d.Close())
}
