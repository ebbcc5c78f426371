package dnd

import (
	"testing"
	"time"

	"causa/matter"
)

// busyWorld is a member with more rules than most, under a floor in another zone.
func busyWorld() (Floor, Rules) {
	f := Floor{Zone: "America/New_York", Windows: []Window{{Days: EveryDay, From: At(22, 0), To: At(7, 0)}}, Calendars: []Calendar{China()}}
	r := Rules{
		Zone: "Asia/Shanghai",
		Windows: []Window{
			{Days: EveryDay, From: At(20, 0), To: At(8, 30)},
			{Days: WorkingDays, From: At(12, 0), To: At(13, 30)},
			{Days: FreeDays, From: 0, To: At(24, 0)},
			{Days: Friday, From: At(16, 0), To: At(20, 0)},
			{Dates: []Span{{Date(2026, 7, 1), Date(2026, 7, 20)}, {Date(2026, 12, 20), Date(2027, 1, 10)}}, From: 0, To: At(24, 0)},
			{Dates: []Span{{Date(2026, 11, 1), Date(2026, 11, 30)}}, From: At(14, 0), To: At(15, 0)},
		},
		Calendars: []Calendar{China()},
	}
	for i := range 200 {
		o := Override{Matter: matter.ID{9, byte(i)}, Mode: ModeAlways}
		if i%2 == 0 {
			o.Mode, o.Windows = ModeWindows, []Window{nights}
		}
		r.Matters = append(r.Matters, o)
	}
	for i := range 100 {
		r.VIPs = append(r.VIPs, matter.MemberID{9, byte(i)})
	}
	return f, r
}

var benchmarked = []struct {
	name string
	at   time.Time
	m    Message
}{
	{"notify", time.Date(2026, 11, 17, 1, 0, 0, 0, time.UTC), Message{}},
	{"vip", time.Date(2026, 11, 17, 15, 0, 0, 0, time.UTC), Message{Sender: matter.MemberID{9, 7}}},
	{"tonight", time.Date(2026, 11, 17, 15, 0, 0, 0, time.UTC), Message{}},
	{"own-windows", time.Date(2026, 11, 17, 15, 0, 0, 0, time.UTC), Message{Matter: matter.ID{9, 8}}},
	{"over-the-weekend", time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), Message{}},
	{"spring-festival", time.Date(2026, 2, 14, 15, 0, 0, 0, time.UTC), Message{}},
	{"three-weeks-of-leave", time.Date(2026, 12, 20, 15, 0, 0, 0, time.UTC), Message{}},
	{"after-the-table", time.Date(2110, 11, 17, 15, 0, 0, 0, time.UTC), Message{}},
}

func BenchmarkJudge(b *testing.B) {
	f, r := busyWorld()
	p := mustPlan(b, f, r)
	for _, bm := range benchmarked {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Judge(bm.m, bm.at)
			}
		})
	}
}

func BenchmarkNext(b *testing.B) {
	f, r := busyWorld()
	p := mustPlan(b, f, r)
	for _, bm := range benchmarked {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Next(bm.m, bm.at)
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	f, r := busyWorld()
	var c Compiler
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Compile(f, r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	_, r := busyWorld()
	encoded, err := r.Encode()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(encoded)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeRules(encoded); err != nil {
			b.Fatal(err)
		}
	}
}

func TestJudgeAllocatesNothing(t *testing.T) {
	f, r := busyWorld()
	p := mustPlan(t, f, r)
	for _, bm := range benchmarked {
		if n := testing.AllocsPerRun(100, func() { p.Judge(bm.m, bm.at); p.Next(bm.m, bm.at) }); n != 0 {
			t.Errorf("%s: %v allocations", bm.name, n)
		}
	}
}

// hostileRules cost as much as rules of the largest size can: every day has another set
// of windows, and no day is quiet as a whole.
func hostileRules() Rules {
	r := Rules{Zone: "Europe/Berlin"}
	first := Date(2026, 11, 1)
	for i := range 58 {
		w := Window{From: Clock(20 * i), To: Clock(20*i + 19)}
		for j := range 130 {
			d := first + Day(3*j+i%3)
			w.Dates = append(w.Dates, Span{d, d})
		}
		r.Windows = append(r.Windows, w)
	}
	// Quiet all day, in halves that take turns.
	r.Windows = append(r.Windows, Window{Days: EveryDay &^ Holidays, From: 0, To: At(12, 0)}, Window{Days: EveryDay, From: At(12, 0), To: At(24, 0)})
	r.Calendars = []Calendar{{Name: "far", Holidays: []Span{{first + 390, first + 390}}}}
	return r
}

func BenchmarkHostile(b *testing.B) {
	r := hostileRules()
	b.Run("compile", func(b *testing.B) {
		var c Compiler
		for b.Loop() {
			if _, err := c.Compile(Floor{}, r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("judge", func(b *testing.B) {
		p := mustPlan(b, Floor{}, r)
		at := Date(2026, 11, 2).Time()
		if v := p.Judge(Message{}, at); v.Action != Hold || dayOf(v.Until.Unix()) < Date(2027, 11, 20) {
			b.Fatalf("judged %v", v)
		}
		b.ReportAllocs()
		for b.Loop() {
			p.Judge(Message{}, at)
		}
	})
}

func BenchmarkCompileUsual(b *testing.B) {
	f := Floor{Zone: "Asia/Shanghai", Windows: []Window{{Days: EveryDay, From: At(22, 0), To: At(7, 0)}}}
	r := Rules{Zone: "Asia/Shanghai", Windows: []Window{nights, {Days: FreeDays, To: At(24, 0)}}, Calendars: []Calendar{China()}}
	var c Compiler
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Compile(f, r); err != nil {
			b.Fatal(err)
		}
	}
}
