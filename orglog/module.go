package orglog

import (
	"crypto/ed25519"
	"time"

	"causa/matter"
)

// ModuleInvited makes an invite for a further device of a member that is for the matters
// of one sealed module, and for no others. Only a member makes one, for oneself.
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
	switch {
	case s.present(st.Member) == nil:
		return ErrNoSubject, nil
	case by.owner.ID != st.Member, by.Module != "", !mayInvite(by, by.owner):
		return ErrNotAllowed, nil
	case !policyName(st.Module):
		return ErrName, nil
	}
	return s.judgeInvite(e, st.InviteKey, st.Expires), nil
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
