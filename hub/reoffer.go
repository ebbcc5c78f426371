package hub

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"causa/crypto/mls/view"
	"causa/hub/db"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// A hub that was restored from a backup has forgotten what it acknowledged after that.
// The devices have it, entry by entry as the hub gave it to them, and offer it again:
// whoever comes first with the entries that follow the hub's last one. What anybody can
// check is checked (commits by MLS, and where the entries stand); what is sealed only
// its readers can judge, who find a signature inside.

// reofferTime is for how long after a restore devices may offer again: longer than they
// keep what they would.
const reofferTime = 21 * 24 * time.Hour

// reoffers reports whether the hub was restored so lately that devices may offer again
// what it has lost. An incarnation is the time of the restore.
func (h *Hub) reoffers() bool {
	return h.incarnation > 0 && h.opts.now().Sub(time.UnixMilli(int64(min(h.incarnation, 1<<62)))) < reofferTime
}

// settling returns how long nothing new is taken yet: a restored hub that has just been
// started waits for what it has lost to be offered again, since what is new would take
// its place.
func (h *Hub) settling() time.Duration {
	if h.opts.RestoreGrace <= 0 || !h.reoffers() {
		return 0
	}
	return h.opts.RestoreGrace - h.opts.now().Sub(h.started)
}

// settled refuses, for now, what would take the place of something lost.
func (h *Hub) settled() error {
	if wait := h.settling(); wait > 0 {
		return busy(min(wait, 2*time.Second))
	}
	return nil
}

// A recovery is a verified run of entries that a hub has lost.
type recovery struct {
	create  bool // the hub does not know the matter at all
	creator matter.DeviceID
	first   []byte // GroupInfo of epoch 0, if so
	epoch   uint64 // before
	stale   bool   // they begin in another epoch than the hub's
	entries []*pb.Entry
	changes map[uint64]*groupChange // by sequence, of those that are commits
	info    []byte                  // GroupInfo of the epoch after, when it is another
}

// reoffer checks a run of lost entries, then has the writer append it if it still follows
// the matter's last entry.
func (s *session) reoffer(id uint64, m *pb.Reoffer) error {
	if !s.hub.reoffers() {
		return refuse(wire.CodeNotAllowed)
	}
	group := matter.ID(m.GetMatter())
	r, err := s.checkReoffer(group, m)
	if err != nil {
		return err
	}
	s.submit(&request{
		id: id, size: len(m.GetGroupInfo()) + len(m.GetFirst()) + 1<<20, matter: &group,
		do: func(b *batch) (*pb.HubFrame, error) { return b.recover(s, group, r) },
	})
	return nil
}

func (s *session) checkReoffer(group matter.ID, m *pb.Reoffer) (*recovery, error) {
	h := s.hub
	leave, err := h.checkSlot()
	if err != nil {
		return nil, err
	}
	defer leave()
	r := &recovery{entries: m.GetEntries(), changes: map[uint64]*groupChange{}}
	epoch, info, ok, err := h.db.GroupInfo(context.Background(), group)
	if err != nil {
		return nil, err
	}
	if !ok {
		if len(m.GetFirst()) == 0 {
			return nil, refuse(wire.CodeNoMatter)
		}
		r.create, r.first, info, epoch = true, m.GetFirst(), m.GetFirst(), 0
	}
	v, err := openGroup(h.org, info, false)
	if err != nil {
		h.log.Debug("lost group refused", "err", err)
		return nil, refuse(wire.CodeCommitRefused)
	}
	if r.create {
		members := v.Members()
		if v.Epoch() != 0 || v.Closed() || !bytes.Equal(v.GroupID(), group[:]) || len(members) != 1 {
			return nil, refuse(wire.CodeCommitRefused)
		}
		if r.creator, err = deviceOf(members[0].Identity); err != nil {
			return nil, err
		}
	}
	r.epoch = epoch
	if len(r.entries) > 0 && r.entries[0].GetEpoch() != epoch {
		r.stale = true // the writer knows whether the hub has them already
		return r, nil
	}
	if v, err = h.trace(r, group, v); err != nil {
		return nil, err
	}
	if !hasLeaf(v, s.device) {
		return nil, refuse(wire.CodeNoMatter)
	}
	if v.Epoch() != r.epoch {
		if _, err := v.Confirm(m.GetGroupInfo()); err != nil {
			h.log.Debug("lost group info refused", "err", err)
			return nil, refuse(wire.CodeCommitRefused)
		}
		r.info = m.GetGroupInfo()
	}
	return r, nil
}

// trace checks that entries follow each other and what they say of themselves.
func (h *Hub) trace(r *recovery, group matter.ID, v *groupView) (*groupView, error) {
	latest := h.opts.now().Add(wire.MaxClockSkew).UnixMilli()
	for i, e := range r.entries {
		if i > 0 && (e.GetSeq() != r.entries[i-1].GetSeq()+1 || e.GetTimeMs() < r.entries[i-1].GetTimeMs()) {
			return nil, refuse(wire.CodeMalformed)
		}
		if e.GetTimeMs() > latest || e.GetEpoch() != v.Epoch() {
			return nil, refuse(wire.CodeMalformed)
		}
		sender := matter.DeviceID(e.GetSender())
		if _, ok := h.directory.no(sender); !ok {
			return nil, refuse(wire.CodeMalformed)
		}
		switch e.GetKind() {
		case pb.EntryKind_ENTRY_KIND_CONTENT:
			if !hasLeaf(v, sender) || !sealedFor(e, group) {
				return nil, refuse(wire.CodeMalformed)
			}
		case pb.EntryKind_ENTRY_KIND_COMMIT:
			change, next, err := v.Follow(e.GetPayload())
			if err != nil || change.Closed {
				h.log.Debug("lost commit refused", "err", err)
				return nil, refuse(wire.CodeCommitRefused)
			}
			c, err := changeOf(change)
			if err != nil {
				return nil, err
			}
			if c.committer != sender {
				return nil, refuse(wire.CodeCommitRefused)
			}
			r.changes[e.GetSeq()] = c
			v = &groupView{next}
		default:
			return nil, refuse(wire.CodeMalformed)
		}
	}
	return v, nil
}

func hasLeaf(v *groupView, id matter.DeviceID) bool {
	return slices.ContainsFunc(v.Members(), func(m view.Member) bool { return bytes.Equal(m.Identity, id[:]) })
}

// sealedFor reports whether a sealed message's header (docs/protocol.md, section 5) is
// that of its entry.
func sealedFor(e *pb.Entry, group matter.ID) bool {
	want := append([]byte{1}, group[:]...)
	want = binary.BigEndian.AppendUint64(want, e.GetEpoch())
	want = append(want, e.GetSender()...)
	return bytes.HasPrefix(e.GetPayload(), want)
}

// recover appends a run of lost entries as they were, when it follows what is there.
func (b *batch) recover(s *session, id matter.ID, r *recovery) (*pb.HubFrame, error) {
	if !b.hub.org.active(s.device) {
		return nil, refuse(wire.CodeRevoked)
	}
	state, ok, err := b.matter(id)
	if err != nil {
		return nil, err
	}
	if !ok && !r.create {
		return nil, refuse(wire.CodeNoMatter)
	}
	if ok && !state.has(s.no) && r.stale {
		return nil, refuse(wire.CodeNoMatter)
	}
	if !ok && (r.stale || len(r.entries) > 0 && r.entries[0].GetSeq() != 1) {
		return nil, refuseEpoch(wire.CodeEpochConflict, 0, 0)
	}
	if !ok {
		if state, err = b.recreate(id, r); err != nil {
			return nil, err
		}
	}
	last := state.Head
	if n := len(r.entries); n > 0 {
		last = r.entries[n-1].GetSeq()
	}
	if last <= state.Head { // somebody else was faster, or there is nothing but the matter
		return accepted(state.Head, state.TimeMS), nil
	}
	if r.stale || r.entries[0].GetSeq() != state.Head+1 || state.Epoch != r.epoch {
		return nil, refuseEpoch(wire.CodeEpochConflict, state.Epoch, state.Head)
	}
	seen := state.Devices
	for _, e := range r.entries {
		if err := b.reappend(state, e, r.changes[e.GetSeq()]); err != nil {
			return nil, err
		}
		seen = union(seen, state.Devices)
	}
	if r.info != nil {
		if err := b.tx.SetGroupInfo(state.No, state.Epoch, r.info); err != nil {
			return nil, err
		}
	}
	state.due, state.dueAt = false, 0
	b.touched(state)
	delete(b.open, state.No)
	b.recovered = append(b.recovered, recovered{devices: seen, no: state.No, pos: position{id: id, head: state.Head}})
	return accepted(state.Head, state.TimeMS), nil
}

// recreate registers a matter that was lost altogether.
func (b *batch) recreate(id matter.ID, r *recovery) (*matterState, error) {
	no, ok := b.hub.directory.no(r.creator)
	if !ok {
		return nil, errors.New("a device of the organisation log has no number")
	}
	m := &matterState{Matter: db.Matter{ID: id, Creator: no, TimeMS: b.hub.opts.now().UnixMilli(), Devices: []db.DeviceNo{no}}}
	if len(r.entries) > 0 {
		m.TimeMS = r.entries[0].GetTimeMs()
	}
	m.Digest = db.Digest(sha256.Sum256(r.first))
	if err := b.tx.AddMatter(&m.Matter, r.first); err != nil {
		return nil, err
	}
	b.matters[id] = m
	return m, nil
}

// reappend appends one lost entry, which has no counter any more: its device's sends go
// on from the last one that the hub knows.
func (b *batch) reappend(m *matterState, e *pb.Entry, change *groupChange) error {
	sender, _ := b.hub.directory.no(matter.DeviceID(e.GetSender())) // known, or it was refused before
	m.Head, m.TimeMS = e.GetSeq(), max(m.TimeMS, e.GetTimeMs())
	err := b.tx.AddEntry(&db.NewEntry{
		Matter: m.No, Seq: m.Head, TimeMS: m.TimeMS, Kind: int32(e.GetKind()), Sender: sender, Epoch: e.GetEpoch(), Payload: e.GetPayload(),
	})
	if err != nil || change == nil {
		return err
	}
	return b.rechange(m, e.GetPayload(), change)
}

// rechange carries out what a lost commit did to the matter's devices.
func (b *batch) rechange(m *matterState, commit []byte, change *groupChange) error {
	removed, err := b.numbers(change.removed)
	if err != nil {
		return err
	}
	added, err := b.numbers(change.added)
	if err != nil {
		return err
	}
	if err := b.tx.AddCommit(m.No, m.Epoch, m.Head, db.Digest(sha256.Sum256(commit))); err != nil {
		return err
	}
	after := union(slices.DeleteFunc(slices.Clone(m.Devices), func(no db.DeviceNo) bool {
		_, gone := slices.BinarySearch(removed, no)
		return gone
	}), added)
	for _, no := range m.Devices {
		if _, stays := slices.BinarySearch(after, no); !stays {
			if err := b.tx.EndParticipant(m.No, no, m.Head); err != nil {
				return err
			}
		}
	}
	for _, no := range after {
		if !m.has(no) {
			if err := b.tx.AddParticipant(m.No, no, m.Head); err != nil {
				return err
			}
		}
	}
	m.Epoch++
	m.Devices = after
	return nil
}

// A recovered matter has grown by what it had lost.
type recovered struct {
	devices []db.DeviceNo
	no      db.MatterNo
	pos     position
}

// deliverRecovered tells devices how far a matter has come again: they pull what they
// lack.
func (h *Hub) deliverRecovered(r recovered) {
	frame, err := wire.EncodeHub(&pb.HubFrame{Body: &pb.HubFrame_MatterPage{MatterPage: &pb.MatterPage{Matter: r.pos.id[:], Head: r.pos.head}}})
	if err != nil {
		h.log.Error("encode page", "err", err)
		return
	}
	h.online.each(r.devices, func(s *session) { s.pushPage(item{frame: frame, matter: r.no}, r.pos) })
}
