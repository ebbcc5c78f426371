package hub

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"causa/hub/db"
	"causa/wire"
	"causa/wire/pb"
)

// A pipeListener hands out connections that live in memory, so that time in a test can
// be the test's own.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	select {
	case <-l.done:
	default:
		close(l.done)
	}
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// pipeHub serves a hub over pipes and returns how to connect to it.
func pipeHub(t *testing.T, o Options) (h *Hub, dial func() *websocket.Conn) {
	t.Helper()
	o.Data, o.Listen = t.TempDir(), "127.0.0.1:0"
	h, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- h.server.ServeTLS(&guardedListener{Listener: l, guard: h.guard}, "", "") }()
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return h, func() *websocket.Conn {
		t.Helper()
		transport := &http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			l.conns <- far
			return tls.Client(near, &tls.Config{InsecureSkipVerify: true}), nil //nolint:gosec // the far end is ours
		}}
		ws, res, err := websocket.Dial(context.Background(), "wss://hub"+wire.Path, &websocket.DialOptions{
			HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{wire.Subprotocol},
		})
		if err != nil {
			t.Fatal(err)
		}
		_ = res // an upgraded connection has no body to close
		t.Cleanup(func() { _ = ws.CloseNow() })
		return ws
	}
}

// awaitClose reads until the connection is over and returns when the last frame came:
// parting itself takes its time over a pipe, which holds nothing.
func awaitClose(ws *websocket.Conn) (status websocket.StatusCode, after time.Duration) {
	start := time.Now()
	for {
		if _, _, err := ws.Read(context.Background()); err != nil {
			return websocket.CloseStatus(err), after
		}
		after = time.Since(start)
	}
}

func TestStrangerWhoSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, dial := pipeHub(t, Options{})
		status, after := awaitClose(dial())
		if status != closeStatus(wire.CodeSignIn) || after != wire.SignInTimeout {
			t.Errorf("closed with %d after %v", status, after)
		}
	})
}

// found signs in with the founding key.
func found(t *testing.T, h *Hub, ws *websocket.Conn) {
	t.Helper()
	read := func() *pb.HubFrame {
		_, b, err := ws.Read(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		f, err := wire.DecodeHub(b)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	nonce := [32]byte(read().GetChallenge().GetNonce())
	public := h.founding.Public()
	who, err := wire.InviteSignIn(public)
	if err != nil {
		t.Fatal(err)
	}
	b, err := wire.EncodeClient(&pb.ClientFrame{Request: 1, Body: &pb.ClientFrame_SignIn{SignIn: &pb.SignIn{
		Version: wire.Version, Who: &pb.SignIn_Invite{Invite: public},
		Signature: ed25519.Sign(h.founding.Key, wire.SignInBytes(nonce, h.pin, who)),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := ws.Write(context.Background(), websocket.MessageBinary, b); err != nil {
		t.Fatal(err)
	}
	if read().GetReady() == nil {
		t.Fatal("not let in")
	}
}

func (h *Hub) connections() (n int) {
	h.online.all(func(*session) { n++ })
	return n
}

// A connection whose peer answers pings stays, though it says nothing; one whose peer
// is gone is cut. Nobody stays for ever with nothing but an invite.
func TestSilentConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, dial := pipeHub(t, Options{PingEvery: 30 * time.Second})
		alive, dead := dial(), dial()
		found(t, h, alive)
		found(t, h, dead) // and reads no more
		go awaitClose(alive)
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if n := h.connections(); n != 2 {
			t.Errorf("%d connections after 31 seconds, want 2", n)
		}
		time.Sleep(99 * time.Second)
		synctest.Wait()
		if n := h.connections(); n != 1 {
			t.Errorf("%d connections after 130 seconds, want 1", n)
		}
		time.Sleep(joiningTime - 140*time.Second)
		synctest.Wait()
		if n := h.connections(); n != 1 {
			t.Errorf("%d connections shortly before the invite's time is over, want 1", n)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if n := h.connections(); n != 0 {
			t.Errorf("%d connections after it, want 0", n)
		}
	})
}

func TestBucket(t *testing.T) {
	now := time.Unix(1000, 0)
	b := newBucket(Rate{PerSecond: 2, Burst: 4}, now)
	for range 4 {
		if wait := b.take(1, now); wait != 0 {
			t.Fatalf("within the burst: wait %v", wait)
		}
	}
	if wait := b.take(1, now); wait != 500*time.Millisecond {
		t.Errorf("wait = %v, want 500ms", wait)
	}
	if b.take(1, now.Add(-time.Hour)) == 0 {
		t.Error("a clock set back filled the bucket")
	}
	if wait := b.take(1, now.Add(-time.Hour).Add(500*time.Millisecond)); wait != 0 {
		t.Errorf("after the wait: %v", wait)
	}
	if wait := b.take(100, now.Add(time.Hour)); wait != 0 {
		t.Errorf("more than the burst, from a full bucket: %v", wait)
	}
	if !b.full(now.Add(2 * time.Hour)) {
		t.Error("not full after an hour")
	}
}

func TestSourceOf(t *testing.T) {
	same := func(a, b string) bool {
		addr := func(s string) net.Addr {
			ap, err := net.ResolveTCPAddr("tcp", s)
			if err != nil {
				t.Fatal(err)
			}
			return ap
		}
		return sourceOf(addr(a)) == sourceOf(addr(b))
	}
	if !same("10.0.0.1:1", "10.0.0.1:2") || !same("[::ffff:10.0.0.1]:1", "10.0.0.1:2") || !same("[2001:db8::1]:1", "[2001:db8::2]:1") {
		t.Error("one source counts as two")
	}
	if same("10.0.0.1:1", "10.0.0.2:1") || same("[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1") {
		t.Error("two sources count as one")
	}
}

// Pages of one matter that wait are sent as one: what is put together decodes as the
// entries of all, and other matters' and other frames stay apart.
func TestMergePages(t *testing.T) {
	page := func(m byte, seqs ...uint64) item {
		p := &pb.MatterPage{Matter: bytes.Repeat([]byte{m}, 16)}
		for _, seq := range seqs {
			p.Entries = append(p.Entries, &pb.Entry{Seq: seq, Sender: bytes.Repeat([]byte{9}, 32), Payload: []byte("x")})
			p.Head = seq
		}
		b, err := wire.EncodeHub(&pb.HubFrame{Body: &pb.HubFrame_MatterPage{MatterPage: p}})
		if err != nil {
			t.Fatal(err)
		}
		return item{frame: b, matter: db.MatterNo(m), entries: len(seqs)}
	}
	other := item{frame: encodeFailure(1, &pb.Failure{Code: 1})}
	queue := []item{page(1, 1, 2), page(1, 3), page(1, 4), page(2, 1), other, other, page(1, 5)}
	var got []int
	for len(queue) > 0 {
		frame, taken := merge(queue)
		queue = queue[taken:]
		got = append(got, taken)
		f, err := wire.DecodeHub(frame)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 1 {
			p := f.GetMatterPage()
			if p.GetHead() != 4 || len(p.GetEntries()) != 4 || p.GetEntries()[3].GetSeq() != 4 || len(p.GetMatter()) != 16 {
				t.Errorf("merged page = %v", p)
			}
		}
	}
	if want := []int{3, 1, 1, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("taken = %v, want %v", got, want)
	}
	large := page(1, make([]uint64, wire.MaxPageEntries)...)
	if _, taken := merge([]item{large, page(1, 7)}); taken != 1 {
		t.Error("a merged page is over the limit")
	}
}
