package mls

import (
	"bytes"
	"errors"
	"fmt"

	"causa/crypto/mls/evolution"
	"causa/crypto/mls/framing"
	"causa/crypto/mls/schedule"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
	"causa/crypto/mls/tree"
	"causa/crypto/mls/treekem"
)

// A Change tells what a handshake message did.
type Change struct {
	Committer         LeafIndex
	CommitterIdentity []byte
	External          bool // the committer joined by this commit

	Added   []Leaf
	Removed []Leaf
	Updated []Leaf // members with new keys, the committer included

	ExtensionsChanged bool
	ReInit            *ReInit // the group is closed, and to be continued with these parameters
	SelfRemoved       bool    // we aren't a member any more; the group is dead

	// Proposal is set if the message was a proposal: it is remembered until somebody
	// commits, and nothing has changed yet.
	Proposal *Proposed

	AuthenticatedData []byte
}

// Process takes a handshake message of somebody else: a commit, or a proposal. On a
// commit, g is in the next epoch after that; on error it is unchanged.
func (g *Group) Process(message []byte) (*Change, error) {
	if err := g.usable(); err != nil {
		return nil, err
	}
	m, err := framing.Parse(message)
	if err != nil {
		return nil, err
	}
	a, err := g.authenticate(m)
	if err != nil {
		return nil, err
	}
	switch a.Content.Type {
	case framing.ContentCommit:
		return g.processCommit(a)
	case framing.ContentProposal:
		return g.processProposal(a)
	}
	return nil, fmt.Errorf("%w: application data isn't a handshake (section 6)", syntax.ErrMalformed)
}

// authenticate checks that a handshake message comes from whom it says.
func (g *Group) authenticate(m *framing.Message) (*framing.Authentic, error) {
	switch m.Format {
	case framing.FormatPublic:
		p := m.Public
		c := p.Content()
		if err := g.state.CheckEpoch(c.GroupID, c.Epoch); err != nil {
			return nil, err
		}
		if c.Type == framing.ContentApplication {
			return nil, fmt.Errorf("%w: application data must be private (section 6)", syntax.ErrMalformed)
		}
		if c.Sender.Type == framing.SenderMember {
			if err := p.CheckMembership(g.suite, g.epoch.Membership.Secret, g.state.EncodedContext()); err != nil {
				return nil, err
			}
		}
		return g.state.Authenticate(&p.Unverified)
	case framing.FormatPrivate:
		if m.Private.Type == framing.ContentApplication {
			return nil, fmt.Errorf("%w: application data isn't a handshake (section 6)", syntax.ErrMalformed)
		}
		if err := g.state.CheckEpoch(m.Private.GroupID, m.Private.Epoch); err != nil {
			return nil, err
		}
		a, err := g.unprotect(m.Private, g.current())
		if errors.Is(err, ErrOwnMessage) {
			return nil, ErrOwnCommit
		}
		return a, err
	}
	return nil, fmt.Errorf("%w: not a handshake message (section 6)", syntax.ErrMalformed)
}

// processCommit follows section 12.4.2.
func (g *Group) processCommit(a *framing.Authentic) (*Change, error) {
	sender := a.Content.Sender
	if sender == framing.Member(g.keys.Own) {
		return nil, ErrOwnCommit
	}
	n, err := g.state.Receive(a, g.pool, g.opts.rules(false))
	if err != nil {
		return nil, err
	}
	change := g.describe(a, n)
	if change.SelfRemoved {
		g.Wipe(nil)
		g.over = ErrRemoved
		return change, nil
	}
	next, err := g.advance(a, n)
	if err != nil {
		return nil, err
	}
	next.inherit(g)
	old := *g
	*g = *next
	old.Wipe(g)
	return change, nil
}

// advance computes our private state in the epoch after a commit.
func (g *Group) advance(a *framing.Authentic, n *evolution.Next) (*Group, error) {
	keys, err := g.updatedKeys(n)
	if err != nil {
		return nil, err
	}
	keys = keys.Prune(n.Tree)
	commit := schedule.NoCommit(g.suite)
	if path := a.Content.Commit.Path; path != nil {
		if keys, commit, err = treekem.Open(keys, n.Tree, n.Sender, path, n.Added, n.Provisional()); err != nil {
			return nil, err
		}
	}
	init := g.epoch.Init
	if n.Plan.ExternalInit != nil {
		key, err := g.epoch.ExternalKey(g.suite)
		if err != nil {
			return nil, err
		}
		secret, err := g.suite.OpenExternalInit(key, n.Plan.ExternalInit)
		if err != nil {
			return nil, fmt.Errorf("external init (section 8.3): %w", err)
		}
		init = schedule.InitSecret{Secret: secret}
	}
	psks, err := findPSKs(n.Plan.PSKs, g.findPSK)
	if err != nil {
		return nil, err
	}
	next := g.follow()
	next.keys = keys
	context := n.Context.Encode()
	joiner := schedule.Joiner(g.suite, init, commit, context)
	mixed := schedule.Mix(g.suite, joiner, schedule.CombinePSKs(g.suite, psks))
	next.epoch = mixed.Epoch(context)
	for _, s := range []suite.Secret{joiner.Secret, commit.Secret} {
		s.Wipe()
	}
	mixed.Wipe()
	next.tag = bytes.Clone(a.Auth.ConfirmationTag)
	if err := next.epoch.CheckConfirmation(g.suite, n.Context.ConfirmedTranscriptHash, next.tag); err != nil {
		return nil, err
	}
	next.begin(n.State(next.tag))
	next.reinit = n.Plan.ReInit
	return next, nil
}

// updatedKeys returns our keys, with the new leaf key if the commit contains our Update.
func (g *Group) updatedKeys(n *evolution.Next) (*treekem.Keys, error) {
	for _, u := range n.Plan.Updates {
		if u.At != g.keys.Own {
			continue
		}
		for _, key := range g.updates {
			if bytes.Equal(key.Public(), u.Leaf.EncryptionKey) {
				return g.keys.WithLeaf(key), nil
			}
		}
		return nil, fmt.Errorf("commit contains an update of ours that we didn't make")
	}
	return g.keys, nil
}

// describe tells the application about a commit.
func (g *Group) describe(a *framing.Authentic, n *evolution.Next) *Change {
	old, plan := g.state.Tree, n.Plan
	c := &Change{
		Committer: n.Sender, External: a.Content.Sender.Type == framing.SenderNewMemberCommit,
		ExtensionsChanged: plan.ExtensionsChanged, AuthenticatedData: a.Content.AuthenticatedData,
	}
	for _, l := range plan.Removes {
		c.Removed = append(c.Removed, leafOf(l, old.Leaf(l)))
		c.SelfRemoved = c.SelfRemoved || l == g.keys.Own
	}
	for _, l := range n.Added {
		c.Added = append(c.Added, leafOf(l, n.Tree.Leaf(l)))
	}
	for _, u := range plan.Updates {
		c.Updated = append(c.Updated, leafOf(u.At, u.Leaf))
	}
	committer := committerLeaf(old, n.Tree, n.Sender, c.External)
	c.CommitterIdentity = committer.Credential.Presented()
	switch {
	case c.External:
		c.Added = append(c.Added, leafOf(n.Sender, committer))
	case a.Content.Commit.Path != nil:
		c.Updated = append(c.Updated, leafOf(n.Sender, n.Tree.Leaf(n.Sender)))
	}
	if r := plan.ReInit; r != nil {
		c.ReInit = &ReInit{GroupID: r.GroupID, Suite: r.Suite, Extensions: r.Extensions}
	}
	return c
}

func committerLeaf(before, after *tree.Tree, at LeafIndex, external bool) *tree.LeafNode {
	if external {
		return after.Leaf(at)
	}
	return before.Leaf(at)
}
