package orglog

import (
	"causa/matter"
)

// TriesGiven lets a device whose slots are locked, after too many wrong passcodes, try
// again. It is for others to say: a thief of the device can't.
type TriesGiven struct {
	Device matter.DeviceID
	Reason string // may be empty
}

// Type implements [Statement].
func (TriesGiven) Type() Type { return TypeTriesGiven }

func (s TriesGiven) write(w *writer) {
	w.fixed(s.Device[:], 32)
	w.text(s.Reason)
}

func (s *State) judgeTries(st TriesGiven, by *device) (Rule, error) {
	d := s.devices[st.Device]
	switch {
	case d == nil || !d.active():
		return ErrNoSubject, nil
	case d == by || !mayChange(by, d.owner):
		return ErrNotAllowed, nil
	}
	return cleanReason(st.Reason)
}

// A Given is a device that got new tries, by an entry with this hash.
type Given struct {
	Entry  Hash
	Device matter.DeviceID
}

// Given returns all devices that ever got new tries, oldest first.
func (s *State) Given() []Given { return append([]Given(nil), s.given...) }

// addVault takes in what an entry says about slots.
func (s *State) addVault(e *Entry) {
	if st, ok := e.Statement.(TriesGiven); ok {
		s.given = append(s.given, Given{Entry: e.Hash(), Device: st.Device})
	}
}
