//go:build cgo

package sealvfs

import (
	"bytes"
	mrand "math/rand/v2"
	"path/filepath"
	"testing"

	"causa/internal/faultvfs"
)

// A power cut keeps what was synced and, of the rest, any of its 512-byte sectors.
func TestPowerCut(t *testing.T) {
	cuts := 1000
	if testing.Short() {
		cuts = 120
	}
	for _, c := range []struct {
		name    string
		pragmas []string
	}{
		{"log", []string{"PRAGMA journal_mode = WAL"}},
		{"journal", []string{"PRAGMA journal_mode = DELETE", "PRAGMA synchronous = EXTRA"}},
	} {
		t.Run(c.name, func(t *testing.T) { powerCuts(t, cuts, c.pragmas) })
	}
}

func powerCuts(t *testing.T, cuts int, pragmas []string) {
	vfs := faultvfs.New(t)
	k, secret := newKey(t)
	var rec faultvfs.Recording
	vfs.Hook(rec.Hook)
	db := openOn(t, vfs.Name, k, filepath.Join(t.TempDir(), "a.db"), append(pragmas, "PRAGMA cache_size = 12", "PRAGMA wal_autocheckpoint = 30")...)
	schema(t, db)
	rec.Mark(0)
	from := rec.Len()
	committed := map[int]bool{0: true}
	n := 0
	for range 60 {
		add := 1 + mrand.IntN(40)
		fill(t, db, n+1, add)
		n += add
		committed[n] = true
		rec.Mark(n)
		if mrand.IntN(8) == 0 {
			must(t, db, `UPDATE m SET a = a + 1`)
		}
	}
	vfs.Hook(nil)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	noShape(t, k)

	for range cuts {
		at := from + mrand.IntN(rec.Len()-from)
		dir := t.TempDir()
		acked, how := rec.Cut(t, at, dir)
		kk := sameKey(t, secret)
		db := open(t, kk, filepath.Join(dir, "a.db"), pragmas...)
		rows, err := readAll(db)
		if err != nil {
			t.Fatalf("cut at %d of %d (%s, %d acknowledged): %v, reports %v", at, rec.Len(), how, acked, err, kk.Reports())
		}
		got := scan[int](t, db, `SELECT count(*) FROM m`)
		if most := scan[int](t, db, `SELECT coalesce(max(id), 0) FROM m`); got != most || !committed[got] || got < acked {
			t.Fatalf("cut at %d of %d (%s): %d rows, last %d, %d acknowledged", at, rec.Len(), how, got, most, acked)
		}
		for _, r := range kk.Reports() {
			if r.Kind != LogTail || r.Later != 0 {
				t.Fatalf("cut at %d (%s) is reported as damage: %+v", at, how, r)
			}
		}
		if got%5 == 0 { // and it can be written on
			if err := fillRows(db, got+1, 5); err != nil {
				t.Fatalf("writing on after a cut at %d (%s): %v, reports %v", at, how, err, kk.Reports())
			}
			if again := integrity(t, db); !bytes.HasPrefix([]byte(again), []byte(rows)) {
				t.Fatal("writing on changed rows")
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		noShape(t, kk)
	}
	t.Logf("%d cuts over %d operations, %d rows", cuts, rec.Len(), n)
}

// Every call that touches the disk fails once, with each kind of fault: what was
// acknowledged stays, nothing is half done, and the next try works.
func TestFaultAtEveryCall(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 7
	}
	for _, code := range []int{faultvfs.IOError, faultvfs.DiskFull} {
		vfs := faultvfs.New(t)
		calls, failed := 0, true
		for at := 1; failed; at += step {
			vfs.Hook(nil)
			dir := t.TempDir()
			k, secret := newKey(t)
			db := openOn(t, vfs.Name, k, filepath.Join(dir, "a.db"), "PRAGMA journal_mode = WAL", "PRAGMA cache_size = 12")
			schema(t, db)
			fill(t, db, 1, 100)
			calls, failed = 0, false
			vfs.Hook(func(o faultvfs.Op) int {
				if code == faultvfs.DiskFull && o.Kind != faultvfs.Write {
					return 0
				}
				calls++
				if calls == at {
					failed = true
					return code
				}
				return 0
			})
			rows := 100
			var err error
			for range 3 {
				if err = fillRows(db, rows+1, 40); err != nil {
					break
				}
				rows += 40
			}
			if err == nil {
				_, _ = db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
			}
			vfs.Hook(nil)
			if err != nil && !failed {
				t.Fatalf("call %d: %v without a fault", at, err)
			}
			// The connection goes on, and so does a new process.
			if got := scan[int](t, db, `SELECT count(*) FROM m`); got != rows {
				t.Fatalf("fault %d at call %d: %d rows, want %d (%v)", code, at, got, rows, err)
			}
			fill(t, db, rows+1, 5)
			integrity(t, db)
			snap := copyDir(t, dir)
			kk := sameKey(t, secret)
			again := open(t, kk, filepath.Join(snap, "a.db"))
			integrity(t, again)
			if got := scan[int](t, again, `SELECT count(*) FROM m`); got != rows+5 {
				t.Fatalf("fault %d at call %d: %d rows after a crash, want %d", code, at, got, rows+5)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if err := again.Close(); err != nil {
				t.Fatal(err)
			}
			noShape(t, k)
			noShape(t, kk)
		}
		t.Logf("error %d at each of %d calls", code, calls)
		if calls < 50 {
			t.Errorf("there were only %d calls", calls)
		}
	}
}
