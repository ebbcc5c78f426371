package orglog

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causa/matter"
)

// statements has one statement of every kind.
func statements() []Statement {
	expires := start.Add(72 * time.Hour)
	return []Statement{
		Founded{Organisation: "Acme 事务所", Member: person("a"), Name: "A", DeviceKey: public("a"), DeviceName: "d"},
		MemberInvited{Member: person("a"), Name: "王伟", Role: matter.RoleGuest, InviteKey: public("i"), Expires: expires},
		DeviceInvited{Member: person("a"), InviteKey: public("i"), Expires: expires},
		InviteWithdrawn{InviteKey: public("i")},
		DeviceEnrolled{
			Member: person("a"), DeviceKey: public("d"), DeviceName: "phone", InviteKey: public("i"),
			InviteSignature: bytes.Repeat([]byte{7}, ed25519.SignatureSize),
		},
		MemberRenamed{Member: person("a"), Name: "B"},
		RoleChanged{Member: person("a"), Role: matter.RoleAdmin},
		MemberLeft{Member: person("a"), Reason: "gone"},
		DeviceRevoked{Device: matter.DeviceOf(public("d")), Reason: ""},
		PolicySet{Name: "lease.hours", Value: "72"},
		WipeOrdered{Member: person("a"), Extent: ExtentMatter, Matter: matter.ID{5}, Reason: "离职", Expires: expires},
		WipeApproved{Order: 7},
		WipeWithdrawn{Order: 8},
		HubKeySet{Key: public("hub")},
		KeysDestroyed{Order: 9, Time: start, Signature: bytes.Repeat([]byte{8}, ed25519.SignatureSize)},
		WipeReceipt{Order: 10},
		DeviceLocked{Device: matter.DeviceOf(public("d")), Reason: "in the taxi"},
		DeviceUnlocked{Device: matter.DeviceOf(public("d"))},
		ModuleInvited{Member: person("a"), InviteKey: public("m"), Expires: expires, Module: "payroll"},
		TriesGiven{Device: matter.DeviceOf(public("a")), Reason: "办公"},
		Unknown{Number: 4711, Body: []byte{1, 2, 3}},
	}
}

func TestEntryRoundTrip(t *testing.T) {
	for i, st := range statements() {
		e, err := Sign(key("author"), uint64(i), Hash{byte(i)}, start.Add(123456789*time.Nanosecond), st)
		if err != nil {
			t.Fatalf("%T: %v", st, err)
		}
		b := e.Bytes()
		back, err := Decode(b)
		if err != nil {
			t.Fatalf("%T: %v", st, err)
		}
		if diff := cmp.Diff(e, back); diff != "" {
			t.Errorf("%T came back different:\n%s", st, diff)
		}
		if diff := cmp.Diff(st, back.Statement); diff != "" {
			t.Errorf("%T says something else:\n%s", st, diff)
		}
		if !bytes.Equal(back.Bytes(), b) || back.Hash() != e.Hash() {
			t.Errorf("%T has two encodings", st)
		}
		if !back.Time.Equal(start.Add(123 * time.Millisecond)) {
			t.Errorf("time = %v", back.Time)
		}
		for n := range b {
			if _, err := Decode(b[:n]); !errors.Is(err, ErrMalformed) {
				t.Fatalf("%T cut to %d bytes: %v", st, n, err)
			}
		}
		if _, err := Decode(append(bytes.Clone(b), 0)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%T with a byte behind it: %v", st, err)
		}
		// Decode must not keep its input.
		before := e.Hash()
		for i := range b {
			b[i] = 0xff
		}
		if back.Hash() != before {
			t.Errorf("%T changed with the bytes it was read from", st)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	good, err := Sign(key("a"), 3, Hash{1}, start, RoleChanged{Member: person("a"), Role: matter.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	const timeAt, typeAt, lenAt = 1 + 8 + 32, 1 + 8 + 32 + 8 + 32, 1 + 8 + 32 + 8 + 32 + 2
	change := func(f func(b []byte) []byte) []byte { return f(good.Bytes()) }
	tests := []struct {
		name string
		b    []byte
		want Rule
	}{
		{"nothing", nil, ErrMalformed},
		{"a later layout", change(func(b []byte) []byte { b[0] = 9; return b }), ErrNewer},
		{"a time after 9999", change(func(b []byte) []byte { b[timeAt] = 1; return b }), ErrMalformed},
		{"type 0", change(func(b []byte) []byte { b[typeAt+1] = 0; return b }), ErrMalformed},
		{"another type", change(func(b []byte) []byte { b[typeAt+1] = byte(TypeMemberLeft); return b }), ErrMalformed},
		{"a longer body", change(func(b []byte) []byte { b[lenAt+1]++; return append(b, 0) }), ErrMalformed},
		{"over the limit", change(func(b []byte) []byte { return append(b, make([]byte, MaxEntry)...) }), ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if e, err := Decode(tt.b); e != nil || !errors.Is(err, tt.want) {
				t.Errorf("Decode: %v, want %v", err, tt.want)
			}
		})
	}
}

func TestSignRefuses(t *testing.T) {
	tests := []struct {
		name string
		at   time.Time
		st   Statement
	}{
		{"no statement", start, nil},
		{"before 1970", time.Unix(-1, 0), PolicySet{Name: "a", Value: "b"}},
		{"year 10000", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), PolicySet{Name: "a", Value: "b"}},
		{"short key", start, InviteWithdrawn{InviteKey: []byte("short")}},
		{"no expiry", start, DeviceInvited{Member: person("a"), InviteKey: public("i")}},
		{"over 64 KiB", start, PolicySet{Name: "a", Value: strings.Repeat("x", 1<<16)}},
		{"over 16 KiB", start, PolicySet{Name: "a", Value: strings.Repeat("x", MaxEntry)}},
		{"type 0", start, Unknown{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if e, err := Sign(key("a"), 1, Hash{}, tt.at, tt.st); err == nil || e != nil {
				t.Errorf("Sign = %v, %v", e, err)
			}
		})
	}
	last := time.UnixMilli(maxTime).UTC()
	if e, err := Sign(key("a"), 1, Hash{}, last, PolicySet{}); err != nil || !e.Time.Equal(last) {
		t.Errorf("the last millisecond of the year 9999: %v", err)
	}
	const around = 1 + 8 + 32 + 8 + 32 + 2 + 2 + ed25519.SignatureSize
	big, err := Sign(key("a"), 1, Hash{}, start, Unknown{Number: 99, Body: make([]byte, MaxEntry-around)})
	if err != nil || len(big.Bytes()) != MaxEntry {
		t.Errorf("an entry of exactly 16 KiB: %v", err)
	}
	if _, err := Sign(key("a"), 1, Hash{}, start, Unknown{Number: 99, Body: make([]byte, MaxEntry-around+1)}); err == nil {
		t.Error("an entry one byte over 16 KiB was made")
	}
}

func FuzzDecode(f *testing.F) {
	for i, st := range statements() {
		e, err := Sign(key("author"), uint64(i), Hash{byte(i)}, start, st)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(e.Bytes())
	}
	f.Add([]byte{version})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Decode(b)
		if err != nil {
			if e != nil || !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrNewer) {
				t.Fatalf("Decode = %v, %v", e, err)
			}
			return
		}
		if !bytes.Equal(e.Bytes(), b) {
			t.Fatalf("read %x, wrote %x", b, e.Bytes())
		}
		// Nobody gets in with it, and nothing breaks.
		if err := NewState().Apply(e); err == nil && e.Statement.Type() != TypeFounded {
			t.Fatal("a log began with something else than its founding")
		}
	})
}
