package hub

import (
	"causa/hub/db"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// sendContent has the writer store one sealed message.
func (s *session) sendContent(id uint64, m *pb.SendContent) error {
	if err := s.hub.settled(); err != nil {
		return err
	}
	if wait := s.limits.sends.take(1, s.hub.opts.now()); wait > 0 {
		return busy(wait)
	}
	if err := s.nameBlobs(m); err != nil {
		return err
	}
	s.submit(&request{
		id: id, size: len(m.GetPayload()), matter: sameMatter(m.GetMatter()),
		do: func(b *batch) (*pb.HubFrame, error) { return b.sendContent(s, m) },
	})
	return nil
}

// sendContent takes a message when its counter is the next one. A refused message
// leaves the counter as it is: the device mends what was wrong and sends it again.
func (b *batch) sendContent(s *session, m *pb.SendContent) (*pb.HubFrame, error) {
	if why, _ := b.hub.org.barred(s.device); why != 0 {
		return nil, refuse(why)
	}
	last, err := b.counter(s)
	if err != nil {
		return nil, err
	}
	if m.GetCounter() <= last {
		return b.resent(s, m, last)
	}
	if m.GetCounter() != last+1 {
		return nil, refuseWant(wire.CodeCounterGap, last)
	}
	state, err := b.matterOf(matter.ID(m.GetMatter()), s)
	if err != nil {
		return nil, err
	}
	if m.GetEpoch() != state.Epoch {
		return nil, refuseEpoch(wire.CodeEpochStale, state.Epoch, state.Head)
	}
	if b.removalDue(state) {
		return nil, refuse(wire.CodeRemovalDue)
	}
	e := b.next(state, s, pb.EntryKind_ENTRY_KIND_CONTENT, m.GetPayload())
	e.Counter = last + 1
	if m.GetUrgent() {
		if err := b.countUrgent(s, e.Counter, e.TimeMS); err != nil {
			return nil, err
		}
	}
	if err := b.tx.AddEntry(e); err != nil {
		return nil, err
	}
	b.counters[s.no] = last + 1
	b.advance(state, e)
	b.page(state, s, e)
	if m.GetUrgent() {
		b.open[state.No].mark(e.Seq)
	}
	return accepted(e.Seq, e.TimeMS), nil
}

// resent answers a message that was taken before as it was answered then.
func (b *batch) resent(s *session, m *pb.SendContent, last uint64) (*pb.HubFrame, error) {
	place, ok, err := b.tx.SentAs(s.no, m.GetCounter())
	if err != nil {
		return nil, err
	}
	was, known, err := b.matter(matter.ID(m.GetMatter()))
	if err != nil {
		return nil, err
	}
	if !ok || !known || was.No != place.Matter {
		return nil, refuseWant(wire.CodeCounterGap, last)
	}
	return accepted(place.Seq, place.TimeMS), nil
}

func accepted(seq uint64, timeMS int64) *pb.HubFrame {
	return &pb.HubFrame{Body: &pb.HubFrame_Accepted{Accepted: &pb.Accepted{Seq: seq, TimeMs: timeMS}}}
}

// next makes the entry that follows a matter's last one. Time never runs backwards in
// a matter, whatever the clock does.
func (b *batch) next(m *matterState, s *session, kind pb.EntryKind, payload []byte) *db.NewEntry {
	return &db.NewEntry{
		Matter: m.No, Seq: m.Head + 1, TimeMS: max(b.hub.opts.now().UnixMilli(), m.TimeMS),
		Kind: int32(kind), Sender: s.no, Epoch: m.Epoch, Payload: payload,
	}
}

// advance moves a matter on to its new last entry.
func (b *batch) advance(m *matterState, e *db.NewEntry) {
	m.Head, m.TimeMS = e.Seq, e.TimeMS
	b.touched(m)
}
