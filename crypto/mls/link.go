package mls

import (
	"bytes"
	"errors"
	"fmt"

	"causa/crypto/mls/framing"
	"causa/crypto/mls/tree"
)

// Branch makes a new group of some of this group's members (section 11.3), linked to it
// by a secret that only members have. The key packages are those of the other members
// that it is to have. They join with [GroupOptions.Parent] set to this group.
func (g *Group) Branch(groupID []byte, members []*KeyPackage, o GroupOptions) (*Pending, error) {
	if err := g.usable(); err != nil {
		return nil, err
	}
	p, err := g.link(g.Suite(), groupID, g.signer, framing.UsageBranch, members, o)
	if err != nil {
		return nil, err
	}
	if err := subset(p.group.state.Tree, g.state.Tree); err != nil {
		return nil, fmt.Errorf("branch with somebody who isn't in the group (section 11.3): %w", err)
	}
	return p, nil
}

// Reinitialize makes the group that continues this one after a commit with a ReInit
// (section 11.2). Any one member may do it, with new key packages of all others, who join
// with [GroupOptions.Parent] set to this group. A signer of another kind may be needed
// for the new suite.
func (g *Group) Reinitialize(signer Signer, members []*KeyPackage, o GroupOptions) (*Pending, error) {
	if g.over != nil {
		return nil, g.over
	}
	if g.reinit == nil {
		return nil, errors.New("group's last commit wasn't a reinit (section 11.2)")
	}
	o.Extensions = g.reinit.Extensions
	p, err := g.link(g.reinit.Suite, g.reinit.GroupID, signer, framing.UsageReInit, members, o)
	if err != nil {
		return nil, err
	}
	if err := sameMembers(g.state.Tree, p.group.state.Tree); err != nil {
		return nil, err
	}
	return p, nil
}

// link creates a group and commits its members together with a secret of this group.
func (g *Group) link(id Suite, groupID []byte, signer Signer, usage uint8, members []*KeyPackage, o GroupOptions) (*Pending, error) {
	own := g.state.Tree.Leaf(g.keys.Own).Credential.Presented()
	o.Parent = g
	first, err := Create(id, groupID, own, signer, o)
	if err != nil {
		return nil, err
	}
	p, err := first.Commit(CommitRequest{Add: members, ForcePath: true, linked: []framing.PSKID{{
		Type: framing.PSKResumption, Usage: usage, GroupID: g.state.Context.GroupID, Epoch: g.Epoch(),
	}}})
	if err != nil {
		return nil, err
	}
	first.Wipe(p.group)
	p.old, p.group.opts.Parent = nil, nil
	return p, nil
}

// checkLinks checks that a Welcome links its group to at most one other (section
// 12.4.3.1).
func checkLinks(ids []framing.PSKID) error {
	links := 0
	for _, id := range ids {
		if isLink(id) {
			links++
		}
	}
	if links > 1 {
		return errors.New("welcome with more than one reinit or branch PSK (section 12.4.3.1)")
	}
	return nil
}

func isLink(id framing.PSKID) bool {
	return id.Type == framing.PSKResumption && id.Usage != framing.UsageApplication
}

// checkParent checks that a group that says to continue or branch off another one does so
// as sections 11.2, 11.3 and 12.4.3.1 demand.
func (j *joining) checkParent(info *framing.GroupInfo, t *tree.Tree, ids []framing.PSKID) error {
	for _, id := range ids {
		if !isLink(id) {
			continue
		}
		p := j.opts.Parent
		if p == nil || !bytes.Equal(p.state.Context.GroupID, id.GroupID) {
			return errors.New("group is linked to another one that isn't given as Parent (section 12.4.3.1)")
		}
		if info.Context.Epoch != 1 {
			return fmt.Errorf("linked group at epoch %d, want 1 (section 12.4.3.1)", info.Context.Epoch)
		}
		if id.Usage == framing.UsageReInit {
			return checkReInit(p, info, t, id)
		}
		return checkBranch(p, info, t)
	}
	return nil
}

func checkReInit(p *Group, info *framing.GroupInfo, t *tree.Tree, id framing.PSKID) error {
	r, c := p.reinit, &info.Context
	if r == nil || id.Epoch != p.Epoch() {
		return errors.New("old group's last commit wasn't a reinit (section 12.4.3.1)")
	}
	if r.Version != tree.MLS10 || r.Suite != c.Suite || !bytes.Equal(r.GroupID, c.GroupID) ||
		!bytes.Equal(r.Extensions.Append(nil), c.Extensions.Append(nil)) {
		return errors.New("new group differs from what the reinit said (section 12.4.3.1)")
	}
	return sameMembers(p.state.Tree, t)
}

// sameMembers checks that the new group has exactly the old one's members (section 11.2).
func sameMembers(from, to *tree.Tree) error {
	if err := subset(from, to); err != nil {
		return fmt.Errorf("member of the old group is missing (section 12.4.3.1): %w", err)
	}
	if err := subset(to, from); err != nil {
		return fmt.Errorf("new group has members the old one hadn't (section 11.2): %w", err)
	}
	return nil
}

func checkBranch(p *Group, info *framing.GroupInfo, t *tree.Tree) error {
	if info.Context.Suite != p.Suite() {
		return errors.New("branch with another cipher suite (section 11.3)")
	}
	if err := subset(t, p.state.Tree); err != nil {
		return fmt.Errorf("branch with members the old group hasn't (section 11.3): %w", err)
	}
	return nil
}

// subset checks that every identity in a is one in b.
func subset(a, b *tree.Tree) error {
	have := make(map[string]bool)
	for _, l := range b.All {
		have[string(l.Credential.Presented())] = true
	}
	for i, l := range a.All {
		if !have[string(l.Credential.Presented())] {
			return fmt.Errorf("leaf %d", i)
		}
	}
	return nil
}
