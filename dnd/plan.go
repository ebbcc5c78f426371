package dnd

import (
	"time"

	"causa/matter"
)

// Horizon is how far a plan looks ahead. Quiet that lasts longer has no end worth
// waiting for.
const Horizon = 400 * 24 * time.Hour

const horizon = int64(Horizon / time.Second)

// An Urgency is how much a message presses. The numbers are for ever.
type Urgency uint8

// The urgencies. Whether a sender may be urgent is decided by whoever asks for a
// judgement: a message that may not be is judged as Normal.
const (
	Normal Urgency = 0
	Urgent Urgency = 1
)

// A Message is what a judgement needs to know of one. The zero value stands for any
// message for which there is no exception; presence shows the judgement of it.
type Message struct {
	Matter  matter.ID
	Sender  matter.MemberID
	Urgency Urgency
}

// An Action is what to do about a message.
type Action uint8

// The actions.
const (
	Notify Action = iota + 1 // interrupt the person now
	Hold                     // keep the notification until a time, for the digest
	Silent                   // never interrupt; the message waits where it is
)

func (a Action) String() string {
	switch a {
	case Notify:
		return "notify"
	case Hold:
		return "hold"
	case Silent:
		return "silent"
	}
	return "no action"
}

// A Verdict is the outcome of a judgement.
type Verdict struct {
	Action Action
	Until  time.Time // in UTC; with Hold only
}

// A Plan is a member's rules and the organisation's floor, ready to judge. It is never
// changed, and so safe for concurrent use.
type Plan struct {
	loc     *time.Location
	windows *source // nil: none
	matters map[matter.ID]override
	vips    map[matter.MemberID]struct{}

	quietUntil int64 // switched by hand; 0: not
	offUntil   int64

	floor       *source // nil: none, or the member may ignore it and does
	mayLoosen   bool
	stopsUrgent bool
}

type override struct {
	mode    Mode
	windows *source
}

// Compile makes a plan. It reports what [Rules.Check] and [Floor.Check] would, and a
// [ZoneError] for a time zone that is not known here.
func (c *Compiler) Compile(f Floor, r Rules) (*Plan, error) {
	f, r = f.Normal(), r.Normal()
	if err := f.check(); err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	p := &Plan{loc: time.UTC, mayLoosen: f.MayLoosen, stopsUrgent: f.StopsUrgent}
	own, floor := r.Zone, f.Zone
	if own == "" {
		own = f.Zone
	} else if f.Local {
		floor = own
	}
	var z *zone
	if own != "" {
		var err error
		if z, err = c.zone(own); err != nil {
			return nil, err
		}
		p.loc = z.loc
	}
	runs := kindsOf(r.Calendars)
	sourceOf := func(windows []Window) *source {
		if s := newSchedule(windows, runs); s != nil {
			return &source{s, z}
		}
		return nil
	}
	p.windows = sourceOf(r.Windows)
	if len(r.Matters) > 0 {
		p.matters = make(map[matter.ID]override, len(r.Matters))
		for _, o := range r.Matters {
			p.matters[o.Matter] = override{o.Mode, sourceOf(o.Windows)}
		}
	}
	if len(r.VIPs) > 0 {
		p.vips = make(map[matter.MemberID]struct{}, len(r.VIPs))
		for _, v := range r.VIPs {
			p.vips[v] = struct{}{}
		}
	}
	switch r.Manual.Kind {
	case ManualQuiet:
		p.quietUntil = r.Manual.Until.Unix()
	case ManualOff:
		p.offUntil = r.Manual.Until.Unix()
	}
	if s := newSchedule(f.Windows, kindsOf(f.Calendars)); s != nil && !(f.MayLoosen && r.IgnoreFloor) {
		z, err := c.zone(floor)
		if err != nil {
			return nil, err
		}
		p.floor = &source{s, z}
	}
	return p, nil
}

// Location returns the time zone in which the person reads clocks, for telling a sender
// "quiet until 08:30 (their 08:30 is your 14:30)".
func (p *Plan) Location() *time.Location { return p.loc }

// A view is what of a plan counts for one message.
type view struct {
	silent     bool
	windows    *source
	quietUntil int64
	floor      *source
	offWindows int64 // windows count from then on
	offFloor   int64 // the floor counts from then on
}

func (p *Plan) view(m Message) (v view) {
	o := p.matters[m.Matter]
	if m.Urgency != Urgent && o.mode == ModeNever {
		return view{silent: true}
	}
	_, exempt := p.vips[m.Sender]
	exempt = exempt || o.mode == ModeAlways
	if m.Urgency != Urgent && !exempt {
		v.quietUntil, v.offWindows = p.quietUntil, p.offUntil
		v.windows = p.windows
		if o.mode == ModeWindows {
			v.windows = o.windows
		}
	}
	stopped := m.Urgency != Urgent || p.stopsUrgent
	if stopped && !(exempt && p.mayLoosen) {
		v.floor = p.floor
		if p.mayLoosen {
			v.offFloor = p.offUntil
		}
	}
	return v
}

// end returns the first second from t on that is not quiet, or one after limit.
func (v *view) end(t, limit int64) int64 {
	for t <= limit {
		before := t
		t = max(t, v.quietUntil)
		if v.windows != nil && t >= v.offWindows && t <= limit {
			t = v.windows.end(t, limit)
		}
		if v.floor != nil && t >= v.offFloor && t <= limit {
			t = v.floor.end(t, limit)
		}
		if t == before {
			break
		}
	}
	return t
}

// start returns the first second from t on that is quiet, or one after limit.
func (v *view) start(t, limit int64) int64 {
	if t < v.quietUntil {
		return t
	}
	first := limit + 1
	if v.windows != nil {
		first = min(first, v.windows.start(max(t, v.offWindows), limit))
	}
	if v.floor != nil {
		first = min(first, v.floor.start(max(t, v.offFloor), limit))
	}
	return first
}

// Judge decides about a message that arrives at an instant. Instants are taken in whole
// seconds, the rest is cut off. Quiet that lasts longer than [Horizon] gives Silent.
//
// When rules change while a message is held, judge it again.
func (p *Plan) Judge(m Message, at time.Time) Verdict {
	v := p.view(m)
	if v.silent {
		return Verdict{Action: Silent}
	}
	t := second(at)
	switch end := v.end(t, t+horizon); {
	case end == t:
		return Verdict{Action: Notify}
	case end > t+horizon:
		return Verdict{Action: Silent}
	default:
		return Verdict{Action: Hold, Until: time.Unix(end, 0).UTC()}
	}
}

// Next returns the first instant after at at which the judgement of the message turns
// from quiet to not quiet or back, for a timer. ok is false when that does not happen
// within [Horizon].
func (p *Plan) Next(m Message, at time.Time) (next time.Time, ok bool) {
	v := p.view(m)
	if v.silent {
		return time.Time{}, false
	}
	t := second(at)
	limit := t + horizon
	change := v.end(t, limit)
	if change == t {
		change = v.start(t, limit)
	}
	if change > limit {
		return time.Time{}, false
	}
	return time.Unix(change, 0).UTC(), true
}

// The years that judgements know.
var (
	firstSecond = time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC).Unix()
	lastSecond  = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).Unix()
)

// second returns the whole seconds of an instant, with those of other years moved to
// the nearest one that is known.
func second(at time.Time) int64 { return min(max(at.Unix(), firstSecond), lastSecond) }
