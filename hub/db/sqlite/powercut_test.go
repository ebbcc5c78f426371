//go:build cgo

package sqlite

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"causa/hub/db"
	"causa/internal/faultvfs"
	"causa/matter"
)

var cuts = flag.Int("cuts", 100, "how many power cuts TestPowerCut makes")

// A load is what a hub's writer does: batches of messages of a few devices in a few
// matters, commits, key packages, and now and then a deletion of what is old.
type load struct {
	d        *db.DB
	devices  []db.DeviceNo
	matters  []*db.Matter
	counters map[db.DeviceNo]uint64
	acked    int // batches
}

// begin makes devices and matters.
func (l *load) begin() error {
	l.counters = map[db.DeviceNo]uint64{}
	err := l.d.Write(context.Background(), func(tx *db.Tx) error {
		for i := range 4 {
			no, err := tx.AddDevice(matter.DeviceID{byte(i + 1)})
			if err != nil {
				return err
			}
			l.devices = append(l.devices, no)
		}
		for i := range 3 {
			m := &db.Matter{ID: matter.ID{byte(i + 1)}, Creator: l.devices[0], TimeMS: 1, Devices: l.devices[:1]}
			if err := tx.AddMatter(m, []byte("info")); err != nil {
				return err
			}
			l.matters = append(l.matters, m)
		}
		return tx.SetMeta("acked", []byte("0"))
	})
	return err
}

// batch carries a batch out. What it changes is taken over only once it is written.
func (l *load) batch(r *rand.Rand) error {
	matters := make([]*db.Matter, len(l.matters))
	for i, m := range l.matters {
		own := *m
		matters[i] = &own
	}
	counters := map[db.DeviceNo]uint64{}
	err := l.d.Write(context.Background(), func(tx *db.Tx) error {
		for range 1 + r.IntN(40) {
			m, device := matters[r.IntN(len(matters))], l.devices[r.IntN(len(l.devices))]
			counter, ok := counters[device]
			if !ok {
				counter = l.counters[device]
			}
			counters[device] = counter + 1
			m.Head++
			m.TimeMS++
			e := db.NewEntry{Matter: m.No, Seq: m.Head, TimeMS: m.TimeMS, Kind: 2, Sender: device, Epoch: m.Epoch, Counter: counter + 1, Payload: make([]byte, 100+r.IntN(3000))}
			if err := tx.AddEntry(&e); err != nil {
				return err
			}
		}
		if m := matters[r.IntN(len(matters))]; r.IntN(3) == 0 {
			m.Head++
			e := db.NewEntry{Matter: m.No, Seq: m.Head, TimeMS: m.TimeMS, Kind: 1, Sender: l.devices[0], Epoch: m.Epoch, Payload: make([]byte, 500)}
			m.Epoch++
			if err := errors.Join(tx.AddEntry(&e), tx.AddCommit(m.No, m.Epoch-1, m.Head, db.Digest{byte(m.Head)}), tx.SetGroupInfo(m.No, m.Epoch, make([]byte, 5000))); err != nil {
				return err
			}
		}
		if r.IntN(6) == 0 {
			if _, err := tx.Trim(matters[0].No, matters[0].TimeMS-50, 20); err != nil {
				return err
			}
		}
		return errors.Join(tx.SetMatters(matters), tx.SetCounters(counters), tx.SetMeta("acked", fmt.Append(nil, l.acked+1)))
	})
	if err != nil {
		return err
	}
	l.matters = matters
	for no, counter := range counters {
		l.counters[no] = counter
	}
	l.acked++
	return nil
}

// A power cut keeps what was synced and, of the rest, any of its sectors: no batch that
// was acknowledged is lost, none is there by half.
func TestPowerCut(t *testing.T) {
	r := rand.New(rand.NewPCG(1, rand.Uint64()))
	vfs := faultvfs.NewShared(t)
	path := filepath.Join(t.TempDir(), "hub.db")
	if err := openAt(t, path).Close(); err != nil { // with its tables
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var rec faultvfs.Recording
	rec.Seed("hub.db", b)
	vfs.Hook(rec.Hook)
	s, err := openOn(t.Context(), path, vfs.Name)
	if err != nil {
		t.Fatal(err)
	}
	l := &load{d: db.New(s)}
	if err := l.begin(); err != nil {
		t.Fatal(err)
	}
	rec.Mark(0)
	from := rec.Len()
	for range 80 {
		if err := l.batch(r); err != nil {
			t.Fatal(err)
		}
		rec.Mark(l.acked)
		if r.IntN(10) == 0 { // as SQLite does by itself when its log has grown
			if err := s.writer.Query(func(db.Row) (bool, error) { return true, nil }, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
				t.Fatal(err)
			}
		}
	}
	vfs.Hook(nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range *cuts {
		dir := t.TempDir()
		at := from + r.IntN(rec.Len()-from)
		acked, how := rec.Cut(t, at, dir)
		whole(t, filepath.Join(dir, "hub.db"), acked, fmt.Sprintf("cut at %d of %d (%s)", at, rec.Len(), how))
	}
	t.Logf("%d cuts over %d operations, %d batches acknowledged", *cuts, rec.Len(), l.acked)
}

// whole fails the test unless a file has at least the batches that were acknowledged,
// each in full, and nothing of what is none.
func whole(t *testing.T, path string, acked int, when string) {
	t.Helper()
	d := db.New(openAt(t, path))
	b, _, err := d.Meta(t.Context(), "acked")
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	var have int
	if _, err := fmt.Sscan(string(b), &have); err != nil || have < acked || have > acked+1 {
		t.Fatalf("%s: %d batches, %d were acknowledged", when, have, acked)
	}
	s, err := OpenSnapshot(t.Context(), path)
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	if problems, err := s.Problems(t.Context()); len(problems) > 0 || err != nil {
		t.Fatalf("%s: %q, %v", when, problems, err)
	}
	if err := errors.Join(s.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
}

// Each call that writes fails once, for want of room or because the disk is broken: the
// batch is as if it had never been tried, what was acknowledged stays, and the next try
// works.
func TestDiskFaults(t *testing.T) {
	for _, fault := range []struct {
		name string
		code int
		want error // nil: any
		step int
	}{{"full", faultvfs.DiskFull, db.ErrFull, 3}, {"broken", faultvfs.IOError, nil, 7}} {
		t.Run(fault.name, func(t *testing.T) {
			vfs := faultvfs.NewShared(t)
			for at, hit := 1, true; hit; at += fault.step {
				path := filepath.Join(t.TempDir(), "hub.db")
				s, err := openOn(t.Context(), path, vfs.Name)
				if err != nil {
					t.Fatal(err)
				}
				l, r := &load{d: db.New(s)}, rand.New(rand.NewPCG(7, 7))
				if err := l.begin(); err != nil {
					t.Fatal(err)
				}
				calls := 0
				hit = false
				vfs.Hook(func(o faultvfs.Op) int {
					if o.Kind != faultvfs.Write && (o.Kind != faultvfs.Sync || fault.code == faultvfs.DiskFull) {
						return 0
					}
					if calls++; calls == at {
						hit = true
						return fault.code
					}
					return 0
				})
				for range 4 {
					if err := l.batch(r); err != nil && (!hit || fault.want != nil && !errors.Is(err, fault.want)) {
						t.Fatalf("fault at call %d: %v", at, err)
					}
				}
				vfs.Hook(nil)
				if err := l.batch(r); err != nil {
					t.Fatalf("after a fault at call %d: %v", at, err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				whole(t, path, l.acked, fmt.Sprintf("fault at call %d", at))
			}
		})
	}
}
