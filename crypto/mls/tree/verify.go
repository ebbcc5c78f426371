package tree

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"slices"

	"causa/crypto/mls/suite"
)

// A Received is a tree as it came from outside. [Received.Verify] makes it a [Tree].
type Received struct {
	tree Tree
}

// A LeafCheck asks the application whether a leaf's identity and signature key belong
// together and may be in the group: MLS's authentication service (section 5.3.1).
type LeafCheck func(identity, signatureKey []byte) error

// Leaf returns the unverified leaf at i, nil if blank.
func (v *Received) Leaf(i LeafIndex) *LeafNode { return v.tree.Leaf(i) }

// Trust returns the tree unchecked. It is for trees from the caller's own storage.
func (v *Received) Trust() *Tree { return &v.tree }

// Verify checks all that sections 7.3, 7.9.2 and 12.4.3.1 demand of a tree one joins with:
// its hash, every leaf's signature and fitness for the group, unique keys, unmerged
// leaves, and parent hashes.
func (v *Received) Verify(groupID, treeHash []byte, group Extensions, check LeafCheck) (*Tree, error) {
	t := &v.tree
	if subtle.ConstantTimeCompare(t.Hash(), treeHash) != 1 {
		return nil, fmt.Errorf("tree hash differs from the group context's (section 12.4.3.1)")
	}
	if err := t.CheckLeaves(group); err != nil {
		return nil, err
	}
	if err := t.CheckUniqueKeys(); err != nil {
		return nil, err
	}
	if err := t.checkUnmerged(); err != nil {
		return nil, err
	}
	if err := t.checkParentHashes(); err != nil {
		return nil, err
	}
	for i, l := range t.All {
		if err := l.VerifySignature(t.suite, groupID, i); err != nil {
			return nil, fmt.Errorf("leaf %d: %w", i, err)
		}
		if check != nil {
			if err := check(l.Credential.Presented(), l.SignatureKey); err != nil {
				return nil, fmt.Errorf("leaf %d: credential (section 5.3.1): %w", i, err)
			}
		}
	}
	return t, nil
}

// CheckLeaves checks section 7.3's rules for the leaves as a whole: each is consistent,
// supports the group's extensions, and supports all credential types in use.
func (t *Tree) CheckLeaves(group Extensions) error {
	for i, l := range t.All {
		if err := l.checkOwnConsistency(t.suite); err != nil {
			return fmt.Errorf("leaf %d: %w", i, err)
		}
		if len(group) > 0 {
			if err := l.CheckGroupExtensions(group); err != nil {
				return fmt.Errorf("leaf %d: %w", i, err)
			}
		}
	}
	return t.CheckCredentialTypes()
}

// CheckUniqueKeys checks that no signature key and no encryption key occurs twice in
// the tree (sections 7.3 and 12.4.3.1).
func (t *Tree) CheckUniqueKeys() error {
	seen := make(map[string]bool, len(t.nodes))
	signing := make(map[string]bool, t.Leaves())
	for i := range t.nodes {
		key := t.PublicKey(NodeIndex(i))
		if key == nil {
			continue
		}
		if seen[string(key)] {
			return fmt.Errorf("encryption key of node %d occurs twice (section 7.3)", i)
		}
		seen[string(key)] = true
		if l := t.nodes[i].leaf; l != nil {
			if signing[string(l.SignatureKey)] {
				return fmt.Errorf("signature key of leaf %d occurs twice (section 7.3)", NodeIndex(i).Leaf())
			}
			signing[string(l.SignatureKey)] = true
		} else if err := t.suite.CheckPublicKey(key); err != nil {
			return fmt.Errorf("parent node %d: %w", i, err)
		}
	}
	return nil
}

// checkUnmerged checks that every unmerged leaf is a member below its parent node and
// unmerged at all nodes in between (section 12.4.3.1).
func (t *Tree) checkUnmerged() error {
	for i := range t.nodes {
		p := t.nodes[i].parent
		if p == nil {
			continue
		}
		n := NodeIndex(i)
		for _, l := range p.Unmerged {
			if !n.Covers(l) || t.Leaf(l) == nil {
				return fmt.Errorf("node %d: unmerged leaf %d isn't a member below it (section 12.4.3.1)", n, l)
			}
			for m := l.Node().Parent(); m != n; m = m.Parent() {
				if q := t.nodes[m].parent; q != nil {
					if _, ok := slices.BinarySearch(q.Unmerged, l); !ok {
						return fmt.Errorf("leaf %d is unmerged at node %d but not at %d (section 12.4.3.1)", l, n, m)
					}
				}
			}
		}
	}
	return nil
}

// checkParentHashes checks that every parent node is parent-hash valid, top down
// (section 7.9.2): it must have exactly one descendant that was set together with it.
func (t *Tree) checkParentHashes() error {
	var scratch []byte
	for i := range t.nodes {
		p := t.nodes[i].parent
		if p == nil {
			continue
		}
		n := NodeIndex(i)
		valid := 0
		for _, child := range [2]NodeIndex{n.Left(), n.Right()} {
			d, ok := t.mergedWith(p, child)
			if !ok {
				continue
			}
			sibling := t.hashWithout(child.Sibling(), p.Unmerged, &scratch)
			want := t.parentHash(p.EncryptionKey, p.ParentHash, sibling, &scratch)
			if bytes.Equal(t.ownParentHash(d), want) {
				valid++
			}
		}
		if valid != 1 {
			return fmt.Errorf("parent hash of node %d isn't valid (section 7.9.2)", n)
		}
	}
	return nil
}

// mergedWith returns the one node in child's resolution that isn't an unmerged leaf of
// p, if the rest of the resolution is exactly p's unmerged leaves there.
func (t *Tree) mergedWith(p *Parent, child NodeIndex) (NodeIndex, bool) {
	unmerged := within(p.Unmerged, child)
	res := t.Resolution(child)
	if len(res) != len(unmerged)+1 {
		return 0, false
	}
	var found []NodeIndex
	for _, n := range res {
		if n.IsLeaf() {
			if _, ok := slices.BinarySearch(unmerged, n.Leaf()); ok {
				continue
			}
		}
		found = append(found, n)
	}
	if len(found) != 1 {
		return 0, false
	}
	return found[0], true
}

// ownParentHash returns a node's parent_hash field, nil if it has none.
func (t *Tree) ownParentHash(n NodeIndex) []byte {
	switch v := &t.nodes[n]; {
	case v.parent != nil:
		return v.parent.ParentHash
	case v.leaf != nil && v.leaf.Source == FromCommit:
		return v.leaf.ParentHash
	}
	return nil
}

// CheckPathKeys checks that none of the new encryption keys occurs in the tree, nor
// twice among themselves (section 12.4.2).
func (t *Tree) CheckPathKeys(keys ...[]byte) error {
	fresh := make(map[string]bool, len(keys))
	for _, k := range keys {
		if fresh[string(k)] {
			return fmt.Errorf("new encryption key occurs twice (section 12.4.2)")
		}
		fresh[string(k)] = true
	}
	for i := range t.nodes {
		if fresh[string(t.PublicKey(NodeIndex(i)))] {
			return fmt.Errorf("new encryption key is in the tree already (section 12.4.2)")
		}
	}
	return nil
}

// CheckCredentialTypes checks that every member supports all credential types in use
// (section 7.3).
func (t *Tree) CheckCredentialTypes() error {
	var used []uint16
	for _, l := range t.All {
		if !slices.Contains(used, l.Credential.Type) {
			used = append(used, l.Credential.Type)
		}
	}
	for i, l := range t.All {
		for _, c := range used {
			if !slices.Contains(l.Capabilities.Credentials, c) {
				return fmt.Errorf("leaf %d doesn't support credential type %d, which is in use (section 7.3)", i, c)
			}
		}
	}
	return nil
}

// CheckNewLeaves checks that the keys of the leaves at the given places occur nowhere
// else in the tree (section 7.3). It looks at each node once.
func (t *Tree) CheckNewLeaves(places ...LeafIndex) error {
	encryption := make(map[string]int, len(places))
	signature := make(map[string]int, len(places))
	for _, i := range places {
		if l := t.Leaf(i); l != nil {
			encryption[string(l.EncryptionKey)] = 0
			signature[string(l.SignatureKey)] = 0
		}
	}
	for i := range t.nodes {
		if l := t.nodes[i].leaf; l != nil {
			if n, ok := signature[string(l.SignatureKey)]; ok {
				if n > 0 {
					return fmt.Errorf("signature key of leaf %d occurs twice (section 7.3)", NodeIndex(i).Leaf())
				}
				signature[string(l.SignatureKey)] = 1
			}
		}
		key := t.PublicKey(NodeIndex(i))
		if n, ok := encryption[string(key)]; ok {
			if n > 0 {
				return fmt.Errorf("encryption key of node %d occurs twice (section 7.3)", i)
			}
			encryption[string(key)] = 1
		}
	}
	return nil
}

// VerifyFresh checks one new leaf for the group: consistency, the group's extensions,
// its signature and the application's check (section 7.3).
func (l *LeafNode) VerifyFresh(s *suite.Suite, groupID []byte, index LeafIndex, group Extensions, check LeafCheck) error {
	if err := l.VerifySignature(s, groupID, index); err != nil {
		return err
	}
	return l.CheckFitness(s, group, check)
}

// CheckFitness does what VerifyFresh does but for the signature.
func (l *LeafNode) CheckFitness(s *suite.Suite, group Extensions, check LeafCheck) error {
	if err := l.checkOwnConsistency(s); err != nil {
		return err
	}
	if err := l.CheckGroupExtensions(group); err != nil {
		return err
	}
	if check != nil {
		if err := check(l.Credential.Presented(), l.SignatureKey); err != nil {
			return fmt.Errorf("credential (section 5.3.1): %w", err)
		}
	}
	return nil
}
