package core

import (
	"context"
	"errors"
	"time"

	"causa/internal/fault"
	"causa/matter"
	"causa/store"
)

// maxSchedule is how far ahead something can be scheduled.
const maxSchedule = 366 * 24 * time.Hour

// Schedule says something in a matter at a later time. It waits on this device, over
// restarts, and is sent when the time has come and the hub can be reached.
func (c *Client) Schedule(ctx context.Context, id matter.ID, text string, at time.Time) (matter.Message, error) {
	text, err := cleanText(text)
	if err != nil {
		return matter.Message{}, err
	}
	if err := c.checkSchedule(at); err != nil {
		return matter.Message{}, err
	}
	var it store.Outgoing
	err = c.home.db.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Place(id)
		switch {
		case err != nil:
			return err
		case p.Removed:
			return notIn(nil)
		case p.State.Closed():
			return concludedAlready()
		}
		it = store.Outgoing{Matter: id, ID: matter.NewMessageID(), Time: c.now(), Due: at.Truncate(time.Millisecond)}
		if it.Content, err = c.contentAt(it.Time, contentText, []byte(text)); err != nil {
			return err
		}
		return tx.PutOutgoing(it)
	})
	if errors.Is(err, store.ErrNone) {
		err = noMatter(err)
	}
	if err != nil {
		return matter.Message{}, worded(err)
	}
	m, _ := c.queued(it)
	c.events.tell(MessageAdded{m}, MatterChanged{id})
	c.setAlarm()
	return m, nil
}

func (c *Client) checkSchedule(at time.Time) error {
	if now := c.now(); !at.After(now) || at.After(now.Add(maxSchedule)) {
		return &fault.Error{Text: "A message can't be sent at that time.", Hint: "Choose a time from now on, within a year."}
	}
	return nil
}

// Scheduled lists what is to be sent later from this device, the next one first.
func (c *Client) Scheduled(ctx context.Context) (out []matter.Message, err error) {
	err = c.home.db.View(ctx, func(tx *store.Tx) error {
		items, err := tx.Scheduled()
		for _, it := range items {
			if m, ok := c.queued(it); ok {
				out = append(out, m)
			}
		}
		return err
	})
	return out, worded(err)
}

// Reschedule changes when something is sent, and with a text what it says.
func (c *Client) Reschedule(ctx context.Context, msg matter.MessageID, text string, at time.Time) error {
	if err := c.checkSchedule(at); err != nil {
		return err
	}
	return c.changeScheduled(ctx, func(tx *store.Tx, it store.Outgoing) (bool, error) {
		if text != "" {
			clean, err := cleanText(text)
			if err != nil {
				return false, err
			}
			if it.Content, err = c.contentAt(it.Time, contentText, []byte(clean)); err != nil {
				return false, err
			}
		}
		return tx.Reschedule(msg, at.Truncate(time.Millisecond), it.Content)
	}, msg)
}

// Unschedule takes back something that was to be sent later.
func (c *Client) Unschedule(ctx context.Context, msg matter.MessageID) error {
	return c.changeScheduled(ctx, func(tx *store.Tx, _ store.Outgoing) (bool, error) { return tx.Unschedule(msg) }, msg)
}

func (c *Client) changeScheduled(ctx context.Context, change func(*store.Tx, store.Outgoing) (bool, error), msg matter.MessageID) error {
	var id matter.ID
	err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		items, err := tx.Scheduled()
		if err != nil {
			return err
		}
		for _, it := range items {
			if it.ID == msg {
				id = it.Matter
				done, err := change(tx, it)
				if err != nil || done {
					return err
				}
			}
		}
		return &fault.Error{Text: "This message does not wait to be sent later.", Hint: "It may have been sent already."}
	})
	if err != nil {
		return worded(err)
	}
	c.events.tell(MatterChanged{id})
	c.setAlarm()
	return nil
}

// promote puts what is due in line to be sent, and returns when the next one will be.
func (c *Client) promote(tx *store.Tx, now time.Time) (some bool, next time.Time, err error) {
	items, err := tx.Scheduled()
	if err != nil {
		return false, next, err
	}
	for _, it := range items {
		if it.Due.After(now) {
			return some, it.Due, nil
		}
		some = true
		con, err := parseContent(it.Content)
		if err != nil {
			return some, next, err
		}
		content, err := c.contentAt(now, con.Kind, con.Body)
		if err != nil {
			return some, next, err
		}
		if err := tx.Promote(it.Position, now, content); err != nil {
			return some, next, err
		}
		p, err := tx.Place(it.Matter)
		if err != nil {
			return some, next, err
		}
		if p.State.Closed() {
			why, _ := fault.Words(concludedAlready(), nil)
			if err := tx.SetFailed(it.Position, why); err != nil {
				return some, next, err
			}
		}
	}
	return some, next, nil
}
