//go:build cgo

package sealvfs

import (
	"bytes"
	"fmt"
	mrand "math/rand/v2"
	"path/filepath"
	"testing"
)

// Where a byte can be flipped in a sealed page: its first and last ciphertext bytes,
// tag and nonce; for page 1 also magic, version and salt.
var pageBytes = []int{16, 17, 100, 2000, 4055, 4056, 4071, 4072, 4095}

// Every page: one byte of each class flipped, zeroed, replaced by each of its
// neighbours, by an equal page of another file, by its own page in another role.
func TestTamperMain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	k, secret := newKey(t)
	db := open(t, k, path)
	schema(t, db)
	fill(t, db, 1, 400)
	want := integrity(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	orig := load(t, path)
	pages := len(orig) / PageSize

	other := filepath.Join(dir, "b.db") // the same data key, another file
	ko := sameKey(t, secret)
	db = open(t, ko, other)
	schema(t, db)
	fill(t, db, 1, 400)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	foreign := load(t, other)
	if len(foreign) < len(orig) {
		t.Fatalf("%d bytes in the other file, want %d", len(foreign), len(orig))
	}

	check := func(what string, page int, b []byte) {
		t.Helper()
		if bytes.Equal(b, orig) {
			t.Fatalf("%s, page %d: nothing was changed", what, page)
		}
		save(t, path, b)
		kk := sameKey(t, secret)
		db := open(t, kk, path, "PRAGMA cache_size = 50")
		defer db.Close()
		got, err := readAll(db)
		if err == nil {
			t.Fatalf("%s, page %d of %d: no error, rows same: %v", what, page, pages, got == want)
		}
		if kk.Count(BadPage)+kk.Count(ShortFile) == 0 && page <= pages && extended(err) != 11 {
			t.Errorf("%s, page %d: %v, but no report", what, page, err)
		}
	}
	with := func(page int, z []byte) []byte {
		b := bytes.Clone(orig)
		copy(b[(page-1)*PageSize:], z)
		return b
	}
	page := func(b []byte, n int) []byte { return b[(n-1)*PageSize : n*PageSize] }
	for p := 1; p <= pages; p++ {
		at := pageBytes[p%len(pageBytes)]
		check(fmt.Sprint("flipped byte ", at), p, flip(orig, (p-1)*PageSize+at))
		if p%4 != 0 && !testing.Short() || p < 4 {
			check("zeroed", p, with(p, make([]byte, PageSize)))
			check("page of another file", p, with(p, page(foreign, p)))
			q := 1 + (p+mrand.IntN(pages-1))%pages // any other page
			check(fmt.Sprint("replaced by page ", q), p, with(p, page(orig, q)))
		}
	}
	for _, at := range append([]int{0, 1, 2, 3, 4, 15}, pageBytes...) {
		check(fmt.Sprint("flipped byte ", at), 1, flip(orig, at))
		check(fmt.Sprint("flipped byte ", at), 2, flip(orig, PageSize+at))
	}
	check("cut by a page", pages, orig[:len(orig)-PageSize])
	check("cut by a few bytes", pages, orig[:len(orig)-100])
	check("cut to one page", pages, orig[:PageSize])
	check("cut to half a page", pages, orig[:PageSize/2])

	save(t, path, orig)
	if got := integrity(t, open(t, k, path)); got != want {
		t.Error("the untouched file differs")
	}
}

// A main file that was cut while a log is beside it must not turn into zeros.
func TestTamperCutBesideLog(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	k, secret := newKey(t)
	db := open(t, k, path)
	schema(t, db)
	fill(t, db, 1, 400)
	must(t, db, `PRAGMA wal_checkpoint(TRUNCATE)`)
	must(t, db, `UPDATE m SET a = 5 WHERE id = 1`)
	snap := copyDir(t, dir)
	b := load(t, filepath.Join(snap, "a.db"))
	for _, n := range []int{1, 5, 20} {
		d := copyDir(t, snap)
		save(t, filepath.Join(d, "a.db"), b[:len(b)-n*PageSize])
		kk := sameKey(t, secret)
		db := open(t, kk, filepath.Join(d, "a.db"))
		if _, err := readAll(db); err == nil || kk.Count(ShortFile) == 0 {
			t.Errorf("cut by %d pages: %v, reports %v", n, err, kk.Reports())
		}
		_, _ = db.Exec(`INSERT INTO m VALUES(99999, 1, 'makes the file longer')`)
		_ = db.Close() // checkpoints what it can
		if _, err := readAll(open(t, sameKey(t, secret), filepath.Join(d, "a.db"))); err == nil {
			t.Errorf("cut by %d pages: readable after a checkpoint", n)
		}
	}
}

func walPath(dir string) string { return filepath.Join(dir, "a.db-wal") }

const walHead = 32 + Overhead

// The log: frames in use are an error; before recovery a broken frame ends the log
// like a torn tail does, and is reported as that.
func TestTamperLog(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	k, secret := newKey(t)
	db := open(t, k, path)
	schema(t, db)
	must(t, db, `PRAGMA wal_checkpoint(TRUNCATE)`)
	must(t, db, `PRAGMA wal_autocheckpoint = 0`)
	for i := range 20 {
		fill(t, db, 1+i*10, 10)
	}
	snap := copyDir(t, dir)
	wal := load(t, walPath(dir))
	frame := FrameSize
	frames := (len(wal) - walHead) / frame
	if (len(wal)-walHead)%frame != 0 {
		t.Fatalf("log of %d bytes", len(wal))
	}

	t.Run("live", func(t *testing.T) {
		b := bytes.Clone(wal)
		for f := range frames {
			b[walHead+f*frame+700] ^= 1
		}
		save(t, walPath(dir), b)
		must(t, db, `PRAGMA cache_size = 10`)
		must(t, db, `PRAGMA shrink_memory`)
		_, err := readAll(db)
		if err == nil || k.Count(BadFrame) == 0 {
			t.Errorf("got %v and reports %v", err, k.Reports())
		}
		// A frame of the same number from an earlier round of the log is no better.
		save(t, walPath(dir), wal)
		must(t, db, `PRAGMA wal_checkpoint(RESTART)`)
		fill(t, db, 500, 60)
		now := load(t, walPath(dir))
		copy(now[walHead:], wal[walHead:walHead+30*frame])
		save(t, walPath(dir), now)
		must(t, db, `PRAGMA shrink_memory`)
		before := k.Count(BadFrame)
		if _, err = readAll(db); err == nil || k.Count(BadFrame) == before {
			t.Errorf("frames of an earlier round: %v", err)
		}
	})
	_ = db.Close() // its log is broken

	reopen := func(t *testing.T, b []byte) (int, *Key, error) {
		t.Helper()
		d := copyDir(t, snap)
		save(t, walPath(d), b)
		kk := sameKey(t, secret)
		db := open(t, kk, filepath.Join(d, "a.db"))
		var n int
		err := db.QueryRow(`SELECT count(*) FROM m`).Scan(&n)
		if err == nil {
			integrity(t, db)
		}
		noShape(t, kk)
		return n, kk, err
	}
	if n, kk, err := reopen(t, wal); n != 200 || err != nil || len(kk.Reports()) != 0 {
		t.Fatalf("untouched: %d rows, %v, reports %v", n, err, kk.Reports())
	}
	t.Run("broken frames", func(t *testing.T) {
		for _, f := range []int{0, 1, frames / 2, frames - 1} {
			for _, at := range []int{0, 3, 23, 24, 2000, 4079, 4080, 4096, 4119} {
				n, kk, err := reopen(t, flip(wal, walHead+f*frame+at))
				if err != nil || n == 200 || n%10 != 0 || kk.Count(LogTail) != 1 {
					t.Fatalf("frame %d byte %d: %d rows, %v, reports %v", f, at, n, err, kk.Reports())
				}
				r := kk.Reports()[0]
				if later := f < frames-30; r.At != int64(f) || (r.Later > 0) != later {
					t.Errorf("frame %d of %d: report %+v", f, frames, r)
				}
			}
		}
	})
	t.Run("moved frames", func(t *testing.T) {
		for _, pair := range [][2]int{{4, 5}, {0, frames - 1}, {frames / 2, 3}} {
			b := bytes.Clone(wal)
			x, y := walHead+pair[0]*frame, walHead+pair[1]*frame
			copy(b[x:x+frame], wal[y:y+frame])
			copy(b[y:y+frame], wal[x:x+frame])
			if n, kk, err := reopen(t, b); n == 200 || err != nil || kk.Count(LogTail) == 0 {
				t.Errorf("frames %v swapped: %d rows, %v", pair, n, err)
			}
		}
	})
	t.Run("zeroed frame", func(t *testing.T) {
		b := bytes.Clone(wal)
		clear(b[walHead+7*frame : walHead+8*frame])
		if n, kk, err := reopen(t, b); n == 200 || err != nil || kk.Count(LogTail) == 0 {
			t.Errorf("%d rows, %v", n, err)
		}
	})
	t.Run("header", func(t *testing.T) {
		for _, at := range []int{0, 10, 31, 32, 47, 48, 71} {
			if n, kk, err := reopen(t, flip(wal, at)); err == nil || kk.Count(BadLogHeader) == 0 {
				t.Errorf("byte %d: %d rows, no error", at, n)
			}
		}
	})
	t.Run("torn tail", func(t *testing.T) {
		for range 25 {
			cut := walHead + mrand.IntN(len(wal)-walHead)
			n, kk, err := reopen(t, wal[:cut])
			if err != nil || n%10 != 0 {
				t.Fatalf("torn at %d: %d rows, %v", cut, n, err)
			}
			for _, r := range kk.Reports() {
				if r.Later != 0 {
					t.Errorf("torn at %d reported as damage: %+v", cut, r)
				}
			}
		}
	})
	t.Run("log of another file", func(t *testing.T) {
		d := t.TempDir()
		ko := sameKey(t, secret)
		db := open(t, ko, filepath.Join(d, "a.db"))
		schema(t, db)
		if _, kk, err := reopen(t, load(t, walPath(d))); err == nil || kk.Count(BadLogHeader) == 0 {
			t.Errorf("accepted: %v", err)
		}
	})
}

// A rollback journal that has to be played back after a crash.
func TestTamperJournal(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	k, secret := newKey(t)
	db := open(t, k, path, "PRAGMA journal_mode = DELETE")
	schema(t, db)
	fill(t, db, 1, 500)
	want := integrity(t, db)
	must(t, db, `PRAGMA cache_size = 8`)
	must(t, db, `BEGIN`)
	must(t, db, `UPDATE m SET body = body || 'spilled'`)
	must(t, db, `SAVEPOINT s`)
	must(t, db, `DELETE FROM m WHERE id > 250`)
	must(t, db, `ROLLBACK TO s`)
	must(t, db, `DELETE FROM m WHERE id > 300`)
	snap := copyDir(t, dir) // a hot journal, and the main file half written
	must(t, db, `ROLLBACK`)
	if got := integrity(t, db); got != want {
		t.Error("rows differ after a rollback")
	}
	noPlain(t, snap)
	noShape(t, k)
	name := func(d string) string { return filepath.Join(d, "a.db-journal") }
	journal := load(t, name(snap))
	if len(journal) < 30*PageSize {
		t.Fatalf("the journal has %d bytes", len(journal))
	}
	try := func(change func(d string)) (string, *Key, error) {
		d := copyDir(t, snap)
		change(d)
		kk := sameKey(t, secret)
		got, err := readAll(open(t, kk, filepath.Join(d, "a.db"), "PRAGMA journal_mode = DELETE"))
		noShape(t, kk)
		return got, kk, err
	}
	if got, _, err := try(func(string) {}); err != nil || got != want {
		t.Errorf("not rolled back: %v, same rows: %v", err, got == want)
	}
	if got, _, err := try(func(d string) { // a torn page 1 doesn't stop it
		save(t, filepath.Join(d, "a.db"), flip(load(t, filepath.Join(d, "a.db")), 2000))
	}); err != nil || got != want {
		t.Errorf("page 1 torn: %v, same rows: %v", err, got == want)
	}
	for _, at := range []int{0, 19, 20, 59, 576, 577, 576 + 4, 576 + 2000, 576 + 4100, 576 + 4143, 576 + 20*4616 + 30} {
		if _, kk, err := try(func(d string) { save(t, name(d), flip(journal, at)) }); err == nil || kk.Count(BadJournal) == 0 {
			t.Errorf("byte %d flipped: %v", at, err)
		}
	}
	swapped := bytes.Clone(journal)
	copy(swapped[576:576+4144], journal[576+2*4616:])
	if _, kk, err := try(func(d string) { save(t, name(d), swapped) }); err == nil || kk.Count(BadJournal) == 0 {
		t.Errorf("records swapped: %v", err)
	}
}
