package hub

import (
	"context"
	"time"

	"causa/hub/db"
	"causa/wire/pb"
)

const (
	trimEvery = time.Hour // how often old entries are looked for
	trimChunk = 256       // how many of a matter go in one transaction, so that sends don't wait long
)

// retain deletes what is older than the hub is to keep, until ctx ends. It stops for
// good when the clock jumps far ahead: who is wrong, the clock before or the one after,
// only the operator can say, and what is deleted can't be had again.
func (h *Hub) retain(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	clock, truth := h.opts.now(), time.Now()
	for {
		// time.Since goes by the monotonic clock, which nobody sets.
		ahead := h.opts.now().Round(0).Sub(clock.Round(0)) - time.Since(truth)
		if ahead > max(trimEvery, h.opts.Retention/10) {
			h.log.Warn("the clock has jumped: old entries are not deleted until the hub is started again", "ahead", ahead)
			return
		}
		clock, truth = h.opts.now(), time.Now()
		if err := h.trim(ctx); err != nil && ctx.Err() == nil {
			h.log.Warn("old entries were not deleted", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// trim deletes the entries that are too old now, in small steps between what devices
// ask for, and the blobs that they named.
func (h *Hub) trim(ctx context.Context) error {
	before := h.opts.now().Add(-h.opts.Retention).UnixMilli()
	due, err := h.db.Due(ctx, before)
	if err != nil {
		return err
	}
	for _, no := range due {
		for more := true; more; {
			if ctx.Err() != nil {
				return nil
			}
			if more, err = h.trimChunk(no, before); err != nil {
				return err
			}
		}
	}
	return h.blobs.depot.Sweep(ctx, time.UnixMilli(before))
}

// trimChunk has the writer delete some entries of a matter; more says whether others
// may be left.
func (h *Hub) trimChunk(no db.MatterNo, before int64) (more bool, err error) {
	var n uint64
	failure := make(chan *pb.Failure, 1)
	h.writer.in <- &request{
		do: func(b *batch) (_ *pb.HubFrame, err error) {
			n, err = b.tx.Trim(no, before, trimChunk)
			return done(), err
		},
		done: func(answer *pb.HubFrame) { failure <- answer.GetFailure() },
	}
	if f := <-failure; f != nil {
		return false, &refusal{f} // the log has the cause
	}
	h.counters.trimmed.Add(n)
	return n == trimChunk, nil
}
