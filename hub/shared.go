package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"causa/hub/db"
	"causa/matter"
	"causa/orglog"
	"causa/wire"
	"causa/wire/pb"
)

// Several hubs may serve one organisation from one database. Then what a hub has in
// memory may be behind, and nothing is decided by it alone: each transaction first locks
// the devices and matters that it is about, reads how they stand, and takes over what
// the organisation log has gained elsewhere.

// refreshEvery is how often a hub looks for what others have done. Whoever must know
// sooner what they have added to the organisation log asks ([Hub.refresh]).
const refreshEvery = 5 * time.Second

// errPutBack means that the database is an earlier one than this hub has seen: it was
// restored, and this hub must be started anew.
var errPutBack = errors.New("the database was put back to an earlier state while this hub ran on it: start the hub again")

// lock locks what the batch is about, and takes over how it stands.
func (b *batch) lock() error {
	if !b.hub.db.Shared() {
		return nil
	}
	var devices []db.DeviceNo
	var matters []matter.ID
	for _, r := range b.requests {
		if r.s != nil && r.s.no != 0 {
			devices = append(devices, r.s.no)
		}
		if r.matter != nil {
			matters = append(matters, *r.matter)
		}
	}
	l, err := b.tx.Lock(devices, matters)
	if err != nil {
		return err
	}
	incarnation, err := decodeIncarnation(l.Incarnation)
	if err != nil {
		return err
	}
	if l.LogNext < b.hub.org.next() || incarnation != b.hub.incarnation {
		return errPutBack
	}
	if err := b.catchUp(l.LogNext); err != nil {
		return err
	}
	b.seats = l.Seats
	return b.takeMatters(l.Matters)
}

// takeMatters fills in who is in the matters that are locked. Those in a matter change
// with its epoch.
func (b *batch) takeMatters(locked []db.Matter) error {
	var unknown []db.MatterNo
	for _, m := range locked {
		state := &matterState{Matter: m}
		if known := b.cache.matters[m.ID]; known != nil && known.Epoch == m.Epoch {
			state.Devices, state.due, state.dueAt = known.Devices, known.due, known.dueAt
		} else {
			unknown = append(unknown, m.No)
		}
		b.matters[m.ID] = state
	}
	if len(unknown) == 0 {
		return nil
	}
	in, err := b.tx.Participants(unknown)
	if err != nil {
		return err
	}
	for _, m := range locked {
		if devices, ok := in[m.No]; ok {
			b.matters[m.ID].Devices = devices
		}
	}
	return nil
}

// A growth is an entry of the organisation log that another hub has appended.
type growth struct {
	frame []byte
	next  uint64
	ended []matter.DeviceID
}

// catchUp takes over the entries of the organisation log up to an index. They are
// committed, so they stay taken whatever becomes of the batch.
func (b *batch) catchUp(next uint64) error {
	for from := b.hub.org.next(); from < next; from = b.hub.org.next() {
		entries, _, err := b.tx.LogPage(from, wire.MaxLogPage, wire.MaxLogPageBytes)
		if err != nil {
			return err
		}
		for _, raw := range entries {
			if err := b.take(raw); err != nil {
				return fmt.Errorf("organisation log, entry %d, of another hub: %w", b.hub.org.next(), err)
			}
		}
		if b.hub.org.next() == from {
			return fmt.Errorf("organisation log ends at %d, not at %d", from, next)
		}
	}
	return nil
}

// take takes one entry over.
func (b *batch) take(raw []byte) error {
	e, err := orglog.Decode(raw)
	if err != nil {
		return err
	}
	var enrolled db.DeviceNo
	if enrols(e) {
		no, _, ok, err := b.tx.Device(e.Author)
		if err != nil {
			return err
		}
		if !ok {
			return errors.New("its device has no number")
		}
		enrolled = no
	}
	frame, err := logFrame(e.Index, raw)
	if err != nil {
		return err
	}
	ended, err := b.hub.adopt(e, enrolled)
	if err != nil {
		return err
	}
	b.grown = append(b.grown, growth{frame: frame, next: e.Index + 1, ended: ended})
	return nil
}

// deliverGrowth tells devices of what other hubs have appended.
func (h *Hub) deliverGrowth(grown []growth) {
	for _, g := range grown {
		for _, id := range g.ended {
			h.drop(id)
		}
		h.deliverLog(g.frame, g.next)
	}
}

// logFrame is what devices are sent of a new entry.
func logFrame(index uint64, raw []byte) ([]byte, error) {
	return wire.EncodeHub(&pb.HubFrame{Body: &pb.HubFrame_LogPage{
		LogPage: &pb.LogPage{From: index, Entries: [][]byte{raw}, Next: index + 1},
	}})
}

// refresh has the writer catch up with the organisation log, and reports whether there
// was anything new. It does nothing where the hub has its database to itself.
func (h *Hub) refresh() (grew bool) {
	if !h.db.Shared() {
		return false
	}
	before := h.org.next()
	h.refreshing.Lock() // those who wait meanwhile may be helped by it as well
	defer h.refreshing.Unlock()
	if h.org.next() != before {
		return true
	}
	over := make(chan struct{})
	h.writer.in <- &request{
		do:   func(*batch) (*pb.HubFrame, error) { return done(), nil },
		done: func(*pb.HubFrame) { close(over) },
	}
	<-over
	return h.org.next() != before
}

// follow keeps this hub and the devices at it near what other hubs do, until ctx ends.
func (h *Hub) follow(ctx context.Context) {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.lookNow:
			h.refresh()
		case <-tick.C:
			h.refresh()
			if err := h.tellMoved(ctx); err != nil && ctx.Err() == nil {
				h.log.Warn("what other hubs have done was not looked for", "err", err)
			}
		}
	}
}

// mayBeBehind reports whether a refusal could be for want of what another hub knows.
func mayBeBehind(err error) bool {
	refused, ok := errors.AsType[*refusal](err)
	if !ok {
		return false
	}
	return slices.Contains([]wire.Code{
		wire.CodeSignIn, wire.CodeInvite, wire.CodeNotAllowed, wire.CodeNoMatter, wire.CodeCommitRefused, wire.CodeKeyPackage,
	}, wire.Code(refused.failure.GetCode()))
}

// sameMatter names the matter that a request is about, for [request.matter].
func sameMatter(id []byte) *matter.ID {
	if len(id) != len(matter.ID{}) {
		return nil // it was refused before
	}
	m := matter.ID(bytes.Clone(id))
	return &m
}
