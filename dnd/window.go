package dnd

import "slices"

// Days is a set of kinds of days. Every date is of exactly one kind: a holiday or a
// make-up working day if a calendar of the rules says so, else its day of the week. So
// "Monday" is a Monday that is no holiday, and a working Saturday is no "Saturday".
type Days uint16

// The kinds of days. The bits are for ever.
const (
	Monday Days = 1 << iota
	Tuesday
	Wednesday
	Thursday
	Friday
	Saturday
	Sunday
	Holidays
	MakeUpDays

	WorkingDays = Monday | Tuesday | Wednesday | Thursday | Friday | MakeUpDays
	FreeDays    = Saturday | Sunday | Holidays
	EveryDay    = WorkingDays | FreeDays
)

// The index of a kind of day is the number of its bit; the weekdays are 0 to 6.
const (
	kindHoliday = 7
	kindMakeUp  = 8
	kinds       = 9
)

// A Window is a time of day that is quiet. It belongs to the day on which it begins: a
// window of Fridays from 22:00 to 07:00 ends on Saturday morning, whatever Saturday is.
type Window struct {
	Days  Days   // it begins on days of these kinds
	Dates []Span // and on these dates, whatever kind of day they are
	From  Clock  // 00:00 to 23:59
	To    Clock  // 00:01 to 24:00; before From, it is on the next day; never From
}

// overnight reports whether the window ends on the day after the one it begins on.
func (w Window) overnight() bool { return w.To < w.From }

func (w Window) normal() Window {
	w.Dates = mergeSpans(w.Dates)
	return w
}

func normalWindows(windows []Window) []Window {
	if len(windows) == 0 {
		return nil
	}
	out := slices.Clone(windows)
	for i := range out {
		out[i] = out[i].normal()
	}
	return out
}
