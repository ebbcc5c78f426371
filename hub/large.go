package hub

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/coder/websocket"

	"causa/wire"
	"causa/wire/pb"
)

// Frames of large matters have megabytes. So that they can't take the memory that
// everybody needs, only so many may be on their way at once; the others wait.
const (
	largeRequest = wire.MaxPayload + 32<<10 // what a request may have without counting as large
	largeAnswer  = maxQueued + 256<<10      // what an answer may have
	maxRequests  = 8                        // large requests from their reception until they are answered
	maxAnswers   = 24                       // large answers from being read until they are sent
	largeTime    = 5 * time.Minute          // how long the peer may take to send a large request
)

// A turnstile lets so many through at once, in the order in which they came.
type turnstile chan struct{}

// enter waits for its turn; leave must be called once.
func (t turnstile) enter() (leave func()) {
	t <- struct{}{}
	return func() { <-t }
}

// await waits for the peer's turn. Meanwhile nothing is read from it, no sign of life
// either: that is not the peer's fault.
func (s *session) await(t turnstile) (leave func()) {
	s.waiting.Store(true)
	leave = t.enter()
	s.touch()
	s.waiting.Store(false)
	return leave
}

// receive reads one message. A large one waits for its turn, while its peer has to;
// then s.turn is to be left when the request is answered.
func (s *session) receive() (websocket.MessageType, []byte, error) {
	typ, r, err := s.ws.Reader(context.Background())
	if err != nil {
		return 0, nil, err
	}
	b, over, err := s.gather(r, make([]byte, 0, 512), largeRequest)
	if err != nil || over {
		return typ, b, err
	}
	s.turn = s.await(s.hub.requests)
	late := time.AfterFunc(largeTime, s.cut)
	defer late.Stop()
	for limit := 2 * largeRequest; !over && err == nil; limit += largeRequest {
		b, over, err = s.gather(r, b, limit)
	}
	return typ, b, err
}

// gather reads on until a message is over or has more than limit bytes.
func (s *session) gather(r io.Reader, b []byte, limit int) (_ []byte, over bool, err error) {
	before := len(b)
	for len(b) <= limit && err == nil {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		var n int
		n, err = r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
	}
	s.touch() // it may be slow, but is not silent
	s.hub.counters.received.Add(uint64(len(b) - before))
	if errors.Is(err, io.EOF) {
		return b, true, nil
	}
	return b, false, err
}

// leaveTurn ends the turn of a large request that the writer has nothing to do with.
func (s *session) leaveTurn() {
	if s.turn != nil {
		s.turn()
		s.turn = nil
	}
}

// answerRead queues what a reading request found. When that is large it is dropped, and
// read again once it is its turn: nobody holds it while waiting.
func (s *session) answerRead(f *pb.ClientFrame, answer *pb.HubFrame) {
	b := s.encodeAnswer(f.GetRequest(), answer)
	if len(b) <= largeAnswer {
		s.enqueueAnswer(item{frame: b})
		return
	}
	leave := s.await(s.hub.answers)
	again, err := s.handle(f)
	if err != nil {
		again = failed(s.hub.failureOf(err))
	}
	s.enqueueAnswer(item{frame: s.encodeAnswer(f.GetRequest(), again), sent: leave})
}
