package core

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"causa/crypto/mls"
	"causa/internal/fault"
	"causa/matter"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

// How often the engine tries to reach the hub.
const (
	firstRetry = 500 * time.Millisecond
	lastRetry  = time.Minute
	busyPause  = time.Second
)

// engineState is what the engine goroutine alone remembers between its steps.
type engineState struct {
	committing map[matter.ID]bool         // matters whose own commit the hub has taken and not pushed yet
	look       map[matter.ID]time.Time    // matters whose membership is to be looked at, and when
	ends       map[matter.ID]time.Time    // when a guest's time in a matter is over
	behind     map[matter.ID]bool         // matters to be pulled
	turn       map[matter.ID]time.Time    // when it is this device's turn to commit for others
	fails      map[matter.ID]int          // tries in a row that failed to change a matter's participants
	problems   map[matter.ID]error        // why a wish for a matter could not be fulfilled
	lost       map[matter.ID]time.Time    // matters to come back to by an external commit, and when to try
	rejoin     map[matter.ID]*mls.Pending // such commits that the hub has taken and not pushed yet
	restored   bool                       // the hub was restored from a backup: it may lack what it had taken
	sick       bool                       // the status tells why the hub takes nothing
	wait       time.Time                  // the hub asked not to send before
	published  quietKey                   // the quiet hours that the hub was told of on this connection
}

func newEngineState() engineState {
	return engineState{
		committing: map[matter.ID]bool{}, look: map[matter.ID]time.Time{}, turn: map[matter.ID]time.Time{},
		ends: map[matter.ID]time.Time{}, behind: map[matter.ID]bool{}, fails: map[matter.ID]int{}, problems: map[matter.ID]error{},
		lost: map[matter.ID]time.Time{}, rejoin: map[matter.ID]*mls.Pending{},
	}
}

// forget drops what the engine planned for a matter.
func (w *engineState) forget(id matter.ID) {
	delete(w.committing, id)
	delete(w.look, id)
	delete(w.behind, id)
	delete(w.turn, id)
	delete(w.fails, id)
	delete(w.problems, id)
	delete(w.lost, id)
	delete(w.rejoin, id)
}

// backoff is the pause after so many failed tries in a row, before jitter.
func backoff(fails int) time.Duration {
	if fails > 16 {
		return lastRetry
	}
	return min(firstRetry<<max(fails-1, 0), lastRetry)
}

// run keeps the client connected until ctx ends or there is no point any more.
func (c *Client) run(ctx context.Context) {
	fails := 0
	for ctx.Err() == nil {
		began := time.Now()
		err := c.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if refused(err, wire.CodeRevoked) {
			if wiped := c.heed(ctx); wiped != nil {
				err = wiped
			}
		}
		err = worded(err)
		c.retry.Store(&err)
		c.setStatus(func(s *Status) { s.Online, s.CatchingUp, s.Problem = false, false, err })
		c.log.Warn("connection ended", "err", err)
		if errors.Is(err, errTwoLogs) || errors.Is(err, ErrWiped) || refused(err, wire.CodeRevoked) || refused(err, wire.CodeReplaced) || refused(err, wire.CodeVersion) {
			c.events.tell(Shut{err})
			if errors.Is(err, ErrWiped) {
				c.keepTelling(ctx)
			}
			return
		}
		if time.Since(began) > lastRetry {
			fails = 0
		}
		fails++
		d := backoff(fails)
		d = d/2 + rand.N(d) // between half and one and a half
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
	}
}

// session is one connection, from sign-in to its end.
func (c *Client) session(ctx context.Context) error {
	l, ready, err := dial(ctx, c.acct.Hub, c.acct.Pin, who{device: c.key})
	if err != nil {
		return err
	}
	defer l.close()
	c.clock.Store(int64(time.Until(time.UnixMilli(ready.GetTimeMs()))))
	c.link.Store(l)
	defer c.link.Store(nil)
	c.setStatus(func(s *Status) { s.Online, s.CatchingUp, s.Problem = true, true, nil })

	// A request in this function may fail because the hub hung up; its reason is better.
	err = c.converse(ctx, l, ready)
	if reason := l.reason(); reason != nil {
		var r *refusal
		if errors.As(reason, &r) {
			return r
		}
		return offline(reason)
	}
	return err
}

// converse brings device and hub to the same state and keeps them there.
func (c *Client) converse(ctx context.Context, l *link, ready *pb.Ready) error {
	if err := c.bringBackLog(ctx, l, ready); err != nil {
		return err
	}
	if err := c.pullLog(ctx, l); err != nil {
		return err
	}
	if err := c.checkHighWater(ctx, ready.GetLastCounter()); err != nil {
		return err
	}
	if err := c.offerKeyPackages(ctx, l, ready.GetKeyPackages()); err != nil {
		return err
	}
	if err := c.takeWelcomes(ctx, l); err != nil {
		return err
	}
	if err := c.pullHeads(ctx, l); err != nil {
		return err
	}
	clear(c.work.committing) // pulled by now
	c.work.published = quietKey{}
	if err := c.tellStatus(ctx, l); err != nil {
		return err
	}
	if err := c.settle(ctx, ready.GetLastCounter()); err != nil {
		return err
	}
	if err := c.lookAtAll(ctx); err != nil {
		return err
	}
	clear(c.work.rejoin)
	if err := c.findLost(ctx); err != nil {
		return err
	}
	counter := ready.GetLastCounter()
	for {
		if c.refresh.Swap(false) {
			// The answer comes behind all that was pushed before.
			if err := c.pullLog(ctx, l); err != nil {
				return err
			}
		}
		if err := c.handlePushes(ctx, l); err != nil {
			return err
		}
		if err := c.takeBack(ctx, l); err != nil {
			return err
		}
		if err := c.tend(ctx, l, ready.GetHubKey()); err != nil {
			return err
		}
		if err := c.pullBehind(ctx, l); err != nil {
			return err
		}
		c.takeWishes(ctx)
		if err := c.publishQuiet(ctx, l); err != nil {
			return err
		}
		soonest, err := c.reconcileDue(ctx, l)
		if err != nil {
			return err
		}
		comeback, err := c.rejoinDue(ctx, l)
		if err != nil {
			return err
		}
		if err := c.handOverDue(ctx, l); err != nil {
			return err
		}
		again, err := c.flush(ctx, l, &counter)
		if err != nil {
			return err
		}
		if len(c.work.behind) > 0 {
			continue // a refusal told us of entries to pull
		}
		if err := c.rest(ctx, l, earlier(earlier(soonest, comeback), again)); err != nil {
			return err
		}
	}
}

// takeWishes plans what people asked for since the last look.
func (c *Client) takeWishes(ctx context.Context) {
	for _, id := range c.wishes.take() {
		delete(c.work.problems, id)
		delete(c.work.fails, id)
		delete(c.work.turn, id)
		c.work.look[id] = time.Now()
	}
	if c.relook.Swap(false) {
		c.directoryChanged(ctx)
	}
}

// rest waits until there is something to do. until is when there will be for certain;
// zero means nothing is planned.
func (c *Client) rest(ctx context.Context, l *link, until time.Time) error {
	var alarm <-chan time.Time
	if len(c.nudge) == 0 && len(l.pushed) == 0 {
		c.setStatus(func(s *Status) { s.CatchingUp = false })
		if c.Status().Queued == 0 && len(c.work.committing) == 0 && len(c.work.turn) == 0 && len(c.work.rejoin) == 0 {
			c.setIdle(true)
		}
	}
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		alarm = t.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-l.done:
		return offline(l.reason())
	case <-l.pushed:
	case <-c.nudge:
	case <-alarm:
	}
	return nil
}

// earlier returns the earlier of two instants, of which zero means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// handlePushes takes what the hub has sent by itself.
func (c *Client) handlePushes(ctx context.Context, l *link) error {
	frames, behind := l.pushes()
	if behind {
		if err := c.pullLog(ctx, l); err != nil {
			return err
		}
		if err := c.takeWelcomes(ctx, l); err != nil {
			return err
		}
		return c.pullHeads(ctx, l)
	}
	for _, f := range frames {
		switch body := f.GetBody().(type) {
		case *pb.HubFrame_LogPage:
			n, err := c.dir.take(ctx, body.LogPage.GetFrom(), body.LogPage.GetEntries())
			if err == nil && c.dir.next() < body.LogPage.GetNext() {
				err = c.pullLog(ctx, l)
			}
			if err != nil {
				return err
			}
			if n > 0 {
				c.directoryChanged(ctx)
			}
		case *pb.HubFrame_MatterPage:
			if err := c.takePage(ctx, l, body.MatterPage); err != nil {
				return err
			}
		case *pb.HubFrame_Wake:
			c.events.tell(Woken{})
		case *pb.HubFrame_Welcomes:
			if err := c.join(ctx, l, body.Welcomes.GetItems()); err != nil {
				return err
			}
		}
	}
	return nil
}

// pullLog brings the organisation log up to date.
func (c *Client) pullLog(ctx context.Context, l *link) error {
	n, err := c.dir.pull(ctx, l)
	if n > 0 {
		c.directoryChanged(ctx)
	}
	return err
}

// directoryChanged: devices may have come or gone, so every group is looked at.
func (c *Client) directoryChanged(ctx context.Context) {
	c.events.tell(DirectoryChanged{})
	c.setAlarm() // a policy may be another
	if err := c.lookAtAll(ctx); err != nil {
		c.log.Error("look at all matters", "err", err)
	}
}

// lookAtAll plans a look at the membership of every matter.
func (c *Client) lookAtAll(ctx context.Context) error {
	var ids []matter.ID
	err := c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		ids, err = tx.GroupMatters()
		return err
	})
	for _, id := range ids {
		c.lookAt(id, time.Now())
	}
	return err
}

func (c *Client) lookAt(id matter.ID, when time.Time) {
	if old, ok := c.work.look[id]; !ok || when.Before(old) {
		c.work.look[id] = when
	}
}

// pullHeads asks where every matter stands and pulls those that moved, newest first.
func (c *Client) pullHeads(ctx context.Context, l *link) error {
	f, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_PullHeads{PullHeads: &pb.PullHeads{}}})
	if err != nil {
		return err
	}
	known := map[matter.ID]bool{}
	for _, h := range f.GetHeads().GetHeads() {
		id := matter.ID(h.GetMatter())
		known[id] = true
		place, err := c.place(ctx, id)
		if errors.Is(err, store.ErrNone) {
			continue // a welcome will tell
		}
		if err != nil {
			return err
		}
		if h.GetSeq() < place.Cursor && !place.Removed {
			if err := c.bringBack(ctx, l, id, h.GetSeq(), true); err != nil {
				return err
			}
		}
		if h.GetSeq() > place.Cursor && !place.Removed {
			if err := c.pull(ctx, l, id); err != nil {
				return err
			}
		}
	}
	return c.bringBackUnknown(ctx, l, known)
}

// pullBehind pulls the matters that are known to have moved.
func (c *Client) pullBehind(ctx context.Context, l *link) error {
	for id := range c.work.behind {
		delete(c.work.behind, id)
		if err := c.pull(ctx, l, id); err != nil {
			return err
		}
	}
	return nil
}

// pull takes everything the hub has of a matter after our cursor.
func (c *Client) pull(ctx context.Context, l *link, id matter.ID) error {
	for {
		place, err := c.place(ctx, id)
		if errors.Is(err, store.ErrNone) || err == nil && place.Removed {
			return nil
		}
		if err != nil {
			return err
		}
		f, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_PullMatter{PullMatter: &pb.PullMatter{Matter: id[:], After: place.Cursor}}})
		if refused(err, wire.CodeNoMatter) {
			return nil // not registered yet, or no longer ours
		}
		if err != nil {
			return err
		}
		page := f.GetMatterPage()
		if page == nil || matter.ID(page.GetMatter()) != id {
			return errors.New("the hub answered a pull with something else")
		}
		if t := page.GetTrimmed(); t > place.Cursor {
			// Retention took what lies between. If a commit was among it, the next one
			// does not fit, and this device comes back with one of its own.
			if err := c.home.db.Update(ctx, func(tx *store.Tx) error { return tx.SetCursor(id, t) }); err != nil {
				return err
			}
		}
		if len(page.GetEntries()) == 0 {
			return nil
		}
		if err := c.apply(ctx, l, id, page.GetEntries()); err != nil {
			return err
		}
		last := page.GetEntries()[len(page.GetEntries())-1].GetSeq()
		if last >= page.GetHead() {
			return nil
		}
	}
}

// takePage takes a pushed page when it follows what is here, and else plans a pull.
func (c *Client) takePage(ctx context.Context, l *link, page *pb.MatterPage) error {
	id := matter.ID(page.GetMatter())
	place, err := c.place(ctx, id)
	if errors.Is(err, store.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	entries := page.GetEntries()
	for len(entries) > 0 && entries[0].GetSeq() <= place.Cursor {
		entries = entries[1:]
	}
	if len(entries) > 0 && entries[0].GetSeq() == place.Cursor+1 {
		if err := c.apply(ctx, l, id, entries); err != nil {
			return err
		}
		place.Cursor = entries[len(entries)-1].GetSeq()
	}
	if page.GetHead() > place.Cursor && !place.Removed {
		c.work.behind[id] = true
	}
	if page.GetHead() < place.Cursor && len(page.GetEntries()) == 0 && !place.Removed && c.work.restored {
		return c.bringBack(ctx, l, id, page.GetHead(), true)
	}
	return nil
}

func (c *Client) place(ctx context.Context, id matter.ID) (p store.Place, err error) {
	err = c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		p, err = tx.Place(id)
		return err
	})
	return p, err
}

// hubBehind tells that the hub has less than this device got from it.
func hubBehind() error {
	return &fault.Error{
		Text: "The hub was put back to an earlier state.",
		Hint: "Nothing here is lost, but what you write in some matters waits. Tell whoever runs the hub.",
		Err:  errors.New("the hub's head is before ours"),
	}
}

// damaged gives words to a thread that can't go on on this device.
func damaged(err error) error {
	return &fault.Error{
		Text: "This device can't follow this matter any more.",
		Hint: "Ask a participant to remove you from it and to add you again.",
		Err:  err,
	}
}
