package orglog

import (
	"slices"

	"causa/matter"
)

// add takes a checked entry in.
func (s *State) add(e *Entry) {
	switch st := e.Statement.(type) {
	case Founded:
		s.organisation = st.Organisation
		m := s.addMember(st.Member, st.Name, matter.RoleOwner)
		s.addDevice(e, m, st.DeviceKey, st.DeviceName)
	case MemberInvited:
		m := s.addMember(st.Member, st.Name, st.Role)
		s.addInvite(e, m, Invitation{Key: st.InviteKey, Expires: st.Expires})
	case DeviceInvited:
		s.addInvite(e, s.members[st.Member], Invitation{Key: st.InviteKey, Expires: st.Expires})
	case ModuleInvited:
		s.addInvite(e, s.members[st.Member], Invitation{Key: st.InviteKey, Expires: st.Expires, Module: st.Module})
	case InviteWithdrawn:
		s.closeInvite(publicKey(st.InviteKey), ErrInviteWithdrawn)
	case DeviceEnrolled:
		s.closeInvite(publicKey(st.InviteKey), ErrInviteUsed)
		s.addDevice(e, s.members[st.Member], st.DeviceKey, st.DeviceName)
		if module := s.invites[publicKey(st.InviteKey)].Module; module != "" {
			s.addModule(s.devices[e.Author], module)
		}
	case MemberRenamed:
		s.members[st.Member].Name = st.Name
	case RoleChanged:
		s.members[st.Member].Role = st.Role
		s.closeUnsupported()
	case MemberLeft:
		s.members[st.Member].Left = true
		s.closeUnsupported()
	case DeviceRevoked:
		s.devices[st.Device].Revoked = true
		s.closeUnsupported()
	case PolicySet:
		if st.Value == "" {
			delete(s.policies, st.Name)
		} else {
			s.policies[st.Name] = st.Value
		}
	default:
		s.addWipeStatement(e)
	}
	s.addVault(e)
	s.time = e.Time
	s.hashes = append(s.hashes, e.Hash())
}

func (s *State) addMember(id matter.MemberID, name string, role matter.Role) *member {
	m := &member{Member: matter.Member{ID: id, Name: name, Role: role}}
	s.members[id] = m
	s.order = append(s.order, m)
	return m
}

func (s *State) addDevice(e *Entry, m *member, key []byte, name string) {
	m.Joined = true
	d := &device{
		Device: matter.Device{ID: e.Author, Member: m.ID, Name: name, Enrolled: e.Time},
		key:    slices.Clone(key), owner: m,
	}
	s.devices[d.ID] = d
	m.devices = append(m.devices, d)
}

func (s *State) addInvite(e *Entry, m *member, i Invitation) {
	i.Key, i.Member, i.By, i.Made, i.Index = slices.Clone(i.Key), m.ID, e.Author, e.Time, e.Index
	x := &invitation{Invitation: i, maker: s.devices[e.Author], member: m}
	s.invites[publicKey(i.Key)] = x
	s.open[publicKey(i.Key)] = x
}

func (s *State) closeInvite(key publicKey, why Rule) {
	s.invites[key].status = why
	delete(s.open, key)
}

// closeUnsupported withdraws every open invite whose member has left or whose maker
// could not make it now: a demoted, removed or stolen device must not leave doors open.
func (s *State) closeUnsupported() {
	for key, i := range s.open {
		if i.member.Left || !i.maker.active() || !mayInvite(i.maker, i.member) {
			s.closeInvite(key, ErrInviteWithdrawn)
		}
	}
}
