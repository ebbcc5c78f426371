package core

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	"causa/internal/fault"
	"causa/matter"
	"causa/orglog"
	"causa/store"
	"causa/wire/pb"
)

// weigh decides, before anything else, whether what somebody said counts: whether their
// story of the matter is ours, and whether they may say this at all. Until this device has
// been told how the matter stands it can't judge, so it holds back what is not plain text.
// done means that the entry is dealt with.
func (a *applying) weigh(e *pb.Entry, m matter.Message, con content) (done bool, err error) {
	switch con.Kind {
	case contentDescription:
		return true, a.described(e, m, con)
	case contentHistory:
		return true, a.handed(e, m, con)
	case contentQuiet, contentRead, contentListed:
		return false, nil // one's own devices talk; nothing of the matter
	}
	if !a.place.Described {
		raw, err := proto.Marshal(e)
		if err != nil {
			return true, err
		}
		return con.Kind != contentText, a.tx.HoldEntry(a.id, e.GetSeq(), raw)
	}
	if err := a.compare(e, m, con); err != nil {
		return true, err
	}
	switch con.Kind {
	case contentChange:
		return true, a.changed(e, m, con)
	case contentSignature, contentRefusal, contentWithdrawal:
		return true, a.answered(e, m, con)
	}
	if con.Kind != contentReceipt && !mayWrite(a.known, a.voice(e, m)) { // observers, too, destroy
		return true, a.void(m, con)
	}
	return false, nil
}

func (a *applying) voice(e *pb.Entry, m matter.Message) voice {
	return voice{member: m.Author, at: time.UnixMilli(e.GetTimeMs())}
}

// void passes over what has no effect. Whoever wrote it here is told.
func (a *applying) void(m matter.Message, con content) error {
	if m.Device != a.c.self || a.now <= a.place.Replay {
		return nil
	}
	body, err := con.bytes()
	if err != nil {
		return err
	}
	// It was allowed when it was written, else it had been refused at once.
	text, _ := fault.Words(&fault.Error{Text: "This had no effect: the matter was changed before it arrived."}, nil)
	return a.tx.FailOutgoing(store.Outgoing{Matter: a.id, ID: m.ID, Time: con.Time, Content: body}, text)
}

// changed makes a change of the matter when its author may.
func (a *applying) changed(e *pb.Entry, m matter.Message, con content) error {
	ch, err := parseChange(con.Body)
	if err != nil {
		if m.Kind = matter.KindUnread; errors.Is(err, errNewerField) {
			m.Kind = matter.KindNewer
		}
		return a.show(e, m)
	}
	v := a.voice(e, m)
	if ch.Field == matter.FieldOwner && m.Author != a.known.Owner && con.LogNext >= a.known.Log {
		if v.admin, err = a.c.dir.wasAdmin(a.tx, m.Author, con.LogNext); err != nil {
			return err
		}
	}
	line, ok := ch.apply(a.known, v)
	if !ok {
		return a.void(m, con)
	}
	a.known.Log = max(a.known.Log, con.LogNext)
	if err := a.save(); err != nil {
		return err
	}
	m.Kind, m.Change = matter.KindChanged, &line
	switch ch.Field {
	case matter.FieldOwner, matter.FieldPart:
		m.Subjects = []matter.MemberID{matter.MemberID(ch.ID)}
	case matter.FieldWaiting:
		if on := matter.MemberID(ch.ID); !on.IsZero() {
			m.Subjects = []matter.MemberID{on}
		}
	case matter.FieldLeft:
		m.Kind, m.Change = matter.KindLeft, nil
		if a.now <= a.place.Replay {
			break // done long ago
		}
		if err := a.tx.SetWanted(a.id, m.Author, store.Wish{}); err != nil {
			return err
		}
	}
	switch ch.Field {
	case matter.FieldPart, matter.FieldLeft, matter.FieldOwner:
		a.look = true
	}
	return a.show(e, m)
}

// save stores what a change has made of the matter.
func (a *applying) save() error {
	a.place.Owner, a.place.State = a.known.Owner, a.known.State
	return a.tx.Describe(*a.known)
}

// described takes a description: as the first one that this device gets since it came in,
// when it is by whoever let it in; else as an account to hold against its own.
func (a *applying) described(e *pb.Entry, m matter.Message, con content) error {
	d, err := parseDescription(con.Body)
	if err != nil {
		m.Kind = matter.KindUnread
		return a.show(e, m)
	}
	if a.place.Described {
		return a.accounted(e, m, d, con.Body)
	}
	opening := d.AsOf == 0 && a.place.Base == 1
	if d.AsOf != a.place.Base && !opening || a.place.Adder != a.c.self && a.place.Adder != m.Device {
		return nil // for somebody else
	}
	if d.AsOf == 0 {
		d.Chain = chainStart(a.id)
	}
	d.onto(a.known)
	a.place.Described = true
	if err := errors.Join(a.save(), a.tx.SetDescribed(a.id), a.tx.PutAccount(a.id, d.AsOf, con.Body), a.anchor(d.AsOf, d.Chain)); err != nil {
		return err
	}
	held, err := a.tx.TakeHeldEntries(a.id)
	if err != nil {
		return err
	}
	for _, raw := range held {
		h := &pb.Entry{}
		if err := proto.Unmarshal(raw, h); err != nil {
			return err
		}
		if err := a.again(h); err != nil {
			return err
		}
	}
	return a.opened(e, m, d)
}

// opened shows the line that begins a thread, once.
func (a *applying) opened(e *pb.Entry, m matter.Message, d description) error {
	if shown, err := a.tx.HasKind(a.id, matter.KindOpened); err != nil || shown {
		return err
	}
	in, err := a.tx.Participants(a.id)
	if err != nil {
		return err
	}
	m.Kind, m.Author, m.Subjects = matter.KindOpened, d.OpenedBy, in
	return a.show(e, m)
}

// accounted compares somebody's account of the matter with this device's own. When the owner's
// device finds a wrong one, it gives its own.
func (a *applying) accounted(e *pb.Entry, m matter.Message, d description, body []byte) error {
	if d.AsOf == 0 {
		if m.Device != a.c.self {
			return nil
		}
		return a.opened(e, m, d)
	}
	own, err := a.tx.Account(a.id, d.AsOf)
	if errors.Is(err, store.ErrNone) || err == nil && string(own) == string(body) {
		return nil
	}
	if err != nil {
		return err
	}
	if a.known.Owner == a.c.acct.Member && m.Author != a.c.acct.Member {
		if _, err := a.c.enqueue(a.tx, a.id, contentDescription, own); err != nil {
			return err
		}
	}
	return a.broken(e, m)
}

// again judges an entry that was held back.
func (a *applying) again(e *pb.Entry) error {
	signed, filed := a.signed, a.filed
	defer func() { a.signed, a.filed = signed, filed }()
	body, h, err := a.openAs(e, matter.DeviceID(e.GetSender()), e.GetEpoch())
	var con content
	if err == nil {
		con, err = parseContent(body)
	}
	if err != nil {
		return nil //nolint:nilerr // it was shown as unreadable when it came
	}
	dev, _, _ := a.c.dir.device(matter.DeviceID(e.GetSender()))
	m := matter.Message{ID: h.Message, Author: dev.Member, Device: dev.ID}
	if con.Kind != contentText {
		if err := a.tx.DropMessage(a.id, e.GetSeq()); err != nil {
			return err
		}
		a.filed = false
		if err := a.take(e, m, con); err != nil || a.filed {
			return err
		}
		return a.hide(e, m)
	}
	if err := a.compare(e, m, con); err != nil || mayWrite(a.known, a.voice(e, m)) {
		return err
	}
	if err := a.tx.DropMessage(a.id, e.GetSeq()); err != nil {
		return err
	}
	return a.hide(e, m)
}

// warn files a line that warns. It has no place of its own in the hub's order: it stands
// before the entry that gave cause.
func (a *applying) warn(e *pb.Entry, m matter.Message) error {
	m.Matter, m.Seq, m.Time, m.Delivery, m.ID = a.id, e.GetSeq(), time.UnixMilli(e.GetTimeMs()), matter.DeliverySent, matter.MessageID(m.Device[:16])
	added, err := a.tx.AddWarning(m)
	if added {
		a.events = append(a.events, MessageAdded{m})
	}
	return err
}

// wasAdmin reports whether a member was an owner or administrator of the organisation
// before entry next of its log. All devices come to the same, whatever they have of the
// log by now.
func (d *directory) wasAdmin(tx *store.Tx, id matter.MemberID, next uint64) (bool, error) {
	d.mu.RLock()
	have := d.state.Next()
	head, ok := d.state.HashAt(next - 1)
	d.mu.RUnlock()
	if next == 0 {
		return false, nil
	}
	if next > have {
		return false, errUnknownDevice // pull the log, then look again
	}
	if !ok {
		return false, nil
	}
	n := uint64(0)
	s, err := orglog.Restore(func(yield func([]byte, error) bool) {
		for b, err := range tx.LogEntries() {
			if n >= next || !yield(b, err) {
				return
			}
			n++
		}
	}, head)
	if err != nil {
		return false, err
	}
	m, ok := s.Member(id)
	return ok && !m.Left && m.Role <= matter.RoleAdmin, nil
}

// draftOnly refuses what can't be done in a draft.
func draftOnly() error {
	return &fault.Error{Text: "This matter is still a draft.", Hint: "Start it first."}
}

// Change changes a matter; see the Set… functions.
func (c *Client) change(ctx context.Context, id matter.ID, ch change) (matter.Message, error) {
	return c.post(ctx, id, func(tx *store.Tx, p store.Place) (uint16, []byte, error) {
		m, err := tx.Matter(id)
		if err != nil {
			return 0, nil, err
		}
		if p.State == matter.StateDraft {
			return 0, nil, draftOnly()
		}
		if err := ch.check(); err != nil {
			return 0, nil, &fault.Error{Text: "A matter can't be changed to this.", Hint: "Use fewer and plain words.", Err: err}
		}
		v := voice{member: c.acct.Member, at: c.now(), admin: c.Me().Member.Role <= matter.RoleAdmin}
		if !mayChange(&m, v, ch.Field) {
			return 0, nil, mayNot(&m, v, ch.Field)
		}
		if _, ok := ch.apply(&m, v); !ok {
			return 0, nil, &fault.Error{Text: "This changes nothing.", Hint: "Look at the matter again."}
		}
		body, err := ch.bytes()
		return contentChange, body, err
	})
}

// mayNot says why somebody may not change something.
func mayNot(m *matter.Matter, v voice, f matter.Field) error {
	part := m.PartOf(v.member, v.at)
	switch {
	case f == matter.FieldLeft:
		return &fault.Error{Text: "The owner of a matter can't leave it.", Hint: "Hand it over to somebody else first."}
	case m.State.Closed() && (part == matter.PartOwner || part == matter.PartParticipant):
		return concludedAlready()
	case part == matter.PartObserver:
		return observesOnly()
	case part == matter.PartGuest || part == 0:
		return &fault.Error{Text: "Guests of a matter can't change it.", Hint: "Ask the owner."}
	}
	return &fault.Error{Text: "Only the owner of a matter can change this.", Hint: "Ask the owner."}
}

func observesOnly() error {
	return &fault.Error{Text: "You are an observer of this matter: you read only.", Hint: "Ask the owner for another part in it."}
}
