package core

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"causa/internal/fault"
	"causa/wire"
	"causa/wire/pb"
)

// Patience with the network.
const (
	dialTimeout  = 10 * time.Second
	answerAfter  = 30 * time.Second // longest wait for an answer before the hub counts as dead
	pingEvery    = 25 * time.Second
	maxPushQueue = 4096 // frames; beyond, the link forgets them and says so
)

var errWrongHub = errors.New("the hub's TLS key is not the pinned one")

// A link is one signed-in connection to the hub. One goroutine reads: it gives answers
// to whoever asked and queues pushes. ask and start are safe for concurrent use.
type link struct {
	ws     *websocket.Conn
	nonce  [32]byte // the hub's challenge
	cancel context.CancelFunc
	done   chan struct{} // closed when the connection has ended and its goroutines too
	pushed chan struct{} // has a token while pushes wait
	wg     sync.WaitGroup

	mu      sync.Mutex // guards what follows; never held while calling ws
	next    uint64
	waiting map[uint64]answer
	queue   []*pb.HubFrame
	behind  bool // pushes were forgotten
	err     error

	writeMu sync.Mutex // one writer at a time, so that requests leave in order
}

// An answer is the hub's answer to one request, some time later.
type answer chan *pb.HubFrame

// who signs in: a device, the holder of an invite, or a locked device.
type who struct {
	device ed25519.PrivateKey
	invite ed25519.PrivateKey
	unlock ed25519.PrivateKey // of a locked device's slot
}

// dial connects to the hub at addr (host:port), whose TLS key must have the fingerprint
// pin, and signs in.
func dial(ctx context.Context, addr string, pin [32]byte, w who) (*link, *pb.Ready, error) {
	ctx, stop := context.WithTimeout(ctx, dialTimeout)
	defer stop()
	transport := &http.Transport{
		TLSClientConfig: pinned(pin),
		DialContext:     (&net.Dialer{Timeout: dialTimeout}).DialContext,
	}
	ws, resp, err := websocket.Dial(ctx, "wss://"+addr+wire.Path, &websocket.DialOptions{
		HTTPClient:      &http.Client{Transport: transport},
		Subprotocols:    []string{wire.Subprotocol},
		CompressionMode: websocket.CompressionDisabled,
	})
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close() // the WebSocket owns the connection; on failure the body is of no use
	}
	if err != nil {
		transport.CloseIdleConnections()
		if errors.Is(err, errWrongHub) {
			return nil, nil, &fault.Error{
				Text: "This is not the hub your invite was made for.",
				Hint: "Someone may be between you and the hub, or it was set up anew. Do not go on; ask whoever runs it.",
				Err:  err,
			}
		}
		return nil, nil, offline(err)
	}
	ws.SetReadLimit(wire.MaxFrame)
	ready, nonce, err := signIn(ctx, ws, pin, w)
	if err != nil {
		_ = ws.CloseNow()
		return nil, nil, err
	}
	lctx, cancel := context.WithCancel(context.Background())
	l := &link{ws: ws, nonce: nonce, cancel: cancel, done: make(chan struct{}), pushed: make(chan struct{}, 1), next: 2, waiting: map[uint64]answer{}}
	l.wg.Add(2)
	go func() { defer l.wg.Done(); l.read(lctx) }()
	go func() { defer l.wg.Done(); l.ping(lctx) }()
	return l, ready, nil
}

// pinned is a TLS configuration that trusts exactly the key with the fingerprint pin,
// whatever certificate carries it.
func pinned(pin [32]byte) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, //nolint:gosec // VerifyPeerCertificate pins the key instead
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			if len(raw) == 0 {
				return errWrongHub
			}
			cert, err := x509.ParseCertificate(raw[0])
			if err != nil {
				return fmt.Errorf("%w: %w", errWrongHub, err)
			}
			if wire.PinOf(cert.RawSubjectPublicKeyInfo) != pin {
				return errWrongHub
			}
			return nil
		},
	}
}

func signIn(ctx context.Context, ws *websocket.Conn, pin [32]byte, w who) (ready *pb.Ready, nonce [32]byte, err error) {
	f, err := readFrame(ctx, ws)
	if err != nil {
		return nil, nonce, offline(err)
	}
	ch := f.GetChallenge()
	if ch == nil || len(ch.GetNonce()) != 32 {
		return nil, nonce, (&refusal{Code: wire.CodeVersion}).worded()
	}
	in := &pb.SignIn{Version: wire.Version}
	nonce = [32]byte(ch.GetNonce())
	switch {
	case w.device != nil:
		id := sha256.Sum256(w.device.Public().(ed25519.PublicKey))
		in.Who = &pb.SignIn_Device{Device: id[:]}
		in.Signature = ed25519.Sign(w.device, wire.SignInBytes(nonce, pin, wire.DeviceSignIn(id)))
	case w.unlock != nil:
		pub := w.unlock.Public().(ed25519.PublicKey)
		locked, err := wire.UnlockSignIn(pub)
		if err != nil {
			return nil, nonce, err
		}
		in.Who = &pb.SignIn_Unlock{Unlock: pub}
		in.Signature = ed25519.Sign(w.unlock, wire.SignInBytes(nonce, pin, locked))
	default:
		pub := w.invite.Public().(ed25519.PublicKey)
		holder, err := wire.InviteSignIn(pub)
		if err != nil {
			return nil, nonce, err
		}
		in.Who = &pb.SignIn_Invite{Invite: pub}
		in.Signature = ed25519.Sign(w.invite, wire.SignInBytes(nonce, pin, holder))
	}
	b, err := wire.EncodeClient(&pb.ClientFrame{Request: 1, Body: &pb.ClientFrame_SignIn{SignIn: in}})
	if err != nil {
		return nil, nonce, err
	}
	if err := ws.Write(ctx, websocket.MessageBinary, b); err != nil {
		return nil, nonce, offline(err)
	}
	if f, err = readFrame(ctx, ws); err != nil {
		return nil, nonce, offline(err)
	}
	if fail := f.GetFailure(); fail != nil {
		return nil, nonce, asRefusal(fail).worded()
	}
	if f.GetReady() == nil {
		return nil, nonce, (&refusal{Code: wire.CodeVersion}).worded()
	}
	return f.GetReady(), nonce, nil
}

func readFrame(ctx context.Context, ws *websocket.Conn) (*pb.HubFrame, error) {
	_, b, err := ws.Read(ctx)
	if err != nil {
		return nil, err
	}
	return wire.DecodeHub(b)
}

func asRefusal(f *pb.Failure) *refusal {
	return &refusal{Code: wire.Code(f.GetCode()), RetryAfter: f.GetRetryAfterMs(), Epoch: f.GetEpoch(), Head: f.GetHead(), Want: f.GetWant()}
}

func (l *link) read(ctx context.Context) {
	for {
		f, err := readFrame(ctx, l.ws)
		if err != nil {
			l.fail(err)
			return
		}
		if f.GetRequest() == 0 {
			if fail := f.GetFailure(); fail != nil {
				l.fail(asRefusal(fail)) // the hub says why it is about to hang up
				return
			}
			l.push(f)
			continue
		}
		l.mu.Lock()
		ch := l.waiting[f.GetRequest()]
		delete(l.waiting, f.GetRequest())
		l.mu.Unlock()
		if ch != nil {
			ch <- f // has room for its one answer
		}
	}
}

func (l *link) push(f *pb.HubFrame) {
	l.mu.Lock()
	if len(l.queue) >= maxPushQueue {
		l.queue, l.behind = nil, true
	}
	l.queue = append(l.queue, f)
	l.mu.Unlock()
	select {
	case l.pushed <- struct{}{}:
	default:
	}
}

// pushes takes what the hub has pushed; behind says that some of it was forgotten.
func (l *link) pushes() (frames []*pb.HubFrame, behind bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	frames, behind = l.queue, l.behind
	l.queue, l.behind = nil, false
	return frames, behind
}

func (l *link) ping(ctx context.Context) {
	t := time.NewTicker(pingEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		pctx, stop := context.WithTimeout(ctx, answerAfter)
		err := l.ws.Ping(pctx)
		stop()
		if err != nil {
			l.fail(err)
			return
		}
	}
}

// fail ends the connection with its first error and tells everyone who waits.
func (l *link) fail(err error) {
	l.mu.Lock()
	if l.err != nil {
		l.mu.Unlock()
		return
	}
	l.err = err
	waiting := l.waiting
	l.waiting = nil
	l.mu.Unlock()
	for _, ch := range waiting {
		close(ch)
	}
	close(l.done)
	l.cancel()
	_ = l.ws.CloseNow() // the error that ended it is kept in err
}

// reason says why the connection ended.
func (l *link) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// close ends the connection and waits for its goroutines.
func (l *link) close() {
	l.fail(ErrClosed)
	l.wg.Wait()
}

// start sends a request without waiting for its answer.
func (l *link) start(ctx context.Context, f *pb.ClientFrame) (answer, error) {
	return l.startSigned(ctx, func(uint64) *pb.ClientFrame { return f })
}

// startSigned is start for a request that its own number is signed in.
func (l *link) startSigned(ctx context.Context, frame func(request uint64) *pb.ClientFrame) (answer, error) {
	ch := make(answer, 1)
	l.writeMu.Lock()
	defer l.writeMu.Unlock()
	l.mu.Lock()
	if l.err != nil {
		l.mu.Unlock()
		return nil, offline(l.err)
	}
	f := frame(l.next)
	f.Request = l.next
	b, err := wire.EncodeClient(f)
	if err != nil {
		l.mu.Unlock()
		return nil, fmt.Errorf("encode a request: %w", err)
	}
	l.next++
	l.waiting[f.Request] = ch
	l.mu.Unlock()
	wctx, stop := context.WithTimeout(ctx, answerAfter)
	defer stop()
	if err := l.ws.Write(wctx, websocket.MessageBinary, b); err != nil {
		l.fail(err)
		return nil, offline(err)
	}
	return ch, nil
}

// wait waits for an answer. A refusal is returned as a [*refusal].
func (l *link) wait(ctx context.Context, a answer) (*pb.HubFrame, error) {
	t := time.NewTimer(answerAfter)
	defer t.Stop()
	select {
	case f, ok := <-a:
		if !ok {
			return nil, offline(l.reason())
		}
		if fail := f.GetFailure(); fail != nil {
			return nil, asRefusal(fail)
		}
		return f, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-t.C:
		l.fail(context.DeadlineExceeded)
		return nil, offline(context.DeadlineExceeded)
	}
}

// busyTries is how often a request is made again that the hub asks to slow down.
const busyTries = 20

// ask sends a request and waits for its answer. When the hub asks to slow down, it does.
func (l *link) ask(ctx context.Context, f *pb.ClientFrame) (*pb.HubFrame, error) {
	return l.askSigned(ctx, func(uint64) *pb.ClientFrame { return f })
}

// askSigned is ask for a request that its own number is signed in.
func (l *link) askSigned(ctx context.Context, frame func(request uint64) *pb.ClientFrame) (*pb.HubFrame, error) {
	for try := 1; ; try++ {
		a, err := l.startSigned(ctx, frame)
		if err != nil {
			return nil, err
		}
		answer, err := l.wait(ctx, a)
		var r *refusal
		if !errors.As(err, &r) || r.Code != wire.CodeBusy || try == busyTries {
			return answer, err
		}
		select {
		case <-time.After(max(busyPause/10, time.Duration(r.RetryAfter)*time.Millisecond)):
		case <-l.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
