package hub

import (
	"slices"
	"sync"

	"causa/hub/db"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// A segment is a run of a matter's new entries that the same devices see.
type segment struct {
	no      db.MatterNo
	id      matter.ID
	devices []db.DeviceNo
	entries []*pb.Entry
	bytes   int
	urgent  map[uint64]bool // sequences; nil: none
}

// mark notes that an entry is urgent.
func (seg *segment) mark(seq uint64) {
	if seg.urgent == nil {
		seg.urgent = map[uint64]bool{}
	}
	seg.urgent[seq] = true
}

// page puts a new entry into the page that the matter's devices get, the sender's
// among them: so every device, whichever sent, reads one unbroken sequence.
func (b *batch) page(m *matterState, s *session, e *db.NewEntry) {
	seg := b.open[m.No]
	if seg == nil || len(seg.entries) >= wire.MaxPageEntries || seg.bytes+len(e.Payload) > wire.MaxPageBytes {
		seg = b.segment(m, m.Devices)
		b.open[m.No] = seg
	}
	seg.add(s, e)
}

// lastPage is page for a commit: devices are those before and after it, and what comes
// next is for other eyes.
func (b *batch) lastPage(m *matterState, s *session, e *db.NewEntry, devices []db.DeviceNo) {
	delete(b.open, m.No)
	b.segment(m, devices).add(s, e)
}

func (b *batch) segment(m *matterState, devices []db.DeviceNo) *segment {
	seg := &segment{no: m.No, id: m.ID, devices: devices}
	b.pages = append(b.pages, seg)
	return seg
}

func (seg *segment) add(s *session, e *db.NewEntry) {
	seg.entries = append(seg.entries, &pb.Entry{
		Seq: e.Seq, TimeMs: e.TimeMS, Kind: pb.EntryKind(e.Kind), Sender: s.device[:], Epoch: e.Epoch, Payload: e.Payload,
	})
	seg.bytes += len(e.Payload)
}

// deliverPage pushes a segment to its devices, encoded once for all.
func (h *Hub) deliverPage(seg *segment) {
	head := seg.entries[len(seg.entries)-1].GetSeq()
	frame, err := wire.EncodeHub(&pb.HubFrame{Body: &pb.HubFrame_MatterPage{
		MatterPage: &pb.MatterPage{Matter: seg.id[:], Entries: seg.entries, Head: head},
	}})
	if err != nil {
		h.log.Error("encode page", "err", err)
		return
	}
	it := item{frame: frame, matter: seg.no, entries: len(seg.entries)}
	pos := position{id: seg.id, head: head}
	h.bus.tellPage(seg.devices, seg.no, pos, len(seg.entries), frame)
	h.online.each(seg.devices, func(s *session) { s.pushPage(it, pos) })
	h.holds.arrived(seg)
	h.told.note(seg.no, head)
}

// deliverLog pushes a new entry of the organisation log to every device.
func (h *Hub) deliverLog(frame []byte, next uint64) {
	h.online.everyDevice(func(s *session) { s.pushLog(frame, next) })
}

// drop ends the connection of a device that is not served any more.
func (h *Hub) drop(id matter.DeviceID) {
	why, _ := h.org.barred(id)
	if no, ok := h.directory.no(id); ok && why != 0 {
		h.online.each([]db.DeviceNo{no}, func(s *session) { s.fail(why) })
	}
}

// An online register knows the connections. It is safe for concurrent use; it calls
// sessions while it is locked, never the other way round.
type online struct {
	mu       sync.RWMutex
	devices  map[db.DeviceNo]*session // signed in as devices: pushes go to them
	sessions map[*session]struct{}    // all there are
	closed   bool
}

func newOnline() *online {
	return &online{devices: map[db.DeviceNo]*session{}, sessions: map[*session]struct{}{}}
}

// enter registers a new connection and starts it; it returns false when the hub is
// closing. Close sees every connection that was started.
func (o *online) enter(s *session, start func()) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	o.sessions[s] = struct{}{}
	start()
	return true
}

// add makes a session the one of its device; an older one is ended.
func (o *online) add(s *session) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.sessions[s]; !ok {
		return // gone already
	}
	if old := o.devices[s.no]; old != nil && old != s {
		old.fail(wire.CodeReplaced)
	}
	o.devices[s.no] = s
}

// remove forgets a connection that is gone.
func (o *online) remove(s *session) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.sessions, s)
	if o.devices[s.no] == s {
		delete(o.devices, s.no)
	}
}

// each calls fn for the devices of a list that are connected.
func (o *online) each(devices []db.DeviceNo, fn func(*session)) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, no := range devices {
		if s := o.devices[no]; s != nil {
			fn(s)
		}
	}
}

// of returns the connection of a device, or nil.
func (o *online) of(no db.DeviceNo) *session {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.devices[no]
}

// everyDevice calls fn for all devices that are connected.
func (o *online) everyDevice(fn func(*session)) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, s := range o.devices {
		fn(s)
	}
}

// all calls fn for every connection, also of those who have not signed in.
func (o *online) all(fn func(*session)) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for s := range o.sessions {
		fn(s)
	}
}

// count returns how many connections are signed in as devices, and how many are not.
func (o *online) count() (devices, others int) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return len(o.devices), len(o.sessions) - len(o.devices)
}

// close lets nobody in any more.
func (o *online) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
}

// union returns the devices of two ascending lists, ascending.
func union(a, b []db.DeviceNo) []db.DeviceNo {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
