package hub_test

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"causa/crypto/mls"
	"causa/hub"
	"causa/hub/db/postgres/pgtest"
	"causa/hub/hubtest"
	"causa/matter"
	"causa/orglog"
	"causa/wire"
	"causa/wire/pb"
)

// notOnPostgres are the tests of what only a hub with a file of its own has, and of
// nothing that has to do with the database.
const notOnPostgres = "^(TestShared|Test.*OnPostgres|TestNATS.*|TestKill|Test.*Backup.*|Test.*Restore.*|TestCheck.*|TestDiskFull.*|TestLarge.*|TestPowerCut|TestMetrics)$"

// The hub behaves the same on PostgreSQL: its other tests run on it, too.
func TestOnPostgres(t *testing.T) {
	if os.Getenv(onPostgres) != "" {
		t.Skip("this is the process that runs the others")
	}
	server := pgtest.Start(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.short", "-test.timeout=5m", "-test.skip="+notOnPostgres)
	cmd.Env = append(os.Environ(), onPostgres+"="+server.Dir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A pair is two hubs of one company.
type pair struct {
	*rig
	other *hubtest.Hub
}

func newPair(t *testing.T, server *pgtest.Server, options ...func(*hub.Options)) *pair {
	t.Helper()
	url := server.Database()
	options = append(options, func(o *hub.Options) { o.Database = url })
	r := newRig(t, options...)
	data := t.TempDir()
	key, err := os.ReadFile(filepath.Join(r.Data(), "tls-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "tls-key.pem"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	other := hubtest.Start(t, append(options, func(o *hub.Options) { o.Data = data })...)
	if other.Pin() != r.Pin() {
		t.Fatal("the hubs have different keys")
	}
	return &pair{r, other}
}

// over connects a member to the other hub.
func (p *pair) over(m *member) {
	p.t.Helper()
	peer, ready, err := m.ConnectAt(p.other.Addr())
	if err != nil {
		p.t.Fatalf("connect to the other hub: %v", err)
	}
	m.Peer, m.ready = peer, ready
	p.t.Cleanup(func() { peer.Close(); <-peer.Ended() })
}

// Two hubs on one database are one hub to everybody: nothing is decided by what one of
// them remembers.
func TestShared(t *testing.T) {
	server := pgtest.Start(t)
	for _, tt := range []struct {
		name string
		test func(*testing.T, *pair)
	}{
		{"the organisation is known everywhere", sharedOrganisation},
		{"sends at both", sharedSends},
		{"one commit for each epoch", sharedCommits},
		{"the newest connection counts", sharedFence},
		{"a key package is given out once", sharedClaims},
		{"entries of the log race", sharedAppends},
		{"a hub starts while the log grows", sharedStart},
		{"a matter is created once", sharedCreate},
		{"retention at both", sharedTrim},
		{"devices hear of what the other hub takes", sharedPushes},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, newPair(t, server)) })
	}
	t.Run("put back under a running hub", func(t *testing.T) { putBack(t, server) })
	t.Run("the database is gone for a while", func(t *testing.T) { databaseGone(t, server) })
}

func sharedOrganisation(t *testing.T, p *pair) {
	owner := p.owner()
	// Enrolled at one, it signs in at the other at once.
	a := p.hire(matter.RoleMember)
	p.over(a)
	id := a.open()
	// Invited at one, it enrols at the other.
	key, err := p.company.Invite(matter.RoleMember, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	d, e, err := p.company.SignEnrolment(key)
	if err != nil {
		t.Fatal(err)
	}
	peer := dial(t, p.other.Addr())
	if _, err := peer.SignInInvite(key); err != nil {
		t.Fatalf("sign in with an invite of the other hub: %v", err)
	}
	if err := peer.Append(e); err != nil {
		t.Fatal(err)
	}
	if err := p.company.Apply(e); err != nil {
		t.Fatal(err)
	}
	b := p.member(d) // at the first hub, which has not heard of it
	// A matter of one hub is the other's, too; devices enrolled at either can be added.
	a.change(id, []*member{b, owner}, nil)
	b.say(id, "hello")
	a.say(id, "hello back")
	if got := payloads(b.log(id)); len(got) != 2 {
		t.Errorf("b reads %q", got)
	}
	// Revoked at one, its messages are taken at neither, and no others before it is out.
	if err := p.company.Say(p.company.Owner(), orglog.DeviceRevoked{Device: b.ID}); err != nil {
		t.Fatal(err)
	}
	a.refused(wire.CodeRemovalDue, send(id, a.counter+1, a.groups[id].Epoch(), "too early"))
	a.change(id, nil, []*member{b})
	a.say(id, "after")
	if _, _, err := d.ConnectAt(p.other.Addr()); hubtest.CodeOf(err) != wire.CodeRevoked {
		t.Errorf("a revoked device signs in at the other hub: %v", err)
	}
}

func sharedSends(t *testing.T, p *pair) {
	a, b := p.owner(), p.hire(matter.RoleMember)
	id := a.open()
	a.change(id, []*member{b}, nil)
	p.over(b)
	const n = 300
	var wg sync.WaitGroup
	for _, m := range []*member{a, b} {
		wg.Go(func() {
			var answers []<-chan *pb.HubFrame
			for i := range uint64(n) {
				answer, err := m.Go(send(id, i+1, 1, fmt.Sprintf("%s %d", m.ID, i+1)))
				if err != nil {
					t.Error(err)
					return
				}
				answers = append(answers, answer)
			}
			for _, answer := range answers {
				if _, err := m.Await(answer); err != nil {
					t.Errorf("send: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if _, stored, _ := verify(t, a.log(id), nil); stored != 2*n {
		t.Errorf("%d messages, want %d", stored, 2*n)
	}
	// A resend is known at the other hub.
	first := a.must(send(id, 7, 1, "whatever")).GetAccepted()
	p.over(a)
	if again := a.must(send(id, 7, 1, "whatever")).GetAccepted(); again.GetSeq() != first.GetSeq() || a.ready.GetLastCounter() != n {
		t.Errorf("resent at the other hub: %v, want %v", again, first)
	}
}

func sharedCommits(t *testing.T, p *pair) {
	a, b := p.owner(), p.hire(matter.RoleMember)
	id := a.open()
	a.change(id, []*member{b}, nil)
	p.over(b)
	for round := range 10 {
		won := make([]*mls.Pending, 2)
		var wg sync.WaitGroup
		for i, m := range []*member{a, b} {
			pending, bundle := m.bundle(id, nil, nil)
			wg.Go(func() {
				switch _, err := m.Call(commit(bundle)); hubtest.CodeOf(err) {
				case wire.CodeEpochConflict:
				default:
					if err != nil {
						t.Errorf("commit: %v", err)
					}
					won[i] = pending
				}
			})
		}
		wg.Wait()
		if (won[0] == nil) == (won[1] == nil) {
			t.Fatalf("round %d: both commits or none were taken", round)
		}
		for i, m := range []*member{a, b} {
			if won[i] != nil {
				m.groups[id] = won[i].Group()
			} else {
				m.process(id)
			}
		}
	}
	verify(t, a.log(id), nil)
}

func sharedFence(t *testing.T, p *pair) {
	a := p.owner()
	id := a.open()
	a.say(id, "one")
	old := a.Peer
	p.over(a)
	if a.ready.GetLastCounter() != 1 {
		t.Errorf("the other hub says counter %d, want 1", a.ready.GetLastCounter())
	}
	if _, err := old.Call(send(id, 2, 0, "by the old connection")); err == nil {
		t.Error("an old connection at another hub still sends")
	}
	if status := old.Status(); status != 4000+22 {
		t.Errorf("the old connection ended with %d", status)
	}
	a.say(id, "two")
	if got := payloads(a.log(id)); len(got) != 2 {
		t.Errorf("log: %q", got)
	}
}

func sharedClaims(t *testing.T, p *pair) {
	a, b, c := p.owner(), p.hire(matter.RoleMember), p.hire(matter.RoleMember)
	p.over(b)
	const n = 60
	var kps [][]byte
	for range n {
		kps = append(kps, c.keyPackage(mls.KeyPackageOptions{}))
	}
	c.must(publish(nil, kps...))
	var mu sync.Mutex
	given := map[string]int{}
	var wg sync.WaitGroup
	for _, m := range []*member{a, b} {
		wg.Go(func() {
			for range n / 2 {
				f, err := m.Call(claim(c.ID))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, k := range f.GetKeyPackages().GetClaimed() {
					given[string(k.GetKeyPackage())]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, times := range given {
		if times != 1 {
			t.Errorf("a key package was given out %d times", times)
		}
	}
	if len(given) < n-2 { // one that another transaction holds is passed over
		t.Errorf("%d of %d key packages were given out", len(given), n)
	}
}

func sharedAppends(t *testing.T, p *pair) {
	a, b := p.owner(), p.hire(matter.RoleAdmin)
	p.over(b)
	for range 10 {
		var entries []*orglog.Entry
		for _, m := range []*member{a, b} {
			e, err := p.company.SignAs(m.Device, orglog.MemberInvited{
				Member: matter.NewMemberID(), Name: "Somebody", Role: matter.RoleMember, InviteKey: newKey(t), Expires: time.Now().Add(time.Hour).Truncate(time.Millisecond),
			})
			if err != nil {
				t.Fatal(err)
			}
			entries = append(entries, e)
		}
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i, m := range []*member{a, b} {
			wg.Go(func() { errs[i] = m.Append(entries[i]) })
		}
		wg.Wait()
		won := 0
		for i, err := range errs {
			switch {
			case err == nil:
				won++
				if err := p.company.Apply(entries[i]); err != nil {
					t.Fatal(err)
				}
			case hubtest.CodeOf(err) != wire.CodeLogConflict:
				t.Errorf("append: %v", err)
			}
		}
		if won != 1 {
			t.Fatalf("%d of two entries for one place were taken", won)
		}
	}
}

func sharedStart(t *testing.T, p *pair) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := p.company.Invite(matter.RoleMember, time.Hour); err != nil {
				t.Errorf("invite: %v", err)
				return
			}
		}
	})
	for range 10 {
		p.other.Restart()
	}
	close(stop)
	wg.Wait()
}

func sharedCreate(t *testing.T, p *pair) {
	a, b := p.owner(), p.hire(matter.RoleMember)
	p.over(b)
	for range 10 {
		id := matter.NewID()
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i, m := range []*member{a, b} {
			_, info := m.group(id)
			wg.Go(func() { _, errs[i] = m.Call(create(id, info)) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("both or none created the matter: %v", errs)
		}
		for _, err := range errs {
			if err != nil && hubtest.CodeOf(err) != wire.CodeMatterExists {
				t.Errorf("create: %v", err)
			}
		}
	}
}

func sharedTrim(t *testing.T, p *pair) {
	a := p.owner()
	id := a.open()
	for i := range 600 {
		a.say(id, name(i))
	}
	var wg sync.WaitGroup
	for _, h := range []*hub.Hub{p.Hub.Hub, p.other.Hub} {
		wg.Go(func() {
			if err := h.Trim(); err != nil {
				t.Errorf("trim: %v", err)
			}
		})
	}
	wg.Go(func() {
		for i := range 50 {
			a.say(id, name(i))
		}
	})
	wg.Wait()
	problems, err := hub.Check(t.Context(), hub.Place{Data: p.Data(), Database: p.Database()})
	if err != nil || len(problems) > 0 {
		t.Errorf("check: %q, %v", problems, err)
	}
}

func sharedPushes(t *testing.T, p *pair) {
	a, b, c := p.owner(), p.hire(matter.RoleMember), p.hire(matter.RoleMember)
	id := a.open()
	a.change(id, []*member{b}, nil)
	p.over(b)
	p.over(c)
	a.say(id, "from the first hub")
	f, err := b.Push(isPage(id))
	if err != nil || f.GetMatterPage().GetHead() != 2 {
		t.Fatalf("pushed at the other hub: %v, %v", f, err)
	}
	if got := payloads(b.log(id)); len(got) != 1 {
		t.Errorf("b reads %q", got)
	}
	_, bundle := a.bundle(id, []*member{c}, nil)
	a.must(commit(bundle))
	if _, err := c.Push(func(f *pb.HubFrame) bool { return f.GetWelcomes() != nil }); err != nil {
		t.Errorf("welcome at the other hub: %v", err)
	}
	old := c.Peer // says nothing more, and yet is ended when the device connects elsewhere
	c.connect()
	<-old.Ended()
	if status := old.Status(); status != 4000+22 {
		t.Errorf("the old connection ended with %d", status)
	}
}

// putBack: hubs under which the database is replaced by an earlier one take nothing
// until they are started again; then devices learn of it.
func putBack(t *testing.T, server *pgtest.Server) {
	p := newPair(t, server)
	a := p.owner()
	id := a.open()
	a.say(id, "before")
	at := hub.Place{Data: p.Data(), Database: p.Database()}
	incarnation, err := hub.Restored(t.Context(), at)
	if err != nil || incarnation == 0 {
		t.Fatalf("Restored = %d, %v", incarnation, err)
	}
	a.refused(wire.CodeInternal, send(id, a.counter+1, 0, "in between"))
	p.Restart()
	p.other.Restart()
	a.connect()
	if got := a.ready.GetIncarnation(); got != incarnation {
		t.Errorf("incarnation %d, want %d", got, incarnation)
	}
	a.say(id, "after")
	if got := payloads(a.log(id)); len(got) != 2 {
		t.Errorf("log: %q", got)
	}
	st, err := hub.ReadStatus(t.Context(), at)
	if err != nil || st.Incarnation != incarnation || st.Live == nil {
		t.Errorf("status = %+v, %v", st, err)
	}
	_, err = hub.Backup(t.Context(), at, filepath.Join(t.TempDir(), "x"))
	worded(t, err, "saved with PostgreSQL's own programs")
}

// databaseGone: without its database a hub refuses and waits, and goes on by itself when
// it is there again. Nothing that was acknowledged is lost, nothing is there twice.
func databaseGone(t *testing.T, server *pgtest.Server) {
	p := newPair(t, server)
	a, b := p.owner(), p.hire(matter.RoleMember)
	id := a.open()
	a.change(id, []*member{b}, nil)
	p.over(b)
	s := &sender{m: a, id: id, acked: map[uint64]uint64{}}
	said := func(m *member, code wire.Code) {
		t.Helper()
		f, err := m.Call(send(id, m.counter+1, 1, fmt.Sprintf("%s %d", m.ID, m.counter+1)))
		switch {
		case code == 0 && err != nil, hubtest.CodeOf(err) != code:
			t.Fatalf("send: %v, want code %d", err, code)
		case code == 0:
			m.counter++
			if m == a {
				s.acked[m.counter] = f.GetAccepted().GetSeq()
			}
		}
	}
	for round := range 2 {
		said(a, 0)
		said(b, 0)
		server.Stop()
		began := time.Now()
		if f := a.refused(wire.CodeUnavailable, send(id, a.counter+1, 1, fmt.Sprintf("%s %d", a.ID, a.counter+1))); f.GetRetryAfterMs() == 0 {
			t.Error("no word of when to try again")
		}
		if held := time.Since(began); round == 0 && held < time.Second {
			t.Errorf("held back for %v only", held)
		}
		began = time.Now()
		said(a, wire.CodeUnavailable) // at once, now that it is known
		a.refused(wire.CodeUnavailable, pull(id, 0))
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("refusing took %v", took)
		}
		if got := p.Expose(); !strings.Contains(got, "causa_hub_database_gone 1\n") {
			t.Error("metrics don't tell")
		}
		if _, err := hub.ReadStatus(t.Context(), hub.Place{Data: t.TempDir(), Database: p.Database()}); err == nil {
			t.Error("a database that is gone has a status")
		}
		server.Restart()
		for late := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
			if _, err := a.Call(heads()); err == nil { // the same connection
				break
			} else if time.Now().After(late) {
				t.Fatalf("the hub does not find its database again: %v", err)
			}
		}
		said(a, 0)
		said(b, 0)
		if got := p.Expose(); !strings.Contains(got, "causa_hub_database_gone 0\n") {
			t.Error("metrics still tell")
		}
		// For a moment only, and nobody notices.
		server.Stop()
		answer, err := a.Go(send(id, a.counter+1, 1, fmt.Sprintf("%s %d", a.ID, a.counter+1)))
		if err != nil {
			t.Fatal(err)
		}
		server.Restart()
		if _, err := a.Await(answer); err == nil || hubtest.CodeOf(err) == wire.CodeUnavailable {
			said(a, 0) // taken now, or answered as it was then
		} else {
			t.Errorf("send over a restart: %v", err)
		}
	}
	if acked, stored, _ := verify(t, a.log(id), []*sender{s}); acked < 6 || stored < 10 {
		t.Errorf("%d acknowledged, %d stored", acked, stored)
	}
}

func newKey(t *testing.T) ed25519.PublicKey {
	t.Helper()
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return public
}
