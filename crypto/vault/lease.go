package vault

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// A Lease lets a slot open for a while without the hub: it holds the share of a
// generation. Whoever has it and the slot can guess passcodes offline, so it belongs into
// the system's keystore. All its times are the hub's.
type Lease struct {
	Slot       ID
	Generation uint64
	Share      Share
	Granted    time.Time
	Expires    time.Time
	// Seen is the latest time at which the device is known to have run: a clock that
	// shows less was turned back.
	Seen time.Time
	// Ahead is how much the hub's clock was ahead of the device's.
	Ahead time.Duration
	// Wrong is how many wrong passcodes were tried in a row.
	Wrong uint8
}

// Format hides the lease from every verb of package fmt.
func (Lease) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "Lease(hidden)") }

// slack is how far a clock may go back without being suspected: clocks are corrected.
const slack = 2 * time.Minute

// Left returns for how long the lease still opens its slot, when the device's clock shows
// local; 0 when it is over, or when the clock was turned back.
func (l *Lease) Left(local time.Time) time.Duration {
	now := local.Add(l.Ahead)
	if now.Before(l.Seen.Add(-slack)) || now.Before(l.Granted.Add(-slack)) {
		return 0
	}
	if now.Before(l.Seen) {
		now = l.Seen // what has passed has passed
	}
	return max(0, l.Expires.Sub(now))
}

// Note notes that the device runs at a time. It reports whether the lease changed.
func (l *Lease) Note(local time.Time) bool {
	now := local.Add(l.Ahead)
	if !now.After(l.Seen) {
		return false
	}
	l.Seen = now
	return true
}

// Clear overwrites what is secret.
func (l *Lease) Clear() { clear(l.Share[:]) }

const (
	leaseVersion = 1
	leaseSize    = 1 + 16 + 8 + 64 + 4*8 + 1
	maxAhead     = 1 << 42 // milliseconds; above, a duration would overflow
)

// Bytes encodes the lease: version(1) = 1 ‖ slot(16) ‖ generation(8) ‖ share(64) ‖
// granted(8) ‖ expires(8) ‖ seen(8) ‖ ahead(8) ‖ wrong(1), times in Unix milliseconds.
func (l *Lease) Bytes() []byte {
	b := append(make([]byte, 0, leaseSize), leaseVersion)
	b = append(b, l.Slot[:]...)
	b = binary.BigEndian.AppendUint64(b, l.Generation)
	b = append(b, l.Share[:]...)
	for _, ms := range []int64{l.Granted.UnixMilli(), l.Expires.UnixMilli(), l.Seen.UnixMilli(), l.Ahead.Milliseconds()} {
		b = binary.BigEndian.AppendUint64(b, uint64(ms))
	}
	return append(b, l.Wrong)
}

// ParseLease decodes a lease. Another slot's is refused.
func ParseLease(b []byte, slot ID) (*Lease, error) {
	if len(b) != leaseSize || b[0] != leaseVersion || subtle.ConstantTimeCompare(b[1:17], slot[:]) != 1 {
		return nil, ErrMalformed
	}
	l := &Lease{Slot: slot, Generation: binary.BigEndian.Uint64(b[17:]), Share: Share(b[25:]), Wrong: b[leaseSize-1]}
	at := func(i int) int64 { return int64(binary.BigEndian.Uint64(b[89+8*i:])) }
	l.Granted, l.Expires, l.Seen = time.UnixMilli(at(0)).UTC(), time.UnixMilli(at(1)).UTC(), time.UnixMilli(at(2)).UTC()
	if ms := at(3); ms > maxAhead || ms < -maxAhead {
		return nil, ErrMalformed
	}
	l.Ahead = time.Duration(at(3)) * time.Millisecond
	return l, nil
}
