package mls

import (
	"bytes"
	"errors"
	"fmt"

	"causa/crypto/mls/evolution"
	"causa/crypto/mls/framing"
	"causa/crypto/mls/tree"
)

// MaxProposals is how many proposals of an epoch are remembered. Without a limit one
// member could fill everybody's memory.
const MaxProposals = 4096

// A Proposed is a proposal somebody made in this epoch.
type Proposed struct {
	Ref    []byte
	Type   framing.ProposalType
	Sender framing.Sender
	Add    *KeyPackage // type add
	Remove LeafIndex   // type remove
}

// Proposals returns the proposals waiting to be committed.
func (g *Group) Proposals() []Proposed {
	out := make([]Proposed, 0, len(g.order))
	for _, ref := range g.order {
		out = append(out, *g.proposed(g.pool[string(ref)]))
	}
	return out
}

func (g *Group) proposed(q evolution.Sourced) *Proposed {
	p := &Proposed{Ref: q.Ref, Type: q.Type, Sender: q.Sender, Remove: q.Remove}
	if q.Type == framing.ProposalAdd {
		p.Add = &KeyPackage{kp: q.Add, suite: g.suite}
	}
	return p
}

// processProposal remembers an authentic proposal of somebody else, if it is valid by
// itself.
func (g *Group) processProposal(a *framing.Authentic) (*Change, error) {
	if a.Content.Sender == framing.Member(g.keys.Own) {
		return nil, fmt.Errorf("proposal: %w", ErrOwnCommit)
	}
	if len(g.order) >= MaxProposals {
		return nil, errors.New("too many proposals wait to be committed")
	}
	q := evolution.Sourced{Proposal: a.Content.Proposal, Sender: a.Content.Sender}
	if err := g.state.CheckProposal(q, g.opts.rules(false)); err != nil {
		return nil, err
	}
	return &Change{Proposal: g.proposed(g.remember(a)), AuthenticatedData: a.Content.AuthenticatedData}, nil
}

func (g *Group) remember(a *framing.Authentic) evolution.Sourced {
	ref := g.pool.Put(g.suite, a)
	for _, have := range g.order {
		if bytes.Equal(have, ref) {
			return g.pool[string(ref)]
		}
	}
	g.order = append(g.order, ref)
	return g.pool[string(ref)]
}

// A ProposalRequest says what to propose; exactly one field is to be set.
type ProposalRequest struct {
	Add        *KeyPackage
	Remove     *LeafIndex
	Update     bool   // new keys for ourselves
	PSK        []byte // id of an external pre-shared key
	Resume     *uint64
	Extensions *Extensions
	ReInit     *ReInit

	Private           bool
	AuthenticatedData []byte
}

// Propose makes a proposal for somebody to commit, as MLSMessage. It is remembered in g,
// which has to be stored before the message leaves the device if it is an Update.
func (g *Group) Propose(req ProposalRequest) ([]byte, error) {
	if err := g.usable(); err != nil {
		return nil, err
	}
	p, err := g.proposal(req)
	if err != nil {
		return nil, err
	}
	format := framing.FormatPublic
	if req.Private {
		format = framing.FormatPrivate
	}
	a, err := framing.Sign(g.suite, g.signer, format, &framing.Content{
		GroupID: g.state.Context.GroupID, Epoch: g.Epoch(), Sender: framing.Member(g.keys.Own),
		AuthenticatedData: req.AuthenticatedData, Type: framing.ContentProposal, Proposal: p,
	}, g.state.EncodedContext())
	if err != nil {
		return nil, err
	}
	q := evolution.Sourced{Proposal: p, Sender: a.Content.Sender}
	if err := g.state.CheckProposal(q, g.opts.rules(true)); err != nil {
		return nil, err
	}
	out, err := g.frame(a, 0)
	if err != nil {
		return nil, err
	}
	g.remember(a)
	return out, nil
}

func (g *Group) proposal(req ProposalRequest) (*framing.Proposal, error) {
	switch {
	case req.Update:
		return g.updateProposal()
	case req.Add != nil:
		return &framing.Proposal{Type: framing.ProposalAdd, Add: req.Add.kp}, nil
	case req.Remove != nil:
		return &framing.Proposal{Type: framing.ProposalRemove, Remove: *req.Remove}, nil
	}
	c := CommitRequest{Extensions: req.Extensions, ReInit: req.ReInit, IgnoreProposals: true}
	if req.PSK != nil {
		c.PSKs = [][]byte{req.PSK}
	}
	if req.Resume != nil {
		c.Resume = []uint64{*req.Resume}
	}
	list, err := g.proposals(&c)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 {
		return nil, fmt.Errorf("a proposal request asks for exactly one thing, not %d", len(list))
	}
	return list[0].Proposal, nil
}

func (g *Group) updateProposal() (*framing.Proposal, error) {
	key, err := g.suite.GenerateKey()
	if err != nil {
		return nil, err
	}
	leaf := *g.state.Tree.Leaf(g.keys.Own)
	leaf.EncryptionKey = key.Public()
	leaf.Source = tree.FromUpdate
	leaf.ParentHash, leaf.Lifetime = nil, tree.Lifetime{}
	if err := leaf.Sign(g.suite, g.signer, g.state.Context.GroupID, g.keys.Own); err != nil {
		return nil, err
	}
	g.updates[string(key.Public())] = key
	return &framing.Proposal{Type: framing.ProposalUpdate, Update: &leaf}, nil
}
