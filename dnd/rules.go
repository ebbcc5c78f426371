package dnd

import (
	"bytes"
	"slices"
	"time"

	"causa/matter"
)

// Rules are what one member wants. The zero value wants nothing quiet.
//
// Rules are values: no function changes what it is given.
type Rules struct {
	// Zone is the IANA name of the time zone whose clocks the windows mean. It may be
	// empty only when the member has no windows of their own.
	Zone string
	// Travels says that Zone is where the person is just now: a device that moves
	// publishes the rules again, see [Rules.Moved].
	Travels bool
	// IgnoreFloor drops the organisation's floor, if the organisation allows that.
	IgnoreFloor bool

	Windows   []Window
	Calendars []Calendar
	Matters   []Override        // at most one for each matter
	VIPs      []matter.MemberID // people who may break through
	Manual    Manual
}

// An Override is what holds for one matter instead of the windows.
type Override struct {
	Matter  matter.ID
	Mode    Mode
	Windows []Window // only with ModeWindows
}

// A Mode is how an override works. The numbers are for ever.
type Mode uint8

// The modes.
const (
	ModeAlways  Mode = 1 // the matter notifies at any time
	ModeNever   Mode = 2 // the matter never notifies, unless urgent
	ModeWindows Mode = 3 // the matter has windows of its own
)

// Manual is what the person has switched by hand.
type Manual struct {
	Kind  ManualKind
	Until time.Time // whole seconds, 1970 to 2199; zero with ManualNone
}

// A ManualKind is a position of that switch. The numbers are for ever.
type ManualKind uint8

// The positions of the switch.
const (
	ManualNone  ManualKind = 0
	ManualQuiet ManualKind = 1 // quiet from now, until …
	ManualOff   ManualKind = 2 // no quiet hours from now, until …
)

// A Floor is what the organisation keeps quiet for everyone. The zero value keeps
// nothing quiet.
type Floor struct {
	Zone string // whose clocks the windows mean; empty only without windows
	// Local says that the clocks of the member's own zone count instead, for members
	// whose rules name one.
	Local bool
	// MayLoosen lets a member's exceptions (matters, VIPs, off until …, IgnoreFloor)
	// work against the floor too. Without it nothing but an urgent message passes.
	MayLoosen bool
	// StopsUrgent holds urgent messages too, while the floor is quiet. A member whom the
	// floor does not bind because of MayLoosen and IgnoreFloor still gets them.
	StopsUrgent bool

	Windows   []Window
	Calendars []Calendar
}

// Moved returns the rules for a person who is now in zone, and whether that changes
// anything: only rules that travel do.
func (r Rules) Moved(zone string) (Rules, bool) {
	if !r.Travels || r.Zone == zone {
		return r, false
	}
	r.Zone = zone
	return r, true
}

// Normal returns the rules in the form in which they are encoded: dates merged and in
// order, matters and VIPs in order, VIPs once each, and fractions of a second cut off.
func (r Rules) Normal() Rules {
	r.Windows, r.Calendars = normalWindows(r.Windows), normalCalendars(r.Calendars)
	r.Matters = slices.Clone(r.Matters)
	slices.SortStableFunc(r.Matters, func(a, b Override) int { return bytes.Compare(a.Matter[:], b.Matter[:]) })
	for i := range r.Matters {
		r.Matters[i].Windows = normalWindows(r.Matters[i].Windows)
	}
	r.VIPs = slices.Clone(r.VIPs)
	slices.SortFunc(r.VIPs, func(a, b matter.MemberID) int { return bytes.Compare(a[:], b[:]) })
	r.VIPs = slices.Compact(r.VIPs)
	if !r.Manual.Until.IsZero() {
		r.Manual.Until = r.Manual.Until.UTC().Truncate(time.Second)
	}
	return r
}

// Normal returns the floor in the form in which it is encoded.
func (f Floor) Normal() Floor {
	f.Windows, f.Calendars = normalWindows(f.Windows), normalCalendars(f.Calendars)
	return f
}
