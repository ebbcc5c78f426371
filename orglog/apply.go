package orglog

import (
	"crypto/ed25519"
	"fmt"
	"time"
	"unicode/utf8"

	"causa/matter"
)

// Limits of policies, in bytes.
const (
	maxPolicyName  = 64
	maxPolicyValue = 4 << 10
)

// Apply verifies the next entry and takes it into the state. An error is a
// [*RuleError]; the state is unchanged then.
func (s *State) Apply(e *Entry) error {
	e, err := s.check(e, true)
	if err != nil {
		return err
	}
	s.add(e)
	return nil
}

// Check reports, as Apply does, whether the entry may come next, and changes nothing.
// The hub stores an entry between Check and Apply.
func (s *State) Check(e *Entry) error {
	_, err := s.check(e, true)
	return err
}

// check returns the entry as everyone else will read it, which for a hand-made one
// need not be what its fields say.
func (s *State) check(e *Entry, signatures bool) (*Entry, error) {
	read, err := Decode(e.Bytes())
	if err != nil {
		return nil, err
	}
	if rule, cause := s.judge(read, signatures); rule != 0 {
		return nil, &RuleError{Rule: rule, Index: e.Index, Err: cause}
	}
	return read, nil
}

// judge returns the first rule that e breaks, and more about it where there is more.
func (s *State) judge(e *Entry, signatures bool) (Rule, error) {
	switch {
	case e.Index != s.Next():
		return ErrOrder, fmt.Errorf("want index %d", s.Next())
	case e.Previous != s.Head():
		return ErrChain, nil
	case e.Time.Before(s.time):
		return ErrTime, nil
	case s.Next() == 0:
		return s.judgeFounding(e, signatures)
	}
	switch st := e.Statement.(type) {
	case Founded:
		return ErrOrder, nil
	case DeviceEnrolled:
		return s.judgeEnrolment(e, st, signatures)
	}
	by := s.devices[e.Author]
	if by == nil || signatures && !e.verify(by.key) {
		return ErrForged, nil
	}
	if _, newer := e.Statement.(Unknown); newer {
		return ErrNewer, fmt.Errorf("statement of type %d", e.Statement.Type())
	}
	if st, ok := e.Statement.(WipeReceipt); ok {
		return s.judgeReceipt(st, by), nil
	}
	switch {
	case !by.active():
		return ErrRevoked, nil
	case by.Locked:
		return ErrLocked, nil
	}
	return s.judgeStatement(e, by)
}

func (s *State) judgeFounding(e *Entry, signatures bool) (Rule, error) {
	st, ok := e.Statement.(Founded)
	switch {
	case !ok:
		return ErrOrder, nil
	case e.Author != matter.DeviceOf(st.DeviceKey), signatures && !e.verify(st.DeviceKey):
		return ErrForged, nil
	case !usable(st.DeviceKey), st.Member.IsZero():
		return ErrMalformed, nil
	}
	return clean(st.Organisation, st.Name, st.DeviceName)
}

func (s *State) judgeEnrolment(e *Entry, st DeviceEnrolled, signatures bool) (Rule, error) {
	switch {
	case e.Author != matter.DeviceOf(st.DeviceKey), signatures && !e.verify(st.DeviceKey):
		return ErrForged, nil
	case !usable(st.DeviceKey):
		return ErrMalformed, nil
	}
	i, rule := s.invite(st.InviteKey, e.Time)
	switch {
	case rule != 0:
		return rule, nil
	case i.Member != st.Member:
		return ErrInviteUnknown, nil
	case s.taken(st.DeviceKey):
		return ErrTaken, nil
	}
	if signatures {
		b, err := enrolmentSigned(s.OrgID(), e, st)
		if err != nil || !ed25519.Verify(st.InviteKey, b, st.InviteSignature) {
			return ErrInviteForged, nil
		}
	}
	return clean(st.DeviceName)
}

// judgeStatement judges what an active device says about others or itself.
func (s *State) judgeStatement(e *Entry, by *device) (Rule, error) {
	switch st := e.Statement.(type) {
	case MemberInvited:
		switch {
		case st.Role > matter.RoleBot:
			return ErrNewer, fmt.Errorf("role %d", st.Role)
		case !st.Role.Valid(), st.Member.IsZero():
			return ErrMalformed, nil
		case !above(by.owner.Role, st.Role):
			return ErrNotAllowed, nil
		case s.members[st.Member] != nil:
			return ErrTaken, nil
		}
		if rule := s.judgeInvite(e, st.InviteKey, st.Expires); rule != 0 {
			return rule, nil
		}
		return clean(st.Name)
	case DeviceInvited:
		m := s.present(st.Member)
		switch {
		case m == nil:
			return ErrNoSubject, nil
		case !mayInvite(by, m):
			return ErrNotAllowed, nil
		}
		return s.judgeInvite(e, st.InviteKey, st.Expires), nil
	case InviteWithdrawn:
		i, rule := s.invite(st.InviteKey, time.Time{}) // an expired one may be withdrawn
		switch {
		case rule != 0:
			return rule, nil
		case by.owner != i.maker.owner && !mayChange(by, i.member):
			return ErrNotAllowed, nil
		}
		return 0, nil
	case MemberRenamed:
		m := s.present(st.Member)
		switch {
		case m == nil:
			return ErrNoSubject, nil
		case !mayChange(by, m):
			return ErrNotAllowed, nil
		case m.Name == st.Name:
			return ErrNoChange, nil
		}
		return clean(st.Name)
	case RoleChanged:
		return s.judgeRole(st, by)
	case MemberLeft:
		m := s.present(st.Member)
		switch {
		case m == nil:
			return ErrNoSubject, nil
		case !mayChange(by, m):
			return ErrNotAllowed, nil
		case !s.ownerBesides(m, nil):
			return ErrLastOwner, nil
		}
		return cleanReason(st.Reason)
	case DeviceRevoked:
		d := s.devices[st.Device]
		switch {
		case d == nil || !d.active():
			return ErrNoSubject, nil
		case !mayChange(by, d.owner):
			return ErrNotAllowed, nil
		case !s.ownerBesides(nil, d):
			return ErrLastOwner, nil
		}
		return cleanReason(st.Reason)
	case PolicySet:
		return s.judgePolicy(st, by)
	case ModuleInvited:
		return s.judgeModule(e, st, by)
	case TriesGiven:
		return s.judgeTries(st, by)
	default:
		return s.judgeWipeStatement(e, by)
	}
}

func (s *State) judgeRole(st RoleChanged, by *device) (Rule, error) {
	m := s.present(st.Member)
	switch {
	case st.Role > matter.RoleBot:
		return ErrNewer, fmt.Errorf("role %d", st.Role)
	case !st.Role.Valid():
		return ErrMalformed, nil
	case m == nil:
		return ErrNoSubject, nil
	case !above(by.owner.Role, m.Role), !above(by.owner.Role, st.Role):
		return ErrNotAllowed, nil
	case m.Role == st.Role:
		return ErrNoChange, nil
	case !s.ownerBesides(m, nil):
		return ErrLastOwner, nil
	}
	return 0, nil
}

func (s *State) judgePolicy(st PolicySet, by *device) (Rule, error) {
	switch {
	case by.owner.Role > matter.RoleAdmin:
		return ErrNotAllowed, nil
	case !policyName(st.Name), len(st.Value) > maxPolicyValue, !utf8.ValidString(st.Value):
		return ErrName, nil
	case s.policies[st.Name] == st.Value:
		return ErrNoChange, nil
	}
	return 0, nil
}

// judgeInvite judges the key and expiry of a new invite.
func (s *State) judgeInvite(e *Entry, key ed25519.PublicKey, expires time.Time) Rule {
	switch {
	case !usable(key):
		return ErrMalformed
	case s.taken(key):
		return ErrTaken
	case !expires.After(e.Time):
		return ErrInviteExpired
	}
	return 0
}

// above reports whether a member of role r may make, change and remove members of
// role other. Owners stand above everybody, also each other.
func above(r, other matter.Role) bool {
	return r == matter.RoleOwner || r == matter.RoleAdmin && other > matter.RoleAdmin
}

// mayChange reports whether a device may rename or remove m, its devices and invites.
func mayChange(by *device, m *member) bool { return by.owner == m || above(by.owner.Role, m.Role) }

// mayInvite reports whether a device may make an invite for m. Guests and bots invite
// nobody, not even their own further devices.
func mayInvite(by *device, m *member) bool {
	return by.owner == m && m.Role <= matter.RoleMember || above(by.owner.Role, m.Role)
}

// present returns a member who has not left, or nil.
func (s *State) present(id matter.MemberID) *member {
	m := s.members[id]
	if m == nil || m.Left {
		return nil
	}
	return m
}

// taken reports whether key was ever a device's or an invite's key.
func (s *State) taken(key ed25519.PublicKey) bool {
	return s.devices[matter.DeviceOf(key)] != nil || s.invites[publicKey(key)] != nil
}

// ownerBesides reports whether some owner has an active device when m and d are left
// out of account. It is true when neither is an owner's.
func (s *State) ownerBesides(m *member, d *device) bool {
	if (m == nil || m.Role != matter.RoleOwner) && (d == nil || d.owner.Role != matter.RoleOwner) {
		return true
	}
	for _, o := range s.order {
		if o == m || o.Role != matter.RoleOwner {
			continue
		}
		for _, x := range o.devices {
			if x != d && x.active() && !x.Locked {
				return true
			}
		}
	}
	return false
}

// clean returns ErrName for the first of names that is not exactly as CleanName
// would leave it.
func clean(names ...string) (Rule, error) {
	for _, name := range names {
		cleaned, err := matter.CleanName(name)
		if err != nil || cleaned != name {
			return ErrName, err
		}
	}
	return 0, nil
}

func cleanReason(reason string) (Rule, error) {
	if reason == "" {
		return 0, nil
	}
	return clean(reason)
}

// policyName reports whether name may be a policy's: 1 to 64 of a-z, 0-9, '.', '-', '_'.
func policyName(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return name != "" && len(name) <= maxPolicyName
}
