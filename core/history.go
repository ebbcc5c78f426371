package core

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"causa/crypto/mls"
	"causa/crypto/seal"
	"causa/matter"
	"causa/store"
	"causa/wire/pb"
)

// History. Where a matter's policy says everything, whoever's commit lets a device in hands
// it the content secrets of the earlier epochs, and has the hub let it read from there on.
// A member's further devices get theirs from a device that the member has had before,
// whatever the policy: it is the same person. The secrets are sealed to the one device.
// Having them, that device goes back to where they begin and takes every entry again, as
// everybody else has: it checks the same signatures, the same chain, the same rules.

// A handover is the content secrets of past epochs, for one device. Its bytes:
//
//	opaque device[32]; uint64 from; uint8 more; opaque kem<0..2^16-1>; opaque sealed<0..2^24-1>;
//
// more is 1 when another part follows. Sealed is struct { uint64 epoch; opaque secret[32]; }[].
type handover struct {
	Device matter.DeviceID
	From   uint64 // the entry from which on they open messages
	More   bool
	Kem    []byte
	Sealed []byte
}

const (
	historyLabel   = "causa history"
	handoverEpochs = 1000 // in one part
)

func (h handover) bytes() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddBytes(h.Device[:])
	b.AddUint64(h.From)
	b.AddUint8(flag(h.More))
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(h.Kem) })
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(h.Sealed) })
	return b.Bytes()
}

func parseHandover(raw []byte) (h handover, err error) {
	s := cryptobyte.String(raw)
	var more uint8
	var kem, sealed cryptobyte.String
	if !s.CopyBytes(h.Device[:]) || !s.ReadUint64(&h.From) || !s.ReadUint8(&more) || more > 1 ||
		!s.ReadUint16LengthPrefixed(&kem) || !s.ReadUint24LengthPrefixed(&sealed) || !s.Empty() || h.From == 0 {
		return h, errContent
	}
	h.More, h.Kem, h.Sealed = more == 1, kem, sealed
	return h, nil
}

// heirs lists the devices that a commit has let in and that this device hands the history
// to.
func (a *applying) heirs(g *mls.Group, before map[matter.DeviceID]bool, change *mls.Change, own bool) (out []matter.DeviceID) {
	everything := a.place.Described && a.known.History == matter.HistoryEverything
	for _, leaf := range g.Members() {
		id := deviceOf(leaf.Identity)
		cameIn := !before[id] || change.External && slices.Equal(leaf.Identity, change.CommitterIdentity)
		if !cameIn || id == a.c.self {
			continue
		}
		switch elder := a.elder(g, id); {
		case own && everything, elder == a.c.self,
			elder == matter.DeviceID{} && change.External && everything && a.firstBeside(g, change):
			out = append(out, id)
		}
	}
	return out
}

// nameHeirs notes to whom this device hands the history after a commit.
func (a *applying) nameHeirs(g *mls.Group, before map[matter.DeviceID]bool, change *mls.Change, own bool) error {
	if a.place.Personal {
		return nil
	}
	for _, id := range a.heirs(g, before, change, own) {
		if err := a.tx.AddHeir(a.id, id); err != nil {
			return err
		}
	}
	return nil
}

// elder is the first other device in a group of the member whose device id is; zero when
// there is none.
func (a *applying) elder(g *mls.Group, id matter.DeviceID) matter.DeviceID {
	dev, _, _ := a.c.dir.device(id)
	for _, leaf := range g.Members() {
		other := deviceOf(leaf.Identity)
		if o, _, _ := a.c.dir.device(other); other != id && o.Member == dev.Member {
			return other
		}
	}
	return matter.DeviceID{}
}

// handOverDue hands history to the devices that wait for it.
func (c *Client) handOverDue(ctx context.Context, l *link) error {
	var due []store.Heir
	err := c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.Heirs()
		return err
	})
	if err != nil {
		return err
	}
	for _, h := range due {
		_, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_GrantHistory{GrantHistory: &pb.GrantHistory{
			Matter: h.Matter[:], From: h.From, Devices: [][]byte{h.Device[:]},
		}}})
		var r *refusal
		if err != nil && !errors.As(err, &r) {
			return err
		}
		err = c.home.db.Update(ctx, func(tx *store.Tx) error {
			if r == nil {
				if err := c.queueHandover(tx, h); err != nil {
					return err
				}
			}
			return tx.DropHeir(h)
		})
		if err != nil {
			return err
		}
		if err := c.countQueue(ctx); err != nil {
			return err
		}
	}
	return nil
}

// queueHandover seals what this device has of a matter's past to a device.
func (c *Client) queueHandover(tx *store.Tx, h store.Heir) error {
	row, err := tx.Group(h.Matter)
	if errors.Is(err, store.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	g, _, err := c.loadGroup(&store.Group{State: row.State})
	if err != nil {
		return err
	}
	leaf, ok := g.Find(h.Device[:])
	if !ok {
		return nil // taken out meanwhile
	}
	secrets, err := tx.ContentSecrets(h.Matter)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(secrets, handoverEpochs) {
		plain := make([]byte, 0, len(part)*40)
		for _, s := range part {
			plain = append(binary.BigEndian.AppendUint64(plain, s.Epoch), s.Secret...)
		}
		o := handover{Device: h.Device, From: h.From, More: part[len(part)-1].Epoch != secrets[len(secrets)-1].Epoch}
		o.Kem, o.Sealed, err = g.SealTo(leaf, historyLabel, h.Matter[:], plain)
		clear(plain)
		if err != nil {
			return err
		}
		body, err := o.bytes()
		if err != nil {
			return err
		}
		if _, err := c.enqueue(tx, h.Matter, contentHistory, body); err != nil {
			return err
		}
	}
	return nil
}

// handed takes a part of the past that is for this device; others see that it was handed
// over. With the last part, this device goes back to where it begins.
func (a *applying) handed(e *pb.Entry, m matter.Message, con content) error {
	h, err := parseHandover(con.Body)
	if err != nil {
		m.Kind = matter.KindUnread
		return a.show(e, m)
	}
	heir, _, known := a.c.dir.device(h.Device)
	if h.Device == a.c.self && e.GetSeq() > a.place.Replay && a.mayHand(m) {
		if err := a.takeSecrets(h); err != nil {
			a.c.log.Warn("history can't be opened", "err", err)
			return nil
		}
		if !h.More && h.From < a.place.Since {
			a.rewind = h.From
		}
	}
	if h.More || !known || heir.Member == m.Author {
		return nil
	}
	m.Kind, m.Subjects = matter.KindHistory, []matter.MemberID{heir.Member}
	return a.show(e, m)
}

// mayHand reports whether this device takes its past from the author: who let it in,
// another device of the same member, or anybody when it came in by itself.
func (a *applying) mayHand(m matter.Message) bool {
	return m.Device == a.place.Adder || a.place.Adder == a.c.self || m.Author == a.c.acct.Member
}

func (a *applying) takeSecrets(h handover) error {
	if a.row == nil {
		return errNoKeys
	}
	g, _, err := a.c.loadGroup(&store.Group{State: a.row.State})
	if err != nil {
		return err
	}
	plain, err := g.OpenSealed(historyLabel, a.id[:], h.Kem, h.Sealed)
	if err != nil {
		return err
	}
	const size = 8 + len(seal.Secret{})
	if len(plain)%size != 0 {
		return errContent
	}
	for part := range slices.Chunk(plain, size) {
		if err := a.tx.AddContentSecret(a.id, binary.BigEndian.Uint64(part), part[8:]); err != nil {
			return err
		}
	}
	return nil
}

// replayed deals with a commit that this device has taken before it went back, or that
// came before it was let in: the keys are of now. What was let in then is told how the
// matter stood; it must be how it stands here.
func (a *applying) replayed(e *pb.Entry) error {
	if !a.place.Described || a.chain == nil {
		return nil
	}
	told, err := a.tx.Account(a.id, e.GetSeq())
	if errors.Is(err, store.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	body, err := standing(a.known, e.GetSeq(), *a.chain).bytes()
	if err != nil || string(body) == string(told) {
		return err
	}
	dev, _, _ := a.c.dir.device(matter.DeviceID(e.GetSender()))
	return a.broken(e, matter.Message{Author: dev.Member, Device: dev.ID})
}
