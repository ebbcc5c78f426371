//go:build cgo

package faultvfs

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// A Recording keeps what was written, truncated, synced and deleted, in order, so that a
// power cut can be tried at any place.
type Recording struct {
	mu  sync.Mutex
	ops []recorded
}

type recorded struct {
	Op
	mark int
}

const marked = 'm'

// Hook records an operation and lets it happen.
func (r *Recording) Hook(o Op) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch o.Kind {
	case Write, Truncate, Sync, Delete, Open:
		o.Data = slices.Clone(o.Data)
		r.ops = append(r.ops, recorded{Op: o})
	}
	return 0
}

// Mark notes that everything up to n has been acknowledged.
func (r *Recording) Mark(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, recorded{Op: Op{Kind: marked}, mark: n})
}

// Len returns the number of operations so far, marks included.
func (r *Recording) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ops)
}

type cutFile struct {
	durable []byte
	pending []Op
}

const sector = 512

func (f *cutFile) apply(o Op, torn bool) {
	if o.Kind == Truncate {
		if int64(len(f.durable)) > o.Off {
			f.durable = f.durable[:o.Off]
		}
		return
	}
	end := o.Off + int64(len(o.Data))
	for p := o.Off; p < end; {
		q := min((p/sector+1)*sector, end)
		if !torn || rand.IntN(2) == 0 {
			if int64(len(f.durable)) < q {
				f.durable = append(f.durable, make([]byte, q-int64(len(f.durable)))...)
			}
			copy(f.durable[p:q], o.Data[p-o.Off:q-o.Off])
		}
		p = q
	}
}

// Cut writes to dir what the disk may hold when the power fails after the first at
// operations, and returns the last mark before it and a word on how much unsynced
// data survived. Syncing a file makes its name durable as well.
func (r *Recording) Cut(t testing.TB, at int, dir string) (mark int, how string) {
	t.Helper()
	files := map[string]*cutFile{}
	for _, o := range r.ops[:at] {
		f := files[o.Name]
		if f == nil && o.Kind != marked {
			f = &cutFile{}
			files[o.Name] = f
		}
		switch o.Kind {
		case marked:
			mark = o.mark
		case Write, Truncate:
			f.pending = append(f.pending, o.Op)
		case Sync:
			for _, p := range f.pending {
				f.apply(p, false)
			}
			f.pending = nil
		case Delete:
			delete(files, o.Name)
		}
	}
	keep := rand.IntN(3)
	for name, f := range files {
		for _, p := range f.pending {
			switch {
			case keep == 2:
				f.apply(p, false)
			case keep == 1 && rand.IntN(3) > 0:
				f.apply(p, rand.IntN(2) == 0)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), f.durable, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return mark, [...]string{"nothing unsynced kept", "some torn", "all kept"}[keep]
}

// Seed notes a file that was there, durably, before the recording.
func (r *Recording) Seed(name string, data []byte) {
	r.ops = append(r.ops, recorded{Op: Op{Kind: Write, Name: name, Data: data}}, recorded{Op: Op{Kind: Sync, Name: name}})
}
