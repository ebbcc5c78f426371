package core

import (
	"errors"
	"syscall"
)

// isDiskFull reports whether the operating system refused for want of room:
// ERROR_HANDLE_DISK_FULL or ERROR_DISK_FULL.
func isDiskFull(err error) bool {
	return errors.Is(err, syscall.Errno(39)) || errors.Is(err, syscall.Errno(112))
}
