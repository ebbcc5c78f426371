package hub

import (
	"bufio"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	corkSize     = 32 << 10         // what is gathered before it goes out in any case
	corkPiece    = 256 << 10        // what is written at once
	writeTimeout = 30 * time.Second // how long the peer may take to make room for a piece
)

// A cork is a connection that gathers what is written while it is in, so that several
// frames go out in one TLS record. It is safe for concurrent use.
type cork struct {
	net.Conn
	alive func() // called when the peer has taken a piece of something large

	mu  sync.Mutex
	in  bool
	buf []byte
}

// Write implements net.Conn.
func (c *cork) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in && len(c.buf)+len(p) <= corkSize {
		c.buf = append(c.buf, p...)
		return len(p), nil
	}
	if err := c.flush(); err != nil {
		return 0, err
	}
	if c.in && len(p) < corkSize {
		c.buf = append(c.buf, p...)
		return len(p), nil
	}
	return c.write(p)
}

// push puts the cork in.
func (c *cork) push() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = true
}

// pull takes it out: what was gathered goes out, and the memory with it.
func (c *cork) pull() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = false
	err := c.flush()
	c.buf = nil
	return err
}

func (c *cork) flush() error {
	if len(c.buf) == 0 {
		return nil
	}
	_, err := c.write(c.buf)
	c.buf = c.buf[:0]
	return err
}

func (c *cork) write(p []byte) (n int, err error) {
	for {
		if err := c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return n, err
		}
		piece := p[n:min(n+corkPiece, len(p))]
		m, err := c.Conn.Write(piece)
		if n += m; err != nil {
			return n, err
		}
		if n == len(p) {
			return n, c.SetWriteDeadline(time.Time{}) // TLS writes by itself, too: it must not find an old one
		}
		c.alive() // who takes so much at a time is not silent, even if nothing is read from it meanwhile
	}
}

// A smallHijacker hands the WebSocket a corked connection with buffers far smaller
// than net/http's pair of 4 KiB: most connections are idle most of the time.
type smallHijacker struct {
	http.ResponseWriter
	cork *cork
}

// Hijack implements http.Hijacker.
func (s *smallHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if err := rw.Flush(); err != nil { // the answer to the upgrade
		_ = conn.Close() // the first error counts
		return nil, nil, err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil { // the server's header deadline
		_ = conn.Close() // the first error counts
		return nil, nil, err
	}
	// The peer may not speak before it has read the answer: what it sent early stands
	// in rw's buffer and is lost with it, and so is the connection.
	s.cork.Conn = conn
	return s.cork, bufio.NewReadWriter(bufio.NewReaderSize(s.cork, 512), bufio.NewWriterSize(s.cork, 1024)), nil
}
