package orglog

import (
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"causa/matter"
)

// ApprovalsPolicy is how many administrators a wipe order needs: one digit from 1 to 9.
// Anything else, or nothing, means 1.
const ApprovalsPolicy = "wipe.approvals"

// maxModule is how long a module's name may be, in bytes.
const maxModule = 64

// A wipe is an order and what became of it.
type wipe struct {
	Wipe
	order WipeOrdered
}

// A Wipe is what the log knows about a wipe order.
type Wipe struct {
	Index     uint64 // of the order's entry, by which it is called
	Order     WipeOrdered
	By        matter.DeviceID
	At        time.Time
	Need      int               // how many administrators must agree
	Approvals []matter.MemberID // who did, the author first
	Withdrawn bool
	Effective time.Time         // when the last approval came; zero before
	Devices   []matter.DeviceID // that carry it out, once it is effective
	Destroyed time.Time         // when the hub destroyed their keys; zero before that is in the log
	Receipts  map[matter.DeviceID]time.Time
}

// Open reports whether the order can still be approved or withdrawn, as far as the log
// says; see also its expiry.
func (w *Wipe) Open() bool { return !w.Withdrawn && w.Effective.IsZero() }

// Wipes returns all wipe orders as they were made.
func (s *State) Wipes() []Wipe {
	out := make([]Wipe, 0, len(s.wipes))
	for _, w := range s.wipes {
		out = append(out, w.public())
	}
	return out
}

// WipesOf returns the orders in effect that a device has not given its receipt for.
func (s *State) WipesOf(device matter.DeviceID) (out []Wipe) {
	for _, w := range s.wipes {
		if w.owes(device) {
			out = append(out, w.public())
		}
	}
	return out
}

// WipedFrom reports whether an order in effect takes a matter from a device: it never comes
// back to it.
func (s *State) WipedFrom(device matter.DeviceID, id matter.ID) bool {
	for _, w := range s.wipes {
		if w.order.Extent == ExtentMatter && w.order.Matter == id && slices.Contains(w.Devices, device) {
			return true
		}
	}
	return false
}

// HubKey returns the key with which the hub signs what it has done, nil before it is known.
func (s *State) HubKey() ed25519.PublicKey { return slices.Clone(s.hubKey) }

// Ends returns the devices that a checked entry takes out of the organisation.
func (s *State) Ends(e *Entry) (ended []matter.DeviceID) {
	var devices []*device
	switch st := e.Statement.(type) {
	case DeviceRevoked:
		devices = []*device{s.devices[st.Device]}
	case MemberLeft:
		devices = s.members[st.Member].devices
	case WipeOrdered, WipeApproved:
		if w := s.effective(e); w != nil && w.order.Extent == ExtentAll {
			devices = s.targets(w.order)
		}
	}
	for _, d := range devices {
		if d.active() {
			ended = append(ended, d.ID)
		}
	}
	return ended
}

// Wiped returns the order that a checked entry puts into effect, if it does.
func (s *State) Wiped(e *Entry) (Wipe, bool) {
	w := s.effective(e)
	if w == nil {
		return Wipe{}, false
	}
	out := w.public()
	for _, d := range s.targets(w.order) {
		out.Devices = append(out.Devices, d.ID)
	}
	return out, true
}

// SignDestruction makes the hub's word for a [KeysDestroyed].
func SignDestruction(hub ed25519.PrivateKey, org Hash, order uint64, at time.Time) (KeysDestroyed, error) {
	st := KeysDestroyed{Order: order, Time: at.Truncate(time.Millisecond).UTC()}
	b, err := destructionSigned(org, st)
	if err != nil {
		return KeysDestroyed{}, err
	}
	st.Signature = ed25519.Sign(hub, b)
	return st, nil
}

func destructionSigned(org Hash, st KeysDestroyed) ([]byte, error) {
	w := writer{cryptobyte.NewBuilder(nil)}
	w.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte("causa orglog 1 destruction")) })
	w.fixed(org[:], len(org))
	w.AddUint64(st.Order)
	w.time(st.Time)
	return w.Bytes()
}

// judgeWipeStatement judges what an active device says of wipes and locks.
func (s *State) judgeWipeStatement(e *Entry, by *device) (Rule, error) {
	switch st := e.Statement.(type) {
	case WipeOrdered:
		return s.judgeOrder(e, st, by)
	case WipeApproved:
		w, rule := s.mayDecide(st.Order, by)
		switch {
		case rule != 0:
			return rule, nil
		case !e.Time.Before(w.order.Expires):
			return ErrWipeOrder, nil
		case slices.Contains(w.Approvals, by.Member):
			return ErrNoChange, nil
		case s.effective(e) != nil && !s.ownerAfter(w.order):
			return ErrLastOwner, nil
		}
		return 0, nil
	case WipeWithdrawn:
		_, rule := s.mayDecide(st.Order, by)
		return rule, nil
	case HubKeySet:
		switch {
		case by.owner.Role > matter.RoleAdmin:
			return ErrNotAllowed, nil
		case !usable(st.Key):
			return ErrMalformed, nil
		case st.Key.Equal(s.hubKey):
			return ErrNoChange, nil
		}
		return 0, nil
	case KeysDestroyed:
		return s.judgeDestruction(st), nil
	case DeviceLocked:
		d := s.devices[st.Device]
		switch {
		case d == nil || !d.active():
			return ErrNoSubject, nil
		case d == by, !mayChange(by, d.owner):
			return ErrNotAllowed, nil
		case d.Locked:
			return ErrNoChange, nil
		case !s.ownerBesides(nil, d):
			return ErrLastOwner, nil
		}
		return cleanReason(st.Reason)
	case DeviceUnlocked:
		d := s.devices[st.Device]
		switch {
		case d == nil || !d.active():
			return ErrNoSubject, nil
		case !mayChange(by, d.owner):
			return ErrNotAllowed, nil
		case !d.Locked:
			return ErrNoChange, nil
		}
		return 0, nil
	default:
		return ErrMalformed, nil
	}
}

func (s *State) judgeOrder(e *Entry, st WipeOrdered, by *device) (Rule, error) {
	if st.Extent > ExtentModule {
		return ErrNewer, fmt.Errorf("extent %d", st.Extent)
	}
	if st.Member.IsZero() == (st.Device == matter.DeviceID{}) || st.Extent == 0 ||
		(st.Extent == ExtentMatter) == st.Matter.IsZero() || (st.Extent == ExtentModule) == (st.Module == "") {
		return ErrMalformed, nil
	}
	m := s.subject(st)
	switch {
	case m == nil:
		return ErrNoSubject, nil
	case !above(by.owner.Role, m.Role):
		return ErrNotAllowed, nil
	case slices.Contains(s.targets(st), by) && st.Extent == ExtentAll:
		return ErrNotAllowed, fmt.Errorf("an order for the device that makes it")
	case len(st.Module) > maxModule, st.Extent == ExtentModule && !policyName(st.Module):
		return ErrName, nil
	case !st.Expires.After(e.Time):
		return ErrWipeOrder, nil
	case s.effective(e) != nil && !s.ownerAfter(st):
		return ErrLastOwner, nil
	}
	return clean(st.Reason)
}

// mayDecide returns an order that is open and that a device may approve or withdraw.
func (s *State) mayDecide(order uint64, by *device) (*wipe, Rule) {
	w := s.wipe(order)
	switch {
	case w == nil || !w.Open():
		return nil, ErrWipeOrder
	case !above(by.owner.Role, s.subject(w.order).Role):
		return nil, ErrNotAllowed
	}
	return w, 0
}

func (s *State) judgeDestruction(st KeysDestroyed) Rule {
	w := s.wipe(st.Order)
	if w == nil || w.Effective.IsZero() {
		return ErrWipeOrder
	}
	if !w.Destroyed.IsZero() {
		return ErrNoChange
	}
	b, err := destructionSigned(s.OrgID(), st)
	if err != nil || s.hubKey == nil || !ed25519.Verify(s.hubKey, b, st.Signature) {
		return ErrForged
	}
	return 0
}

func (s *State) judgeReceipt(st WipeReceipt, by *device) Rule {
	w := s.wipe(st.Order)
	switch {
	case w == nil || !slices.Contains(w.Devices, by.ID):
		return ErrWipeOrder
	case !w.owes(by.ID):
		return ErrNoChange
	}
	return 0
}

// addWipeStatement takes a checked statement in.
func (s *State) addWipeStatement(e *Entry) {
	switch st := e.Statement.(type) {
	case WipeOrdered:
		w := s.effective(e)
		ready := w != nil
		if !ready {
			w = s.ordered(e, st)
		}
		s.wipes = append(s.wipes, w)
		if ready {
			s.takeEffect(w, e.Time)
		}
	case WipeApproved:
		w := s.wipe(st.Order)
		ready := s.effective(e) != nil
		w.Approvals = append(w.Approvals, s.devices[e.Author].Member)
		if ready {
			s.takeEffect(w, e.Time)
		}
	case WipeWithdrawn:
		s.wipe(st.Order).Withdrawn = true
	case HubKeySet:
		s.hubKey = slices.Clone(st.Key)
	case KeysDestroyed:
		s.wipe(st.Order).Destroyed = st.Time
	case WipeReceipt:
		s.wipe(st.Order).Receipts[e.Author] = e.Time
	case DeviceLocked:
		s.devices[st.Device].Locked = true
	case DeviceUnlocked:
		s.devices[st.Device].Locked = false
	}
}

func (s *State) ordered(e *Entry, st WipeOrdered) *wipe {
	need := 1
	if p := s.policies[ApprovalsPolicy]; len(p) == 1 && p[0] >= '1' && p[0] <= '9' {
		need = int(p[0] - '0')
	}
	return &wipe{order: st, Wipe: Wipe{
		Index: e.Index, Order: st, By: e.Author, At: e.Time, Need: need,
		Approvals: []matter.MemberID{s.devices[e.Author].Member}, Receipts: map[matter.DeviceID]time.Time{},
	}}
}

// effective returns the order that an entry puts into effect, or nil. Of those who approved
// before, only who may still give such an order counts.
func (s *State) effective(e *Entry) *wipe {
	var w *wipe
	var approvals []matter.MemberID
	switch st := e.Statement.(type) {
	case WipeOrdered:
		w = s.ordered(e, st)
		approvals = w.Approvals
	case WipeApproved:
		if w = s.wipe(st.Order); w == nil || !w.Open() {
			return nil
		}
		approvals = append(slices.Clone(w.Approvals), s.devices[e.Author].Member)
	default:
		return nil
	}
	subject, agreed := s.subject(w.order), 0
	for _, id := range approvals {
		if m := s.present(id); m != nil && subject != nil && above(m.Role, subject.Role) {
			agreed++
		}
	}
	if agreed < w.Need {
		return nil
	}
	return w
}

// takeEffect settles which devices carry an order out, and revokes them where it takes all.
func (s *State) takeEffect(w *wipe, at time.Time) {
	w.Effective = at
	for _, d := range s.targets(w.order) {
		w.Devices = append(w.Devices, d.ID)
		d.Revoked = d.Revoked || w.order.Extent == ExtentAll
	}
	s.closeUnsupported()
}

// subject returns the member whose data an order takes, nil when there is no such one.
func (s *State) subject(st WipeOrdered) *member {
	if d := s.devices[st.Device]; d != nil {
		return d.owner
	}
	return s.members[st.Member]
}

func (s *State) targets(st WipeOrdered) []*device {
	if d := s.devices[st.Device]; d != nil {
		return []*device{d}
	}
	if m := s.members[st.Member]; m != nil {
		return m.devices
	}
	return nil
}

// ownerAfter reports whether an owner with a device remains when an order takes effect.
func (s *State) ownerAfter(st WipeOrdered) bool {
	switch {
	case st.Extent != ExtentAll:
		return true
	case st.Member.IsZero():
		return s.ownerBesides(nil, s.devices[st.Device])
	default:
		return s.ownerBesides(s.members[st.Member], nil)
	}
}

func (s *State) wipe(index uint64) *wipe {
	i, ok := slices.BinarySearchFunc(s.wipes, index, func(w *wipe, index uint64) int {
		switch {
		case w.Index < index:
			return -1
		case w.Index > index:
			return 1
		}
		return 0
	})
	if !ok {
		return nil
	}
	return s.wipes[i]
}

// owes reports whether the order is in effect for a device that gave no receipt.
func (w *wipe) owes(device matter.DeviceID) bool {
	_, done := w.Receipts[device]
	return !done && slices.Contains(w.Devices, device)
}

// public returns a copy that callers may keep.
func (w *wipe) public() Wipe {
	out := w.Wipe
	out.Approvals, out.Devices, out.Receipts = slices.Clone(w.Approvals), slices.Clone(w.Devices), maps.Clone(w.Receipts)
	return out
}
