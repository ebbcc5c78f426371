package hub

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"

	"causa/hub/db"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// A groupChange is what a verified commit does to a matter's devices.
type groupChange struct {
	committer      matter.DeviceID
	added, removed []matter.DeviceID
	external       bool // the committer is among the added: it came in by this commit
	next           *groupView
}

// welcomed returns the devices that need a Welcome: all that are added by another.
func (c *groupChange) welcomed() (ids []matter.DeviceID) {
	for _, id := range c.added {
		if !c.external || id != c.committer {
			ids = append(ids, id)
		}
	}
	return ids
}

// createMatter checks the first GroupInfo, then has the writer register the matter.
func (s *session) createMatter(id uint64, m *pb.CreateMatter) error {
	if err := s.hub.settled(); err != nil {
		return err
	}
	_, member, _, ok := s.hub.org.device(s.device)
	if !ok || member.Role == matter.RoleGuest || member.Role == matter.RoleBot {
		return refuse(wire.CodeNotAllowed)
	}
	group := matter.ID(m.GetMatter())
	view, err := s.hub.checkGroup(group, m.GetGroupInfo(), s.device)
	if err != nil {
		return err
	}
	s.submit(&request{
		id: id, size: len(m.GetGroupInfo()), matter: &group,
		do: func(b *batch) (*pb.HubFrame, error) { return b.createMatter(s, group, m.GetGroupInfo()) },
		done: func(answer *pb.HubFrame) {
			if answer.GetDone() != nil {
				s.hub.views.put(group, 0, view, len(m.GetGroupInfo()))
			}
		},
	})
	return nil
}

func (b *batch) createMatter(s *session, id matter.ID, info []byte) (*pb.HubFrame, error) {
	if why, _ := b.hub.org.barred(s.device); why != 0 {
		return nil, refuse(why)
	}
	digest := db.Digest(sha256.Sum256(info))
	have, ok, err := b.matter(id)
	if err != nil {
		return nil, err
	}
	if ok {
		if have.Creator == s.no && have.Digest == digest { // a repeat whose answer was lost
			return done(), nil
		}
		return nil, refuse(wire.CodeMatterExists)
	}
	m := &matterState{Matter: db.Matter{
		ID: id, Creator: s.no, Digest: digest, TimeMS: b.hub.opts.now().UnixMilli(), Devices: []db.DeviceNo{s.no},
	}}
	if err := b.tx.AddMatter(&m.Matter, info); err != nil {
		return nil, err
	}
	b.matters[id] = m
	return done(), nil
}

// commitBundle checks a bundle against the matter's current epoch, which takes time,
// then has the writer accept it if that is still the epoch.
func (s *session) commitBundle(id uint64, m *pb.CommitBundle) error {
	if err := s.hub.settled(); err != nil {
		return err
	}
	group := matter.ID(m.GetMatter())
	epoch, info, ok, err := s.hub.db.GroupInfo(context.Background(), group)
	if err != nil {
		return err
	}
	if !ok {
		return refuse(wire.CodeNoMatter)
	}
	var change *groupChange
	if m.GetEpoch() == epoch { // else it is a repeat or too late, which the writer tells apart
		if change, err = s.checkBundle(group, epoch, info, m); err != nil {
			return err
		}
	}
	s.submit(&request{
		id: id, size: len(m.GetCommit()) + len(m.GetWelcome()) + len(m.GetGroupInfo()), matter: &group,
		do: func(b *batch) (*pb.HubFrame, error) { return b.commitBundle(s, m, change) },
		done: func(answer *pb.HubFrame) {
			if change != nil && answer.GetAccepted() != nil {
				s.hub.views.put(group, epoch+1, change.next, len(m.GetGroupInfo()))
			}
		},
	})
	return nil
}

// checkBundle verifies what a bundle says of itself and by MLS.
func (s *session) checkBundle(group matter.ID, epoch uint64, info []byte, m *pb.CommitBundle) (*groupChange, error) {
	in, err := s.memberIn(context.Background(), group) // more is known once the commit is
	if err != nil {
		return nil, err
	}
	if !in {
		return nil, refuse(wire.CodeNoMatter)
	}
	change, err := s.hub.checkCommit(group, epoch, info, m.GetCommit(), m.GetGroupInfo())
	if err != nil {
		return nil, err
	}
	if change.committer != s.device {
		return nil, refuse(wire.CodeCommitRefused)
	}
	in, err = s.hub.db.IsIn(context.Background(), group, s.no)
	if err != nil {
		return nil, err
	}
	if !in && !change.external {
		return nil, refuse(wire.CodeNoMatter)
	}
	welcomed := make([]matter.DeviceID, len(m.GetWelcomeDevices()))
	for i, id := range m.GetWelcomeDevices() {
		welcomed[i] = matter.DeviceID(id)
	}
	if !sameDevices(welcomed, change.welcomed()) {
		return nil, refuse(wire.CodeCommitRefused)
	}
	return change, nil
}

// sameDevices reports whether two lists name the same devices, each once.
func sameDevices(a, b []matter.DeviceID) bool {
	compare := func(x, y matter.DeviceID) int { return slices.Compare(x[:], y[:]) }
	a, b = slices.SortedFunc(slices.Values(a), compare), slices.SortedFunc(slices.Values(b), compare)
	return slices.Equal(a, b) && len(slices.Compact(slices.Clone(a))) == len(a)
}

// commitBundle is compare-and-set on the epoch, all or nothing.
func (b *batch) commitBundle(s *session, m *pb.CommitBundle, change *groupChange) (*pb.HubFrame, error) {
	if why, _ := b.hub.org.barred(s.device); why != 0 {
		return nil, refuse(why)
	}
	state, ok, err := b.matter(matter.ID(m.GetMatter()))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refuse(wire.CodeNoMatter)
	}
	digest := bundleDigest(m)
	if m.GetEpoch() < state.Epoch {
		place, sender, was, ok, err := b.tx.CommitOf(state.No, m.GetEpoch())
		if err != nil {
			return nil, err
		}
		if ok && sender == s.no && was == digest { // a repeat whose answer was lost
			return accepted(place.Seq, place.TimeMS), nil
		}
	}
	if !state.has(s.no) && !(change != nil && change.external && b.memberHas(state, s)) {
		return nil, refuse(wire.CodeNoMatter)
	}
	if m.GetEpoch() != state.Epoch || change == nil {
		return nil, refuseEpoch(wire.CodeEpochConflict, state.Epoch, state.Head)
	}
	after, err := b.devicesAfter(state, change)
	if err != nil {
		return nil, err
	}
	return b.storeCommit(s, m, state, digest, after)
}

// memberHas reports whether any device of the session's member is in the matter.
func (b *batch) memberHas(state *matterState, s *session) bool {
	return slices.ContainsFunc(b.hub.org.devicesOf(s.device), func(id matter.DeviceID) bool {
		no, ok := b.hub.directory.no(id)
		return ok && state.has(no)
	})
}

// An aftermath is who is in a matter after a commit, in ascending order.
type aftermath struct {
	devices  []db.DeviceNo
	added    []db.DeviceNo // of those, the ones that were not in it before
	welcomed []db.DeviceNo // of those, the ones that a Welcome is for
}

// devicesAfter works out who is in the matter after a commit. It refuses a commit that
// leaves a device in that is no longer active.
func (b *batch) devicesAfter(state *matterState, change *groupChange) (after aftermath, err error) {
	removed, err := b.numbers(change.removed)
	if err != nil {
		return after, err
	}
	added, err := b.numbers(change.added)
	if err != nil {
		return after, err
	}
	if after.welcomed, err = b.numbers(change.welcomed()); err != nil {
		return after, err
	}
	if b.hub.org.anyOut(state.ID, change.added) {
		return after, refuse(wire.CodeCommitRefused) // revoked since the check
	}
	for _, no := range state.Devices {
		if _, gone := slices.BinarySearch(removed, no); !gone {
			after.devices = append(after.devices, no)
		}
	}
	if b.hub.org.anyOut(state.ID, b.hub.directory.ids(after.devices)) {
		return after, refuse(wire.CodeRemovalDue)
	}
	for _, no := range added {
		if !state.has(no) { // else it came back by itself, with a new leaf for its old one
			after.added = append(after.added, no)
		}
	}
	after.devices = union(after.devices, added)
	if !b.hub.org.sameModule(b.hub.directory.ids(after.devices)) {
		return after, refuse(wire.CodeCommitRefused)
	}
	return after, nil
}

// numbers returns the numbers of devices of the organisation log, ascending.
func (b *batch) numbers(ids []matter.DeviceID) ([]db.DeviceNo, error) {
	nos := make([]db.DeviceNo, len(ids))
	for i, id := range ids {
		var ok bool
		if nos[i], ok = b.hub.directory.no(id); !ok {
			return nil, errors.New("a device of the organisation log has no number")
		}
	}
	slices.Sort(nos)
	return nos, nil
}

// storeCommit stores a commit and everything that goes with it.
func (b *batch) storeCommit(s *session, m *pb.CommitBundle, state *matterState, digest db.Digest, after aftermath) (*pb.HubFrame, error) {
	e := b.next(state, s, pb.EntryKind_ENTRY_KIND_COMMIT, m.GetCommit())
	before := state.Devices
	if err := b.tx.AddEntry(e); err != nil {
		return nil, err
	}
	if err := b.tx.AddCommit(state.No, state.Epoch, e.Seq, digest); err != nil {
		return nil, err
	}
	if err := b.tx.SetGroupInfo(state.No, state.Epoch+1, m.GetGroupInfo()); err != nil {
		return nil, err
	}
	for _, no := range before {
		if _, stays := slices.BinarySearch(after.devices, no); !stays {
			if err := b.tx.EndParticipant(state.No, no, e.Seq); err != nil {
				return nil, err
			}
		}
	}
	for _, no := range after.added {
		if err := b.tx.AddParticipant(state.No, no, e.Seq); err != nil {
			return nil, err
		}
	}
	if len(after.welcomed) > 0 {
		ids, err := b.tx.AddWelcome(state.No, e.Seq, s.no, m.GetWelcome(), after.welcomed)
		if err != nil {
			return nil, err
		}
		b.welcomes = append(b.welcomes, welcomePush{
			devices: after.welcomed, ids: ids, matter: state.ID, seq: e.Seq, sender: s.device, body: m.GetWelcome(),
		})
	}
	state.Epoch++
	state.Devices = after.devices
	state.due, state.dueAt = false, b.hub.org.next()
	b.advance(state, e)
	b.lastPage(state, s, e, union(before, after.devices))
	return accepted(e.Seq, e.TimeMS), nil
}

// bundleDigest is the hash by which a bundle is known again.
func bundleDigest(m *pb.CommitBundle) db.Digest {
	h := sha256.New()
	part := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	part(m.GetMatter())
	part(binary.BigEndian.AppendUint64(nil, m.GetEpoch()))
	part(m.GetCommit())
	part(m.GetWelcome())
	for _, d := range m.GetWelcomeDevices() {
		part(d)
	}
	part(m.GetGroupInfo())
	return db.Digest(h.Sum(nil))
}
