package hub

import (
	"context"
	"crypto/ed25519"
	"sync"
	"time"
	"unique"

	"causa/dnd"
	"causa/hub/db"
	"causa/matter"
	"causa/orglog"
	"causa/wire"
	"causa/wire/pb"
)

// floorPolicy is the organisation's policy that holds everybody's quiet hours.
const floorPolicy = "quiet.floor"

// maxPlans is how many compiled plans are kept. Members with the same rules share one.
const maxPlans = 4096

// quietHours judges by what members have published and by the organisation's floor. It is
// safe for concurrent use; its lock is a leaf.
type quietHours struct {
	compiler dnd.Compiler

	mu    sync.Mutex
	rules map[matter.MemberID]unique.Handle[string] // encoded, not empty
	text  string                                    // the policy that floor was made of
	floor dnd.Floor
	plans map[unique.Handle[string]]*dnd.Plan
}

// attention is what a hub does about quiet hours: whom it wakes when, and what it tells of
// whom.
type attention struct {
	quiet    *quietHours
	holds    *holds
	waker    *waker
	statuses statuses
}

// openQuiet reads what members have published, and what waits because of it.
func (h *Hub) openQuiet(ctx context.Context) error {
	q := &quietHours{rules: map[matter.MemberID]unique.Handle[string]{}, plans: map[unique.Handle[string]]*dnd.Plan{}}
	if err := h.db.AllQuiet(ctx, func(p db.Quiet) { q.set(p.Member, p.Rules) }); err != nil {
		return storeFault(err)
	}
	h.quiet = q
	h.statuses = statuses{all: map[matter.MemberID]status{}}
	endpoints, err := h.db.Endpoints(ctx)
	if err != nil {
		return storeFault(err)
	}
	h.waker = newWaker(h, endpoints)
	h.holds = newHolds(h)
	err = h.db.HeldWakes(ctx, func(w db.HeldWake) { h.holds.put(w) })
	if err != nil {
		return storeFault(err)
	}
	return nil
}

// set takes over a member's rules, and reports whether they are others than before; none
// make every hour loud.
func (q *quietHours) set(m matter.MemberID, rules []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	old, had := q.rules[m]
	if len(rules) == 0 {
		delete(q.rules, m)
		return had
	}
	q.rules[m] = unique.Make(string(rules))
	return old != q.rules[m]
}

// plan returns the plan that counts for a member under the organisation's policy. Rules or
// a floor that this program can't use are left out: they were refused when they came, so
// it is an older program than the one that took them.
func (q *quietHours) plan(m matter.MemberID, floor string) *dnd.Plan {
	q.mu.Lock()
	defer q.mu.Unlock()
	if floor != q.text {
		f, err := dnd.ParseFloor(floor)
		if err == nil {
			_, err = q.compiler.Compile(f, dnd.Rules{})
		}
		if err != nil {
			f = dnd.Floor{}
		}
		q.text, q.floor = floor, f
		clear(q.plans)
	}
	rules, ok := q.rules[m]
	if !ok {
		rules = unique.Make("")
	}
	if p := q.plans[rules]; p != nil {
		return p
	}
	var r dnd.Rules
	if ok {
		r, _ = dnd.DecodeRules([]byte(rules.Value())) // the zero value where it fails
	}
	p, err := q.compiler.Compile(q.floor, r)
	if err != nil {
		if p, err = q.compiler.Compile(q.floor, dnd.Rules{}); err != nil {
			p, _ = q.compiler.Compile(dnd.Floor{}, dnd.Rules{}) // never fails
		}
	}
	if len(q.plans) >= maxPlans {
		clear(q.plans)
	}
	q.plans[rules] = p
	return p
}

// planOf returns the plan that counts for a member now.
func (h *Hub) planOf(m matter.MemberID) *dnd.Plan { return h.quiet.plan(m, h.org.policy(floorPolicy)) }

// policy returns the value of a policy, "" when it is not set.
func (o *org) policy(name string) string {
	o.mu.RLock()
	defer o.mu.RUnlock()
	v, _ := o.state.Policy(name)
	return v
}

// member returns whose a device is.
func (o *org) member(id matter.DeviceID) (m matter.Member, ok bool) {
	_, m, _, ok = o.device(id)
	return m, ok
}

// publishQuiet checks what a member publishes and has the writer keep it.
func (s *session) publishQuiet(id uint64, m *pb.PublishQuiet) error {
	h := s.hub
	_, member, key, ok := h.org.device(s.device)
	if !ok {
		return refuse(wire.CodeRevoked)
	}
	if !ed25519.Verify(key, wire.QuietBytes(member.ID, m.GetVersion(), m.GetRules()), m.GetSignature()) {
		return refuse(wire.CodeQuiet)
	}
	if len(m.GetRules()) > 0 {
		rules, err := dnd.DecodeRules(m.GetRules())
		if err == nil {
			_, err = h.quiet.compiler.Compile(dnd.Floor{}, rules)
		}
		if err != nil {
			return refuse(wire.CodeQuiet)
		}
	}
	q := db.Quiet{Member: member.ID, Version: m.GetVersion(), Device: s.device, Rules: m.GetRules(), Signature: m.GetSignature()}
	if q.Rules == nil {
		q.Rules = []byte{}
	}
	newer := false
	s.submit(&request{
		id: id, size: len(q.Rules),
		do: func(b *batch) (*pb.HubFrame, error) {
			old, ok, err := b.tx.Quiet(q.Member)
			if err != nil {
				return nil, err
			}
			newer = !ok || q.Version > old.Version || q.Version == old.Version && string(q.Device[:]) > string(old.Device[:])
			if newer {
				err = b.tx.SetQuiet(q)
			}
			return done(), err
		},
		done: func(answer *pb.HubFrame) {
			if newer && answer.GetFailure() == nil {
				h.quiet.set(q.Member, q.Rules)
				h.holds.changed(q.Member)
			}
		},
	})
	return nil
}

// quietEntry has what is held judged again when an entry of the organisation log concerns
// it.
func (h *Hub) quietEntry(e *orglog.Entry) {
	if p, ok := e.Statement.(orglog.PolicySet); ok && p.Name == floorPolicy {
		h.holds.changed(matter.MemberID{})
	}
}

// urgentDay is the time over which urgent messages are counted.
const urgentDay = 24 * time.Hour
