package hub

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"causa/hub/db"
	"causa/matter"
	"causa/orglog"
	"causa/wire"
	"causa/wire/pb"
)

const (
	maxBatch      = 512     // requests in one transaction ...
	maxBatchBytes = 8 << 20 // ... and their bytes, about
	writerQueue   = 4096    // requests that wait for the writer
)

// A request is something that changes what the hub keeps, on its way to the writer.
type request struct {
	s    *session // nil for the hub's own
	id   uint64
	size int
	// do decides and writes. A *refusal is the peer's concern and must come before
	// anything was written; any other error undoes the whole batch, and do may then
	// be called again in a batch of its own. It changes nothing but the batch.
	do func(b *batch) (*pb.HubFrame, error)
	// matter is the one that do decides about, if any.
	matter *matter.ID
	// alone ends the batch: what comes after must see its effect on the organisation.
	alone bool
	// signIn makes s its device's newest session.
	signIn bool
	// done is called with the answer when it is queued, if not nil. The answer is nil
	// when a newer session has fenced this one off.
	done func(answer *pb.HubFrame)
	// turn ends the turn of a large request, if not nil.
	turn func()

	answer *pb.HubFrame
	fenced bool // a newer session spoke for the device already
}

// A writer carries requests out, one batch after the other, each in one transaction,
// and answers only what is on the disk. One goroutine writes (run) and one answers and
// distributes (deliver) while the next batch is being written.
//
// All its state belongs to the goroutine that writes.
type writer struct {
	hub   *Hub
	in    chan *request
	out   chan *batch
	cache *cache
}

func newWriter(h *Hub) *writer {
	return &writer{hub: h, in: make(chan *request, writerQueue), out: make(chan *batch, 16), cache: newCache()}
}

// run writes until in is closed.
func (w *writer) run() {
	defer close(w.out)
	for r := range w.in {
		w.write(w.gather(r))
	}
}

// gather takes what has come in while the last batch was written.
func (w *writer) gather(first *request) []*request {
	reqs, size := []*request{first}, first.size
	for len(reqs) < maxBatch && size < maxBatchBytes && !reqs[len(reqs)-1].alone {
		select {
		case r, ok := <-w.in:
			if !ok {
				return reqs
			}
			reqs = append(reqs, r)
			size += r.size
		default:
			return reqs
		}
	}
	return reqs
}

// write carries a batch out. When the database refuses it, each request is tried by
// itself, so that none spoils the others.
func (w *writer) write(reqs []*request) {
	b, err := w.try(reqs)
	switch {
	case err == nil:
		w.cache.publish(b)
		if len(b.dirty) > 0 && w.hub.full.CompareAndSwap(true, false) {
			w.hub.log.Info("there is room on the disk again")
		}
		if b.appended != nil {
			b.ended = w.hub.applied(b)
		}
		w.out <- b
	case len(reqs) > 1 && !errors.Is(err, db.ErrGone):
		w.out <- &batch{hub: w.hub, grown: b.grown}
		for _, r := range reqs {
			w.write([]*request{r})
		}
	default:
		failure := w.hub.failureOf(err)
		for _, r := range reqs {
			r.answer, r.fenced = failed(failure), false
		}
		w.out <- &batch{hub: w.hub, requests: reqs, grown: b.grown}
	}
}

const (
	maxConflicts = 20                    // how often a batch is tried again when other hubs are faster
	retryWait    = 20 * time.Millisecond // between tries, at first
	holdTime     = 3 * time.Second       // how long requests are held back when the database is gone
)

// try runs a batch in a transaction. When another hub was faster it tries again; when
// the database is gone, also: every request can tell whether it was carried out before.
// But once it has been gone for long, requests are refused at once.
func (w *writer) try(reqs []*request) (b *batch, err error) {
	began := time.Now()
	var grown []growth
	for n := 1; ; n++ {
		b = &batch{hub: w.hub, cache: w.cache, requests: reqs}
		tried := time.Now()
		err = w.hub.db.Write(context.Background(), b.apply)
		grown = append(grown, b.grown...)
		b.grown = grown
		switch {
		case err == nil:
			b.count(time.Since(tried))
			w.hub.back()
			return b, nil
		case errors.Is(err, db.ErrConflict) && n < maxConflicts:
			w.hub.counters.conflicts.Add(1)
			time.Sleep(rand.N(retryWait)) // so that they don't meet again
		case errors.Is(err, db.ErrGone) && !w.hub.gone.Load() && time.Since(began) < holdTime:
			time.Sleep(retryWait << min(n, 4))
		default:
			return b, err
		}
	}
}

// count counts what a committed batch has done.
func (b *batch) count(took time.Duration) {
	c := &b.hub.counters
	c.batches.observe(took)
	c.batchRequests.Add(uint64(len(b.requests)))
	for _, p := range b.pages {
		for _, e := range p.entries {
			if e.GetKind() == pb.EntryKind_ENTRY_KIND_COMMIT {
				c.commits.Add(1)
			} else {
				c.content.Add(1)
			}
		}
	}
}

// deliver answers and distributes what is on the disk, in order.
func (w *writer) deliver() {
	for b := range w.out {
		b.deliver()
	}
}

func failed(f *pb.Failure) *pb.HubFrame {
	return &pb.HubFrame{Body: &pb.HubFrame_Failure{Failure: f}}
}

// A batch is one transaction: what its requests change, before it is committed.
type batch struct {
	hub      *Hub
	tx       *db.Tx
	cache    *cache
	requests []*request

	matters  map[matter.ID]*matterState // as this batch leaves them
	dirty    []*matterState             // of those, the ones to store
	counters map[db.DeviceNo]uint64
	fences   map[db.DeviceNo]uint64
	seats    map[db.DeviceNo]db.Seat // in a shared database: how the devices stand in it
	appended *orglog.Entry
	enrolled db.DeviceNo // the device that the appended entry brought

	grown []growth // what other hubs have appended to the log: it is there, whatever becomes of the batch

	// What happens once it is committed.
	pages     []*segment
	open      map[db.MatterNo]*segment // of pages, those that can take another entry
	welcomes  []welcomePush
	recovered []recovered
	logFrame  []byte
	signedIn  []*session
	ended     []matter.DeviceID // devices that the appended entry ended
}

// apply runs the requests inside a transaction and stores what they leave.
func (b *batch) apply(tx *db.Tx) error {
	b.tx = tx
	b.matters = map[matter.ID]*matterState{}
	b.open = map[db.MatterNo]*segment{}
	b.counters = map[db.DeviceNo]uint64{}
	b.fences = map[db.DeviceNo]uint64{}
	if err := b.lock(); err != nil {
		return err
	}
	for _, r := range b.requests {
		var err error
		if r.fenced = r.s != nil && !r.signIn && r.s.no != 0 && r.s.fence.Load() != b.fence(r.s.no); r.fenced {
			r.answer = nil
			continue
		}
		r.answer, err = r.do(b)
		if refused, ok := errors.AsType[*refusal](err); ok {
			r.answer = failed(refused.failure)
		} else if err != nil {
			return err
		}
	}
	moved := make([]*db.Matter, len(b.dirty))
	for i, m := range b.dirty {
		moved[i] = &m.Matter
	}
	if err := tx.SetMatters(moved); err != nil {
		return err
	}
	if b.hub.db.Shared() {
		if err := tx.SetSessions(b.fences); err != nil {
			return err
		}
	}
	return tx.SetCounters(b.counters)
}

// fence returns the number of the device's newest session. A request of an older
// connection that is still on its way here is fenced off: the newer one was told the
// last counter, and it must stay true.
func (b *batch) fence(no db.DeviceNo) uint64 {
	if n, ok := b.fences[no]; ok {
		return n
	}
	if b.hub.db.Shared() {
		return b.seats[no].Session
	}
	return b.cache.fences[no]
}

// counter returns the last counter taken from a device.
func (b *batch) counter(s *session) (uint64, error) {
	if n, ok := b.counters[s.no]; ok {
		return n, nil
	}
	if b.hub.db.Shared() {
		return b.seats[s.no].Counter, nil
	}
	if n, ok := b.cache.counters[s.no]; ok {
		return n, nil
	}
	_, n, _, err := b.tx.Device(s.device)
	return n, err
}

// deliver answers the requests, then pushes what the batch brought about.
func (b *batch) deliver() {
	b.hub.deliverGrowth(b.grown)
	for _, s := range b.signedIn {
		b.hub.online.add(s)
	}
	for _, r := range b.requests {
		if r.s != nil && r.answer != nil {
			r.s.acknowledge(r.id, r.answer)
		}
		if r.done != nil {
			r.done(r.answer)
		}
		if r.fenced {
			r.s.fail(wire.CodeReplaced) // it may have been at another hub that it was
		}
		if r.s != nil {
			r.s.returned()
		}
	}
	for _, id := range b.ended {
		b.hub.drop(id)
	}
	if b.appended != nil {
		b.hub.deliverLog(b.logFrame, b.appended.Index+1)
	}
	for _, w := range b.welcomes {
		b.hub.deliverWelcome(w)
	}
	for _, p := range b.pages {
		b.hub.deliverPage(p)
	}
	b.hub.bus.tellBatch(b)
	for _, r := range b.recovered {
		b.hub.deliverRecovered(r)
	}
	for _, r := range b.requests {
		if r.turn != nil {
			r.turn()
		}
	}
}
