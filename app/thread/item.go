package thread

import (
	"time"

	"causa/matter"
)

// An itemKind says what a line of the stream is.
type itemKind uint8

const (
	itemMessage itemKind = iota // somebody said something
	itemEvent                   // somebody came, went, or started the matter
	itemDay                     // a new day begins
	itemUnread                  // from here on it is new
	itemStamp                   // the matter was concluded
)

// A key names a line for as long as the thread is open.
type key struct {
	kind itemKind
	id   matter.MessageID
	day  int64
}

// An item is one line of the stream.
type item struct {
	key  key
	msg  matter.Message
	day  time.Time // itemDay
	lead bool      // the first of several messages of one author: shows who and when
}

// together is how close messages of one author must be to stand under one name.
const together = 5 * time.Minute

// arrange makes the lines of a thread from its messages, oldest first. Messages after
// unread (0: none) that others wrote are new.
func arrange(msgs []matter.Message, unread uint64, self matter.MemberID, zone *time.Location) []item {
	items := make([]item, 0, len(msgs)+len(msgs)/8+2)
	var last matter.Message
	var day int64
	marked := unread == 0
	for i, m := range msgs {
		y, mo, d := m.Time.In(zone).Date()
		if n := time.Date(y, mo, d, 0, 0, 0, 0, time.UTC).Unix(); n != day {
			day = n
			items = append(items, item{key: key{kind: itemDay, day: n}, day: time.Date(y, mo, d, 0, 0, 0, 0, zone)})
			last = matter.Message{}
		}
		if !marked && m.Seq > unread && m.Author != self {
			marked = true
			if i > 0 {
				items = append(items, item{key: key{kind: itemUnread}})
				last = matter.Message{}
			}
		}
		it := item{key: key{kind: itemMessage, id: m.ID}, msg: m}
		switch m.Kind {
		case matter.KindOpened, matter.KindAdded, matter.KindRemoved, matter.KindDevice, matter.KindReopened, matter.KindRecalled, matter.KindMoved:
			it.key.kind = itemEvent
		case matter.KindChanged, matter.KindProposed, matter.KindSigned, matter.KindDeclined, matter.KindWithdrawn, matter.KindLeft,
			matter.KindBroken, matter.KindOverreach, matter.KindHistory:
			it.key.kind = itemEvent
		case matter.KindConcluded:
			it.key.kind = itemStamp
		default:
			it.lead = last.Author != m.Author || m.Time.Sub(last.Time).Abs() > together
		}
		items = append(items, it)
		last = m
		if it.key.kind != itemMessage {
			last = matter.Message{}
		}
	}
	return items
}
