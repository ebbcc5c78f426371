package orglog

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"causa/matter"
)

// A model is the log told again in the plainest way: lists, no keys, no hashes. It
// says what should become of an honest and of a dishonest entry.
type model struct {
	now     time.Time
	members []modelMember
	devices []modelDevice
	invites []modelInvite
}

type modelMember struct {
	name string
	role matter.Role
	left bool
}

type modelDevice struct {
	key     string
	member  int
	revoked bool
}

type modelInvite struct {
	key     string
	member  int
	device  int // that made it
	expires time.Time
	state   Rule // 0 while open
}

func (m *model) active(device int) bool {
	return !m.devices[device].revoked && !m.members[m.devices[device].member].left
}

// rank: who stands higher may change who stands lower; owners may change all.
func (m *model) may(author, subject int) bool {
	a, b := m.members[author].role, m.members[subject].role
	return author == subject || a == matter.RoleOwner || a == matter.RoleAdmin && b != matter.RoleOwner && b != matter.RoleAdmin
}

func (m *model) mayMake(author int, role matter.Role) bool {
	a := m.members[author].role
	return a == matter.RoleOwner || a == matter.RoleAdmin && role != matter.RoleOwner && role != matter.RoleAdmin
}

func (m *model) mayInviteDevice(author, subject int) bool {
	if a := m.members[author].role; a == matter.RoleGuest || a == matter.RoleBot {
		return false
	}
	return m.may(author, subject)
}

// owners counts the owners who can act.
func (m *model) owners() int {
	acting := map[int]bool{}
	for i, d := range m.devices {
		if m.active(i) && m.members[d.member].role == matter.RoleOwner {
			acting[d.member] = true
		}
	}
	return len(acting)
}

// withOwner tries a change and takes it back, with ErrLastOwner, when it leaves no owner.
func (m *model) withOwner(change func()) Rule {
	members, devices := slices.Clone(m.members), slices.Clone(m.devices)
	change()
	if m.owners() == 0 {
		m.members, m.devices = members, devices
		return ErrLastOwner
	}
	for i, x := range m.invites {
		if x.state == 0 && (m.members[x.member].left || !m.active(x.device) || !m.mayInviteDevice(m.devices[x.device].member, x.member)) {
			m.invites[i].state = ErrInviteWithdrawn
		}
	}
	return 0
}

// TestModel plays random statements of random authors, honest and not, against the
// model: State must take and refuse the same ones, for the same reasons.
func TestModel(t *testing.T) {
	taken := map[string]int{} // how often each statement was taken, over all runs
	refused := map[Rule]int{}
	rapid.Check(t, func(t *rapid.T) {
		p := &play{t: t, s: NewState(), m: &model{now: start}, taken: taken, refused: refused}
		p.found()
		t.Repeat(map[string]func(*rapid.T){
			"":                p.compare,
			"invite member":   p.step(p.inviteMember),
			"invite device":   p.step(p.inviteDevice),
			"withdraw invite": p.step(p.withdraw),
			"enrol":           p.step(p.enrol),
			"enrol again":     p.step(p.enrol), // as likely as two others
			"rename":          p.step(p.rename),
			"change role":     p.step(p.changeRole),
			"leave":           p.step(p.leave),
			"revoke":          p.step(p.revoke),
			"wait": func(t *rapid.T) {
				p.m.now = p.m.now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "minutes")) * time.Minute)
			},
		})
	})
	t.Logf("taken %v, refused %v", taken, refused)
	for _, st := range statements() {
		switch st.(type) {
		case PolicySet, Unknown, WipeOrdered, WipeApproved, WipeWithdrawn, HubKeySet, KeysDestroyed, WipeReceipt,
			DeviceLocked, DeviceUnlocked, TriesGiven, ModuleInvited: // have tests of their own
		default:
			if name := fmt.Sprintf("%T", st); taken[name] == 0 {
				t.Errorf("the play never took a %s", name)
			}
		}
	}
	for _, rule := range []Rule{
		ErrOrder, ErrChain, ErrTime, ErrForged, ErrRevoked, ErrNotAllowed, ErrLastOwner, ErrNoSubject,
		ErrInviteUnknown, ErrInviteExpired, ErrInviteUsed, ErrInviteWithdrawn, ErrInviteForged,
	} {
		if refused[rule] == 0 {
			t.Errorf("the play never broke the rule %v", rule)
		}
	}
}

// A play runs State and model side by side.
type play struct {
	t       *rapid.T
	s       *State
	m       *model
	keys    int
	taken   map[string]int
	refused map[Rule]int
}

func (p *play) newKey() string {
	p.keys++
	return fmt.Sprintf("key %d", p.keys)
}

func (p *play) found() {
	st := Founded{Organisation: "O", Member: person("0"), Name: "0", DeviceKey: public("key 0"), DeviceName: "d"}
	e, err := p.s.Sign(key("key 0"), p.m.now, st)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.s.Apply(e); err != nil {
		p.t.Fatal(err)
	}
	p.taken["orglog.Founded"]++
	p.m.members = []modelMember{{name: "0", role: matter.RoleOwner}}
	p.m.devices = []modelDevice{{key: "key 0", member: 0}}
}

// An attempt is a statement, the rule that the model expects it to break (0: none),
// and what it does to the model when none is broken; that may find one more.
type attempt struct {
	author int    // device; -1 for an enrolment, whose author is key
	key    string // of the author
	invite string // enrolment: the key that signs for the invite
	st     Statement
	want   Rule
	take   func() Rule
}

// step returns the action that draws an attempt, perhaps spoils it, and makes it.
func (p *play) step(draw func(t *rapid.T) attempt) func(*rapid.T) {
	return func(t *rapid.T) {
		a := draw(t)
		if a.author >= 0 && !p.m.active(a.author) {
			a.want = ErrRevoked
		}
		index, previous, at, forge := p.s.Next(), p.s.Head(), p.m.now, false
		switch rapid.SampledFrom([]Rule{0, 0, 0, 0, 0, 0, ErrOrder, ErrChain, ErrTime, ErrForged}).Draw(t, "spoil") {
		case ErrOrder:
			index, a.want = index+rapid.SampledFrom([]uint64{1, 2, 1<<64 - 1}).Draw(t, "gap"), ErrOrder
		case ErrChain:
			previous, a.want = Hash{1}, ErrChain
		case ErrTime:
			at, a.want = p.s.Time().Add(-time.Millisecond), ErrTime
		case ErrForged:
			forge, a.want = true, ErrForged
		}
		e := p.entry(a, index, previous, at, forge)
		before := dump(p.s)
		if a.want == 0 {
			a.want = a.take()
		}
		err := p.s.Apply(e)
		if a.want == 0 {
			if err != nil {
				t.Fatalf("%T: %v, want it taken", a.st, err)
			}
			p.taken[fmt.Sprintf("%T", a.st)]++
			return
		}
		if !errors.Is(err, a.want) {
			t.Fatalf("%T: %v, want %v", a.st, err, a.want)
		}
		p.refused[a.want]++
		if diff := cmp.Diff(before, dump(p.s)); diff != "" {
			t.Fatalf("refused, but changed:\n%s", diff)
		}
	}
}

// entry makes the attempt's entry; a forged one is signed by a key that isn't its author's.
func (p *play) entry(a attempt, index uint64, previous Hash, at time.Time, forge bool) *Entry {
	signer := key(a.key)
	if st, ok := a.st.(DeviceEnrolled); ok {
		e, err := SignEnrolment(signer, key(a.invite), p.s.OrgID(), index, previous, at, st)
		if err != nil {
			p.t.Fatal(err)
		}
		made, ok := e.Statement.(DeviceEnrolled)
		if !ok {
			p.t.Fatalf("SignEnrolment made a %T", e.Statement)
		}
		made.InviteKey = st.InviteKey // whose signature it then may not be
		a.st = made
	}
	if forge {
		signer = key("nobody's")
	}
	e, err := Sign(signer, index, previous, at, a.st)
	if err != nil {
		p.t.Fatal(err)
	}
	e.Author = matter.DeviceOf(public(a.key))
	return e
}

func (p *play) drawAuthor(t *rapid.T) (device, member int, key string) {
	device = rapid.IntRange(0, len(p.m.devices)-1).Draw(t, "author")
	return device, p.m.devices[device].member, p.m.devices[device].key
}

// drawMember returns a member, or now and then the number of one who isn't there.
func (p *play) drawMember(t *rapid.T) (member int, gone bool) {
	member = rapid.IntRange(0, len(p.m.members)).Draw(t, "member")
	return member, member == len(p.m.members) || p.m.members[member].left
}

func drawRole(t *rapid.T) matter.Role {
	return rapid.SampledFrom([]matter.Role{
		matter.RoleOwner, matter.RoleAdmin, matter.RoleMember, matter.RoleGuest, matter.RoleBot,
	}).Draw(t, "role")
}

func (p *play) drawExpiry(t *rapid.T) time.Time {
	return p.m.now.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "valid")) * time.Minute)
}

func memberID(n int) matter.MemberID { return person(fmt.Sprint(n)) }

func (p *play) inviteMember(t *rapid.T) attempt {
	device, by, key := p.drawAuthor(t)
	role, inviteKey, n, expires := drawRole(t), p.newKey(), len(p.m.members), p.drawExpiry(t)
	a := attempt{author: device, key: key, st: MemberInvited{
		Member: memberID(n), Name: fmt.Sprint(n), Role: role, InviteKey: public(inviteKey), Expires: expires,
	}}
	if !p.m.mayMake(by, role) {
		a.want = ErrNotAllowed
	}
	a.take = func() Rule {
		p.m.members = append(p.m.members, modelMember{name: fmt.Sprint(n), role: role})
		p.m.invites = append(p.m.invites, modelInvite{key: inviteKey, member: n, device: device, expires: expires})
		return 0
	}
	return a
}

func (p *play) inviteDevice(t *rapid.T) attempt {
	device, by, key := p.drawAuthor(t)
	n, gone := p.drawMember(t)
	inviteKey, expires := p.newKey(), p.drawExpiry(t)
	a := attempt{author: device, key: key, st: DeviceInvited{
		Member: memberID(n), InviteKey: public(inviteKey), Expires: expires,
	}}
	switch {
	case gone:
		a.want = ErrNoSubject
	case !p.m.mayInviteDevice(by, n):
		a.want = ErrNotAllowed
	}
	a.take = func() Rule {
		p.m.invites = append(p.m.invites, modelInvite{key: inviteKey, member: n, device: device, expires: expires})
		return 0
	}
	return a
}

// drawInvite returns an invite, its place in the model, and its state; now and then one
// that nobody made.
func (p *play) drawInvite(t *rapid.T) (invite modelInvite, n int) {
	n = rapid.IntRange(0, len(p.m.invites)).Draw(t, "invite")
	if n == len(p.m.invites) {
		return modelInvite{key: p.newKey(), state: ErrInviteUnknown}, n
	}
	return p.m.invites[n], n
}

func (p *play) withdraw(t *rapid.T) attempt {
	device, by, key := p.drawAuthor(t)
	x, n := p.drawInvite(t)
	a := attempt{author: device, key: key, st: InviteWithdrawn{InviteKey: public(x.key)}, want: x.state}
	if x.state == 0 && by != p.m.devices[x.device].member && !p.m.may(by, x.member) {
		a.want = ErrNotAllowed
	}
	a.take = func() Rule {
		p.m.invites[n].state = ErrInviteWithdrawn
		return 0
	}
	return a
}

func (p *play) enrol(t *rapid.T) attempt {
	x, n := p.drawInvite(t)
	key, signer := p.newKey(), x.key
	a := attempt{author: -1, key: key, want: x.state, st: DeviceEnrolled{
		Member: memberID(x.member), DeviceName: "d", InviteKey: public(x.key),
	}}
	if a.want == 0 && p.m.now.After(x.expires) {
		a.want = ErrInviteExpired
	}
	if rapid.IntRange(0, 2).Draw(t, "steal") == 0 {
		signer = "nobody's"
		if a.want == 0 {
			a.want = ErrInviteForged
		}
	}
	a.invite = signer
	a.take = func() Rule {
		p.m.invites[n].state = ErrInviteUsed
		p.m.devices = append(p.m.devices, modelDevice{key: key, member: x.member})
		return 0
	}
	return a
}

func (p *play) rename(t *rapid.T) attempt {
	device, by, key := p.drawAuthor(t)
	n, gone := p.drawMember(t)
	name := fmt.Sprint(rapid.IntRange(0, 999).Draw(t, "name"))
	a := attempt{author: device, key: key, st: MemberRenamed{Member: memberID(n), Name: name}}
	switch {
	case gone:
		a.want = ErrNoSubject
	case !p.m.may(by, n):
		a.want = ErrNotAllowed
	case p.m.members[n].name == name:
		a.want = ErrNoChange
	}
	a.take = func() Rule { p.m.members[n].name = name; return 0 }
	return a
}

func (p *play) changeRole(t *rapid.T) attempt {
	device, by, key := p.drawAuthor(t)
	n, gone := p.drawMember(t)
	role := drawRole(t)
	a := attempt{author: device, key: key, st: RoleChanged{Member: memberID(n), Role: role}}
	switch {
	case gone:
		a.want = ErrNoSubject
	case !p.m.mayMake(by, p.m.members[n].role), !p.m.mayMake(by, role):
		a.want = ErrNotAllowed
	case p.m.members[n].role == role:
		a.want = ErrNoChange
	}
	a.take = func() Rule { return p.m.withOwner(func() { p.m.members[n].role = role }) }
	return a
}

func (p *play) leave(t *rapid.T) attempt {
	device, by, key := p.drawAuthor(t)
	n, gone := p.drawMember(t)
	a := attempt{author: device, key: key, st: MemberLeft{Member: memberID(n)}}
	switch {
	case gone:
		a.want = ErrNoSubject
	case !p.m.may(by, n):
		a.want = ErrNotAllowed
	}
	a.take = func() Rule { return p.m.withOwner(func() { p.m.members[n].left = true }) }
	return a
}

func (p *play) revoke(t *rapid.T) attempt {
	device, by, key := p.drawAuthor(t)
	n := rapid.IntRange(0, len(p.m.devices)-1).Draw(t, "device")
	a := attempt{author: device, key: key, st: DeviceRevoked{Device: matter.DeviceOf(public(p.m.devices[n].key))}}
	switch {
	case !p.m.active(n):
		a.want = ErrNoSubject
	case !p.m.may(by, p.m.devices[n].member):
		a.want = ErrNotAllowed
	}
	a.take = func() Rule { return p.m.withOwner(func() { p.m.devices[n].revoked = true }) }
	return a
}

// compare fails unless State and model tell the same organisation.
func (p *play) compare(t *rapid.T) {
	var members []matter.Member
	joined := map[int]bool{}
	for _, d := range p.m.devices {
		joined[d.member] = true
	}
	for i, m := range p.m.members {
		members = append(members, matter.Member{ID: memberID(i), Name: m.name, Role: m.role, Joined: joined[i], Left: m.left})
	}
	if diff := cmp.Diff(members, p.s.Members()); diff != "" {
		t.Fatalf("members (-model +state):\n%s", diff)
	}
	for i, d := range p.m.devices {
		if got := p.s.ActiveDevice(matter.DeviceOf(public(d.key))); got != p.m.active(i) {
			t.Fatalf("ActiveDevice(%d) = %v", i, got)
		}
	}
	if got := len(p.s.Devices()); got != len(p.m.devices) {
		t.Fatalf("%d devices, want %d", got, len(p.m.devices))
	}
	open := 0
	for i, x := range p.m.invites {
		want := x.state
		if want == 0 {
			open++
			if p.m.now.After(x.expires) {
				want = ErrInviteExpired
			}
		}
		if _, err := p.s.OpenInvite(public(x.key), p.m.now); want != 0 && !errors.Is(err, want) || want == 0 && err != nil {
			t.Fatalf("OpenInvite(%d): %v, want %v", i, err, want)
		}
	}
	if got := len(p.s.Invitations()); got != open {
		t.Fatalf("%d open invites, want %d", got, open)
	}
}
