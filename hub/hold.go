package hub

import (
	"container/heap"
	"context"
	"slices"
	"sync"
	"time"

	"causa/dnd"
	"causa/hub/db"
	"causa/matter"
	"causa/wire/pb"
)

const (
	maxHeld      = 64               // wake-ups held for one member; what is more counts as one for any message
	releaseChunk = 256              // members released in one step
	storeChunk   = 100              // wake-ups in one transaction, so that messages don't wait long
	longestHold  = 30 * time.Second // the clock may be set, or the machine sleep
)

// holds keep wake-ups back until quiet hours end. One goroutine ([holds.run]) judges, in
// the order in which things come in; what it holds is in the database, too.
type holds struct {
	hub   *Hub
	nudge chan struct{}

	mu       sync.Mutex // a leaf; guards what follows
	arrivals []arrival
	edited   map[matter.MemberID]bool // whose rules changed; zero: everybody's
	told     []db.HeldWake            // whose devices were woken: to be forgotten

	// Run's own.
	held      map[matter.MemberID][]db.HeldWake
	due       dueHeap
	refreshed time.Time
}

// An arrival is a message that may wake devices.
type arrival struct {
	matter  matter.ID
	sender  matter.DeviceID
	urgent  bool
	devices []db.DeviceNo
}

func newHolds(h *Hub) *holds {
	return &holds{hub: h, nudge: make(chan struct{}, 1), edited: map[matter.MemberID]bool{}, held: map[matter.MemberID][]db.HeldWake{}}
}

// put takes over what is held; before run, or by it.
func (x *holds) put(w db.HeldWake) {
	x.held[w.Member] = append(x.held[w.Member], w)
	heap.Push(&x.due, dueMember{w.Until, w.Member})
}

func (x *holds) wake() {
	select {
	case x.nudge <- struct{}{}:
	default:
	}
}

// arrived takes note of new messages of a matter.
func (x *holds) arrived(seg *segment) {
	if x.hub.waker.nobody() {
		return
	}
	var all []arrival
	for _, e := range seg.entries {
		if e.GetKind() == pb.EntryKind_ENTRY_KIND_CONTENT {
			all = append(all, arrival{seg.id, matter.DeviceID(e.GetSender()), seg.urgent[e.GetSeq()], seg.devices})
		}
	}
	if len(all) == 0 {
		return
	}
	x.mu.Lock()
	x.arrivals = append(x.arrivals, all...)
	x.mu.Unlock()
	x.wake()
}

// changed has what is held for a member judged again; zero: for everybody.
func (x *holds) changed(m matter.MemberID) {
	x.mu.Lock()
	x.edited[m] = true
	x.mu.Unlock()
	x.wake()
}

// run judges what comes in and releases what is due, until ctx ends; then it keeps what
// has come in.
func (x *holds) run(ctx context.Context) {
	for {
		if x.hub.db.Shared() {
			x.refresh(ctx)
		}
		next := x.step(ctx)
		nap := longestHold
		if next > 0 {
			nap = min(nap, max(time.Unix(next, 0).Sub(x.hub.opts.now()), time.Millisecond))
		}
		t := time.NewTimer(nap)
		select {
		case <-ctx.Done():
			t.Stop()
			x.step(ctx)
			return
		case <-t.C:
		case <-x.nudge:
			t.Stop()
		}
	}
}

// refresh takes over what devices have told other hubs on the same database.
func (x *holds) refresh(ctx context.Context) {
	if time.Since(x.refreshed) < longestHold {
		return
	}
	x.refreshed = time.Now()
	var edited []matter.MemberID
	err := x.hub.db.AllQuiet(ctx, func(q db.Quiet) {
		if x.hub.quiet.set(q.Member, q.Rules) {
			edited = append(edited, q.Member)
		}
	})
	var endpoints map[db.DeviceNo]string
	if err == nil {
		endpoints, err = x.hub.db.Endpoints(ctx)
	}
	if err != nil {
		if ctx.Err() == nil {
			x.hub.log.Warn("quiet hours of other hubs can't be read", "err", err)
		}
		return
	}
	x.hub.waker.setEndpoints(endpoints)
	for _, m := range edited {
		x.changed(m)
	}
}

// step does what there is to do and returns when something will be due; 0: never.
func (x *holds) step(ctx context.Context) (next int64) {
	x.mu.Lock()
	arrivals, edited, told := x.arrivals, x.edited, x.told
	x.arrivals, x.edited, x.told = nil, map[matter.MemberID]bool{}, nil
	x.mu.Unlock()
	now := x.hub.opts.now()
	var hold []db.HeldWake
	for _, a := range arrivals {
		hold = append(hold, x.judge(a, now)...)
	}
	if edited[matter.MemberID{}] {
		for m := range x.held {
			edited[m] = true
		}
	}
	for m := range edited {
		for _, w := range x.held[m] {
			heap.Push(&x.due, dueMember{now.Unix(), w.Member}) // to be looked at below
			break
		}
	}
	x.store(unique1(hold), told)
	for ctx.Err() == nil {
		members := x.pop(now.Unix())
		if len(members) == 0 {
			break
		}
		x.release(members, now)
	}
	if len(x.due) == 0 {
		return 0
	}
	return x.due[0].until
}

// judge wakes whom a message may interrupt now, and returns what is to be held.
func (x *holds) judge(a arrival, now time.Time) (hold []db.HeldWake) {
	h := x.hub
	sender, ok := h.org.member(a.sender)
	if !ok {
		return nil
	}
	seen := map[matter.MemberID]dnd.Verdict{}
	for _, no := range a.devices {
		if !h.waker.asleep(no) {
			continue
		}
		id := h.directory.ids([]db.DeviceNo{no})[0]
		member, ok := h.org.member(id)
		if !ok || member.ID == sender.ID || !h.org.active(id) {
			continue
		}
		v, judged := seen[member.ID]
		if !judged {
			v = h.planOf(member.ID).Judge(message(db.HeldWake{Matter: a.matter, Sender: sender.ID, Urgent: a.urgent}), now)
			seen[member.ID] = v
			if v.Action == dnd.Hold {
				w := db.HeldWake{Member: member.ID, Matter: a.matter, Sender: sender.ID, Urgent: a.urgent, Until: v.Until.Unix()}
				if w, fresh := x.add(w); fresh {
					hold = append(hold, w)
				}
			}
		}
		if v.Action == dnd.Notify {
			h.waker.wake(no, nil)
		}
	}
	return hold
}

// message is what a judgement needs to know of a wake-up.
func message(w db.HeldWake) dnd.Message {
	m := dnd.Message{Matter: w.Matter, Sender: w.Sender}
	if w.Urgent {
		m.Urgency = dnd.Urgent
	}
	return m
}

// add holds a wake-up, and reports whether that is news.
func (x *holds) add(w db.HeldWake) (db.HeldWake, bool) {
	all := x.held[w.Member]
	if len(all) >= maxHeld {
		w.Matter, w.Sender, w.Urgent = matter.ID{}, matter.MemberID{}, false
		if v := x.hub.planOf(w.Member).Judge(dnd.Message{}, x.hub.opts.now()); v.Action == dnd.Hold {
			w.Until = min(w.Until, v.Until.Unix())
		}
	}
	for i := range all {
		if sameWake(all[i], w) {
			if all[i].Until == w.Until {
				return w, false
			}
			all[i].Until = w.Until
			heap.Push(&x.due, dueMember{w.Until, w.Member})
			return w, true
		}
	}
	x.put(w)
	return w, true
}

func sameWake(a, b db.HeldWake) bool {
	a.Until, b.Until = 0, 0
	return a == b
}

// unique1 keeps the last of each wake-up: one statement can't write a row twice.
func unique1(all []db.HeldWake) []db.HeldWake {
	last := map[db.HeldWake]int{}
	var out []db.HeldWake
	for _, w := range all {
		key := w
		key.Until = 0
		if i, ok := last[key]; ok {
			out[i] = w
			continue
		}
		last[key] = len(out)
		out = append(out, w)
	}
	return out
}

// store has the writer keep and forget wake-ups, in small steps between what devices ask
// for. What can't be stored is still known here.
func (x *holds) store(hold, drop []db.HeldWake) {
	for chunk := range slices.Chunk(drop, storeChunk) {
		x.storeChunk(nil, chunk)
	}
	for chunk := range slices.Chunk(hold, storeChunk) {
		x.storeChunk(chunk, nil)
	}
}

func (x *holds) storeChunk(hold, drop []db.HeldWake) {
	answered := make(chan *pb.HubFrame, 1)
	x.hub.writer.in <- &request{
		size: 64 * (len(hold) + len(drop)),
		do: func(b *batch) (*pb.HubFrame, error) {
			if err := b.tx.DropWakes(drop); err != nil {
				return nil, err
			}
			return done(), b.tx.HoldWakes(hold)
		},
		done: func(answer *pb.HubFrame) { answered <- answer },
	}
	if f := (<-answered).GetFailure(); f != nil {
		x.hub.log.Warn("held wake-ups are not stored", "code", f.GetCode())
	}
}

// pop returns members for whom something is due.
func (x *holds) pop(now int64) (members []matter.MemberID) {
	for len(x.due) > 0 && x.due[0].until <= now && len(members) < releaseChunk {
		d, _ := heap.Pop(&x.due).(dueMember)
		if len(x.held[d.member]) > 0 && (len(members) == 0 || members[len(members)-1] != d.member) {
			members = append(members, d.member)
		}
	}
	return members
}

// release judges what is held for members again: wakes their devices, holds on, or lets go.
func (x *holds) release(members []matter.MemberID, now time.Time) {
	var hold, drop []db.HeldWake
	for _, m := range members {
		plan := x.hub.planOf(m)
		var free []db.HeldWake
		wake := false
		kept := x.held[m][:0]
		for _, w := range x.held[m] {
			switch v := plan.Judge(message(w), now); {
			case v.Action == dnd.Hold && v.Until.Unix() == w.Until:
				kept = append(kept, w)
			case v.Action == dnd.Hold:
				w.Until = v.Until.Unix()
				kept, hold = append(kept, w), append(hold, w)
			default:
				wake = wake || v.Action == dnd.Notify
				free = append(free, w)
			}
		}
		if x.held[m] = kept; len(kept) == 0 {
			delete(x.held, m)
		}
		for _, w := range kept {
			heap.Push(&x.due, dueMember{w.Until, m})
		}
		if !wake {
			drop = append(drop, free...)
			continue
		}
		x.tell(m, free)
	}
	x.store(hold, drop)
}

// tell wakes a member's devices. What was held for them is forgotten when each was tried
// once: a hub that dies before wakes them again.
func (x *holds) tell(m matter.MemberID, held []db.HeldWake) {
	devices := x.hub.devicesOf(m)
	left := len(devices)
	var mu sync.Mutex
	forget := func() {
		mu.Lock()
		left--
		last := left <= 0
		mu.Unlock()
		if last {
			x.mu.Lock()
			x.told = append(x.told, held...)
			x.mu.Unlock()
			x.wake()
		}
	}
	if len(devices) == 0 {
		left = 1
		forget()
	}
	for _, no := range devices {
		x.hub.waker.wake(no, forget)
	}
}

// devicesOf returns the numbers of a member's active devices.
func (h *Hub) devicesOf(m matter.MemberID) (nos []db.DeviceNo) {
	for _, id := range h.org.activeOf(m) {
		if no, ok := h.directory.no(id); ok {
			nos = append(nos, no)
		}
	}
	return nos
}

// activeOf returns a member's active devices.
func (o *org) activeOf(m matter.MemberID) (ids []matter.DeviceID) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, d := range o.state.DevicesOf(m) {
		if o.state.ActiveDevice(d.ID) {
			ids = append(ids, d.ID)
		}
	}
	return ids
}

// A dueHeap has who is to be looked at first on top. A member may be in it several times,
// and for what is no longer held.
type dueHeap []dueMember

type dueMember struct {
	until  int64
	member matter.MemberID
}

// Len implements [heap.Interface].
func (d dueHeap) Len() int { return len(d) }

// Less implements [heap.Interface].
func (d dueHeap) Less(i, j int) bool { return d[i].until < d[j].until }

// Swap implements [heap.Interface].
func (d dueHeap) Swap(i, j int) { d[i], d[j] = d[j], d[i] }

// Push implements [heap.Interface].
func (d *dueHeap) Push(x any) {
	if m, ok := x.(dueMember); ok {
		*d = append(*d, m)
	}
}

// Pop implements [heap.Interface].
func (d *dueHeap) Pop() any {
	last := len(*d) - 1
	m := (*d)[last]
	*d = (*d)[:last]
	return m
}
