package schedule

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
	"causa/crypto/mls/tree"
)

// A Kind is what a ratchet's keys are for.
type Kind uint8

// The kinds of ratchet.
const (
	Handshake Kind = 0
	App       Kind = 1
)

func (k Kind) label() string {
	if k == Handshake {
		return "handshake"
	}
	return "application"
}

// A slot names one stored secret of a SecretTree: a node's secret, or a ratchet.
type slot struct {
	node  tree.NodeIndex
	which uint8 // 0: node secret; 1+Kind: ratchet of the leaf
}

// A SecretTree makes the message keys of one epoch (section 9). Secrets are derived when
// first needed, and the secrets they were derived from are deleted at that time.
//
// It keeps track of what changed, so that a message costs storing a ratchet and not
// the tree; see [SecretTree.Changes]. It is not safe for concurrent use.
type SecretTree struct {
	suite    *suite.Suite
	leaves   uint32
	nodes    map[tree.NodeIndex]suite.Secret
	ratchets map[slot]*ratchet
	changed  map[slot]bool
}

// Format hides the secrets.
func (SecretTree) Format(w fmt.State, _ rune) { suite.Hide(w, "SecretTree") }

// SecretTree moves the epoch's encryption secret into a secret tree for the given number
// of leaves.
func (e *Epoch) SecretTree(s *suite.Suite, leaves uint32) *SecretTree {
	t := newSecretTree(s, leaves)
	root := tree.Root(leaves)
	t.nodes[root] = e.Encryption.Secret
	t.changed[slot{node: root}] = true
	e.Encryption = EncryptionSecret{}
	return t
}

func newSecretTree(s *suite.Suite, leaves uint32) *SecretTree {
	return &SecretTree{
		suite: s, leaves: leaves,
		nodes:    make(map[tree.NodeIndex]suite.Secret),
		ratchets: make(map[slot]*ratchet),
		changed:  make(map[slot]bool),
	}
}

// ratchetOf returns a leaf's ratchet, deriving it if this is its first use.
func (t *SecretTree) ratchetOf(l tree.LeafIndex, kind Kind) (slot, *ratchet, error) {
	at := slot{node: l.Node(), which: 1 + uint8(kind)}
	if r := t.ratchets[at]; r != nil {
		return at, r, nil
	}
	if uint32(l) >= t.leaves {
		return at, nil, fmt.Errorf("leaf %d is outside the secret tree (section 9)", l)
	}
	if err := t.expand(l); err != nil {
		return at, nil, err
	}
	return at, t.ratchets[at], nil
}

// expand derives both ratchets of a leaf and deletes the secrets on the way to it.
func (t *SecretTree) expand(l tree.LeafIndex) error {
	var path []tree.NodeIndex // from the leaf up to below the first known secret
	n, root := l.Node(), tree.Root(t.leaves)
	for t.nodes[n] == nil {
		if n == root {
			return ErrGenerationUsed
		}
		path = append(path, n)
		n = n.Parent()
	}
	for _, next := range slices.Backward(path) {
		secret := t.nodes[n]
		left, right := n.Left(), n.Right()
		t.nodes[left] = t.suite.ExpandWithLabel(secret, "tree", []byte("left"), t.suite.HashLen())
		t.nodes[right] = t.suite.ExpandWithLabel(secret, "tree", []byte("right"), t.suite.HashLen())
		t.drop(n)
		t.changed[slot{node: left}], t.changed[slot{node: right}] = true, true
		n = next
	}
	secret := t.nodes[n]
	for _, k := range []Kind{Handshake, App} {
		at := slot{node: n, which: 1 + uint8(k)}
		t.ratchets[at] = &ratchet{secret: t.suite.ExpandWithLabel(secret, k.label(), nil, t.suite.HashLen())}
		t.changed[at] = true
	}
	t.drop(n)
	return nil
}

func (t *SecretTree) drop(n tree.NodeIndex) {
	t.nodes[n].Wipe()
	delete(t.nodes, n)
	t.changed[slot{node: n}] = true
}

// Next takes the sender's next key, which is gone from the tree after that.
func (t *SecretTree) Next(l tree.LeafIndex, kind Kind) (uint32, Key, error) {
	at, r, err := t.ratchetOf(l, kind)
	if err != nil {
		return 0, Key{}, err
	}
	k, after, err := r.step(t.suite)
	if err != nil {
		return 0, Key{}, err
	}
	r.secret.Wipe()
	t.ratchets[at] = after
	t.changed[at] = true
	return r.next, k, nil
}

// A Use is a key for decrypting one message. The tree forgets the key at Consume, which
// is to be called when the message turned out to be authentic.
type Use struct {
	Key
	tree  *SecretTree
	at    slot
	after *ratchet
}

// At returns the key of a sender's generation.
func (t *SecretTree) At(l tree.LeafIndex, kind Kind, generation uint32) (*Use, error) {
	at, r, err := t.ratchetOf(l, kind)
	if err != nil {
		return nil, err
	}
	k, after, err := r.at(t.suite, generation)
	if err != nil {
		return nil, err
	}
	return &Use{Key: k, tree: t, at: at, after: after}, nil
}

// Consume deletes the key and what it was derived from.
func (u *Use) Consume() {
	old := u.tree.ratchets[u.at]
	if old.next != u.after.next {
		old.secret.Wipe()
	}
	u.Wipe()
	u.tree.ratchets[u.at] = u.after
	u.tree.changed[u.at] = true
}

// Wipe overwrites all secrets in the tree.
func (t *SecretTree) Wipe() {
	for _, s := range t.nodes {
		s.Wipe()
	}
	for _, r := range t.ratchets {
		r.secret.Wipe()
		for _, k := range r.skipped {
			k.Wipe()
		}
	}
	clear(t.nodes)
	clear(t.ratchets)
}

// A Record is one stored secret of a secret tree. The key is unique in its epoch; a nil
// value means that the record is to be destroyed.
type Record struct {
	Key   [5]byte
	Value []byte
}

func (at slot) key() (k [5]byte) {
	k[0] = at.which
	copy(k[1:], syntax.AppendUint32(nil, uint32(at.node)))
	return k
}

func (t *SecretTree) record(at slot) Record {
	rec := Record{Key: at.key()}
	if at.which == 0 {
		rec.Value = slices.Clone(t.nodes[at.node])
	} else if r := t.ratchets[at]; r != nil {
		rec.Value = r.append(nil)
	}
	return rec
}

func bySlot(a, b slot) int {
	return cmp.Or(cmp.Compare(a.which, b.which), cmp.Compare(a.node, b.node))
}

// Changes returns the records that changed since the last call, or since the tree was
// made: all of them, at first.
func (t *SecretTree) Changes() []Record {
	var out []Record
	for _, at := range slices.SortedFunc(maps.Keys(t.changed), bySlot) {
		out = append(out, t.record(at))
	}
	clear(t.changed)
	return out
}

// Records returns all records.
func (t *SecretTree) Records() []Record {
	var all []slot
	for n := range t.nodes {
		all = append(all, slot{node: n})
	}
	all = slices.AppendSeq(all, maps.Keys(t.ratchets))
	slices.SortFunc(all, bySlot)
	var out []Record
	for _, at := range all {
		out = append(out, t.record(at))
	}
	return out
}

// Leaves is the number of leaves the tree was made for.
func (t *SecretTree) Leaves() uint32 { return t.leaves }

// Load makes a secret tree of stored records.
func Load(s *suite.Suite, leaves uint32, records []Record) (*SecretTree, error) {
	t := newSecretTree(s, leaves)
	for _, rec := range records {
		r := syntax.NewReader(rec.Key[1:])
		at := slot{which: rec.Key[0], node: tree.NodeIndex(r.Uint32())}
		r = syntax.NewReader(rec.Value)
		switch {
		case at.node > 2*tree.NodeIndex(leaves)-2 || at.which > 2 || at.which > 0 && !at.node.IsLeaf():
			r.Fail("no such place in the secret tree")
		case at.which > 0:
			t.ratchets[at] = decodeRatchet(r, s)
		case len(rec.Value) != s.HashLen():
			r.Fail("node secret of %d bytes", len(rec.Value))
		default:
			t.nodes[at.node] = slices.Clone(r.Rest())
		}
		if err := r.Done(); err != nil {
			return nil, fmt.Errorf("stored ratchet: %w", err)
		}
	}
	return t, nil
}

// SenderDataKey returns the key and nonce that encrypt the sender data of a message with
// the given ciphertext (section 6.3.2).
func (d SenderDataSecret) SenderDataKey(s *suite.Suite, ciphertext []byte) (key, nonce suite.Secret) {
	sample := ciphertext[:min(len(ciphertext), s.HashLen())]
	return s.ExpandWithLabel(d.Secret, "key", sample, s.KeyLen()), s.ExpandWithLabel(d.Secret, "nonce", sample, s.NonceLen())
}
