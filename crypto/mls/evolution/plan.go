package evolution

import (
	"bytes"
	"fmt"

	"causa/crypto/mls/framing"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/tree"
)

// A Replacement is a new leaf for a member.
type Replacement struct {
	At   tree.LeafIndex
	Leaf *tree.LeafNode
}

// A Plan is a list of proposals found valid together (section 12.2), sorted by what is
// to be done.
type Plan struct {
	Extensions        tree.Extensions // of the new epoch
	ExtensionsChanged bool
	Updates           []Replacement
	Removes           []tree.LeafIndex
	Adds              []*framing.KeyPackage
	PSKs              []framing.PSKID
	ExternalInit      []byte
	ReInit            *framing.ReInit
	PathRequired      bool // section 12.4
}

// A planner collects a plan and what is needed to find contradictions.
type planner struct {
	Plan
	state     *State
	rules     Rules
	committer framing.Sender
	touched   map[tree.LeafIndex]bool
	clients   map[string]bool
	psks      map[string]bool
}

// Evaluate checks that the proposals may be committed together by committer.
func (s *State) Evaluate(list []Sourced, committer framing.Sender, rules Rules) (*Plan, error) {
	p := &planner{
		state: s, rules: rules, committer: committer,
		touched: make(map[tree.LeafIndex]bool), clients: make(map[string]bool), psks: make(map[string]bool),
	}
	p.Extensions = s.Context.Extensions
	p.PathRequired = len(list) == 0
	external := committer.Type == framing.SenderNewMemberCommit
	// The new extensions apply when other proposals are looked at (section 12.3).
	for _, q := range list {
		if q.Type == framing.ProposalGroupContextExtensions {
			if err := p.extensions(q); err != nil {
				return nil, err
			}
		}
	}
	for i, q := range list {
		if external && !allowedInExternalCommit(q.Type) {
			return nil, fmt.Errorf("%v proposal in an external commit (section 12.2)", q.Type)
		}
		if err := p.add(q); err != nil {
			return nil, fmt.Errorf("proposal %d (%v): %w", i, q.Type, err)
		}
	}
	if n := len(p.Adds) + 1; n > tree.MaxLeaves || s.Tree.Members()+n > tree.MaxLeaves {
		return nil, fmt.Errorf("group would have more than %d members", tree.MaxLeaves-1)
	}
	if p.ReInit != nil && len(list) > 1 {
		return nil, fmt.Errorf("reinit together with other proposals (section 12.2)")
	}
	if external {
		if p.ExternalInit == nil {
			return nil, fmt.Errorf("external commit without external_init (section 12.2)")
		}
		if len(p.Removes) > 1 {
			return nil, fmt.Errorf("external commit with several removes (section 12.2)")
		}
	}
	return &p.Plan, nil
}

func allowedInExternalCommit(t framing.ProposalType) bool {
	return t == framing.ProposalExternalInit || t == framing.ProposalRemove || t == framing.ProposalPSK
}

func (p *planner) extensions(q Sourced) error {
	if p.ExtensionsChanged {
		return fmt.Errorf("two group_context_extensions proposals (section 12.2)")
	}
	if err := CheckGroupExtensions(p.state.Suite, q.Extensions, p.rules); err != nil {
		return err
	}
	p.Extensions, p.ExtensionsChanged, p.PathRequired = q.Extensions, true, true
	return nil
}

// CheckGroupExtensions checks that GroupContext extensions are well-formed.
func CheckGroupExtensions(s *suite.Suite, e tree.Extensions, rules Rules) error {
	if err := e.CheckUnique(); err != nil {
		return err
	}
	if data, ok := e.Find(tree.ExtRequiredCapabilities); ok {
		if _, err := tree.DecodeRequiredCapabilities(data); err != nil {
			return err
		}
	}
	senders, err := framing.ExternalSenders(e)
	if err != nil {
		return err
	}
	for i := range senders {
		if err := s.CheckSignatureKey(senders[i].SignatureKey); err != nil {
			return fmt.Errorf("external sender %d: %w", i, err)
		}
		if rules.Check != nil {
			if err := rules.Check(senders[i].Credential.Presented(), senders[i].SignatureKey); err != nil {
				return fmt.Errorf("external sender %d: credential (section 5.3.1): %w", i, err)
			}
		}
	}
	return nil
}

func (p *planner) add(q Sourced) error {
	switch q.Sender.Type {
	case framing.SenderExternal:
		if !mayBeExternal(q.Type) {
			return fmt.Errorf("%w (section 12.1.8)", ErrSender)
		}
	case framing.SenderNewMemberProposal:
		if q.Type != framing.ProposalAdd {
			return fmt.Errorf("%w (section 12.1.8)", ErrSender)
		}
	}
	switch q.Type {
	case framing.ProposalAdd:
		return p.addMember(q)
	case framing.ProposalUpdate:
		return p.update(q)
	case framing.ProposalRemove:
		return p.remove(q)
	case framing.ProposalPSK:
		return p.psk(q)
	case framing.ProposalReInit:
		if q.ReInit.Version < tree.MLS10 {
			return fmt.Errorf("version is lower than the group's (section 12.1.5)")
		}
		if p.ReInit != nil {
			return fmt.Errorf("two reinit proposals (section 12.2)")
		}
		if err := q.ReInit.Extensions.CheckUnique(); err != nil {
			return err
		}
		p.ReInit = q.ReInit
	case framing.ProposalExternalInit:
		if p.committer.Type != framing.SenderNewMemberCommit || p.ExternalInit != nil {
			return fmt.Errorf("only one, and only in an external commit (section 12.2)")
		}
		p.ExternalInit = q.ExternalInit
		p.PathRequired = true
	case framing.ProposalGroupContextExtensions: // done first
	default:
		return fmt.Errorf("unsupported type %d (section 12.2)", q.Type)
	}
	return nil
}

func (p *planner) addMember(q Sourced) error {
	k := q.Add
	if err := k.Verify(p.state.Suite, p.Extensions, p.rules.Lifetimes, p.rules.Check); err != nil {
		return err
	}
	if p.clients[string(k.Leaf.SignatureKey)] {
		return fmt.Errorf("two adds of one client (section 12.2)")
	}
	p.clients[string(k.Leaf.SignatureKey)] = true
	p.Adds = append(p.Adds, k)
	return nil
}

func (p *planner) touch(l tree.LeafIndex) error {
	if p.touched[l] {
		return fmt.Errorf("two updates or removes of leaf %d (section 12.2)", l)
	}
	p.touched[l] = true
	return nil
}

func (p *planner) update(q Sourced) error {
	if q.Sender.Type != framing.SenderMember {
		return fmt.Errorf("%w: not a member", ErrSender)
	}
	at := q.Sender.Leaf()
	if p.committer == q.Sender {
		return fmt.Errorf("a committer may not commit its own update (section 12.2)")
	}
	old := p.state.Tree.Leaf(at)
	if old == nil {
		return fmt.Errorf("leaf %d is blank (section 12.1.2)", at)
	}
	if err := p.touch(at); err != nil {
		return err
	}
	if q.Update.Source != tree.FromUpdate {
		return fmt.Errorf("leaf node of source %d (section 7.3)", q.Update.Source)
	}
	if err := checkSuccessor(old, q.Update); err != nil {
		return err
	}
	if err := q.Update.VerifyFresh(p.state.Suite, p.state.Context.GroupID, at, p.Extensions, p.rules.Check); err != nil {
		return err
	}
	p.Updates = append(p.Updates, Replacement{At: at, Leaf: q.Update})
	p.PathRequired = true
	return nil
}

// checkSuccessor checks that a leaf may replace old: same identity, new encryption key.
func checkSuccessor(old, leaf *tree.LeafNode) error {
	if !leaf.SameIdentity(old) {
		return fmt.Errorf("leaf changes its identity (section 5.3.1)")
	}
	if bytes.Equal(old.EncryptionKey, leaf.EncryptionKey) {
		return fmt.Errorf("leaf keeps its encryption key (section 7.3)")
	}
	return nil
}

func (p *planner) remove(q Sourced) error {
	if p.state.Tree.Leaf(q.Remove) == nil {
		return fmt.Errorf("leaf %d is blank (section 12.1.3)", q.Remove)
	}
	if p.committer == framing.Member(q.Remove) {
		return fmt.Errorf("a committer may not remove itself (section 12.2)")
	}
	if err := p.touch(q.Remove); err != nil {
		return err
	}
	p.Removes = append(p.Removes, q.Remove)
	p.PathRequired = true
	return nil
}

func (p *planner) psk(q Sourced) error {
	id := &q.PSK
	if len(id.Nonce) != p.state.Suite.HashLen() {
		return fmt.Errorf("nonce of %d bytes (section 12.1.4)", len(id.Nonce))
	}
	if id.Type == framing.PSKResumption && id.Usage != framing.UsageApplication && !p.rules.Linked {
		return fmt.Errorf("resumption PSK of usage %d outside of its purpose (section 12.1.4)", id.Usage)
	}
	key := string(id.Append(nil))
	if p.psks[key] {
		return fmt.Errorf("two of the same id (section 12.2)")
	}
	p.psks[key] = true
	if len(p.PSKs) == 1<<16-1 {
		return fmt.Errorf("too many (section 8.4)")
	}
	p.PSKs = append(p.PSKs, *id)
	return nil
}

// CheckProposal checks one proposal by itself, as on receipt (section 12.1).
func (s *State) CheckProposal(q Sourced, rules Rules) error {
	nobody := framing.Sender{Type: framing.SenderMember, Index: 1<<32 - 1}
	if q.Type == framing.ProposalExternalInit {
		return fmt.Errorf("external_init outside of an external commit (section 12.1.6)")
	}
	_, err := s.Evaluate([]Sourced{q}, nobody, rules)
	return err
}
