package orglog

import (
	"errors"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// maxTime is the last millisecond of the year 9999, in Unix milliseconds. Times of
// the log lie between 1970 and it, so that every program can print them.
const maxTime = 253402300799999

// A writer appends values in TLS presentation language (RFC 8446, section 3). The
// first impossible value spoils the whole.
type writer struct{ *cryptobyte.Builder }

// fixed appends b, which must be n bytes long.
func (w *writer) fixed(b []byte, n int) {
	if len(b) != n {
		w.SetError(errors.New("a fixed-size value has another size"))
		return
	}
	w.AddBytes(b)
}

func (w *writer) text(s string) {
	w.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
}

func (w *writer) time(t time.Time) {
	ms := t.UnixMilli()
	if ms < 0 || ms > maxTime {
		w.SetError(errors.New("a time is out of range"))
		return
	}
	w.AddUint64(uint64(ms))
}

// A reader takes values off. After the first one that isn't there it returns zero
// values and bad is set.
type reader struct {
	s   cryptobyte.String
	bad bool
}

// fixed returns a copy of the next n bytes.
func (r *reader) fixed(n int) []byte {
	out := make([]byte, n)
	r.bad = r.bad || !r.s.CopyBytes(out)
	return out
}

func (r *reader) uint8() (v uint8) {
	r.bad = r.bad || !r.s.ReadUint8(&v)
	return v
}

func (r *reader) uint16() (v uint16) {
	r.bad = r.bad || !r.s.ReadUint16(&v)
	return v
}

func (r *reader) uint64() (v uint64) {
	r.bad = r.bad || !r.s.ReadUint64(&v)
	return v
}

// vector returns the next bytes behind a 16-bit length, not copied.
func (r *reader) vector() (v cryptobyte.String) {
	r.bad = r.bad || !r.s.ReadUint16LengthPrefixed(&v)
	return v
}

func (r *reader) text() string { return string(r.vector()) }

func (r *reader) time() time.Time {
	ms := r.uint64()
	if ms > maxTime {
		r.bad, ms = true, 0
	}
	return time.UnixMilli(int64(ms)).UTC()
}

// rest returns a copy of all that is left.
func (r *reader) rest() []byte { return r.fixed(len(r.s)) }

// done reports whether everything was there and nothing is left.
func (r *reader) done() bool { return !r.bad && r.s.Empty() }
