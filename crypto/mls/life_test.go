package mls

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"causa/crypto/mls/view"
)

// A mail is a message on its way to one client.
type mail struct {
	data      []byte
	handshake bool
	text      string
	epoch     uint64
}

// A liver is a client with an inbox, which it may not read for a while.
type liver struct {
	*client
	inbox  []mail
	joined uint64
}

// A life is a group to which things happen at random.
type life struct {
	t       *testing.T
	r       *rand.Rand
	suite   Suite
	opts    GroupOptions
	hub     *view.View
	members []*liver
	born    int
	late    []func() // application messages that arrive later
	did     map[string]int
}

const lifeMembers = 50

// TestRandomLife lets a group live through adds, removes, updates, external joins, PSKs,
// lost and late messages, crashes and conflicts; all members must agree in every epoch,
// and the hub's view must follow.
func TestRandomLife(t *testing.T) {
	steps := 2000
	if testing.Short() || raceDetector { // under the race detector it would take half an hour
		steps = 150
	}
	for _, id := range []Suite{Classic, Hybrid} {
		t.Run(id.String(), func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			l := &life{
				t: t, r: rand.New(rand.NewPCG(seed, 1)), suite: id, did: make(map[string]int), //nolint:gosec // a reproducible test
				opts: GroupOptions{PSK: func(id []byte) ([]byte, bool) { return append([]byte("key "), id...), true }},
			}
			l.begin()
			for range steps {
				l.step()
			}
			l.settle()
			t.Logf("epoch %d, %d members; %v", l.hub.Epoch(), len(l.members), l.did)
			for _, what := range []string{"add", "remove", "rotate", "propose", "external", "resync", "psk", "conflict", "say", "heard", "private"} {
				if steps >= 2000 && l.did[what] == 0 {
					t.Errorf("never did %s", what)
				}
			}
		})
	}
}

func (l *life) begin() {
	first := l.newborn()
	first.create("life")
	l.members = []*liver{first}
	l.openHub(first)
}

func (l *life) openHub(m *liver) {
	l.t.Helper()
	info, err := m.group.GroupInfo()
	if err != nil {
		l.t.Fatal(err)
	}
	if l.hub, err = view.Open(info, nil); err != nil {
		l.t.Fatalf("hub: %v", err)
	}
}

func (l *life) newborn() *liver {
	l.born++
	c := newClient(l.t, l.suite, fmt.Sprint("device ", l.born))
	c.opts = l.opts
	return &liver{client: c}
}

// someone returns a random member that has read its mail.
func (l *life) someone() *liver {
	m := l.members[l.r.IntN(len(l.members))]
	l.read(m)
	return m
}

// other returns a random member that isn't m, nil if there is none.
func (l *life) other(m *liver) *liver {
	if len(l.members) < 2 {
		return nil
	}
	for {
		if o := l.members[l.r.IntN(len(l.members))]; o != m {
			return o
		}
	}
}

func (l *life) step() {
	l.t.Helper()
	switch n := l.r.IntN(100); {
	case n < 14 && len(l.members) < lifeMembers:
		l.add()
	case n < 24:
		l.remove()
	case n < 36:
		l.did["rotate"]++
		m := l.someone()
		l.accept(m, l.commit(m, CommitRequest{}), nil)
	case n < 48:
		l.propose()
	case n < 52 && len(l.members) < lifeMembers:
		l.external()
	case n < 56:
		l.resync()
	case n < 61:
		l.psk()
	case n < 67:
		l.conflict()
	case n < 70:
		l.did["private"]++
		m := l.someone()
		l.accept(m, l.commit(m, CommitRequest{Private: true}), nil)
	case n < 88:
		l.say()
	case n < 93:
		m := l.someone()
		m.reload()
	default:
		for _, late := range l.late {
			late()
		}
		l.late = nil
		if l.r.IntN(4) == 0 {
			l.settle()
		}
	}
}

func (l *life) commit(m *liver, req CommitRequest) *Pending {
	l.t.Helper()
	return m.commit(req)
}

// accept is what happens when the hub takes a commit: it is sent to all members, and the
// newcomers join.
func (l *life) accept(m *liver, p *Pending, newcomers []*liver) {
	l.t.Helper()
	if _, next, err := l.hub.Commit(p.Commit(), p.GroupInfo()); err == nil {
		l.hub = next
	} else if next, oerr := view.Open(p.GroupInfo(), nil); errors.Is(err, view.ErrMalformed) && oerr == nil {
		l.hub = next // a private commit: the hub can't follow it
	} else {
		l.t.Fatalf("hub: %v, %v", err, oerr)
	}
	if l.r.IntN(5) == 0 { // a crash before the hub answered
		b, err := p.Marshal()
		if err != nil {
			l.t.Fatal(err)
		}
		if p, err = UnmarshalPending(b, m.signer, m.opts); err != nil {
			l.t.Fatal(err)
		}
		if m.group != nil {
			p.Follow(m.group)
		}
	}
	l.post(m, mail{data: p.Commit(), handshake: true})
	old := m.group
	m.group = p.Group()
	if old != nil {
		old.Wipe(m.group)
	}
	for _, n := range newcomers {
		n.join(p.Welcome())
		n.joined = n.group.Epoch()
	}
	l.members = append(l.members, newcomers...)
	l.bury()
	// Whoever has read everything agrees with the committer.
	for _, o := range l.members {
		if l.r.IntN(3) > 0 {
			l.read(o)
		}
		if len(o.inbox) == 0 && o != m {
			agree(l.t, m.client, o.client)
		}
	}
	l.bury()
	if got := l.hub.Epoch(); got != m.group.Epoch() {
		l.t.Fatalf("hub at epoch %d, members at %d", got, m.group.Epoch())
	}
	if got := len(l.hub.Members()); got != len(m.group.Members()) {
		l.t.Fatalf("hub sees %d members, want %d", got, len(m.group.Members()))
	}
}

// bury takes those out who aren't in the group any more, by the hub's word.
func (l *life) bury() {
	l.members = slices.DeleteFunc(l.members, func(m *liver) bool {
		return !slices.ContainsFunc(l.hub.Members(), func(v view.Member) bool { return string(v.Identity) == string(m.identity) })
	})
}

// post puts a message into all other members' inboxes.
func (l *life) post(from *liver, m mail) {
	for _, o := range l.members {
		if o != from {
			o.inbox = append(o.inbox, m)
		}
	}
}

// read lets a member read its inbox.
func (l *life) read(m *liver) {
	l.t.Helper()
	inbox := m.inbox
	m.inbox = nil
	for _, x := range inbox {
		if !x.handshake {
			l.hear(m, x)
			continue
		}
		if change := m.process(x.data); change.SelfRemoved {
			l.t.Fatalf("%s finds itself removed, but the hub has it", m.identity)
		}
	}
}

func (l *life) hear(m *liver, x mail) {
	l.t.Helper()
	if x.epoch < m.joined {
		return
	}
	got, err := m.group.Decrypt(x.data)
	var wrong *EpochError
	if errors.As(err, &wrong) && x.epoch+DefaultKeepEpochs < m.group.Epoch() {
		return // too late
	}
	if err != nil {
		l.t.Fatalf("%s at epoch %d reads %q of epoch %d: %v", m.identity, m.group.Epoch(), x.text, x.epoch, err)
	}
	if string(got.Data) != x.text {
		l.t.Fatalf("%s reads %q, want %q", m.identity, got.Data, x.text)
	}
	l.did["heard"]++
}

// settle has everybody read everything, and compares all.
func (l *life) settle() {
	l.t.Helper()
	for _, m := range l.members {
		l.read(m)
		agree(l.t, l.members[0].client, m.client)
	}
}

func (l *life) add() {
	m := l.someone()
	var newcomers []*liver
	var req CommitRequest
	for range 1 + l.r.IntN(3) {
		n := l.newborn()
		newcomers = append(newcomers, n)
		req.Add = append(req.Add, n.keyPackage(KeyPackageOptions{}))
	}
	req.ForcePath = l.r.IntN(2) == 0
	l.did["add"]++
	l.accept(m, l.commit(m, req), newcomers)
}

func (l *life) remove() {
	m := l.someone()
	o := l.other(m)
	if o == nil {
		return
	}
	at, ok := m.group.Find(o.identity)
	if !ok {
		l.t.Fatalf("%s isn't in the group", o.identity)
	}
	l.did["remove"]++
	l.accept(m, l.commit(m, CommitRequest{Remove: []LeafIndex{at}}), nil)
}

// propose has several members propose things, for one to commit.
func (l *life) propose() {
	l.t.Helper()
	l.settle()
	m := l.someone()
	var newcomers []*liver
	send := func(from *liver, req ProposalRequest) {
		b := from.propose(req)
		l.post(from, mail{data: b, handshake: true})
		_, next, err := l.hub.Proposal(b)
		if err != nil {
			l.t.Fatalf("hub: proposal: %v", err)
		}
		l.hub = next
	}
	for range 1 + l.r.IntN(4) {
		from := l.members[l.r.IntN(len(l.members))]
		switch l.r.IntN(4) {
		case 0:
			if o := l.other(m); o != nil && o != from {
				at, _ := from.group.Find(o.identity)
				send(from, ProposalRequest{Remove: &at})
			}
		case 1:
			n := l.newborn()
			newcomers = append(newcomers, n)
			send(from, ProposalRequest{Add: n.keyPackage(KeyPackageOptions{})})
		case 2:
			send(from, ProposalRequest{PSK: fmt.Append(nil, l.r.IntN(100))})
		default:
			send(from, ProposalRequest{Update: true})
		}
	}
	l.did["propose"]++
	l.settle()
	l.accept(m, l.commit(m, CommitRequest{}), newcomers)
}

func (l *life) external() {
	n := l.newborn()
	p, err := JoinExternal(l.hub.GroupInfo(), n.identity, n.signer, ExternalRequest{}, n.opts)
	if err != nil {
		l.t.Fatal(err)
	}
	n.joined = p.group.Epoch()
	l.did["external"]++
	l.accept(n, p, nil)
	l.members = append(l.members, n)
}

// resync has a member lose its state and come back.
func (l *life) resync() {
	m := l.members[l.r.IntN(len(l.members))]
	p, err := JoinExternal(l.hub.GroupInfo(), m.identity, m.signer, ExternalRequest{Resync: true, PSKs: [][]byte{[]byte("x")}}, m.opts)
	if err != nil {
		l.t.Fatal(err)
	}
	m.inbox, m.group = nil, nil
	m.joined = p.group.Epoch()
	l.did["resync"]++
	l.accept(m, p, nil)
}

func (l *life) psk() {
	m := l.someone()
	req := CommitRequest{PSKs: [][]byte{fmt.Append(nil, l.r.IntN(100))}}
	epoch := m.group.Epoch()
	if !slices.ContainsFunc(l.members, func(o *liver) bool { return o.joined >= epoch }) && epoch > 0 {
		req.Resume = []uint64{epoch} // everybody was there
	}
	l.did["psk"]++
	l.accept(m, l.commit(m, req), nil)
}

// conflict has two members commit at once: one wins, the other follows.
func (l *life) conflict() {
	m := l.someone()
	o := l.other(m)
	if o == nil {
		return
	}
	l.read(o)
	lost := o.commit(CommitRequest{})
	if l.r.IntN(2) == 0 {
		defer lost.Discard()
	} else {
		lost.Discard()
	}
	l.did["conflict"]++
	l.accept(m, l.commit(m, CommitRequest{}), nil)
	if _, _, err := l.hub.Commit(lost.Commit(), lost.GroupInfo()); err == nil {
		l.t.Fatal("hub took two commits in one epoch")
	}
}

// say has a member send messages, some of which get lost, or come late and out of order.
func (l *life) say() {
	m := l.someone()
	for range 1 + l.r.IntN(6) {
		text := fmt.Sprint("message ", l.r.Uint32())
		b, err := m.group.Encrypt([]byte(text), nil, l.r.IntN(64))
		if err != nil {
			l.t.Fatalf("%s: encrypt: %v", m.identity, err)
		}
		x := mail{data: b, text: text, epoch: m.group.Epoch()}
		l.did["say"]++
		for _, o := range l.members {
			if o == m {
				continue
			}
			switch l.r.IntN(8) {
			case 0: // lost
			case 1:
				l.late = append(l.late, func() { o.inbox = append(o.inbox, x) })
			default:
				o.inbox = append(o.inbox, x)
			}
		}
	}
}
