package vault

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/oprf"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write testdata anew")

// hubKey plays the hub: a slot key and what it does.
type hubKey struct{ key *oprf.PrivateKey }

func newHubKey(t testing.TB, seed byte) hubKey {
	t.Helper()
	k, err := oprf.DeriveKey(oprf.SuiteRistretto255, oprf.BaseMode, bytes.Repeat([]byte{seed}, 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	return hubKey{k}
}

func (h hubKey) evaluate(t testing.TB, blinded []byte) []byte {
	t.Helper()
	e := group.Ristretto255.NewElement()
	if err := e.UnmarshalBinary(blinded); err != nil {
		t.Fatal(err)
	}
	out, err := oprf.NewServer(oprf.SuiteRistretto255, h.key).Evaluate(&oprf.EvaluationRequest{Elements: []oprf.Blinded{e}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := out.Elements[0].MarshalBinaryCompress()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func share(t testing.TB, slot ID, passcode string, h hubKey) *Share {
	t.Helper()
	a, err := Begin(slot, []byte(passcode))
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.Share(h.evaluate(t, a.Blinded()))
	if err != nil {
		t.Fatal(err)
	}
	return &s
}

// code is NewCode without its cost, for tests of what does not depend on it.
func code(passcode string) *Code {
	c := &Code{params: Phone}
	copy(c.stretched[:], passcode)
	return c
}

func TestRFC9497Vectors(t *testing.T) {
	b, err := os.ReadFile("testdata/rfc9497-ristretto255-base.json")
	if err != nil {
		t.Fatal(err)
	}
	var suite struct {
		Seed, KeyInfo, SkSm string
		Vectors             []struct{ Blind, BlindedElement, EvaluationElement, Input, Output string }
	}
	if err := json.Unmarshal(b, &suite); err != nil || len(suite.Vectors) == 0 {
		t.Fatalf("%d vectors, %v", len(suite.Vectors), err)
	}
	key, err := oprf.DeriveKey(oprf.SuiteRistretto255, oprf.BaseMode, unhex(t, suite.Seed), unhex(t, suite.KeyInfo))
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := key.MarshalBinary(); err != nil || !bytes.Equal(raw, unhex(t, suite.SkSm)) {
		t.Errorf("key = %x, %v", raw, err)
	}
	for _, v := range suite.Vectors {
		client := oprf.NewClient(oprf.SuiteRistretto255)
		blind := group.Ristretto255.NewScalar()
		if err := blind.UnmarshalBinary(unhex(t, v.Blind)); err != nil {
			t.Fatal(err)
		}
		a, err := begin(client, func() (*oprf.FinalizeData, *oprf.EvaluationRequest, error) {
			return client.DeterministicBlind([][]byte{unhex(t, v.Input)}, []oprf.Blind{blind})
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(a.Blinded()); got != v.BlindedElement {
			t.Errorf("blinded = %s, want %s", got, v.BlindedElement)
		}
		evaluated := hubKey{key}.evaluate(t, a.Blinded())
		if got := hex.EncodeToString(evaluated); got != v.EvaluationElement {
			t.Errorf("evaluated = %s, want %s", got, v.EvaluationElement)
		}
		out, err := a.Share(evaluated)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(out[:]); got != v.Output {
			t.Errorf("output = %s, want %s", got, v.Output)
		}
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Each of the three parts is needed, exactly.
func TestOpenNeedsAllThree(t *testing.T) {
	hub, other := newHubKey(t, 1), newHubKey(t, 2)
	device, thief := NewDeviceSecret(), NewDeviceSecret()
	s := &Slot{ID: NewID()}
	want := NewOpened(Key{1, 2, 3})
	right, err := NewCode([]byte("correct horse"), Phone)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Wrap(1, right, share(t, s.ID, "correct horse", hub), &device, want); err != nil {
		t.Fatal(err)
	}
	again, err := s.Code(1, []byte("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := s.Code(1, []byte("correct horsf"))
	if err != nil {
		t.Fatal(err)
	}
	good := share(t, s.ID, "correct horse", hub)
	tests := []struct {
		name   string
		code   *Code
		share  *Share
		device *DeviceSecret
		want   error
	}{
		{"all three", again, good, &device, nil},
		{"wrong passcode", wrong, share(t, s.ID, "correct horsf", hub), &device, ErrWrong},
		{"right share, wrong stretch", wrong, good, &device, ErrWrong},
		{"right stretch, share of another passcode", again, share(t, s.ID, "correct horsf", hub), &device, ErrWrong},
		{"share of another slot key", again, share(t, s.ID, "correct horse", other), &device, ErrWrong},
		{"share made for another slot", again, share(t, NewID(), "correct horse", hub), &device, ErrWrong},
		{"no share", again, &Share{}, &device, ErrWrong},
		{"another device's secret", again, good, &thief, ErrWrong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s.Open(1, tt.code, tt.share, tt.device)
			if !errors.Is(err, tt.want) {
				t.Fatalf("err = %v, want %v", err, tt.want)
			}
			if tt.want == nil && *got != *want {
				t.Error("another content came out")
			}
		})
	}
	if _, err := s.Open(2, again, good, &device); !errors.Is(err, ErrGeneration) {
		t.Errorf("unknown generation: %v", err)
	}
}

// A passcode is the same however a keyboard composes it.
func TestPasscodeIsNormalised(t *testing.T) {
	hub, id := newHubKey(t, 1), NewID()
	if *share(t, id, "caf\u00e9１２", hub) != *share(t, id, "cafe\u030112", hub) {
		t.Error("the same passcode, composed in another way, has another share")
	}
}

// Whatever crashes while a slot moves on, exactly the wrap of the hub's generation opens.
func TestRotation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		device := NewDeviceSecret()
		s := &Slot{ID: NewID()}
		content := NewOpened(Key{9})
		shares := map[uint64]*Share{}
		shareOf := func(g uint64) *Share {
			if shares[g] == nil {
				shares[g] = &Share{byte(g), byte(g >> 8), 7}
			}
			return shares[g]
		}
		passcode, hub := "first", uint64(1)
		if err := s.Wrap(1, code(passcode), shareOf(1), &device, content); err != nil {
			t.Fatal(err)
		}
		pending := "" // the passcode of the next generation's wrap
		open := func() {
			t.Helper()
			p, err := Parse(s.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Open(hub, code(passcode), shareOf(hub), &device)
			if err != nil || *got != *content {
				t.Fatalf("generation %d of %v: %v", hub, p.Generations(), err)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"wrap for the next": func(t *rapid.T) {
				pending = rapid.SampledFrom([]string{passcode, "other", "third"}).Draw(t, "passcode")
				if err := s.Wrap(hub+1, code(pending), shareOf(hub+1), &device, content); err != nil {
					t.Fatal(err)
				}
			},
			"hub confirms": func(t *rapid.T) {
				if pending == "" {
					t.Skip("nothing to confirm")
				}
				old := hub
				hub, passcode, pending = hub+1, pending, ""
				if _, err := s.Open(hub, code(passcode), shareOf(old), &device); !errors.Is(err, ErrWrong) {
					t.Fatalf("the old share opens the new wrap: %v", err)
				}
			},
			"keep": func(*rapid.T) {
				if pending == "" {
					s.Keep(hub)
				}
			},
			"": func(*rapid.T) { open() },
		})
	})
}

func TestNewCodeRefusesWeakCosts(t *testing.T) {
	for _, p := range []Params{{}, {32 << 10, 3, 4}, {64 << 10, 2, 4}, {64 << 10, 3, 0}, {1 << 30, 3, 1}, {64 << 10, 1 << 20, 1}} {
		if _, err := NewCode([]byte("x"), p); err == nil {
			t.Errorf("%+v was taken", p)
		}
	}
}

func TestShareRefusesWhatIsNoElement(t *testing.T) {
	a, err := Begin(NewID(), []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{nil, make([]byte, 32), make([]byte, 31), bytes.Repeat([]byte{0xff}, 32), make([]byte, 33)} {
		if _, err := a.Share(b); !errors.Is(err, ErrEvaluation) {
			t.Errorf("%x: %v", b, err)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	o := NewOpened(Key{0xab, 0xcd})
	l := &Lease{Share: Share{0xab, 0xcd}}
	for _, v := range []any{o, o.Key, DeviceSecret{0xab}, Share{0xab}, Stretched{0xab}, l, *l, &Code{stretched: Stretched{0xab}}} {
		for _, verb := range []string{"%v", "%+v", "%x", "%s", "%d"} {
			if s := fmt.Sprintf(verb, v); !strings.Contains(s, "hidden") || strings.Contains(s, "ab") || strings.Contains(s, "171") {
				t.Errorf("%s of %T prints %q", verb, v, s)
			}
		}
	}
	if b, err := json.Marshal(o.Key); err == nil {
		t.Errorf("a key is marshalled: %s", b)
	}
	o.Clear()
	if *o != (Opened{}) {
		t.Error("Clear leaves something")
	}
}

func TestUnlockKeysDiffer(t *testing.T) {
	s, id := NewDeviceSecret(), NewID()
	a, err := s.UnlockKey(id)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.UnlockKey(NewID())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.UnlockKey(id); err != nil || !again.Equal(a) || a.Equal(b) {
		t.Error("unlock keys must be the slot's own, and always the same")
	}
}

func TestLease(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	fresh := func() *Lease {
		return &Lease{Slot: ID{1}, Generation: 3, Share: Share{5}, Granted: now, Expires: now.Add(24 * time.Hour), Seen: now}
	}
	tests := []struct {
		name   string
		change func(*Lease)
		at     time.Time
		want   time.Duration
	}{
		{"just granted", nil, now, 24 * time.Hour},
		{"an hour later", nil, now.Add(time.Hour), 23 * time.Hour},
		{"over", nil, now.Add(24 * time.Hour), 0},
		{"clock before the grant", nil, now.Add(-time.Hour), 0},
		{"clock turned back", func(l *Lease) { l.Seen = now.Add(20 * time.Hour) }, now.Add(2 * time.Hour), 0},
		{"clock corrected a little", func(l *Lease) { l.Seen = now.Add(20 * time.Hour) }, now.Add(20*time.Hour - time.Minute), 4 * time.Hour},
		{"device's clock behind the hub's", func(l *Lease) { l.Ahead = 5 * time.Hour }, now.Add(-4 * time.Hour), 23 * time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := fresh()
			if tt.change != nil {
				tt.change(l)
			}
			if got := l.Left(tt.at); got != tt.want {
				t.Errorf("left = %v, want %v", got, tt.want)
			}
			back, err := ParseLease(l.Bytes(), l.Slot)
			if err != nil || *back != *l {
				t.Errorf("does not come back: %v", err)
			}
		})
	}
	if _, err := ParseLease(fresh().Bytes(), ID{2}); !errors.Is(err, ErrMalformed) {
		t.Errorf("another slot's lease: %v", err)
	}
}

// However a clock is turned, a lease never lasts longer than it was granted for, as
// measured by the time that the device was seen to run.
func TestLeaseIsNotStretched(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.UnixMilli(1_800_000_000_000)
		l := &Lease{Granted: now, Expires: now.Add(24 * time.Hour), Seen: now}
		clock, left := now, 24*time.Hour
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			clock = clock.Add(time.Duration(rapid.Int64Range(-30*60, 30*60).Draw(t, "seconds")) * time.Second)
			got := l.Left(clock)
			if got > left {
				t.Fatalf("%v left, and %v before", got, left)
			}
			if got > 0 {
				left = got
				l.Note(clock)
			}
		}
	})
}

// TestFrozenSlot opens a slot that the first version made.
func TestFrozenSlot(t *testing.T) {
	const path, passcode = "testdata/slot-v1.json", "事由 passphrase 1"
	type frozen struct{ Slot, Device, Share, Key, Proof, Lease string }
	hub := newHubKey(t, 42)
	if *update {
		device := NewDeviceSecret()
		s, content := &Slot{ID: NewID()}, NewOpened(Key{1, 2, 3, 4})
		c, err := NewCode([]byte(passcode), Phone)
		if err != nil {
			t.Fatal(err)
		}
		sh := share(t, s.ID, passcode, hub)
		for g := uint64(1); g <= 2; g++ {
			if err := s.Wrap(g, c, sh, &device, content); err != nil {
				t.Fatal(err)
			}
		}
		l := Lease{Slot: s.ID, Generation: 2, Share: *sh, Granted: time.UnixMilli(1000), Expires: time.UnixMilli(2000), Seen: time.UnixMilli(1500), Ahead: time.Second}
		b, err := json.MarshalIndent(frozen{
			hex.EncodeToString(s.Bytes()), hex.EncodeToString(device[:]), hex.EncodeToString(sh[:]),
			hex.EncodeToString(content.Key[:]), hex.EncodeToString(content.ProofKey()), hex.EncodeToString(l.Bytes()),
		}, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f frozen
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	s, err := Parse(unhex(t, f.Slot))
	if err != nil {
		t.Fatal(err)
	}
	sh := share(t, s.ID, passcode, hub)
	if got := hex.EncodeToString(sh[:]); got != f.Share {
		t.Errorf("share = %s, want %s", got, f.Share)
	}
	device := DeviceSecret(unhex(t, f.Device))
	for g := uint64(1); g <= 2; g++ {
		c, err := s.Code(g, []byte(passcode))
		if err != nil {
			t.Fatal(err)
		}
		o, err := s.Open(g, c, sh, &device)
		if err != nil {
			t.Fatal(err)
		}
		if hex.EncodeToString(o.Key[:]) != f.Key || hex.EncodeToString(o.ProofKey()) != f.Proof {
			t.Error("another content came out")
		}
	}
	l, err := ParseLease(unhex(t, f.Lease), s.ID)
	if err != nil || l.Share != *sh || l.Left(time.UnixMilli(600)) != 400*time.Millisecond {
		t.Errorf("lease: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	s := &Slot{ID: ID{1}}
	d := NewDeviceSecret()
	for g := uint64(1); g < 3; g++ {
		if err := s.Wrap(g, code("x"), &Share{}, &d, NewOpened(Key{})); err != nil {
			f.Fatal(err)
		}
		f.Add(s.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Parse(b)
		if err != nil {
			return
		}
		if !bytes.Equal(s.Bytes(), b) {
			t.Error("re-encodes to other bytes")
		}
	})
}

func FuzzParseLease(f *testing.F) {
	l := Lease{Slot: ID{1}, Granted: time.UnixMilli(1), Expires: time.UnixMilli(2), Seen: time.UnixMilli(3)}
	f.Add(l.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ParseLease(b, ID{1})
		if err != nil {
			return
		}
		if !bytes.Equal(l.Bytes(), b) {
			t.Error("re-encodes to other bytes")
		}
	})
}

func BenchmarkStretch(b *testing.B) {
	for _, p := range []Params{Phone, Desktop} {
		b.Run(fmt.Sprintf("%dMiB", p.MemoryKiB>>10), func(b *testing.B) {
			for b.Loop() {
				if _, err := NewCode([]byte("passcode"), p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
