package core

import (
	"errors"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// errNewerField: a change of something that this program does not know.
var errNewerField = errors.New("a change that a newer version wrote")

func addText(b *cryptobyte.Builder, s string) {
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
}

func readText(s *cryptobyte.String, to *string) bool {
	var b cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&b) {
		return false
	}
	*to = string(b)
	return true
}

// unixMilli is an instant as signed content has it; 0 is none.
func unixMilli(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixMilli())
}

func readTime(s *cryptobyte.String, to *time.Time) bool {
	var ms uint64
	if !s.ReadUint64(&ms) || ms > maxMillis {
		return false
	}
	*to = time.Time{}
	if ms != 0 {
		*to = time.UnixMilli(int64(ms))
	}
	return true
}

func addBytes(b *cryptobyte.Builder, ids ...[]byte) {
	for _, id := range ids {
		b.AddBytes(id)
	}
}
