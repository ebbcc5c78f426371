package blob

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A bench is a depot with a clock that tests set.
type bench struct {
	*Depot
	t     *testing.T
	now   time.Time
	store Store
	dir   string
}

func newBench(t *testing.T, store Store) *bench {
	b := &bench{t: t, now: time.Now(), store: store, dir: filepath.Join(t.TempDir(), "uploads")}
	if f, ok := store.(*Files); ok {
		b.dir = filepath.Join(filepath.Dir(f.dir), "uploads")
	}
	b.open()
	return b
}

func (b *bench) open() {
	b.t.Helper()
	d, err := Open(context.Background(), Options{
		Store: b.store, Staging: b.dir, PerDevice: 1 << 20, Total: 3 << 19, Expire: 7 * 24 * time.Hour, Now: func() time.Time { return b.now },
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Depot = d
}

func (b *bench) bring(k Key, device [32]byte, content string) {
	b.t.Helper()
	ctx := context.Background()
	if err := b.Reserve(ctx, k, device, int64(len(content))); err != nil {
		b.t.Fatal(err)
	}
	if _, whole, err := b.Append(ctx, k, device, 0, int64(len(content)), strings.NewReader(content)); err != nil || !whole {
		b.t.Fatalf("Append = %v, %v", whole, err)
	}
}

func (b *bench) content(k Key) (string, error) {
	r, err := b.Fetch(context.Background(), k)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), errors.Join(err, r.Close())
}

func TestDepots(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Run("resumes", func(t *testing.T) { testResume(t, newBench(t, open(t))) })
			t.Run("quota", func(t *testing.T) { testQuota(t, newBench(t, open(t))) })
			t.Run("sweeps", func(t *testing.T) { testSweep(t, newBench(t, open(t))) })
			t.Run("drops", func(t *testing.T) { testDrop(t, newBench(t, open(t))) })
			t.Run("shares", func(t *testing.T) { testShared(t, newBench(t, open(t))) })
		})
	}
}

// cutReader ends in the middle, as a connection does.
type cutReader struct{ io.Reader }

func (r cutReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func testResume(t *testing.T, b *bench) {
	ctx := context.Background()
	if err := b.Reserve(ctx, key1, alice, 10); err != nil {
		t.Fatal(err)
	}
	if next, _, err := b.Append(ctx, key1, alice, 0, 10, cutReader{strings.NewReader("0123")}); next != 4 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a cut Append = %d, %v", next, err)
	}
	if _, err := b.Stat(ctx, key1); !errors.Is(err, ErrNone) {
		t.Errorf("half a blob is there: %v", err)
	}
	b.Close()
	b.open() // the process was started again
	if offset, whole, err := b.Offset(ctx, key1, alice); offset != 4 || whole || err != nil {
		t.Errorf("Offset = %d, %v, %v", offset, whole, err)
	}
	var place *OffsetError
	for _, at := range []int64{0, 3, 5} {
		if _, _, err := b.Append(ctx, key1, alice, at, 1, strings.NewReader("x")); !errors.As(err, &place) || place.Want != 4 {
			t.Errorf("Append at %d: %v", at, err)
		}
	}
	if _, _, err := b.Append(ctx, key1, alice, 4, 7, strings.NewReader("4567890")); !errors.Is(err, ErrSize) {
		t.Errorf("more than announced: %v", err)
	}
	for _, again := range []error{b.Reserve(ctx, key1, bob, 10), func() error { _, _, err := b.Append(ctx, key1, bob, 4, 6, strings.NewReader("abcdef")); return err }()} {
		if !errors.Is(again, ErrOthers) {
			t.Errorf("another device at the same blob: %v", again)
		}
	}
	if err := b.Reserve(ctx, key1, alice, 11); !errors.Is(err, ErrSize) {
		t.Errorf("another size: %v", err)
	}
	// Two at once: the second is sent away.
	pr, pw := io.Pipe()
	first := make(chan error, 1)
	go func() {
		_, _, err := b.Append(ctx, key1, alice, 4, 6, pr)
		first <- err
	}()
	if _, err := pw.Write([]byte("456")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Append(ctx, key1, alice, 4, 6, strings.NewReader("xxxxxx")); !errors.Is(err, ErrBusy) {
		t.Errorf("two at once: %v", err)
	}
	if err := b.Drop(ctx, key1, alice); !errors.Is(err, ErrBusy) {
		t.Errorf("dropped while it is brought: %v", err)
	}
	if _, err := pw.Write([]byte("789")); err != nil {
		t.Fatal(err)
	}
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if got, err := b.content(key1); got != "0123456789" || err != nil {
		t.Errorf("content = %q, %v", got, err)
	}
	// The end may come twice, and nothing more after it.
	if next, whole, err := b.Append(ctx, key1, alice, 10, 0, strings.NewReader("")); next != 10 || !whole || err != nil {
		t.Errorf("the end again: %d, %v, %v", next, whole, err)
	}
	if _, _, err := b.Append(ctx, key1, alice, 0, 10, strings.NewReader("9876543210")); !errors.As(err, &place) {
		t.Errorf("a whole blob is brought again: %v", err)
	}
	if got, _ := b.content(key1); got != "0123456789" {
		t.Errorf("a blob was changed: %q", got)
	}
	b.Close()
	if err := b.Reserve(ctx, key2, alice, 1); !errors.Is(err, ErrClosed) {
		t.Errorf("Reserve after Close: %v", err)
	}
}

func testQuota(t *testing.T, b *bench) {
	ctx := context.Background()
	if err := b.Reserve(ctx, key1, alice, 1<<20+1); !errors.Is(err, ErrQuota) {
		t.Errorf("more than a device may: %v", err)
	}
	if err := b.Reserve(ctx, key1, alice, 1<<20); err != nil {
		t.Error(err)
	}
	if err := b.Reserve(ctx, key2, alice, 1); !errors.Is(err, ErrQuota) {
		t.Errorf("the device has no more room: %v", err)
	}
	if err := b.Reserve(ctx, key2, bob, 1<<19+1); !errors.Is(err, ErrQuota) {
		t.Errorf("the organisation has no more room: %v", err)
	}
	if err := b.Reserve(ctx, key2, bob, 1<<19); err != nil {
		t.Error(err)
	}
	if err := errors.Join(b.Drop(ctx, key1, alice), b.Drop(ctx, key2, bob)); err != nil {
		t.Error(err)
	}
	if u := b.Usage(); u != (Usage{}) {
		t.Errorf("after dropping all: %+v", u)
	}
	// Many small ones: their number is bounded.
	var err error
	for i := range maxUnfinished + 1 {
		err = b.Reserve(ctx, Key{[16]byte{4}, [16]byte{byte(i), 1}}, alice, 1)
	}
	if !errors.Is(err, ErrBusy) {
		t.Errorf("one upload too many: %v", err)
	}
}

func testSweep(t *testing.T, b *bench) {
	ctx := context.Background()
	b.bring(key1, alice, "named")
	b.bring(key2, alice, "forgotten")
	if err := b.Reserve(ctx, key3, bob, 3); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Append(ctx, key3, bob, 0, 1, bytes.NewReader([]byte{1})); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.Name(ctx, key1), b.Name(ctx, key1)); err != nil {
		t.Fatal(err)
	}
	if err := b.Name(ctx, key3); !errors.Is(err, ErrNone) {
		t.Errorf("half a blob was named: %v", err)
	}
	sweep := func(before time.Time, want Usage) {
		t.Helper()
		if err := b.Sweep(ctx, before); err != nil {
			t.Fatal(err)
		}
		want.Bytes = int64(want.Blobs+want.Uploads) * leastCharge
		if got := b.Usage(); got != want {
			t.Errorf("after a sweep: %+v, want %+v", got, want)
		}
	}
	sweep(time.Time{}, Usage{Blobs: 2, Uploads: 1})
	b.now = b.now.Add(8 * 24 * time.Hour)
	sweep(time.Time{}, Usage{Blobs: 1})
	b.Close()
	b.open()
	sweep(b.now.Add(-9*24*time.Hour), Usage{Blobs: 1})
	// Named again, it stays for another while.
	if err := b.Name(ctx, key1); err != nil {
		t.Fatal(err)
	}
	sweep(b.now.Add(-2*time.Hour), Usage{Blobs: 1})
	if got, err := b.content(key1); got != "named" || err != nil {
		t.Errorf("content = %q, %v", got, err)
	}
	sweep(b.now.Add(2*time.Hour), Usage{})
	if left := names(t, b.store, ""); len(left) > 0 {
		t.Errorf("left in the store: %q", left)
	}
	if _, err := b.content(key1); !errors.Is(err, ErrNone) {
		t.Errorf("a swept blob opens: %v", err)
	}
}

func testDrop(t *testing.T, b *bench) {
	ctx := context.Background()
	b.bring(key1, alice, "one")
	b.bring(key2, bob, "two")
	b.bring(key3, alice, "three")
	if err := b.Drop(ctx, key1, bob); !errors.Is(err, ErrOthers) {
		t.Errorf("another device's blob was dropped: %v", err)
	}
	if err := b.Drop(ctx, key1, alice); err != nil {
		t.Error(err)
	}
	if err := b.Drop(ctx, key1, alice); !errors.Is(err, ErrNone) {
		t.Errorf("dropped twice: %v", err)
	}
	if err := b.DropMatter(ctx, key1.Matter); err != nil {
		t.Error(err)
	}
	if _, err := b.Stat(ctx, key2); !errors.Is(err, ErrNone) {
		t.Errorf("a blob of a dropped matter is there: %v", err)
	}
	if got, err := b.content(key3); got != "three" || err != nil {
		t.Errorf("another matter's blob: %q, %v", got, err)
	}
}

// Another depot on the same store finds what this one has taken in.
func testShared(t *testing.T, b *bench) {
	other := newBench(t, b.store)
	ctx := context.Background()
	b.bring(key1, alice, "shared")
	if err := other.Reserve(ctx, key1, bob, 6); !errors.Is(err, ErrOthers) {
		t.Errorf("brought over another's: %v", err)
	}
	if err := other.Name(ctx, key1); err != nil {
		t.Error(err)
	}
	b.now = b.now.Add(30 * 24 * time.Hour)
	if err := b.Sweep(ctx, time.Time{}); err != nil {
		t.Error(err)
	}
	if got, err := b.content(key1); got != "shared" || err != nil {
		t.Errorf("named at another hub, and gone: %q, %v", got, err)
	}
}
