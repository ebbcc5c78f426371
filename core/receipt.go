package core

import (
	"context"
	"errors"
	"slices"

	"causa/matter"
	"causa/store"
	"causa/wire/pb"
)

// maxReceipt is for how many messages one entry says that they are destroyed.
const maxReceipt = 200

// receipts has this device tell the others, in one entry, which of the messages that were
// taken back it has just destroyed.
func (a *applying) receipts() error {
	if a.row == nil || a.place.Removed {
		return nil
	}
	for part := range slices.Chunk(a.destroyed, maxReceipt) {
		var body []byte
		for _, r := range part {
			body = appendRef(body, r)
		}
		if _, err := a.c.enqueue(a.tx, a.id, contentReceipt, body); err != nil {
			return err
		}
		a.sent = true
	}
	return nil
}

// receipt takes in what another device has destroyed.
func (a *applying) receipt(e *pb.Entry, m matter.Message, con content) error {
	const refSize = 48
	rest := con.Body
	if len(rest) == 0 || len(rest)%refSize != 0 || len(rest) > maxReceipt*refSize {
		return a.malformed(e, m)
	}
	if err := a.hide(e, m); err != nil {
		return err
	}
	for len(rest) > 0 {
		r, next, _ := readRef(rest)
		rest = next
		seq, err := a.tx.Find(a.id, r)
		if err != nil {
			return err
		}
		target, err := a.tx.Message(a.id, seq)
		if errors.Is(err, store.ErrNone) || err == nil && target.Kind != matter.KindRecalled {
			continue
		}
		if err != nil {
			return err
		}
		if err := a.tx.AddReceipt(a.id, seq, m.Device); err != nil {
			return err
		}
		gone := []matter.Message{target}
		if err := a.c.countGone(a.tx, a.id, gone); err != nil {
			return err
		}
		a.events = append(a.events, MessageChanged{gone[0]})
	}
	return nil
}

// countGone fills in how far the destruction of messages that were taken back has come.
func (c *Client) countGone(tx *store.Tx, id matter.ID, ms []matter.Message) error {
	var devices map[matter.DeviceID]bool
	for i := range ms {
		if ms[i].Kind != matter.KindRecalled {
			continue
		}
		if devices == nil {
			row, err := tx.Group(id)
			if errors.Is(err, store.ErrNone) {
				return nil // this device is not in the matter any more, and hears of nothing
			}
			if err != nil {
				return err
			}
			g, _, err := c.loadGroup(row)
			if err != nil {
				return err
			}
			devices = devicesIn(g)
		}
		done, err := tx.Receipts(id, ms[i].Seq)
		if err != nil {
			return err
		}
		ms[i].Gone = &matter.Gone{}
		for d := range devices {
			if slices.Contains(done, d) {
				ms[i].Gone.Done++
			} else {
				ms[i].Gone.Waiting = append(ms[i].Gone.Waiting, d)
			}
		}
		slices.SortFunc(ms[i].Gone.Waiting, func(a, b matter.DeviceID) int { return slices.Compare(a[:], b[:]) })
	}
	return nil
}

// Line returns one line of a thread.
func (c *Client) Line(ctx context.Context, id matter.ID, seq uint64) (m matter.Message, err error) {
	err = c.home.db.View(ctx, func(tx *store.Tx) error {
		one, err := tx.Message(id, seq)
		if err != nil {
			return err
		}
		ms := []matter.Message{one}
		err = c.countGone(tx, id, ms)
		m = ms[0]
		return err
	})
	if errors.Is(err, store.ErrNone) {
		err = noMessage()
	}
	return m, worded(err)
}
