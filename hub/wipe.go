package hub

import (
	"context"

	"causa/orglog"
	"causa/wire/pb"
)

// pullDestructions answers with the hub's signed word for every order whose keys are gone
// and that the log does not say so of yet.
func (s *session) pullDestructions() (*pb.HubFrame, error) {
	h := s.hub
	if err := h.settleVault(context.Background()); err != nil {
		return nil, err
	}
	org, orders := h.org.undocumented()
	out := &pb.Destructions{}
	for _, order := range orders {
		st, err := orglog.SignDestruction(h.key, org, order, h.opts.now())
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, &pb.Destructions_Item{Order: order, TimeMs: st.Time.UnixMilli(), Signature: st.Signature})
	}
	return &pb.HubFrame{Body: &pb.HubFrame_Destructions{Destructions: out}}, nil
}

// undocumented returns the organisation's id and the orders in effect that destroy keys and
// that the log has no word of the hub for.
func (o *org) undocumented() (id orglog.Hash, orders []uint64) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, w := range o.state.Wipes() {
		if !w.Effective.IsZero() && w.Destroyed.IsZero() && w.Order.Extent != orglog.ExtentMatter {
			orders = append(orders, w.Index)
		}
	}
	return o.state.OrgID(), orders
}
