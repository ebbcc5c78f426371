package hub

import (
	"net"
	"testing"
	"time"
)

// Who waits for the hub is not cut for being silent.
func TestWaitingIsNotSilence(t *testing.T) {
	h := &Hub{opts: Defaults(), requests: make(turnstile, 1)}
	near, far := net.Pipe()
	defer func() { _ = far.Close() }()
	s := &session{hub: h, cork: &cork{Conn: near}}
	s.room.L = &s.mu
	leave := h.requests.enter()
	through := make(chan func())
	go func() { through <- s.await(h.requests) }()
	for !s.waiting.Load() {
		time.Sleep(time.Millisecond)
	}
	h.check(s, time.Hour)
	h.goroutines.Wait()
	if s.ended {
		t.Fatal("it was cut while it waited")
	}
	leave()
	(<-through)()
	h.check(s, time.Hour)
	h.goroutines.Wait()
	if !s.ended {
		t.Error("it is silent and was not cut")
	}
}
