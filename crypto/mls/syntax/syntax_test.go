package syntax

import (
	"bytes"
	"errors"
	"testing"
)

func TestVarint(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 16383, 16384, MaxVector} {
		b := AppendVarint(nil, n)
		if len(b) != VarintLen(n) {
			t.Errorf("%d: %d bytes, want %d", n, len(b), VarintLen(n))
		}
		r := NewReader(b)
		if got := r.Varint(); got != n || r.Done() != nil {
			t.Errorf("%d comes back as %d, %v", n, got, r.Err())
		}
	}
	for _, b := range [][]byte{{}, {0xc0}, {0x40, 63}, {0x40}, {0x80, 0, 0x3f, 0xff}, {0x80, 0, 0}, {0xff, 1, 2, 3, 4}} {
		r := NewReader(b)
		if n := r.Varint(); n != 0 || !errors.Is(r.Err(), ErrMalformed) {
			t.Errorf("%x gives %d, %v", b, n, r.Err())
		}
	}
}

func TestAppendList(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 16383, 16384, 70000} {
		body := bytes.Repeat([]byte{7}, n)
		got := AppendList([]byte("head"), func(b []byte) []byte { return append(b, body...) })
		if want := AppendOpaque([]byte("head"), body); !bytes.Equal(got, want) {
			t.Errorf("list of %d bytes is encoded as %x...", n, got[:min(len(got), 12)])
		}
	}
}

func TestReaderSticks(t *testing.T) {
	r := NewReader([]byte{1, 2, 3})
	if r.Uint32() != 0 || r.Err() == nil {
		t.Fatal("read 4 bytes of 3")
	}
	first := r.Err()
	if r.Uint8() != 0 || r.Opaque() != nil || r.Optional() || r.Uint16s() != nil && len(r.Uint16s()) > 0 {
		t.Error("reads after an error")
	}
	if r.Done() != first { //nolint:errorlint // the very same error
		t.Errorf("error changed to %v", r.Done())
	}
	r = NewReader([]byte{2})
	r.Optional()
	if !errors.Is(r.Err(), ErrMalformed) {
		t.Errorf("presence octet 2: %v", r.Err())
	}
	r = NewReader([]byte{2, 1, 1})
	r.List(func(*Reader) {})
	if !errors.Is(r.Err(), ErrMalformed) {
		t.Errorf("element without content: %v", r.Err())
	}
	r = NewReader([]byte{3, 1, 1, 1})
	if r.Uint16s(); !errors.Is(r.Err(), ErrMalformed) {
		t.Errorf("three bytes of uint16: %v", r.Err())
	}
}

func FuzzVarint(f *testing.F) {
	f.Add([]byte{0x9d, 0x7f, 0x3e, 0x7d})
	f.Add([]byte{0x7b, 0xbd})
	f.Add([]byte{0x25})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(b)
		n := r.Varint()
		if r.Err() == nil && !bytes.Equal(AppendVarint(nil, n), b[:r.Offset()]) {
			t.Errorf("%x is read as %d", b, n)
		}
	})
}
