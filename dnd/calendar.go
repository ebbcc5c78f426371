package dnd

import "slices"

// A Calendar says which days are holidays and which days of a weekend are worked to
// make up for them. Rules carry their calendars with them, day by day, so that two
// programs of different age judge alike; a program that knows more publishes new rules.
type Calendar struct {
	Name     string // for people; "cn" is China's official one
	Through  Day    // the last day about which the calendar is complete; 0 says nothing
	Holidays []Span
	MakeUp   []Span // these win over Holidays of the same calendar
}

func (c Calendar) normal() Calendar {
	c.Holidays, c.MakeUp = mergeSpans(c.Holidays), mergeSpans(c.MakeUp)
	return c
}

func normalCalendars(calendars []Calendar) []Calendar {
	if len(calendars) == 0 {
		return nil
	}
	out := slices.Clone(calendars)
	for i := range out {
		out[i] = out[i].normal()
	}
	return out
}
