package hub

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"causa/dnd"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// maxStatus is how far ahead a status can end.
const maxStatus = 31 * 24 * time.Hour

// statuses are how members want to be met. They are nowhere but in memory. It is safe for
// concurrent use; its lock is a leaf.
type statuses struct {
	mu  sync.Mutex
	all map[matter.MemberID]status
}

type status struct {
	what  pb.Status
	until int64 // Unix milliseconds; 0: it stays
}

func (s *statuses) set(m matter.MemberID, st status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.what == pb.Status_STATUS_UNSPECIFIED {
		delete(s.all, m)
		return
	}
	s.all[m] = st
}

func (s *statuses) get(m matter.MemberID, now time.Time) status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.all[m]
	if st.until != 0 && st.until <= now.UnixMilli() {
		delete(s.all, m)
		return status{}
	}
	return st
}

func (s *session) setStatus(m *pb.SetStatus) (*pb.HubFrame, error) {
	member, ok := s.hub.org.member(s.device)
	if !ok {
		return nil, refuse(wire.CodeRevoked)
	}
	if u := m.GetUntilMs(); u != 0 && time.UnixMilli(u).Sub(s.hub.opts.now()) > maxStatus {
		return nil, refuse(wire.CodeMalformed)
	}
	s.hub.statuses.set(member.ID, status{m.GetStatus(), m.GetUntilMs()})
	return done(), nil
}

// pullPresence answers with the presence of everybody in a matter in which the device is:
// the judgement of a message for which there is no exception. Who breaks through is not
// told.
func (s *session) pullPresence(m *pb.PullPresence) (*pb.HubFrame, error) {
	ctx, id, h := context.Background(), matter.ID(m.GetMatter()), s.hub
	nos, err := h.db.DevicesIn(ctx, id)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(nos, s.no) {
		return nil, refuse(wire.CodeNoMatter)
	}
	now := h.opts.now()
	out := &pb.Presences{}
	soonest := func(ms int64) {
		if ms != 0 && (out.NextMs == 0 || ms < out.NextMs) {
			out.NextMs = ms
		}
	}
	seen := map[matter.MemberID]bool{}
	for _, device := range h.directory.ids(nos) {
		member, ok := h.org.member(device)
		if !ok || seen[member.ID] {
			continue
		}
		seen[member.ID] = true
		st, plan := h.statuses.get(member.ID, now), h.planOf(member.ID)
		p := &pb.Presences_Presence{Member: member.ID[:], Status: st.what, StatusUntilMs: st.until}
		if v := plan.Judge(dnd.Message{}, now); v.Action != dnd.Notify {
			p.Quiet = true
			if v.Action == dnd.Hold {
				p.QuietUntilMs = v.Until.UnixMilli()
			}
		}
		if zone := plan.Location().String(); zone != "UTC" || p.Quiet {
			p.Zone = zone
		}
		if next, ok := plan.Next(dnd.Message{}, now); ok {
			soonest(next.UnixMilli())
		}
		soonest(st.until)
		out.Members = append(out.Members, p)
	}
	return &pb.HubFrame{Body: &pb.HubFrame_Presences{Presences: out}}, nil
}

// Policies of urgent messages, and what holds without them.
const (
	urgentBudgetPolicy = "urgent.budget"
	urgentGuestsPolicy = "urgent.guests"
	urgentBudget       = 2
	mostUrgent         = 100
)

// urgentBudget returns how many urgent messages a member may send in a day.
func (h *Hub) urgentBudget(role matter.Role) int {
	if (role == matter.RoleGuest || role == matter.RoleBot) && h.org.policy(urgentGuestsPolicy) != "yes" {
		return 0
	}
	if n, err := strconv.Atoi(h.org.policy(urgentBudgetPolicy)); err == nil && n >= 0 {
		return min(n, mostUrgent)
	}
	return urgentBudget
}

// countUrgent refuses an urgent message over its sender's budget, and notes it else.
func (b *batch) countUrgent(s *session, counter uint64, timeMS int64) error {
	member, ok := b.hub.org.member(s.device)
	if !ok {
		return refuse(wire.CodeRevoked)
	}
	after := timeMS - urgentDay.Milliseconds()
	n, err := b.tx.CountUrgent(member.ID, after)
	if err != nil {
		return err
	}
	if n >= b.hub.urgentBudget(member.Role) {
		return refuse(wire.CodeUrgentBudget)
	}
	return b.tx.AddUrgent(member.ID, s.no, counter, timeMS, after)
}
