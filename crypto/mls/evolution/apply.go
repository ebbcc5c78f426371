package evolution

import (
	"bytes"
	"fmt"

	"causa/crypto/mls/framing"
	"causa/crypto/mls/tree"
)

// A Next is the coming epoch while it is being worked out: its tree, and its group
// context but for the hashes.
type Next struct {
	Plan    *Plan
	Tree    *tree.Tree
	Context framing.GroupContext
	Added   []tree.LeafIndex // where the plan's adds went, increasing
	Sender  tree.LeafIndex   // the committer's leaf
	state   *State
}

// Apply applies a plan to the state's tree and group context (section 12.3). An external
// committer gets its leaf, still blank.
func (s *State) Apply(p *Plan, committer framing.Sender) *Next {
	t := s.Tree.Clone()
	for _, u := range p.Updates {
		t.Update(u.At, u.Leaf.Detached())
	}
	if len(p.Removes) > 0 {
		t.Remove(p.Removes...)
	}
	n := &Next{Plan: p, Tree: t, Context: s.Context, Sender: committer.Leaf(), state: s}
	if len(p.Adds) > 0 {
		leaves := make([]*tree.LeafNode, len(p.Adds))
		for i, k := range p.Adds {
			leaves[i] = k.Leaf.Detached()
		}
		n.Added = t.Add(leaves...)
	}
	if committer.Type == framing.SenderNewMemberCommit {
		n.Sender = t.AddBlank()
	}
	n.Context.Epoch++
	n.Context.Extensions = p.Extensions
	return n
}

// MergePath checks a received update path against the tree and merges it (sections 7.5
// and 12.4.2). On error the Next is useless.
func (n *Next) MergePath(path *framing.UpdatePath, committer framing.Sender, rules Rules) error {
	s, t := n.state.Suite, n.Tree
	leaf := path.Leaf.Detached()
	if leaf.Source != tree.FromCommit {
		return fmt.Errorf("path leaf of source %d (section 12.4.2)", leaf.Source)
	}
	old := n.replaced(committer)
	if old != nil {
		if err := checkSuccessor(old, leaf); err != nil {
			return fmt.Errorf("path: %w", err)
		}
	}
	if err := leaf.VerifyFresh(s, n.Context.GroupID, n.Sender, n.Context.Extensions, rules.Check); err != nil {
		return fmt.Errorf("path: %w", err)
	}
	steps := t.FilteredPath(n.Sender)
	if len(path.Nodes) != len(steps) {
		return fmt.Errorf("path of %d nodes, want %d (section 7.5)", len(path.Nodes), len(steps))
	}
	keys := make([][]byte, len(steps), len(steps)+1)
	for i, step := range steps {
		node := &path.Nodes[i]
		if err := s.CheckPublicKey(node.EncryptionKey); err != nil {
			return fmt.Errorf("path node %d: %w", i, err)
		}
		if have, want := len(node.Secrets), len(t.Recipients(step.Copath, n.Added)); have != want {
			return fmt.Errorf("path node %d has %d ciphertexts, want %d (section 7.6)", i, have, want)
		}
		for j := range node.Secrets {
			if err := s.CheckCiphertext(node.Secrets[j]); err != nil {
				return fmt.Errorf("path node %d: %w", i, err)
			}
		}
		keys[i] = bytes.Clone(node.EncryptionKey)
	}
	if err := t.CheckPathKeys(append(keys, leaf.EncryptionKey)...); err != nil {
		return err
	}
	if !bytes.Equal(t.SetPath(n.Sender, steps, keys), leaf.ParentHash) {
		return fmt.Errorf("path leaf's parent hash doesn't fit the path (section 7.9.2)")
	}
	t.SetLeaf(n.Sender, leaf)
	return nil
}

// replaced returns the leaf that the committer's new one takes the place of: its old
// one, or the one an external commit removes.
func (n *Next) replaced(committer framing.Sender) *tree.LeafNode {
	if committer.Type == framing.SenderMember {
		return n.state.Tree.Leaf(n.Sender)
	}
	if len(n.Plan.Removes) > 0 {
		return n.state.Tree.Leaf(n.Plan.Removes[0])
	}
	return nil
}

// Finish checks the tree as a whole after all changes (section 12.2, last rule) and
// completes the provisional group context with the tree hash.
func (n *Next) Finish(withPath bool) error {
	if n.Plan.ExtensionsChanged {
		if err := n.Tree.CheckLeaves(n.Context.Extensions); err != nil {
			return err
		}
	}
	fresh := append([]tree.LeafIndex(nil), n.Added...)
	for _, u := range n.Plan.Updates {
		fresh = append(fresh, u.At)
	}
	if withPath {
		fresh = append(fresh, n.Sender)
	}
	if len(fresh) > 0 {
		if err := n.Tree.CheckCredentialTypes(); err != nil {
			return err
		}
		if err := n.Tree.CheckNewLeaves(fresh...); err != nil {
			return err
		}
	}
	n.Context.TreeHash = n.Tree.Hash()
	return nil
}

// Confirm completes the group context with the commit itself.
func (n *Next) Confirm(a *framing.Authentic) {
	n.Context.ConfirmedTranscriptHash = a.ConfirmedTranscriptHash(n.state.Suite, n.state.Interim)
}

// State returns the new epoch's state, given the commit's confirmation tag.
func (n *Next) State(tag []byte) *State { return NewState(n.Context, n.Tree, tag) }

// Receive works out the epoch that an authentic commit starts, as far as that is
// possible without secrets. The caller still has to check the confirmation tag, or to
// rely on somebody who did.
func (s *State) Receive(a *framing.Authentic, pool Pool, rules Rules) (*Next, error) {
	c := a.Content
	if c.Type != framing.ContentCommit {
		return nil, fmt.Errorf("%w: not a commit", ErrSender)
	}
	list, err := pool.Resolve(c.Commit, c.Sender)
	if err != nil {
		return nil, err
	}
	plan, err := s.Evaluate(list, c.Sender, rules)
	if err != nil {
		return nil, err
	}
	path := c.Commit.Path
	if path == nil && plan.PathRequired {
		return nil, fmt.Errorf("commit without the path it needs (section 12.4)")
	}
	n := s.Apply(plan, c.Sender)
	if path != nil {
		if err := n.MergePath(path, c.Sender, rules); err != nil {
			return nil, err
		}
	}
	if err := n.Finish(path != nil); err != nil {
		return nil, err
	}
	n.Confirm(a)
	return n, nil
}

// Provisional returns the encoded group context that path secrets are encrypted under:
// the new one with the old confirmed transcript hash (section 12.4.1).
func (n *Next) Provisional() []byte {
	c := n.Context
	c.ConfirmedTranscriptHash = n.state.Context.ConfirmedTranscriptHash
	return c.Encode()
}
