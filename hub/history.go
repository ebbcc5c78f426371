package hub

import (
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// grantHistory has the writer let devices of a matter read from an earlier entry on, as
// far as the device that asks may read itself.
func (s *session) grantHistory(id uint64, m *pb.GrantHistory) error {
	s.submit(&request{
		id: id, size: 32 * len(m.GetDevices()),
		do: func(b *batch) (*pb.HubFrame, error) { return b.grantHistory(s, m) },
	})
	return nil
}

func (b *batch) grantHistory(s *session, m *pb.GrantHistory) (*pb.HubFrame, error) {
	if !b.hub.org.active(s.device) {
		return nil, refuse(wire.CodeRevoked)
	}
	state, ok, err := b.matter(matter.ID(m.GetMatter()))
	if err != nil {
		return nil, err
	}
	if !ok || !state.has(s.no) {
		return nil, refuse(wire.CodeNoMatter)
	}
	own, err := b.tx.HistoryOf(state.No, s.no)
	if err != nil {
		return nil, err
	}
	if m.GetFrom() < own {
		return nil, refuse(wire.CodeNotAllowed)
	}
	for _, device := range m.GetDevices() {
		no, ok := b.hub.directory.no(matter.DeviceID(device))
		if !ok || !state.has(no) {
			continue // taken out meanwhile
		}
		if err := b.tx.GrantHistory(state.No, no, m.GetFrom()); err != nil {
			return nil, err
		}
	}
	return done(), nil
}
