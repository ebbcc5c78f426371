package core

import (
	"errors"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"causa/orglog"
)

// content is what a sealed message says: who said it and in which matter stands in
// the seal's header. Its bytes (TLS presentation language) are signed, so they are for
// ever:
//
//	uint64 time_ms; uint64 log_next; opaque log_head[32]; uint64 seen; opaque chain[32];
//	uint16 kind; opaque body<0..2^24-1>;
type content struct {
	Time    time.Time
	LogNext uint64      // the sender's next organisation log index ...
	LogHead orglog.Hash // ... and the hash of the entry before it
	Seen    uint64      // the last entry of the matter that the sender's device had ...
	Chain   chain       // ... and the chain up to it; both zero when it does not know
	Kind    uint16
	Body    []byte
}

// The kinds of content.
const (
	contentText        = 1 // body: UTF-8 text
	contentDescription = 2 // body: a description
	contentConclusion  = 3 // body: a conclusion
	contentReopening   = 4 // body: UTF-8 text, why; may be empty
	contentChange      = 5 // body: a change
	contentSignature   = 6 // body: a signature under a proposed conclusion
	contentRefusal     = 7 // body: a refusal of one
	contentWithdrawal  = 8 // body: a withdrawal of one

	contentHistory = 60 // body: a handover (history.go)

	contentReply     = 20 // body: a reference, then UTF-8 text
	contentReaction  = 21 // body: a reference, uint8 on, then the sign
	contentEdit      = 22 // body: a reference, then UTF-8 text
	contentRecall    = 23 // body: a reference
	contentPin       = 24 // body: a reference, uint8 on
	contentTask      = 25 // body: a new task
	contentTaskState = 26 // body: a reference, then how the task stands
	contentPoll      = 27 // body: a new poll
	contentVote      = 28 // body: a reference, uint32 choices
	contentPollEnd   = 29 // body: a reference
	contentCarried   = 30 // body: a message of another matter, and its proof
	contentMoved     = 31 // body: the matter they went to, then references
	contentReceipt   = 32 // body: references of what this device has destroyed

	contentUrgent      = 50 // body: an urgent message (urgent.go)
	contentAcknowledge = 51 // body: the id of the urgent message
	contentQuiet       = 52 // body: quiet hours, to one's own devices (quiet_share.go)
	contentRead        = 53 // body: places, to one's own devices: read up to there
	contentListed      = 54 // body: places, to one's own devices: listed in a digest
)

var errContent = errors.New("content is malformed")

func (c content) bytes() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint64(uint64(c.Time.UnixMilli()))
	b.AddUint64(c.LogNext)
	b.AddBytes(c.LogHead[:])
	b.AddUint64(c.Seen)
	b.AddBytes(c.Chain[:])
	b.AddUint16(c.Kind)
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(c.Body) })
	return b.Bytes()
}

func parseContent(raw []byte) (c content, err error) {
	s := cryptobyte.String(raw)
	var ms uint64
	var body cryptobyte.String
	if !s.ReadUint64(&ms) || !s.ReadUint64(&c.LogNext) || !s.CopyBytes(c.LogHead[:]) ||
		!s.ReadUint64(&c.Seen) || !s.CopyBytes(c.Chain[:]) || !s.ReadUint16(&c.Kind) ||
		!s.ReadUint24LengthPrefixed(&body) || !s.Empty() || ms > maxMillis {
		return c, errContent
	}
	c.Time, c.Body = time.UnixMilli(int64(ms)), body
	return c, nil
}

// maxMillis is the end of the year 9999.
const maxMillis = 253402300799999
