package dnd

import (
	"errors"
	"unicode"
	"unicode/utf8"

	"causa/internal/fault"
	"causa/matter"
)

// The limits of rules and floors.
const (
	MaxWindows   = 64   // in one list
	MaxDates     = 512  // spans of dates in one window
	MaxCalendars = 8    // in one list
	MaxHolidays  = 2048 // spans of holidays, and as many of make-up days, in one calendar
	MaxMatters   = 2048 // overrides
	MaxVIPs      = 512
	MaxRules     = 64 << 10 // bytes of encoded rules
	MaxFloor     = 3 << 10  // bytes of an encoded floor, whose text fits the organisation log

	maxCalendarName = 64
)

// What can be wrong with rules or a floor. Errors that wrap these carry words for people.
var (
	ErrEmptyWindow   = errors.New("window ends when it begins")
	ErrClock         = errors.New("no such time of day")
	ErrNoDays        = errors.New("window without a day")
	ErrDates         = errors.New("span of dates is impossible")
	ErrTooMuch       = errors.New("more than the limits allow")
	ErrCalendarName  = errors.New("calendar name is not acceptable")
	ErrOverride      = errors.New("override is not acceptable")
	ErrVIP           = errors.New("VIP is not a member")
	ErrManual        = errors.New("manual switch is not acceptable")
	ErrNoZone        = errors.New("windows without a time zone")
	ErrForm          = errors.New("not in normal form") // encodings only
	ErrBadBytes      = errors.New("bytes are no such encoding")
	ErrLaterVersion  = errors.New("encoding of a later version")
	errUnknownFields = errors.New("unknown flags")
)

// Check reports what is wrong with the rules, or nil. It does not look whether the time
// zone is known; [Compiler.Compile] does.
func (r Rules) Check() error {
	r = r.Normal()
	if err := r.check(); err != nil {
		return err
	}
	_, err := r.append()
	return err
}

// Check reports what is wrong with the floor, or nil; see [Rules.Check].
func (f Floor) Check() error {
	f = f.Normal()
	if err := f.check(); err != nil {
		return err
	}
	_, err := f.append()
	return err
}

func (r Rules) check() error {
	windows := len(r.Windows)
	if err := checkLists(r.Windows, r.Calendars); err != nil {
		return err
	}
	if len(r.Matters) > MaxMatters || len(r.VIPs) > MaxVIPs {
		return tooMuch()
	}
	var last matter.ID
	for _, o := range r.Matters {
		own := o.Mode == ModeWindows
		if o.Matter.IsZero() || o.Matter == last || o.Mode < ModeAlways || o.Mode > ModeWindows || !own && len(o.Windows) > 0 {
			return &fault.Error{Text: "The quiet hours of a matter are set twice, or not clearly.", Err: ErrOverride}
		}
		if err := checkWindows(o.Windows); err != nil {
			return err
		}
		last, windows = o.Matter, windows+len(o.Windows)
	}
	for _, v := range r.VIPs {
		if v.IsZero() {
			return &fault.Error{Text: "One of the people who may break through is not a member.", Err: ErrVIP}
		}
	}
	if err := r.Manual.check(); err != nil {
		return err
	}
	return checkZone(r.Zone, windows > 0)
}

func (f Floor) check() error {
	if err := checkLists(f.Windows, f.Calendars); err != nil {
		return err
	}
	return checkZone(f.Zone, len(f.Windows) > 0)
}

func (m Manual) check() error {
	bad := m.Kind > ManualOff
	if m.Kind == ManualNone {
		bad = bad || !m.Until.IsZero()
	} else {
		bad = bad || m.Until.Unix() < 0 || !dayOf(m.Until.Unix()).valid()
	}
	if bad {
		return &fault.Error{
			Text: "Quiet hours can't be switched until that time.",
			Hint: "Choose a time between now and the year 2200.",
			Err:  ErrManual,
		}
	}
	return nil
}

func checkLists(windows []Window, calendars []Calendar) error {
	if err := checkWindows(windows); err != nil {
		return err
	}
	if len(calendars) > MaxCalendars {
		return tooMuch()
	}
	for _, c := range calendars {
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

func checkWindows(windows []Window) error {
	if len(windows) > MaxWindows {
		return tooMuch()
	}
	for _, w := range windows {
		if err := w.check(); err != nil {
			return err
		}
	}
	return nil
}

func (w Window) check() error {
	switch {
	case w.From >= minutesPerDay || w.To > minutesPerDay:
		return &fault.Error{Text: "There is no such time of day.", Hint: "Use times from 00:00 to 24:00.", Err: ErrClock}
	case w.From == w.To:
		return &fault.Error{
			Text: "A quiet window can't end at the time at which it begins.",
			Hint: "For a whole day choose 00:00 to 24:00.",
			Err:  ErrEmptyWindow,
		}
	case w.Days&^EveryDay != 0 || w.Days == 0 && len(w.Dates) == 0:
		return &fault.Error{Text: "A quiet window needs at least one day.", Err: ErrNoDays}
	case len(w.Dates) > MaxDates:
		return tooMuch()
	}
	return checkSpans(w.Dates)
}

func (c Calendar) check() error {
	if len(c.Holidays) > MaxHolidays || len(c.MakeUp) > MaxHolidays {
		return tooMuch()
	}
	if !calendarName(c.Name) {
		return &fault.Error{
			Text: "The name of a calendar is not acceptable.",
			Hint: "Use up to 64 bytes of ordinary characters.",
			Err:  ErrCalendarName,
		}
	}
	if err := checkSpans(c.Holidays); err != nil {
		return err
	}
	if !c.Through.valid() {
		return impossibleDates()
	}
	return checkSpans(c.MakeUp)
}

func calendarName(s string) bool {
	if s == "" || len(s) > maxCalendarName || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) { // control and bidi characters are not
			return false
		}
	}
	return true
}

// checkSpans wants spans in normal form: possible, in order, and not touching.
func checkSpans(spans []Span) error {
	for i, s := range spans {
		switch {
		case !s.First.valid() || !s.Last.valid() || s.Last < s.First:
			return impossibleDates()
		case i > 0 && s.First <= spans[i-1].Last+1:
			return ErrForm
		}
	}
	return nil
}

func checkZone(name string, needed bool) error {
	switch {
	case name == "" && !needed:
		return nil
	case name == "":
		return &fault.Error{
			Text: "Quiet hours need a time zone.",
			Hint: "Choose a time zone from the list, or update Causa.",
			Err:  ErrNoZone,
		}
	case !zoneSyntax(name):
		return unknownZone(name, nil)
	}
	return nil
}

func impossibleDates() error {
	return &fault.Error{
		Text: "A period can't end before it begins, and lies between 1970 and 2199.",
		Err:  ErrDates,
	}
}

func tooMuch() error {
	return &fault.Error{
		Text: "These are more quiet hours than Causa can keep.",
		Hint: "Join windows, or take out dates that are past.",
		Err:  ErrTooMuch,
	}
}
