package hub

import (
	"context"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// asideTime is how long either side may take for a request that is not a device's.
const asideTime = 5 * time.Second

// An aside serves what is not for devices: the operator's questions. It is safe for
// concurrent use.
type aside struct {
	mu      sync.Mutex
	closed  bool
	servers []*http.Server
	done    sync.WaitGroup
}

// serve serves from a listener until close; it owns the listener.
func (a *aside) serve(l net.Listener, handler http.Handler, errorLog *log.Logger) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		_ = l.Close() // nothing was served
		return
	}
	s := &http.Server{Handler: handler, ReadTimeout: asideTime, WriteTimeout: 4 * asideTime, MaxHeaderBytes: 8 << 10, ErrorLog: errorLog}
	a.servers = append(a.servers, s)
	a.done.Go(func() { _ = s.Serve(l) }) // it ends by close
}

// close lets the requests under way end, and waits for them.
func (a *aside) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for _, s := range a.servers {
		ctx, cancel := context.WithTimeout(context.Background(), asideTime)
		if s.Shutdown(ctx) != nil {
			_ = s.Close() // it was asked politely
		}
		cancel()
	}
	a.done.Wait()
}
