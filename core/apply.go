package core

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"causa/crypto/mls"
	"causa/crypto/seal"
	"causa/matter"
	"causa/store"
	"causa/wire/pb"
)

// errSequence: the hub left out, repeated or reordered entries.
var errSequence = errors.New("the hub's entries are not in sequence")

// apply takes consecutive entries of a matter: all of them and what follows from them
// become durable together.
func (c *Client) apply(ctx context.Context, l *link, id matter.ID, entries []*pb.Entry) error {
	a, err := c.applyOnce(ctx, id, entries, false)
	if errors.Is(err, errUnknownDevice) {
		// Someone acts who joined after our copy of the log was made.
		if err := c.pullLog(ctx, l); err != nil {
			return err
		}
		a, err = c.applyOnce(ctx, id, entries, true)
	}
	if err != nil {
		return err
	}
	c.events.tell(a.events...)
	a.settled()
	if a.back {
		delete(c.work.lost, id)
		delete(c.work.rejoin, id)
		delete(c.work.fails, id)
		delete(c.work.problems, id)
	}
	if a.committed || a.back {
		delete(c.work.committing, id)
	}
	if a.rewind != 0 {
		c.work.behind[id] = true
	}
	if a.committed || a.back || a.look {
		c.lookAt(id, time.Now())
	}
	if a.files {
		c.files.wakeDownloads()
	}
	if a.sent {
		return c.countQueue(ctx)
	}
	return nil
}

// errMissedCommit: a message of a later epoch came before the commit that begins it.
// Retention at the hub has taken the commit.
var errMissedCommit = errors.New("a commit is missing")

// An applying is one page of entries on its way into the store.
type applying struct {
	c      *Client
	tx     *store.Tx
	id     matter.ID
	place  store.Place
	row    *store.Group   // nil: this device has no keys any more
	known  *matter.Matter // how it stands, after the entries taken so far
	chain  *chain         // up to the last entry taken; nil: not known
	now    uint64         // the entry at hand
	final  bool           // the log is fresh: what names an unknown device is a forgery
	secret map[uint64]*seal.Secret
	signed *seal.Signed // the content of the entry at hand, when it could be opened
	filed  bool         // the entry at hand has its line

	destroyed []matter.Ref // messages that others have taken back

	events    []Event
	notices   []Notice
	quiet     *quietState // newer quiet hours, of another device
	committed bool
	look      bool   // who takes part may have to change
	rewind    uint64 // not 0: the entry to go back to
	back      bool
	sent      bool
	files     bool // there are files to fetch
}

func (c *Client) applyOnce(ctx context.Context, id matter.ID, entries []*pb.Entry, final bool) (*applying, error) {
	a := &applying{c: c, id: id, final: final, secret: map[uint64]*seal.Secret{}}
	err := c.home.db.Update(ctx, func(tx *store.Tx) (err error) {
		a.tx = tx
		if a.place, err = tx.Place(id); err != nil {
			return err
		}
		if a.row, err = tx.Group(id); err != nil && !errors.Is(err, store.ErrNone) {
			return err
		}
		known, err := tx.Matter(id)
		if err != nil {
			return err
		}
		a.known = &known
		if a.chain, err = chainAt(tx, id, a.place.Cursor); err != nil {
			return err
		}
		for _, e := range entries {
			if a.place.Removed {
				break
			}
			if e.GetSeq() != a.place.Cursor+1 {
				return fmt.Errorf("%w: %d after %d", errSequence, e.GetSeq(), a.place.Cursor)
			}
			a.now = e.GetSeq()
			if err := a.extend(e); err != nil {
				return err
			}
			if err := a.entry(e); err != nil {
				return err
			}
			if err := a.record(e); err != nil {
				return err
			}
			a.place.Cursor = e.GetSeq()
			if a.rewind != 0 {
				if err := tx.SetCursor(id, a.place.Cursor); err != nil {
					return err
				}
				return tx.Rewind(id, a.rewind, c.self)
			}
		}
		if err := a.receipts(); err != nil {
			return err
		}
		if err := tx.DropListed(id, a.place.Cursor); err != nil {
			return err
		}
		return tx.SetCursor(id, a.place.Cursor)
	})
	if err != nil {
		return nil, err
	}
	a.events = append(a.events, MatterChanged{id})
	return a, nil
}

func (a *applying) entry(e *pb.Entry) error {
	a.signed, a.filed = nil, false
	if len(e.GetSender()) != len(matter.DeviceID{}) {
		return errSequence
	}
	switch e.GetKind() {
	case pb.EntryKind_ENTRY_KIND_COMMIT:
		return a.commit(e)
	case pb.EntryKind_ENTRY_KIND_CONTENT:
		return a.content(e)
	default:
		return a.show(e, matter.Message{Kind: matter.KindNewer})
	}
}

// commit moves the matter's group to its next epoch.
func (a *applying) commit(e *pb.Entry) error {
	if e.GetSeq() <= a.place.Replay {
		return a.replayed(e)
	}
	if a.place.Base == e.GetSeq() {
		return nil // the one that let this device in
	}
	if a.row == nil {
		return a.rejoined(e)
	}
	group, pending, err := a.c.loadGroup(a.row)
	if err != nil {
		return err
	}
	own := pending != nil && bytes.Equal(pending.Commit(), e.GetPayload())
	change := &mls.Change{CommitterIdentity: a.c.self[:]}
	devices := devicesIn(group)
	if own {
		group = pending.Group()
	} else if change, err = group.Process(e.GetPayload()); err != nil {
		if errors.Is(err, errUnknownDevice) && !a.final {
			return err
		}
		return a.lost(e, err)
	}
	before, err := a.tx.Participants(a.id)
	if err != nil {
		return err
	}
	if err := a.letIn(change, before); err != nil {
		return a.lost(e, err)
	}
	a.committed = true
	if change.SelfRemoved {
		return a.removed(e, change)
	}
	now := time.UnixMilli(e.GetTimeMs())
	if a.row, err = a.c.putGroup(a.tx, a.id, group, now); err != nil {
		return err
	}
	after := a.c.participants(group, before)
	if err := a.tx.SetParticipants(a.id, after); err != nil {
		return err
	}
	author, _, _ := a.c.dir.device(deviceOf(change.CommitterIdentity))
	m := matter.Message{ID: matter.MessageID(digest(e.GetPayload())), Author: author.Member, Device: author.ID}
	over, err := a.overreach(e, author.Member, before, after)
	if err != nil {
		return err
	}
	leavers, err := a.leavers()
	if err != nil {
		return err
	}
	if err := a.fulfilled(after); err != nil {
		return err
	}
	if newcomers(group, devices) || change.External {
		if err := a.nameHeirs(group, devices, change, own); err != nil {
			return err
		}
		if err := a.tellNewcomer(e, own || change.External && a.firstBeside(group, change)); err != nil {
			return err
		}
	}
	if in := missing(after, before); len(in) > 0 && e.GetSeq() > 1 {
		m.Kind, m.Subjects = matter.KindAdded, in
	} else if out := missing(before, after); len(out) > 0 {
		if m.Kind, m.Subjects = matter.KindRemoved, missing(out, leavers); len(m.Subjects) == 0 {
			return nil // they said so themselves
		}
	} else if more := a.further(devices, group, before); len(more) > 0 {
		m.Kind, m.Subjects = matter.KindDevice, more
	} else {
		return nil
	}
	if over != "" {
		m.Kind, m.Text = matter.KindOverreach, over
	}
	return a.show(e, m)
}

// further lists the participants who have come by a further device: nobody should read
// along unseen.
func (a *applying) further(old map[matter.DeviceID]bool, g *mls.Group, before []matter.MemberID) (out []matter.MemberID) {
	for id := range devicesIn(g) {
		dev, _, _ := a.c.dir.device(id)
		if !old[id] && slices.Contains(before, dev.Member) && !slices.Contains(out, dev.Member) {
			out = append(out, dev.Member)
		}
	}
	return out
}

func devicesIn(g *mls.Group) map[matter.DeviceID]bool {
	in := map[matter.DeviceID]bool{}
	for _, leaf := range g.Members() {
		in[deviceOf(leaf.Identity)] = true
	}
	return in
}

// fulfilled forgets wishes for participants that have come true.
func (a *applying) fulfilled(after []matter.MemberID) error {
	wanted, err := a.tx.Wanted(a.id)
	if err != nil {
		return err
	}
	for m, w := range wanted {
		if slices.Contains(after, m) == w.Present {
			if err := a.tx.DropWanted(a.id, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// removed ends a matter for this device: what it could read stays.
func (a *applying) removed(e *pb.Entry, change *mls.Change) error {
	a.row, a.place.Removed = nil, true
	if err := a.tx.SetRemoved(a.id); err != nil {
		return err
	}
	if err := a.tx.DropGroup(a.id); err != nil {
		return err
	}
	author, _, _ := a.c.dir.device(deviceOf(change.CommitterIdentity))
	before, err := a.tx.Participants(a.id)
	if err != nil {
		return err
	}
	self := []matter.MemberID{a.c.acct.Member}
	over, err := a.overreach(e, author.Member, before, missing(before, self))
	if err != nil {
		return err
	}
	m := matter.Message{Kind: matter.KindRemoved, ID: matter.MessageID(digest(e.GetPayload())), Author: author.Member, Device: author.ID, Subjects: self}
	if over != "" {
		m.Kind, m.Text = matter.KindOverreach, over
	}
	return a.show(e, m)
}

// letIn refuses a device that brings itself in, unless it is another one of somebody who
// takes part already.
func (a *applying) letIn(change *mls.Change, before []matter.MemberID) error {
	if !change.External {
		return nil
	}
	dev, _, _ := a.c.dir.device(deviceOf(change.CommitterIdentity))
	if !slices.Contains(before, dev.Member) {
		return errors.New("a device of someone who does not take part let itself in")
	}
	return nil
}

// firstBeside reports whether this device is the one that tells a device which has let
// itself in what the matter is about: the first in the group.
func (a *applying) firstBeside(g *mls.Group, change *mls.Change) bool {
	for _, leaf := range g.Members() {
		if !bytes.Equal(leaf.Identity, change.CommitterIdentity) {
			return deviceOf(leaf.Identity) == a.c.self
		}
	}
	return false
}

// rejoined takes the external commit by which this device comes back; until then, other
// commits mean nothing to it.
func (a *applying) rejoined(e *pb.Entry) error {
	pending := a.c.work.rejoin[a.id]
	if pending == nil || !bytes.Equal(pending.Commit(), e.GetPayload()) {
		return nil
	}
	before, err := a.tx.Participants(a.id)
	if err != nil {
		return err
	}
	group := pending.Group()
	if a.row, err = a.c.putGroup(a.tx, a.id, group, time.UnixMilli(e.GetTimeMs())); err != nil {
		return err
	}
	a.back, a.place.Base, a.place.Adder, a.place.Described = true, e.GetSeq(), a.c.self, false
	if err := a.tx.SetBase(a.id, e.GetSeq(), a.c.self); err != nil {
		return err
	}
	return a.tx.SetParticipants(a.id, a.c.participants(group, before))
}

// lost gives up following a matter whose commit this device can't take; it comes back
// with a commit of its own.
func (a *applying) lost(e *pb.Entry, why error) error {
	a.c.log.Warn("matter can't be followed", "seq", e.GetSeq(), "err", why)
	a.c.work.problems[a.id] = damaged(why)
	a.c.work.lost[a.id] = time.Now()
	a.row = nil
	return a.tx.DropGroup(a.id)
}

// content opens a sealed message and files what it says.
func (a *applying) content(e *pb.Entry) error {
	sender := matter.DeviceID(e.GetSender())
	body, h, err := a.open(e, sender)
	if errors.Is(err, errUnknownDevice) && !a.final {
		return err
	}
	var con content
	if err == nil {
		con, err = parseContent(body)
	}
	dev, _, _ := a.c.dir.device(sender)
	m := matter.Message{ID: h.Message, Author: dev.Member, Device: sender}
	if err != nil {
		a.c.log.Warn("message can't be opened", "seq", e.GetSeq(), "err", err)
		if errors.Is(err, errMissedCommit) {
			if err := a.lost(e, err); err != nil {
				return err
			}
		}
		a.signed = nil
		m.Kind, m.ID = matter.KindUnread, matter.MessageID(digest(e.GetPayload()))
		return a.show(e, m)
	}
	if seen, err := a.tx.HasMessage(a.id, sender, h.Message); err != nil {
		return err
	} else if seen {
		return a.broken(e, m) // a replay shows nothing a second time
	}
	if err := a.c.dir.claim(con.LogNext, con.LogHead); err != nil {
		a.c.setStatus(func(s *Status) { s.Problem = err })
	}
	if sender == a.c.self {
		a.sent = true
		if err := a.tx.DropOutgoing(a.id, h.Message); err != nil {
			return err
		}
	}
	return a.take(e, m, con)
}

// take puts what somebody said where it belongs.
func (a *applying) take(e *pb.Entry, m matter.Message, con content) error {
	if done, err := a.weigh(e, m, con); err != nil || done {
		return err
	}
	switch con.Kind {
	case contentText:
		if m.Kind, m.Text = matter.KindText, string(con.Body); !utf8.ValidString(m.Text) {
			m.Kind, m.Text = matter.KindUnread, ""
		}
	case contentConclusion:
		return a.concluded(e, m, con)
	case contentReopening:
		return a.reopened(e, m, con)
	case contentUrgent:
		return a.urgent(e, m, con)
	case contentAcknowledge:
		return a.acknowledged(m, con, time.UnixMilli(e.GetTimeMs()))
	case contentQuiet, contentRead, contentListed:
		return a.told(m, con)
	case contentFile:
		return a.file(e, m, con)
	default:
		if act := acts[con.Kind]; act != nil {
			return act(a, e, m, con)
		}
		m.Kind = matter.KindNewer
	}
	return a.show(e, m)
}

// open opens a message of the epoch that the matter is in.
func (a *applying) open(e *pb.Entry, sender matter.DeviceID) ([]byte, seal.Header, error) {
	if e.GetSeq() <= a.place.Replay {
		return a.openAs(e, sender, e.GetEpoch())
	}
	if a.row == nil {
		return nil, seal.Header{}, errNoKeys
	}
	if e.GetEpoch() > a.row.Epoch {
		return nil, seal.Header{}, errMissedCommit
	}
	// Who was taken out may still have the keys of the epochs before, and a friend at the
	// hub: what is said in one counts only while it lasts.
	return a.openAs(e, sender, a.row.Epoch)
}

// errNoKeys: this device has lost the matter's keys and is on its way back.
var errNoKeys = errors.New("no keys for this matter")

// openAs opens a message of an epoch.
func (a *applying) openAs(e *pb.Entry, sender matter.DeviceID, epoch uint64) ([]byte, seal.Header, error) {
	s, err := seal.Parse(e.GetPayload())
	if err != nil {
		return nil, seal.Header{}, err
	}
	h := s.Header
	if h.Matter != a.id || h.Sender != sender || h.Epoch != e.GetEpoch() || h.Epoch != epoch {
		return nil, h, errors.New("the hub put a message in another place than its sender did")
	}
	secret, err := a.epochSecret(h.Epoch)
	if err != nil {
		return nil, h, err
	}
	_, key, ok := a.c.dir.device(sender)
	if !ok {
		return nil, h, errUnknownDevice
	}
	if a.signed, err = s.Open(secret, key); err != nil {
		return nil, h, err
	}
	return a.signed.Body, h, nil
}

func (a *applying) epochSecret(epoch uint64) (*seal.Secret, error) {
	if s := a.secret[epoch]; s != nil {
		return s, nil
	}
	b, err := a.tx.ContentSecret(a.id, epoch)
	if err != nil {
		return nil, err
	}
	s := seal.Secret(b)
	a.secret[epoch] = &s
	return &s, nil
}

// show files one line of the thread.
func (a *applying) show(e *pb.Entry, m matter.Message) error {
	if a.place.Personal {
		return nil // nobody looks at it
	}
	m.Matter, m.Seq, m.Time, m.Delivery = a.id, e.GetSeq(), time.UnixMilli(e.GetTimeMs()), matter.DeliverySent
	if m.ID == (matter.MessageID{}) {
		m.ID = matter.MessageID(digest(e.GetPayload()))
	}
	a.filed = true
	added, err := a.tx.AddMessage(m, a.c.acct.Member)
	if err != nil || !added {
		return err
	}
	if err := a.calls(m); err != nil {
		return err
	}
	if m.Device == a.c.self && m.Kind.Said() {
		a.events = append(a.events, MessageChanged{m})
	} else {
		a.events = append(a.events, MessageAdded{m})
	}
	if e.GetSeq() <= a.place.Replay {
		return nil // told before, or said before this device was there
	}
	return a.judge(m)
}

// digest names entries that have no message id of their own.
func digest(b []byte) [16]byte {
	h := sha256.Sum256(b)
	return [16]byte(h[:16])
}

// missing lists who is in a and not in b.
func missing(a, b []matter.MemberID) (out []matter.MemberID) {
	for _, m := range a {
		if !slices.Contains(b, m) {
			out = append(out, m)
		}
	}
	return out
}

func deviceOf(identity []byte) matter.DeviceID {
	if len(identity) != len(matter.DeviceID{}) {
		return matter.DeviceID{}
	}
	return matter.DeviceID(identity)
}

// participants lists the members whose devices are in a group: those of before that
// are still there, then the others.
func (c *Client) participants(g *mls.Group, before []matter.MemberID) []matter.MemberID {
	in := map[matter.MemberID]bool{}
	var fresh []matter.MemberID
	for _, leaf := range g.Members() {
		dev, _, ok := c.dir.device(deviceOf(leaf.Identity))
		if !ok || in[dev.Member] {
			continue
		}
		in[dev.Member] = true
		if !slices.Contains(before, dev.Member) {
			fresh = append(fresh, dev.Member)
		}
	}
	var out []matter.MemberID
	for _, m := range before {
		if in[m] {
			out = append(out, m)
		}
	}
	return append(out, fresh...)
}
