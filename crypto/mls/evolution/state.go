// Package evolution is how a group's public state moves from one epoch to the next (RFC
// 9420, sections 6.1 and 12.2 to 12.4.2): which proposals may stand together in a commit,
// what they do to the tree, and what makes an update path valid. It needs no secrets;
// members and the hub's public view share it.
package evolution

import (
	"bytes"
	"errors"
	"fmt"

	"causa/crypto/mls/framing"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/tree"
)

// Errors about messages as a whole.
var (
	ErrGroup  = errors.New("message is for another group")
	ErrSender = errors.New("sender may not send this (section 6.1)")
)

// An EpochError says that a message belongs to another epoch.
type EpochError struct {
	Have, Want uint64
}

func (e *EpochError) Error() string {
	return fmt.Sprintf("message is for epoch %d, the group is at %d (section 12.4.2)", e.Have, e.Want)
}

// Rules are what the application adds to RFC 9420's rules.
type Rules struct {
	Check     tree.LeafCheck // asked for every leaf let in; nil: all pass
	Lifetimes framing.Lifetimes
	// Linked allows the resumption PSKs of usage reinit or branch that the first commit of
	// a linked group carries (sections 11.2 and 11.3).
	Linked bool
}

// A State is a group's public state in one epoch. It is immutable.
type State struct {
	Suite   *suite.Suite
	Context framing.GroupContext
	Tree    *tree.Tree
	Interim []byte // interim transcript hash

	encoded []byte
}

// NewState returns the state of an epoch with a group context, whose tree hash is taken
// from the tree, and the confirmation tag of the commit that started it.
func NewState(context framing.GroupContext, t *tree.Tree, tag []byte) *State {
	context.TreeHash = t.Hash()
	// What lives on must not keep the message alive it came in: that may be a megabyte.
	context.GroupID = bytes.Clone(context.GroupID)
	context.ConfirmedTranscriptHash = bytes.Clone(context.ConfirmedTranscriptHash)
	context.Extensions = context.Extensions.Clone()
	s := &State{Suite: t.Suite(), Context: context, Tree: t}
	s.Interim = framing.InterimTranscriptHash(s.Suite, context.ConfirmedTranscriptHash, tag)
	s.encoded = s.Context.Encode()
	return s
}

// EncodedContext returns the encoding of the group context.
func (s *State) EncodedContext() []byte { return s.encoded }

// CheckEpoch checks that a message is for this group and epoch.
func (s *State) CheckEpoch(groupID []byte, epoch uint64) error {
	if !bytes.Equal(groupID, s.Context.GroupID) {
		return ErrGroup
	}
	if epoch != s.Context.Epoch {
		return &EpochError{Have: epoch, Want: s.Context.Epoch}
	}
	return nil
}

// Authenticate checks the signature of a message of this epoch with the key its sender
// must have signed with (section 6.1).
func (s *State) Authenticate(u *framing.Unverified) (*framing.Authentic, error) {
	c := u.Content()
	if err := s.CheckEpoch(c.GroupID, c.Epoch); err != nil {
		return nil, err
	}
	key, err := s.senderKey(c)
	if err != nil {
		return nil, err
	}
	return u.Verify(s.Suite, key, s.encoded)
}

func (s *State) senderKey(c *framing.Content) ([]byte, error) {
	switch c.Sender.Type {
	case framing.SenderMember:
		l := s.Tree.Leaf(c.Sender.Leaf())
		if l == nil {
			return nil, fmt.Errorf("%w: leaf %d is blank", ErrSender, c.Sender.Index)
		}
		return l.SignatureKey, nil
	case framing.SenderExternal:
		senders, err := framing.ExternalSenders(s.Context.Extensions)
		if err != nil {
			return nil, err
		}
		if uint64(c.Sender.Index) >= uint64(len(senders)) {
			return nil, fmt.Errorf("%w: no external sender %d", ErrSender, c.Sender.Index)
		}
		if c.Type != framing.ContentProposal || !mayBeExternal(c.Proposal.Type) {
			return nil, fmt.Errorf("%w: not a proposal an external sender may send (section 12.1.8)", ErrSender)
		}
		return senders[c.Sender.Index].SignatureKey, nil
	case framing.SenderNewMemberProposal:
		if c.Type != framing.ContentProposal || c.Proposal.Type != framing.ProposalAdd {
			return nil, fmt.Errorf("%w: a new member proposes only its own add", ErrSender)
		}
		return c.Proposal.Add.Leaf.SignatureKey, nil
	case framing.SenderNewMemberCommit:
		if c.Type != framing.ContentCommit || c.Commit.Path == nil {
			return nil, fmt.Errorf("%w: a new member sends only a commit with a path (section 12.4.3.2)", ErrSender)
		}
		return c.Commit.Path.Leaf.SignatureKey, nil
	}
	return nil, ErrSender
}

func mayBeExternal(t framing.ProposalType) bool {
	switch t {
	case framing.ProposalAdd, framing.ProposalRemove, framing.ProposalPSK, framing.ProposalReInit,
		framing.ProposalGroupContextExtensions:
		return true
	}
	return false
}

// A Sourced is a proposal together with who made it.
type Sourced struct {
	*framing.Proposal
	Sender  framing.Sender
	Ref     []byte // nil: by value
	Message []byte // the AuthenticatedContent it came in; nil: by value
}

// Pool holds the epoch's authentic proposals by reference.
type Pool map[string]Sourced

// Put adds an authentic proposal and returns its reference.
func (p Pool) Put(s *suite.Suite, a *framing.Authentic) []byte {
	ref := a.Ref(s)
	p[string(ref)] = Sourced{Proposal: a.Content.Proposal, Sender: a.Content.Sender, Ref: ref, Message: a.Append(nil)}
	return ref
}

// Resolve looks up the proposals of a commit.
func (p Pool) Resolve(c *framing.Commit, committer framing.Sender) ([]Sourced, error) {
	out := make([]Sourced, len(c.Proposals))
	for i, q := range c.Proposals {
		if q.Proposal != nil {
			out[i] = Sourced{Proposal: q.Proposal, Sender: committer}
			continue
		}
		if committer.Type == framing.SenderNewMemberCommit {
			return nil, fmt.Errorf("external commit refers to a proposal (section 12.4.3.2)")
		}
		found, ok := p[string(q.Ref)]
		if !ok {
			return nil, fmt.Errorf("%w (section 12.4)", ErrUnknownProposal)
		}
		out[i] = found
	}
	return out, nil
}

// ErrUnknownProposal says that a commit refers to a proposal we don't have.
var ErrUnknownProposal = errors.New("commit refers to a proposal that isn't here")
