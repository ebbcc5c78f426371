package dnd

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"causa/internal/fault"
)

// The limits of an iCalendar file.
const (
	MaxICal      = 1 << 20 // bytes
	maxICalLine  = 16 << 10
	maxICalDepth = 8
	maxICalWork  = 1 << 20 // instances looked at, over all events
)

// ErrICal says that bytes are no iCalendar file, or one past the limits.
var ErrICal = errors.New("not an iCalendar file")

// ICalOptions say how to read an iCalendar file. First and Last are needed.
type ICalOptions struct {
	Name string // of the calendar
	// First and Last bound the days that are taken: events that recur for ever need an
	// end, because rules carry their days one by one.
	First, Last Day
	// MakeUp are words; an event with one of them in its summary or categories is a
	// make-up working day, such as "补班". Others are holidays.
	MakeUp []string
}

// An ICalReport says what became of the events of a file, for the person.
type ICalReport struct {
	Taken     int // events with at least one day between First and Last
	Outside   int // events without
	Timed     int // left out: not whole days
	NotTaken  int // left out: recur in a way, or have a date, that this program can't read
	Cancelled int // left out: cancelled
}

// ReadICal makes a calendar of the whole-day events of an iCalendar file (RFC 5545).
// It reads DTSTART, DTEND, DURATION, RRULE, RDATE, EXDATE and RECURRENCE-ID with dates;
// rules recur yearly, weekly or daily. An event that needs more is left out and counted,
// never half understood. Errors wrap [ErrICal] and carry words for people.
func ReadICal(b []byte, o ICalOptions) (Calendar, ICalReport, error) {
	var report ICalReport
	if !o.First.valid() || !o.Last.valid() || o.Last < o.First {
		return Calendar{}, report, impossibleDates()
	}
	if len(b) > MaxICal {
		return Calendar{}, report, badICal(errors.New("it is too large"))
	}
	events, err := readEvents(string(b))
	if err != nil {
		return Calendar{}, report, badICal(err)
	}
	// An instance that was changed by itself is its own event, and no instance of the
	// rule any more.
	changed := map[string][]Day{}
	for _, e := range events {
		if e.recurrence.given && e.uid != "" {
			changed[e.uid] = append(changed[e.uid], e.recurrence.day)
		}
	}
	c := Calendar{Name: o.Name, Through: o.Last}
	work := maxICalWork
	for _, e := range events {
		switch {
		case e.bad:
			report.NotTaken++
			continue
		case e.timed:
			report.Timed++
			continue
		case e.cancelled:
			report.Cancelled++
			continue
		}
		if !e.recurrence.given {
			e.except = append(e.except, changed[e.uid]...)
		}
		spans, err := e.spans(o.First, o.Last, &work)
		if err != nil {
			return Calendar{}, report, badICal(err)
		}
		if len(spans) == 0 {
			report.Outside++
			continue
		}
		report.Taken++
		if slices.ContainsFunc(o.MakeUp, func(word string) bool { return word != "" && strings.Contains(e.text, word) }) {
			c.MakeUp = append(c.MakeUp, spans...)
		} else {
			c.Holidays = append(c.Holidays, spans...)
		}
	}
	c = c.normal()
	return c, report, c.check()
}

func badICal(err error) error {
	return &fault.Error{
		Text: "This file is not a calendar that Causa can read.",
		Hint: "Choose an iCalendar file (.ics) of up to 1 MB.",
		Err:  fmt.Errorf("%w: %w", ErrICal, err),
	}
}

// A property is a content line: NAME;PARAM=VALUE:VALUE.
type property struct {
	name   string
	params map[string]string
	value  string
}

// properties unfolds the lines of a file and takes them apart.
func properties(s string) ([]property, error) {
	var out []property
	s = strings.TrimPrefix(s, "\ufeff")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	// A line that begins with a blank continues the one before it.
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\n ", ""), "\n\t", "")
	for line := range strings.SplitSeq(s, "\n") {
		if line == "" {
			continue
		}
		if len(line) > maxICalLine {
			return nil, errors.New("a line is too long")
		}
		p, err := parseProperty(line)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func parseProperty(line string) (property, error) {
	malformed := errors.New("a line is malformed")
	end := strings.IndexAny(line, ";:")
	if end <= 0 {
		return property{}, malformed
	}
	p := property{name: strings.ToUpper(line[:end])}
	for rest := line[end:]; ; {
		if rest[0] == ':' {
			p.value = rest[1:]
			return p, nil
		}
		name, value, ok := strings.Cut(rest[1:], "=")
		if !ok || name == "" || strings.ContainsAny(name, ":;\"") {
			return property{}, malformed
		}
		// A parameter's value ends at a semicolon or colon that is not between quotes.
		quoted, end := false, -1
		for i := range len(value) {
			if value[i] == '"' {
				quoted = !quoted
			}
			if !quoted && (value[i] == ';' || value[i] == ':') {
				end = i
				break
			}
		}
		if end < 0 {
			return property{}, malformed
		}
		if p.params == nil {
			p.params = map[string]string{}
		}
		p.params[strings.ToUpper(name)] = strings.ToUpper(strings.Trim(value[:end], `"`))
		rest = value[end:]
	}
}

// readEvents returns the events of a file that has one or more calendars.
func readEvents(s string) ([]event, error) {
	lines, err := properties(s)
	if err != nil {
		return nil, err
	}
	var events []event
	var open []string // the components we are in
	var e *event
	for _, p := range lines {
		switch p.name {
		case "BEGIN":
			name := strings.ToUpper(p.value)
			if len(open) == 0 && name != "VCALENDAR" || len(open) >= maxICalDepth {
				return nil, errors.New("a component is out of place")
			}
			open = append(open, name)
			if len(open) == 2 && name == "VEVENT" {
				e = &event{}
			}
		case "END":
			n := len(open)
			if n == 0 || open[n-1] != strings.ToUpper(p.value) {
				return nil, errors.New("a component ends that is not open")
			}
			open = open[:n-1]
			if n == 2 && e != nil {
				e.finish()
				events = append(events, *e)
				e = nil
			}
		default:
			if len(open) == 0 {
				return nil, errors.New("a line is outside every component")
			}
			if e != nil && len(open) == 2 { // not in an event's alarm
				e.take(p)
			}
		}
	}
	if len(open) != 0 {
		return nil, errors.New("a component does not end")
	}
	if len(lines) == 0 {
		return nil, errors.New("it is empty")
	}
	return events, nil
}
