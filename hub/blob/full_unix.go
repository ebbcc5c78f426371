//go:build unix

package blob

import (
	"errors"
	"fmt"
	"syscall"
)

// classify tells a full disk from other trouble.
func classify(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
