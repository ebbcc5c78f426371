package hub

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"causa/hub/db"
	"causa/internal/fault"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// Several hubs on one database tell each other over NATS what they have just committed,
// so that a device hears at once what came in at another hub. It is only news: whatever
// is lost on the way is in the database, and found there ([Hub.tellMoved]).

// busSubject is where hubs of one organisation talk; its pin, which they share, follows.
const busSubject = "causa.hub.v1."

// busLimit is what a message may have: NATS's own limit is a megabyte.
const busLimit = 900 << 10

// Kinds of news: the first byte.
const (
	newsPage     = 1 // devices, then matter, head and the frame to push
	newsLog      = 2 // the organisation log has grown
	newsWelcomes = 3 // devices for which welcomes wait
	newsSignIn   = 4 // a device and the number of its newest session
)

// A bus carries news between hubs. A nil bus carries none.
type bus struct {
	conn    *nats.Conn
	subject string
	log     *slog.Logger
}

// openBus connects, or goes on trying to: a hub runs without NATS as well, only its
// devices hear later from those of other hubs.
func (h *Hub) openBus() error {
	if h.opts.NATS == "" {
		return nil
	}
	if !h.db.Shared() {
		return &fault.Error{
			Text: "NATS is for hubs that share a database, and this one has its own.",
			Hint: "Give the hub a PostgreSQL database, or leave nats empty.",
		}
	}
	b := &bus{subject: busSubject + hex.EncodeToString(h.pin[:]), log: h.log}
	var err error
	b.conn, err = nats.Connect(h.opts.NATS, nats.Name("causa-hub"), nats.NoEcho(), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.ReconnectWait(time.Second), nats.ReconnectBufSize(-1), nats.Timeout(5*time.Second),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				b.log.Warn("NATS is gone: devices hear later from those of other hubs", "err", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { b.log.Info("NATS is back") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { b.log.Warn("NATS", "err", err) }),
	)
	if err == nil {
		_, err = b.conn.Subscribe(b.subject, func(m *nats.Msg) { h.hear(m.Data) })
	}
	if err != nil {
		if b.conn != nil {
			b.conn.Close()
		}
		return &fault.Error{Text: "The address of NATS can't be used.", Hint: "Write nats://USER:PASSWORD@HOST:4222, or leave it empty.", Err: err}
	}
	h.bus = b
	return nil
}

func (b *bus) close() {
	if b != nil {
		b.conn.Close()
	}
}

// tell sends news. What can't be sent now is not kept: it would be old.
func (b *bus) tell(news []byte) {
	if err := b.conn.Publish(b.subject, news); err != nil && !errors.Is(err, nats.ErrReconnectBufExceeded) {
		b.log.Debug("news not sent", "err", err)
	}
}

// tellBatch tells other hubs what a batch has brought about.
func (b *bus) tellBatch(done *batch) {
	if b == nil {
		return
	}
	if done.appended != nil {
		b.tell([]byte{newsLog})
	}
	for _, s := range done.signedIn {
		b.tell(binary.AppendUvarint(appendDevices([]byte{newsSignIn}, []db.DeviceNo{s.no}), s.fence.Load()))
	}
	for _, w := range done.welcomes {
		b.tell(appendDevices([]byte{newsWelcomes}, w.devices))
	}
	for _, r := range done.recovered {
		b.tellPage(r.devices, r.no, r.pos, 0, nil)
	}
}

// tellPage tells of a matter's new entries; without a frame, only that there are some.
func (b *bus) tellPage(devices []db.DeviceNo, no db.MatterNo, pos position, entries int, frame []byte) {
	if b == nil {
		return
	}
	if len(frame) > busLimit {
		frame = nil
	}
	news := appendDevices(make([]byte, 0, len(frame)+8*len(devices)+64), devices)
	news = append([]byte{newsPage}, news...)
	news = binary.AppendUvarint(news, uint64(no))
	news = append(news, pos.id[:]...)
	news = binary.AppendUvarint(news, pos.head)
	news = binary.AppendUvarint(news, uint64(entries))
	b.tell(append(news, frame...))
}

func appendDevices(b []byte, devices []db.DeviceNo) []byte {
	b = binary.AppendUvarint(b, uint64(len(devices)))
	for _, no := range devices {
		b = binary.AppendUvarint(b, uint64(no))
	}
	return b
}

// A news is what is left to be read of a message; it goes bad at the first thing that is
// not there.
type news struct {
	b   []byte
	bad bool
}

func (n *news) number() uint64 {
	v, size := binary.Uvarint(n.b)
	if n.bad = n.bad || size <= 0; n.bad {
		return 0
	}
	n.b = n.b[size:]
	return v
}

func (n *news) devices() (devices []db.DeviceNo) {
	count := n.number()
	if n.bad = n.bad || count > uint64(len(n.b)); n.bad {
		return nil
	}
	for range count {
		devices = append(devices, db.DeviceNo(n.number()))
	}
	return devices
}

func (n *news) matter() (id matter.ID) {
	if n.bad = n.bad || len(n.b) < len(id); n.bad {
		return id
	}
	id = matter.ID(n.b[:len(id)])
	n.b = n.b[len(id):]
	return id
}

// hear passes on what another hub tells. It runs on NATS's goroutine, one message after
// the other.
func (h *Hub) hear(b []byte) {
	if len(b) == 0 {
		return
	}
	n := &news{b: b[1:]}
	switch b[0] {
	case newsLog:
		select {
		case h.lookNow <- struct{}{}: // follow does it
		default:
		}
	case newsWelcomes:
		if devices := n.devices(); !n.bad {
			h.pokeWelcomes(devices)
		}
	case newsSignIn:
		if devices, newest := n.devices(), n.number(); !n.bad {
			h.online.each(devices, func(s *session) {
				if s.fence.Load() < newest {
					s.fail(wire.CodeReplaced)
				}
			})
		}
	case newsPage:
		devices, no, id, head, entries := n.devices(), db.MatterNo(n.number()), n.matter(), n.number(), n.number()
		if n.bad || entries > wire.MaxPageEntries {
			return
		}
		h.passOn(devices, no, position{id: id, head: head}, int(entries), slices.Clone(n.b))
	}
}

// passOn pushes what another hub has committed.
func (h *Hub) passOn(devices []db.DeviceNo, no db.MatterNo, pos position, entries int, frame []byte) {
	if len(frame) == 0 {
		var err error
		if frame, err = wire.EncodeHub(&pb.HubFrame{Body: &pb.HubFrame_MatterPage{MatterPage: &pb.MatterPage{Matter: pos.id[:], Head: pos.head}}}); err != nil {
			h.log.Error("encode page", "err", err)
			return
		}
	}
	h.told.note(no, pos.head)
	h.online.each(devices, func(s *session) { s.pushPage(item{frame: frame, matter: no, entries: entries}, pos) })
}

// pokeWelcomes tells devices that welcomes wait.
func (h *Hub) pokeWelcomes(devices []db.DeviceNo) {
	frame, err := wire.EncodeHub(&pb.HubFrame{Body: &pb.HubFrame_Welcomes{Welcomes: &pb.Welcomes{}}})
	if err != nil {
		h.log.Error("encode welcome", "err", err)
		return
	}
	h.online.each(devices, func(s *session) { s.pushWelcome(frame) })
}
