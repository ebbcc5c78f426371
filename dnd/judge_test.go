package dnd

import (
	"testing"
	"time"

	"causa/matter"
)

var (
	boss    = matter.MemberID{1}
	friend  = matter.MemberID{2}
	budget  = matter.ID{1}
	canteen = matter.ID{2}
)

// nights is the mock's "22:00 to 08:30 every day".
var nights = Window{Days: EveryDay, From: At(22, 0), To: At(8, 30)}

func mustZone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func mustPlan(t testing.TB, f Floor, r Rules) *Plan {
	t.Helper()
	var c Compiler
	p, err := c.Compile(f, r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// verdict writes a verdict as one reads a clock in loc.
func verdict(v Verdict, loc *time.Location) string {
	if v.Action != Hold {
		return v.Action.String()
	}
	return v.Action.String() + " " + v.Until.In(loc).Format("2006-01-02 15:04:05 -0700")
}

func TestJudge(t *testing.T) {
	const shanghai, berlin, newYork = "Asia/Shanghai", "Europe/Berlin", "America/New_York"
	shift := []Window{ // works nights from Monday to Thursday, sleeps the days after
		{Days: Tuesday | Wednesday | Thursday | Friday, From: At(8, 0), To: At(16, 0)},
		{Days: Saturday | Sunday, From: At(23, 0), To: At(7, 0)},
	}
	rules := func(zone string, windows ...Window) Rules { return Rules{Zone: zone, Windows: windows} }
	with := func(r Rules, change func(*Rules)) Rules { change(&r); return r }
	until := func(zone, s string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04", s, mustZone(t, zone))
		if err != nil {
			t.Fatal(err)
		}
		return at.UTC()
	}
	china := with(rules(shanghai,
		Window{Days: EveryDay, From: At(18, 0), To: At(8, 30)},
		Window{Days: FreeDays, From: 0, To: At(24, 0)}), func(r *Rules) { r.Calendars = []Calendar{China()} })
	locked := Floor{Zone: shanghai, Windows: []Window{{Days: EveryDay, From: At(22, 0), To: At(7, 0)}}}
	loose := locked
	loose.MayLoosen = true
	stops := locked
	stops.StopsUrgent = true
	local := locked
	local.Local = true
	urgent := Message{Urgency: Urgent}

	tests := []struct {
		name  string
		floor Floor
		rules Rules
		m     Message
		zone  string // of at and want
		at    string
		want  string
	}{
		{"nothing set", Floor{}, Rules{}, Message{}, shanghai, "2026-11-21 03:00", "notify"},
		{"evening", Floor{}, rules(shanghai, nights), Message{}, shanghai, "2026-11-21 23:00", "hold 2026-11-22 08:30:00 +0800"},
		{"small hours", Floor{}, rules(shanghai, nights), Message{}, shanghai, "2026-11-22 00:00", "hold 2026-11-22 08:30:00 +0800"},
		{"the first minute", Floor{}, rules(shanghai, nights), Message{}, shanghai, "2026-11-21 22:00", "hold 2026-11-22 08:30:00 +0800"},
		{"the minute before", Floor{}, rules(shanghai, nights), Message{}, shanghai, "2026-11-21 21:59", "notify"},
		{"the minute after", Floor{}, rules(shanghai, nights), Message{}, shanghai, "2026-11-22 08:30", "notify"},
		{"a sender elsewhere sees the same instant", Floor{}, rules(shanghai, nights), Message{}, berlin, "2026-11-21 16:00", "hold 2026-11-22 01:30:00 +0100"},

		{"night shift sleeps by day", Floor{}, rules(shanghai, shift...), Message{}, shanghai, "2026-11-20 09:00", "hold 2026-11-20 16:00:00 +0800"},
		{"night shift works by night", Floor{}, rules(shanghai, shift...), Message{}, shanghai, "2026-11-19 02:00", "notify"},
		{"night shift's Sunday night", Floor{}, rules(shanghai, shift...), Message{}, shanghai, "2026-11-23 06:59", "hold 2026-11-23 07:00:00 +0800"},

		{"a holiday is free", Floor{}, china, Message{}, shanghai, "2026-10-05 12:00", "hold 2026-10-08 08:30:00 +0800"},
		{"a made up Saturday is worked", Floor{}, china, Message{}, shanghai, "2026-10-10 12:00", "notify"},
		{"and has an evening", Floor{}, china, Message{}, shanghai, "2026-10-10 18:00", "hold 2026-10-12 08:30:00 +0800"},
		{"a made up Sunday, after a free Saturday", Floor{}, china, Message{}, shanghai, "2026-09-19 12:00", "hold 2026-09-20 08:30:00 +0800"},
		{"nine days of Spring Festival", Floor{}, china, Message{}, shanghai, "2026-02-14 19:00", "hold 2026-02-24 08:30:00 +0800"},

		{"spring forward: the skipped end", Floor{}, rules(berlin, Window{Days: EveryDay, From: At(1, 0), To: At(2, 30)}), Message{}, berlin, "2026-03-29 01:30", "hold 2026-03-29 03:00:00 +0200"},
		{"spring forward: a window that never comes", Floor{}, rules(berlin, Window{Days: EveryDay, From: At(2, 15), To: At(2, 45)}), Message{}, berlin, "2026-03-29 01:59", "notify"},
		{"fall back: the end comes early", Floor{}, rules(berlin, Window{Days: EveryDay, From: At(1, 0), To: At(2, 30)}), Message{}, "UTC", "2026-10-24 23:30", "hold 2026-10-25 00:30:00 +0000"},
		{"fall back: between the two", Floor{}, rules(berlin, Window{Days: EveryDay, From: At(1, 0), To: At(2, 30)}), Message{}, "UTC", "2026-10-25 00:30", "notify"},
		{"fall back: and comes again", Floor{}, rules(berlin, Window{Days: EveryDay, From: At(1, 0), To: At(2, 30)}), Message{}, "UTC", "2026-10-25 01:10", "hold 2026-10-25 01:30:00 +0000"},
		{"fall back: a whole night", Floor{}, rules(newYork, nights), Message{}, newYork, "2026-10-31 23:00", "hold 2026-11-01 08:30:00 -0500"},
		{"a day that an island skipped", Floor{}, rules("Pacific/Apia", Window{Days: EveryDay, From: At(22, 0), To: At(8, 0)}), Message{}, "Pacific/Apia", "2011-12-29 23:00", "hold 2011-12-31 08:00:00 +1400"},

		{"every minute of the week", Floor{}, rules(shanghai, Window{Days: EveryDay, From: 0, To: At(24, 0)}), Message{}, shanghai, "2026-11-21 12:00", "silent"},
		{"every minute, in two windows", Floor{}, rules(shanghai, Window{Days: EveryDay, From: At(20, 0), To: At(9, 0)}, Window{Days: EveryDay, From: At(8, 0), To: At(20, 0)}), Message{}, shanghai, "2026-11-21 12:00", "silent"},
		{"overlapping windows are one", Floor{}, rules(shanghai, Window{Days: EveryDay, From: At(9, 0), To: At(11, 0)}, Window{Days: EveryDay, From: At(10, 0), To: At(12, 0)}), Message{}, shanghai, "2026-11-21 09:30", "hold 2026-11-21 12:00:00 +0800"},
		{"leave", Floor{}, rules(shanghai, Window{Dates: []Span{{Date(2026, 7, 1), Date(2026, 9, 30)}}, From: 0, To: At(24, 0)}), Message{}, shanghai, "2026-07-01 00:00", "hold 2026-10-01 00:00:00 +0800"},
		{"leave past the horizon", Floor{}, rules(shanghai, Window{Dates: []Span{{Date(2026, 7, 1), Date(2028, 9, 30)}}, From: 0, To: At(24, 0)}), Message{}, shanghai, "2026-07-01 00:00", "silent"},

		{"VIP", Floor{}, with(rules(shanghai, nights), func(r *Rules) { r.VIPs = []matter.MemberID{boss} }), Message{Sender: boss}, shanghai, "2026-11-21 23:00", "notify"},
		{"not a VIP", Floor{}, with(rules(shanghai, nights), func(r *Rules) { r.VIPs = []matter.MemberID{boss} }), Message{Sender: friend}, shanghai, "2026-11-21 23:00", "hold 2026-11-22 08:30:00 +0800"},
		{"matter always", Floor{}, with(rules(shanghai, nights), func(r *Rules) { r.Matters = []Override{{Matter: budget, Mode: ModeAlways}} }), Message{Matter: budget}, shanghai, "2026-11-21 23:00", "notify"},
		{"matter never, by day, even a VIP", Floor{}, with(rules(shanghai, nights), func(r *Rules) {
			r.Matters, r.VIPs = []Override{{Matter: canteen, Mode: ModeNever}}, []matter.MemberID{boss}
		}), Message{Matter: canteen, Sender: boss}, shanghai, "2026-11-21 12:00", "silent"},
		{"matter never, urgent", Floor{}, with(rules(shanghai, nights), func(r *Rules) { r.Matters = []Override{{Matter: canteen, Mode: ModeNever}} }), Message{Matter: canteen, Urgency: Urgent}, shanghai, "2026-11-21 23:00", "notify"},
		{"matter with own windows", Floor{}, with(rules(shanghai, nights), func(r *Rules) {
			r.Matters = []Override{{Matter: budget, Mode: ModeWindows, Windows: []Window{{Days: FreeDays, From: 0, To: At(24, 0)}}}}
		}), Message{Matter: budget}, shanghai, "2026-11-20 23:00", "notify"},
		{"matter with own windows, on Saturday", Floor{}, with(rules(shanghai, nights), func(r *Rules) {
			r.Matters = []Override{{Matter: budget, Mode: ModeWindows, Windows: []Window{{Days: FreeDays, From: 0, To: At(24, 0)}}}}
		}), Message{Matter: budget}, shanghai, "2026-11-21 23:00", "hold 2026-11-23 00:00:00 +0800"},
		{"urgent", Floor{}, rules(shanghai, nights), urgent, shanghai, "2026-11-21 23:00", "notify"},

		{"quiet now", Floor{}, with(rules(shanghai, nights), func(r *Rules) { r.Manual = Manual{ManualQuiet, until(shanghai, "2026-11-21 15:00")} }), Message{}, shanghai, "2026-11-21 12:00", "hold 2026-11-21 15:00:00 +0800"},
		{"quiet now, into a window", Floor{}, with(rules(shanghai, nights), func(r *Rules) { r.Manual = Manual{ManualQuiet, until(shanghai, "2026-11-21 22:30")} }), Message{}, shanghai, "2026-11-21 12:00", "hold 2026-11-22 08:30:00 +0800"},
		{"off", Floor{}, with(rules(shanghai, nights), func(r *Rules) { r.Manual = Manual{ManualOff, until(shanghai, "2026-11-22 01:00")} }), Message{}, shanghai, "2026-11-21 23:00", "notify"},
		{"off no more", Floor{}, with(rules(shanghai, nights), func(r *Rules) { r.Manual = Manual{ManualOff, until(shanghai, "2026-11-22 01:00")} }), Message{}, shanghai, "2026-11-22 01:00", "hold 2026-11-22 08:30:00 +0800"},

		{"floor", locked, Rules{}, Message{}, shanghai, "2026-11-21 23:00", "hold 2026-11-22 07:00:00 +0800"},
		{"floor and windows", locked, rules(shanghai, nights), Message{}, shanghai, "2026-11-21 23:00", "hold 2026-11-22 08:30:00 +0800"},
		{"floor stops VIPs", locked, with(rules(shanghai, nights), func(r *Rules) { r.VIPs = []matter.MemberID{boss} }), Message{Sender: boss}, shanghai, "2026-11-21 23:00", "hold 2026-11-22 07:00:00 +0800"},
		{"floor stands when switched off", locked, with(rules(shanghai, nights), func(r *Rules) { r.Manual = Manual{ManualOff, until(shanghai, "2026-11-22 12:00")} }), Message{}, shanghai, "2026-11-21 23:00", "hold 2026-11-22 07:00:00 +0800"},
		{"floor can't be ignored", locked, Rules{IgnoreFloor: true}, Message{}, shanghai, "2026-11-21 23:00", "hold 2026-11-22 07:00:00 +0800"},
		{"unless it may", loose, Rules{IgnoreFloor: true}, Message{}, shanghai, "2026-11-21 23:00", "notify"},
		{"loose floor and a VIP", loose, Rules{VIPs: []matter.MemberID{boss}}, Message{Sender: boss}, shanghai, "2026-11-21 23:00", "notify"},
		{"loose floor and no exception", loose, Rules{}, Message{}, shanghai, "2026-11-21 23:00", "hold 2026-11-22 07:00:00 +0800"},
		{"urgent passes the floor", locked, Rules{}, urgent, shanghai, "2026-11-21 23:00", "notify"},
		{"unless the floor stops it", stops, rules(shanghai, nights), urgent, shanghai, "2026-11-21 23:00", "hold 2026-11-22 07:00:00 +0800"},
		{"the floor by the company's clocks", locked, Rules{Zone: berlin}, Message{}, berlin, "2026-11-21 15:00", "hold 2026-11-22 00:00:00 +0100"},
		{"the floor by one's own", local, Rules{Zone: berlin}, Message{}, berlin, "2026-11-21 15:00", "notify"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := mustPlan(t, tt.floor, tt.rules)
			loc := mustZone(t, tt.zone)
			if got := verdict(p.Judge(tt.m, until(tt.zone, tt.at)), loc); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestNext(t *testing.T) {
	loc := mustZone(t, "Asia/Shanghai")
	at := func(d, h, m int) time.Time { return time.Date(2026, 11, d, h, m, 0, 0, loc) }
	r := Rules{Zone: "Asia/Shanghai", Windows: []Window{{Days: WorkingDays, From: At(22, 0), To: At(8, 30)}}}
	once := Rules{Zone: "Asia/Shanghai", Windows: []Window{{Dates: []Span{{Date(2026, 12, 24), Date(2026, 12, 24)}}, From: At(9, 0), To: At(10, 0)}}}
	tests := []struct {
		name     string
		rules    Rules
		at, want time.Time // zero: none
	}{
		{"nothing set", Rules{}, at(20, 12, 0), time.Time{}},
		{"to the beginning", r, at(20, 12, 0), at(20, 22, 0)},
		{"to the end", r, at(20, 22, 0), at(21, 8, 30)},
		{"over the weekend", r, at(21, 8, 30), at(23, 22, 0)},
		{"to a date", once, at(20, 12, 0), time.Date(2026, 12, 24, 9, 0, 0, 0, loc)},
		{"a date that is past", once, time.Date(2026, 12, 24, 10, 0, 0, 0, loc), time.Time{}},
		{"always quiet", Rules{Zone: "UTC", Windows: []Window{{Days: EveryDay, To: At(24, 0)}}}, at(20, 12, 0), time.Time{}},
		{"off, then on after midnight", Rules{Zone: "Asia/Shanghai", Windows: r.Windows, Manual: Manual{ManualOff, at(21, 1, 0)}}, at(20, 23, 0), at(21, 1, 0)},
		{"a beginning that clocks skip", Rules{Zone: "Europe/Berlin", Windows: []Window{{Days: Sunday, From: At(2, 0), To: At(2, 45)}}}, time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC), time.Date(2026, 4, 5, 0, 0, 0, 0, time.UTC)},
		{"an end that clocks skip, into another window", Rules{Zone: "Europe/Berlin", Windows: []Window{{Days: Sunday, From: At(1, 0), To: At(2, 0)}, {Days: Sunday, From: At(3, 0), To: At(4, 0)}}}, time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC), time.Date(2026, 3, 29, 2, 0, 0, 0, time.UTC)},
		{"off, then on", Rules{Zone: "Asia/Shanghai", Windows: r.Windows, Manual: Manual{ManualOff, at(20, 23, 0)}}, at(20, 12, 0), at(20, 23, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := mustPlan(t, Floor{}, tt.rules).Next(Message{}, tt.at)
			if ok == tt.want.IsZero() || ok && !got.Equal(tt.want) {
				t.Errorf("got %v %v, want %v", got.In(loc), ok, tt.want)
			}
		})
	}
}

// A zone whose distance from UTC is no whole minute: Liberia before 1972.
func TestSecondsOfOldZones(t *testing.T) {
	loc := mustZone(t, "Africa/Monrovia")
	p := mustPlan(t, Floor{}, Rules{Zone: "Africa/Monrovia", Windows: []Window{{Days: EveryDay, From: At(9, 0), To: At(10, 0)}}})
	at := time.Date(1971, 5, 3, 9, 30, 0, 0, loc)
	if got, want := verdict(p.Judge(Message{}, at), time.UTC), "hold 1971-05-03 10:44:30 +0000"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if v := p.Judge(Message{}, time.Date(1971, 5, 3, 8, 59, 59, 999_999_999, loc)); v.Action != Notify {
		t.Errorf("the last moment before the window gives %v", v)
	}
}

func TestInstantsOfNoYear(t *testing.T) {
	p := mustPlan(t, Floor{}, Rules{Zone: "Europe/Berlin", Windows: []Window{nights}})
	for _, at := range []time.Time{{}, time.Unix(-1<<62, 0), time.Unix(1<<62, 0), time.Date(1850, 1, 1, 12, 0, 0, 0, time.UTC)} {
		if v := p.Judge(Message{}, at); v.Action == 0 {
			t.Errorf("no judgement at %d", at.Unix())
		}
		p.Next(Message{}, at)
	}
}

func TestMoved(t *testing.T) {
	r := Rules{Zone: "Asia/Shanghai", Windows: []Window{nights}}
	if _, changed := r.Moved("Europe/Berlin"); changed {
		t.Error("rules that stay moved")
	}
	r.Travels = true
	moved, changed := r.Moved("Europe/Berlin")
	if !changed || moved.Zone != "Europe/Berlin" || r.Zone != "Asia/Shanghai" {
		t.Errorf("moved to %q (%v), from %q", moved.Zone, changed, r.Zone)
	}
	if _, changed := moved.Moved("Europe/Berlin"); changed {
		t.Error("a person who stays moved")
	}
	if got := mustPlan(t, Floor{}, moved).Location().String(); got != "Europe/Berlin" {
		t.Errorf("clocks are read in %s", got)
	}
}
