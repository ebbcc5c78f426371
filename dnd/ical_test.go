package dnd

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causa/internal/fault"
)

var icalYears = ICalOptions{Name: "imported", First: Date(2026, 1, 1), Last: Date(2027, 12, 31), MakeUp: []string{"补班", "（班）"}}

// icalOf makes a file of events, each given by its lines.
func icalOf(events ...string) string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n")
	for i, e := range events {
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:%d\r\n%s\r\nEND:VEVENT\r\n", i, strings.ReplaceAll(e, "\n", "\r\n"))
	}
	b.WriteString("END:VCALENDAR\r\n")
	return b.String()
}

func spansText(spans []Span) string {
	var out []string
	for _, s := range spans {
		out = append(out, s.String())
	}
	return strings.Join(out, " ")
}

func TestReadICalEvents(t *testing.T) {
	tests := []struct {
		name, event, want string
	}{
		{"one day", "DTSTART;VALUE=DATE:20261224", "2026-12-24"},
		{"without the parameter", "DTSTART:20261224", "2026-12-24"},
		{"an end is exclusive", "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227", "2026-12-24..2026-12-26"},
		{"duration", "DTSTART;VALUE=DATE:20261224\nDURATION:P3D", "2026-12-24..2026-12-26"},
		{"duration in weeks", "DTSTART;VALUE=DATE:20261224\nDURATION:P1W", "2026-12-24..2026-12-30"},
		{"reaches in from before", "DTSTART;VALUE=DATE:20251230\nDTEND;VALUE=DATE:20260103", "2026-01-01..2026-01-02"},
		{"before", "DTSTART;VALUE=DATE:20251230", ""},
		{"timed", "DTSTART:20261224T100000Z\nDTEND:20261224T110000Z", ""},
		{"timed, in a zone", "DTSTART;TZID=Europe/Berlin:20261224T100000", ""},
		{"cancelled", "DTSTART;VALUE=DATE:20261224\nSTATUS:CANCELLED", ""},
		{"folded lines", "DTSTART;VALU\n E=DATE:2026\n\t1224", "2026-12-24"},
		{"lower case", "dtstart;value=date:20261224", "2026-12-24"},
		{"quoted parameter", "DTSTART;X-A=\"a:b;c\";VALUE=DATE:20261224", "2026-12-24"},
		{"an alarm's own lines", "DTSTART;VALUE=DATE:20261224\nBEGIN:VALARM\nDURATION:PT5M\nEND:VALARM", "2026-12-24"},

		{"yearly", "DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY", "2026-05-01 2027-05-01"},
		{"yearly, since long", "DTSTART;VALUE=DATE:16050501\nRRULE:FREQ=YEARLY", "2026-05-01 2027-05-01"},
		{"yearly until, with a time", "DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY;UNTIL=20260501T000000Z", "2026-05-01"},
		{"yearly, until the day before", "DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY;UNTIL=20260430", ""},
		{"yearly, seven times", "DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY;COUNT=7", "2026-05-01"},
		{"every second year", "DTSTART;VALUE=DATE:20210501\nRRULE:FREQ=YEARLY;INTERVAL=2", "2027-05-01"},
		{"leap day", "DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY", ""},
		{"Thanksgiving", "DTSTART;VALUE=DATE:20201126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "2026-11-26 2027-11-25"},
		{"Memorial Day", "DTSTART;VALUE=DATE:20200525\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO", "2026-05-25 2027-05-31"},
		{"month and day", "DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY;BYMONTH=10;BYMONTHDAY=3", "2026-10-03 2027-10-03"},
		{"yearly, three days each", "DTSTART;VALUE=DATE:20201001\nDTEND;VALUE=DATE:20201004\nRRULE:FREQ=YEARLY", "2026-10-01..2026-10-03 2027-10-01..2027-10-03"},
		{"an exception", "DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20260501", "2027-05-01"},
		{"more dates", "DTSTART;VALUE=DATE:20260501\nRDATE;VALUE=DATE:20260601,20260701", "2026-05-01 2026-06-01 2026-07-01"},
		{"weekly", "DTSTART;VALUE=DATE:20271217\nRRULE:FREQ=WEEKLY", "2027-12-17 2027-12-24 2027-12-31"},
		{"weekly, by days", "DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=WEEKLY;COUNT=4;BYDAY=MO,WE", "2026-01-05 2026-01-07 2026-01-12 2026-01-14"},
		// The example of RFC 5545, section 3.3.10: the beginning of the week matters.
		{"every second week from Monday", "DTSTART;VALUE=DATE:20260804\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "2026-08-04 2026-08-09 2026-08-18 2026-08-23"},
		{"every second week from Sunday", "DTSTART;VALUE=DATE:20260804\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "2026-08-04 2026-08-16 2026-08-18 2026-08-30"},
		{"daily", "DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=DAILY;COUNT=3", "2026-01-05..2026-01-07"},
		{"every third day", "DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=DAILY;INTERVAL=3;UNTIL=20260112", "2026-01-05 2026-01-08 2026-01-11"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _, err := ReadICal([]byte(icalOf(tt.event)), icalYears)
			if err != nil {
				t.Fatal(err)
			}
			if got := spansText(c.Holidays); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			unix := strings.ReplaceAll(icalOf(tt.event), "\r\n", "\n")
			if again, _, err := ReadICal([]byte(unix), icalYears); err != nil || !cmp.Equal(again, c) {
				t.Errorf("with other line ends: %v, %v", again, err)
			}
		})
	}
}

func TestReadICalLeavesOut(t *testing.T) {
	for _, e := range []string{
		"SUMMARY:no date",
		"DTSTART;VALUE=DATE:20260230",
		"DTSTART;VALUE=DATE:2026-12-24",
		"DTSTART;VALUE=DATE:20261224\nDTSTART;VALUE=DATE:20261225",
		"DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261224",
		"DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261220",
		"DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261226\nDURATION:P2D",
		"DTSTART;VALUE=DATE:20260101\nDURATION:P400D",
		"DTSTART;VALUE=DATE:20261224\nDURATION:PT3H",
		"DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=MONTHLY",
		"DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;BYEASTER=0",
		"DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;BYMONTH=1,2",
		"DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;BYDAY=MO",
		"DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;BYDAY=1MO",
		"DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=1MO,2TU",
		"DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;COUNT=2;UNTIL=20301224",
		"DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;FREQ=DAILY",
		"DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=WEEKLY;BYDAY=2MO",
		"DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY;BYDAY=MO",
		"DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;INTERVAL=0",
		"DTSTART;VALUE=DATE:20261224\nRRULE:INTERVAL=2",
		"DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY\nRRULE:FREQ=DAILY",
		"DTSTART;VALUE=DATE:20261224\nEXRULE:FREQ=YEARLY",
	} {
		c, report, err := ReadICal([]byte(icalOf(e)), icalYears)
		if err != nil || report != (ICalReport{NotTaken: 1}) || len(c.Holidays) != 0 {
			t.Errorf("%q: %v, %+v, %v", e, c.Holidays, report, err)
		}
	}
}

func TestReadICalReport(t *testing.T) {
	text := "\ufeff" + icalOf(
		"DTSTART;VALUE=DATE:20261001\nDTEND;VALUE=DATE:20261008\nSUMMARY:国庆节（休）",
		"DTSTART;VALUE=DATE:20261010\nSUMMARY:国庆节补班",
		"DTSTART;VALUE=DATE:20260920\nSUMMARY:国庆节\nCATEGORIES:补班",
		"DTSTART;VALUE=DATE:20301001",
		"DTSTART:20261001T090000Z",
		"DTSTART;VALUE=DATE:20261001\nRRULE:FREQ=MONTHLY",
		"DTSTART;VALUE=DATE:20261001\nSTATUS:CANCELLED",
	)
	c, report, err := ReadICal([]byte(text), icalYears)
	if err != nil {
		t.Fatal(err)
	}
	want := Calendar{
		Name: "imported", Through: Date(2027, 12, 31),
		Holidays: []Span{{Date(2026, 10, 1), Date(2026, 10, 7)}},
		MakeUp:   []Span{{Date(2026, 9, 20), Date(2026, 9, 20)}, {Date(2026, 10, 10), Date(2026, 10, 10)}},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(ICalReport{Taken: 3, Outside: 1, Timed: 1, NotTaken: 1, Cancelled: 1}, report); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// One instance of a rule that was moved by itself is where it was moved to.
func TestReadICalMovedInstance(t *testing.T) {
	text := strings.ReplaceAll(icalOf(
		"DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY",
		"DTSTART;VALUE=DATE:20260504\nRECURRENCE-ID;VALUE=DATE:20260501",
	), "UID:1", "UID:0")
	c, _, err := ReadICal([]byte(text), icalYears)
	if got, want := spansText(c.Holidays), "2026-05-04 2027-05-01"; err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func TestReadICalRefuses(t *testing.T) {
	day := "DTSTART;VALUE=DATE:20261224"
	good := icalOf(day)
	daily := "DTSTART;VALUE=DATE:19000101\nRRULE:FREQ=DAILY"
	var many []string
	for range 200 {
		many = append(many, daily)
	}
	tests := []struct {
		name, text string
		want       error
	}{
		{"empty", "", ErrICal},
		{"a web page", "<html><body>Sign in</body></html>", ErrICal},
		{"an address book", "BEGIN:VCARD\r\nEND:VCARD\r\n", ErrICal},
		{"cut off", good[:len(good)-10], ErrICal},
		{"ends twice", good + "END:VCALENDAR\r\n", ErrICal},
		{"crossed", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\nEND:VEVENT\n", ErrICal},
		{"outside", day + "\r\n" + good, ErrICal},
		{"deep", strings.Repeat("BEGIN:VCALENDAR\n", 9), ErrICal},
		{"a line without a colon", icalOf(day + "\nSUMMARY"), ErrICal},
		{"an open quote", icalOf(`DTSTART;X="a:20261224`), ErrICal},
		{"a long line", icalOf("SUMMARY:" + strings.Repeat("x", maxICalLine)), ErrICal},
		{"a large file", icalOf(strings.Repeat("X:"+strings.Repeat("y", 1000)+"\n", 1100) + day), ErrICal},
		{"too much recurrence", icalOf(many...), ErrICal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := ReadICal([]byte(tt.text), icalYears)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if words, _ := fault.Words(err, nil); words == fault.General {
				t.Error("no words")
			}
		})
	}
	for _, o := range []ICalOptions{{}, {Name: "x", First: 5, Last: 4}, {Name: "x", First: -1, Last: 4}, {First: 1, Last: 4}} {
		if _, _, err := ReadICal([]byte(good), o); err == nil && o.Name == "" || err == nil && o.Last < o.First {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func FuzzReadICal(f *testing.F) {
	f.Add([]byte(icalOf("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227\nSUMMARY:补班")))
	f.Add([]byte(icalOf("DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;INTERVAL=2\nEXDATE;VALUE=DATE:20260501")))
	f.Add([]byte(icalOf("DTSTART:20200501\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE;WKST=SU;UNTIL=20270101\nRDATE:20260601,20260602")))
	f.Add([]byte(icalOf("DTSTART;TZID=\"a:b\":20200501T100000\nDURATION:P1W\nRECURRENCE-ID:20260501")))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, report, err := ReadICal(b, icalYears)
		if err != nil {
			if errors.Is(err, ErrICal) == errors.Is(err, ErrTooMuch) {
				t.Errorf("refused with %v", err)
			}
			return
		}
		if report.Taken < 0 || report.Taken == 0 && len(c.Holidays)+len(c.MakeUp) > 0 {
			t.Errorf("%+v, but %v", report, c)
		}
		for _, s := range append(c.Holidays, c.MakeUp...) {
			if s.First < icalYears.First || s.Last > icalYears.Last {
				t.Errorf("%v is outside", s)
			}
		}
		// What was read can be published.
		if _, err := (Rules{Calendars: []Calendar{c}}).Encode(); err != nil {
			t.Error(err)
		}
	})
}
