package orglog

import (
	"crypto/ed25519"
	"slices"
	"time"

	"causa/matter"
)

// ModuleInvited makes an invite for a further device of a member that is for the matters
// of one sealed module, and for no others. The member's open devices make the first one;
// after that, only a device that is for the module, or somebody above the member. So
// whoever gets hold of an open device can't make a way into what is sealed.
type ModuleInvited struct {
	Member    matter.MemberID
	InviteKey ed25519.PublicKey
	Expires   time.Time
	Module    string
}

// Type implements [Statement].
func (ModuleInvited) Type() Type { return TypeModuleInvited }

func (s ModuleInvited) write(w *writer) {
	w.fixed(s.Member[:], 16)
	w.fixed(s.InviteKey, ed25519.PublicKeySize)
	w.time(s.Expires)
	w.text(s.Module)
}

func (s *State) judgeModule(e *Entry, st ModuleInvited, by *device) (Rule, error) {
	m := s.present(st.Member)
	switch {
	case m == nil:
		return ErrNoSubject, nil
	case !mayInvite(by, m) || m.Role > matter.RoleMember:
		return ErrNotAllowed, nil
	case by.owner == m && by.Module != st.Module && (by.Module != "" || m.had(st.Module)):
		return ErrNotAllowed, nil
	case !policyName(st.Module):
		return ErrName, nil
	}
	return s.judgeInvite(e, st.InviteKey, st.Expires), nil
}

// had reports whether a member ever had a device for a module.
func (m *member) had(module string) bool {
	return slices.ContainsFunc(m.devices, func(d *device) bool { return d.Module == module })
}

// addModule makes an enrolled device one for a module. Invites that the member's other
// devices have in store for it could not be made any more.
func (s *State) addModule(d *device, module string) {
	d.Module = module
	for key, i := range s.open {
		if i.member == d.owner && i.Module == module && i.maker.owner == d.owner && i.maker.Module != module {
			s.closeInvite(key, ErrInviteWithdrawn)
		}
	}
}

// SameModule reports whether some devices are all for the same sealed module, or all for
// none.
func (s *State) SameModule(devices []matter.DeviceID) bool {
	for _, id := range devices {
		if s.moduleOf(id) != s.moduleOf(devices[0]) {
			return false
		}
	}
	return true
}

func (s *State) moduleOf(id matter.DeviceID) string {
	if d := s.devices[id]; d != nil {
		return d.Module
	}
	return ""
}
