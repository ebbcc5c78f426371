package core

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"causa/dnd"
	"causa/matter"
	"causa/store"
)

// A Digest lists what was held during quiet hours that are over: each message once, and
// never again after a device of this person has taken the digest or read the message.
type Digest struct {
	Items   int
	Matters []DigestMatter // those with something urgent first, then by their first message
}

// A DigestMatter is what was held of one matter.
type DigestMatter struct {
	Matter matter.ID
	Title  string
	Urgent bool
	Items  []DigestItem // urgent ones first, then in the thread's order
}

// A DigestItem is one message that was held.
type DigestItem struct {
	Message matter.Message
	Urgent  bool
}

// Digest returns what the digest lists now, and leaves it there.
func (c *Client) Digest(ctx context.Context) (d Digest, err error) {
	err = c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		d, err = c.digest(tx)
		return err
	})
	return d, worded(err)
}

// TakeDigest returns what the digest lists now; no device of this person lists it again.
func (c *Client) TakeDigest(ctx context.Context) (d Digest, err error) {
	err = c.home.db.Update(ctx, func(tx *store.Tx) (err error) {
		if d, err = c.digest(tx); err != nil {
			return err
		}
		var places []place
		for _, m := range d.Matters {
			for _, it := range m.Items {
				places = append(places, place{m.Matter, it.Message.Seq})
				if err := tx.Unhold(m.Matter, it.Message.Seq); err != nil {
					return err
				}
			}
		}
		return c.sharePlaces(tx, contentListed, places)
	})
	if err == nil && d.Items > 0 {
		c.quietChanged()
		err = c.countQueue(ctx)
	}
	return d, worded(err)
}

func (c *Client) digest(tx *store.Tx) (d Digest, err error) {
	due, err := tx.HeldItems(c.now(), false)
	if err != nil {
		return d, err
	}
	for _, h := range due { // by matter
		m, err := tx.MessageAt(h.Matter, h.Seq)
		if errors.Is(err, store.ErrNone) {
			continue
		}
		if err != nil {
			return d, err
		}
		if n := len(d.Matters); n == 0 || d.Matters[n-1].Matter != h.Matter {
			known, err := tx.Matter(h.Matter)
			if err != nil {
				return d, err
			}
			d.Matters = append(d.Matters, DigestMatter{Matter: h.Matter, Title: known.Title})
		}
		last := &d.Matters[len(d.Matters)-1]
		last.Items = append(last.Items, DigestItem{Message: m, Urgent: h.Urgent})
		last.Urgent = last.Urgent || h.Urgent
		d.Items++
	}
	first := func(m DigestMatter) time.Time {
		at := m.Items[0].Message.Time
		for _, it := range m.Items {
			at = earlier(at, it.Message.Time)
		}
		return at
	}
	urgentFirst := func(a, b bool) int {
		switch {
		case a == b:
			return 0
		case a:
			return -1
		}
		return 1
	}
	for _, m := range d.Matters {
		slices.SortStableFunc(m.Items, func(a, b DigestItem) int { return urgentFirst(a.Urgent, b.Urgent) })
	}
	slices.SortStableFunc(d.Matters, func(a, b DigestMatter) int {
		return cmp.Or(urgentFirst(a.Urgent, b.Urgent), first(a).Compare(first(b)))
	})
	return d, nil
}

// announce tells that quiet hours are over for what was held, once on this device.
func (c *Client) announce(tx *store.Tx, plan *dnd.Plan, now time.Time) (n *Notice, err error) {
	until := now
	if !c.quiet.judgedBy(plan) {
		until = time.Time{} // the rules have changed: look at everything that is held
	}
	held, err := tx.HeldItems(until, true)
	if err != nil || len(held) == 0 {
		return nil, err
	}
	for _, h := range held {
		if err := holdOn(tx, plan, h, now); err != nil {
			return nil, err
		}
	}
	if held, err = tx.HeldItems(now, true); err != nil || len(held) == 0 {
		return nil, err
	}
	n = &Notice{Kind: NoticeDigest, Count: len(held)}
	matters := map[matter.ID]bool{}
	for _, h := range held {
		matters[h.Matter] = true
	}
	n.Matters = len(matters)
	return n, tx.Announced(now)
}
