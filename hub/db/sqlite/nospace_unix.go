//go:build unix && cgo

package sqlite

import "syscall"

// noSpace reports whether the operating system refused for want of room.
func noSpace(errno syscall.Errno) bool {
	return errno == syscall.ENOSPC || errno == syscall.EDQUOT
}
