package vault

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudflare/circl/oprf"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"causa/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.UnixMilli(1_790_000_000_000)

func openTemp(t testing.TB) (*Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault", "slots.db")
	return reopen(t, path), path
}

func reopen(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// blind gives a blinded passcode and what unblinds an answer to it.
func blind(t testing.TB, passcode string) (blinded []byte, finish func(evaluated []byte) string) {
	t.Helper()
	c := oprf.NewClient(oprf.SuiteRistretto255)
	data, request, err := c.Blind([][]byte{[]byte(passcode)})
	if err != nil {
		t.Fatal(err)
	}
	blinded, err = request.Elements[0].MarshalBinaryCompress()
	if err != nil {
		t.Fatal(err)
	}
	return blinded, func(evaluated []byte) string {
		t.Helper()
		e, err := element(evaluated)
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.Finalize(data, &oprf.Evaluation{Elements: []oprf.Evaluated{e}})
		if err != nil {
			t.Fatal(err)
		}
		return string(out[0])
	}
}

func newSlot(n byte) Slot {
	return Slot{
		ID: [16]byte{n}, Device: [32]byte{n},
		Unlock: bytes.Repeat([]byte{n, 1}, ed25519.PublicKeySize/2), Proof: bytes.Repeat([]byte{n, 2}, ed25519.PublicKeySize/2),
	}
}

func register(t testing.TB, s *Store, slot Slot) {
	t.Helper()
	b, _ := blind(t, "x")
	if _, err := s.Register(context.Background(), slot, b); err != nil {
		t.Fatal(err)
	}
	if err := s.Confirm(context.Background(), slot.ID, 1, noon); err != nil {
		t.Fatal(err)
	}
}

func ask(t testing.TB, s *Store, slot Slot, at time.Time) error {
	t.Helper()
	b, _ := blind(t, "x")
	_, err := s.Evaluate(context.Background(), slot.ID, b, at)
	return err
}

// RFC 9497, section A.1.1: the hub's half.
func TestEvaluateVectors(t *testing.T) {
	key, err := oprf.DeriveKey(oprf.SuiteRistretto255, oprf.BaseMode, bytes.Repeat([]byte{0xa3}, 32), []byte("test key"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := key.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for blinded, want := range map[string]string{
		"609a0ae68c15a3cf6903766461307e5c8bb2f95e7e6550e1ffa2dc99e412803c": "7ec6578ae5120958eb2db1745758ff379e77cb64fe77b0b2d8cc917ea0869c7e",
		"da27ef466870f5f15296299850aa088629945a17d1f5b7f5ff043f76b3c06418": "b4cbf5a4f1eeda5a63ce7b77c7d23f461db3fcab0dd28e4e17cecb5c90d02c25",
	} {
		var b []byte
		if _, err := fmt.Sscanf(blinded, "%x", &b); err != nil {
			t.Fatal(err)
		}
		e, err := element(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := evaluate(raw, e)
		if err != nil || fmt.Sprintf("%x", got) != want {
			t.Errorf("evaluated = %x, %v, want %s", got, err, want)
		}
	}
}

// Two phases: until the next generation is confirmed, the old one answers; then only the
// new one does, and the old key is gone from the file.
func TestRotation(t *testing.T) {
	ctx := context.Background()
	s, path := openTemp(t)
	slot := newSlot(1)
	b, finish := blind(t, "code")
	first, err := s.Register(ctx, slot, b)
	if err != nil {
		t.Fatal(err)
	}
	if first.Generation != 0 || first.Next != 1 {
		t.Fatalf("first generations %d, %d", first.Generation, first.Next)
	}
	again, err := s.Register(ctx, slot, b)
	if err != nil || !bytes.Equal(again.NextResult, first.NextResult) {
		t.Fatalf("a repeat is answered otherwise: %v", err)
	}
	if err := s.Confirm(ctx, slot.ID, 1, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Register(ctx, slot, b); !errors.Is(err, ErrRefused) {
		t.Errorf("registered again: %v", err)
	}
	share := finish(first.NextResult)
	var old row
	if err := s.write(ctx, func(tx *tx) error { return tx.slot(&old, slot.ID) }); err != nil {
		t.Fatal(err)
	}
	var next *Evaluation
	for range 3 { // crashes before the confirmation
		b, finish := blind(t, "code")
		if next, err = s.Evaluate(ctx, slot.ID, b, noon); err != nil {
			t.Fatal(err)
		}
		if finish(next.Evaluated) != share {
			t.Fatal("the current generation gives another share")
		}
		if finish(next.NextResult) == share {
			t.Fatal("both generations give the same share")
		}
	}
	for range 2 { // the answer may be lost
		if err := s.Confirm(ctx, slot.ID, next.Next, noon); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Confirm(ctx, slot.ID, next.Generation, noon); !errors.Is(err, ErrRefused) {
		t.Errorf("an old generation is confirmed: %v", err)
	}
	if err := s.Confirm(ctx, slot.ID, next.Next+2, noon); !errors.Is(err, ErrRefused) {
		t.Errorf("a generation that there is not is confirmed: %v", err)
	}
	b, finish = blind(t, "code")
	now, err := s.Evaluate(ctx, slot.ID, b, noon)
	if err != nil || now.Generation != next.Next || finish(now.Evaluated) == share {
		t.Fatalf("generation %d after %d: %v", now.Generation, next.Next, err)
	}
	if file, err := os.ReadFile(path); err != nil || bytes.Contains(file, old.key) {
		t.Errorf("the destroyed key is still in the file: %v", err)
	}
}

// attack: guess, guess, guess
func TestWrongTries(t *testing.T) {
	s, path := openTemp(t)
	slot := newSlot(1)
	register(t, s, slot)
	at := noon
	for try := 1; try <= wire.MaxTries; try++ {
		if err := ask(t, s, slot, at); err != nil {
			t.Fatalf("try %d: %v", try, err)
		}
		if try < 4 || try == wire.MaxTries {
			continue
		}
		if err := s.Close(); err != nil { // a restart does not help
			t.Fatal(err)
		}
		s = reopen(t, path)
		for _, passed := range []time.Duration{0, delays[try] - time.Millisecond} {
			var wait *WaitError
			if err := ask(t, s, slot, at.Add(passed)); !errors.As(err, &wait) || wait.Left != wire.MaxTries-try || wait.For != delays[try]-passed {
				t.Errorf("%v after try %d: %v", passed, try, err)
			}
		}
		at = at.Add(delays[try])
	}
	for range 3 {
		if err := ask(t, s, slot, at.Add(1000*time.Hour)); !errors.Is(err, ErrLocked) {
			t.Errorf("after all tries: %v", err)
		}
	}
	entry := sha256.Sum256([]byte("an administrator says so"))
	if err := s.Reset(context.Background(), entry, slot.Device); err != nil {
		t.Fatal(err)
	}
	if err := ask(t, s, slot, at); err != nil {
		t.Errorf("after an administrator's word: %v", err)
	}
	if err := s.Reset(context.Background(), entry, slot.Device); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(context.Background(), slot.ID); err != nil || got.Tries != 1 {
		t.Errorf("the same word counts twice: %d tries, %v", got.Tries, err)
	}
}

// attack: ask a hundred times at once
func TestParallelGuesses(t *testing.T) {
	s, _ := openTemp(t)
	slot := newSlot(1)
	register(t, s, slot)
	var taken atomic.Int32
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if ask(t, s, slot, noon) == nil {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	if n := taken.Load(); n != 4 {
		t.Errorf("%d of 100 guesses were evaluated, want 4 before the first delay", n)
	}
}

// attack: pull the plug between the counting and the evaluation. The count is on the disk
// before anything is evaluated, so a copy of the file made before the evaluation has it.
func TestCountedBeforeEvaluated(t *testing.T) {
	s, path := openTemp(t)
	slot := newSlot(1)
	register(t, s, slot)
	if err := ask(t, s, slot, noon); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path) // as a crash would leave it: nothing is closed
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "slots.db")
	if err := os.WriteFile(other, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := reopen(t, other).Get(context.Background(), slot.ID); err != nil || got.Tries != 1 {
		t.Errorf("%d tries counted, %v", got.Tries, err)
	}
}

func TestDestroy(t *testing.T) {
	ctx := context.Background()
	s, path := openTemp(t)
	mine, other := newSlot(1), newSlot(2)
	register(t, s, mine)
	register(t, s, other)
	payroll := newSlot(3)
	payroll.Device, payroll.Module = other.Device, "payroll"
	register(t, s, payroll)
	if n, err := s.Destroy(ctx, [32]byte{2}, [][32]byte{mine.Device, other.Device}, "payroll", "administration"); err != nil || n != 1 {
		t.Errorf("destroyed %d slots of modules, %v, want 1", n, err)
	}
	if err := ask(t, s, payroll, noon); !errors.Is(err, ErrNone) {
		t.Errorf("destroyed module: %v", err)
	}
	if slots, err := s.Of(ctx, other.Device); err != nil || len(slots) != 1 || slots[0].Module != "" {
		t.Errorf("slots left: %v, %v", slots, err)
	}
	var r row
	if err := s.write(ctx, func(tx *tx) error { return tx.slot(&r, mine.ID) }); err != nil {
		t.Fatal(err)
	}
	for want := 1; want >= 0; want-- {
		if n, err := s.Destroy(ctx, [32]byte{1}, [][32]byte{mine.Device}); err != nil || n != want {
			t.Errorf("destroyed %d slots, %v, want %d", n, err, want)
		}
	}
	if err := ask(t, s, mine, noon); !errors.Is(err, ErrNone) {
		t.Errorf("destroyed slot: %v", err)
	}
	if err := s.Confirm(ctx, mine.ID, 2, noon); !errors.Is(err, ErrNone) {
		t.Errorf("confirm a destroyed slot: %v", err)
	}
	b, _ := blind(t, "x")
	if _, err := s.Register(ctx, mine, b); !errors.Is(err, ErrRefused) {
		t.Errorf("register a destroyed slot: %v", err)
	}
	if err := ask(t, s, other, noon); err != nil {
		t.Errorf("another device's slot: %v", err)
	}
	file, err := os.ReadFile(path)
	if err != nil || bytes.Contains(file, r.key) || bytes.Contains(file, r.nextKey) {
		t.Errorf("destroyed keys are still in the file: %v", err)
	}
	if got, err := s.Find(ctx, mine.Unlock); err != nil || !got.Destroyed {
		t.Errorf("a destroyed slot is found as %+v, %v", got, err)
	}
}

func TestRegisterRefuses(t *testing.T) {
	ctx := context.Background()
	s, _ := openTemp(t)
	first := newSlot(1)
	b, _ := blind(t, "x")
	if _, err := s.Register(ctx, first, b); err != nil {
		t.Fatal(err)
	}
	thief := newSlot(2)
	thief.ID = first.ID
	if _, err := s.Register(ctx, thief, b); !errors.Is(err, ErrRefused) {
		t.Errorf("another device takes a slot over: %v", err)
	}
	thief.ID, thief.Unlock = [16]byte{9}, first.Unlock
	if _, err := s.Register(ctx, thief, b); !errors.Is(err, ErrRefused) {
		t.Errorf("another device takes an unlock key over: %v", err)
	}
	for _, bad := range [][]byte{make([]byte, 32), bytes.Repeat([]byte{0xff}, 32)} {
		if _, err := s.Register(ctx, newSlot(3), bad); !errors.Is(err, ErrBlinded) {
			t.Errorf("%x: %v", bad, err)
		}
	}
	for n := range wire.MaxSlots + 1 {
		slot := newSlot(byte(10 + n))
		slot.Device = [32]byte{77}
		_, err := s.Register(ctx, slot, b)
		if err == nil {
			err = s.Confirm(ctx, slot.ID, 1, noon)
		}
		if want := n == wire.MaxSlots; errors.Is(err, ErrTooMany) != want || !want && err != nil {
			t.Errorf("slot %d: %v", n, err)
		}
	}
}

// The store does what a few lines of arithmetic say, whatever is asked in whatever order.
func TestAgainstModel(t *testing.T) {
	base := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		ctx := context.Background()
		path := filepath.Join(base, fmt.Sprint(runs), "slots.db")
		s, err := Open(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		slot := newSlot(1)
		c := oprf.NewClient(oprf.SuiteRistretto255)
		_, request, err := c.Blind([][]byte{[]byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		b, err := request.Elements[0].MarshalBinaryCompress()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Register(ctx, slot, b); err != nil {
			t.Fatal(err)
		}
		now, tries, notBefore, generation := noon, 0, noon, uint64(0)
		t.Repeat(map[string]func(*rapid.T){
			"evaluate": func(t *rapid.T) {
				e, err := s.Evaluate(ctx, slot.ID, b, now)
				var wait *WaitError
				switch {
				case tries >= wire.MaxTries:
					if !errors.Is(err, ErrLocked) {
						t.Fatalf("locked: %v", err)
					}
				case now.Before(notBefore):
					if !errors.As(err, &wait) || wait.For != notBefore.Sub(now) {
						t.Fatalf("waiting: %v", err)
					}
				default:
					if err != nil || e.Generation != generation || e.Next != generation+1 {
						t.Fatalf("generation %d: %v", generation, err)
					}
					tries++
					notBefore = now
					if tries < wire.MaxTries {
						notBefore = now.Add(delays[tries])
					}
				}
			},
			"confirm": func(t *rapid.T) {
				g := generation + uint64(rapid.IntRange(0, 2).Draw(t, "ahead"))
				err := s.Confirm(ctx, slot.ID, g, now)
				if ok := g > 0 && g <= generation+1; ok != (err == nil) {
					t.Fatalf("confirm %d at %d: %v", g, generation, err)
				}
				if err == nil {
					generation, tries, notBefore = g, 0, now
				}
			},
			"time passes": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 5*3600).Draw(t, "seconds")) * time.Second)
			},
			"restart": func(t *rapid.T) {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if s, err = Open(ctx, path); err != nil {
					t.Fatal(err)
				}
			},
		})
	})
}

func TestNewerFile(t *testing.T) {
	s, path := openTemp(t)
	if _, err := s.conn.ExecContext(context.Background(), "PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), path); !errors.Is(err, ErrNewer) {
		t.Errorf("err = %v", err)
	}
}

// BenchmarkEvaluate is what one processor does for many devices at once: counted on the
// disk, evaluated for both generations.
func BenchmarkEvaluate(b *testing.B) {
	s, _ := openTemp(b)
	const slots = 250
	blinded, _ := blind(b, "x")
	for n := range slots {
		register(b, s, newSlot(byte(n)))
	}
	ctx, next := context.Background(), atomic.Int64{}
	b.SetParallelism(slots / 4)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := next.Add(1)
			slot, round := newSlot(byte(n%slots)), n/slots
			if round%8 == 7 { // so that no slot is ever locked
				if err := s.Reset(ctx, sha256.Sum256(fmt.Append(nil, n)), slot.Device); err != nil {
					b.Error(err)
				}
			}
			if _, err := s.Evaluate(ctx, slot.ID, blinded, noon.Add(time.Duration(round)*24*time.Hour)); err != nil {
				b.Error(err)
			}
		}
	})
}
