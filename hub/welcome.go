package hub

import (
	"context"

	"causa/hub/db"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// maxPushedWelcome is how large a welcome may be to be pushed whole. Of a larger one
// the device is only told that it waits: many could be due at once.
const maxPushedWelcome = 64 << 10

// A welcomePush is one Welcome and the devices that it waits for.
type welcomePush struct {
	devices []db.DeviceNo
	ids     []uint64 // by device
	matter  matter.ID
	seq     uint64
	sender  matter.DeviceID
	body    []byte
}

// deliverWelcome pushes a welcome to those of its devices that are connected.
func (h *Hub) deliverWelcome(w welcomePush) {
	for i, no := range w.devices {
		h.online.each([]db.DeviceNo{no}, func(s *session) {
			push := &pb.Welcomes{}
			if len(w.body) <= maxPushedWelcome {
				push.Items = []*pb.Welcomes_Item{{Id: w.ids[i], Matter: w.matter[:], Seq: w.seq, Sender: w.sender[:], Welcome: w.body}}
			}
			frame, err := wire.EncodeHub(&pb.HubFrame{Body: &pb.HubFrame_Welcomes{Welcomes: push}})
			if err != nil {
				h.log.Error("encode welcome", "err", err)
				return
			}
			s.pushWelcome(frame)
		})
	}
}

// takeWelcomes answers with the oldest welcomes that wait. They stay until dropped.
func (s *session) takeWelcomes() (*pb.HubFrame, error) {
	ws, err := s.hub.db.Welcomes(context.Background(), s.no, wire.MaxWelcomesBatch, wire.MaxWelcomesBytes)
	if err != nil {
		return nil, err
	}
	out := &pb.Welcomes{Items: make([]*pb.Welcomes_Item, len(ws))}
	for i, w := range ws {
		out.Items[i] = &pb.Welcomes_Item{Id: w.ID, Matter: w.Matter[:], Seq: w.Seq, Sender: w.Sender[:], Welcome: w.Body}
	}
	return &pb.HubFrame{Body: &pb.HubFrame_Welcomes{Welcomes: out}}, nil
}

// dropWelcomes has the writer forget welcomes of this device. Ids of other devices'
// and of none are passed over.
func (s *session) dropWelcomes(id uint64, m *pb.DropWelcomes) error {
	s.submit(&request{
		id: id, size: 8 * len(m.GetIds()),
		do: func(b *batch) (*pb.HubFrame, error) {
			for _, id := range m.GetIds() {
				if err := b.tx.DropWelcome(s.no, id); err != nil {
					return nil, err
				}
			}
			return done(), nil
		},
	})
	return nil
}

func done() *pb.HubFrame { return &pb.HubFrame{Body: &pb.HubFrame_Done{Done: &pb.Done{}}} }
