package core

import (
	"context"
	"errors"
	"time"

	"causa/matter"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

// A hub that was restored from a backup lacks what it took after that. The devices have
// it: the organisation log anyway, and of each matter the latest entries as the hub gave
// them. Whoever comes first gives them back, byte for byte and in their places, so that
// everybody's cursor, digests and conclusions stay true.

// keepRecent is for how long entries are kept to be given back: a backup that is older
// brings a matter to a halt when it has moved on since.
const keepRecent = 14 * 24 * time.Hour

// recentOf is what is kept of an entry.
func recentOf(e *pb.Entry) store.RecentEntry {
	return store.RecentEntry{
		Seq: e.GetSeq(), TimeMS: e.GetTimeMs(), Kind: int32(e.GetKind()), Sender: e.GetSender(), Epoch: e.GetEpoch(), Payload: e.GetPayload(),
	}
}

// bringBackLog gives a restored hub the entries of the organisation log that it lacks.
func (c *Client) bringBackLog(ctx context.Context, l *link, ready *pb.Ready) error {
	c.work.restored = ready.GetIncarnation() > 0
	if err := c.home.db.Update(ctx, func(tx *store.Tx) error { return tx.DropRecentBefore(c.now().Add(-keepRecent)) }); err != nil {
		return err
	}
	next := ready.GetLogNext()
	if !c.work.restored || next >= c.dir.next() {
		return nil
	}
	var entries [][]byte
	err := c.home.db.View(ctx, func(tx *store.Tx) error {
		for b, err := range tx.LogEntries() {
			if err != nil {
				return err
			}
			entries = append(entries, b)
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.log.Info("giving the hub back organisation log entries that it lost", "entries", uint64(len(entries))-next)
	for next < uint64(len(entries)) {
		_, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_AppendLog{AppendLog: &pb.AppendLog{Entry: entries[next], Again: true}}})
		var r *refusal
		switch {
		case err == nil:
			next++
		case errors.As(err, &r) && r.Code == wire.CodeLogConflict && r.Want > next:
			next = r.Want // somebody else gives them back as well
		case errors.As(err, &r) && (r.Code == wire.CodeLogRefused || r.Code == wire.CodeLogConflict):
			return twoLogs(err) // it went on without them
		default:
			return err
		}
	}
	return nil
}

// bringBackUnknown gives a restored hub back the matters that it does not know at all.
func (c *Client) bringBackUnknown(ctx context.Context, l *link, known map[matter.ID]bool) error {
	if !c.work.restored {
		return nil
	}
	var ids []matter.ID
	err := c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		ids, err = tx.HeldMatters()
		return err
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		if known[id] {
			continue
		}
		if err := c.bringBack(ctx, l, id, 0, false); err != nil {
			return err
		}
	}
	return nil
}

// errKeptTooLittle: entries that the hub lacks are not kept here any more.
var errKeptTooLittle = errors.New("the entries that the hub lacks are not kept here")

// bringBack gives the hub the entries of a matter after head. When that can't be, the
// status says that the hub was put back.
func (c *Client) bringBack(ctx context.Context, l *link, id matter.ID, head uint64, known bool) error {
	err := errors.New("the hub's head is before ours, and it was not restored")
	if c.work.restored {
		err = c.giveBack(ctx, l, id, head, known)
	}
	var r *refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &r), errors.Is(err, errKeptTooLittle), !c.work.restored:
		c.log.Warn("a matter can't be given back to the hub", "err", err)
		c.setStatus(func(s *Status) { s.Problem = hubBehind() })
		return nil
	default:
		return err
	}
}

func (c *Client) giveBack(ctx context.Context, l *link, id matter.ID, head uint64, known bool) error {
	for {
		m, last, err := c.reofferAfter(ctx, id, head, known)
		if err != nil || m == nil {
			return err
		}
		f, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_Reoffer{Reoffer: m}})
		var r *refusal
		switch {
		case err == nil && f.GetAccepted().GetSeq() > head:
			head = f.GetAccepted().GetSeq()
		case err == nil && head >= last:
			return nil
		case errors.As(err, &r) && r.Code == wire.CodeEpochConflict && r.Head > head:
			head = r.Head // somebody else gives them back as well
		case err == nil:
			return errKeptTooLittle
		default:
			return err
		}
		known = true
	}
}

// reofferAfter makes the request that brings the hub on from head, and tells up to which
// sequence; it is nil when there is nothing that the hub lacks.
func (c *Client) reofferAfter(ctx context.Context, id matter.ID, head uint64, known bool) (m *pb.Reoffer, last uint64, err error) {
	m = &pb.Reoffer{Matter: id[:]}
	err = c.home.db.View(ctx, func(tx *store.Tx) error {
		place, err := tx.Place(id)
		if err != nil {
			return err
		}
		if known && place.Cursor <= head {
			m = nil
			return nil
		}
		row, err := tx.Group(id)
		if errors.Is(err, store.ErrNone) {
			return errKeptTooLittle
		}
		if err != nil {
			return err
		}
		if !known {
			if m.First, err = firstInfo(tx, id); err != nil {
				return err
			}
		}
		entries, err := run(tx, id, head, row.Epoch)
		if err != nil {
			return err
		}
		if len(entries) == 0 && place.Cursor > head {
			return errKeptTooLittle
		}
		last = head
		for _, e := range entries {
			last = e.Seq
			m.Entries = append(m.Entries, &pb.Entry{
				Seq: e.Seq, TimeMs: e.TimeMS, Kind: pb.EntryKind(e.Kind), Sender: e.Sender, Epoch: e.Epoch, Payload: e.Payload,
			})
			if pb.EntryKind(e.Kind) == pb.EntryKind_ENTRY_KIND_COMMIT && m.GroupInfo == nil {
				g, _, err := c.loadGroup(row)
				if err != nil {
					return err
				}
				if m.GroupInfo, err = g.GroupInfo(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return m, last, err
}

// firstInfo returns the GroupInfo with which this device opened a matter.
func firstInfo(tx *store.Tx, id matter.ID) (info []byte, err error) {
	err = tx.Recent(id, 0, func(e store.RecentEntry) bool {
		if e.Seq == 0 {
			info = e.Payload
		}
		return false
	})
	if err == nil && info == nil {
		err = errKeptTooLittle
	}
	return info, err
}

// run returns kept entries that follow head, as many as one request takes. The hub needs
// a GroupInfo of the epoch in which they end, and there is one of the current epoch only:
// they end before the first commit, or after the last.
func run(tx *store.Tx, id matter.ID, head, epoch uint64) (entries []store.RecentEntry, err error) {
	size, good := 0, 0
	moved := false
	err = tx.Recent(id, head+1, func(e store.RecentEntry) bool {
		size += len(e.Payload)
		if e.Seq != head+uint64(len(entries))+1 || len(entries) == wire.MaxReoffer || size > wire.MaxReofferBytes {
			return false
		}
		entries = append(entries, e)
		after := e.Epoch
		if pb.EntryKind(e.Kind) == pb.EntryKind_ENTRY_KIND_COMMIT {
			after, moved = e.Epoch+1, true
		}
		if !moved || after == epoch {
			good = len(entries)
		}
		return true
	})
	return entries[:good], err
}
