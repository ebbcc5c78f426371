package dnd

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Day is a date of the calendar, counted from 1 January 1970, which is 0. It has no
// time zone.
type Day int32

// LastDay is the last day that rules may name, 31 December 2199. The first is day 0.
const LastDay Day = 84005

const (
	minutesPerDay = 24 * 60
	secondsPerDay = 24 * 60 * 60
)

// Date returns a day. Like [time.Date] it accepts values outside their usual ranges, so
// that 32 January is 1 February.
func Date(year int, month time.Month, day int) Day {
	return dayOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix())
}

// ParseDay reads the form 2026-11-21.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("read day: %w", err)
	}
	d := dayOf(t.Unix())
	if !d.valid() {
		return 0, errors.New("read day: it is not between 1970 and 2199")
	}
	return d, nil
}

// dayOf returns the day on which second falls.
func dayOf(second int64) Day {
	d := second / secondsPerDay
	if second%secondsPerDay < 0 {
		d--
	}
	return Day(d)
}

// Time returns the day's beginning in UTC, for printing and counting.
func (d Day) Time() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

func (d Day) String() string { return d.Time().Format(time.DateOnly) }

// Weekday returns the day of the week.
func (d Day) Weekday() time.Weekday { return time.Weekday(d.weekday()+1) % 7 }

// weekday returns 0 for Monday up to 6 for Sunday; day 0 was a Thursday.
func (d Day) weekday() int {
	w := (int(d) + 3) % 7
	if w < 0 {
		w += 7
	}
	return w
}

func (d Day) valid() bool { return 0 <= d && d <= LastDay }

// A Clock is a time of day on the wall, in minutes from 00:00. 24:00 is only an end.
type Clock uint16

// At returns a time of day.
func At(hour, minute int) Clock { return Clock(hour*60 + minute) }

// ParseClock reads the form 22:30, from 00:00 to 24:00.
func ParseClock(s string) (Clock, error) {
	digit := func(i int) int { return int(s[i]) - '0' }
	if len(s) != 5 || s[2] != ':' {
		return 0, errors.New("read time of day: it is not written like 22:30")
	}
	for _, i := range []int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return 0, errors.New("read time of day: it is not written like 22:30")
		}
	}
	hour, minute := digit(0)*10+digit(1), digit(3)*10+digit(4)
	if minute > 59 || hour*60+minute > minutesPerDay {
		return 0, errors.New("read time of day: there is no such time")
	}
	return At(hour, minute), nil
}

func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", c/60, c%60) }

// A Span is a run of days, both ends included.
type Span struct{ First, Last Day }

// Contains reports whether d lies in the span.
func (s Span) Contains(d Day) bool { return s.First <= d && d <= s.Last }

func (s Span) String() string {
	if s.First == s.Last {
		return s.First.String()
	}
	return s.First.String() + ".." + s.Last.String()
}

// mergeSpans returns the spans in order, with those that touch or overlap made one. A
// span that ends before it begins stays as it is, for the check to find.
func mergeSpans(spans []Span) []Span {
	if len(spans) == 0 {
		return nil
	}
	in := slices.Clone(spans)
	slices.SortFunc(in, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last))
	})
	out := in[:1]
	for _, s := range in[1:] {
		last := &out[len(out)-1]
		if s.First <= s.Last && last.First <= last.Last && s.First <= last.Last+1 {
			last.Last = max(last.Last, s.Last)
			continue
		}
		out = append(out, s)
	}
	return out
}
