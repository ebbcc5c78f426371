package hub

import (
	"context"
	"time"
)

// keep looks after what time brings, for all connections in one goroutine: it pings
// those that are silent, cuts those that stay so, and forgets quiet addresses.
func (h *Hub) keep(ctx context.Context) {
	tick := time.NewTicker(h.opts.PingEvery / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		h.guard.sweep()
		h.settle(nil)
		up := h.up()
		h.online.all(func(s *session) { h.check(s, up-time.Duration(s.seen.Load())) })
	}
}

// check does what is due for a connection that has been silent for so long.
func (h *Hub) check(s *session, silent time.Duration) {
	switch {
	case s.waiting.Load():
	case silent >= 3*h.opts.PingEvery:
		h.goroutines.Go(s.cut)
	case silent >= h.opts.PingEvery && s.pinging.CompareAndSwap(false, true):
		h.goroutines.Go(func() {
			defer s.pinging.Store(false)
			ctx, cancel := context.WithTimeout(context.Background(), h.opts.PingEvery)
			defer cancel()
			_ = s.ws.Ping(ctx) // a pong is a sign of life; without one, cut comes
		})
	}
}
