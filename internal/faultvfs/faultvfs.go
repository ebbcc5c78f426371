//go:build cgo

// Package faultvfs is a SQLite VFS for tests: it sees each call that touches the disk,
// in order, and can make it fail. Power cuts, full disks and broken ones are made of it.
package faultvfs

/*
#cgo CFLAGS: -std=gnu99 -O2 -Wall
#include <stdint.h>
#include <stdlib.h>
int faultRegister(const char *name, uintptr_t id, int shared);
*/
import "C"

import (
	"fmt"
	"path/filepath"
	"runtime/cgo"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	_ "github.com/mattn/go-sqlite3" // the SQLite this links against
)

// The operations.
const (
	Open     = 'o'
	Read     = 'r'
	Write    = 'w'
	Truncate = 't'
	Sync     = 's'
	Size     = 'z'
	Delete   = 'd'
)

// SQLite's result codes for faults.
const (
	DiskFull = 13
	IOError  = 10
	ReadOnly = 8
)

// An Op is one call. Data is only valid while the hook runs.
type Op struct {
	Kind byte
	Name string // base name of the file
	Off  int64  // offset, or new size
	Data []byte // what is written
}

// A VFS calls its hook before each operation.
type VFS struct {
	Name string
	mu   sync.Mutex
	hook func(Op) int
}

var count atomic.Int64

// New registers a VFS over SQLite's default one. It stays registered for ever, so a
// test makes one and changes its hook.
func New(t testing.TB) *VFS { t.Helper(); return register(t, 0) }

// NewShared is New for a database with a log that several connections have open.
func NewShared(t testing.TB) *VFS { t.Helper(); return register(t, 1) }

func register(t testing.TB, shared C.int) *VFS {
	t.Helper()
	v := &VFS{Name: fmt.Sprintf("fault%d", count.Add(1))}
	name := C.CString(v.Name)
	defer C.free(unsafe.Pointer(name))
	if rc := C.faultRegister(name, C.uintptr_t(cgo.NewHandle(v)), shared); rc != 0 {
		t.Fatalf("register %s: SQLite error %d", v.Name, int(rc))
	}
	return v
}

// Hook makes f decide on each operation from now on: 0 lets it happen, anything else is
// the SQLite error it fails with. A nil f lets all happen.
func (v *VFS) Hook(f func(Op) int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.hook = f
}

//export goFault
func goFault(id C.uintptr_t, op C.int, name *C.char, off C.longlong, data unsafe.Pointer, n C.int) C.int {
	v := cgo.Handle(id).Value().(*VFS)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.hook == nil {
		return 0
	}
	o := Op{Kind: byte(op), Name: filepath.Base(C.GoString(name)), Off: int64(off)}
	if data != nil && n > 0 {
		o.Data = unsafe.Slice((*byte)(data), int(n))
	}
	return C.int(v.hook(o))
}
