package hub

import (
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"causa/hub/db"
	"causa/hub/vault"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

const (
	// maxQueued is how many bytes may wait for a slow reader before pushes are left
	// out. Its own answers may exceed it by one: nothing more is read from it then.
	maxQueued = 1 << 20
	// maxInFlight is how many of a connection's requests may be with the writer.
	maxInFlight = 128
	// maxBehind is in how many matters a connection may lag before it is closed.
	maxBehind = 4096
)

// A session is one connection. The goroutine that reads is there all the time; the one
// that writes exists only while there is something to write.
type session struct {
	hub  *Hub
	ws   *websocket.Conn
	cork *cork

	// Set by signing in, before the session is known to anyone else.
	device   matter.DeviceID
	no       db.DeviceNo       // 0 for the holder of an invite
	invite   ed25519.PublicKey // nil for a device
	founding bool              // invite is the founding key
	limits   *limits
	slot     *vault.Slot // of a locked device, else nil
	nonce    [32]byte    // the challenge

	turn func() // belongs to the goroutine that reads: ends the turn of the large request at hand

	asked uint64 // belongs to the goroutine that reads: the last request about the vault

	enrolled atomic.Bool   // the holder of the invite has used it
	fence    atomic.Uint64 // the session's number among the device's; 0: none yet. Only the writer sets it
	welcomed atomic.Uint64 // the newest welcome of another hub's that the device was told of

	sleeping atomic.Bool // pages are left out until it wakes

	pinging atomic.Bool
	waiting atomic.Bool  // for its turn: it can give no sign of life
	seen    atomic.Int64 // when the peer last gave a sign of life, in nanoseconds since the hub was started

	mu       sync.Mutex
	room     sync.Cond // on mu: the queue shrank, a request came back, or it is closed
	queue    []item
	queued   int // bytes in queue
	inFlight int
	writing  bool // the writing goroutine is there
	behind   map[db.MatterNo]position
	logNext  uint64 // when not 0, log pages were left out up to here
	poke     bool   // welcomes were left out
	closing  websocket.StatusCode
	ended    bool
}

// An item is an encoded frame on its way to the peer. It may be shared: nobody
// changes it.
type item struct {
	frame   []byte
	matter  db.MatterNo // for pages: consecutive ones of a matter are put together
	entries int
	ack     bool   // tells of something that the hub has done: not dropped when the session fails
	sent    func() // called once it is written or dropped, if not nil
}

// release tells of items that they are written or dropped.
func release(items []item) {
	for _, it := range items {
		if it.sent != nil {
			it.sent()
		}
	}
}

// A position is where a matter stands, for telling a device that lags.
type position struct {
	id   matter.ID
	head uint64
}

// limits are a device's token buckets; they outlive its connections.
type limits struct {
	sends, commits, claims, requests *bucket

	transfers atomic.Int32 // of blobs, under way
}

// touch notes a sign of life.
func (s *session) touch() { s.seen.Store(int64(s.hub.up())) }

// up is how long the hub has been running. Setting the clock does not change it.
func (h *Hub) up() time.Duration { return h.opts.now().Sub(h.started) }

// answer queues the answer to a request.
func (s *session) answer(request uint64, f *pb.HubFrame) { s.queueAnswer(request, f, false) }

// acknowledge queues the answer to a request that the writer has carried out.
func (s *session) acknowledge(request uint64, f *pb.HubFrame) { s.queueAnswer(request, f, true) }

func (s *session) queueAnswer(request uint64, f *pb.HubFrame, ack bool) {
	s.enqueueAnswer(item{frame: s.encodeAnswer(request, f), ack: ack})
}

func (s *session) encodeAnswer(request uint64, f *pb.HubFrame) []byte {
	f.Request = request
	if failure := f.GetFailure(); failure != nil {
		addCode(&s.hub.counters.refusals, failure.GetCode())
	}
	b, err := wire.EncodeHub(f)
	if err != nil {
		s.hub.log.Error("encode answer", "err", err)
		return encodeFailure(request, &pb.Failure{Code: uint32(wire.CodeInternal)})
	}
	return b
}

func (s *session) enqueueAnswer(it item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing != 0 {
		release([]item{it})
		return
	}
	s.enqueue(it)
}

// pushPage queues a page of a matter. When there is no room the page is left out and
// the device told, once there is, how far the matter has come meanwhile.
func (s *session) pushPage(it item, pos position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing != 0 {
		return
	}
	_, lagging := s.behind[it.matter]
	if !lagging && s.queued+len(it.frame) <= maxQueued && !s.sleeping.Load() {
		s.hub.counters.pushed.Add(1)
		s.enqueue(it)
		return
	}
	s.hub.counters.leftOut.Add(1)
	if s.behind == nil {
		s.behind = map[db.MatterNo]position{}
	}
	s.behind[it.matter] = pos
	if len(s.behind) > maxBehind {
		s.failLocked(wire.CodeBusy)
	}
}

// pushLog queues a page of the organisation log, or notes that it was left out.
func (s *session) pushLog(frame []byte, next uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing != 0:
	case s.logNext == 0 && s.queued+len(frame) <= maxQueued:
		s.enqueue(item{frame: frame})
	default:
		s.logNext = next
	}
}

// pushWelcome queues a welcome, or notes that one was left out.
func (s *session) pushWelcome(frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing != 0:
	case !s.poke && s.queued+len(frame) <= maxQueued:
		s.enqueue(item{frame: frame})
	default:
		s.poke = true
	}
}

// pushWake tells a sleeping device that something waits.
func (s *session) pushWake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing == 0 && s.queued <= maxQueued {
		s.enqueueFrame(&pb.HubFrame{Body: &pb.HubFrame_Wake{Wake: &pb.Wake{}}})
	}
}

// enqueue adds to the queue and sees to it that someone writes. s.mu is held.
func (s *session) enqueue(it item) {
	s.queue = append(s.queue, it)
	s.queued += len(it.frame)
	if !s.writing {
		s.writing = true
		s.hub.goroutines.Go(s.write)
	}
}

// fail ends the session: what waits is dropped but for acknowledgements, the peer told
// why and the connection closed.
func (s *session) fail(code wire.Code) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failLocked(code)
}

func (s *session) failLocked(code wire.Code) {
	if s.closing != 0 {
		return
	}
	addCode(&s.hub.counters.ended, uint32(code))
	s.queue = slices.DeleteFunc(s.queue, func(it item) bool {
		if !it.ack {
			release([]item{it})
		}
		return !it.ack
	})
	s.behind = nil
	s.enqueue(item{frame: encodeFailure(0, &pb.Failure{Code: uint32(code)})})
	s.closing = closeStatus(code)
	s.room.Broadcast()
}

// part ends the session once what is queued has been written.
func (s *session) part(status websocket.StatusCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing != 0 {
		return
	}
	s.closing = status
	if !s.writing { // else the one who writes will see it
		s.writing = true
		s.hub.goroutines.Go(s.write)
	}
	s.room.Broadcast()
}

// closeStatus is the WebSocket status for a session that ends with a code of ours.
func closeStatus(code wire.Code) websocket.StatusCode { return websocket.StatusCode(4000 + code) }

// cut ends the session at once.
func (s *session) cut() {
	s.mu.Lock()
	if s.closing == 0 {
		s.closing = websocket.StatusAbnormalClosure
	}
	s.ended = true
	release(s.queue)
	s.queue, s.queued, s.behind = nil, 0, nil
	s.room.Broadcast()
	s.mu.Unlock()
	_ = s.cork.Conn.Close() // this is the end either way
}

// write writes what is queued until nothing is left.
func (s *session) write() {
	for {
		s.mu.Lock()
		s.catchUpLocked()
		queue := s.queue
		s.queue = nil
		if len(queue) == 0 {
			s.writing = false
			s.room.Broadcast() // drain waits for this
			closing, ended := s.closing, s.ended
			s.mu.Unlock()
			if closing != 0 && !ended {
				_ = s.ws.Close(closing, "") // this is the end either way
				s.cut()
			}
			return
		}
		s.mu.Unlock()
		n, err := s.writeAll(queue)
		s.hub.counters.sent.Add(uint64(n))
		release(queue)
		if err != nil {
			s.cut()
			return
		}
		s.mu.Lock()
		s.queued = max(0, s.queued-n)
		s.room.Broadcast()
		s.mu.Unlock()
	}
}

// writeAll writes a queue's frames, several in one go, and returns their bytes.
func (s *session) writeAll(queue []item) (n int, err error) {
	s.cork.push()
	for len(queue) > 0 {
		frame, taken := merge(queue)
		queue = queue[taken:]
		n += len(frame)
		if err := s.ws.Write(context.Background(), websocket.MessageBinary, frame); err != nil {
			return n, errors.Join(err, s.cork.pull())
		}
	}
	return n, s.cork.pull()
}

// merge puts the first pages of a queue together when they are of one matter. Two
// encodings of a protobuf message, one after the other, are the encoding of both in
// one: lists grow and the later head counts.
func merge(queue []item) (frame []byte, taken int) {
	first := queue[0]
	size, entries := len(first.frame), first.entries
	taken = 1
	for _, it := range queue[1:] {
		if first.matter == 0 || it.matter != first.matter ||
			size+len(it.frame) > wire.MaxPageBytes || entries+it.entries > wire.MaxPageEntries {
			break
		}
		size += len(it.frame)
		entries += it.entries
		taken++
	}
	if taken == 1 {
		return first.frame, 1
	}
	frame = make([]byte, 0, size)
	for _, it := range queue[:taken] {
		frame = append(frame, it.frame...)
	}
	return frame, taken
}

// catchUpLocked tells the device what was left out, once all that was queued before is
// on its way. s.mu is held.
func (s *session) catchUpLocked() {
	if len(s.queue) > 0 || s.closing != 0 || s.sleeping.Load() {
		return
	}
	if s.logNext != 0 {
		s.enqueueFrame(&pb.HubFrame{Body: &pb.HubFrame_LogPage{LogPage: &pb.LogPage{From: s.logNext, Next: s.logNext}}})
		s.logNext = 0
	}
	if s.poke {
		s.enqueueFrame(&pb.HubFrame{Body: &pb.HubFrame_Welcomes{Welcomes: &pb.Welcomes{}}})
		s.poke = false
	}
	for _, pos := range s.behind {
		s.enqueueFrame(&pb.HubFrame{Body: &pb.HubFrame_MatterPage{MatterPage: &pb.MatterPage{Matter: pos.id[:], Head: pos.head}}})
	}
	s.behind = nil
}

func (s *session) enqueueFrame(f *pb.HubFrame) {
	b, err := wire.EncodeHub(f)
	if err != nil {
		s.hub.log.Error("encode push", "err", err)
		return
	}
	s.enqueue(item{frame: b})
}

// begin waits until the peer may ask for something more. It returns false when the
// session has ended.
func (s *session) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.closing == 0 && (s.inFlight >= maxInFlight || s.queued > maxQueued) {
		s.room.Wait()
	}
	return s.closing == 0
}

// sent and returned count the requests that are with the writer.
func (s *session) sent() {
	s.mu.Lock()
	s.inFlight++
	s.mu.Unlock()
}

func (s *session) returned() {
	s.mu.Lock()
	s.inFlight--
	s.room.Broadcast()
	s.mu.Unlock()
}

func encodeFailure(request uint64, f *pb.Failure) []byte {
	b, err := wire.EncodeHub(&pb.HubFrame{Request: request, Body: &pb.HubFrame_Failure{Failure: f}})
	if err != nil {
		panic(err) // a few numbers always fit
	}
	return b
}
