package hubtest

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"causa/wire"
	"causa/wire/pb"
)

// patience is how long anything in a test may take.
const patience = 90 * time.Second

// A Refused is the hub's refusal of a request.
type Refused struct{ *pb.Failure }

func (r *Refused) Error() string { return fmt.Sprintf("refused with code %d", r.GetCode()) }

// CodeOf returns the code of a refusal, and 0 for any other error and for none.
func CodeOf(err error) wire.Code {
	if r, ok := errors.AsType[*Refused](err); ok {
		return wire.Code(r.GetCode())
	}
	return 0
}

// A Peer is the far end of one connection to a hub: it speaks the protocol and
// believes nothing. It is safe for concurrent use.
type Peer struct {
	ws        *websocket.Conn
	pin       [32]byte
	challenge *pb.Challenge

	gate sync.Mutex // held while the peer does not read

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan *pb.HubFrame
	pushes  []*pb.HubFrame
	pushed  chan struct{} // capacity 1
	ended   chan struct{}
	err     error // why it ended
}

// Dial connects and waits for the challenge.
func Dial(addr string) (*Peer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p := &Peer{waiting: map[uint64]chan *pb.HubFrame{}, pushed: make(chan struct{}, 1), ended: make(chan struct{})}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, //nolint:gosec // the pin stands in for it: it goes into the sign-in
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			cert, err := x509.ParseCertificate(raw[0])
			if err == nil {
				p.pin = wire.PinOf(cert.RawSubjectPublicKeyInfo)
			}
			return err
		},
	}}}
	ws, res, err := websocket.Dial(ctx, "wss://"+addr+wire.Path, &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{wire.Subprotocol}})
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	_ = res // an upgraded connection has no body to close
	ws.SetReadLimit(wire.MaxFrame)
	p.ws = ws
	first, err := p.read(ctx)
	if err != nil || first.GetChallenge() == nil {
		_ = ws.CloseNow() // the first error counts
		return nil, fmt.Errorf("no challenge: %w", err)
	}
	p.challenge = first.GetChallenge()
	go p.run()
	return p, nil
}

func (p *Peer) read(ctx context.Context) (*pb.HubFrame, error) {
	_, b, err := p.ws.Read(ctx)
	if err != nil {
		return nil, err
	}
	return wire.DecodeHub(b)
}

// run sorts what comes in until the connection ends.
func (p *Peer) run() {
	defer close(p.ended)
	for {
		p.gate.Lock()
		p.gate.Unlock() //nolint:staticcheck // only to wait for Resume
		f, err := p.read(context.Background())
		p.mu.Lock()
		if err != nil {
			p.err = err
			p.mu.Unlock()
			return
		}
		if c := p.waiting[f.GetRequest()]; c != nil {
			delete(p.waiting, f.GetRequest())
			c <- f
		} else {
			p.pushes = append(p.pushes, f)
			select {
			case p.pushed <- struct{}{}:
			default:
			}
		}
		p.mu.Unlock()
	}
}

// Pause stops reading, after one more frame, until Resume.
func (p *Peer) Pause() { p.gate.Lock() }

// Resume reads on.
func (p *Peer) Resume() { p.gate.Unlock() }

// Close drops the connection.
func (p *Peer) Close() { _ = p.ws.CloseNow() } // it may be over already

func (p *Peer) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Ended is closed when the connection is over.
func (p *Peer) Ended() <-chan struct{} { return p.ended }

// Status is the WebSocket status that the hub closed with, -1 when it did not.
func (p *Peer) Status() websocket.StatusCode {
	<-p.ended
	return websocket.CloseStatus(p.err)
}

// Go sends a request; its answer comes through the channel, unless the connection ends
// before. The request number of f is filled in.
func (p *Peer) Go(f *pb.ClientFrame) (<-chan *pb.HubFrame, error) {
	c := make(chan *pb.HubFrame, 1)
	p.mu.Lock()
	p.last++
	f.Request = p.last
	p.waiting[f.GetRequest()] = c
	p.mu.Unlock()
	b, err := wire.EncodeClient(f)
	if err != nil {
		return nil, err
	}
	return c, p.Write(b)
}

// Write sends bytes as they are.
func (p *Peer) Write(b []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return p.ws.Write(ctx, websocket.MessageBinary, b)
}

// Writer begins a message of which the rest comes later, or never.
func (p *Peer) Writer() (io.WriteCloser, error) {
	return p.ws.Writer(context.Background(), websocket.MessageBinary)
}

// Call sends a request and waits for the answer. A refusal is a *[Refused].
func (p *Peer) Call(f *pb.ClientFrame) (*pb.HubFrame, error) {
	c, err := p.Go(f)
	if err != nil {
		return nil, err
	}
	return p.Await(c)
}

// Await waits for the answer to a request sent by [Peer.Go].
func (p *Peer) Await(c <-chan *pb.HubFrame) (*pb.HubFrame, error) {
	var f *pb.HubFrame
	select {
	case f = <-c:
	case <-p.ended:
		select {
		case f = <-c: // it came first
		default:
			return nil, fmt.Errorf("connection ended: %w", p.err)
		}
	case <-time.After(patience):
		return nil, errors.New("no answer")
	}
	if f.GetFailure() != nil {
		return nil, &Refused{f.GetFailure()}
	}
	return f, nil
}

// Push waits for the next pushed frame for which want is true; others are dropped.
func (p *Peer) Push(want func(*pb.HubFrame) bool) (*pb.HubFrame, error) {
	late := time.After(patience)
	for {
		p.mu.Lock()
		for len(p.pushes) > 0 {
			f := p.pushes[0]
			p.pushes = p.pushes[1:]
			if want(f) {
				p.mu.Unlock()
				return f, nil
			}
		}
		p.mu.Unlock()
		select {
		case <-p.pushed:
		case <-p.ended:
			p.mu.Lock()
			n := len(p.pushes)
			p.mu.Unlock()
			if n == 0 {
				return nil, fmt.Errorf("connection ended: %w", p.err)
			}
		case <-late:
			return nil, errors.New("no such push")
		}
	}
}

// Pushed returns a frame for which want is true, if one was pushed already; others are
// dropped.
func (p *Peer) Pushed(want func(*pb.HubFrame) bool) (*pb.HubFrame, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, f := range p.pushes {
		if want(f) {
			p.pushes = p.pushes[i+1:]
			return f, true
		}
	}
	p.pushes = nil
	return nil, false
}

// SignInDevice signs in with a device's key.
func (p *Peer) SignInDevice(id [32]byte, key ed25519.PrivateKey) (*pb.Ready, error) {
	return p.signIn(&pb.SignIn{Who: &pb.SignIn_Device{Device: id[:]}}, wire.DeviceSignIn(id), key)
}

// SignInInvite signs in with an invite's or the founding key.
func (p *Peer) SignInInvite(key ed25519.PrivateKey) (*pb.Ready, error) {
	public, _ := key.Public().(ed25519.PublicKey)
	who, err := wire.InviteSignIn(public)
	if err != nil {
		return nil, err
	}
	return p.signIn(&pb.SignIn{Who: &pb.SignIn_Invite{Invite: public}}, who, key)
}

func (p *Peer) signIn(in *pb.SignIn, who wire.Who, key ed25519.PrivateKey) (*pb.Ready, error) {
	in.Version = wire.Version
	in.Signature = ed25519.Sign(key, wire.SignInBytes([32]byte(p.challenge.GetNonce()), p.pin, who))
	f, err := p.Call(&pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: in}})
	if err != nil {
		return nil, err
	}
	return f.GetReady(), nil
}

// Challenge returns what the hub challenged this connection with.
func (p *Peer) Challenge() *pb.Challenge { return p.challenge }
