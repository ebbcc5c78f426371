package dnd

import "slices"

// A piece is a run of minutes of one day, the end not included.
type piece struct{ from, to uint16 }

// A dayPlan is what the windows that begin on a day make quiet: pieces of the day
// itself, in order and apart, and the first minutes of the next day.
type dayPlan struct {
	pieces []piece
	spill  uint16
}

// planOf merges windows into what they make quiet, whatever overlaps.
func planOf(windows []Window) dayPlan {
	var p dayPlan
	for _, w := range windows {
		to := w.To
		if w.overnight() {
			p.spill, to = max(p.spill, uint16(w.To)), minutesPerDay
		}
		p.pieces = append(p.pieces, piece{uint16(w.From), uint16(to)})
	}
	slices.SortFunc(p.pieces, func(a, b piece) int { return int(a.from) - int(b.from) })
	merged := p.pieces[:0]
	for _, x := range p.pieces {
		if n := len(merged); n > 0 && x.from <= merged[n-1].to {
			merged[n-1].to = max(merged[n-1].to, x.to)
			continue
		}
		merged = append(merged, x)
	}
	p.pieces = merged
	return p
}

// end returns where the quiet that covers minute m ends, or m when none does.
func (p *dayPlan) end(m uint16) uint16 {
	for _, x := range p.pieces {
		if m < x.to {
			if m >= x.from {
				return x.to
			}
			break
		}
	}
	return m
}

// start returns the first quiet minute from m on, or the end of the day.
func (p *dayPlan) start(m uint16) uint16 {
	for _, x := range p.pieces {
		if m < x.to {
			return max(m, x.from)
		}
	}
	return minutesPerDay
}

// A run is a span of days with something in common: a kind or an extra plan.
type run struct {
	first, last Day
	value       uint16
}

// runAt returns the value of the run in which d lies, or else, and the run's last day.
func runAt(runs []run, d Day, otherwise uint16) (value uint16, last Day) {
	lo, hi := 0, len(runs)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if runs[mid].last < d {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(runs) && runs[lo].first <= d {
		return runs[lo].value, runs[lo].last
	}
	return otherwise, d
}

// sweep cuts the days where a span of one of the layers begins or ends, and asks value
// what holds in a piece, given the set of layers that cover it. Pieces for which value
// says no are left out.
func sweep(layers [][]Span, value func(covering uint64) (uint16, bool)) []run {
	type edge struct {
		day   Day
		layer int
		begin bool
	}
	var edges []edge
	for i, spans := range layers {
		for _, s := range spans {
			edges = append(edges, edge{s.First, i, true}, edge{s.Last + 1, i, false})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return int(a.day) - int(b.day) })
	var runs []run
	var covering uint64
	for i, e := range edges {
		// A layer's own spans don't touch, so each edge flips its layer.
		if e.begin {
			covering |= 1 << e.layer
		} else {
			covering &^= 1 << e.layer
		}
		if i+1 == len(edges) || edges[i+1].day == e.day {
			continue
		}
		if v, ok := value(covering); ok {
			runs = append(runs, run{e.day, edges[i+1].day - 1, v})
		}
	}
	return runs
}

// kindsOf returns the days that are holidays or make-up days. Of calendars that disagree
// the last one wins, and within one make-up days win.
func kindsOf(calendars []Calendar) []run {
	layers := make([][]Span, 0, 2*len(calendars))
	for _, c := range calendars {
		layers = append(layers, c.Holidays, c.MakeUp)
	}
	return sweep(layers, func(covering uint64) (uint16, bool) {
		for i := len(layers) - 1; i >= 0; i-- {
			if covering&(1<<i) != 0 {
				return kindHoliday + uint16(i%2), true
			}
		}
		return 0, false
	})
}

// A schedule is a list of windows, ready for questions about wall clocks. It is never
// changed once it is made.
type schedule struct {
	byKind [kinds]dayPlan
	kinds  []run // of the calendars; other days are weekdays
	dates  []run // days with an extra plan: an index of extras, or 0
	extras []dayPlan
	always bool // there is no minute that is not quiet
}

func newSchedule(windows []Window, kindRuns []run) *schedule {
	if len(windows) == 0 {
		return nil
	}
	s := &schedule{kinds: kindRuns, extras: make([]dayPlan, 1)}
	for kind := range s.byKind {
		var begin []Window
		for _, w := range windows {
			if w.Days&(1<<kind) != 0 {
				begin = append(begin, w)
			}
		}
		s.byKind[kind] = planOf(begin)
	}
	layers := make([][]Span, len(windows))
	for i, w := range windows {
		layers[i] = w.Dates
	}
	seen := map[uint64]uint16{}
	s.dates = sweep(layers, func(covering uint64) (uint16, bool) {
		if covering == 0 {
			return 0, false
		}
		extra, ok := seen[covering]
		if !ok {
			var begin []Window
			for i, w := range windows {
				if covering&(1<<i) != 0 {
					begin = append(begin, w)
				}
			}
			extra = uint16(len(s.extras))
			seen[covering], s.extras = extra, append(s.extras, planOf(begin))
		}
		return extra, true
	})
	s.always = s.coversEverything()
	return s
}

// coversEverything looks at the kinds of days that occur, each after the one that spills
// least into it.
func (s *schedule) coversEverything() bool {
	occurring := s.byKind[:kindHoliday]
	if len(s.kinds) > 0 {
		occurring = s.byKind[:]
	}
	spill := uint16(minutesPerDay)
	for _, p := range occurring {
		spill = min(spill, p.spill)
	}
	for _, p := range occurring {
		end := spill
		for next := p.end(end); next > end; next = p.end(end) {
			end = next
		}
		if end < minutesPerDay {
			return false
		}
	}
	return true
}

// plans returns what begins on day d: by its kind, and by its date.
func (s *schedule) plans(d Day) (byKind, byDate *dayPlan, lastDate Day) {
	kind, _ := runAt(s.kinds, d, uint16(d.weekday()))
	extra, lastDate := runAt(s.dates, d, 0)
	return &s.byKind[kind], &s.extras[extra], lastDate
}

// spillInto returns how many first minutes of d are quiet because of the day before.
func (s *schedule) spillInto(d Day) uint16 {
	byKind, byDate, _ := s.plans(d - 1)
	return max(byKind.spill, byDate.spill)
}

// end returns the first wall minute from (d, m) on that is not quiet. It gives up after
// the day limit.
func (s *schedule) end(d Day, m uint16, limit Day) (Day, uint16) {
	spill := s.spillInto(d)
	for {
		byKind, byDate, lastDate := s.plans(d)
		if m == 0 && len(byDate.pieces) == 1 && byDate.pieces[0] == (piece{0, minutesPerDay}) {
			d = min(lastDate, limit) // whole days, such as weeks of leave, are one step
			byKind, byDate, _ = s.plans(d)
			m = minutesPerDay
		} else {
			m = max(m, spill)
			for {
				next := byDate.end(byKind.end(m))
				if next == m {
					break
				}
				m = next
			}
		}
		if m < minutesPerDay || d >= limit {
			return d, m
		}
		spill = max(byKind.spill, byDate.spill)
		d, m = d+1, 0
	}
}

// start returns the first wall minute from (d, m) on that is quiet. It gives up after
// the day limit.
func (s *schedule) start(d Day, m uint16, limit Day) (Day, uint16) {
	spill := s.spillInto(d)
	for {
		if m < spill {
			return d, m
		}
		byKind, byDate, _ := s.plans(d)
		m = min(byKind.start(m), byDate.start(m))
		if m < minutesPerDay || d >= limit {
			return d, m
		}
		spill = max(byKind.spill, byDate.spill)
		d, m = d+1, 0
	}
}

// A source is a schedule by the clocks of a zone.
type source struct {
	*schedule
	zone *zone
}

// end returns the first second from t on that is not quiet, or one after limit.
func (s *source) end(t, limit int64) int64 {
	if s.always {
		return limit + 1
	}
	return s.walk(t, limit, s.schedule.end)
}

// start returns the first second from t on that is quiet, or one after limit.
func (s *source) start(t, limit int64) int64 {
	if s.always {
		return t
	}
	return s.walk(t, limit, s.schedule.start)
}

// walk looks for a wall minute, stretch by stretch of the zone: within one the clocks
// run evenly, and at its end they jump, so the search begins anew where they show then.
func (s *source) walk(t, limit int64, find func(d Day, m uint16, limit Day) (Day, uint16)) int64 {
	for t <= limit {
		at := s.zone.at(t)
		until := min(at.until, limit+1)
		wall := t + at.offset
		d := dayOf(wall)
		m := uint16((wall - int64(d)*secondsPerDay) / 60)
		foundDay, foundMinute := find(d, m, dayOf(until+at.offset))
		if foundDay == d && foundMinute == m {
			return t
		}
		found := int64(foundDay)*secondsPerDay + int64(foundMinute)*60 - at.offset
		if found < until {
			return found
		}
		t = until
	}
	return t
}
