package dnd

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// An event is a VEVENT, as far as whole days go.
type event struct {
	uid, text  string
	start      optionalDay
	end        optionalDay // exclusive
	days       int         // of DURATION, or 0
	recurrence optionalDay // RECURRENCE-ID
	rule       *recurrence
	also       []Day // RDATE
	except     []Day // EXDATE

	timed, cancelled bool
	bad              bool // says something that can't be read
}

type optionalDay struct {
	day   Day
	given bool
}

// The days that events may name: more than rules may, since birthdays begin early.
var (
	firstEventDay = Date(1600, time.January, 1)
	lastEventDay  = LastDay
)

// maxEventDays is the longest event that is taken for one of whole days off.
const maxEventDays = 366

func (e *event) take(p property) {
	switch p.name {
	case "UID":
		e.uid = p.value
	case "SUMMARY", "CATEGORIES":
		e.text += p.value + "\n"
	case "STATUS":
		e.cancelled = strings.EqualFold(p.value, "CANCELLED")
	case "DTSTART":
		e.takeDay(p, &e.start)
	case "DTEND":
		e.takeDay(p, &e.end)
	case "RECURRENCE-ID":
		e.takeDay(p, &e.recurrence)
		e.bad = e.bad || p.params["RANGE"] != ""
	case "DURATION":
		n, ok := wholeDays(p.value)
		e.bad = e.bad || !ok || e.days != 0
		e.days = n
	case "RRULE":
		rule, ok := parseRecurrence(p.value)
		e.bad = e.bad || !ok || e.rule != nil
		e.rule = &rule
	case "EXRULE":
		e.bad = true
	case "RDATE":
		e.takeDays(p, &e.also)
	case "EXDATE":
		e.takeDays(p, &e.except)
	}
}

// A date has the value type DATE, said by the parameter or, from careless programs,
// only by its form.
func (e *event) takeDay(p property, into *optionalDay) {
	day, ok := parseEventDay(p.value)
	switch value := p.params["VALUE"]; {
	case into.given:
		e.bad = true
	case ok && (value == "DATE" || value == ""):
		*into = optionalDay{day, true}
	case len(p.value) > len("20261121T") && p.value[8] == 'T' && value != "DATE":
		e.timed = true
	default:
		e.bad = true
	}
}

func (e *event) takeDays(p property, into *[]Day) {
	for s := range strings.SplitSeq(p.value, ",") {
		var d optionalDay
		e.takeDay(property{value: s, params: p.params}, &d)
		if d.given {
			*into = append(*into, d.day)
		}
	}
}

// finish looks whether what was taken fits together.
func (e *event) finish() {
	n := e.length()
	e.bad = e.bad || !e.timed && (!e.start.given || e.end.given && e.days != 0 || n < 1 || n > maxEventDays)
}

// length returns the number of days of each instance.
func (e *event) length() int {
	switch {
	case e.days != 0:
		return e.days
	case e.end.given:
		return int(e.end.day - e.start.day)
	}
	return 1
}

// spans returns the days of the event between first and last. Each instance looked at
// takes from work, which is for all events of a file.
func (e *event) spans(first, last Day, work *int) (spans []Span, err error) {
	n := Day(e.length())
	except := make(map[Day]bool, len(e.except))
	for _, d := range e.except {
		except[d] = true
	}
	take := func(d Day) bool {
		*work--
		s := Span{max(d, first), min(d+n-1, last)}
		if !except[d] && s.First <= s.Last {
			spans = append(spans, s)
		}
		return *work > 0 && d <= last
	}
	take(e.start.day)
	for _, d := range e.also {
		take(d)
	}
	if e.rule != nil {
		e.rule.each(e.start.day, last, take)
	}
	if *work <= 0 {
		return nil, errors.New("its events recur too often")
	}
	return mergeSpans(spans), nil
}

// parseEventDay reads the form 20261121.
func parseEventDay(s string) (Day, bool) {
	if len(s) != 8 {
		return 0, false
	}
	t, err := time.Parse("20060102", s)
	if err != nil {
		return 0, false
	}
	d := dayOf(t.Unix())
	return d, firstEventDay <= d && d <= lastEventDay
}

// wholeDays reads a DURATION of days or weeks, such as P3D.
func wholeDays(s string) (int, bool) {
	s, ok := strings.CutPrefix(strings.TrimPrefix(s, "+"), "P")
	if !ok || s == "" {
		return 0, false
	}
	unit := 1
	switch s[len(s)-1] {
	case 'D':
	case 'W':
		unit = 7
	default:
		return 0, false
	}
	n, ok := number(s[:len(s)-1], 1, maxEventDays)
	return n * unit, ok
}

// number reads digits, between the limits.
func number(s string, low, high int) (int, bool) {
	if s == "" || len(s) > 6 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && low <= n && n <= high
}
