package core

import (
	"context"
	"sync"
	"time"

	"causa/matter"
	"causa/store"
)

// What is due at a time happens in a goroutine of its own, whether the hub can be reached
// or not: the end of quiet hours, reminders of urgent messages, scheduled messages.

const (
	longestNap = 30 * time.Second // a computer that was suspended is found out by then
	settleTime = 15 * time.Second // after the start the hub gets this long to tell what other devices did
	readPause  = time.Second      // other devices hear of what was read this long after
	zoneEvery  = time.Minute      // how often the time zone is looked at
)

// alarms are what the goroutine remembers.
type alarms struct {
	nudge chan struct{}

	zone  time.Time // when the time zone was last looked at
	alone time.Time // since when this device misses the matter of the person's own devices
}

// setAlarm has the goroutine look again at what is due when.
func (c *Client) setAlarm() {
	select {
	case c.alarm.nudge <- struct{}{}:
	default:
	}
}

// mindTime does what is due until ctx ends.
func (c *Client) mindTime(ctx context.Context) {
	started := time.Now()
	for {
		next, err := c.due(ctx, time.Since(started) > settleTime)
		if err != nil && ctx.Err() == nil {
			c.log.Error("what is due can't be done", "err", err)
		}
		nap := longestNap
		if !next.IsZero() {
			nap = min(nap, max(next.Sub(c.now()), 10*time.Millisecond))
		}
		select {
		case <-ctx.Done():
			if _, err := c.tellRead(context.WithoutCancel(ctx), time.Time{}); err != nil {
				c.log.Error("what was read can't be told", "err", err)
			}
			return
		case <-time.After(nap):
		case <-c.alarm.nudge:
		}
	}
}

// due does what is due and returns when something will be; zero means that nothing is
// planned. Until settled, a device that has just started does not announce what another
// one may have listed meanwhile.
func (c *Client) due(ctx context.Context, settled bool) (next time.Time, err error) {
	now := c.now()
	if s := c.Status(); s.Online && !s.CatchingUp {
		settled = true
	}
	if time.Since(c.alarm.zone) > zoneEvery {
		c.alarm.zone = time.Now()
		if err := c.moved(ctx); err != nil {
			return next, err
		}
	}
	sent, plan := false, c.quietPlan()
	var notices []Notice
	err = c.home.db.Update(ctx, func(tx *store.Tx) error {
		if settled {
			n, err := c.announce(tx, plan, now)
			if err != nil {
				return err
			}
			if n != nil {
				notices = append(notices, *n)
			}
			if next, err = tx.NextHeld(); err != nil {
				return err
			}
		}
		rings, ring, err := c.remind(tx, now)
		if err != nil {
			return err
		}
		notices = append(notices, rings...)
		out, later, err := c.promote(tx, now)
		if err != nil {
			return err
		}
		sent = out
		next = earlier(earlier(next, ring), later)
		return nil
	})
	if err != nil {
		return next, err
	}
	if settled {
		c.quiet.setJudged(plan)
	}
	for _, n := range notices {
		c.events.tell(Notified{n})
	}
	if sent {
		if err := c.countQueue(ctx); err != nil {
			return next, err
		}
		c.kick()
	}
	told, err := c.tellRead(ctx, now)
	if err != nil {
		return next, err
	}
	again, err := c.ensurePersonal(ctx, now)
	return earlier(earlier(next, told), again), err
}

// reads are what was read here and the other devices have not been told of. It is safe
// for concurrent use.
type reads struct {
	mu    sync.Mutex // a leaf
	upto  map[matter.ID]uint64
	since time.Time // when the first of them was read
}

// noteRead plans to tell the other devices that a matter was read.
func (c *Client) noteRead(id matter.ID, seq uint64) {
	c.read.mu.Lock()
	if len(c.read.upto) == 0 {
		c.read.upto, c.read.since = map[matter.ID]uint64{}, c.now()
	}
	c.read.upto[id] = max(c.read.upto[id], seq)
	c.read.mu.Unlock()
	c.setAlarm()
}

// take returns what was read until a moment ago; at zero, everything. again is when that
// moment is over.
func (r *reads) take(now time.Time) (places []place, again time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.upto) == 0 {
		return nil, again
	}
	if due := r.since.Add(readPause); !now.IsZero() && now.Before(due) {
		return nil, due
	}
	for id, seq := range r.upto {
		places = append(places, place{id, seq})
	}
	r.upto = nil
	return places, again
}

// tellRead tells the other devices what was read.
func (c *Client) tellRead(ctx context.Context, now time.Time) (again time.Time, err error) {
	places, again := c.read.take(now)
	if len(places) == 0 {
		return again, nil
	}
	if err := c.home.db.Update(ctx, func(tx *store.Tx) error { return c.sharePlaces(tx, contentRead, places) }); err != nil {
		return again, err
	}
	c.kick()
	return again, c.countQueue(ctx)
}
