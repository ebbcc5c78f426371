package tree

import (
	"fmt"
	"math/bits"
	"slices"

	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
)

// A Parent is the content of a parent node (section 7.1). It is immutable.
type Parent struct {
	EncryptionKey []byte
	ParentHash    []byte
	Unmerged      []LeafIndex // increasing
}

func (p *Parent) decode(r *syntax.Reader) {
	p.EncryptionKey = r.Opaque()
	p.ParentHash = r.Opaque()
	list := r.Uint32s()
	p.Unmerged = make([]LeafIndex, len(list))
	for i, l := range list {
		p.Unmerged[i] = LeafIndex(l)
		if i > 0 && list[i-1] >= l {
			r.Fail("unmerged_leaves not in increasing order (section 7.1)")
		}
	}
}

func (p *Parent) append(b []byte) []byte {
	b = syntax.AppendOpaque(b, p.EncryptionKey)
	b = syntax.AppendOpaque(b, p.ParentHash)
	return syntax.AppendUint32s(b, p.Unmerged)
}

// A node is one place in the tree; blank if leaf and parent are nil.
type node struct {
	leaf   *LeafNode
	parent *Parent
	hash   []byte // tree hash; nil: not computed since the last change below
}

func (n *node) blank() bool { return n.leaf == nil && n.parent == nil }

// MaxLeaves is the size up to which trees are accepted. It bounds what a small message
// full of blank nodes can make a reader allocate.
const MaxLeaves = 1 << 16

// A Tree is a ratchet tree. The contents of its nodes are immutable and shared between
// clones, so that cloning costs a copy of pointers. A Tree that is only read may be read
// by many goroutines once [Tree.Hash] was called.
type Tree struct {
	suite *suite.Suite
	nodes []node
	free  LeafIndex // no blank leaf lies left of it
}

// New returns a tree with one leaf.
func New(s *suite.Suite, first *LeafNode) *Tree {
	return &Tree{suite: s, nodes: []node{{leaf: first}}}
}

// Suite returns the tree's cipher suite.
func (t *Tree) Suite() *suite.Suite { return t.suite }

// Clone returns a copy that can be changed without changing t.
func (t *Tree) Clone() *Tree {
	return &Tree{suite: t.suite, nodes: slices.Clone(t.nodes), free: t.free}
}

// Leaves is the number of leaves, blank ones included: a power of two.
func (t *Tree) Leaves() uint32 { return uint32(len(t.nodes)+1) / 2 }

// Members is the number of leaves that aren't blank.
func (t *Tree) Members() int {
	n := 0
	for range t.All {
		n++
	}
	return n
}

// Width is the number of nodes.
func (t *Tree) Width() NodeIndex { return NodeIndex(len(t.nodes)) }

// Root returns the index of the root.
func (t *Tree) Root() NodeIndex { return Root(t.Leaves()) }

// Leaf returns the leaf at i, nil if there is none.
func (t *Tree) Leaf(i LeafIndex) *LeafNode {
	if uint32(i) >= t.Leaves() {
		return nil
	}
	return t.nodes[i.Node()].leaf
}

// Parent returns the parent node at i, nil if it is blank or outside the tree.
func (t *Tree) Parent(i NodeIndex) *Parent {
	if i >= t.Width() {
		return nil
	}
	return t.nodes[i].parent
}

// All calls yield for each leaf that isn't blank, from left to right.
func (t *Tree) All(yield func(LeafIndex, *LeafNode) bool) {
	for i := 0; i < len(t.nodes); i += 2 {
		if l := t.nodes[i].leaf; l != nil && !yield(NodeIndex(i).Leaf(), l) {
			return
		}
	}
}

// PublicKey returns the encryption key of a node, nil if it is blank.
func (t *Tree) PublicKey(i NodeIndex) []byte {
	switch n := &t.nodes[i]; {
	case n.leaf != nil:
		return n.leaf.EncryptionKey
	case n.parent != nil:
		return n.parent.EncryptionKey
	}
	return nil
}

// DirectPath returns the nodes above l, from the lowest to the root.
func (t *Tree) DirectPath(l LeafIndex) []NodeIndex {
	root := t.Root()
	path := make([]NodeIndex, 0, 32)
	for n := l.Node(); n != root; {
		n = n.Parent()
		path = append(path, n)
	}
	return path
}

// Resolution returns the non-blank nodes that together cover all members under n
// (section 4.1.1).
func (t *Tree) Resolution(n NodeIndex) []NodeIndex { return t.appendResolution(nil, n) }

func (t *Tree) appendResolution(out []NodeIndex, n NodeIndex) []NodeIndex {
	switch v := &t.nodes[n]; {
	case v.leaf != nil:
		return append(out, n)
	case v.parent != nil:
		out = append(out, n)
		for _, l := range v.parent.Unmerged {
			out = append(out, l.Node())
		}
		return out
	case n.IsLeaf():
		return out
	}
	out = t.appendResolution(out, n.Left())
	return t.appendResolution(out, n.Right())
}

// Recipients returns the resolution of n without the newly added leaves (increasing):
// those a path secret is encrypted to (section 7.6).
func (t *Tree) Recipients(n NodeIndex, added []LeafIndex) []NodeIndex {
	res := t.Resolution(n)
	if len(added) == 0 {
		return res
	}
	return slices.DeleteFunc(res, func(n NodeIndex) bool {
		if !n.IsLeaf() {
			return false
		}
		_, found := slices.BinarySearch(added, n.Leaf())
		return found
	})
}

// empty reports whether the resolution of n is empty.
func (t *Tree) empty(n NodeIndex) bool {
	if !t.nodes[n].blank() {
		return false
	}
	return n.IsLeaf() || t.empty(n.Left()) && t.empty(n.Right())
}

// A Step is a node of a filtered direct path together with its child on the copath.
type Step struct {
	Node   NodeIndex
	Copath NodeIndex
}

// FilteredPath returns l's direct path without the nodes whose child on the copath has
// an empty resolution (section 4.1.2).
func (t *Tree) FilteredPath(l LeafIndex) []Step {
	root := t.Root()
	steps := make([]Step, 0, 32)
	for n := l.Node(); n != root; n = n.Parent() {
		if s := n.Sibling(); !t.empty(s) {
			steps = append(steps, Step{Node: n.Parent(), Copath: s})
		}
	}
	return steps
}

// touch marks the hashes at n and above as out of date.
func (t *Tree) touch(n NodeIndex) {
	root := t.Root()
	for t.nodes[n].hash = nil; n != root; t.nodes[n].hash = nil {
		n = n.Parent()
	}
}

// blankPath blanks all nodes above l.
func (t *Tree) blankPath(l LeafIndex) {
	root := t.Root()
	t.nodes[l.Node()].hash = nil
	for n := l.Node(); n != root; {
		n = n.Parent()
		t.nodes[n] = node{}
	}
}

// Update replaces the leaf at i and blanks the path above it (section 12.1.2).
func (t *Tree) Update(i LeafIndex, leaf *LeafNode) {
	t.blankPath(i)
	t.nodes[i.Node()] = node{leaf: leaf}
}

// Remove blanks the given leaves and the paths above them, then truncates the tree
// (section 12.1.3).
func (t *Tree) Remove(leaves ...LeafIndex) {
	for _, i := range leaves {
		t.blankPath(i)
		t.nodes[i.Node()] = node{}
		t.free = min(t.free, i)
	}
	last := len(t.nodes) - 1
	for last > 0 && t.nodes[last].leaf == nil {
		last -= 2
	}
	width := 1<<bits.Len(uint(last)) - 1 // smallest full tree with node last in it
	if last == 0 {
		width = 1
	}
	clear(t.nodes[width:])
	t.nodes = t.nodes[:width]
}

// nextFree returns the leftmost blank leaf, which may be the first one past the tree's
// end, and extends the tree so that it has it.
func (t *Tree) nextFree() LeafIndex {
	for uint32(t.free) < t.Leaves() && t.nodes[t.free.Node()].leaf != nil {
		t.free++
	}
	if uint32(t.free) == t.Leaves() {
		t.nodes = append(t.nodes, make([]node, len(t.nodes)+1)...)
	}
	return t.free
}

// Add puts new members into the leftmost blank leaves, in order, and returns where
// (section 12.1.1). Each parent's list of unmerged leaves is rebuilt once, however many
// members are added.
func (t *Tree) Add(leaves ...*LeafNode) []LeafIndex {
	at := make([]LeafIndex, len(leaves))
	for i, leaf := range leaves {
		at[i] = t.nextFree()
		t.nodes[at[i].Node()] = node{leaf: leaf}
	}
	unmerged := make(map[NodeIndex][]LeafIndex)
	root := t.Root()
	for _, l := range at {
		t.nodes[l.Node()].hash = nil
		for n := l.Node(); n != root; {
			n = n.Parent()
			t.nodes[n].hash = nil
			if t.nodes[n].parent != nil {
				unmerged[n] = append(unmerged[n], l)
			}
		}
	}
	for n, added := range unmerged {
		p := *t.nodes[n].parent
		p.Unmerged = slices.Concat(p.Unmerged, added)
		slices.Sort(p.Unmerged)
		t.nodes[n].parent = &p
	}
	return at
}

// AddBlank reserves the leftmost blank leaf for the sender of an external commit.
func (t *Tree) AddBlank() LeafIndex {
	i := t.nextFree()
	t.touch(i.Node())
	return i
}

// Encode returns the tree as a ratchet_tree extension's data (section 12.4.3.3).
func (t *Tree) Encode() []byte {
	end := len(t.nodes)
	for end > 0 && t.nodes[end-1].blank() {
		end--
	}
	size := 0
	for i := range t.nodes[:end] {
		switch n := &t.nodes[i]; {
		case n.leaf != nil:
			size += 2 + len(n.leaf.raw)
		case n.parent != nil:
			size += 14 + len(n.parent.EncryptionKey) + len(n.parent.ParentHash) + 4*len(n.parent.Unmerged)
		default:
			size++
		}
	}
	return syntax.AppendList(make([]byte, 0, size+4), func(b []byte) []byte {
		for i := range t.nodes[:end] {
			switch n := &t.nodes[i]; {
			case n.leaf != nil:
				b = n.leaf.Append(append(b, 1, 1))
			case n.parent != nil:
				b = n.parent.append(append(b, 1, 2))
			default:
				b = append(b, 0)
			}
		}
		return b
	})
}

// Decode reads a ratchet_tree extension's data. Nothing in the result is checked yet.
func Decode(s *suite.Suite, b []byte) (*Received, error) {
	r := syntax.NewReader(b)
	var nodes []node
	r.List(func(r *syntax.Reader) {
		var n node
		if r.Optional() {
			switch typ := r.Uint8(); {
			case typ == 1 && len(nodes)%2 == 0:
				n.leaf = DecodeLeafNode(r)
			case typ == 2 && len(nodes)%2 == 1:
				n.parent = new(Parent)
				n.parent.decode(r)
			default:
				r.Fail("node type %d at place %d of the tree", typ, len(nodes))
			}
		}
		if len(nodes) == 2*MaxLeaves-1 {
			r.Fail("more than %d leaves", MaxLeaves)
			return
		}
		nodes = append(nodes, n)
	})
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("ratchet_tree: %w", err)
	}
	if len(nodes) == 0 || nodes[len(nodes)-1].blank() {
		return nil, fmt.Errorf("ratchet_tree: %w: last node is blank (section 12.4.3.3)", syntax.ErrMalformed)
	}
	width := 1<<bits.Len(uint(len(nodes))) - 1
	nodes = append(nodes, make([]node, width-len(nodes))...)
	return &Received{tree: Tree{suite: s, nodes: nodes}}, nil
}
