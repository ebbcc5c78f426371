package hub_test

import (
	"crypto/ed25519"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"causa/crypto/mls"
	"causa/hub"
	"causa/hub/hubtest"
	"causa/matter"
	"causa/orglog"
	"causa/wire"
	"causa/wire/pb"
)

// withMetrics is an option.
func withMetrics(o *hub.Options) { o.Metrics = "127.0.0.1:0" }

// attack: one address connects as fast as it can
func TestFloodOfConnections(t *testing.T) {
	const burst = 20
	h := hubtest.Start(t, withMetrics, func(o *hub.Options) { o.Connections = hub.Rate{PerSecond: 0.001, Burst: burst} })
	in := 0
	for range 3 * burst {
		p, err := hubtest.Dial(h.Addr())
		if err != nil {
			continue
		}
		in++
		p.Close()
		<-p.Ended()
	}
	if in != burst {
		t.Errorf("%d connections were let in, want %d", in, burst)
	}
	m := scrape(t, h)
	if got := m["causa_hub_connections_turned_away_total"]; got != 2*burst {
		t.Errorf("metrics tell of %v that were not, want %d", got, 2*burst)
	}
}

// attack: a stranger tries signature after signature
func TestFloodOfSignIns(t *testing.T) {
	r := newRig(t, withMetrics)
	a := r.owner()
	id := a.open()
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	const n = 200
	for i := range n {
		p, err := hubtest.Dial(r.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.SignInDevice(a.ID, stranger); hubtest.CodeOf(err) != wire.CodeSignIn {
			t.Fatalf("try %d: %v", i, err)
		}
		if _, err := p.Go(pullLog(0)); err == nil { // one try a connection
			<-p.Ended()
		}
		p.Close()
		<-p.Ended()
	}
	a.say(id, "not disturbed") // on the connection that the device has all along
	m := scrape(t, r.Hub)
	if got := m[`causa_hub_refusals_total{code="5"}`]; got != n {
		t.Errorf("metrics tell of %v refused sign-ins, want %d", got, n)
	}
	for late := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		left := scrape(t, r.Hub)[`causa_hub_connections{of="joining"}`]
		if left == 0 && runtime.NumGoroutine() < before+50 {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("%v strangers and %d goroutines are left, %d before", left, runtime.NumGoroutine(), before)
		}
	}
}

// attack: a member empties everybody's stock of key packages
func TestFloodOfClaims(t *testing.T) {
	const burst = 30
	r := newRig(t, withMetrics, func(o *hub.Options) { o.Claims = hub.Rate{PerSecond: 0.001, Burst: burst} })
	a, b, c := r.owner(), r.hire(matter.RoleMember), r.hire(matter.RoleMember)
	var kps [][]byte
	for range wire.MaxKeyPackages {
		kps = append(kps, c.keyPackage(mls.KeyPackageOptions{}))
	}
	c.must(publish(c.keyPackage(mls.KeyPackageOptions{LastResort: true}), kps...))
	taken, refused := 0, 0
	for range 3 * burst {
		f, err := a.Call(claim(c.ID))
		switch hubtest.CodeOf(err) {
		case 0:
			taken += len(f.GetKeyPackages().GetClaimed())
		case wire.CodeBusy:
			refused++
		default:
			t.Fatalf("claim: %v", err)
		}
	}
	if taken != burst || refused != 2*burst {
		t.Errorf("%d key packages taken, %d claims refused; want %d and %d", taken, refused, burst, 2*burst)
	}
	if got := scrape(t, r.Hub)[`causa_hub_refusals_total{code="20"}`]; got != 2*burst {
		t.Errorf("metrics tell of %v refusals, want %d", got, 2*burst)
	}
	if got := b.must(claim(c.ID)).GetKeyPackages().GetClaimed(); len(got) != 1 {
		t.Error("another member gets none")
	}
	// Who names everybody many times over gets each once, and pays for all.
	c.refused(wire.CodeBusy, claimMany(c, b.ID, a.ID))
}

// claimMany has a device use its claims up.
func claimMany(m *member, ids ...matter.DeviceID) *pb.ClientFrame {
	var all []matter.DeviceID
	for range 20 {
		all = append(all, ids...)
	}
	m.must(claim(all...))
	return claim(ids...)
}

// attack: a device sends without reading a single answer
func TestFloodWithoutReading(t *testing.T) {
	r := newRig(t, withMetrics)
	a, b := r.owner(), r.hire(matter.RoleMember)
	id := a.open()
	a.change(id, []*member{b}, nil)
	b.Pause()
	done := make(chan struct{})
	var sent atomic.Int64
	go func() {
		defer close(done)
		for b.Write(mustEncode(t, send(id, 99, 1, "out of order"))) == nil {
			sent.Add(1)
		}
	}()
	for range 50 {
		a.say(id, "others go on")
		if q := r.Queued(); q > 3<<20 {
			t.Errorf("%d bytes are queued", q)
		}
		if q := scrape(t, r.Hub)["causa_hub_writer_queue"]; q > 256 {
			t.Errorf("%v requests wait for the writer", q)
		}
	}
	b.Peer.Close()
	b.Resume()
	<-done
	t.Logf("%d frames were sent in vain", sent.Load())
}

func mustEncode(t *testing.T, f *pb.ClientFrame) []byte {
	t.Helper()
	f.Request = 1
	b, err := wire.EncodeClient(f)
	if err != nil {
		t.Error(err)
	}
	return b
}

// The clock is set back, and far ahead: order and time of a matter go on, nobody is cut
// off, and entries of the log are held to the clock that the hub has.
func TestClockIsSet(t *testing.T) {
	var ahead atomic.Int64
	r := newRig(t, func(o *hub.Options) {
		o.SetClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	})
	a := r.owner()
	id := a.open()
	last := int64(0)
	for i, by := range []time.Duration{0, -48 * time.Hour, 0, 400 * 24 * time.Hour, time.Hour, -time.Hour} {
		ahead.Store(int64(by))
		got := a.say(id, fmt.Sprint(i))
		if got.GetTimeMs() < last || got.GetSeq() != uint64(i+1) {
			t.Errorf("clock at %v: entry %d of %d, after %d", by, got.GetSeq(), got.GetTimeMs(), last)
		}
		last = got.GetTimeMs()
	}
	ahead.Store(int64(48 * time.Hour))
	e, err := r.company.SignAs(a.Device, orglog.PolicySet{Name: "a", Value: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Append(e); hubtest.CodeOf(err) != wire.CodeClock {
		t.Errorf("an entry of another day: %v", err)
	}
	ahead.Store(0)
	if err := a.Append(e); err != nil {
		t.Errorf("the same when the clocks agree: %v", err)
	}
	sound(t, hub.Place{Data: r.Data(), Database: r.Database()})
}
