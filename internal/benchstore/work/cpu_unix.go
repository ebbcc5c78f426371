//go:build !windows

package work

import (
	"time"

	"golang.org/x/sys/unix"
)

// CPU is the processor time of this process so far.
func CPU() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
