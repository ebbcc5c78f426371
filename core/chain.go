package core

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"causa/matter"
	"causa/store"
	"causa/wire/pb"
)

// A chain is a hash over all entries of a matter up to one of them, in the hub's order.
// Everything that is said names the chain its author had, so that a gap, a repetition, a
// changed order, or two stories told to two people come to light.
type chain [sha256.Size]byte

// chainStart is the chain of a matter before its first entry.
func chainStart(id matter.ID) chain {
	return sha256.Sum256(append([]byte("causa chain v1\x00"), id[:]...))
}

// next is the chain that goes on with an entry's digest.
func (c chain) next(digest [32]byte) chain {
	return sha256.Sum256(append(c[:], digest[:]...))
}

// entryDigest stands for one entry of a matter, in its place and at its time.
func entryDigest(e *pb.Entry) [32]byte {
	h := sha256.New()
	h.Write([]byte("causa entry v1\x00"))
	h.Write(binary.BigEndian.AppendUint64(nil, e.GetSeq()))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(e.GetTimeMs())))
	h.Write([]byte{byte(e.GetKind())})
	h.Write(e.GetSender())
	h.Write(binary.BigEndian.AppendUint64(nil, e.GetEpoch()))
	h.Write(e.GetPayload())
	return [32]byte(h.Sum(nil))
}

// chainAt returns the chain up to an entry; nil when this device does not know it.
func chainAt(tx *store.Tx, id matter.ID, seq uint64) (*chain, error) {
	if seq == 0 {
		c := chainStart(id)
		return &c, nil
	}
	b, err := tx.Chain(id, seq)
	if errors.Is(err, store.ErrNone) {
		return nil, nil
	}
	if err != nil || len(b) != len(chain{}) {
		return nil, err
	}
	c := chain(b)
	return &c, nil
}

// withSight puts into a message that is about to be sent what this device has seen of its
// matter.
func withSight(tx *store.Tx, it store.Outgoing) ([]byte, error) {
	con, err := parseContent(it.Content)
	if err != nil {
		return nil, err
	}
	place, err := tx.Place(it.Matter)
	if err != nil || place.Cursor == 0 {
		return it.Content, err
	}
	seen, err := chainAt(tx, it.Matter, place.Cursor)
	if err != nil || seen == nil {
		return it.Content, err
	}
	con.Seen, con.Chain = place.Cursor, *seen
	return con.bytes()
}

// extend files an entry's digest, and the chain with it when the one before is known.
func (a *applying) extend(e *pb.Entry) error {
	d := entryDigest(e)
	var known []byte
	if a.chain != nil {
		next := a.chain.next(d)
		a.chain, known = &next, next[:]
	}
	return a.tx.AddDigest(a.id, e.GetSeq(), d, known)
}

// anchor takes over the chain that another device has up to an entry, and goes on from
// there with the digests that are here.
func (a *applying) anchor(seq uint64, c chain) error {
	if err := a.tx.SetChain(a.id, seq, c[:]); err != nil {
		return err
	}
	at := seq
	digests := make([][32]byte, 0, 16)
	for d, err := range a.tx.Digests(a.id, seq+1, a.now) {
		if err != nil {
			return err
		}
		digests = append(digests, [32]byte(d))
	}
	if uint64(len(digests)) != a.now-seq {
		return nil // something between is missing
	}
	for _, d := range digests {
		at, c = at+1, c.next(d)
		if err := a.tx.SetChain(a.id, at, c[:]); err != nil {
			return err
		}
	}
	a.chain = &c
	return nil
}

// compare holds what an author had seen of the matter against what is here. What differs
// is shown in the thread, once for each device.
func (a *applying) compare(e *pb.Entry, m matter.Message, con content) error {
	if con.Seen == 0 {
		return nil
	}
	if con.Seen >= e.GetSeq() {
		return a.broken(e, m)
	}
	have, err := chainAt(a.tx, a.id, con.Seen)
	switch {
	case err != nil:
		return err
	case have == nil && a.chain == nil:
		return a.anchor(con.Seen, con.Chain) // retention at the hub has left a gap here
	case have == nil || *have == con.Chain:
		return nil
	}
	return a.broken(e, m)
}

// broken warns that the author's device and this one do not have the same story. The line
// takes no place of the hub's order: it goes right before the entry that gave it away.
func (a *applying) broken(e *pb.Entry, m matter.Message) error {
	a.c.log.Warn("two stories of a matter", "seq", e.GetSeq())
	return a.warn(e, matter.Message{Kind: matter.KindBroken, Author: m.Author, Device: m.Device})
}
