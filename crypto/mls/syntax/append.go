package syntax

import (
	"encoding/binary"
	"fmt"
)

// AppendUint16 appends v.
func AppendUint16(b []byte, v uint16) []byte { return binary.BigEndian.AppendUint16(b, v) }

// AppendUint32 appends v.
func AppendUint32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }

// AppendUint64 appends v.
func AppendUint64(b []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(b, v) }

// AppendVarint appends the length header for n bytes. It panics when n is over
// [MaxVector]: nothing this program builds comes near, and what is read can't.
func AppendVarint(b []byte, n int) []byte {
	switch {
	case n < 1<<6:
		return append(b, byte(n))
	case n < 1<<14:
		return append(b, byte(n>>8)|0x40, byte(n))
	case n <= MaxVector:
		return append(b, byte(n>>24)|0x80, byte(n>>16), byte(n>>8), byte(n))
	}
	panic(fmt.Sprintf("syntax: vector of %d bytes", n))
}

// VarintLen is the size of the length header for n bytes.
func VarintLen(n int) int {
	switch {
	case n < 1<<6:
		return 1
	case n < 1<<14:
		return 2
	}
	return 4
}

// AppendOpaque appends v as opaque<V>.
func AppendOpaque(b, v []byte) []byte { return append(AppendVarint(b, len(v)), v...) }

// AppendOptional appends a presence octet.
func AppendOptional(b []byte, present bool) []byte {
	if present {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendList appends what body appends, preceded by its length.
func AppendList(b []byte, body func(b []byte) []byte) []byte {
	const room = 4
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	b = body(b)
	n := len(b) - start - room
	head := AppendVarint(b[start:start], n) // overwrites the room only
	if len(head) < room {
		copy(b[start+len(head):], b[start+room:])
		b = b[:len(b)-room+len(head)]
	}
	return b
}

// AppendUint16s appends uint16<V>.
func AppendUint16s[T ~uint16](b []byte, v []T) []byte {
	b = AppendVarint(b, 2*len(v))
	for _, x := range v {
		b = AppendUint16(b, uint16(x))
	}
	return b
}

// AppendUint32s appends uint32<V>.
func AppendUint32s[T ~uint32](b []byte, v []T) []byte {
	b = AppendVarint(b, 4*len(v))
	for _, x := range v {
		b = AppendUint32(b, uint32(x))
	}
	return b
}
