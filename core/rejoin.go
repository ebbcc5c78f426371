package core

import (
	"context"
	"errors"
	"time"

	"causa/crypto/mls"
	"causa/matter"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

// A device that can't follow a matter any more (its state was lost, a welcome did not
// open, a commit could not be taken) comes back by itself with an external commit (RFC
// 9420 section 12.4.3.2), which replaces its leaf. What was said meanwhile it can't read.

// findLost plans the return to every matter that this device has no keys for.
func (c *Client) findLost(ctx context.Context) error {
	return c.home.db.View(ctx, func(tx *store.Tx) error {
		ids, err := tx.MattersWithoutGroup()
		for _, id := range ids {
			c.work.lost[id] = time.Now()
		}
		return err
	})
}

// rejoinDue returns to the lost matters whose time has come. next is when the next one's
// will.
func (c *Client) rejoinDue(ctx context.Context, l *link) (next time.Time, err error) {
	for id, when := range c.work.lost {
		if c.work.rejoin[id] != nil {
			continue // under way
		}
		if time.Now().Before(when) {
			next = earlier(next, when)
			continue
		}
		err := c.rejoin(ctx, l, id)
		var r *refusal
		switch {
		case err == nil:
		case refused(err, wire.CodeNoMatter):
			delete(c.work.lost, id) // taken out meanwhile
			if err := c.giveUp(ctx, id, notIn(err)); err != nil {
				return next, err
			}
		case errors.Is(err, ErrOffline) || errors.Is(err, context.Canceled):
			return next, err
		default:
			if !errors.As(err, &r) {
				c.log.Warn("matter can't be rejoined", "err", err)
			}
			c.work.fails[id]++
			again := time.Now().Add(min(backoff(c.work.fails[id]), lastTry))
			c.work.lost[id] = again
			next = earlier(next, again)
		}
	}
	return next, nil
}

// rejoin offers an external commit. When the hub takes it, it comes back as a push and is
// applied in its place.
func (c *Client) rejoin(ctx context.Context, l *link, id matter.ID) error {
	f, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_PullGroupInfo{PullGroupInfo: &pb.PullGroupInfo{Matter: id[:]}}})
	if err != nil {
		return err
	}
	info := f.GetGroupInfo()
	pending, err := mls.JoinExternal(info.GetGroupInfo(), c.self[:], c.key, mls.ExternalRequest{Resync: true}, c.mlsOptions())
	if err != nil {
		return err
	}
	if matter.ID(pending.Group().GroupID()) != id {
		return errors.New("group info of another matter than the one asked for")
	}
	_, err = l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_CommitBundle{CommitBundle: &pb.CommitBundle{
		Matter: id[:], Epoch: info.GetEpoch(), Commit: pending.Commit(), GroupInfo: pending.GroupInfo(),
	}}})
	if err != nil {
		return err
	}
	c.work.rejoin[id] = pending
	c.work.behind[id] = true
	return nil
}
