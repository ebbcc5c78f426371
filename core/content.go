package core

import (
	"errors"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"

	"causa/matter"
	"causa/orglog"
)

// content is what a sealed message says: who said it and in which matter stands in
// the seal's header. Its bytes (TLS presentation language) are signed, so they are for
// ever:
//
//	uint64 time_ms; uint64 log_next; opaque log_head[32]; uint16 kind; opaque body<0..2^24-1>;
type content struct {
	Time    time.Time
	LogNext uint64      // the sender's next organisation log index ...
	LogHead orglog.Hash // ... and the hash of the entry before it
	Kind    uint16
	Body    []byte
}

// The kinds of content.
const (
	contentText        = 1 // body: UTF-8 text
	contentDescription = 2 // body: a description
	contentConclusion  = 3 // body: a conclusion
	contentReopening   = 4 // body: UTF-8 text, why; may be empty

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
	b.AddUint16(c.Kind)
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(c.Body) })
	return b.Bytes()
}

func parseContent(raw []byte) (c content, err error) {
	s := cryptobyte.String(raw)
	var ms uint64
	var body cryptobyte.String
	if !s.ReadUint64(&ms) || !s.ReadUint64(&c.LogNext) || !s.CopyBytes(c.LogHead[:]) || !s.ReadUint16(&c.Kind) ||
		!s.ReadUint24LengthPrefixed(&body) || !s.Empty() || ms > maxMillis {
		return c, errContent
	}
	c.Time, c.Body = time.UnixMilli(int64(ms)), body
	return c, nil
}

// maxMillis is the end of the year 9999.
const maxMillis = 253402300799999

// A description tells newcomers what a matter is about. Its bytes:
//
//	opaque title<1..2^16-1>; opaque class<1..255>; uint8 state; uint64 due_ms; opaque owner[16];
//	opaque opened_by[16]; uint64 opened_ms;
type description struct {
	Title    string
	Class    matter.Class
	State    matter.State
	Due      time.Time
	Owner    matter.MemberID
	OpenedBy matter.MemberID
	Opened   time.Time
}

func (d description) bytes() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(d.Title)) })
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(d.Class)) })
	b.AddUint8(uint8(d.State))
	if d.Due.IsZero() {
		b.AddUint64(0)
	} else {
		b.AddUint64(uint64(d.Due.UnixMilli()))
	}
	b.AddBytes(d.Owner[:])
	b.AddBytes(d.OpenedBy[:])
	b.AddUint64(uint64(d.Opened.UnixMilli()))
	return b.Bytes()
}

func parseDescription(raw []byte) (d description, err error) {
	s := cryptobyte.String(raw)
	var title, class cryptobyte.String
	var state uint8
	var due, opened uint64
	if !s.ReadUint16LengthPrefixed(&title) || !s.ReadUint8LengthPrefixed(&class) || !s.ReadUint8(&state) || !s.ReadUint64(&due) ||
		!s.CopyBytes(d.Owner[:]) || !s.CopyBytes(d.OpenedBy[:]) || !s.ReadUint64(&opened) || !s.Empty() || due > maxMillis || opened > maxMillis {
		return d, errContent
	}
	clean, err := matter.CleanName(string(title))
	if err != nil || clean != string(title) || len(class) == 0 || !utf8.Valid(class) || matter.State(state).String() == "" {
		return d, errContent
	}
	d.Title, d.Class, d.State = clean, matter.Class(class), matter.State(state)
	if due != 0 {
		d.Due = time.UnixMilli(int64(due))
	}
	d.Opened = time.UnixMilli(int64(opened))
	return d, nil
}
