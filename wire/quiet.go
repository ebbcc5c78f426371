package wire

import "encoding/binary"

// Limits of quiet hours and endpoints, in bytes.
const (
	MaxQuiet    = 64 << 10 // PublishQuiet.rules
	MaxEndpoint = 1 << 10  // SetWake.endpoint
)

// maxMillis is the end of the year 9999.
const maxMillis = 253402300799999

// quietLabel keeps the signature of quiet hours from meaning anything elsewhere.
const quietLabel = "causa quiet hours v1"

// QuietBytes is what the signature of published quiet hours covers, in TLS presentation:
//
//	struct {
//	  opaque label<0..255> = "causa quiet hours v1";
//	  opaque member[16];
//	  uint64 version;
//	  opaque rules<0..2^24-1>;
//	} PublishedQuiet;
func QuietBytes(member [16]byte, version uint64, rules []byte) []byte {
	b := make([]byte, 0, 1+len(quietLabel)+16+8+3+len(rules))
	b = append(b, byte(len(quietLabel)))
	b = append(b, quietLabel...)
	b = append(b, member[:]...)
	b = binary.BigEndian.AppendUint64(b, version)
	b = append(b, byte(len(rules)>>16), byte(len(rules)>>8), byte(len(rules)))
	return append(b, rules...)
}
