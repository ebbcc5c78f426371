package hub

import (
	"crypto/sha256"

	"causa/hub/db"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// publishKeyPackages checks key packages, then has the writer add them to the device's
// stock.
func (s *session) publishKeyPackages(id uint64, m *pb.PublishKeyPackages) error {
	var kps []db.KeyPackage
	size := 0
	add := func(b []byte, lastResort bool) error {
		suite, notAfter, err := s.hub.checkKeyPackage(b, s.device, lastResort)
		if err != nil {
			return err
		}
		kps = append(kps, db.KeyPackage{Digest: sha256.Sum256(b), Suite: suite, LastResort: lastResort, NotAfterMS: notAfter.UnixMilli(), Body: b})
		size += len(b)
		return nil
	}
	for _, b := range m.GetKeyPackages() {
		if err := add(b, false); err != nil {
			return err
		}
	}
	if b := m.GetLastResort(); len(b) > 0 {
		if err := add(b, true); err != nil {
			return err
		}
	}
	s.submit(&request{
		id: id, size: size,
		do: func(b *batch) (*pb.HubFrame, error) {
			if why, _ := b.hub.org.barred(s.device); why != 0 {
				return nil, refuse(why)
			}
			stock, err := b.tx.AddKeyPackages(s.no, kps, wire.MaxKeyPackages)
			if err != nil {
				return nil, err
			}
			return &pb.HubFrame{Body: &pb.HubFrame_KeyPackagesPublished{
				KeyPackagesPublished: &pb.KeyPackagesPublished{Stock: stocks(stock)},
			}}, nil
		},
	})
	return nil
}

func stocks(in []db.Stock) (out []*pb.Stock) {
	for _, s := range in {
		out = append(out, &pb.Stock{Suite: uint32(s.Suite), Count: uint32(s.Count)})
	}
	return out
}

// claimKeyPackages has the writer take a key package of each device. A device that has
// none for the suite, is not active or not known is left out of the answer.
func (s *session) claimKeyPackages(id uint64, m *pb.ClaimKeyPackages) error {
	s.submit(&request{
		id: id, size: 64 * len(m.GetDevices()),
		do: func(b *batch) (*pb.HubFrame, error) {
			return b.claimKeyPackages(s, uint16(m.GetSuite()), m.GetDevices())
		},
	})
	return nil
}

func (b *batch) claimKeyPackages(s *session, suite uint16, devices [][]byte) (*pb.HubFrame, error) {
	if why, _ := b.hub.org.barred(s.device); why != 0 {
		return nil, refuse(why)
	}
	now := b.hub.opts.now().UnixMilli()
	out, size := &pb.KeyPackages{}, 0
	seen := map[matter.DeviceID]bool{}
	for _, d := range devices {
		device := matter.DeviceID(d)
		no, ok := b.hub.directory.no(device)
		if !ok || seen[device] || !b.hub.org.active(device) {
			continue
		}
		seen[device] = true
		body, ok, err := b.tx.TakeKeyPackage(no, suite, now)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		out.Claimed = append(out.Claimed, &pb.KeyPackages_Claimed{Device: d, KeyPackage: body})
		if size += len(body) + 64; size > wire.MaxFrame-(512<<10) {
			break // the rest can be claimed in another request
		}
	}
	return &pb.HubFrame{Body: &pb.HubFrame_KeyPackages{KeyPackages: out}}, nil
}
