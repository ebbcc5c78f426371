package dnd

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	oracleCases = flag.Int("oracle", 20_000, "generated cases that the oracle judges")
	oracleSeed  = flag.Uint64("oracle.seed", 9, "seed of the generated cases")
)

// An oracle judges by the definition alone: it looks at the clock on the wall in every
// minute, one after the other. It shares no code with the plans: dates, weekdays and
// hours are those of package time, and days are looked up one by one.
type oracle struct {
	w           world
	own, office *time.Location

	byKind                 map[int]int // what calendars say about a date
	byKindFloor            map[int]int
	windows, matter, floor clockWatch
}

// date names a day in a way that has nothing to do with counting days.
func date(t time.Time) int { y, m, d := t.Date(); return y*10000 + int(m)*100 + d }

func eachDate(spans []Span, do func(date int)) {
	for _, s := range spans {
		for t := s.First.Time(); !t.After(s.Last.Time()); t = t.AddDate(0, 0, 1) {
			do(date(t))
		}
	}
}

const (
	saysHoliday = 1
	saysMakeUp  = 2
)

func datesOf(calendars []Calendar) map[int]int {
	says := map[int]int{}
	for _, c := range calendars { // later calendars overwrite earlier ones
		eachDate(c.Holidays, func(d int) { says[d] = saysHoliday })
		eachDate(c.MakeUp, func(d int) { says[d] = saysMakeUp })
	}
	return says
}

// A clockWatch answers whether one of its windows covers what a clock shows.
type clockWatch struct {
	windows []Window
	dates   []map[int]bool
	says    map[int]int

	today, yesterday []bool // which windows begin on the day remembered, and before it
	remembered       int
}

func watch(windows []Window, says map[int]int) clockWatch {
	c := clockWatch{windows: windows, says: says}
	for _, w := range windows {
		dates := map[int]bool{}
		eachDate(w.Dates, func(d int) { dates[d] = true })
		c.dates = append(c.dates, dates)
	}
	return c
}

func (c *clockWatch) begins(day time.Time) []bool {
	var bit Days
	switch c.says[date(day)] {
	case saysHoliday:
		bit = Holidays
	case saysMakeUp:
		bit = MakeUpDays
	default:
		bit = map[time.Weekday]Days{
			time.Monday: Monday, time.Tuesday: Tuesday, time.Wednesday: Wednesday, time.Thursday: Thursday,
			time.Friday: Friday, time.Saturday: Saturday, time.Sunday: Sunday,
		}[day.Weekday()]
	}
	var begins []bool
	for i, w := range c.windows {
		begins = append(begins, w.Days&bit != 0 || c.dates[i][date(day)])
	}
	return begins
}

func (c *clockWatch) covers(wall time.Time) bool {
	if d := date(wall); d != c.remembered {
		noon := time.Date(wall.Year(), wall.Month(), wall.Day(), 12, 0, 0, 0, time.UTC)
		c.today, c.yesterday = c.begins(noon), c.begins(noon.AddDate(0, 0, -1))
		c.remembered = d
	}
	minute := Clock(wall.Hour()*60 + wall.Minute())
	for i, w := range c.windows {
		switch {
		case w.From < w.To:
			if c.today[i] && w.From <= minute && minute < w.To {
				return true
			}
		case c.today[i] && minute >= w.From, c.yesterday[i] && minute < w.To:
			return true
		}
	}
	return false
}

func newOracle(t testing.TB, w world) *oracle {
	o := &oracle{w: w, own: mustZone(t, w.rules.Zone)}
	switch {
	case w.floor.Zone == "" || w.floor.Local:
		o.office = o.own
	default:
		o.office = mustZone(t, w.floor.Zone)
	}
	o.byKind, o.byKindFloor = datesOf(w.rules.Calendars), datesOf(w.floor.Calendars)
	o.windows = watch(w.rules.Windows, o.byKind)
	o.matter = watch(w.rules.Matters[0].Windows, o.byKind)
	o.floor = watch(w.floor.Windows, o.byKindFloor)
	return o
}

// A moment is what the three clocks say in one minute.
type moment struct{ windows, matter, floor bool }

func (o *oracle) look(at time.Time) moment {
	wall := at.In(o.own)
	return moment{o.windows.covers(wall), o.matter.covers(wall), o.floor.covers(at.In(o.office))}
}

// quiet is the definition of docs/quiet-hours.md.
func (o *oracle) quiet(m Message, at time.Time, see moment) bool {
	exception := m.Sender == boss || m.Matter == always
	switchedOff := o.w.rules.Manual.Kind == ManualOff && at.Before(o.w.rules.Manual.Until)

	if see.floor {
		binds := true
		if o.w.floor.MayLoosen && (exception || switchedOff || o.w.rules.IgnoreFloor) {
			binds = false
		}
		if m.Urgency == Urgent && !o.w.floor.StopsUrgent {
			binds = false
		}
		if binds {
			return true
		}
	}
	if m.Urgency == Urgent || exception {
		return false
	}
	if o.w.rules.Manual.Kind == ManualQuiet && at.Before(o.w.rules.Manual.Until) {
		return true
	}
	if switchedOff {
		return false
	}
	if m.Matter == ownTime {
		return see.matter
	}
	return see.windows
}

// TestOracle compares both ways to a plan, the client's from rules and the hub's from
// published bytes, with the oracle: in every zone there is, the verdict and the next
// change.
func TestOracle(t *testing.T) {
	const casesPerWorld = 100
	cases := *oracleCases
	if testing.Short() {
		cases = min(cases, 4000)
	}
	rng := rand.New(rand.NewPCG(*oracleSeed, 2026))
	zones := Zones()
	var client, hub Compiler
	var s score
	for i := range (cases + casesPerWorld - 1) / casesPerWorld {
		zone := zones[i%len(zones)]
		w := newWorld(rng, zone, mustZone(t, zone))
		here, err := client.Compile(w.floor, w.rules)
		if err != nil {
			t.Fatalf("%v\n%+v", err, w)
		}
		there := asHub(t, &hub, w)
		o := newOracle(t, w)
		minutes := make([]moment, worldDays*minutesPerDay)
		for j := range minutes {
			minutes[j] = o.look(w.begin.Add(time.Duration(j) * time.Minute))
		}
		for range casesPerWorld {
			c := oracleCase{o: o, m: someMessage(rng), minutes: minutes, from: rng.IntN(len(minutes) * 2 / 3)}
			at := w.begin.Add(time.Duration(c.from)*time.Minute + time.Duration(rng.Int64N(int64(time.Minute))))
			far := s.far/2 < cases/4000
			for name, p := range map[string]*Plan{"client": here, "hub": there} {
				next, ok := p.Next(c.m, at)
				s.judge(t, name, c, at, p.Judge(c.m, at), next, ok, far)
				if t.Failed() {
					t.Fatalf("case %d, seed %d, %s\n%+v", s.cases, *oracleSeed, at, w)
				}
			}
			s.cases++
		}
	}
	t.Logf("%d cases in %d zones: %d notify, %d hold, %d silent, %d of all urgent; %d ends and %d beginnings seen, %d of %d looked for up to %v on",
		s.cases, min(s.cases/casesPerWorld, len(zones)), s.verdicts[Notify]/2, s.verdicts[Hold]/2, s.verdicts[Silent]/2, s.urgent/2, s.ends/2, s.begins/2, s.far/2, s.later/2, Horizon)
	for _, n := range []int{s.verdicts[Notify], s.verdicts[Hold], s.verdicts[Silent], s.urgent, s.ends, s.begins} {
		if n < s.cases/100 {
			t.Error("the cases are one-sided")
		}
	}
}

// asHub does with a world what the hub does with what it is sent.
func asHub(t *testing.T, c *Compiler, w world) *Plan {
	t.Helper()
	b, err := w.rules.Encode()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := DecodeRules(b)
	if err != nil {
		t.Fatal(err)
	}
	text, err := w.floor.Text()
	if err != nil {
		t.Fatal(err)
	}
	floor, err := ParseFloor(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Compile(floor, rules)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type oracleCase struct {
	o       *oracle
	m       Message
	minutes []moment
	from    int // the minute of the message
}

func (c oracleCase) minute(i int) time.Time { return c.o.w.begin.Add(time.Duration(i) * time.Minute) }

func (c oracleCase) quiet(i int) bool { return c.o.quiet(c.m, c.minute(i), c.minutes[i]) }

// turn returns the first minute after the message's at which quiet is otherwise, or
// the number of minutes there are.
func (c oracleCase) turn() int {
	now := c.quiet(c.from)
	for i := c.from + 1; i < len(c.minutes); i++ {
		if c.quiet(i) != now {
			return i
		}
	}
	return len(c.minutes)
}

// farTurn goes on where the minutes end, up to the horizon.
func (c oracleCase) farTurn(at time.Time) (time.Time, bool) {
	now := c.quiet(c.from)
	for i := len(c.minutes); !c.minute(i).After(at.Truncate(time.Second).Add(Horizon)); i++ {
		if t := c.minute(i); c.o.quiet(c.m, t, c.o.look(t)) != now {
			return t, true
		}
	}
	return time.Time{}, false
}

type score struct {
	cases, urgent, ends, begins int
	later, far                  int
	verdicts                    [4]int
}

func (s *score) judge(t *testing.T, name string, c oracleCase, at time.Time, v Verdict, next time.Time, ok, far bool) {
	t.Helper()
	s.verdicts[v.Action]++
	if c.m.Urgency == Urgent {
		s.urgent++
	}
	if c.m.Matter == never && c.m.Urgency == Normal {
		if v.Action != Silent || ok {
			t.Errorf("%s: a matter that never notifies gives %v, and changes at %v (%v)", name, v, next, ok)
		}
		return
	}
	quiet := c.quiet(c.from)
	var want time.Time // of the next change; zero: none
	switch turn := c.turn(); {
	case turn < len(c.minutes):
		want = c.minute(turn)
		if quiet {
			s.ends++
		} else {
			s.begins++
		}
	default:
		s.later++
		if !far {
			if ok && next.Before(c.minute(turn)) {
				t.Errorf("%s: %+v changes at %v, but nothing changes before %v", name, c.m, next, c.minute(turn))
			}
			if ok {
				want = next // what comes later is looked at in other cases
			}
			break
		}
		s.far++
		if t, found := c.farTurn(at); found {
			want = t
		}
	}
	if ok != !want.IsZero() || !next.Equal(want) {
		t.Errorf("%s: %+v changes at %v (%v), want %v", name, c.m, next, ok, want)
	}
	wantVerdict := Verdict{Action: Notify}
	switch {
	case quiet && want.IsZero():
		wantVerdict.Action = Silent
	case quiet:
		wantVerdict = Verdict{Action: Hold, Until: want}
	}
	if v.Action != wantVerdict.Action || !v.Until.Equal(wantVerdict.Until) {
		t.Errorf("%s: %+v gives %v, want %v", name, c.m, v, wantVerdict)
	}
}

// TestFloorStands: whatever members want, what the floor keeps quiet stays quiet for
// ordinary messages, unless the organisation lets members loosen it.
func TestFloorStands(t *testing.T) {
	rng := rand.New(rand.NewPCG(*oracleSeed, 7))
	zones := Zones()
	var c Compiler
	held, loosened := 0, 0
	worlds := 400
	if testing.Short() {
		worlds = 60
	}
	for range worlds {
		zone := zones[rng.IntN(len(zones))]
		w := newWorld(rng, zone, mustZone(t, zone))
		if len(w.floor.Windows) == 0 {
			continue
		}
		p, err := c.Compile(w.floor, w.rules)
		if err != nil {
			t.Fatal(err)
		}
		// The floor as it is for a colleague in the same zone who wants nothing.
		alone, err := c.Compile(w.floor, Rules{Zone: zone})
		if err != nil {
			t.Fatal(err)
		}
		o := newOracle(t, w)
		for range 400 {
			at := w.begin.Add(time.Duration(rng.Int64N(int64(worldDays * 24 * time.Hour))))
			m := someMessage(rng)
			m.Urgency = Normal
			if !o.look(at).floor {
				continue
			}
			got, least := p.Judge(m, at), alone.Judge(Message{}, at)
			if least.Action == Notify {
				t.Fatalf("the floor covers %v, but a colleague is told %v\n%+v", at, least, w)
			}
			weaker := got.Action == Notify || got.Action == Hold && (least.Action == Silent || got.Until.Before(least.Until))
			switch {
			case weaker && !w.floor.MayLoosen:
				t.Fatalf("%+v at %v gives %v, but the floor alone %v\n%+v", m, at, got, least, w)
			case weaker:
				loosened++
			default:
				held++
			}
		}
	}
	if held == 0 || loosened == 0 {
		t.Errorf("the floor held %d times and was loosened, where that is allowed, %d times: the worlds are one-sided", held, loosened)
	}
}
