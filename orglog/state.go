package orglog

import (
	"cmp"
	"crypto/ed25519"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"causa/matter"
)

// A State is what the organisation is after the entries applied so far.
//
// A State is not safe for concurrent use while Apply runs. All other methods only
// read and may run at the same time as each other.
type State struct {
	hashes       []Hash
	time         time.Time // of the newest entry
	organisation string
	members      map[matter.MemberID]*member
	order        []*member // as they came in
	devices      map[matter.DeviceID]*device
	invites      map[publicKey]*invitation // all there ever were
	open         map[publicKey]*invitation // those neither used nor withdrawn
	policies     map[string]string
	wipes        []*wipe // as they were ordered
	hubKey       ed25519.PublicKey
	given        []Given
}

// A publicKey is an Ed25519 public key that can be a map's key.
type publicKey [ed25519.PublicKeySize]byte

type member struct {
	matter.Member
	devices []*device // as they were enrolled
}

type device struct {
	matter.Device
	key   ed25519.PublicKey
	owner *member
}

func (d *device) active() bool { return !d.Revoked && !d.owner.Left }

type invitation struct {
	Invitation
	maker  *device
	member *member
	status Rule // 0 while open, else ErrInviteUsed or ErrInviteWithdrawn
}

// An Invitation is what the log knows about an open invite.
type Invitation struct {
	Key     ed25519.PublicKey
	Member  matter.MemberID // whom it is for
	By      matter.DeviceID // the device that made it
	Made    time.Time
	Expires time.Time
	Index   uint64 // of the entry that made it
	Module  string // the sealed module that its device will be for; empty: none
}

// NewState returns the state before the first entry.
func NewState() *State {
	return &State{
		members:  map[matter.MemberID]*member{},
		devices:  map[matter.DeviceID]*device{},
		invites:  map[publicKey]*invitation{},
		open:     map[publicKey]*invitation{},
		policies: map[string]string{},
	}
}

// Restore returns the state after entries that this program verified before and kept
// where nobody else writes. It checks everything but signatures, and that the
// last entry's hash is head, which vouches for them: head must come from the same
// trusted place. It stops at the first error.
func Restore(entries iter.Seq2[[]byte, error], head Hash) (*State, error) {
	s := NewState()
	for b, err := range entries {
		if err != nil {
			return nil, fmt.Errorf("read entry %d: %w", s.Next(), err)
		}
		e, err := Decode(b)
		if err != nil {
			return nil, err
		}
		if e, err = s.check(e, false); err != nil {
			return nil, err
		}
		s.add(e)
	}
	if s.Head() != head {
		return nil, &RuleError{Rule: ErrChain, Index: s.Next()}
	}
	return s, nil
}

// Next returns the index of the next entry: how many there are.
func (s *State) Next() uint64 { return uint64(len(s.hashes)) }

// Head returns the hash of the newest entry; zero before the first one.
func (s *State) Head() Hash {
	if len(s.hashes) == 0 {
		return Hash{}
	}
	return s.hashes[len(s.hashes)-1]
}

// HashAt returns the hash of entry i. A hub that shows two logs is found out by
// comparing it with what others have at the same index.
func (s *State) HashAt(i uint64) (Hash, bool) {
	if i >= s.Next() {
		return Hash{}, false
	}
	return s.hashes[i], true
}

// OrgID returns the id of the organisation: the hash of entry 0.
func (s *State) OrgID() Hash {
	h, _ := s.HashAt(0)
	return h
}

// Organisation returns the organisation's name.
func (s *State) Organisation() string { return s.organisation }

// Time returns the time of the newest entry.
func (s *State) Time() time.Time { return s.time }

// Member returns a member, also one that has left.
func (s *State) Member(id matter.MemberID) (matter.Member, bool) {
	m := s.members[id]
	if m == nil {
		return matter.Member{}, false
	}
	return m.Member, true
}

// Members returns all members in the order in which they came, also those who left.
func (s *State) Members() []matter.Member {
	out := make([]matter.Member, 0, len(s.order))
	for _, m := range s.order {
		out = append(out, m.Member)
	}
	return out
}

// Device returns a device and its identity key, also when it is revoked.
func (s *State) Device(id matter.DeviceID) (matter.Device, ed25519.PublicKey, bool) {
	d := s.devices[id]
	if d == nil {
		return matter.Device{}, nil, false
	}
	return d.public(), slices.Clone(d.key), true
}

// Devices returns all devices, member by member, also the revoked ones.
func (s *State) Devices() []matter.Device {
	var out []matter.Device
	for _, m := range s.order {
		out = append(out, m.public()...)
	}
	return out
}

// DevicesOf returns a member's devices as they were enrolled, also the revoked ones.
func (s *State) DevicesOf(id matter.MemberID) []matter.Device {
	m := s.members[id]
	if m == nil {
		return nil
	}
	return m.public()
}

// ServedDevice reports whether the hub may serve the device: it is active and not locked.
func (s *State) ServedDevice(id matter.DeviceID) bool {
	d := s.devices[id]
	return d != nil && d.active() && !d.Locked
}

// ActiveDevice reports whether the device belongs to the organisation: it is enrolled,
// not revoked, and its member has not left.
func (s *State) ActiveDevice(id matter.DeviceID) bool {
	d := s.devices[id]
	return d != nil && d.active()
}

// Policy returns the value of a policy, and whether it was set.
func (s *State) Policy(name string) (string, bool) {
	v, ok := s.policies[name]
	return v, ok
}

// Policies returns a copy of all policies that are set.
func (s *State) Policies() map[string]string { return maps.Clone(s.policies) }

// OpenInvite returns what the log knows about an invite that can be used at the given
// time. Else the error wraps [ErrInviteUnknown], [ErrInviteUsed],
// [ErrInviteWithdrawn] or [ErrInviteExpired].
func (s *State) OpenInvite(key ed25519.PublicKey, at time.Time) (Invitation, error) {
	i, rule := s.invite(key, at)
	if rule != 0 {
		return Invitation{}, &RuleError{Rule: rule, Index: s.Next()}
	}
	return i.public(), nil
}

// Invitations returns the invites that are neither used nor withdrawn, oldest first.
// Expired ones are among them.
func (s *State) Invitations() []Invitation {
	out := make([]Invitation, 0, len(s.open))
	for _, i := range s.open {
		out = append(out, i.public())
	}
	slices.SortFunc(out, func(a, b Invitation) int { return cmp.Compare(a.Index, b.Index) })
	return out
}

// Sign makes the entry for the next index and checks it. Its time is now, or that of
// the newest entry when this clock is behind. The state does not change:
// the entry counts when the hub has taken it and it was applied.
func (s *State) Sign(key ed25519.PrivateKey, now time.Time, st Statement) (*Entry, error) {
	e, err := Sign(key, s.Next(), s.Head(), s.notBefore(now), st)
	if err != nil {
		return nil, err
	}
	return s.check(e, true)
}

// SignEnrolment makes the entry by which the device whose key is device enrols with
// the private half of an invite, and checks it, as [State.Sign] does.
func (s *State) SignEnrolment(device, invite ed25519.PrivateKey, now time.Time, deviceName string) (*Entry, error) {
	at := s.notBefore(now)
	i, err := s.OpenInvite(publicOf(invite), at)
	if err != nil {
		return nil, err
	}
	st := DeviceEnrolled{Member: i.Member, DeviceName: deviceName}
	e, err := SignEnrolment(device, invite, s.OrgID(), s.Next(), s.Head(), at, st)
	if err != nil {
		return nil, err
	}
	return s.check(e, true)
}

func (s *State) notBefore(now time.Time) time.Time {
	if now.Before(s.time) {
		return s.time
	}
	return now
}

// invite returns the invite of that key and the rule that forbids its use at the
// given time, 0 when it can be used.
func (s *State) invite(key ed25519.PublicKey, at time.Time) (*invitation, Rule) {
	if len(key) != ed25519.PublicKeySize {
		return nil, ErrInviteUnknown
	}
	i := s.invites[publicKey(key)]
	switch {
	case i == nil:
		return nil, ErrInviteUnknown
	case i.status != 0:
		return nil, i.status
	case at.After(i.Expires):
		return nil, ErrInviteExpired
	}
	return i, 0
}

// public returns a copy that callers may keep.
func (d *device) public() matter.Device {
	out := d.Device
	out.Revoked = !d.active()
	return out
}

func (m *member) public() []matter.Device {
	out := make([]matter.Device, 0, len(m.devices))
	for _, d := range m.devices {
		out = append(out, d.public())
	}
	return out
}

func (i *invitation) public() Invitation {
	out := i.Invitation
	out.Key = slices.Clone(i.Key)
	return out
}
