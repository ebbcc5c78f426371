package hub

import (
	"encoding/binary"
	"errors"
	"time"

	"causa/hub/db"
)

// metaIncarnation names the hub's incarnation in the database: 8 bytes, big-endian. It
// is missing in a hub that was never restored, whose incarnation is 0.
const metaIncarnation = db.MetaIncarnation

func decodeIncarnation(b []byte) (uint64, error) {
	switch len(b) {
	case 0:
		return 0, nil
	case 8:
		return binary.BigEndian.Uint64(b), nil
	default:
		return 0, errors.New("incarnation has another length")
	}
}

// raised returns the incarnation after one. Two hubs that are restored from the same
// backup, one after the other, must not have the same: the time sees to that.
func raised(incarnation uint64, now time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, max(incarnation+1, uint64(max(0, now.UnixMilli()))))
}
