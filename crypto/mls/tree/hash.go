package tree

import (
	"slices"

	"causa/crypto/mls/syntax"
)

// Hash returns the tree hash of the root (section 7.8).
func (t *Tree) Hash() []byte {
	var scratch []byte
	return t.hashNode(t.Root(), &scratch)
}

// HashOf returns the tree hash of a node.
func (t *Tree) HashOf(n NodeIndex) []byte {
	var scratch []byte
	return t.hashNode(n, &scratch)
}

// hashNode computes what is missing below n; scratch is reused for hash inputs.
func (t *Tree) hashNode(n NodeIndex, scratch *[]byte) []byte {
	v := &t.nodes[n]
	if v.hash != nil {
		return v.hash
	}
	if n.IsLeaf() {
		v.hash = t.hashLeaf(n.Leaf(), v.leaf, scratch)
	} else {
		left := t.hashNode(n.Left(), scratch)
		right := t.hashNode(n.Right(), scratch)
		v.hash = t.hashParent(v.parent, left, right, scratch)
	}
	return v.hash
}

func (t *Tree) hashLeaf(i LeafIndex, leaf *LeafNode, scratch *[]byte) []byte {
	b := append((*scratch)[:0], 1)
	b = syntax.AppendUint32(b, uint32(i))
	b = syntax.AppendOptional(b, leaf != nil)
	if leaf != nil {
		b = leaf.Append(b)
	}
	*scratch = b
	return t.suite.Hash(b)
}

func (t *Tree) hashParent(p *Parent, left, right []byte, scratch *[]byte) []byte {
	b := append((*scratch)[:0], 2)
	b = syntax.AppendOptional(b, p != nil)
	if p != nil {
		b = p.append(b)
	}
	b = syntax.AppendOpaque(b, left)
	b = syntax.AppendOpaque(b, right)
	*scratch = b
	return t.suite.Hash(b)
}

// hashWithout is the tree hash of n in a tree from which the given leaves (increasing)
// are blanked and taken out of all unmerged_leaves: the "original sibling tree hash" of
// section 7.9. Subtrees without such leaves come from the cache.
func (t *Tree) hashWithout(n NodeIndex, without []LeafIndex, scratch *[]byte) []byte {
	without = within(without, n)
	if len(without) == 0 {
		return t.hashNode(n, scratch)
	}
	if n.IsLeaf() {
		return t.hashLeaf(n.Leaf(), nil, scratch)
	}
	left := t.hashWithout(n.Left(), without, scratch)
	right := t.hashWithout(n.Right(), without, scratch)
	p := t.nodes[n].parent
	if p != nil && len(p.Unmerged) > 0 {
		q := *p
		q.Unmerged = slices.DeleteFunc(slices.Clone(p.Unmerged), func(l LeafIndex) bool {
			_, found := slices.BinarySearch(without, l)
			return found
		})
		p = &q
	}
	return t.hashParent(p, left, right, scratch)
}

// within returns the part of the increasing list that lies under n.
func within(leaves []LeafIndex, n NodeIndex) []LeafIndex {
	first, last := n.leaves()
	i, _ := slices.BinarySearch(leaves, first)
	j, found := slices.BinarySearch(leaves, last)
	if found {
		j++
	}
	return leaves[i:j]
}

// parentHash is the hash of a node's ParentHashInput (section 7.9).
func (t *Tree) parentHash(key, parentHash, siblingHash []byte, scratch *[]byte) []byte {
	b := syntax.AppendOpaque((*scratch)[:0], key)
	b = syntax.AppendOpaque(b, parentHash)
	b = syntax.AppendOpaque(b, siblingHash)
	*scratch = b
	return t.suite.Hash(b)
}

// SetPath blanks the path above l and fills its filtered direct path with the given
// public keys, which must be as many as steps (section 7.5). It returns the parent hash
// that the sender's new leaf has to carry.
func (t *Tree) SetPath(l LeafIndex, steps []Step, keys [][]byte) []byte {
	t.blankPath(l)
	var scratch []byte
	hash := []byte{}
	for i := len(steps) - 1; i >= 0; i-- {
		t.nodes[steps[i].Node].parent = &Parent{EncryptionKey: keys[i], ParentHash: hash}
		sibling := t.hashNode(steps[i].Copath, &scratch)
		hash = t.parentHash(keys[i], hash, sibling, &scratch)
	}
	return hash
}

// SetLeaf puts the committer's new leaf in place after [Tree.SetPath].
func (t *Tree) SetLeaf(l LeafIndex, leaf *LeafNode) {
	t.touch(l.Node())
	t.nodes[l.Node()] = node{leaf: leaf}
}
