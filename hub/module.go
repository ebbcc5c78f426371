package hub

import (
	"context"

	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// pullWaiting answers how much there is for the member's devices that are for sealed
// modules.
func (s *session) pullWaiting() (*pb.HubFrame, error) {
	out := &pb.Waiting{}
	for _, id := range s.hub.org.moduleDevices(s.device, wire.MaxWaiting) {
		no, ok := s.hub.directory.no(id)
		if !ok {
			continue
		}
		heads, err := s.hub.db.Heads(context.Background(), no, wire.MaxHeads)
		if err != nil {
			return nil, err
		}
		d := &pb.Waiting_Device{Device: id[:]}
		for _, h := range heads {
			d.Total += h.Seq
		}
		out.Devices = append(out.Devices, d)
	}
	return &pb.HubFrame{Body: &pb.HubFrame_Waiting{Waiting: out}}, nil
}

// moduleDevices returns the active devices of a device's member that are for a module.
func (o *org) moduleDevices(id matter.DeviceID, limit int) (ids []matter.DeviceID) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	d, _, ok := o.state.Device(id)
	if !ok {
		return nil
	}
	for _, other := range o.state.DevicesOf(d.Member) {
		if other.Module != "" && o.state.ActiveDevice(other.ID) && len(ids) < limit {
			ids = append(ids, other.ID)
		}
	}
	return ids
}
