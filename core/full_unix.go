//go:build unix

package core

import (
	"errors"
	"syscall"
)

// isDiskFull reports whether the operating system refused for want of room.
func isDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
