package mls

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"causa/crypto/mls/evolution"
	"causa/crypto/mls/framing"
	"causa/crypto/mls/schedule"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
	"causa/crypto/mls/tree"
	"causa/crypto/mls/treekem"
)

// Versions of stored forms. A change of the form takes a new number; old ones must open
// for ever (see testdata).
const (
	groupVersion   = 1
	pendingVersion = 1
)

// A RatchetRecord is one stored piece of a group's message keys. A nil Value says that
// what is stored under the key is to be destroyed.
type RatchetRecord struct {
	Epoch uint64
	Key   [5]byte
	Value []byte
}

// Marshal returns everything about the group in one piece, secrets included: it must be
// kept encrypted.
func (g *Group) Marshal() ([]byte, error) {
	b, err := g.MarshalGroup()
	if err != nil {
		return nil, err
	}
	return appendRecords(b, g.Ratchets()), nil
}

func appendRecords(b []byte, records []RatchetRecord) []byte {
	return syntax.AppendList(b, func(b []byte) []byte {
		for _, r := range records {
			b = syntax.AppendUint64(b, r.Epoch)
			b = append(b, r.Key[:]...)
			b = syntax.AppendOpaque(b, r.Value)
		}
		return b
	})
}

// Unmarshal reads what [Group.Marshal] returned. The tree in it isn't verified again. An
// error wraps [ErrVersion] if a newer version of this program wrote it.
func Unmarshal(b []byte, signer Signer, o GroupOptions) (*Group, error) {
	r := syntax.NewReader(bytes.Clone(b))
	g, err := decodeGroup(r, signer, o)
	if err != nil {
		return nil, err
	}
	var records []RatchetRecord
	r.List(func(r *syntax.Reader) {
		rec := RatchetRecord{Epoch: r.Uint64()}
		copy(rec.Key[:], r.Take(len(rec.Key)))
		rec.Value = r.Opaque()
		records = append(records, rec)
	})
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("group state: %w", err)
	}
	if err := g.loadRatchets(records); err != nil {
		return nil, err
	}
	return g, nil
}

// MarshalGroup returns all of the group but its message ratchets. Stored after each
// change of the epoch and each proposal, while the ratchets are stored record by record,
// it keeps the cost of a message independent of the group's size.
func (g *Group) MarshalGroup() ([]byte, error) {
	if g.over != nil {
		return nil, g.over
	}
	b := syntax.AppendUint16(nil, groupVersion)
	b = appendState(b, g.state, g.tag)
	b = g.keys.Append(b)
	b = g.epoch.Append(b)
	b = syntax.AppendList(b, func(b []byte) []byte {
		for _, ref := range g.order {
			b = syntax.AppendOpaque(b, g.pool[string(ref)].Message)
		}
		return b
	})
	b = syntax.AppendList(b, func(b []byte) []byte {
		for _, public := range slices.Sorted(maps.Keys(g.updates)) {
			b = syntax.AppendOpaque(b, g.updates[public].Secret())
		}
		return b
	})
	b = syntax.AppendList(b, func(b []byte) []byte {
		for _, p := range g.past {
			b = syntax.AppendUint64(b, p.epoch)
			b = syntax.AppendOpaque(b, p.psk.Secret)
		}
		return b
	})
	b = syntax.AppendList(b, func(b []byte) []byte {
		for _, l := range g.late {
			b = l.append(b)
		}
		return b
	})
	b = syntax.AppendOptional(b, g.reinit != nil)
	if g.reinit != nil {
		b = g.reinit.Append(b)
	}
	return b, nil
}

// UnmarshalGroup reads what [Group.MarshalGroup] returned, together with all ratchet
// records stored for the group.
func UnmarshalGroup(b []byte, ratchets []RatchetRecord, signer Signer, o GroupOptions) (*Group, error) {
	r := syntax.NewReader(bytes.Clone(b))
	g, err := decodeGroup(r, signer, o)
	if err != nil {
		return nil, err
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("group state: %w", err)
	}
	if err := g.loadRatchets(ratchets); err != nil {
		return nil, err
	}
	return g, nil
}

// Ratchets returns all records of the group's message ratchets.
func (g *Group) Ratchets() []RatchetRecord {
	out := records(g.Epoch(), g.secrets.Records())
	for _, l := range g.late {
		out = append(out, records(l.epoch, l.secrets.Records())...)
	}
	return out
}

// RatchetChanges returns the records that changed since it was last called: what has to be
// stored after [Group.Encrypt], before the message leaves, and after [Group.Decrypt]. The
// records of epochs for which [Group.KeepsEpoch] is false are to be destroyed as well.
func (g *Group) RatchetChanges() []RatchetRecord {
	out := records(g.Epoch(), g.secrets.Changes())
	for _, l := range g.late {
		out = append(out, records(l.epoch, l.secrets.Changes())...)
	}
	return out
}

// KeepsEpoch reports whether the group still has message keys of an epoch.
func (g *Group) KeepsEpoch(epoch uint64) bool {
	return epoch == g.Epoch() || slices.ContainsFunc(g.late, func(l lateEpoch) bool {
		return l.epoch == epoch
	})
}

func records(epoch uint64, in []schedule.Record) []RatchetRecord {
	out := make([]RatchetRecord, len(in))
	for i, r := range in {
		out[i] = RatchetRecord{Epoch: epoch, Key: r.Key, Value: r.Value}
	}
	return out
}

func (g *Group) loadRatchets(all []RatchetRecord) error {
	load := func(epoch uint64, leaves uint32) (*schedule.SecretTree, error) {
		var in []schedule.Record
		for _, r := range all {
			if r.Epoch == epoch {
				in = append(in, schedule.Record{Key: r.Key, Value: r.Value})
			}
		}
		return schedule.Load(g.suite, leaves, in)
	}
	var err error
	if g.secrets, err = load(g.Epoch(), g.state.Tree.Leaves()); err != nil {
		return err
	}
	for i := range g.late {
		if g.late[i].secrets, err = load(g.late[i].epoch, g.late[i].leaves); err != nil {
			return err
		}
	}
	return nil
}

func (l *lateEpoch) append(b []byte) []byte {
	b = syntax.AppendUint64(b, l.epoch)
	b = syntax.AppendUint32(b, l.leaves)
	b = syntax.AppendOpaque(b, l.context)
	b = syntax.AppendOpaque(b, l.sender.Secret)
	return syntax.AppendList(b, func(b []byte) []byte {
		for i := range LeafIndex(l.leaves) {
			if m, ok := l.member(i); ok {
				b = syntax.AppendUint32(b, uint32(m.Index))
				b = syntax.AppendOpaque(b, m.Identity)
				b = syntax.AppendOpaque(b, m.SignatureKey)
			}
		}
		return b
	})
}

func decodeLate(r *syntax.Reader) lateEpoch {
	l := lateEpoch{epoch: r.Uint64(), leaves: r.Uint32(), context: r.Opaque(), members: make(map[LeafIndex]Leaf)}
	if l.leaves == 0 || l.leaves > tree.MaxLeaves || l.leaves&(l.leaves-1) != 0 {
		r.Fail("past epoch with %d leaves", l.leaves)
	}
	l.sender = schedule.SenderDataSecret{Secret: r.Opaque()}
	r.List(func(r *syntax.Reader) {
		m := Leaf{Index: LeafIndex(r.Uint32()), Identity: r.Opaque(), SignatureKey: r.Opaque()}
		l.members[m.Index] = m
	})
	return l
}

func appendState(b []byte, s *evolution.State, tag []byte) []byte {
	b = syntax.AppendOpaque(b, s.EncodedContext())
	b = syntax.AppendOpaque(b, s.Tree.Encode())
	return syntax.AppendOpaque(b, tag)
}

func decodeState(r *syntax.Reader) (*evolution.State, []byte) {
	inner := syntax.NewReader(r.Opaque())
	encoded, tag := r.Opaque(), r.Opaque()
	if r.Err() != nil {
		return nil, nil
	}
	var c framing.GroupContext
	c.Decode(inner)
	if err := inner.Done(); err != nil {
		r.Fail("group context: %w", err)
		return nil, nil
	}
	s, err := suite.Of(c.Suite)
	if err != nil {
		r.Fail("%w", err)
		return nil, nil
	}
	received, err := tree.Decode(s, encoded)
	if err != nil {
		r.Fail("%w", err)
		return nil, nil
	}
	state := evolution.NewState(c, received.Trust(), tag)
	if !bytes.Equal(state.Context.TreeHash, c.TreeHash) {
		r.Fail("stored tree was damaged")
	}
	return state, tag
}

// decodeGroup reads a group without its ratchets.
func decodeGroup(r *syntax.Reader, signer Signer, o GroupOptions) (*Group, error) {
	if v := r.Uint16(); r.Err() == nil && v != groupVersion {
		return nil, fmt.Errorf("%w: group of version %d", ErrVersion, v)
	}
	g := &Group{signer: signer, opts: o, pool: make(evolution.Pool), updates: make(map[string]*suite.PrivateKey)}
	g.state, g.tag = decodeState(r)
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("group state: %w", err)
	}
	g.suite = g.state.Suite
	g.keys = treekem.Decode(r, g.suite)
	g.epoch = schedule.DecodeEpoch(r, g.suite)
	r.List(func(r *syntax.Reader) {
		inner := syntax.NewReader(r.Opaque())
		u := framing.DecodeUnverified(inner)
		if err := inner.Done(); err != nil || u.Content().Proposal == nil {
			r.Fail("stored proposal was damaged")
			return
		}
		g.remember(u.Trust())
	})
	r.List(func(r *syntax.Reader) {
		key, err := g.suite.ParsePrivateKey(r.Opaque())
		if err != nil {
			r.Fail("update key: %w", err)
			return
		}
		g.updates[string(key.Public())] = key
	})
	r.List(func(r *syntax.Reader) {
		g.past = append(g.past, pastEpoch{epoch: r.Uint64(), psk: schedule.ResumptionPSK{Secret: r.Opaque()}})
	})
	r.List(func(r *syntax.Reader) {
		g.late = append(g.late, decodeLate(r))
	})
	if r.Optional() {
		g.reinit = new(framing.ReInit)
		g.reinit.Decode(r)
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("group state: %w", err)
	}
	if err := g.keys.Check(g.state.Tree); err != nil {
		return nil, fmt.Errorf("group state: %w", err)
	}
	public, err := g.suite.SignatureKey(signer)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(public, g.state.Tree.Leaf(g.keys.Own).SignatureKey) {
		return nil, fmt.Errorf("group state: signature key isn't our leaf's")
	}
	return g, nil
}

// Marshal returns the pending commit's stored form, secrets included. Late messages of
// earlier epochs are not part of it: see [Pending.Follow].
func (p *Pending) Marshal() ([]byte, error) {
	group, err := p.group.Marshal()
	if err != nil {
		return nil, err
	}
	b := syntax.AppendUint16(nil, pendingVersion)
	for _, part := range [][]byte{p.commit, p.welcome, p.groupInfo, group} {
		b = syntax.AppendOpaque(b, part)
	}
	return b, nil
}

// UnmarshalPending reads what [Pending.Marshal] returned.
func UnmarshalPending(b []byte, signer Signer, o GroupOptions) (*Pending, error) {
	r := syntax.NewReader(bytes.Clone(b))
	if v := r.Uint16(); r.Err() == nil && v != pendingVersion {
		return nil, fmt.Errorf("%w: pending commit of version %d", ErrVersion, v)
	}
	p := &Pending{commit: r.Opaque(), welcome: r.Opaque(), groupInfo: r.Opaque()}
	group := r.Opaque()
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("pending commit: %w", err)
	}
	if len(p.welcome) == 0 {
		p.welcome = nil
	}
	var err error
	if p.group, err = Unmarshal(group, signer, o); err != nil {
		return nil, err
	}
	return p, nil
}

// Follow tells a restored pending commit which group it was made in, so that the group
// after it can still read late messages of that epoch.
func (p *Pending) Follow(g *Group) { p.old, p.inherited = g, false }
