package dnd

import (
	"math/rand/v2"
	"time"

	"causa/matter"
)

var (
	always  = matter.ID{3}
	never   = matter.ID{4}
	ownTime = matter.ID{5}
)

// A world is what one test run judges in: a member, an organisation, and some days.
type world struct {
	floor Floor
	rules Rules
	begin time.Time // a whole minute
}

// worldDays is how long a world lasts, for an oracle that looks at its every minute.
const worldDays = 14

// newWorld makes the world of a zone: around one of its clock changes if it has any,
// else anywhere between 1975 and 2140.
func newWorld(rng *rand.Rand, zone string, loc *time.Location) world {
	w := world{begin: time.Unix(157766400+rng.Int64N(5207000000), 0)}
	switch rng.IntN(4) {
	case 0:
		w.begin = Date(2026, 1, 1).Time().AddDate(0, 0, rng.IntN(500)) // where calendars know days
	case 1:
	default:
		if _, end := w.begin.In(loc).ZoneBounds(); !end.IsZero() {
			w.begin = end.Add(-time.Duration(rng.IntN(8*24)) * time.Hour)
		}
	}
	w.begin = w.begin.UTC().Truncate(time.Minute)
	near := dayOf(w.begin.Unix())
	zones := Zones()

	w.rules = Rules{
		Zone:        zone,
		Travels:     rng.IntN(2) == 0,
		IgnoreFloor: rng.IntN(4) == 0,
		Windows:     someWindows(rng, near),
		Calendars:   someCalendars(rng, near),
		VIPs:        []matter.MemberID{boss},
		Matters: []Override{
			{Matter: ownTime, Mode: ModeWindows, Windows: someWindows(rng, near)},
			{Matter: never, Mode: ModeNever},
			{Matter: always, Mode: ModeAlways},
		},
	}
	switch rng.IntN(4) {
	case 0:
		w.rules.Manual = Manual{ManualQuiet, w.begin.Add(time.Duration(rng.IntN(worldDays*minutesPerDay)) * time.Minute)}
	case 1:
		w.rules.Manual = Manual{ManualOff, w.begin.Add(time.Duration(rng.IntN(worldDays*minutesPerDay)) * time.Minute)}
	}
	if rng.IntN(3) > 0 {
		w.floor = Floor{
			Zone:        zones[rng.IntN(len(zones))],
			Local:       rng.IntN(2) == 0,
			MayLoosen:   rng.IntN(2) == 0,
			StopsUrgent: rng.IntN(3) == 0,
			Windows:     someWindows(rng, near),
			Calendars:   someCalendars(rng, near),
		}
	}
	return w
}

func someWindows(rng *rand.Rand, near Day) (windows []Window) {
	for range rng.IntN(5) {
		w := Window{From: Clock(rng.IntN(minutesPerDay)), To: Clock(rng.IntN(minutesPerDay + 1))}
		switch rng.IntN(6) {
		case 0:
			w.From, w.To = At(22, 0), At(8, 30)
		case 1:
			w.From, w.To = 0, At(24, 0)
		case 2: // where clocks change
			w.From, w.To = Clock(rng.IntN(240)), Clock(rng.IntN(240))
		}
		if w.From == w.To {
			w.To++
		}
		switch rng.IntN(6) {
		case 0:
			w.Dates = someSpans(rng, near)
		case 1:
			w.Days, w.Dates = Days(rng.IntN(1<<kinds)), someSpans(rng, near)
		case 2:
			w.Days = EveryDay
		case 3:
			w.Days = WorkingDays
		case 4:
			w.Days = FreeDays
		default:
			w.Days = Days(1 + rng.IntN(1<<kinds-1))
		}
		windows = append(windows, w)
	}
	return windows
}

func someSpans(rng *rand.Rand, near Day) (spans []Span) {
	for range 1 + rng.IntN(3) {
		first := max(near-2+Day(rng.IntN(worldDays+2)), 0)
		spans = append(spans, Span{first, first + Day(rng.IntN(4))})
	}
	return spans
}

func someCalendars(rng *rand.Rand, near Day) (calendars []Calendar) {
	for range rng.IntN(3) {
		c := China()
		if rng.IntN(2) == 0 {
			c = Calendar{Name: "company", Holidays: someSpans(rng, near), MakeUp: someSpans(rng, near)}
		}
		calendars = append(calendars, c)
	}
	return calendars
}

// someMessage makes a message that an exception may be for.
func someMessage(rng *rand.Rand) (m Message) {
	m.Matter = []matter.ID{{}, {}, budget, always, never, ownTime, ownTime}[rng.IntN(7)]
	m.Sender = []matter.MemberID{{}, friend, friend, boss}[rng.IntN(4)]
	if rng.IntN(5) == 0 {
		m.Urgency = Urgent
	}
	return m
}
