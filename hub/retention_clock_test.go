package hub

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A clock that jumps ahead must not make everything old.
func TestClockJump(t *testing.T) {
	const day = 24 * time.Hour
	tests := []struct {
		name string
		jump time.Duration
		ends bool
	}{
		{"none", 0, false},
		{"a little", 2 * day, false},
		{"far", 4 * day, true},
		{"back", -1000 * day, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ahead atomic.Int64
				h, _ := pipeHub(t, Options{now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
				h.opts.Retention = 30 * day
				ended := make(chan struct{})
				go func() {
					h.retain(t.Context())
					close(ended)
				}()
				time.Sleep(3 * time.Hour)
				select {
				case <-ended:
					t.Fatal("it ended before the clock jumped")
				default:
				}
				ahead.Store(int64(tt.jump))
				time.Sleep(3 * time.Hour)
				select {
				case <-ended:
					if !tt.ends {
						t.Error("the clock is not believed")
					}
				default:
					if tt.ends {
						t.Error("the clock is believed")
					}
				}
			})
		})
	}
}
