package wire

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"causa/wire/pb"
)

// Where and how a device connects: a WebSocket over TLS 1.3 at Path, with Subprotocol.
const (
	Path        = "/v1/connect"
	Subprotocol = "causa.v1"
)

// A FrameError says why a frame can't be taken. Its text never holds what the frame
// carried.
type FrameError struct {
	Code    Code   // CodeMalformed or CodeTooLarge
	Request uint64 // the frame's request number, 0 when it couldn't be read
	Field   string // where the trouble is
}

func (e *FrameError) Error() string {
	if e.Code == CodeTooLarge {
		return fmt.Sprintf("frame: %s is over its limit", e.Field)
	}
	return fmt.Sprintf("frame: %s can't be read", e.Field)
}

// How many fields a frame may have in all, nested ones included: no small frame may
// unfold into a large one in memory.
const (
	MaxClientFields = 4096
	MaxHubFields    = 6*MaxHeads + 64
)

// EncodeClient gives the bytes of a device's frame. It refuses what [DecodeClient]
// would refuse.
func EncodeClient(f *pb.ClientFrame) ([]byte, error) {
	if err := checkClient(f); err != nil {
		return nil, err
	}
	return encode(f, MaxFrameDevice)
}

// DecodeClient reads a device's frame and checks every field's length. Every error
// is a *[FrameError].
func DecodeClient(b []byte) (*pb.ClientFrame, error) {
	f := new(pb.ClientFrame)
	if err := decode(b, f, outlines{MaxFrameDevice, MaxClientFields, clientLimit}); err != nil {
		return nil, err
	}
	if err := checkClient(f); err != nil {
		return nil, err
	}
	return f, nil
}

// EncodeHub gives the bytes of a hub's frame. It refuses what [DecodeHub] would
// refuse.
func EncodeHub(f *pb.HubFrame) ([]byte, error) {
	if err := checkHub(f); err != nil {
		return nil, err
	}
	return encode(f, MaxFrame)
}

// DecodeHub reads a hub's frame and checks every field's length. A frame of a kind
// that this version does not know has no body: a push of that sort is to be ignored.
// Every error is a *[FrameError].
func DecodeHub(b []byte) (*pb.HubFrame, error) {
	f := new(pb.HubFrame)
	if err := decode(b, f, outlines{MaxFrame, MaxHubFields, hubLimit}); err != nil {
		return nil, err
	}
	if err := checkHub(f); err != nil {
		return nil, err
	}
	return f, nil
}

func encode(m proto.Message, limit int) ([]byte, error) {
	b, err := proto.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode frame: %w", err)
	}
	if len(b) > limit {
		return nil, &FrameError{Code: CodeTooLarge, Field: "frame"}
	}
	return b, nil
}

// outlines are the limits of a direction's frames: bytes, fields, and the bytes of a body.
type outlines struct {
	size, fields int
	body         func(protowire.Number) int
}

// decode looks at a frame's outline before it lets protobuf unfold it.
func decode(b []byte, m proto.Message, limit outlines) error {
	if len(b) > limit.size {
		return &FrameError{Code: CodeTooLarge, Field: "frame"}
	}
	request, err := outline(b, limit.fields, limit.body)
	if err != nil {
		return err
	}
	if err := proto.Unmarshal(b, m); err != nil {
		return &FrameError{Code: CodeMalformed, Request: request, Field: "frame"}
	}
	return nil
}

// outline walks a frame without copying: it finds the request number, holds every
// body to its kind's limit and counts fields.
func outline(b []byte, left int, limit func(protowire.Number) int) (request uint64, err error) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return request, &FrameError{Code: CodeMalformed, Request: request, Field: "frame"}
		}
		b = b[n:]
		switch {
		case num == 1 && typ == protowire.VarintType:
			v, n := protowire.ConsumeVarint(b)
			if n < 0 {
				return request, &FrameError{Code: CodeMalformed, Request: request, Field: "request"}
			}
			request, b = v, b[n:]
		case typ == protowire.BytesType:
			body, n := protowire.ConsumeBytes(b)
			if n < 0 {
				return request, &FrameError{Code: CodeMalformed, Request: request, Field: "body"}
			}
			b = b[n:]
			if len(body) > limit(num) {
				return request, &FrameError{Code: CodeTooLarge, Request: request, Field: "body"}
			}
			if left = countFields(body, left, 2); left < 0 {
				return request, &FrameError{Code: CodeTooLarge, Request: request, Field: "fields"}
			}
		default:
			n := protowire.ConsumeFieldValue(num, typ, b)
			if n < 0 {
				return request, &FrameError{Code: CodeMalformed, Request: request, Field: "frame"}
			}
			b = b[n:]
		}
		if left--; left < 0 {
			return request, &FrameError{Code: CodeTooLarge, Request: request, Field: "fields"}
		}
	}
	return request, nil
}

// countFields takes the fields of a message from what is left, down to depth. Opaque
// bytes that happen to look like a message are counted too, so the walk ends at what
// can't be one: it only has to find the many, not to judge.
func countFields(b []byte, left, depth int) int {
	for len(b) > 0 && left >= 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return left
		}
		b = b[n:]
		m := protowire.ConsumeFieldValue(num, typ, b)
		if m < 0 {
			return left
		}
		left--
		if typ == protowire.BytesType && depth > 1 && m < 64 {
			// Only short nested messages can be many.
			inner, _ := protowire.ConsumeBytes(b)
			left = countFields(inner, left, depth-1)
		}
		b = b[m:]
	}
	return left
}

// clientLimit gives the largest body of a device's frame. Kinds of a newer version
// get little room: they are refused anyway.
func clientLimit(body protowire.Number) int {
	if n, ok := clientBodyLimit[body]; ok {
		return n
	}
	return MaxFrameJoining
}

func hubLimit(protowire.Number) int { return MaxFrame }

// Body limits by the field number in ClientFrame: the sum of the body's fields at
// their limits, and some room for tags and for fields that a newer device may add.
var clientBodyLimit = map[protowire.Number]int{
	2:  1 << 10,          // SignIn
	3:  64,               // PullLog
	4:  MaxLogEntry + 64, // AppendLog
	5:  (MaxKeyPackages + 1) * (MaxKeyPackage + 8),
	6:  MaxClaim*48 + 64,                // ClaimKeyPackages
	7:  MaxCommit + 256,                 // CreateMatter
	8:  3*MaxCommit + MaxClaim*48 + 256, // CommitBundle
	9:  MaxPayload + 256 + MaxBlobs*20,  // SendContent
	10: 128,                             // PullMatter
	11: 64,                              // PullHeads
	12: 64,                              // TakeWelcomes
	13: MaxDrop*12 + 64,                 // DropWelcomes
	14: 128,                             // PullGroupInfo
	50: MaxClaim*48 + 64,                // GrantHistory
	15: 64,                              // PullDestructions
	70: MaxFrameDevice - 1<<10,          // Reoffer
	20: 128,                             // GrantBlob
	21: 128,                             // DropBlob
	30: 512,                             // VaultRegister
	31: 512,                             // VaultEvaluate
	32: 512,                             // VaultConfirm
	33: 512,                             // VaultDrop
	40: MaxQuiet + 256,                  // PublishQuiet
	41: 64,                              // PullPresence
	42: 64,                              // SetStatus
	43: MaxEndpoint + 64,                // SetWake
	34: 64,                              // PullWaiting
}
