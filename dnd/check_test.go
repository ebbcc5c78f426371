package dnd

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"causa/internal/fault"
	"causa/matter"
)

func TestCheck(t *testing.T) {
	day := []Span{{Date(2026, 12, 24), Date(2026, 12, 24)}}
	window := func(w Window) Rules { return Rules{Zone: "UTC", Windows: []Window{w}} }
	calendar := func(c Calendar) Rules { return Rules{Calendars: []Calendar{c}} }
	scattered := func(n int) (spans []Span) {
		for i := range n {
			spans = append(spans, Span{Day(2 * i), Day(2 * i)})
		}
		return spans
	}
	tests := []struct {
		name  string
		rules Rules
		want  error
	}{
		{"nothing", Rules{}, nil},
		{"the example", exampleRules(), nil},
		{"end = begin", window(Window{Days: Monday, From: At(9, 0), To: At(9, 0)}), ErrEmptyWindow},
		{"end = begin, at midnight", window(Window{Days: Monday}), ErrEmptyWindow},
		{"end before begin is the next day", window(Window{Days: Monday, From: At(9, 0), To: At(8, 59)}), nil},
		{"until midnight, said as 00:00", window(Window{Days: Monday, From: At(22, 0), To: 0}), nil},
		{"begins at 24:00", window(Window{Days: Monday, From: At(24, 0), To: At(8, 0)}), ErrClock},
		{"ends at 24:01", window(Window{Days: Monday, From: At(9, 0), To: At(24, 1)}), ErrClock},
		{"no day", window(Window{From: At(22, 0), To: At(8, 0)}), ErrNoDays},
		{"a tenth kind of day", window(Window{Days: 1 << kinds, From: At(22, 0), To: At(8, 0)}), ErrNoDays},
		{"whole week", window(Window{Days: EveryDay, To: At(24, 0)}), nil},
		{"only dates", window(Window{Dates: day, To: At(24, 0)}), nil},
		{"dates backwards", window(Window{Dates: []Span{{Date(2027, 1, 2), Date(2027, 1, 1)}}, To: At(24, 0)}), ErrDates},
		{"dates before 1970", window(Window{Dates: []Span{{-1, 5}}, To: At(24, 0)}), ErrDates},
		{"dates after 2199", window(Window{Dates: []Span{{5, LastDay + 1}}, To: At(24, 0)}), ErrDates},
		{"dates for ever", window(Window{Dates: []Span{{5, 1<<31 - 1}, {7, 9}}, To: At(24, 0)}), ErrDates},
		{"too many dates", window(Window{Dates: scattered(MaxDates + 1), To: At(24, 0)}), ErrTooMuch},
		{"too many windows", Rules{Zone: "UTC", Windows: slices.Repeat([]Window{nights}, MaxWindows+1)}, ErrTooMuch},
		{"too many calendars", Rules{Calendars: slices.Repeat([]Calendar{China()}, MaxCalendars+1)}, ErrTooMuch},
		{"too many holidays", calendar(Calendar{Name: "x", Holidays: scattered(MaxHolidays + 1)}), ErrTooMuch},
		{"too many bytes", Rules{Calendars: slices.Repeat([]Calendar{{Name: "x", Holidays: scattered(MaxHolidays)}}, MaxCalendars)}, ErrTooMuch},
		{"a calendar that ends in 2200", calendar(Calendar{Name: "x", Through: LastDay + 1}), ErrDates},
		{"a long name", calendar(Calendar{Name: strings.Repeat("x", 65)}), ErrCalendarName},
		{"a newline in a name", calendar(Calendar{Name: "a\nb"}), ErrCalendarName},
		{"no zone", Rules{Windows: []Window{nights}}, ErrNoZone},
		{"no zone for a matter's own windows", Rules{Matters: []Override{{Matter: budget, Mode: ModeWindows, Windows: []Window{nights}}}}, ErrNoZone},
		{"a matter twice", Rules{Matters: []Override{{Matter: budget, Mode: ModeAlways}, {Matter: canteen, Mode: ModeNever}, {Matter: budget, Mode: ModeNever}}}, ErrOverride},
		{"no mode", Rules{Matters: []Override{{Matter: budget}}}, ErrOverride},
		{"windows of a silent matter", Rules{Zone: "UTC", Matters: []Override{{Matter: budget, Mode: ModeNever, Windows: []Window{nights}}}}, ErrOverride},
		{"nobody is a VIP", Rules{VIPs: []matter.MemberID{{}}}, ErrVIP},
		{"manual without a kind", Rules{Manual: Manual{Until: time.Unix(5, 0)}}, ErrManual},
		{"manual without an end", Rules{Manual: Manual{Kind: ManualQuiet}}, ErrManual},
		{"manual in 2200", Rules{Manual: Manual{ManualOff, time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)}}, ErrManual},
		{"manual until the last second", Rules{Manual: Manual{ManualOff, time.Date(2199, 12, 31, 23, 59, 59, 0, time.UTC)}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.rules.Check()
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if words, _ := fault.Words(err, nil); tt.want != nil && words == fault.General {
				t.Errorf("no words for %v", err)
			}
			if _, encoded := tt.rules.Encode(); (encoded == nil) != (err == nil) {
				t.Errorf("checked: %v, encoded: %v", err, encoded)
			}
			if len(tt.rules.Matters) == 0 && len(tt.rules.Calendars) < 2 {
				f := Floor{Zone: tt.rules.Zone, Windows: tt.rules.Windows, Calendars: tt.rules.Calendars}
				if err := f.Check(); err != nil && tt.want == nil && !errors.Is(err, ErrTooMuch) {
					t.Errorf("as a floor: %v", err)
				}
			}
		})
	}
}

func TestFloorLimit(t *testing.T) {
	f := Floor{Zone: "Asia/Shanghai", Windows: slices.Repeat([]Window{nights}, MaxWindows), Calendars: []Calendar{China()}}
	text, err := f.Text()
	if err != nil || len(text) > 4<<10 {
		t.Errorf("a floor of %d windows and a calendar has %d characters: %v", MaxWindows, len(text), err)
	}
	f.Calendars = slices.Repeat([]Calendar{China()}, MaxCalendars)
	f.Windows = slices.Repeat([]Window{{Days: EveryDay, Dates: []Span{{1, 2}, {4, 5}, {7, 8}}, To: 5}}, MaxWindows)
	if _, err := f.Text(); !errors.Is(err, ErrTooMuch) {
		t.Errorf("a floor too large for a policy: %v", err)
	}
}

func TestNotes(t *testing.T) {
	today := Date(2026, 11, 21)
	china := []Calendar{China()}
	whole := Window{Days: EveryDay, To: At(24, 0)}
	tests := []struct {
		name  string
		rules Rules
		today Day
		want  []NoteKind
	}{
		{"nothing", Rules{}, today, nil},
		{"nights", Rules{Windows: []Window{nights}}, today, nil},
		{"whole week", Rules{Windows: []Window{whole}}, today, []NoteKind{NoteNoTimeLeft}},
		{"whole week, in parts", Rules{Windows: []Window{{Days: FreeDays | WorkingDays, From: At(8, 0), To: At(20, 0)}, {Days: EveryDay, From: At(20, 0), To: At(8, 0)}}}, today, []NoteKind{NoteNoTimeLeft}},
		{"whole week but for holidays, without a calendar", Rules{Windows: []Window{{Days: EveryDay &^ Holidays, To: At(24, 0)}}}, today, []NoteKind{NoteNoTimeLeft}},
		{"whole week but for holidays", Rules{Windows: []Window{{Days: EveryDay &^ Holidays, To: At(24, 0)}}, Calendars: china}, today - 60, nil},
		{"whole week but for a minute", Rules{Windows: []Window{{Days: EveryDay, From: At(8, 1), To: At(8, 0)}}}, today, nil},
		{"whole week in one matter", Rules{Matters: []Override{{Matter: budget, Mode: ModeWindows, Windows: []Window{whole}}}}, today, []NoteKind{NoteNoTimeLeft}},
		{"overlap", Rules{Windows: []Window{nights, {Days: Monday, From: At(8, 0), To: At(9, 0)}}}, today, []NoteKind{NoteOverlap}},
		{"overlap across midnight", Rules{Windows: []Window{{Days: Sunday, From: At(22, 0), To: At(8, 0)}, {Days: Monday, From: At(7, 59), To: At(9, 0)}}}, today, []NoteKind{NoteOverlap}},
		{"windows that touch", Rules{Windows: []Window{{Days: Sunday, From: At(22, 0), To: At(8, 0)}, {Days: Monday, From: At(8, 0), To: At(9, 0)}}}, today, nil},
		{"holidays without a calendar", Rules{Windows: []Window{{Days: Holidays, To: At(24, 0)}}}, today, []NoteKind{NoteNoCalendar}},
		{"holidays with a calendar", Rules{Windows: []Window{{Days: Holidays, To: At(24, 0)}}, Calendars: china}, today - 60, nil},
		{"a calendar that ends soon", Rules{Calendars: china}, Date(2026, 11, 17), []NoteKind{NoteCalendarEnds}},
		{"a calendar that ends in time", Rules{Calendars: china}, Date(2026, 11, 16), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []NoteKind
			for _, n := range tt.rules.Notes(tt.today) {
				got = append(got, n.Kind)
				if text, args := n.Words(); text == "" || strings.Count(text, "%s") != len(args) {
					t.Errorf("a note says %q with %v", text, args)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got notes %v, want %v", got, tt.want)
			}
			f := Floor{Windows: tt.rules.Windows, Calendars: tt.rules.Calendars}
			if len(tt.rules.Matters) == 0 && len(f.Notes(tt.today)) != len(tt.want) {
				t.Errorf("a floor of the same has notes %v", f.Notes(tt.today))
			}
		})
	}
}

func TestClock(t *testing.T) {
	for c := range Clock(minutesPerDay + 1) {
		if got, err := ParseClock(c.String()); err != nil || got != c {
			t.Fatalf("ParseClock(%q) = %v, %v", c.String(), got, err)
		}
	}
	for _, s := range []string{"", "8:30", "08:3", "08:60", "24:01", "25:00", "-1:00", "08.30", "08:30 ", "0a:00", "０8:30"} {
		if c, err := ParseClock(s); err == nil {
			t.Errorf("ParseClock(%q) = %v", s, c)
		}
	}
}

func TestDay(t *testing.T) {
	if got := Date(2199, 12, 31); got != LastDay {
		t.Errorf("the last day is %d, not %d", got, LastDay)
	}
	for d := Day(0); d <= LastDay; d++ {
		at := d.Time()
		if got := Date(at.Year(), at.Month(), at.Day()); got != d || d.Weekday() != at.Weekday() {
			t.Fatalf("%v is day %d, a %v; want %d, a %v", at, got, d.Weekday(), d, at.Weekday())
		}
	}
	if d := dayOf(-1); d != -1 || d.String() != "1969-12-31" || d.weekday() != 2 || Day(-10).weekday() != 0 {
		t.Errorf("the second before 1970 is on %v, weekday %d; -10 is %d", d, d.weekday(), Day(-10).weekday())
	}
	if d, err := ParseDay("2026-11-21"); err != nil || d.String() != "2026-11-21" || d.Weekday() != time.Saturday {
		t.Errorf("got %v, %v", d, err)
	}
	for _, s := range []string{"", "2026-02-29", "2026-1-1", "1969-12-31", "2200-01-01", "20261121"} {
		if d, err := ParseDay(s); err == nil {
			t.Errorf("ParseDay(%q) = %v", s, d)
		}
	}
}

func TestMergeSpans(t *testing.T) {
	got := mergeSpans([]Span{{9, 9}, {1, 3}, {4, 5}, {2, 2}, {7, 7}})
	if want := []Span{{1, 5}, {7, 7}, {9, 9}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
