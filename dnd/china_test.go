package dnd

import (
	"slices"
	"strings"
	"testing"
)

// The notice for 2026, as its sentences have it: which days are free, and which weekend
// days are worked.
func TestChina2026(t *testing.T) {
	c := China()
	if err := (Rules{Calendars: []Calendar{c}}).Check(); err != nil {
		t.Fatal(err)
	}
	spans := func(spans []Span, year string) string {
		var out []string
		for _, s := range spans {
			if strings.HasPrefix(s.String(), year) {
				out = append(out, strings.ReplaceAll(s.String(), year+"-", ""))
			}
		}
		return strings.Join(out, " ")
	}
	tests := []struct{ name, got, want string }{
		{"free in 2026", spans(c.Holidays, "2026"), "01-01..01-03 02-15..02-23 04-04..04-06 05-01..05-05 06-19..06-21 09-25..09-27 10-01..10-07"},
		{"worked in 2026", spans(c.MakeUp, "2026"), "01-04 02-14 02-28 05-09 09-20 10-10"},
		{"statutory in 2027", spans(c.Holidays, "2027"), "01-01 02-05..02-08 04-05 05-01..05-02 06-09 09-15 10-01..10-03"},
		{"worked in 2027", spans(c.MakeUp, "2027"), ""},
		{"complete until", c.Through.String(), "2026-12-31"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}

// What the notice adds up to: 33 free days, of which weekends and statutory holidays
// are what they are and the rest is worked for on other weekends.
func TestChinaAddsUp(t *testing.T) {
	c := China()
	free, bridges := 0, 0
	for _, s := range c.Holidays {
		for d := s.First; d <= s.Last && d <= c.Through; d++ {
			free++
			if d.weekday() < 5 {
				bridges++
			}
		}
	}
	made := 0
	for _, s := range c.MakeUp {
		for d := s.First; d <= s.Last; d++ {
			made++
			if d.weekday() < 5 {
				t.Errorf("%v is worked anyway", d)
			}
			if slices.ContainsFunc(c.Holidays, func(s Span) bool { return s.Contains(d) }) {
				t.Errorf("%v is both free and worked", d)
			}
		}
	}
	// The law gives 13 days; one that falls on a weekend is given back on a weekday.
	if free != 33 || bridges-made != 13 {
		t.Errorf("%d free days, %d of them weekdays, %d made up for", free, bridges, made)
	}
}

func TestCalendarsDisagree(t *testing.T) {
	d := Date(2026, 10, 5)
	company := Calendar{Name: "company", MakeUp: []Span{{d, d}}}
	strike := Calendar{Name: "strike", Holidays: []Span{{d, d}}}
	both := Calendar{Name: "both", Holidays: []Span{{d, d}}, MakeUp: []Span{{d, d}}}
	tests := []struct {
		name string
		in   []Calendar
		want int
	}{
		{"none", nil, 0},
		{"one", []Calendar{China()}, kindHoliday},
		{"the last wins", []Calendar{China(), company}, kindMakeUp},
		{"the last wins, the other way", []Calendar{company, strike}, kindHoliday},
		{"work wins within one", []Calendar{strike, both}, kindMakeUp},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := runAt(kindsOf(tt.in), d, uint16(d.weekday())); int(got) != tt.want {
				t.Errorf("kind %d, want %d", got, tt.want)
			}
		})
	}
}
