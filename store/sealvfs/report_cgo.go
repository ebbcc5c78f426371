//go:build cgo

package sealvfs

// #include "sealvfs.h"
import "C"

import "sync/atomic"

// tempRefused counts refused temporary files; no key is known for those.
var tempRefused atomic.Int64

//export goSealEvent
func goSealEvent(key C.uintptr_t, what C.int, at, later C.longlong) {
	if Kind(what) == TempRefused {
		tempRefused.Add(1)
		return
	}
	if k := keys.get(key); k != nil {
		k.report(Report{Kind: Kind(what), At: int64(at), Later: int64(later)})
	}
}
