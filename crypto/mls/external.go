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
)

// An ExternalRequest says how to join by an external commit; the zero value works.
type ExternalRequest struct {
	Resync            bool     // replace our leaf that is in the group already
	PSKs              [][]byte // ids of external pre-shared keys
	AuthenticatedData []byte
}

// JoinExternal makes a commit by which we join a group without being added (section
// 12.4.3.2), given its GroupInfo. Whoever holds a GroupInfo can do this, so that the
// members' LeafCheck decides who may.
func JoinExternal(groupInfo, identity []byte, signer Signer, req ExternalRequest, o GroupOptions) (*Pending, error) {
	info, s, err := parseGroupInfo(groupInfo)
	if err != nil {
		return nil, err
	}
	t, err := verifyGroupInfo(info, s, &o)
	if err != nil {
		return nil, err
	}
	pub, ok := info.ExternalPub()
	if !ok {
		return nil, errors.New("group info has no external public key (section 12.4.3.2)")
	}
	kem, secret, err := s.ExternalInit(pub)
	if err != nil {
		return nil, err
	}
	leaf, _, err := newLeaf(s, identity, signer, KeyPackageOptions{Now: o.now(), Capabilities: o.Capabilities})
	if err != nil {
		return nil, err
	}
	leaf.Lifetime = tree.Lifetime{}
	k := &maker{
		suite: s, state: evolution.NewState(info.Context, t, info.ConfirmationTag),
		sender: framing.Sender{Type: framing.SenderNewMemberCommit}, signer: signer,
		template: leaf, init: schedule.InitSecret{Secret: secret}, rules: o.rules(true),
		format: framing.FormatPublic, data: req.AuthenticatedData, psk: o.find,
	}
	list, err := externalProposals(k, kem, identity, &req)
	if err != nil {
		return nil, err
	}
	if err := k.make(list); err != nil {
		return nil, err
	}
	defer k.wipe()
	secret.Wipe()
	if o.Check != nil {
		if err := o.Check(identity, leaf.SignatureKey); err != nil {
			return nil, fmt.Errorf("own credential (section 5.3.1): %w", err)
		}
	}
	o.Parent, o.Tree = nil, nil
	p := &Pending{group: k.group(&Group{suite: s, signer: signer, opts: o})}
	p.commit = framing.Public(k.commit, nil).Encode()
	if err := p.finish(k, false); err != nil {
		return nil, err
	}
	return p, nil
}

func externalProposals(m *maker, kem, identity []byte, req *ExternalRequest) ([]evolution.Sourced, error) {
	list := []evolution.Sourced{{
		Proposal: &framing.Proposal{Type: framing.ProposalExternalInit, ExternalInit: kem}, Sender: m.sender,
	}}
	if req.Resync {
		at, ok := LeafIndex(0), false
		for i, l := range m.state.Tree.All {
			if bytes.Equal(l.Credential.Presented(), identity) {
				at, ok = i, true
			}
		}
		if !ok {
			return nil, errors.New("nothing to replace: we aren't in the group")
		}
		list = append(list, evolution.Sourced{
			Proposal: &framing.Proposal{Type: framing.ProposalRemove, Remove: at}, Sender: m.sender,
		})
	}
	for _, id := range req.PSKs {
		list = append(list, evolution.Sourced{Proposal: &framing.Proposal{Type: framing.ProposalPSK, PSK: framing.PSKID{
			Type: framing.PSKExternal, ID: id, Nonce: suite.RandomSecret(m.suite.HashLen()),
		}}, Sender: m.sender})
	}
	return list, nil
}

// ProposeAdd makes a proposal that asks the group's members to add us (section 12.1.8).
// Whether they do is up to them.
func ProposeAdd(groupInfo []byte, kp *KeyPackage, signer Signer) ([]byte, error) {
	info, s, err := parseGroupInfo(groupInfo)
	if err != nil {
		return nil, err
	}
	return signExternal(s, signer, info, framing.Sender{Type: framing.SenderNewMemberProposal},
		&framing.Proposal{Type: framing.ProposalAdd, Add: kp.kp})
}

// ProposeExternal makes a proposal by the external sender with the given index in the
// group's external_senders extension (section 12.1.8). Update isn't allowed.
func ProposeExternal(groupInfo []byte, index uint32, req ProposalRequest, signer Signer) ([]byte, error) {
	info, s, err := parseGroupInfo(groupInfo)
	if err != nil {
		return nil, err
	}
	var p *framing.Proposal
	switch {
	case req.Add != nil:
		p = &framing.Proposal{Type: framing.ProposalAdd, Add: req.Add.kp}
	case req.Remove != nil:
		p = &framing.Proposal{Type: framing.ProposalRemove, Remove: *req.Remove}
	case req.PSK != nil:
		p = &framing.Proposal{Type: framing.ProposalPSK, PSK: framing.PSKID{
			Type: framing.PSKExternal, ID: req.PSK, Nonce: suite.RandomSecret(s.HashLen()),
		}}
	case req.Extensions != nil:
		p = &framing.Proposal{Type: framing.ProposalGroupContextExtensions, Extensions: *req.Extensions}
	case req.ReInit != nil:
		p = &framing.Proposal{Type: framing.ProposalReInit, ReInit: &framing.ReInit{
			GroupID: req.ReInit.GroupID, Version: tree.MLS10, Suite: req.ReInit.Suite, Extensions: req.ReInit.Extensions,
		}}
	default:
		return nil, errors.New("external senders can't propose this (section 12.1.8)")
	}
	return signExternal(s, signer, info, framing.Sender{Type: framing.SenderExternal, Index: index}, p)
}

func parseGroupInfo(b []byte) (*framing.GroupInfo, *suite.Suite, error) {
	m, err := framing.Parse(b)
	if err != nil {
		return nil, nil, err
	}
	if m.Format != framing.FormatGroupInfo {
		return nil, nil, fmt.Errorf("%w: not a group info", syntax.ErrMalformed)
	}
	s, err := suite.Of(m.GroupInfo.Context.Suite)
	if err != nil {
		return nil, nil, err
	}
	return m.GroupInfo, s, nil
}

func signExternal(s *suite.Suite, signer Signer, info *framing.GroupInfo, sender framing.Sender, p *framing.Proposal) ([]byte, error) {
	a, err := framing.Sign(s, signer, framing.FormatPublic, &framing.Content{
		GroupID: info.Context.GroupID, Epoch: info.Context.Epoch, Sender: sender,
		Type: framing.ContentProposal, Proposal: p,
	}, nil)
	if err != nil {
		return nil, err
	}
	return framing.Public(a, nil).Encode(), nil
}
