package blob

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// A Direction is what a token allows.
type Direction uint8

// The directions, as wire numbers them.
const (
	Upload   Direction = 1
	Download Direction = 2
)

// A Grant is what a token says: this device may bring or fetch this blob, of this size,
// for a while.
type Grant struct {
	Key       Key
	Device    [32]byte
	Direction Direction
	Size      int64 // of an upload
	Expires   time.Time
}

const (
	grantSize  = 16 + 16 + 32 + 1 + 8 + 8
	tokenLabel = "causa blob token v1\x00"
)

// A TokenKey signs tokens. All hubs of one organisation have the same.
type TokenKey [32]byte

// Token returns the token of a grant.
func (k *TokenKey) Token(g Grant) string {
	b := make([]byte, 0, grantSize+sha256.Size)
	b = append(b, g.Key.Matter[:]...)
	b = append(b, g.Key.ID[:]...)
	b = append(b, g.Device[:]...)
	b = append(b, byte(g.Direction))
	b = binary.BigEndian.AppendUint64(b, uint64(g.Size))
	b = binary.BigEndian.AppendUint64(b, uint64(g.Expires.UnixMilli()))
	return base64.RawURLEncoding.EncodeToString(append(b, k.mac(b)...))
}

func (k *TokenKey) mac(b []byte) []byte {
	m := hmac.New(sha256.New, k[:])
	m.Write([]byte(tokenLabel))
	m.Write(b)
	return m.Sum(nil)
}

// Open returns what a token of this key says, unless it has expired at now.
func (k *TokenKey) Open(token string, now time.Time) (g Grant, ok bool) {
	if len(token) != base64.RawURLEncoding.EncodedLen(grantSize+sha256.Size) {
		return g, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || !hmac.Equal(b[grantSize:], k.mac(b[:grantSize])) {
		return g, false
	}
	copy(g.Key.Matter[:], b)
	copy(g.Key.ID[:], b[16:])
	copy(g.Device[:], b[32:])
	g.Direction = Direction(b[64])
	g.Size = int64(binary.BigEndian.Uint64(b[65:]))
	g.Expires = time.UnixMilli(int64(binary.BigEndian.Uint64(b[73:])))
	return g, now.Before(g.Expires)
}
