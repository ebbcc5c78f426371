package hub

import (
	"context"
	"errors"
	"time"

	"causa/hub/db"
	"causa/hub/db/sqlite"
	"causa/matter"
	"causa/orglog"
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

// Seed puts entries of the organisation log, their devices' endpoints and held wake-ups into
// the database of a hub that does not run.
func Seed(data string, entries [][]byte, devices []matter.DeviceID, endpoint string, held []db.HeldWake) (err error) {
	d, err := openDatabase(context.Background(), Place{Data: data})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.Write(context.Background(), func(tx *db.Tx) error {
		for _, b := range entries {
			e, err := orglog.Decode(b)
			if err != nil {
				return err
			}
			head := e.Hash()
			if err := errors.Join(tx.AppendLog(e.Index, b), tx.SetMeta(metaHead, head[:])); err != nil {
				return err
			}
		}
		for _, id := range devices {
			no, err := tx.AddDevice(id)
			if err != nil {
				return err
			}
			if err := tx.SetEndpoint(no, endpoint); err != nil {
				return err
			}
		}
		return tx.HoldWakes(held)
	})
}
