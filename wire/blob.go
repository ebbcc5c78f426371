package wire

import (
	"encoding/hex"

	"causa/wire/pb"
)

// Blobs travel beside the WebSocket, over HTTPS at [BlobPath], under a token that the hub
// grants on it. docs/protocol.md says how.
const (
	// BlobPattern is where blobs are, as a pattern of net/http's ServeMux.
	BlobPattern = "/v1/blob/{matter}/{blob}"
	// BlobOffset is the header that says how much of a blob the hub has.
	BlobOffset = "Upload-Offset"
	// BlobLength is the header that says how long a blob is, or will be.
	BlobLength = "Upload-Length"

	MaxBlob      = 1<<31 + 1<<28 // bytes of one blob: 2 GiB and what sealing and padding add
	MaxBlobs     = 16            // in one SendContent
	maxBlobToken = 512

	blobIDLen = 16
)

// BlobPath is where one blob of a matter is.
func BlobPath(matter, blob [16]byte) string {
	return "/v1/blob/" + hex.EncodeToString(matter[:]) + "/" + hex.EncodeToString(blob[:])
}

func (c *check) grant(m *pb.GrantBlob) {
	c.exact("matter", m.GetMatter(), matterIDLen)
	c.exact("blob", m.GetBlob(), blobIDLen)
	switch m.GetDirection() {
	case pb.BlobDirection_BLOB_DIRECTION_UPLOAD:
		if m.GetSize() == 0 {
			c.fail(CodeMalformed, "size")
		}
		if m.GetSize() > MaxBlob {
			c.fail(CodeTooLarge, "size")
		}
	case pb.BlobDirection_BLOB_DIRECTION_DOWNLOAD:
	default:
		c.fail(CodeMalformed, "direction")
	}
}

// token holds a blob token to what can stand in a header.
func (c *check) token(t string) {
	if t == "" {
		c.fail(CodeMalformed, "token")
	}
	if len(t) > maxBlobToken {
		c.fail(CodeTooLarge, "token")
	}
	for _, r := range []byte(t) {
		if r <= ' ' || r >= 0x7f {
			c.fail(CodeMalformed, "token")
		}
	}
}
