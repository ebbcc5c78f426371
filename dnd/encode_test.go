package dnd

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causa/internal/fault"
	"causa/matter"
)

// The examples of the first version. They are never written again: every later program
// reads them and reads the same out of them.
const (
	frozenRules = "testdata/rules-v1.hex"
	frozenFloor = "testdata/floor-v1.txt"
)

func exampleRules() Rules {
	return Rules{
		Zone:    "Asia/Shanghai",
		Travels: true,
		Windows: []Window{
			{Days: EveryDay, From: At(22, 0), To: At(8, 30)},
			{Days: FreeDays, From: 0, To: At(24, 0)},
			{Dates: []Span{{Date(2026, 12, 24), Date(2026, 12, 26)}, {Date(2027, 2, 1), Date(2027, 2, 1)}}, From: At(13, 15), To: At(14, 0)},
		},
		Calendars: []Calendar{
			{Name: "公司日历", Through: Date(2027, 12, 31), Holidays: []Span{{Date(2027, 3, 8), Date(2027, 3, 8)}}, MakeUp: []Span{{Date(2027, 3, 13), Date(2027, 3, 13)}}},
		},
		Matters: []Override{
			{Matter: matter.ID{1}, Mode: ModeAlways},
			{Matter: matter.ID{2}, Mode: ModeNever},
			{Matter: matter.ID{3}, Mode: ModeWindows, Windows: []Window{{Days: Sunday, From: At(20, 0), To: At(6, 0)}}},
			{Matter: matter.ID{4}, Mode: ModeWindows},
		},
		VIPs:   []matter.MemberID{{5}, {6}},
		Manual: Manual{ManualQuiet, time.Date(2026, 11, 21, 15, 0, 0, 0, time.UTC)},
	}
}

func exampleFloor() Floor {
	return Floor{
		Zone: "Asia/Shanghai", Local: true, StopsUrgent: true,
		Windows:   []Window{{Days: EveryDay, From: At(22, 0), To: At(7, 0)}},
		Calendars: []Calendar{{Name: "cn", Holidays: []Span{{Date(2026, 10, 1), Date(2026, 10, 7)}}}},
	}
}

func TestFrozenRules(t *testing.T) {
	text, err := os.ReadFile(frozenRules)
	if err != nil {
		t.Fatal(err)
	}
	frozen, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := DecodeRules(frozen)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(exampleRules(), r); diff != "" {
		t.Errorf("the frozen rules say something else (-want +got):\n%s", diff)
	}
	if b, err := exampleRules().Encode(); err != nil || !bytes.Equal(b, frozen) {
		t.Errorf("the same rules have other bytes (%v):\n%x", err, b)
	}
}

func TestFrozenFloor(t *testing.T) {
	text, err := os.ReadFile(frozenFloor)
	if err != nil {
		t.Fatal(err)
	}
	frozen := strings.TrimSpace(string(text))
	f, err := ParseFloor(frozen)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(exampleFloor(), f); diff != "" {
		t.Errorf("the frozen floor says something else (-want +got):\n%s", diff)
	}
	if s, err := exampleFloor().Text(); err != nil || s != frozen {
		t.Errorf("the same floor has other text (%v):\n%s", err, s)
	}
}

func TestEncodingIsNormal(t *testing.T) {
	r := Rules{
		Zone: "UTC",
		Windows: []Window{{
			Dates: []Span{{Date(2027, 1, 5), Date(2027, 1, 6)}, {Date(2027, 1, 1), Date(2027, 1, 2)}, {Date(2027, 1, 3), Date(2027, 1, 3)}},
			To:    At(24, 0),
		}},
		Matters: []Override{{Matter: matter.ID{2}, Mode: ModeNever}, {Matter: matter.ID{1}, Mode: ModeAlways}},
		VIPs:    []matter.MemberID{{2}, {1}, {2}},
		Manual:  Manual{ManualOff, time.Date(2027, 1, 1, 0, 0, 0, 7, time.FixedZone("", 3600))},
	}
	want := Rules{
		Zone: "UTC",
		Windows: []Window{{
			Dates: []Span{{Date(2027, 1, 1), Date(2027, 1, 3)}, {Date(2027, 1, 5), Date(2027, 1, 6)}},
			To:    At(24, 0),
		}},
		Matters: []Override{{Matter: matter.ID{1}, Mode: ModeAlways}, {Matter: matter.ID{2}, Mode: ModeNever}},
		VIPs:    []matter.MemberID{{1}, {2}},
		Manual:  Manual{ManualOff, time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)},
	}
	b, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeRules(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, r.Normal()); diff != "" {
		t.Errorf("normal form (-want +got):\n%s", diff)
	}
	if r.Matters[0].Matter != (matter.ID{2}) || r.Windows[0].Dates[0].First != Date(2027, 1, 5) {
		t.Error("encoding changed what it was given")
	}
}

func TestEncodingRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		w := newWorld(rng, "Europe/Berlin", time.UTC)
		b, err := w.rules.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeRules(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(w.rules.Normal(), got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

// Every cut-off or lengthened encoding is refused.
func TestDecodeRefusesPieces(t *testing.T) {
	rules, err := exampleRules().Encode()
	if err != nil {
		t.Fatal(err)
	}
	floor, err := exampleFloor().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for i := range rules {
		if _, err := DecodeRules(rules[:i]); !errors.Is(err, ErrBadBytes) {
			t.Errorf("the first %d bytes of rules: %v", i, err)
		}
	}
	for i := range floor {
		if _, err := DecodeFloor(floor[:i]); !errors.Is(err, ErrBadBytes) {
			t.Errorf("the first %d bytes of a floor: %v", i, err)
		}
	}
	if _, err := DecodeRules(append(rules, 0)); !errors.Is(err, ErrBadBytes) {
		t.Errorf("a byte after rules: %v", err)
	}
	if _, err := DecodeFloor(append(floor, 0)); !errors.Is(err, ErrBadBytes) {
		t.Errorf("a byte after a floor: %v", err)
	}
	text, err := exampleFloor().Text()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{text + "=", text + "\n", text[:20] + "\n" + text[20:], text[:len(text)-1], "22:00-07:00"} {
		if _, err := ParseFloor(s); !errors.Is(err, ErrBadBytes) {
			t.Errorf("ParseFloor(%q): %v", s, err)
		}
	}
}

// Bytes that say the same as others, or something that can't be, are refused.
func TestDecodeIsStrict(t *testing.T) {
	text := func(s string) string { return string(rune(len(s))) + s }
	const (
		none    = "\x00\x00"
		day0    = "\x00\x00\x00\x00"
		day1    = "\x00\x00\x00\x01"
		day2    = "\x00\x00\x00\x02"
		evening = "\x01\xff\x05\x28\x01\xfe" + none
	)
	id := func(n byte) string { return string([]byte{n}) + strings.Repeat("\x00", 15) }
	with := func(windows, calendars, matters, vips, manual string) string {
		return "\x01\x00" + text("UTC") + windows + calendars + matters + vips + manual
	}
	tests := []struct {
		name, bytes string
		want        error // nil: accepted
	}{
		{"nothing set", "\x01\x00\x00" + none + none + none + none + "\x00", nil},
		{"one window", with("\x00\x01"+evening, none, none, none, "\x00"), nil},
		{"a window without a zone", "\x01\x00\x00\x00\x01" + evening + none + none + none + "\x00", ErrNoZone},
		{"no version", "\x00\x00\x00" + none + none + none + none + "\x00", ErrBadBytes},
		{"a later version", "\x02whatever", ErrLaterVersion},
		{"unknown flags", "\x01\x04\x00" + none + none + none + none + "\x00", errUnknownFields},
		{"unknown day", with("\x00\x01\x02\x00\x05\x28\x01\xfe"+none, none, none, none, "\x00"), ErrNoDays},
		{"25 o'clock", with("\x00\x01\x01\xff\x05\xdc\x01\xfe"+none, none, none, none, "\x00"), ErrClock},
		{"empty window", with("\x00\x01\x01\xff\x01\xfe\x01\xfe"+none, none, none, none, "\x00"), ErrEmptyWindow},
		{"dates out of order", with("\x00\x01\x00\x00\x05\x28\x01\xfe\x00\x02"+day2+day2+day0+day0, none, none, none, "\x00"), ErrForm},
		{"dates that touch", with("\x00\x01\x00\x00\x05\x28\x01\xfe\x00\x02"+day0+day0+day1+day1, none, none, none, "\x00"), ErrForm},
		{"dates backwards", with("\x00\x01\x00\x00\x05\x28\x01\xfe\x00\x01"+day2+day1, none, none, none, "\x00"), ErrDates},
		{"dates in 2200", with("\x00\x01\x00\x00\x05\x28\x01\xfe\x00\x01\x00\x01\x48\x26\x00\x01\x48\x26", none, none, none, "\x00"), ErrDates},
		{"calendar", with(none, "\x00\x01"+text("cn")+day0+none+none, none, none, "\x00"), nil},
		{"calendar without a name", with(none, "\x00\x01"+text("")+day0+none+none, none, none, "\x00"), ErrCalendarName},
		{"calendar with a bidi character", with(none, "\x00\x01"+text("\u202ecn")+day0+none+none, none, none, "\x00"), ErrCalendarName},
		{"matter", with(none, none, "\x00\x01"+id(1)+"\x01", none, "\x00"), nil},
		{"matter twice", with(none, none, "\x00\x02"+id(1)+"\x01"+id(1)+"\x02", none, "\x00"), ErrForm},
		{"no matter", with(none, none, "\x00\x01"+id(0)+"\x01", none, "\x00"), ErrOverride},
		{"unknown mode", with(none, none, "\x00\x01"+id(1)+"\x04", none, "\x00"), ErrOverride},
		{"VIPs out of order", with(none, none, none, "\x00\x02"+id(2)+id(1), "\x00"), ErrForm},
		{"no VIP", with(none, none, none, "\x00\x01"+id(0), "\x00"), ErrVIP},
		{"manual", with(none, none, none, none, "\x01\x00\x00\x00\x00\x6a\x20\x00\x00"), nil},
		{"manual in 2200", with(none, none, none, none, "\x01\x00\x00\x00\x01\xb0\x9f\xd6\x80"), ErrManual},
		{"unknown switch", with(none, none, none, none, "\x03\x00\x00\x00\x00\x6a\x20\x00\x00"), ErrManual},
		{"too many windows", with("\x00\x41"+strings.Repeat(evening, 65), none, none, none, "\x00"), ErrTooMuch},
		{"too long", with(none, none, none, none, "\x00"+strings.Repeat("\x00", MaxRules)), ErrTooMuch},
		{"the zone Local", "\x01\x00" + text("Local") + none + none + none + none + "\x00", ErrBadBytes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := DecodeRules([]byte(tt.bytes))
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if words, _ := fault.Words(err, nil); tt.want != nil && words == fault.General {
				t.Errorf("no words for %v", err)
			}
		})
	}
}

func FuzzDecodeRules(f *testing.F) {
	for _, r := range []Rules{{}, exampleRules(), {Zone: "UTC", Windows: []Window{nights}, Calendars: []Calendar{China()}}} {
		b, err := r.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	var c Compiler
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeRules(b)
		if err != nil {
			return
		}
		again, err := r.Encode()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x was accepted, but encodes as %x (%v)", b, again, err)
		}
		if p, err := c.Compile(exampleFloor(), r); err == nil {
			at := time.Date(2026, 11, 21, 23, 30, 0, 0, time.UTC)
			judgeConsistently(t, p, Message{}, at)
		}
		r.Notes(Date(2026, 11, 21))
	})
}

// judgeConsistently checks what holds for every plan.
func judgeConsistently(t *testing.T, p *Plan, m Message, at time.Time) {
	t.Helper()
	v := p.Judge(m, at)
	next, ok := p.Next(m, at)
	switch v.Action {
	case Hold:
		if !ok || !next.Equal(v.Until) || !v.Until.After(at) {
			t.Errorf("held until %v, but changes at %v (%v)", v.Until, next, ok)
		}
		if a := p.Judge(m, v.Until).Action; a != Notify {
			t.Errorf("held until %v, and then %v", v.Until, a)
		}
	case Notify:
		if ok && p.Judge(m, next).Action == Notify {
			t.Errorf("nothing changes at %v", next)
		}
	case Silent:
		if ok {
			t.Errorf("silent, but changes at %v", next)
		}
	default:
		t.Errorf("judgement %v", v)
	}
}

func FuzzDecodeFloor(f *testing.F) {
	for _, x := range []Floor{{}, exampleFloor()} {
		b, err := x.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := DecodeFloor(b)
		if err != nil {
			return
		}
		again, err := x.Encode()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x was accepted, but encodes as %x (%v)", b, again, err)
		}
	})
}
