package hub

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// A guard bounds what strangers can cost: how fast one address may connect, and how
// many of its connections may be there without having signed in. It is safe for
// concurrent use.
type guard struct {
	rate       Rate
	perAddress int
	now        func() time.Time
	turnedAway *atomic.Uint64

	mu      sync.Mutex
	sources map[netip.Prefix]*source
	joining int
}

// A source is an address that has connected lately.
type source struct {
	bucket  *bucket
	joining int
}

func newGuard(o Options, turnedAway *atomic.Uint64) *guard {
	return &guard{turnedAway: turnedAway, rate: o.Connections, perAddress: o.MaxJoining, now: o.now, sources: map[netip.Prefix]*source{}}
}

// admit counts a new connection in, unless there are too many.
func (g *guard) admit(from netip.Prefix) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.sources[from]
	if s == nil {
		s = &source{bucket: newBucket(g.rate, g.now())}
		g.sources[from] = s
	}
	if s.joining >= g.perAddress || g.joining >= 16*g.perAddress || s.bucket.take(1, g.now()) > 0 {
		g.turnedAway.Add(1)
		return false
	}
	s.joining++
	g.joining++
	return true
}

// settled counts a connection out: it has signed in, or is gone.
func (g *guard) settled(from netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.joining--
	if s := g.sources[from]; s != nil {
		s.joining--
	}
}

// sweep forgets the addresses that have been quiet.
func (g *guard) sweep() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for from, s := range g.sources {
		if s.joining == 0 && s.bucket.full(g.now()) {
			delete(g.sources, from)
		}
	}
}

// sourceOf is what of an address counts as one: the address, or in IPv6 its network.
func sourceOf(a net.Addr) netip.Prefix {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Prefix{} // all that can't be told apart share one
	}
	addr := ap.Addr().Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// A guardedListener refuses connections that the guard does not admit, before they
// cost a TLS handshake.
type guardedListener struct {
	net.Listener
	guard *guard
}

func (l *guardedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := sourceOf(c.RemoteAddr())
		if l.guard.admit(from) {
			return &guardedConn{Conn: c, settle: sync.OnceFunc(func() { l.guard.settled(from) })}, nil
		}
		_ = c.Close() // it was never used
	}
}

// A guardedConn counts as joining until settle is called or it is closed.
type guardedConn struct {
	net.Conn
	settle func()
}

func (c *guardedConn) Close() error {
	c.settle()
	return c.Conn.Close()
}
