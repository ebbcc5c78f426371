//go:build cgo

package sqlite

import "syscall"

// noSpace reports whether the operating system refused for want of room:
// ERROR_HANDLE_DISK_FULL or ERROR_DISK_FULL.
func noSpace(errno syscall.Errno) bool {
	return errno == 39 || errno == 112
}
