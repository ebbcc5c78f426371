package dnd

import (
	"strings"
	"time"
)

// A recurrence is an RRULE (RFC 5545, section 3.3.10) of those that recur yearly,
// weekly or daily and can be told from dates alone.
type recurrence struct {
	freq      string
	interval  int
	count     int // 0: no end by number
	until     optionalDay
	weekdays  Days       // BYDAY: of a week; 0: that of the start
	month     time.Month // BYMONTH; 0: that of the start
	monthDay  int        // BYMONTHDAY; 0: that of the start
	nth       int        // BYDAY=2MO, -1SU: which weekday of the month; 0: by monthDay
	nthDay    int        // 0 for Monday
	weekStart int        // 0 for Monday
}

var weekdayNames = []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}

func weekdayNamed(s string) (int, bool) {
	for i, name := range weekdayNames {
		if s == name {
			return i, true
		}
	}
	return 0, false
}

// parseRecurrence reads a rule. It refuses every part that it would not obey.
func parseRecurrence(s string) (r recurrence, ok bool) {
	r.interval = 1
	seen := map[string]bool{}
	for part := range strings.SplitSeq(strings.ToUpper(strings.TrimSuffix(s, ";")), ";") {
		name, value, cut := strings.Cut(part, "=")
		if !cut || seen[name] {
			return r, false
		}
		seen[name] = true
		var ok bool
		switch name {
		case "FREQ":
			r.freq = value
			ok = value == "YEARLY" || value == "WEEKLY" || value == "DAILY"
		case "INTERVAL":
			r.interval, ok = number(value, 1, 1000)
		case "COUNT":
			r.count, ok = number(value, 1, 100000)
		case "UNTIL":
			// With a time it names, for whole days, the day on which it lies.
			day, _, _ := strings.Cut(value, "T")
			r.until.day, ok = parseEventDay(day)
			r.until.given = true
		case "BYDAY":
			ok = r.parseByDay(value)
		case "BYMONTH":
			var n int
			n, ok = number(value, 1, 12)
			r.month = time.Month(n)
		case "BYMONTHDAY":
			r.monthDay, ok = number(value, 1, 31)
		case "WKST":
			r.weekStart, ok = weekdayNamed(value)
		}
		if !ok { // a part that is not here, too
			return r, false
		}
	}
	switch r.freq {
	case "YEARLY":
		// A weekday needs a month to be counted in; a day of every month is not yearly.
		byDay := r.nth != 0
		ok = r.weekdays == 0 && (!byDay || r.month != 0 && r.monthDay == 0) && (r.monthDay == 0 || r.month != 0)
	case "WEEKLY":
		ok = r.nth == 0 && r.month == 0 && r.monthDay == 0
	case "DAILY":
		ok = r.nth == 0 && r.month == 0 && r.monthDay == 0 && r.weekdays == 0
	default:
		ok = false
	}
	return r, ok && !(r.count != 0 && r.until.given)
}

// parseByDay reads MO,WE or 4TH or -1MO.
func (r *recurrence) parseByDay(value string) bool {
	for s := range strings.SplitSeq(value, ",") {
		if len(s) < 2 {
			return false
		}
		ordinal, name := s[:len(s)-2], s[len(s)-2:]
		day, ok := weekdayNamed(name)
		if !ok {
			return false
		}
		if ordinal == "" {
			r.weekdays |= 1 << day
			continue
		}
		unsigned := strings.TrimPrefix(ordinal, "+")
		sign := 1
		if rest, minus := strings.CutPrefix(ordinal, "-"); minus {
			unsigned, sign = rest, -1
		}
		n, ok := number(unsigned, 1, 5)
		if !ok || r.nth != 0 || strings.Contains(value, ",") {
			return false
		}
		r.nth, r.nthDay = sign*n, day
	}
	return true
}

// each calls take with the instances after start, in order, until take says stop, the
// rule ends or last is past. The start itself is the first instance and counts.
func (r *recurrence) each(start, last Day, take func(Day) bool) {
	if r.until.given {
		last = min(last, r.until.day)
	}
	left := r.count - 1 // the start is one; without a count this never gets to 0
	emit := func(d Day) bool {
		if d <= start {
			return true
		}
		if d > last || left == 0 {
			return false
		}
		left--
		return take(d)
	}
	step := Day(r.interval)
	switch r.freq {
	case "DAILY":
		d := start + step
		for emit(d) {
			d += step
		}
	case "WEEKLY":
		days := r.weekdays
		if days == 0 {
			days = 1 << start.weekday()
		}
		week := start - Day((start.weekday()-r.weekStart+7)%7)
		for ; week <= last; week += 7 * step {
			for d := week; d < week+7; d++ {
				if days&(1<<d.weekday()) != 0 && !emit(d) {
					return
				}
			}
		}
	case "YEARLY":
		begin := start.Time()
		for year := begin.Year(); Date(year, time.January, 1) <= last; year += r.interval {
			if d, ok := r.inYear(year, begin); ok && !emit(d) {
				return
			}
		}
	}
}

// inYear returns the rule's day of a year, if that year has one.
func (r *recurrence) inYear(year int, start time.Time) (Day, bool) {
	month, day := r.month, r.monthDay
	if month == 0 {
		month = start.Month()
	}
	if day == 0 {
		day = start.Day()
	}
	first, next := Date(year, month, 1), Date(year, month+1, 1)
	d := first + Day(day) - 1
	switch {
	case r.nth > 0:
		d = first + Day((r.nthDay-first.weekday()+7)%7) + 7*Day(r.nth-1)
	case r.nth < 0:
		final := next - 1
		d = final - Day((final.weekday()-r.nthDay+7)%7) + 7*Day(r.nth+1)
	}
	return d, first <= d && d < next
}
