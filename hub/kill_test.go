package hub_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causa/hub"
	"causa/hub/db/postgres/pgtest"
	"causa/hub/hubtest"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// beHub is what a process does that is to be killed.
func beHub(data string) {
	fast := hub.Rate{PerSecond: 1e6, Burst: 1e6}
	listen := "127.0.0.1:0"
	if b, err := os.ReadFile(data + "/address"); err == nil {
		listen = strings.TrimSpace(string(b))
	}
	h, err := hub.Open(hub.Options{Data: data, Database: os.Getenv(hubDatabase), NATS: os.Getenv(hubNATS), Listen: listen, Sends: fast, Commits: fast, Claims: fast, Requests: fast, Connections: fast})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	link, _ := h.FoundingLink()
	fmt.Println(h.Addr(), link)
	fmt.Println(h.Serve(context.Background()))
	os.Exit(1)
}

// hubDatabase is the database of a process that is a hub.
const hubDatabase = "CAUSA_TEST_HUB_DATABASE"

// hubNATS is its NATS.
const hubNATS = "CAUSA_TEST_HUB_NATS"

// A victim is a hub in a process of its own.
type victim struct {
	t    *testing.T
	data string
	at   string // its database, unless in data
	nats string // where it talks to other hubs
	cmd  *exec.Cmd
	addr string
	link string
}

func (v *victim) start() {
	v.t.Helper()
	v.cmd = exec.CommandContext(v.t.Context(), os.Args[0])
	v.cmd.Env = append(os.Environ(), asHub+"="+v.data, hubDatabase+"="+v.at, hubNATS+"="+v.nats)
	v.cmd.Stderr = os.Stderr
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		v.t.Fatal(err)
	}
	if err := v.cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		v.t.Fatalf("the hub does not start: %v", err)
	}
	v.addr, v.link, _ = strings.Cut(strings.TrimSpace(line), " ")
}

// end ends it if it was not killed.
func (v *victim) end() {
	if v.cmd.ProcessState == nil {
		v.kill()
	}
}

func (v *victim) kill() {
	if err := v.cmd.Process.Kill(); err != nil {
		v.t.Error(err)
	}
	_ = v.cmd.Wait() // it was killed
}

// A sender keeps sending, whatever happens to the hub.
type sender struct {
	m     *member
	id    matter.ID
	epoch *atomic.Uint64
	acked map[uint64]uint64 // counter to sequence
	stop  chan struct{}
}

func (s *sender) payload(counter uint64) string { return fmt.Sprintf("%s %d", s.m.ID, counter) }

func (s *sender) stopped() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// connect tries until the hub is there again.
func (s *sender) connect() bool {
	for !s.stopped() {
		p, ready, err := s.m.Device.Connect()
		if err == nil {
			s.m.Peer, s.m.ready = p, ready
			return true
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}

// run sends with several messages on the way, until stopped.
func (s *sender) run(t *testing.T) {
	const window = 16
	for s.connect() {
		p, taken := s.m.Peer, s.m.ready.GetLastCounter()
		for last := range s.acked {
			if last > taken {
				t.Errorf("message %d was acknowledged and is lost: the hub has %d", last, taken)
			}
		}
		for err := error(nil); err == nil && !s.stopped(); {
			var answers []<-chan *pb.HubFrame
			for i := range uint64(window) {
				var a <-chan *pb.HubFrame
				if a, err = p.Go(send(s.id, taken+1+i, s.epoch.Load(), s.payload(taken+1+i))); err != nil {
					break
				}
				answers = append(answers, a)
			}
			for _, a := range answers {
				var f *pb.HubFrame
				f, err = p.Await(a)
				switch hubtest.CodeOf(err) {
				case 0:
					if err == nil {
						taken++
						s.acked[taken] = f.GetAccepted().GetSeq()
					}
				case wire.CodeEpochStale, wire.CodeCounterGap: // a commit came between
					err = nil
				default:
					t.Errorf("send: %v", err)
				}
				if err != nil {
					break
				}
			}
		}
		p.Close()
		<-p.Ended()
	}
}

// rotate keeps renewing keys: commits, too, happen once or not at all.
func (s *sender) rotate(t *testing.T) (commits uint64) {
	var bundle *pb.ClientFrame
	m := s.m
	for s.connect() {
		for !s.stopped() {
			pending, b := m.bundle(s.id, nil, nil)
			if bundle == nil {
				bundle = commit(b)
			} else {
				pending = nil // first the one whose answer was lost
			}
			_, err := m.Call(bundle)
			if hubtest.CodeOf(err) != 0 {
				t.Errorf("commit: %v", err)
				return commits
			}
			if err != nil {
				if pending != nil {
					s.m.pending = pending
				}
				break
			}
			if pending == nil {
				pending = s.m.pending
			}
			bundle = nil
			m.groups[s.id] = pending.Group()
			s.epoch.Store(m.groups[s.id].Epoch())
			commits++
			time.Sleep(3 * time.Millisecond)
		}
		m.Peer.Close()
		<-m.Ended()
	}
	if bundle != nil { // it may or may not be in
		commits++
	}
	return commits
}

// A hub that is killed again and again under load loses nothing that it has
// acknowledged, and takes nothing twice. CAUSA_KILL_ROUNDS asks for more rounds.
func TestKill(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { killAgainAndAgain(t, "") })
	t.Run("PostgreSQL", func(t *testing.T) { killAgainAndAgain(t, pgtest.Start(t).Database()) })
}

func killAgainAndAgain(t *testing.T, database string) {
	rounds := 10
	if n, err := strconv.Atoi(os.Getenv("CAUSA_KILL_ROUNDS")); err == nil {
		rounds = n
	} else if testing.Short() {
		rounds = 3
	}
	v := &victim{t: t, data: t.TempDir(), at: database}
	v.start()
	defer func() { v.kill() }()
	c, _, err := hubtest.Found(v.addr, v.link)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, company: c}
	owner := r.owner()
	id := owner.open()
	var others []*member
	for range 3 {
		others = append(others, r.hire(matter.RoleMember))
	}
	owner.change(id, others, nil)
	var epoch atomic.Uint64
	epoch.Store(1)
	stop := make(chan struct{})
	var senders []*sender
	var wg sync.WaitGroup
	for _, m := range others {
		s := &sender{m: m, id: id, epoch: &epoch, acked: map[uint64]uint64{}, stop: stop}
		senders = append(senders, s)
		wg.Go(func() { s.run(t) })
	}
	var commits uint64
	rotator := &sender{m: owner, id: id, epoch: &epoch, stop: stop}
	wg.Go(func() { commits = rotator.rotate(t) })

	for range rounds {
		time.Sleep(time.Duration(50+rand.IntN(200)) * time.Millisecond)
		v.kill()
		v.start()
	}
	close(stop)
	wg.Wait()

	owner.connect()
	acked, stored, seenCommits := verify(t, owner.log(id), senders)
	if seenCommits != commits+1 && seenCommits != commits {
		t.Errorf("%d commits in the log, made %d", seenCommits, commits+1)
	}
	if acked < rounds*10 {
		t.Errorf("only %d messages were acknowledged: no load", acked)
	}
	problems, err := hub.Check(t.Context(), hub.Place{Data: v.data, Database: database})
	if err != nil || len(problems) > 0 {
		t.Errorf("check: %q, %v", problems, err)
	}
	t.Logf("%d rounds: %d messages acknowledged, %d stored, %d commits; none lost, none twice", rounds, acked, stored, seenCommits)
}

// verify holds a matter's log to what its senders know: no gaps, nothing twice, every
// acknowledged message where it was said to be, every epoch ended by one commit.
func verify(t *testing.T, entries []*pb.Entry, senders []*sender) (acked, stored int, commits uint64) {
	t.Helper()
	at := map[string]uint64{}
	counters := map[matter.DeviceID]uint64{}
	for i, e := range entries {
		if e.GetSeq() != uint64(i+1) {
			t.Fatalf("entry %d has seq %d", i, e.GetSeq())
		}
		if e.GetEpoch() != commits {
			t.Fatalf("entry %d of epoch %d in epoch %d", i, e.GetEpoch(), commits)
		}
		if e.GetKind() == pb.EntryKind_ENTRY_KIND_COMMIT {
			commits++
			continue
		}
		d := matter.DeviceID(e.GetSender())
		counters[d]++
		if want := fmt.Sprintf("%s %d", d, counters[d]); string(e.GetPayload()) != want {
			t.Fatalf("entry %d is %q, want %q", e.GetSeq(), e.GetPayload(), want)
		}
		at[string(e.GetPayload())] = e.GetSeq()
	}
	for _, s := range senders {
		for counter, seq := range s.acked {
			acked++
			if at[s.payload(counter)] != seq {
				t.Errorf("message %d was acknowledged at %d and is at %d", counter, seq, at[s.payload(counter)])
			}
		}
	}
	return acked, len(at), commits
}

// A hub that is stopped in good order under load leaves nothing behind, and loses
// nothing either.
func TestRestartUnderLoad(t *testing.T) {
	r := newRig(t)
	owner := r.owner()
	id := owner.open()
	others := []*member{r.hire(matter.RoleMember), r.hire(matter.RoleMember)}
	owner.change(id, others, nil)
	var epoch atomic.Uint64
	epoch.Store(1)
	stop := make(chan struct{})
	var senders []*sender
	var wg sync.WaitGroup
	for _, m := range others {
		s := &sender{m: m, id: id, epoch: &epoch, acked: map[uint64]uint64{}, stop: stop}
		senders = append(senders, s)
		wg.Go(func() { s.run(t) })
	}
	for range 4 {
		time.Sleep(50 * time.Millisecond)
		r.Restart()
	}
	time.Sleep(50 * time.Millisecond)
	close(stop)
	wg.Wait()
	owner.connect()
	if acked, _, _ := verify(t, owner.log(id), senders); acked < 50 {
		t.Errorf("only %d messages were acknowledged: no load", acked)
	}
}
