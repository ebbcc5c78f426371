// Package treekem is the private part of MLS ratchet trees (RFC 9420, sections 7.4 to
// 7.6): one member's private keys, making and opening update paths.
package treekem

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"causa/crypto/mls/framing"
	"causa/crypto/mls/schedule"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
	"causa/crypto/mls/tree"
)

const pathLabel = "UpdatePathNode"

// A PathSecret belongs to a parent node; its key pair and the next node's path secret
// are derived from it.
type PathSecret struct{ suite.Secret }

func (p PathSecret) next(s *suite.Suite) PathSecret {
	return PathSecret{s.DeriveSecret(p.Secret, "path")}
}

func (p PathSecret) keyPair(s *suite.Suite) (*suite.PrivateKey, error) {
	node := s.DeriveSecret(p.Secret, "node")
	defer node.Wipe()
	return s.DeriveKeyPair(node)
}

// Keys are one member's private keys: its leaf's, and those of the nodes above that it
// knows. Keys values are immutable; changes make new ones.
type Keys struct {
	Own  tree.LeafIndex
	Leaf *suite.PrivateKey
	path map[tree.NodeIndex]*suite.PrivateKey
}

// New returns the keys of a member that knows its leaf's key only.
func New(own tree.LeafIndex, leaf *suite.PrivateKey) *Keys {
	return &Keys{Own: own, Leaf: leaf, path: map[tree.NodeIndex]*suite.PrivateKey{}}
}

// Format hides the keys.
func (Keys) Format(w fmt.State, _ rune) { suite.Hide(w, "Keys") }

// WithLeaf returns keys with another private key for the leaf.
func (k *Keys) WithLeaf(leaf *suite.PrivateKey) *Keys {
	return &Keys{Own: k.Own, Leaf: leaf, path: k.path}
}

// of returns the private key of a node, nil if it isn't known.
func (k *Keys) of(n tree.NodeIndex) *suite.PrivateKey {
	if n == k.Own.Node() {
		return k.Leaf
	}
	return k.path[n]
}

// Prune returns the keys that still fit the tree after nodes were blanked.
func (k *Keys) Prune(t *tree.Tree) *Keys {
	out := New(k.Own, k.Leaf)
	for n, key := range k.path {
		if p := t.Parent(n); p != nil && bytes.Equal(p.EncryptionKey, key.Public()) {
			out.path[n] = key
		}
	}
	return out
}

// Wipe overwrites the keys that newer, if given, doesn't have any more.
func (k *Keys) Wipe(newer *Keys) {
	if newer == nil || newer.Leaf != k.Leaf {
		k.Leaf.Wipe()
	}
	for n, key := range k.path {
		if newer == nil || newer.path[n] != key {
			key.Wipe()
		}
	}
}

// Check verifies that every private key belongs to the tree's public key there, and that
// there is one for each node above us at which we aren't unmerged (the tree invariant of
// section 4.2): without it, paths would be encrypted to keys we don't have.
func (k *Keys) Check(t *tree.Tree) error {
	leaf := t.Leaf(k.Own)
	if leaf == nil || !bytes.Equal(leaf.EncryptionKey, k.Leaf.Public()) {
		return fmt.Errorf("leaf %d isn't ours", k.Own)
	}
	for n, key := range k.path {
		if p := t.Parent(n); p == nil || !bytes.Equal(p.EncryptionKey, key.Public()) {
			return fmt.Errorf("private key of node %d doesn't fit the tree", n)
		}
	}
	for _, n := range t.DirectPath(k.Own) {
		if p := t.Parent(n); p != nil && k.path[n] == nil {
			if _, unmerged := slices.BinarySearch(p.Unmerged, k.Own); !unmerged {
				return fmt.Errorf("private key of node %d above us is missing (section 12.4.3.1)", n)
			}
		}
	}
	return nil
}

// Append appends the stored form.
func (k *Keys) Append(b []byte) []byte {
	b = syntax.AppendUint32(b, uint32(k.Own))
	b = syntax.AppendOpaque(b, k.Leaf.Secret())
	return syntax.AppendList(b, func(b []byte) []byte {
		for _, n := range slices.Sorted(maps.Keys(k.path)) {
			b = syntax.AppendUint32(b, uint32(n))
			b = syntax.AppendOpaque(b, k.path[n].Secret())
		}
		return b
	})
}

// Decode reads the stored form.
func Decode(r *syntax.Reader, s *suite.Suite) *Keys {
	parse := func(r *syntax.Reader) *suite.PrivateKey {
		b := r.Opaque()
		if r.Err() != nil {
			return nil
		}
		key, err := s.ParsePrivateKey(b)
		if err != nil {
			r.Fail("%w", err)
		}
		return key
	}
	own := tree.LeafIndex(r.Uint32())
	k := New(own, parse(r))
	r.List(func(r *syntax.Reader) {
		n := tree.NodeIndex(r.Uint32())
		k.path[n] = parse(r)
	})
	return k
}

// learn derives the keys from a path secret at steps[from] upwards. It returns the path
// secrets by step and the commit secret; the keys are added to into.
func learn(s *suite.Suite, t *tree.Tree, steps []tree.Step, from int, secret PathSecret, into map[tree.NodeIndex]*suite.PrivateKey) (schedule.CommitSecret, error) {
	for _, step := range steps[from:] {
		key, err := secret.keyPair(s)
		if err != nil {
			return schedule.CommitSecret{}, err
		}
		if !bytes.Equal(key.Public(), t.PublicKey(step.Node)) {
			return schedule.CommitSecret{}, fmt.Errorf("path secret doesn't give the public key of node %d (section 7.5)", step.Node)
		}
		into[step.Node] = key
		next := secret.next(s)
		secret.Wipe()
		secret = next
	}
	return schedule.CommitSecret{Secret: secret.Secret}, nil
}

// A Path is an update path in the making: keys and secrets are chosen, the path secrets
// not encrypted yet, because that needs the group context with the new tree hash.
type Path struct {
	Keys    *Keys
	Commit  schedule.CommitSecret
	steps   []tree.Step
	secrets []PathSecret
	public  [][]byte
}

// Format hides the secrets.
func (Path) Format(w fmt.State, _ rune) { suite.Hide(w, "Path") }

// Generate chooses new keys for the leaf own and the filtered path above it, and puts
// them into the tree. The leaf's content is taken over from template, with a new
// encryption key, and signed.
func Generate(t *tree.Tree, own tree.LeafIndex, template *tree.LeafNode, signer suite.Signer, groupID []byte) (*Path, error) {
	s := t.Suite()
	leafKey, err := s.GenerateKey()
	if err != nil {
		return nil, err
	}
	p := &Path{Keys: New(own, leafKey), steps: t.FilteredPath(own)}
	secret := PathSecret{suite.RandomSecret(s.HashLen())}
	for _, step := range p.steps {
		key, err := secret.keyPair(s)
		if err != nil {
			return nil, err
		}
		p.secrets = append(p.secrets, secret)
		p.public = append(p.public, key.Public())
		p.Keys.path[step.Node] = key
		secret = secret.next(s)
	}
	p.Commit = schedule.CommitSecret{Secret: secret.Secret}
	leaf := *template
	leaf.EncryptionKey = leafKey.Public()
	leaf.Source = tree.FromCommit
	leaf.ParentHash = t.SetPath(own, p.steps, p.public)
	if err := leaf.Sign(s, signer, groupID, own); err != nil {
		return nil, err
	}
	t.SetLeaf(own, &leaf)
	return p, nil
}

// Encrypt makes the UpdatePath: each path secret is encrypted to the resolution of the
// node's other child, without the leaves added in this commit.
func (p *Path) Encrypt(t *tree.Tree, added []tree.LeafIndex, context []byte) (*framing.UpdatePath, error) {
	e := t.Suite().Encryptor(pathLabel, context)
	out := &framing.UpdatePath{Leaf: t.Leaf(p.Keys.Own)}
	for i, step := range p.steps {
		node := framing.UpdatePathNode{EncryptionKey: p.public[i]}
		for _, n := range t.Recipients(step.Copath, added) {
			c, err := e.Encrypt(t.PublicKey(n), p.secrets[i].Secret)
			if err != nil {
				return nil, fmt.Errorf("encrypt path secret to node %d: %w", n, err)
			}
			node.Secrets = append(node.Secrets, c)
		}
		out.Nodes = append(out.Nodes, node)
	}
	return out, nil
}

// SecretFor returns the path secret of the lowest node that both the committer and the
// new member are below, for the new member's Welcome.
func (p *Path) SecretFor(l tree.LeafIndex) PathSecret {
	at := tree.CommonAncestor(p.Keys.Own, l)
	i := slices.IndexFunc(p.steps, func(s tree.Step) bool { return s.Node == at })
	if i < 0 {
		return PathSecret{} // can't be: the new member makes the copath non-empty
	}
	return p.secrets[i]
}

// Wipe overwrites the path secrets.
func (p *Path) Wipe() {
	for _, s := range p.secrets {
		s.Wipe()
	}
}

// Open decrypts our path secret from an update path that was merged into the tree
// already. k must be pruned to that tree. It returns our keys in the new epoch and the
// commit secret.
func Open(k *Keys, t *tree.Tree, sender tree.LeafIndex, path *framing.UpdatePath, added []tree.LeafIndex, context []byte) (*Keys, schedule.CommitSecret, error) {
	none := schedule.CommitSecret{}
	s := t.Suite()
	steps := t.FilteredPath(sender)
	i := slices.IndexFunc(steps, func(s tree.Step) bool { return s.Copath.Covers(k.Own) })
	if i < 0 || len(path.Nodes) != len(steps) {
		return nil, none, fmt.Errorf("update path doesn't fit the tree (section 7.5)")
	}
	res := t.Recipients(steps[i].Copath, added)
	if len(path.Nodes[i].Secrets) != len(res) {
		return nil, none, fmt.Errorf("update path node %d has %d ciphertexts for %d keys (section 7.6)", i, len(path.Nodes[i].Secrets), len(res))
	}
	j := slices.IndexFunc(res, func(n tree.NodeIndex) bool { return k.of(n) != nil })
	if j < 0 {
		return nil, none, fmt.Errorf("update path isn't encrypted to any of our keys (section 7.5)")
	}
	secret, err := s.DecryptWithLabel(k.of(res[j]), pathLabel, context, path.Nodes[i].Secrets[j])
	if err != nil {
		return nil, none, fmt.Errorf("path secret (section 7.6): %w", err)
	}
	if len(secret) != s.HashLen() {
		return nil, none, fmt.Errorf("path secret of %d bytes (section 7.4)", len(secret))
	}
	out := &Keys{Own: k.Own, Leaf: k.Leaf, path: maps.Clone(k.path)}
	commit, err := learn(s, t, steps, i, PathSecret{secret}, out.path)
	if err != nil {
		return nil, none, err
	}
	return out, commit, nil
}

// Join adds to a new member's keys what the path secret in its Welcome gives.
func (k *Keys) Join(t *tree.Tree, committer tree.LeafIndex, secret suite.Secret) error {
	if len(secret) != t.Suite().HashLen() {
		return fmt.Errorf("path secret of %d bytes (section 7.4)", len(secret))
	}
	at := tree.CommonAncestor(k.Own, committer)
	steps := t.FilteredPath(committer)
	i := slices.IndexFunc(steps, func(s tree.Step) bool { return s.Node == at })
	if i < 0 {
		return fmt.Errorf("path secret for node %d, which is blank (section 12.4.3.1)", at)
	}
	_, err := learn(t.Suite(), t, steps, i, PathSecret{slices.Clone(secret)}, k.path)
	return err
}
