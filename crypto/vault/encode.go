package vault

import (
	"encoding/binary"
	"fmt"
)

// version is the first byte of an encoded slot.
const version = 1

const (
	headSize = 1 + 16 + 1
	wrapHead = 8 + 4 + 4 + 1 + 16
	wrapSize = wrapHead + 24 + sealedSize
	maxWraps = 2
)

// Bytes encodes the slot:
//
//	version(1) = 1 ‖ id(16) ‖ count(1) ‖ count × wrap
//	wrap = generation(8) ‖ memory KiB(4) ‖ passes(4) ‖ lanes(1) ‖ salt(16) ‖ nonce(24) ‖ sealed(80)
//
// Numbers are big-endian. Sealed is XChaCha20-Poly1305 over the store's key and the proof
// seed, 32 bytes each; version, id and all of the wrap before the nonce are associated
// data.
func (s *Slot) Bytes() []byte {
	b := make([]byte, 0, headSize+len(s.wraps)*wrapSize)
	b = append(append(b, version), s.ID[:]...)
	b = append(b, byte(len(s.wraps)))
	for i := range s.wraps {
		w := &s.wraps[i]
		b = append(append(w.appendHead(b), w.nonce[:]...), w.sealed[:]...)
	}
	return b
}

func (w *wrap) appendHead(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, w.generation)
	b = binary.BigEndian.AppendUint32(b, w.params.MemoryKiB)
	b = binary.BigEndian.AppendUint32(b, w.params.Passes)
	return append(append(b, w.params.Lanes), w.salt[:]...)
}

func (s *Slot) associated(w *wrap) []byte {
	return w.appendHead(append([]byte{version}, s.ID[:]...))
}

// Parse decodes a slot. It accepts exactly what [Slot.Bytes] gives.
func Parse(b []byte) (*Slot, error) {
	if len(b) == 0 {
		return nil, ErrMalformed
	}
	if b[0] > version {
		return nil, fmt.Errorf("%w: version %d", ErrNewer, b[0])
	}
	if b[0] != version || len(b) < headSize {
		return nil, ErrMalformed
	}
	s := &Slot{ID: ID(b[1:])}
	count := int(b[headSize-1])
	b = b[headSize:]
	if count < 1 || count > maxWraps || len(b) != count*wrapSize {
		return nil, ErrMalformed
	}
	for last := uint64(0); len(b) > 0; b = b[wrapSize:] {
		w := wrap{
			generation: binary.BigEndian.Uint64(b),
			params:     Params{binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:]), b[16]},
			salt:       [16]byte(b[17:]), nonce: [24]byte(b[wrapHead:]), sealed: [sealedSize]byte(b[wrapHead+24:]),
		}
		if w.generation <= last || !w.params.valid() {
			return nil, ErrMalformed
		}
		last = w.generation
		s.wraps = append(s.wraps, w)
	}
	return s, nil
}
