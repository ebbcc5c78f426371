//go:build cgo

package sealvfs

// #include "sealvfs.h"
import "C"

import "unsafe"

// BodySize is what a page holds besides its seal.
const BodySize = PageSize - Overhead

// aadFor returns the associated data that the C side makes, for tests: a test file
// can't call C.
func aadFor(role byte, page uint32, index int64, salts string) []byte {
	var a C.Aad
	var s *C.u8
	if salts != "" {
		b := []byte(salts)
		s = (*C.u8)(unsafe.Pointer(&b[0]))
	}
	C.sealAad(&a, C.char(role), C.uint32_t(page), C.i64(index), s)
	return C.GoBytes(unsafe.Pointer(&a.b[0]), aadLen)
}

// openPiece opens buf in place as the VFS does.
func openPiece(id int, aad, buf []byte) int {
	return int(goSealOpen(C.uintptr_t(id), (*C.uchar)(&aad[0]), (*C.uchar)(&buf[0]), C.int(len(buf)-Overhead)))
}
