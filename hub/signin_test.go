package hub_test

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"io"
	"net/http"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"causa/hub"
	"causa/hub/hubtest"
	"causa/matter"
	"causa/orglog"
	"causa/wire"
	"causa/wire/pb"
)

// dial connects without signing in.
func dial(t *testing.T, addr string) *hubtest.Peer {
	t.Helper()
	p, err := hubtest.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(); <-p.Ended() })
	return p
}

func signIn(device matter.DeviceID, signature []byte) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: &pb.SignIn{
		Version: wire.Version, Who: &pb.SignIn_Device{Device: device[:]}, Signature: signature,
	}}}
}

func TestSignInRefused(t *testing.T) {
	r := newRig(t)
	d := r.company.Owner()
	sign := func(p *hubtest.Peer, pin [32]byte, who wire.Who, key ed25519.PrivateKey) []byte {
		return ed25519.Sign(key, wire.SignInBytes([32]byte(p.Challenge().GetNonce()), pin, who))
	}
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	old := dial(t, r.Addr())
	oldSignature := sign(old, r.Pin(), wire.DeviceSignIn(d.ID), d.Key)
	tests := []struct {
		name  string
		frame func(p *hubtest.Peer) *pb.ClientFrame
		want  wire.Code
	}{
		{"another key", func(p *hubtest.Peer) *pb.ClientFrame {
			return signIn(d.ID, sign(p, r.Pin(), wire.DeviceSignIn(d.ID), stranger))
		}, wire.CodeSignIn},
		{"an unknown device", func(p *hubtest.Peer) *pb.ClientFrame {
			id := matter.DeviceOf(stranger.Public().(ed25519.PublicKey)) //nolint:forcetypeassert // as documented
			return signIn(id, sign(p, r.Pin(), wire.DeviceSignIn(id), stranger))
		}, wire.CodeSignIn},
		{"a replayed signature", func(*hubtest.Peer) *pb.ClientFrame { return signIn(d.ID, oldSignature) }, wire.CodeSignIn},
		{"a signature for another hub's key, passed on", func(p *hubtest.Peer) *pb.ClientFrame {
			return signIn(d.ID, sign(p, [32]byte{1}, wire.DeviceSignIn(d.ID), d.Key))
		}, wire.CodeSignIn},
		{"an invite's signature", func(p *hubtest.Peer) *pb.ClientFrame {
			who, err := wire.InviteSignIn(d.ID[:])
			if err != nil {
				t.Fatal(err)
			}
			return signIn(d.ID, sign(p, r.Pin(), who, d.Key))
		}, wire.CodeSignIn},
		{"another version", func(p *hubtest.Peer) *pb.ClientFrame {
			f := signIn(d.ID, sign(p, r.Pin(), wire.DeviceSignIn(d.ID), d.Key))
			f.GetSignIn().Version = 99
			return f
		}, wire.CodeVersion},
		{"a request before it", func(*hubtest.Peer) *pb.ClientFrame { return pullLog(0) }, wire.CodeNotSignedIn},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := dial(t, r.Addr())
			if _, err := p.Call(tt.frame(p)); hubtest.CodeOf(err) != tt.want {
				t.Fatalf("sign in: %v, want code %d", err, tt.want)
			}
			awaitEnd(t, p, tt.want)
		})
	}
}

func TestFramesThatCannotBeRead(t *testing.T) {
	r := newRig(t)
	p := dial(t, r.Addr())
	if err := p.Write([]byte("nonsense")); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, p, wire.CodeMalformed)

	p = dial(t, r.Addr())
	if err := p.Write(make([]byte, wire.MaxFrameJoining+1)); err != nil {
		t.Fatal(err)
	}
	if got := p.Status(); got != 1009 {
		t.Errorf("a large frame of a stranger ends the connection with %d, want 1009", got)
	}

	// Of a device that has signed in, only the request is refused.
	a := r.owner()
	f := &pb.ClientFrame{Request: 900, Body: &pb.ClientFrame_AppendLog{AppendLog: &pb.AppendLog{Entry: make([]byte, wire.MaxLogEntry+1)}}}
	b, err := proto.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Write(b); err != nil {
		t.Fatal(err)
	}
	push, err := a.Push(func(f *pb.HubFrame) bool { return f.GetRequest() == 900 })
	if err != nil || wire.Code(push.GetFailure().GetCode()) != wire.CodeTooLarge {
		t.Errorf("an entry over the limit: %v, %v", push, err)
	}
	a.must(heads())
	if _, err := a.SignInDevice(a.ID, a.Key); hubtest.CodeOf(err) != wire.CodeNotAllowed {
		t.Errorf("second sign-in: %v", err)
	}
}

func TestFounding(t *testing.T) {
	h := hubtest.Start(t)
	link := h.Founding()
	invite, err := orglog.ParseInvite(link)
	if err != nil {
		t.Fatal(err)
	}
	h.Restart()
	if h.Founding() != link {
		t.Error("the founding link is another one after a restart")
	}
	if invite.Hub != h.Addr() || invite.Pin != h.Pin() || !invite.Founding() {
		t.Errorf("link to %q", invite.Hub)
	}
	// Two founders at once: one log.
	late := dial(t, h.Addr())
	if _, err := late.SignInInvite(invite.Key); err != nil {
		t.Fatal(err)
	}
	if _, err := late.Call(heads()); hubtest.CodeOf(err) != wire.CodeNotAllowed {
		t.Errorf("the founder pulls heads: %v", err)
	}
	if _, _, err := hubtest.Found(h.Addr(), link); err != nil {
		t.Fatal(err)
	}
	if _, err := late.Call(pullLog(0)); hubtest.CodeOf(err) != wire.CodeAlreadyFounded {
		t.Errorf("a second founder pulls the log: %v", err)
	}
	if _, _, err := hubtest.Found(h.Addr(), link); hubtest.CodeOf(err) != wire.CodeAlreadyFounded {
		t.Errorf("found again: %v", err)
	}
	if _, ok := h.FoundingLink(); ok {
		t.Error("there is a founding link after the founding")
	}
	h.Restart()
	if _, ok := h.FoundingLink(); ok {
		t.Error("there is a founding link after the founding and a restart")
	}
}

func TestInvites(t *testing.T) {
	r := newRig(t)
	invite, err := r.company.Invite(matter.RoleMember, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	other, err := r.company.Invite(matter.RoleMember, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	p := dial(t, r.Addr())
	if _, err := p.SignInInvite(invite); err != nil {
		t.Fatal(err)
	}
	if f, err := p.Call(pullLog(0)); err != nil || len(f.GetLogPage().GetEntries()) != 3 {
		t.Fatalf("pull log: %v, %v", f, err)
	}
	for _, f := range []*pb.ClientFrame{heads(), take(), drop(1), claim(r.company.Owner().ID), pull(matter.NewID(), 0), send(matter.NewID(), 1, 0, "x"), publish(nil), create(matter.NewID(), []byte{1}), pullGroupInfo(matter.NewID())} {
		if _, err := p.Call(f); hubtest.CodeOf(err) != wire.CodeNotAllowed {
			t.Errorf("the holder of an invite asks for %T: %v", f.GetBody(), err)
		}
	}
	// Nor may it say anything but its own enrolment.
	_, foreign, err := r.company.SignEnrolment(other)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Append(foreign); hubtest.CodeOf(err) != wire.CodeNotAllowed {
		t.Errorf("enrol with another invite: %v", err)
	}
	e, err := r.company.SignAs(r.company.Owner(), orglog.PolicySet{Name: "lease", Value: "24h"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Append(e); hubtest.CodeOf(err) != wire.CodeNotAllowed {
		t.Errorf("pass on the owner's statement: %v", err)
	}
	d, enrolment, err := r.company.SignEnrolment(invite)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Append(enrolment); err != nil {
		t.Fatal(err)
	}
	if err := p.Append(enrolment); err != nil { // the answer was lost
		t.Errorf("append once more: %v", err)
	}
	if _, err := p.Call(pullLog(3)); err != nil {
		t.Errorf("pull after enrolling: %v", err)
	}
	late := dial(t, r.Addr())
	if _, err := late.SignInInvite(invite); hubtest.CodeOf(err) != wire.CodeInvite {
		t.Errorf("sign in with a used invite: %v", err)
	}
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	late = dial(t, r.Addr())
	if _, err := late.SignInInvite(stranger); hubtest.CodeOf(err) != wire.CodeInvite {
		t.Errorf("sign in with no invite: %v", err)
	}
	// An open connection does not outlive its invite.
	waiting := dial(t, r.Addr())
	if _, err := waiting.SignInInvite(other); err != nil {
		t.Fatal(err)
	}
	own := r.owner()
	public, _ := other.Public().(ed25519.PublicKey)
	if err := r.company.Apply(enrolment); err != nil {
		t.Fatal(err)
	}
	if err := r.company.Say(own.Device, orglog.InviteWithdrawn{InviteKey: public}); err != nil {
		t.Fatal(err)
	}
	if _, err := waiting.Call(pullLog(0)); hubtest.CodeOf(err) != wire.CodeInvite {
		t.Errorf("pull the log with a withdrawn invite: %v", err)
	}
	r.member(d)
}

func TestNewConnectionReplacesTheOld(t *testing.T) {
	r := newRig(t)
	a := r.owner()
	id := a.open()
	a.say(id, "one")
	first := a.Peer
	a.connect()
	if _, err := first.Push(isFailure(wire.CodeReplaced)); err != nil {
		t.Errorf("the old connection is not told: %v", err)
	}
	awaitEnd(t, first, wire.CodeReplaced)
	if a.ready.GetLastCounter() != 1 {
		t.Errorf("last counter = %d, want 1", a.ready.GetLastCounter())
	}
	a.say(id, "two")
}

func TestTLS(t *testing.T) {
	h := hubtest.Start(t)
	get := func(version uint16) (*http.Response, error) {
		client := &http.Client{Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, MaxVersion: version}, //nolint:gosec // what a careless peer would do
			DisableKeepAlives: true,
		}}
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://"+h.Addr()+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		return client.Do(req)
	}
	if res, err := get(tls.VersionTLS12); err == nil {
		_ = res.Body.Close()
		t.Error("the hub speaks TLS 1.2")
	}
	res, err := get(tls.VersionTLS13)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != "ok\n" || res.StatusCode != 200 {
		t.Errorf("healthz: %d %q, %v", res.StatusCode, b, err)
	}
	pin := h.Pin()
	h.Restart()
	if h.Pin() != pin {
		t.Error("the pin is another one after a restart")
	}
}

func TestManyStrangers(t *testing.T) {
	h := hubtest.Start(t, func(o *hub.Options) { o.MaxJoining = 4 })
	var peers []*hubtest.Peer
	for range 4 {
		peers = append(peers, dial(t, h.Addr()))
	}
	if p, err := hubtest.Dial(h.Addr()); err == nil {
		p.Close()
		t.Fatal("a fifth stranger was let in")
	}
	// Those who sign in make room.
	invite, err := orglog.ParseInvite(h.Founding())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := peers[0].SignInInvite(invite.Key); err != nil {
		t.Fatal(err)
	}
	dial(t, h.Addr())
}
