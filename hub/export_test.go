package hub

import (
	"context"
	"errors"
	"time"

	"causa/hub/db/sqlite"
	"causa/matter"
)

// LimitPages makes the hub's disk full at so many pages; 0 makes room again.
func (h *Hub) LimitPages(n int64) error {
	s, ok := h.db.Store().(*sqlite.Store)
	if !ok {
		return errors.New("another engine's disk can't be made full")
	}
	return s.LimitPages(context.Background(), n)
}

// Queued returns how many bytes wait for the connections together.
func (h *Hub) Queued() (n int) {
	h.online.all(func(s *session) {
		s.mu.Lock()
		defer s.mu.Unlock()
		n += s.queued
	})
	return n
}

// LargeRequests returns how many large requests are being received or carried out.
func (h *Hub) LargeRequests() int { return len(h.requests) }

// Trim deletes what is too old.
func (h *Hub) Trim() error { return h.trim(context.Background()) }

// SetClock gives a hub another clock.
func (o *Options) SetClock(now func() time.Time) { o.now = now }

// Expose returns the metrics.
func (h *Hub) Expose() string { return h.expose() }

// LookAtClock has the hub look at once at what is due by its clock.
func (h *Hub) LookAtClock() {
	h.holds.wake()
	select {
	case h.waker.nudge <- struct{}{}:
	default:
	}
}

// Public reports whether an address is one of the public network.
var Public = public

// CheckEndpoint refuses endpoints that the options don't allow.
func (o Options) CheckEndpoint(endpoint string) error { return o.checkEndpoint(endpoint) }

// Online reports whether a device is connected.
func (h *Hub) Online(id matter.DeviceID) bool {
	no, ok := h.directory.no(id)
	return ok && h.online.of(no) != nil
}
