package core

import (
	"context"
	"errors"
	"time"

	"causa/crypto/seal"
	"causa/internal/fault"
	"causa/matter"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

const (
	inFlight   = 64   // messages handed to the hub before the first answer is awaited
	lookAhead  = 1024 // queued messages looked at for some that can go now
	stalePause = 100 * time.Millisecond
	sickPause  = 5 * time.Second // after the hub said that it is full or broken
)

// settle compares the outbox and own commits with what the hub says it has taken. The
// matters have been pulled before: whatever it took is applied.
func (c *Client) settle(ctx context.Context, last uint64) error {
	err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		if err := tx.UncountAfter(last); err != nil {
			return err
		}
		if err := tx.DropCounted(last); err != nil {
			return err
		}
		return tx.DropPending()
	})
	if err != nil {
		return err
	}
	return c.countQueue(ctx)
}

// A sending is one queued message on its way.
type sending struct {
	item    store.Outgoing
	epoch   uint64
	payload []byte
	answer  answer
}

// flush hands queued messages to the hub, in order. counter is the last one the hub has
// taken. again is when to try once more what could not go now; zero means not before
// something changes.
func (c *Client) flush(ctx context.Context, l *link, counter *uint64) (again time.Time, err error) {
	for {
		if now := time.Now(); now.Before(c.work.wait) {
			return c.work.wait, nil
		}
		batch, err := c.batch(ctx, *counter)
		if err != nil || len(batch) == 0 {
			return again, err
		}
		if err := c.handOver(ctx, l, batch, *counter); err != nil {
			return again, err
		}
		taken := 0
		var refusal *refusal
		for _, s := range batch {
			_, err := l.wait(ctx, s.answer)
			switch {
			case err == nil && refusal == nil:
				taken++
			case err == nil:
				return again, errors.New("the hub took a message after it had refused the one before")
			case refusal == nil && !errors.As(err, &refusal):
				return again, err
			}
		}
		*counter += uint64(taken)
		if taken > 0 && c.work.sick {
			c.work.sick = false
			c.setStatus(func(s *Status) { s.Problem = nil })
		}
		if refusal != nil {
			err := c.sendRefused(ctx, l, batch[taken], refusal, *counter)
			if again = time.Now(); again.Before(c.work.wait) {
				again = c.work.wait
			}
			return again, err // what stands behind goes on then
		}
		if len(batch) < inFlight {
			return again, nil
		}
	}
}

// batch takes the next messages that can go and seals them in the epochs of now.
func (c *Client) batch(ctx context.Context, counter uint64) ([]sending, error) {
	var batch []sending
	skipped := false
	err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		items, err := tx.Outbox(lookAhead)
		if err != nil {
			return err
		}
		groups := map[matter.ID]*store.Group{}
		for _, it := range items {
			if it.Counter != 0 {
				continue // taken by the hub: it leaves the outbox when its entry is pushed to us
			}
			if len(batch) == inFlight {
				break
			}
			g, ok := groups[it.Matter]
			if !ok {
				if g, err = c.sendable(tx, it.Matter); err != nil {
					return err
				}
				groups[it.Matter] = g
			}
			if g == nil {
				skipped = true
				continue
			}
			secret, err := tx.ContentSecret(it.Matter, g.Epoch)
			if err != nil {
				return err
			}
			body, err := withSight(tx, it)
			if err != nil {
				return err
			}
			s := seal.Secret(secret)
			payload, err := seal.Seal(&s, seal.Header{Matter: it.Matter, Epoch: g.Epoch, Sender: c.self, Message: it.ID}, c.key, body)
			if err != nil {
				return err
			}
			batch = append(batch, sending{item: it, epoch: g.Epoch, payload: payload})
			if err := tx.SetCounter(it.Position, counter+uint64(len(batch))); err != nil {
				return err
			}
		}
		if len(batch) == 0 {
			return nil
		}
		return setHighWater(tx, counter+uint64(len(batch)))
	})
	if err == nil && skipped {
		err = c.countQueue(ctx) // some may have been given up
	}
	return batch, err
}

// sendable returns the group to send in, or nil when nothing can be sent there now: this
// device has to come back into the matter first, or a commit has to be made.
func (c *Client) sendable(tx *store.Tx, id matter.ID) (*store.Group, error) {
	place, err := tx.Place(id)
	if err != nil {
		return nil, err
	}
	if place.Removed {
		return nil, c.failAll(tx, id, notIn(nil))
	}
	g, err := tx.Group(id)
	if errors.Is(err, store.ErrNone) {
		return nil, nil // lost; what is said waits until this device is back
	}
	if err != nil || place.Unborn || c.work.committing[id] {
		return nil, err
	}
	if _, due := c.work.look[id]; due {
		if _, waits := c.work.turn[id]; !waits && c.work.problems[id] == nil {
			return nil, nil // a commit comes first
		}
	}
	return g, nil
}

// failAll gives up what waits for a matter.
func (c *Client) failAll(tx *store.Tx, id matter.ID, why error) error {
	text, _ := fault.Words(why, nil)
	items, err := tx.OutboxOf(id)
	if err != nil {
		return err
	}
	for _, it := range items {
		if it.Failed == "" {
			if err := tx.SetFailed(it.Position, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// handOver sends a batch without waiting for answers.
func (c *Client) handOver(ctx context.Context, l *link, batch []sending, counter uint64) error {
	for i := range batch {
		s := &batch[i]
		var err error
		s.answer, err = l.start(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_SendContent{SendContent: &pb.SendContent{
			Counter: counter + uint64(i) + 1, Matter: s.item.Matter[:], Epoch: s.epoch, Payload: s.payload,
			Blobs: blobsOf(s.item.Content), Urgent: isUrgent(s.item.Content),
		}}})
		if err != nil {
			return err
		}
	}
	return nil
}

// sendRefused deals with the first message of a batch that was refused; those behind it
// were refused for the gap it left.
func (c *Client) sendRefused(ctx context.Context, l *link, s sending, r *refusal, counter uint64) error {
	err := c.home.db.Update(ctx, func(tx *store.Tx) error { return tx.UncountAfter(counter) })
	if err != nil {
		return err
	}
	id := s.item.Matter
	pause := time.Duration(r.RetryAfter) * time.Millisecond
	switch r.Code {
	case wire.CodeEpochStale:
		if r.Epoch < s.epoch {
			c.ail(hubBehind(), sickPause)
			return nil
		}
		c.work.behind[id] = true
		c.work.wait = time.Now().Add(stalePause)
	case wire.CodeRemovalDue:
		if err := c.pullLog(ctx, l); err != nil {
			return err
		}
		c.lookAt(id, time.Now())
		c.work.wait = time.Now().Add(stalePause)
	case wire.CodeBusy:
		c.work.wait = time.Now().Add(max(pause, busyPause/10))
	case wire.CodeFull, wire.CodeInternal, wire.CodeUnavailable:
		c.ail(r.worded(), max(pause, sickPause))
	case wire.CodeRevoked, wire.CodeReplaced, wire.CodeNotSignedIn, wire.CodeCounterGap:
		return r // the connection is of no more use
	default:
		text, _ := fault.Words(r.worded(), nil)
		return c.fail(ctx, s.item, text)
	}
	return nil
}

// ail tells why the hub takes nothing, and rests.
func (c *Client) ail(why error, pause time.Duration) {
	c.work.sick = true
	c.setStatus(func(s *Status) { s.Problem = why })
	c.work.wait = time.Now().Add(pause)
}

// fail gives up one message for good.
func (c *Client) fail(ctx context.Context, it store.Outgoing, why string) error {
	err := c.home.db.Update(ctx, func(tx *store.Tx) error { return tx.SetFailed(it.Position, why) })
	if err != nil {
		return err
	}
	it.Failed = why
	if m, ok := c.queued(it); ok {
		c.events.tell(MessageChanged{m})
	}
	return c.countQueue(ctx)
}

// queued is a queued item as the thread shows it; ok is false for what it does not show.
func (c *Client) queued(it store.Outgoing) (m matter.Message, ok bool) {
	con, err := parseContent(it.Content)
	if err != nil {
		return m, false
	}
	m = matter.Message{ID: it.ID, Matter: it.Matter, Time: it.Time, Author: c.acct.Member, Device: c.self, Delivery: matter.DeliveryQueued}
	switch con.Kind {
	case contentText:
		m.Kind, m.Text = matter.KindText, string(con.Body)
	case contentConclusion:
		d, err := parseConclusion(con.Body)
		if err != nil {
			return m, false
		}
		m.Kind, m.Text, m.Facts, m.Subjects = matter.KindConcluded, d.Decision, d.Facts, d.Cosigners
		if len(d.Cosigners) > 0 {
			m.Kind = matter.KindProposed
		}
	case contentReopening:
		m.Kind, m.Text = matter.KindReopened, string(con.Body)
	case contentChange, contentSignature, contentRefusal, contentWithdrawal:
		return queuedChange(m, con, it.Failed)
	case contentUrgent:
		u, err := parseUrgent(con.Body)
		if err != nil {
			return m, false
		}
		m = u.message(m)
	case contentFile:
		if !queuedFile(&m, con) {
			return m, false
		}
	default:
		if !queuedThread(&m, con) {
			return m, false
		}
	}
	if !it.Due.IsZero() {
		m.Delivery, m.Time = matter.DeliveryScheduled, it.Due
	}
	if it.Failed != "" {
		m.Delivery, m.Problem = matter.DeliveryFailed, it.Failed
	}
	return m, true
}

// enqueue puts content into the outbox.
func (c *Client) enqueue(tx *store.Tx, id matter.ID, kind uint16, body []byte) (store.Outgoing, error) {
	return c.enqueueAs(tx, id, matter.NewMessageID(), kind, body)
}

// enqueueAs is enqueue for a message whose id is known already.
func (c *Client) enqueueAs(tx *store.Tx, id matter.ID, msg matter.MessageID, kind uint16, body []byte) (store.Outgoing, error) {
	it := store.Outgoing{Matter: id, ID: msg, Time: c.now()}
	b, err := c.contentAt(it.Time, kind, body)
	if err != nil {
		return it, err
	}
	it.Content = b
	return it, tx.PutOutgoing(it)
}

// contentAt is something said at a time, by what this device knows of the organisation.
// What it has seen of the matter is put in when it is sent.
func (c *Client) contentAt(at time.Time, kind uint16, body []byte) ([]byte, error) {
	next, head := c.dir.head()
	return content{Time: at, LogNext: next, LogHead: head, Kind: kind, Body: body}.bytes()
}

func notIn(err error) error {
	return &fault.Error{Text: "You are no longer in this matter.", Hint: "Ask a participant to add you again.", Err: err}
}
