//go:build cgo

package sealvfs

// #include "sealvfs.h"
import "C"

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	headLen  = 16
	nonceLen = chacha20poly1305.NonceSizeX
	tagLen   = chacha20poly1305.Overhead
	aadLen   = 32
)

// magic opens each main file; the format's version and a random salt follow.
var magic = [3]byte{0xca, 0x05, 0xa5}

// A Key is one database's data key, known to the VFS by a number. It is safe for
// concurrent use.
type Key struct {
	id      int
	secret  [32]byte
	mu      sync.Mutex // guards all below
	reports []Report
	counts  [kinds]int
	handles int
	idle    chan struct{} // closed when handles is back at 0
}

// New makes a 32-byte key usable for connections.
func New(secret *[32]byte) *Key {
	k := &Key{secret: *secret}
	k.id = keys.add(k)
	return k
}

// Drain waits until no file is open under this key, for at most the given time, and
// reports whether it came to that. Package database/sql closes a connection whose context
// has ended in a goroutine of its own, so closing the database is not enough.
func (k *Key) Drain(wait time.Duration) bool {
	k.mu.Lock()
	idle := k.idle
	k.mu.Unlock()
	if idle == nil {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-idle:
		return true
	case <-timer.C:
		return false
	}
}

//export goSealHandle
func goSealHandle(key C.uintptr_t, n C.int) {
	k := keys.get(key)
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.handles += int(n)
	switch {
	case k.handles == 0 && k.idle != nil:
		close(k.idle)
		k.idle = nil
	case k.handles > 0 && k.idle == nil:
		k.idle = make(chan struct{})
	}
}

// Close forgets the key. Databases opened with it must be closed before.
func (k *Key) Close() {
	keys.remove(k.id)
	clear(k.secret[:])
}

// A table hands out numbers for Go values that C has to name. Looking one up takes no
// lock, for it happens with every page.
type table[T any] struct {
	mu  sync.Mutex
	tab atomic.Pointer[[]*T] // index 0 is never used
}

var (
	keys    table[Key]
	sealers table[sealer]
)

func (t *table[T]) add(v *T) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	tab := []*T{nil}
	if p := t.tab.Load(); p != nil {
		tab = slices.Clone(*p)
	}
	id := slices.Index(tab[1:], nil) + 1
	if id == 0 {
		id = len(tab)
		tab = append(tab, nil)
	}
	tab[id] = v
	t.tab.Store(&tab)
	return id
}

func (t *table[T]) remove(id int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tab := slices.Clone(*t.tab.Load())
	tab[id] = nil
	t.tab.Store(&tab)
}

func (t *table[T]) get(id C.uintptr_t) *T {
	p := t.tab.Load()
	if p == nil || uint64(id) >= uint64(len(*p)) {
		return nil
	}
	return (*p)[id]
}

// A sealer is the cipher of one file: its key comes from the data key and the salt in
// the file's head.
type sealer struct {
	aead cipher.AEAD

	mu     sync.Mutex // guards random
	random [64 * nonceLen]byte
	left   int
}

func newSealer(secret, head []byte) (*sealer, bool) {
	if [3]byte(head[:3]) != magic || head[3] != Version {
		return nil, false
	}
	fileKey, err := hkdf.Key(sha256.New, secret, head, "causa store file v1", chacha20poly1305.KeySize)
	if err != nil {
		return nil, false
	}
	defer clear(fileKey)
	aead, err := chacha20poly1305.NewX(fileKey)
	if err != nil {
		return nil, false
	}
	return &sealer{aead: aead}, true
}

// nonce fills dst with random bytes that are used once.
func (s *sealer) nonce(dst []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		_, _ = rand.Read(s.random[:]) // never fails
		s.left = len(s.random)
	}
	at := len(s.random) - s.left
	copy(dst, s.random[at:at+nonceLen])
	s.left -= nonceLen
}

func bytesAt(p unsafe.Pointer, n int) []byte { return unsafe.Slice((*byte)(p), n) }

//export goSealKnown
func goSealKnown(key C.uintptr_t) C.int {
	if keys.get(key) != nil {
		return 1
	}
	return 0
}

//export goSealSameKey
func goSealSameKey(a, b C.uintptr_t) C.int {
	x, y := keys.get(a), keys.get(b)
	if x == nil || y == nil {
		return 0
	}
	return C.int(subtle.ConstantTimeCompare(x.secret[:], y.secret[:]))
}

//export goSealNewHead
func goSealNewHead(dst *C.uchar) {
	h := bytesAt(unsafe.Pointer(dst), headLen)
	copy(h, magic[:])
	h[3] = Version
	_, _ = rand.Read(h[4:]) // never fails
}

// goSealDerive returns the number of the cipher for a file with this head, 0 when the
// head is not one of this format.
//
//export goSealDerive
func goSealDerive(key C.uintptr_t, head *C.uchar) C.uintptr_t {
	k := keys.get(key)
	if k == nil {
		return 0
	}
	s, ok := newSealer(k.secret[:], bytesAt(unsafe.Pointer(head), headLen))
	if !ok {
		return 0
	}
	return C.uintptr_t(sealers.add(s))
}

//export goSealForget
func goSealForget(id C.uintptr_t) { sealers.remove(int(id)) }

// goSealSeal seals src[:n] to dst: ciphertext, tag, nonce. Both may be the same.
//
//export goSealSeal
func goSealSeal(id C.uintptr_t, aad, src, dst *C.uchar, n C.int) C.int {
	s := sealers.get(id)
	if s == nil {
		return 1
	}
	d := bytesAt(unsafe.Pointer(dst), int(n)+Overhead)
	nonce := d[int(n)+tagLen:]
	s.nonce(nonce)
	s.aead.Seal(d[:0], nonce, bytesAt(unsafe.Pointer(src), int(n)), bytesAt(unsafe.Pointer(aad), aadLen))
	return 0
}

// goSealOpen opens buf (ciphertext, tag, nonce) in place.
//
//export goSealOpen
func goSealOpen(id C.uintptr_t, aad, buf *C.uchar, n C.int) C.int {
	s := sealers.get(id)
	if s == nil {
		return 1
	}
	b := bytesAt(unsafe.Pointer(buf), int(n)+Overhead)
	ct := b[:int(n)+tagLen]
	if _, err := s.aead.Open(ct[:0], b[int(n)+tagLen:], ct, bytesAt(unsafe.Pointer(aad), aadLen)); err != nil {
		return 1
	}
	return 0
}
