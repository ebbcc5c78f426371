package blob

import (
	"errors"
	"fmt"
	"syscall"
)

// classify tells a full disk (ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL) from other trouble.
func classify(err error) error {
	if errors.Is(err, syscall.Errno(39)) || errors.Is(err, syscall.Errno(112)) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
