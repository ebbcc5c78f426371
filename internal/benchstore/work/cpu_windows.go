package work

import "time"

var began = time.Now()

// CPU is the time since the start: Windows has no processor time at hand.
func CPU() time.Duration { return time.Since(began) }
