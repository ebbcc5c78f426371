package hub

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"causa/wire"
	"causa/wire/pb"
)

const (
	headerTimeout = 10 * time.Second // TLS handshake and request header
	joiningTime   = 10 * time.Minute // how long the holder of an invite may stay
	leaveTime     = 3 * time.Second  // what connections get to part in good order
)

// connKey finds the connection of an HTTP request in its context.
type connKey struct{}

func (h *Hub) httpServer() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+wire.Path, h.connect)
	mux.HandleFunc("GET /healthz", h.healthz)
	mux.Handle(wire.BlobPattern, h.blobs)
	return &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       headerTimeout,
		MaxHeaderBytes:    8 << 10,
		TLSConfig:         h.tlsConfig(),
		ErrorLog:          h.httpServerLog(),
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
}

func (h *Hub) tlsConfig() *tls.Config {
	c := &tls.Config{
		Certificates: []tls.Certificate{h.cert},
		MinVersion:   tls.VersionTLS13,
		NextProtos:   []string{"http/1.1"},
	}
	if h.authority != nil {
		c.GetCertificate = h.authority.certificate
		c.NextProtos = append(c.NextProtos, acmeProtocol)
	}
	return c
}

// quietLog receives what net/http has to say about connections. It names addresses, so
// only that something happened is logged.
type quietLog struct{ log *slog.Logger }

func (h *Hub) httpServerLog() *log.Logger { return log.New(quietLog{h.log}, "", 0) }

func (q quietLog) Write(p []byte) (int, error) {
	q.log.Debug("a connection failed before it was one")
	return len(p), nil
}

// healthz answers whether the hub can read what it keeps.
func (h *Hub) healthz(w http.ResponseWriter, r *http.Request) {
	if _, _, err := h.db.Meta(r.Context(), metaFounding); err != nil {
		http.Error(w, "storage", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintln(w, "ok") // the peer may be gone
}

// connect turns a request into a session with a goroutine of its own, so that what
// net/http holds for a request is freed.
func (h *Hub) connect(w http.ResponseWriter, r *http.Request) {
	s := &session{hub: h, cork: &cork{}}
	s.cork.alive = s.touch
	s.room.L = &s.mu
	s.touch()
	ws, err := websocket.Accept(&smallHijacker{w, s.cork}, r, &websocket.AcceptOptions{
		Subprotocols:    []string{wire.Subprotocol},
		CompressionMode: websocket.CompressionDisabled,
		OnPingReceived:  func(context.Context, []byte) bool { s.touch(); return true },
		OnPongReceived:  func(context.Context, []byte) { s.touch() },
	})
	if err != nil {
		return // Accept has answered
	}
	s.ws = ws
	settle := settleOf(r) // the session must not hold the request
	entered := h.online.enter(s, func() {
		h.goroutines.Go(func() {
			defer s.sleep(false)
			defer h.online.remove(s)
			defer s.cut()
			s.run(settle)
		})
	})
	if !entered {
		_ = s.cork.Conn.Close() // the hub is closing
	}
}

// settleOf returns what counts a request's connection out of those that have not signed
// in.
func settleOf(r *http.Request) (settle func()) {
	if c, ok := r.Context().Value(connKey{}).(*tls.Conn); ok {
		if g, ok := c.NetConn().(*guardedConn); ok {
			return g.settle
		}
	}
	return func() {}
}

// run serves a connection from the challenge to its end.
func (s *session) run(settle func()) {
	s.ws.SetReadLimit(wire.MaxFrameJoining)
	if s.ws.Subprotocol() != wire.Subprotocol {
		s.fail(wire.CodeVersion)
	}
	_, _ = rand.Read(s.nonce[:]) // never fails
	s.mu.Lock()
	s.enqueueFrame(&pb.HubFrame{Body: &pb.HubFrame_Challenge{Challenge: &pb.Challenge{
		Version: wire.Version, Nonce: s.nonce[:], TimeMs: s.hub.opts.now().UnixMilli(),
	}}})
	s.mu.Unlock()

	late := time.AfterFunc(wire.SignInTimeout, func() { s.fail(wire.CodeSignIn) })
	defer late.Stop()
	if !s.signIn(s.nonce) {
		s.drain()
		return
	}
	late.Stop()
	settle()
	if s.no == 0 {
		over := time.AfterFunc(joiningTime, s.cut)
		defer over.Stop()
	} else {
		s.ws.SetReadLimit(wire.MaxFrameDevice)
	}
	for s.begin() {
		f, err := s.read()
		if err != nil {
			break
		}
		if f != nil {
			s.serve(f)
		}
		s.leaveTurn()
	}
	s.leaveTurn()
	s.drain()
}

// read reads the next frame. When it can't be taken, read answers that and returns
// neither a frame nor an error, unless the connection is over.
func (s *session) read() (*pb.ClientFrame, error) {
	typ, b, err := s.receive()
	if err != nil {
		return nil, err
	}
	if typ != websocket.MessageBinary {
		s.fail(wire.CodeMalformed)
		return nil, nil
	}
	f, err := wire.DecodeClient(b)
	if err == nil {
		return f, nil
	}
	fe, ok := errors.AsType[*wire.FrameError](err)
	if !ok || fe.Request == 0 {
		s.fail(wire.CodeMalformed) // nobody waits for an answer to it
		return nil, nil
	}
	s.answer(fe.Request, failed(&pb.Failure{Code: uint32(fe.Code)}))
	return nil, nil
}

// drain reads on, without heed, while the last frames are on their way out: a
// connection closed with unread data in it may lose them.
func (s *session) drain() {
	for {
		_, r, err := s.ws.Reader(context.Background())
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		if err != nil {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.writing && !s.ended {
		s.room.Wait()
	}
}

// signIn waits for the first frame and lets the peer in. It returns false when the
// session is over.
func (s *session) signIn(nonce [32]byte) bool {
	f, err := s.read()
	if err != nil {
		return false
	}
	if f == nil { // it was told why
		s.fail(wire.CodeMalformed)
		return false
	}
	in := f.GetSignIn()
	switch {
	case in == nil:
		return s.reject(f, refuse(wire.CodeNotSignedIn))
	case in.GetVersion() != wire.Version:
		return s.reject(f, refuse(wire.CodeVersion))
	default:
		if err = s.letIn(f.GetRequest(), in, nonce); mayBeBehind(err) && s.hub.refresh() {
			err = s.letIn(f.GetRequest(), in, nonce)
		}
	}
	if err != nil {
		return s.reject(f, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing == 0
}

// letIn lets a device, a locked device or the holder of an invite in.
func (s *session) letIn(id uint64, in *pb.SignIn, nonce [32]byte) error {
	switch {
	case len(in.GetDevice()) != 0:
		return s.signInDevice(id, in, nonce)
	case len(in.GetUnlock()) != 0:
		return s.signInUnlock(id, in, nonce)
	default:
		return s.signInInvite(id, in, nonce)
	}
}

// reject answers the sign-in with a refusal and ends the session.
func (s *session) reject(f *pb.ClientFrame, err error) bool {
	failure := s.hub.failureOf(err)
	s.answer(f.GetRequest(), failed(failure))
	s.part(closeStatus(wire.Code(failure.GetCode())))
	return false
}

func (s *session) signInDevice(id uint64, in *pb.SignIn, nonce [32]byte) error {
	h := s.hub
	device := [32]byte(in.GetDevice())
	key, known := h.org.key(device, false)
	no, numbered := h.directory.no(device)
	if !known || !numbered || !ed25519.Verify(key, wire.SignInBytes(nonce, h.pin, wire.DeviceSignIn(device)), in.GetSignature()) {
		return refuse(wire.CodeSignIn)
	}
	s.device, s.no, s.limits = device, no, h.limitsOf(no)
	answered := make(chan *pb.Failure, 1)
	s.submit(&request{
		id: id, signIn: true,
		do:   func(b *batch) (*pb.HubFrame, error) { return b.signIn(s) },
		done: func(answer *pb.HubFrame) { answered <- answer.GetFailure() },
	})
	if failure := <-answered; failure != nil {
		s.part(closeStatus(wire.Code(failure.GetCode())))
	}
	return nil
}

// signIn makes a session the one of its device. What an older one has handed over
// stands before this in the writer's queue, so the counter told is final.
func (b *batch) signIn(s *session) (*pb.HubFrame, error) {
	why, owes := b.hub.org.barred(s.device)
	if why != 0 && !owes {
		return nil, refuse(why)
	}
	counter, err := b.counter(s)
	if err != nil {
		return nil, err
	}
	keyPackages, welcomes, err := b.tx.Waiting(s.no)
	if err != nil {
		return nil, err
	}
	b.fences[s.no] = b.fence(s.no) + 1
	s.fence.Store(b.fences[s.no])
	if why == 0 { // else nothing is pushed to it
		b.signedIn = append(b.signedIn, s)
	}
	return &pb.HubFrame{Body: &pb.HubFrame_Ready{Ready: &pb.Ready{
		LogNext: b.hub.org.next(), LastCounter: counter,
		KeyPackages: stocks(keyPackages), Welcomes: uint32(welcomes),
		TimeMs: b.hub.opts.now().UnixMilli(), Incarnation: b.hub.incarnation, HubKey: b.hub.key.Public().(ed25519.PublicKey),
	}}}, nil
}

func (s *session) signInInvite(id uint64, in *pb.SignIn, nonce [32]byte) error {
	h := s.hub
	key := ed25519.PublicKey(in.GetInvite())
	who, err := wire.InviteSignIn(key)
	if err != nil || !ed25519.Verify(key, wire.SignInBytes(nonce, h.pin, who), in.GetSignature()) {
		return refuse(wire.CodeSignIn)
	}
	if key.Equal(h.founding.Public()) {
		if h.org.next() > 0 {
			return refuse(wire.CodeAlreadyFounded)
		}
		s.founding = true
	} else if h.org.openInvite(key, h.opts.now()) != nil {
		return refuse(wire.CodeInvite)
	}
	s.invite, s.limits = key, h.newLimits()
	s.answer(id, &pb.HubFrame{Body: &pb.HubFrame_Ready{Ready: &pb.Ready{
		LogNext: h.org.next(), TimeMs: h.opts.now().UnixMilli(), Incarnation: h.incarnation,
	}}})
	return nil
}

// awaitConnections waits until all connections are over, and cuts those that take
// their time.
func (h *Hub) awaitConnections() {
	over := make(chan struct{})
	go func() {
		h.goroutines.Wait()
		close(over)
	}()
	late := time.NewTimer(leaveTime)
	defer late.Stop()
	select {
	case <-over:
	case <-late.C:
		h.online.all(func(s *session) { s.cut() })
		<-over
	}
}
