// Package syntax reads and writes the TLS presentation language as RFC 9420 uses it
// (section 2.1): big-endian integers, optional values, and vectors whose length is a
// variable-size integer in its shortest form.
package syntax

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// MaxVector is the longest vector the syntax can express (section 2.1.2).
const MaxVector = 1<<30 - 1

// ErrMalformed is wrapped by every decoding error.
var ErrMalformed = errors.New("malformed encoding")

// A Reader takes values from the front of a byte slice. The first error sticks: later
// reads return zero values, so that a decoder needs one check at its end. What a Reader
// returns aliases its input; it never allocates on the word of a length field.
type Reader struct {
	b   []byte
	off int
	err error
}

// NewReader returns a Reader over b, which must not change while results are in use.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

// Fail makes err the Reader's error unless it has one. The error wraps [ErrMalformed].
func (r *Reader) Fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %w", ErrMalformed, fmt.Errorf(format, args...))
	}
}

// Done returns the first error, or one if there is input left.
func (r *Reader) Done() error {
	if r.err == nil && r.off != len(r.b) {
		r.Fail("%d bytes after the end", len(r.b)-r.off)
	}
	return r.err
}

// Len is the number of bytes not read yet.
func (r *Reader) Len() int { return len(r.b) - r.off }

// Offset is the number of bytes read so far; together with [Reader.Since] it gives a
// decoder the exact bytes it has just decoded.
func (r *Reader) Offset() int { return r.off }

// Since returns the bytes read since the offset start.
func (r *Reader) Since(start int) []byte { return r.b[start:r.off:r.off] }

// Take returns the next n bytes.
func (r *Reader) Take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.b)-r.off {
		r.Fail("want %d bytes, have %d", n, len(r.b)-r.off)
		return nil
	}
	v := r.b[r.off : r.off+n : r.off+n]
	r.off += n
	return v
}

// Rest returns everything not read yet.
func (r *Reader) Rest() []byte { return r.Take(r.Len()) }

// Uint8 reads a uint8.
func (r *Reader) Uint8() uint8 {
	if v := r.Take(1); v != nil {
		return v[0]
	}
	return 0
}

// Uint16 reads a uint16.
func (r *Reader) Uint16() uint16 {
	if v := r.Take(2); v != nil {
		return binary.BigEndian.Uint16(v)
	}
	return 0
}

// Uint32 reads a uint32.
func (r *Reader) Uint32() uint32 {
	if v := r.Take(4); v != nil {
		return binary.BigEndian.Uint32(v)
	}
	return 0
}

// Uint64 reads a uint64.
func (r *Reader) Uint64() uint64 {
	if v := r.Take(8); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

// Varint reads a vector's length header. A header longer than needed is malformed.
func (r *Reader) Varint() int {
	first := r.Uint8()
	if r.err != nil {
		return 0
	}
	v := int(first & 0x3f)
	switch first >> 6 {
	case 0:
		return v
	case 1:
		v = v<<8 | int(r.Uint8())
		if r.err == nil && v < 1<<6 {
			r.Fail("length header of 2 bytes for %d", v)
		}
	case 2:
		for _, c := range r.Take(3) {
			v = v<<8 | int(c)
		}
		if r.err == nil && v < 1<<14 {
			r.Fail("length header of 4 bytes for %d", v)
		}
	default:
		r.Fail("invalid length header prefix")
	}
	if r.err != nil {
		return 0
	}
	return v
}

// Opaque reads opaque<V>.
func (r *Reader) Opaque() []byte { return r.Take(r.Varint()) }

// Optional reads the presence octet of an optional value.
func (r *Reader) Optional() bool {
	switch v := r.Uint8(); v {
	case 0:
		return false
	case 1:
		return true
	default:
		r.Fail("presence octet %d", v)
		return false
	}
}

// List reads a vector, calling elem for each element until the vector is used up.
func (r *Reader) List(elem func(r *Reader)) {
	sub := Reader{b: r.Opaque()}
	for r.err == nil && sub.Len() > 0 {
		before := sub.off
		elem(&sub)
		if sub.err == nil && sub.off == before {
			sub.Fail("element without content")
		}
		if sub.err != nil {
			r.err = sub.err
		}
	}
}

// Uint16s reads uint16<V>.
func (r *Reader) Uint16s() []uint16 {
	b := r.Opaque()
	if len(b)%2 != 0 {
		r.Fail("vector of uint16 with %d bytes", len(b))
		return nil
	}
	v := make([]uint16, len(b)/2)
	for i := range v {
		v[i] = binary.BigEndian.Uint16(b[2*i:])
	}
	return v
}

// Uint32s reads uint32<V>.
func (r *Reader) Uint32s() []uint32 {
	b := r.Opaque()
	if len(b)%4 != 0 {
		r.Fail("vector of uint32 with %d bytes", len(b))
		return nil
	}
	v := make([]uint32, len(b)/4)
	for i := range v {
		v[i] = binary.BigEndian.Uint32(b[4*i:])
	}
	return v
}
