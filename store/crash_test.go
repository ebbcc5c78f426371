//go:build cgo

package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"causa/internal/fault"
	"causa/internal/faultvfs"
	"causa/matter"
)

// A workload writes as the app does: batches of messages, keys, drafts, deletions.
// After each transaction, state says what must be there.
type workload struct {
	db   *DB
	id   matter.ID
	last int // the newest message
	gone int // messages up to this one are deleted
	acks int
}

func (w *workload) step(r *rand.Rand) error {
	ctx := context.Background()
	add := 1 + r.IntN(30)
	id := w.id
	err := w.db.Update(ctx, func(tx *Tx) (err error) {
		if id.IsZero() {
			if id, err = addMatter(tx, "事项"); err != nil {
				return err
			}
		}
		for i := 1; i <= add; i++ {
			if err := addLine(tx, id, w.last+i, fmt.Sprintf("第%d条 合同付款 message", w.last+i)); err != nil {
				return err
			}
		}
		if err := tx.SetSetting("acks", fmt.Append(nil, w.acks+1)); err != nil {
			return err
		}
		return tx.PutContentSecret(id, uint64(w.acks), make([]byte, 32))
	})
	if err != nil {
		return err
	}
	w.id = id
	w.last += add
	w.acks++
	if r.IntN(4) > 0 || w.last-w.gone < 5 {
		return nil
	}
	if err := w.db.Update(ctx, func(tx *Tx) error {
		if err := tx.SetSetting("acks", fmt.Append(nil, w.acks+1)); err != nil {
			return err
		}
		return tx.DropMessage(w.id, uint64(w.gone+1))
	}); err != nil {
		return err
	}
	w.gone++
	w.acks++
	return nil
}

// look compares what a database has with itself: counters, messages and search agree.
func look(db *DB) (acks int, err error) {
	ctx := context.Background()
	if err := db.Check(ctx); err != nil {
		return 0, err
	}
	err = db.View(ctx, func(tx *Tx) error {
		b, err := tx.Setting("acks")
		if errors.Is(err, ErrNone) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := fmt.Sscan(string(b), &acks); err != nil {
			return err
		}
		var lines, first, last int
		if err := tx.one([]any{&lines, &first, &last}, "SELECT count(*), coalesce(min(seq), 1), coalesce(max(seq), 0) FROM message"); err != nil {
			return err
		}
		if lines != last-first+1 {
			return fmt.Errorf("%d lines from %d to %d", lines, first, last)
		}
		found := 0
		for after := (Cursor{}); ; {
			hits, next, err := tx.Search(Query{Text: "付款", Limit: 500, After: after})
			if err != nil {
				return err
			}
			found += len(hits)
			if next.IsZero() {
				break
			}
			after = next
		}
		if found != lines {
			return fmt.Errorf("search finds %d of %d lines", found, lines)
		}
		return nil
	})
	return acks, err
}

// The power fails at any place: no acknowledged transaction is lost, none is half there,
// and the search index agrees with the messages.
func TestPowerCut(t *testing.T) {
	cuts := 1000
	if testing.Short() {
		cuts = 60
	}
	r := rand.New(rand.NewPCG(1, rand.Uint64()))
	vfs := faultvfs.New(t)
	path := filepath.Join(t.TempDir(), "main.db")
	mustClose(t, openAt(t, path, Key{1}, Options{base: vfs.Name}))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var rec faultvfs.Recording
	rec.Seed("main.db", b)
	rec.Mark(0)
	from := rec.Len()
	vfs.Hook(rec.Hook)
	w := &workload{db: openAt(t, path, Key{1}, Options{base: vfs.Name})}
	for range 60 {
		if err := w.step(r); err != nil {
			t.Fatal(err)
		}
		rec.Mark(w.acks)
		if r.IntN(12) == 0 {
			if err := w.db.Purge(context.Background()); err != nil && !errors.Is(err, errReading) {
				t.Fatal(err)
			}
		}
	}
	w.db.purge.stop()
	vfs.Hook(nil)
	for range cuts {
		at := from + rand.IntN(rec.Len()-from)
		dir := t.TempDir()
		acked, how := rec.Cut(t, at, dir)
		db, err := Open(context.Background(), filepath.Join(dir, "main.db"), Key{1}, Options{})
		if err != nil {
			t.Fatalf("cut at %d of %d (%s): %v", at, rec.Len(), how, err)
		}
		db.purge.stop()
		got, err := look(db)
		if err != nil {
			t.Fatalf("cut at %d of %d (%s): %v", at, rec.Len(), how, err)
		}
		// One more transaction than acknowledged may have reached the disk.
		if got != acked && got != acked+1 && got != acked+2 {
			t.Fatalf("cut at %d of %d (%s): %d transactions, %d acknowledged", at, rec.Len(), how, got, acked)
		}
		if db.Recovery().Damaged {
			t.Fatalf("cut at %d (%s) is called damage", at, how)
		}
		mustClose(t, db)
	}
	t.Logf("%d cuts over %d operations, %d transactions", cuts, rec.Len(), w.acks)
}

// Each call to the disk fails once: the person is told in words, what was acknowledged
// stays, and the next try works.
func TestDiskFaults(t *testing.T) {
	step := 3
	if testing.Short() {
		step = 40
	}
	for _, fails := range []struct {
		name string
		code int
		want error
	}{{"disk full", faultvfs.DiskFull, ErrDiskFull}, {"broken disk", faultvfs.IOError, ErrDisk}, {"read-only", faultvfs.ReadOnly, ErrReadOnly}} {
		t.Run(fails.name, func(t *testing.T) {
			vfs := faultvfs.New(t)
			path := filepath.Join(t.TempDir(), "main.db")
			db := openAt(t, path, Key{1}, Options{base: vfs.Name})
			db.purge.stop()
			w := &workload{db: db}
			r := rand.New(rand.NewPCG(7, 7))
			hit := true
			for at := 1; hit; at += step {
				calls := 0
				hit = false
				vfs.Hook(func(o faultvfs.Op) int {
					if o.Kind == faultvfs.Read || o.Kind == faultvfs.Size || fails.code != faultvfs.IOError && o.Kind != faultvfs.Write {
						return 0
					}
					calls++
					if calls == at {
						hit = true
						return fails.code
					}
					return 0
				})
				before := w.acks
				var err error
				for range 4 {
					if err = w.step(r); err != nil {
						break
					}
				}
				if err == nil && at%5 == 0 {
					err = db.Purge(context.Background())
				}
				vfs.Hook(nil)
				if err != nil && !hit {
					t.Fatalf("call %d: %v without a fault", at, err)
				}
				if err != nil {
					if !errors.Is(err, fails.want) {
						t.Errorf("call %d: %v, want %v", at, err, fails.want)
					}
					if text, _ := fault.Words(err, nil); text == fault.General {
						t.Errorf("call %d: no words for %v", at, err)
					}
				}
				acks, lookErr := look(db)
				if lookErr != nil {
					t.Fatalf("call %d (%v): %v", at, err, lookErr)
				}
				if acks != w.acks {
					t.Fatalf("call %d: %d transactions there, %d acknowledged (%d before)", at, acks, w.acks, before)
				}
				if at > 400 {
					t.Fatal("it never ends")
				}
			}
			mustClose(t, db)
			again := openAt(t, path, Key{1}, Options{})
			if acks, err := look(again); err != nil || acks != w.acks {
				t.Errorf("opened again: %d transactions, %v, want %d", acks, err, w.acks)
			}
		})
	}
}

// A store can't be made on a disk that is full, and a later try works.
func TestCreateOnFullDisk(t *testing.T) {
	vfs := faultvfs.New(t)
	full := 0
	for at := 1; ; at += 23 {
		path := filepath.Join(t.TempDir(), "main.db")
		calls := 0
		vfs.Hook(func(o faultvfs.Op) int {
			if o.Kind == faultvfs.Write {
				if calls++; calls >= at {
					return faultvfs.DiskFull
				}
			}
			return 0
		})
		db, err := Open(context.Background(), path, Key{1}, Options{base: vfs.Name})
		vfs.Hook(nil)
		if err == nil {
			mustClose(t, db)
			break // it needs fewer writes
		}
		full++
		if !errors.Is(err, ErrDiskFull) {
			t.Fatalf("full at write %d: %v, want %v", at, err, ErrDiskFull)
		}
		left, err := filepath.Glob(path + "*")
		if err != nil || len(left) > 0 {
			t.Errorf("full at write %d: %v is left", at, left)
		}
		mustClose(t, openAt(t, path, Key{1}, Options{base: vfs.Name}))
	}
	if full < 5 {
		t.Errorf("the disk was full %d times only", full)
	}
}
