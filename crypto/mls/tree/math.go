// Package tree is the public part of MLS ratchet trees (RFC 9420, sections 4, 5.3 and 7,
// appendix C): leaf and parent nodes, tree and parent hashes, and the changes commits
// make. It holds public keys only.
package tree

import "math/bits"

// A LeafIndex numbers the leaves from left to right.
type LeafIndex uint32

// A NodeIndex numbers all nodes in order from left to right: leaf L is node 2L.
type NodeIndex uint32

// Node returns the leaf's node index.
func (l LeafIndex) Node() NodeIndex { return NodeIndex(l) * 2 }

// Leaf returns the leaf index of a leaf node.
func (n NodeIndex) Leaf() LeafIndex { return LeafIndex(n / 2) }

// IsLeaf reports whether n is a leaf.
func (n NodeIndex) IsLeaf() bool { return n&1 == 0 }

// Level is 0 for leaves, and one more than its children's for a parent.
func (n NodeIndex) Level() int { return bits.TrailingZeros32(^uint32(n)) }

// Left returns the left child of a parent node.
func (n NodeIndex) Left() NodeIndex { return n ^ 1<<(n.Level()-1) }

// Right returns the right child of a parent node.
func (n NodeIndex) Right() NodeIndex { return n ^ 3<<(n.Level()-1) }

// Parent returns the node above n; n must not be the root.
func (n NodeIndex) Parent() NodeIndex {
	k := n.Level()
	return (n | 1<<k) &^ (1 << (k + 1))
}

// Sibling returns the other child of n's parent; n must not be the root.
func (n NodeIndex) Sibling() NodeIndex {
	p := n.Parent()
	if n < p {
		return p.Right()
	}
	return p.Left()
}

// Covers reports whether l is a leaf of the subtree under n.
func (n NodeIndex) Covers(l LeafIndex) bool {
	first, last := n.leaves()
	return first <= l && l <= last
}

// leaves returns the first and last leaf under n.
func (n NodeIndex) leaves() (first, last LeafIndex) {
	half := NodeIndex(1)<<n.Level() - 1
	return (n - half).Leaf(), (n + half).Leaf()
}

// Root returns the root of a full tree with the given number of leaves, a power of two.
func Root(leaves uint32) NodeIndex { return NodeIndex(leaves - 1) }

// CommonAncestor returns the lowest node above (or equal to) both leaves.
func CommonAncestor(a, b LeafIndex) NodeIndex {
	if a == b {
		return a.Node()
	}
	k := bits.Len32(uint32(a ^ b))
	return NodeIndex(a>>k)<<(k+1) + 1<<k - 1
}
