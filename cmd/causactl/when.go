package main

import (
	"slices"
	"strings"
	"time"

	"causa/dnd"
	"causa/internal/fault"
)

// dayNames are the kinds of days in the order of their bits, as the command line has them.
var dayNames = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun", "holidays", "makeup"}

var daySets = map[string]dnd.Days{"all": dnd.EveryDay, "working": dnd.WorkingDays, "free": dnd.FreeDays}

// parseDays reads days as "mon-fri,holidays".
func parseDays(s string) (days dnd.Days, err error) {
	for part := range strings.SplitSeq(s, ",") {
		if set, ok := daySets[part]; ok {
			days |= set
			continue
		}
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		i, j := slices.Index(dayNames, first), slices.Index(dayNames, last)
		if i < 0 || j < 0 || isRange && (i > 6 || j > 6) {
			return 0, &fault.Error{
				Text: "“%s” are no days.", TextArgs: []any{part},
				Hint: "Use mon, tue, …, sun, mon-fri, holidays, makeup, working, free or all, with commas between them.",
			}
		}
		days |= 1 << j
		for ; i != j; i = (i + 1) % 7 { // fri-mon goes over the weekend
			days |= 1 << i
		}
	}
	return days, nil
}

func daysText(days dnd.Days) string {
	for name, set := range daySets {
		if days == set {
			return name
		}
	}
	var out []string
	for i, name := range dayNames {
		if days&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return strings.Join(out, ",")
}

// parseWindow reads a window: FROM-TO and days or dates.
func parseWindow(times, days string, dates []string) (w dnd.Window, err error) {
	bad := &fault.Error{Text: "“%s” is no window.", TextArgs: []any{times}, Hint: "Write it as 22:00-08:30; the end may be on the next day."}
	from, to, ok := strings.Cut(times, "-")
	if !ok {
		return w, bad
	}
	if w.From, err = dnd.ParseClock(from); err != nil {
		return w, bad
	}
	if w.To, err = dnd.ParseClock(to); err != nil {
		return w, bad
	}
	for _, d := range dates {
		first, last, isRange := strings.Cut(d, "..")
		var s dnd.Span
		if s.First, err = dnd.ParseDay(first); err != nil {
			return w, notADate(d)
		}
		if s.Last = s.First; isRange {
			if s.Last, err = dnd.ParseDay(last); err != nil {
				return w, notADate(d)
			}
		}
		w.Dates = append(w.Dates, s)
	}
	if days != "" || len(dates) == 0 {
		if days == "" {
			days = "all"
		}
		w.Days, err = parseDays(days)
	}
	return w, err
}

func notADate(s string) error {
	return &fault.Error{Text: "“%s” is not a date.", TextArgs: []any{s}, Hint: "Write it as 2026-11-28."}
}

// parseWhen reads a time of today or tomorrow ("15:04"), of a day ("2006-01-02 15:04"), or
// a span from now on ("90m"), by the clocks of a time zone.
func parseWhen(s string, now time.Time, loc *time.Location) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil {
		return now.Add(d), nil
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05"} {
		if t, err := time.ParseInLocation(layout, s, loc); err == nil {
			return t, nil
		}
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if c, err := dnd.ParseClock(s); err == nil && c < 24*60 {
		local := now.In(loc)
		t := time.Date(local.Year(), local.Month(), local.Day(), int(c)/60, int(c)%60, 0, 0, loc)
		if !t.After(now) {
			t = time.Date(local.Year(), local.Month(), local.Day()+1, int(c)/60, int(c)%60, 0, 0, loc)
		}
		return t, nil
	}
	return time.Time{}, &fault.Error{Text: "“%s” is not a time.", TextArgs: []any{s}, Hint: "Write it as 08:30, 2026-11-28 08:30 or 90m."}
}
