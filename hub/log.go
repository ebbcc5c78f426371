package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"causa/hub/db"
	"causa/matter"
	"causa/orglog"
	"causa/wire"
	"causa/wire/pb"
)

// Names of what the database keeps beside its tables.
const (
	metaFounding = "founding key"
	metaHubKey   = "hub key"
	metaHead     = "organisation log head"
)

// restoreOrg reads the organisation log, all of it at one instant. Its entries were
// verified before they were stored; the head stored with the last one vouches for them.
func restoreOrg(ctx context.Context, d *db.DB) (*org, error) {
	var state *orglog.State
	err := d.View(ctx, func(v *db.Snapshot) error {
		var head orglog.Hash
		b, err := v.Meta(ctx, metaHead)
		if err != nil {
			return err
		}
		copy(head[:], b)
		state, err = orglog.Restore(storedEntries(ctx, v), head)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("restore organisation log: %w", err)
	}
	return &org{state: state}, nil
}

func storedEntries(ctx context.Context, v *db.Snapshot) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		errEnough := errors.New("no more is wanted")
		err := v.Log(ctx, func(_ uint64, entry []byte) error {
			if !yield(entry, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

// pullLog answers with a page of the organisation log.
func (s *session) pullLog(m *pb.PullLog) (*pb.HubFrame, error) {
	entries, next, err := s.hub.db.LogPage(context.Background(), m.GetFrom(), wire.MaxLogPage, wire.MaxLogPageBytes)
	if err != nil {
		return nil, err
	}
	return &pb.HubFrame{Body: &pb.HubFrame_LogPage{LogPage: &pb.LogPage{From: m.GetFrom(), Entries: entries, Next: next}}}, nil
}

// appendLog has the writer append an entry to the organisation log.
func (s *session) appendLog(id uint64, m *pb.AppendLog) error {
	e, err := orglog.Decode(m.GetEntry())
	if err != nil {
		return refuseEntry(err, s.hub.org.next())
	}
	again := m.GetAgain() && s.no != 0 && s.hub.reoffers()
	if !again {
		if err := errors.Join(s.mayAppend(e), s.hub.settled()); err != nil {
			return err
		}
	}
	s.submit(&request{
		id: id, size: len(m.GetEntry()), alone: true,
		do: func(b *batch) (*pb.HubFrame, error) { return b.appendLog(s, e, m.GetEntry(), again) },
		done: func(answer *pb.HubFrame) {
			if answer.GetLogAppended() != nil {
				s.enrolled.Store(true)
			}
		},
	})
	return nil
}

// mayAppend holds a connection to what is its to say: a device its own statements, the
// holder of an invite the enrolment with it, the founder the founding. What the
// statement may say is for the log's own rules.
func (s *session) mayAppend(e *orglog.Entry) error {
	if s.no != 0 {
		if e.Author != s.device {
			return refuse(wire.CodeLogRefused)
		}
		return nil
	}
	switch st := e.Statement.(type) {
	case orglog.Founded:
		if s.founding {
			return nil
		}
	case orglog.DeviceEnrolled:
		if !s.founding && s.invite.Equal(st.InviteKey) {
			return nil
		}
	}
	return refuse(wire.CodeNotAllowed)
}

// appendLog is compare-and-set on the next index.
func (b *batch) appendLog(s *session, e *orglog.Entry, raw []byte, again bool) (*pb.HubFrame, error) {
	next := b.hub.org.next()
	if e.Index < next {
		have, ok, err := b.tx.LogEntry(e.Index)
		if err != nil {
			return nil, err
		}
		if ok && bytes.Equal(have, raw) { // a repeat whose answer was lost
			return appended(e.Index), nil
		}
		if s.founding {
			return nil, refuse(wire.CodeAlreadyFounded)
		}
	}
	if e.Index != next {
		return nil, refuseWant(wire.CodeLogConflict, next)
	}
	if skew := e.Time.Sub(b.hub.opts.now()); skew > wire.MaxClockSkew || skew < -wire.MaxClockSkew && !again {
		return nil, refuse(wire.CodeClock)
	}
	if s.no != 0 {
		if _, receipt := e.Statement.(orglog.WipeReceipt); !receipt {
			if why, _ := b.hub.org.barred(s.device); why != 0 {
				return nil, refuse(why)
			}
		}
	}
	if err := b.hub.org.check(e); err != nil {
		return nil, refuseEntry(err, next)
	}
	frame, err := logFrame(e.Index, raw)
	if err != nil {
		return nil, err
	}
	if err := b.storeEntry(e, raw); err != nil {
		return nil, err
	}
	b.appended, b.logFrame = e, frame
	return appended(e.Index), nil
}

func appended(index uint64) *pb.HubFrame {
	return &pb.HubFrame{Body: &pb.HubFrame_LogAppended{LogAppended: &pb.LogAppended{Index: index}}}
}

// storeEntry stores an entry and what follows from it for the hub.
func (b *batch) storeEntry(e *orglog.Entry, raw []byte) error {
	if err := b.tx.AppendLog(e.Index, raw); err != nil {
		return err
	}
	head := e.Hash()
	if err := b.tx.SetMeta(metaHead, head[:]); err != nil {
		return err
	}
	if enrols(e) {
		no, err := b.tx.AddDevice(e.Author)
		if err != nil {
			return err
		}
		b.enrolled = no
	}
	for _, id := range b.hub.org.endedBy(e) {
		if no, ok := b.hub.directory.no(id); ok {
			if err := b.tx.DropKeyPackages(no); err != nil {
				return err
			}
		}
	}
	return nil
}

// enrols reports whether an entry brings its author's device.
func enrols(e *orglog.Entry) bool {
	switch e.Statement.(type) {
	case orglog.Founded, orglog.DeviceEnrolled:
		return true
	}
	return false
}

// applied takes over what the batch has appended and returns the devices that it ended or
// locked.
func (h *Hub) applied(b *batch) []matter.DeviceID {
	ended, err := h.adopt(b.appended, b.enrolled)
	if err != nil {
		// It was checked against this very state. Whatever this is, going on would
		// serve people by a wrong list of devices.
		panic(fmt.Sprintf("organisation log entry %d was stored but does not apply: %v", b.appended.Index, err))
	}
	return ended
}

// adopt takes a stored entry over into the organisation's state, with the number of the
// device that it enrolled, and returns the devices that it ended or locked.
func (h *Hub) adopt(e *orglog.Entry, enrolled db.DeviceNo) (ended []matter.DeviceID, err error) {
	ended = h.org.endedBy(e)
	if lock, ok := e.Statement.(orglog.DeviceLocked); ok {
		ended = append(ended, lock.Device)
	}
	if err := h.org.apply(e); err != nil {
		return nil, err
	}
	if enrolled != 0 {
		h.directory.add(enrolled, e.Author)
	}
	h.settle(e)
	h.quietEntry(e)
	return ended, nil
}
