package hub_test

import (
	"crypto/ed25519"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"causa/dnd"
	"causa/hub"
	"causa/matter"
	"causa/orglog"
	"causa/wire"
	"causa/wire/pb"
)

// A sink is an endpoint at which devices are woken.
type sink struct {
	*httptest.Server
	t     *testing.T
	wakes chan string // the paths
	code  atomic.Int32
}

func newSink(t *testing.T) *sink {
	s := &sink{t: t, wakes: make(chan string, 100)}
	s.code.Store(http.StatusCreated)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b, err := io.ReadAll(r.Body); r.Method != http.MethodPost || err != nil || len(b) > 0 || r.URL.RawQuery != "" {
			t.Errorf("a wake-up says something: %s %s %q", r.Method, r.URL, b)
		}
		s.wakes <- r.URL.Path
		w.WriteHeader(int(s.code.Load()))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *sink) host() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	return u.Host
}

// woken waits for a wake-up.
func (s *sink) woken(path string) {
	s.t.Helper()
	select {
	case got := <-s.wakes:
		if got != path {
			s.t.Fatalf("woke %s, want %s", got, path)
		}
	case <-time.After(20 * time.Second):
		s.t.Fatalf("%s was not woken", path)
	}
}

// still makes sure that nobody is woken.
func (s *sink) still() {
	s.t.Helper()
	select {
	case got := <-s.wakes:
		s.t.Fatalf("%s was woken", got)
	case <-time.After(150 * time.Millisecond):
	}
}

// A night is a hub with a clock of its own, where Bob can be woken at an endpoint.
type night struct {
	*rig
	sink       *sink
	ahead      *atomic.Int64
	alice, bob *member
	id         matter.ID
	version    uint64
}

func newNight(t *testing.T) *night {
	t.Helper()
	n := &night{sink: newSink(t), ahead: new(atomic.Int64)}
	n.rig = newRig(t, func(o *hub.Options) {
		o.SetClock(func() time.Time { return time.Now().Add(time.Duration(n.ahead.Load())) })
		o.WakeHosts, o.WakePrivate = []string{n.sink.host()}, true
	})
	n.alice, n.bob = n.owner(), n.hire(matter.RoleMember)
	n.id = n.alice.open()
	n.alice.change(n.id, []*member{n.bob}, nil)
	return n
}

func (n *night) now() time.Time { return time.Now().Add(time.Duration(n.ahead.Load())) }

// later moves the hub's clock, past the pause between two wake-ups.
func (n *night) later(d time.Duration) {
	n.ahead.Add(int64(d))
	n.LookAtClock()
}

func setWake(endpoint string, sleeping bool) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_SetWake{SetWake: &pb.SetWake{Endpoint: endpoint, Sleeping: sleeping}}}
}

// away has Bob name his endpoint and hang up.
func (n *night) away() {
	n.t.Helper()
	n.bob.must(setWake(n.sink.URL+"/bob", false))
	n.bob.Peer.Close()
	<-n.bob.Ended()
	for deadline := time.Now().Add(10 * time.Second); n.Online(n.bob.Device.ID); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			n.t.Fatal("Bob does not go")
		}
	}
}

func publishQuiet(m *member, version uint64, r dnd.Rules) *pb.ClientFrame {
	rules, err := r.Encode()
	if err != nil {
		panic(err)
	}
	return &pb.ClientFrame{Body: &pb.ClientFrame_PublishQuiet{PublishQuiet: &pb.PublishQuiet{
		Version: version, Rules: rules, Signature: ed25519.Sign(m.Key, wire.QuietBytes(m.Member, version, rules)),
	}}}
}

func quietUntil(t time.Time) dnd.Rules {
	return dnd.Rules{Manual: dnd.Manual{Kind: dnd.ManualQuiet, Until: t.Truncate(time.Second)}}
}

// rules has Bob publish his quiet hours, on a connection if he has none.
func (n *night) rules(r dnd.Rules) {
	n.t.Helper()
	n.version++
	n.bob.must(publishQuiet(n.bob, n.version, r))
}

func (n *night) urgent(counter uint64) *pb.ClientFrame {
	f := send(n.id, counter, n.alice.groups[n.id].Epoch(), "urgent")
	f.GetSendContent().Urgent = true
	return f
}

// While it is quiet nobody is woken; at its end each device is, once, also after a restart.
func TestWakesWaitForTheEnd(t *testing.T) {
	n := newNight(t)
	n.away()
	n.alice.say(n.id, "loud")
	n.sink.woken("/bob")

	n.bob.connect()
	end := n.now().Add(time.Hour)
	n.rules(quietUntil(end))
	n.away()
	n.later(time.Minute)
	for range 3 {
		n.alice.say(n.id, "in quiet hours")
	}
	n.sink.still()
	n.Restart()
	n.alice.connect()
	n.later(30 * time.Minute)
	n.alice.say(n.id, "after a restart")
	n.sink.still()
	n.later(30 * time.Minute)
	n.sink.woken("/bob")
	n.sink.still()

	// What has been told is told: not again after another restart.
	n.later(time.Minute)
	n.Restart()
	n.LookAtClock()
	n.sink.still()
}

// Rules that change while something is held count for what is held.
func TestWakesFollowTheRules(t *testing.T) {
	n := newNight(t)
	other := n.another(n.bob)
	n.rules(quietUntil(n.now().Add(time.Hour)))
	n.away()
	n.alice.say(n.id, "held")
	n.sink.still()
	n.bob.connect()
	n.rules(quietUntil(n.now().Add(3 * time.Hour)))
	n.away()
	n.later(2 * time.Hour)
	n.sink.still()

	// The matter is muted: what was held for it is let go.
	n.bob.connect()
	muted := quietUntil(n.now().Add(time.Minute))
	muted.Matters = []dnd.Override{{Matter: n.id, Mode: dnd.ModeNever}}
	n.rules(muted)
	n.away()
	n.later(time.Hour)
	n.sink.still()

	n.bob.connect()
	n.rules(quietUntil(n.now().Add(time.Hour)))
	n.away()
	n.alice.say(n.id, "held again")
	n.sink.still()
	other.must(publishQuiet(other, 100, dnd.Rules{})) // from another device, sooner than T
	n.sink.woken("/bob")
}

// The organisation's quiet hours hold for those who have none of their own.
func TestWakesFollowTheFloor(t *testing.T) {
	n := newNight(t)
	n.away()
	floor := dnd.Floor{Zone: "UTC", Windows: []dnd.Window{
		{Days: dnd.EveryDay, From: clock(n.now().Add(-time.Hour)), To: clock(n.now().Add(2 * time.Hour))},
	}}
	text, err := floor.Text()
	if err != nil {
		t.Fatal(err)
	}
	if err := n.company.Say(n.alice.Device, orglog.PolicySet{Name: "quiet.floor", Value: text}); err != nil {
		t.Fatal(err)
	}
	n.alice.say(n.id, "held by the floor")
	n.sink.still()
	if err := n.company.Say(n.alice.Device, orglog.PolicySet{Name: "quiet.floor"}); err != nil {
		t.Fatal(err)
	}
	n.sink.woken("/bob")
}

// another makes a further, connected device of a member's.
func (n *night) another(m *member) *member {
	n.t.Helper()
	d, err := n.company.Another(m.Device)
	if err != nil {
		n.t.Fatal(err)
	}
	return n.member(d)
}

func clock(t time.Time) dnd.Clock { return dnd.At(t.UTC().Hour(), t.UTC().Minute()) }

// Urgent messages wake in quiet hours, within their budget, and not those of guests.
func TestUrgentWakes(t *testing.T) {
	n := newNight(t)
	guest := n.hire(matter.RoleGuest)
	n.alice.change(n.id, []*member{guest}, nil)
	guest.refused(wire.CodeUrgentBudget, n.urgent(1))
	n.alice.change(n.id, nil, []*member{guest})
	n.rules(quietUntil(n.now().Add(time.Hour)))
	n.away()
	for i := range 2 {
		n.alice.must(n.urgent(uint64(i + 1)))
		n.sink.woken("/bob")
		n.later(time.Minute)
	}
	n.alice.refused(wire.CodeUrgentBudget, n.urgent(3))
	n.alice.counter = 2
	n.alice.say(n.id, "ordinary") // the refused one has used up nothing
	n.sink.still()
	n.Restart()
	n.alice.connect()
	n.alice.refused(wire.CodeUrgentBudget, n.urgent(4))
	n.later(25 * time.Hour)
	n.sink.woken("/bob") // quiet hours are over by now
	n.later(time.Minute)
	n.alice.must(n.urgent(4))
	n.sink.woken("/bob")
}

// A device that sleeps is sent nothing but that something waits, and catches up when it wakes.
func TestSleepers(t *testing.T) {
	n := newNight(t)
	n.bob.must(setWake("", true))
	accepted := n.alice.say(n.id, "good night")
	isPage := func(f *pb.HubFrame) bool { return f.GetMatterPage().GetHead() == accepted.GetSeq() }
	if _, err := n.bob.Push(func(f *pb.HubFrame) bool { return f.GetWake() != nil }); err != nil {
		t.Fatal(err)
	}
	if _, pushed := n.bob.Pushed(isPage); pushed {
		t.Error("a sleeping device was sent a page")
	}
	n.bob.must(setWake("", false))
	f, err := n.bob.Push(isPage)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.GetMatterPage().GetEntries()) != 0 {
		t.Error("what was left out was sent after all")
	}
	n.alice.say(n.id, "good morning")
	if _, err := n.bob.Push(func(f *pb.HubFrame) bool { return len(f.GetMatterPage().GetEntries()) == 1 }); err != nil {
		t.Error("pages do not come again:", err)
	}
	if _, woken := n.bob.Pushed(func(f *pb.HubFrame) bool { return f.GetWake() != nil }); woken {
		t.Error("a device that is awake was woken")
	}
	n.bob.must(setWake("", true))
	n.rules(quietUntil(n.now().Add(time.Hour)))
	n.alice.say(n.id, "in quiet hours")
	time.Sleep(100 * time.Millisecond)
	if _, woken := n.bob.Pushed(func(f *pb.HubFrame) bool { return f.GetWake() != nil }); woken {
		t.Error("woken in quiet hours")
	}
}

// Who is in a matter sees how quiet it is for the others, and nothing of why.
func TestPresence(t *testing.T) {
	n := newNight(t)
	eve := n.hire(matter.RoleMember)
	ask := &pb.ClientFrame{Body: &pb.ClientFrame_PullPresence{PullPresence: &pb.PullPresence{Matter: n.id[:]}}}
	eve.refused(wire.CodeNoMatter, ask)

	end := n.now().Add(time.Hour).Truncate(time.Second)
	r := quietUntil(end)
	r.Zone, r.VIPs = "Asia/Shanghai", []matter.MemberID{n.alice.Member}
	n.rules(r)
	status := func(what pb.Status, until time.Time) *pb.ClientFrame {
		return &pb.ClientFrame{Body: &pb.ClientFrame_SetStatus{SetStatus: &pb.SetStatus{Status: what, UntilMs: until.UnixMilli()}}}
	}
	n.bob.must(status(pb.Status_STATUS_MEETING, n.now().Add(time.Minute)))
	n.bob.refused(wire.CodeMalformed, status(pb.Status_STATUS_MEETING, n.now().Add(100*24*time.Hour)))
	find := func(m matter.MemberID) *pb.Presences_Presence {
		t.Helper()
		for _, p := range n.alice.must(ask).GetPresences().GetMembers() {
			if matter.MemberID(p.GetMember()) == m {
				return p
			}
		}
		t.Fatalf("nothing about %s", m)
		return nil
	}
	p := find(n.bob.Member)
	if !p.GetQuiet() || p.GetQuietUntilMs() != end.UnixMilli() || p.GetZone() != "Asia/Shanghai" || p.GetStatus() != pb.Status_STATUS_MEETING {
		t.Errorf("presence = %v, want quiet until %v, although Alice may break through", p, end)
	}
	n.later(2 * time.Minute)
	if p := find(n.bob.Member); p.GetStatus() != pb.Status_STATUS_UNSPECIFIED {
		t.Errorf("status = %v after its end", p.GetStatus())
	}
	n.later(time.Hour)
	if p := find(n.bob.Member); p.GetQuiet() {
		t.Errorf("presence = %v after quiet hours", p)
	}
	if p := find(n.alice.Member); p.GetQuiet() || p.GetZone() != "" {
		t.Errorf("presence = %v of somebody who has published nothing", p)
	}
}

// What can't be used is refused, and an older version changes nothing.
func TestPublishedQuietHours(t *testing.T) {
	n := newNight(t)
	good := publishQuiet(n.bob, 5, quietUntil(n.now().Add(time.Hour)))
	n.bob.must(good)
	n.bob.must(good)
	forged := publishQuiet(n.alice, 6, dnd.Rules{}) // by Alice's key, for Alice
	n.bob.refused(wire.CodeQuiet, forged)
	for _, rules := range [][]byte{{1}, []byte("rules"), append([]byte{1, 0, 12}, "Mars/Olympus\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)} {
		n.bob.refused(wire.CodeQuiet, &pb.ClientFrame{Body: &pb.ClientFrame_PublishQuiet{PublishQuiet: &pb.PublishQuiet{
			Version: 6, Rules: rules, Signature: ed25519.Sign(n.bob.Key, wire.QuietBytes(n.bob.Member, 6, rules)),
		}}})
	}
	n.bob.must(publishQuiet(n.bob, 4, dnd.Rules{})) // late: what counts stays
	n.away()
	n.alice.say(n.id, "held")
	n.sink.still()
}

func TestEndpoints(t *testing.T) {
	open := hub.Options{WakeHosts: []string{"push.example.com", "push.example.com:8443", "[2001:db8::1]:99"}}
	private := hub.Options{WakeHosts: []string{"push.example.com"}, WakePrivate: true}
	for _, tt := range []struct {
		options  hub.Options
		endpoint string
		ok       bool
	}{
		{open, "https://push.example.com/abc?x=y", true},
		{open, "https://push.example.com:443/abc", true},
		{open, "https://push.example.com:8443/abc", true},
		{open, "https://[2001:db8::1]:99/abc", true},
		{open, "http://push.example.com/abc", false},
		{private, "http://push.example.com/abc", true},
		{open, "https://push.example.com:9443/abc", false},
		{open, "https://push.example.com.evil.com/", false},
		{open, "https://evil.com/push.example.com", false},
		{open, "https://push.example.com@evil.com/", false},
		{open, "https://user@push.example.com/", false},
		{open, "https://push.example.com/#x", false},
		{open, "ftp://push.example.com/", false},
		{open, "//push.example.com/", false},
		{open, "https:push.example.com", false},
		{open, "https://127.0.0.1/", false},
		{open, "file:///etc/passwd", false},
		{open, "https:///x", false},
		{open, "https://push.example.com%00.evil.com/", false},
		{hub.Options{}, "https://push.example.com/", false},
	} {
		if err := tt.options.CheckEndpoint(tt.endpoint); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.endpoint, err)
		}
	}
	for address, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true,
		"127.0.0.1": false, "10.1.2.3": false, "192.168.0.1": false, "172.16.0.1": false, "169.254.169.254": false, "100.64.0.1": false,
		"0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false, "::1": false, "::": false, "fe80::1": false, "fd00::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "ff02::1": false, "198.18.0.1": false,
	} {
		if got := hub.Public(netip.MustParseAddr(address)); got != want {
			t.Errorf("Public(%s) = %v", address, got)
		}
	}
}

// The hub goes nowhere else than where it was told: it follows nothing, and knocks at no
// private address that a public name stands for.
func TestWakesGoNowhereElse(t *testing.T) {
	n := newNight(t)
	trap := newSink(t)
	away := httptest.NewServer(http.RedirectHandler(trap.URL+"/trap", http.StatusTemporaryRedirect))
	defer away.Close()
	n.bob.refused(wire.CodeWakeHost, setWake(away.URL, false))

	_, port, err := net.SplitHostPort(strings.TrimPrefix(away.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	other := newRig(t, func(o *hub.Options) {
		o.WakeHosts, o.WakePrivate = []string{"127.0.0.1:" + port}, true
	})
	alice, bob := other.owner(), other.hire(matter.RoleMember)
	id := alice.open()
	alice.change(id, []*member{bob}, nil)
	bob.must(setWake(away.URL, false))
	bob.Peer.Close()
	<-bob.Ended()
	alice.say(id, "where do you go?")
	trap.still()

	// An endpoint that is gone is forgotten.
	n.away()
	n.sink.code.Store(http.StatusGone)
	n.alice.say(n.id, "are you there?")
	n.sink.woken("/bob")
	n.later(time.Minute)
	n.alice.say(n.id, "no more")
	n.sink.still()
}

// An endpoint that fails is tried again, some times.
func TestWakesAreTriedAgain(t *testing.T) {
	n := newNight(t)
	n.away()
	n.sink.code.Store(http.StatusServiceUnavailable)
	n.alice.say(n.id, "hello?")
	for range 4 {
		n.sink.woken("/bob")
		time.Sleep(50 * time.Millisecond) // for the hub to read the answer
		n.later(2 * time.Minute)
	}
	n.later(time.Hour)
	n.sink.still()
}
