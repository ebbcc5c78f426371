package dnd

import (
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"causa/internal/fault"
	"causa/matter"
)

// Version is the version of both encodings, their first byte.
const Version = 1

// Encode returns the rules' bytes, in TLS presentation language; docs/quiet-hours.md
// shows the structures. Rules that mean the same thing in another order encode alike.
// The error, if any, is that of [Rules.Check].
func (r Rules) Encode() ([]byte, error) {
	r = r.Normal()
	if err := r.check(); err != nil {
		return nil, err
	}
	return r.append()
}

func (r Rules) append() ([]byte, error) {
	b := cryptobyte.NewBuilder(nil)
	b.AddUint8(Version)
	b.AddUint8(flags(r.Travels, r.IgnoreFloor))
	addText(b, r.Zone)
	addWindows(b, r.Windows)
	addCalendars(b, r.Calendars)
	b.AddUint16(uint16(len(r.Matters)))
	for _, o := range r.Matters {
		b.AddBytes(o.Matter[:])
		b.AddUint8(uint8(o.Mode))
		if o.Mode == ModeWindows {
			addWindows(b, o.Windows)
		}
	}
	b.AddUint16(uint16(len(r.VIPs)))
	for _, v := range r.VIPs {
		b.AddBytes(v[:])
	}
	b.AddUint8(uint8(r.Manual.Kind))
	if r.Manual.Kind != ManualNone {
		b.AddUint64(uint64(r.Manual.Until.Unix()))
	}
	return built(b, MaxRules)
}

// DecodeRules reads encoded rules. It accepts only what [Rules.Encode] makes.
func DecodeRules(b []byte) (Rules, error) {
	if len(b) > MaxRules {
		return Rules{}, badBytes(ErrTooMuch)
	}
	d := reader{s: b}
	if err := d.version(); err != nil {
		return Rules{}, err
	}
	var r Rules
	d.flags(&r.Travels, &r.IgnoreFloor)
	r.Zone = d.text()
	r.Windows, r.Calendars = d.windows(), d.calendars()
	for n := d.count(MaxMatters); n > 0 && d.err == nil; n-- {
		var o Override
		d.fixed(o.Matter[:])
		if o.Mode = Mode(d.uint8()); o.Mode == ModeWindows {
			o.Windows = d.windows()
		}
		if k := len(r.Matters); k > 0 && string(r.Matters[k-1].Matter[:]) >= string(o.Matter[:]) {
			d.fail(ErrForm)
		}
		r.Matters = append(r.Matters, o)
	}
	for n := d.count(MaxVIPs); n > 0 && d.err == nil; n-- {
		var v matter.MemberID
		d.fixed(v[:])
		if k := len(r.VIPs); k > 0 && string(r.VIPs[k-1][:]) >= string(v[:]) {
			d.fail(ErrForm)
		}
		r.VIPs = append(r.VIPs, v)
	}
	if r.Manual.Kind = ManualKind(d.uint8()); r.Manual.Kind != ManualNone {
		r.Manual.Until = d.time()
	}
	if err := d.done(r.check); err != nil {
		return Rules{}, err
	}
	return r, nil
}

// Encode returns the floor's bytes; see [Rules.Encode].
func (f Floor) Encode() ([]byte, error) {
	f = f.Normal()
	if err := f.check(); err != nil {
		return nil, err
	}
	return f.append()
}

func (f Floor) append() ([]byte, error) {
	b := cryptobyte.NewBuilder(nil)
	b.AddUint8(Version)
	b.AddUint8(flags(f.Local, f.MayLoosen, f.StopsUrgent))
	addText(b, f.Zone)
	addWindows(b, f.Windows)
	addCalendars(b, f.Calendars)
	return built(b, MaxFloor)
}

// DecodeFloor reads an encoded floor. It accepts only what [Floor.Encode] makes.
func DecodeFloor(b []byte) (Floor, error) {
	if len(b) > MaxFloor {
		return Floor{}, badBytes(ErrTooMuch)
	}
	d := reader{s: b}
	if err := d.version(); err != nil {
		return Floor{}, err
	}
	var f Floor
	d.flags(&f.Local, &f.MayLoosen, &f.StopsUrgent)
	f.Zone = d.text()
	f.Windows, f.Calendars = d.windows(), d.calendars()
	if err := d.done(f.check); err != nil {
		return Floor{}, err
	}
	return f, nil
}

// Text returns the encoded floor as a policy's value in the organisation log.
func (f Floor) Text() (string, error) {
	b, err := f.Encode()
	return base64.RawURLEncoding.EncodeToString(b), err
}

// ParseFloor reads what [Floor.Text] makes. The empty text is the floor that keeps
// nothing quiet, as a policy that nobody has set.
func ParseFloor(s string) (Floor, error) {
	if s == "" {
		return Floor{}, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || base64.RawURLEncoding.EncodeToString(b) != s { // the decoder skips newlines
		return Floor{}, badBytes(errors.New("it is not base64url"))
	}
	return DecodeFloor(b)
}

func built(b *cryptobyte.Builder, limit int) ([]byte, error) {
	out, err := b.Bytes()
	if err != nil || len(out) > limit {
		return nil, tooMuch() // only a length can be wrong after the check
	}
	return out, nil
}

func flags(set ...bool) (v uint8) {
	for i, is := range set {
		if is {
			v |= 1 << i
		}
	}
	return v
}

func addText(b *cryptobyte.Builder, s string) {
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
}

func addSpans(b *cryptobyte.Builder, spans []Span) {
	b.AddUint16(uint16(len(spans)))
	for _, s := range spans {
		b.AddUint32(uint32(s.First))
		b.AddUint32(uint32(s.Last))
	}
}

func addWindows(b *cryptobyte.Builder, windows []Window) {
	b.AddUint16(uint16(len(windows)))
	for _, w := range windows {
		b.AddUint16(uint16(w.Days))
		b.AddUint16(uint16(w.From))
		b.AddUint16(uint16(w.To))
		addSpans(b, w.Dates)
	}
}

func addCalendars(b *cryptobyte.Builder, calendars []Calendar) {
	b.AddUint16(uint16(len(calendars)))
	for _, c := range calendars {
		addText(b, c.Name)
		b.AddUint32(uint32(c.Through))
		addSpans(b, c.Holidays)
		addSpans(b, c.MakeUp)
	}
}

// A reader takes values off. After the first one that is not there or not allowed it
// returns zero values and err is set.
type reader struct {
	s   cryptobyte.String
	err error
}

func (d *reader) fail(err error) {
	if d.err == nil {
		d.err = err
		d.s = nil
	}
}

func (d *reader) want(ok bool) {
	if !ok {
		d.fail(errors.New("it is cut off"))
	}
}

func (d *reader) version() error {
	switch v := d.uint8(); {
	case d.err == nil && v > Version:
		return &fault.Error{
			Text: "A newer version of Causa has set these quiet hours.",
			Hint: "Update Causa on this device.",
			Err:  ErrLaterVersion,
		}
	case v != Version:
		d.fail(errors.New("it has no version"))
	}
	return nil
}

func (d *reader) uint8() (v uint8)   { d.want(d.s.ReadUint8(&v)); return v }
func (d *reader) uint16() (v uint16) { d.want(d.s.ReadUint16(&v)); return v }
func (d *reader) fixed(b []byte)     { d.want(d.s.CopyBytes(b)) }

func (d *reader) text() string {
	var v cryptobyte.String
	d.want(d.s.ReadUint8LengthPrefixed(&v))
	return string(v)
}

func (d *reader) day() Day {
	var v uint32
	d.want(d.s.ReadUint32(&v))
	if v > uint32(LastDay) {
		d.fail(ErrDates)
		return 0
	}
	return Day(v)
}

func (d *reader) time() time.Time {
	var v uint64
	d.want(d.s.ReadUint64(&v))
	if v >= uint64(LastDay+1)*secondsPerDay {
		d.fail(ErrManual)
		return time.Time{}
	}
	return time.Unix(int64(v), 0).UTC()
}

func (d *reader) flags(into ...*bool) {
	v := d.uint8()
	for i, f := range into {
		*f = v&(1<<i) != 0
	}
	if v>>len(into) != 0 {
		d.fail(errUnknownFields)
	}
}

func (d *reader) count(limit int) int {
	n := int(d.uint16())
	if n > limit {
		d.fail(ErrTooMuch)
		return 0
	}
	return n
}

func (d *reader) spans(limit int) (spans []Span) {
	for n := d.count(limit); n > 0 && d.err == nil; n-- {
		spans = append(spans, Span{d.day(), d.day()})
	}
	return spans
}

func (d *reader) windows() (windows []Window) {
	for n := d.count(MaxWindows); n > 0 && d.err == nil; n-- {
		w := Window{Days: Days(d.uint16()), From: Clock(d.uint16()), To: Clock(d.uint16())}
		w.Dates = d.spans(MaxDates)
		windows = append(windows, w)
	}
	return windows
}

func (d *reader) calendars() (calendars []Calendar) {
	for n := d.count(MaxCalendars); n > 0 && d.err == nil; n-- {
		c := Calendar{Name: d.text(), Through: d.day()}
		c.Holidays, c.MakeUp = d.spans(MaxHolidays), d.spans(MaxHolidays)
		calendars = append(calendars, c)
	}
	return calendars
}

// done returns what was wrong with the bytes, or with what they say.
func (d *reader) done(check func() error) error {
	if d.err == nil && !d.s.Empty() {
		d.err = errors.New("something follows it")
	}
	if d.err != nil {
		return badBytes(d.err)
	}
	if err := check(); err != nil {
		return badBytes(err)
	}
	return nil
}

// badBytes says one thing to people, who did not write the bytes.
func badBytes(err error) error {
	return &fault.Error{
		Text: "These quiet hours can't be read.",
		Hint: "Set them again.",
		Err:  fmt.Errorf("%w: %w", ErrBadBytes, err),
	}
}
