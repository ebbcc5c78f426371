package mls

import (
	"bytes"
	"errors"
	"testing"

	"causa/crypto/mls/framing"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
	"causa/crypto/mls/tree"
	"causa/crypto/mls/treekem"
	"causa/crypto/mls/view"
)

// A forger makes commits that no honest client would make, but with a good signature and
// membership tag. Their confirmation tag is always wrong: a commit that passes all other
// rules ends with ErrConfirmation.
type forger struct {
	*client
	victims []*client
	hub     *view.View
}

func newForger(t *testing.T) *forger {
	t.Helper()
	all := newGroup(t, Classic, GroupOptions{PSK: func([]byte) ([]byte, bool) { return []byte("k"), true }}, "mallory", "bob", "carol", "dave")
	info, err := all[0].group.GroupInfo()
	if err != nil {
		t.Fatal(err)
	}
	hub, err := view.Open(info, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &forger{client: all[0], victims: all[1:], hub: hub}
}

func (f *forger) sign(content *framing.Content) *framing.Message {
	f.t.Helper()
	g := f.group
	a, err := framing.Sign(g.suite, f.signer, framing.FormatPublic, content, g.state.EncodedContext())
	if err != nil {
		f.t.Fatal(err)
	}
	if content.Type == framing.ContentCommit {
		a.Auth.ConfirmationTag = make([]byte, g.suite.HashLen())
	}
	return framing.Public(a, a.MembershipTag(g.suite, g.epoch.Membership.Secret, g.state.EncodedContext()))
}

func (f *forger) content(c *framing.Commit) *framing.Content {
	return &framing.Content{
		GroupID: f.group.GroupID(), Epoch: f.group.Epoch(), Sender: framing.Member(f.group.Own()),
		Type: framing.ContentCommit, Commit: c,
	}
}

func (f *forger) commit(path *framing.UpdatePath, list ...*framing.Proposal) []byte {
	f.t.Helper()
	c := &framing.Commit{Path: path}
	for _, p := range list {
		c.Proposals = append(c.Proposals, framing.ProposalOrRef{Proposal: p})
	}
	return f.sign(f.content(c)).Encode()
}

// path returns a path of the forger's, changed by the functions given: before it is made,
// and after.
func (f *forger) path(template func(*tree.LeafNode), change func(*framing.UpdatePath)) *framing.UpdatePath {
	f.t.Helper()
	g := f.group
	leaf := *g.state.Tree.Leaf(g.Own())
	if template != nil {
		template(&leaf)
	}
	next := g.state.Tree.Clone()
	p, err := treekem.Generate(next, g.Own(), &leaf, f.signer, g.GroupID())
	if err != nil {
		f.t.Fatal(err)
	}
	c := g.state.Context
	c.Epoch++
	c.TreeHash = next.Hash()
	path, err := p.Encrypt(next, nil, c.Encode())
	if err != nil {
		f.t.Fatal(err)
	}
	if change != nil {
		change(path)
	}
	return path
}

func (f *forger) resign(leaf *tree.LeafNode) {
	f.t.Helper()
	if err := leaf.Sign(f.group.suite, f.signer, f.group.GroupID(), f.group.Own()); err != nil {
		f.t.Fatal(err)
	}
}

// refused checks that all victims refuse a message for a reason other than its
// confirmation tag, that the hub refuses it too, and that nobody's state changes.
func (f *forger) refused(t *testing.T, message []byte) {
	t.Helper()
	for _, v := range f.victims {
		before, err := v.group.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.group.Process(message)
		if err == nil || errors.Is(err, ErrConfirmation) {
			t.Errorf("%s: got %v, want a broken rule", v.identity, err)
		} else {
			t.Logf("%s: %v", v.identity, err)
		}
		after, err := v.group.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, after) {
			t.Errorf("%s: a refused message changes the group", v.identity)
		}
	}
	info, err := f.group.GroupInfo()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.hub.Commit(message, info); err == nil || errors.Is(err, view.ErrGroupInfo) {
		t.Errorf("hub: got %v, want a broken rule", err)
	}
}

func TestForgedCommits(t *testing.T) {
	f := newForger(t)
	good := f.path(nil, nil)
	for _, v := range f.victims { // the control: nothing but the tag is wrong
		if _, err := v.group.Process(f.commit(good)); !errors.Is(err, ErrConfirmation) {
			t.Fatalf("control: got %v, want ErrConfirmation", err)
		}
	}
	info, err := f.group.GroupInfo()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.hub.Commit(f.commit(good), info); !errors.Is(err, view.ErrGroupInfo) {
		t.Fatalf("control: hub: got %v, want ErrGroupInfo", err)
	}
	bob := f.victims[0].group.Own()
	remove := &framing.Proposal{Type: framing.ProposalRemove, Remove: bob}
	n := newClient(t, Classic, "new")
	add := func(kp *KeyPackage) *framing.Proposal {
		return &framing.Proposal{Type: framing.ProposalAdd, Add: kp.kp}
	}
	nonce := make([]byte, 32)
	psk := func(id framing.PSKID) *framing.Proposal { return &framing.Proposal{Type: framing.ProposalPSK, PSK: id} }
	update := *f.group.state.Tree.Leaf(f.group.Own())
	key, err := f.group.suite.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	update.EncryptionKey, update.Source = key.Public(), tree.FromUpdate
	f.resign(&update)
	extensions := &framing.Proposal{Type: framing.ProposalGroupContextExtensions}
	reinit := &framing.Proposal{Type: framing.ProposalReInit, ReInit: &framing.ReInit{GroupID: []byte("x"), Version: 1, Suite: Classic}}
	badKP := func(change func(*framing.KeyPackage)) *framing.Proposal {
		t.Helper()
		kp, _, err := NewKeyPackage(Classic, n.identity, n.signer, KeyPackageOptions{})
		if err != nil {
			t.Fatal(err)
		}
		change(kp.kp)
		if err := kp.kp.Sign(f.group.suite, n.signer); err != nil {
			t.Fatal(err)
		}
		return add(kp)
	}
	type proposals = []*framing.Proposal
	for _, tt := range []struct {
		name string
		path *framing.UpdatePath
		list proposals
	}{
		{"lone remove without a path", nil, proposals{remove}},
		{"empty without a path", nil, nil},
		{"extensions without a path", nil, proposals{extensions}},
		{"own update", good, proposals{{Type: framing.ProposalUpdate, Update: &update}}},
		{"removes itself", good, proposals{{Type: framing.ProposalRemove, Remove: f.group.Own()}}},
		{"removes nobody", good, proposals{{Type: framing.ProposalRemove, Remove: 77}}},
		{"removes twice", good, proposals{remove, remove}},
		{"two adds of one client", nil, proposals{add(n.keyPackage(KeyPackageOptions{})), add(n.keyPackage(KeyPackageOptions{}))}},
		{"add of a member", nil, proposals{add(f.victims[0].keyPackage(KeyPackageOptions{}))}},
		{"external init", good, proposals{{Type: framing.ProposalExternalInit, ExternalInit: make([]byte, 32)}}},
		{"reinit and more", good, proposals{reinit, add(n.keyPackage(KeyPackageOptions{}))}},
		{"two extension changes", good, proposals{extensions, extensions}},
		{"two equal extensions", good, proposals{{Type: framing.ProposalGroupContextExtensions, Extensions: Extensions{{Type: 3, Data: []byte{0, 0, 0}}, {Type: 3, Data: []byte{0, 0, 0}}}}}},
		{"short PSK nonce", nil, proposals{psk(framing.PSKID{Type: framing.PSKExternal, ID: []byte("x"), Nonce: nonce[:31]})}},
		{"PSK twice", nil, proposals{psk(framing.PSKID{Type: framing.PSKExternal, ID: []byte("x"), Nonce: nonce}), psk(framing.PSKID{Type: framing.PSKExternal, ID: []byte("x"), Nonce: nonce})}},
		{"branch PSK", nil, proposals{psk(framing.PSKID{Type: framing.PSKResumption, Usage: framing.UsageBranch, GroupID: f.group.GroupID(), Epoch: 1, Nonce: nonce})}},
		{"reinit to version 0", nil, proposals{{Type: framing.ProposalReInit, ReInit: &framing.ReInit{Suite: Classic}}}},
		{"key package for another suite", nil, proposals{badKP(func(k *framing.KeyPackage) { k.Suite = 3 })}},
		{"key package of another version", nil, proposals{badKP(func(k *framing.KeyPackage) { k.Version = 2 })}},
		{"init key is leaf key", nil, proposals{badKP(func(k *framing.KeyPackage) { k.InitKey = k.Leaf.EncryptionKey })}},
		{"key package with an update leaf", nil, proposals{badKP(func(k *framing.KeyPackage) { k.Leaf = &update })}},
		{"key package signed by another", nil, proposals{badKP(func(k *framing.KeyPackage) { k.Leaf = f.keyPackage(KeyPackageOptions{}).kp.Leaf })}},
		{"lifetime backwards", nil, proposals{badKP(func(k *framing.KeyPackage) {
			l := *k.Leaf
			l.Lifetime = tree.Lifetime{NotBefore: 2, NotAfter: 1}
			if err := l.Sign(f.group.suite, n.signer, nil, 0); err != nil {
				t.Fatal(err)
			}
			k.Leaf = &l
		})}},
		{"credential switch", f.path(func(l *tree.LeafNode) { l.Credential = tree.Basic([]byte("bob")) }, nil), nil},
		{"path leaf keeps its key", f.path(nil, func(p *framing.UpdatePath) {
			l := *p.Leaf
			l.EncryptionKey = f.group.state.Tree.Leaf(f.group.Own()).EncryptionKey
			f.resign(&l)
			p.Leaf = &l
		}), nil},
		{"path leaf of an update", f.path(nil, func(p *framing.UpdatePath) { p.Leaf = &update }), nil},
		{"wrong parent hash", f.path(nil, func(p *framing.UpdatePath) {
			l := *p.Leaf
			l.ParentHash = make([]byte, 32)
			f.resign(&l)
			p.Leaf = &l
		}), nil},
		{"leaf with another's signature key", f.path(func(l *tree.LeafNode) { l.SignatureKey = f.victims[0].group.state.Tree.Leaf(bob).SignatureKey }, nil), nil},
		{"leaf without its suite", f.path(func(l *tree.LeafNode) { l.Capabilities.Suites = nil }, nil), nil},
		{"leaf without its credential type", f.path(func(l *tree.LeafNode) { l.Capabilities.Credentials = []uint16{2} }, nil), nil},
		{"leaf extension not listed", f.path(func(l *tree.LeafNode) { l.Extensions = Extensions{{Type: 0xF123}} }, nil), nil},
		{"path too short", f.path(nil, func(p *framing.UpdatePath) { p.Nodes = p.Nodes[1:] }), nil},
		{"ciphertext missing", f.path(nil, func(p *framing.UpdatePath) { p.Nodes[0].Secrets = nil }), nil},
		{"ciphertext too many", f.path(nil, func(p *framing.UpdatePath) { p.Nodes[0].Secrets = append(p.Nodes[0].Secrets, p.Nodes[0].Secrets[0]) }), nil},
		{"short KEM output", f.path(nil, func(p *framing.UpdatePath) { p.Nodes[0].Secrets[0].KEMOutput = []byte{1} }), nil},
		{"path key twice", f.path(nil, func(p *framing.UpdatePath) { p.Nodes[0].EncryptionKey = p.Nodes[1].EncryptionKey }), nil},
		{"path key of a member", f.path(nil, func(p *framing.UpdatePath) { p.Nodes[0].EncryptionKey = f.group.state.Tree.Leaf(bob).EncryptionKey }), nil},
		{"short path key", f.path(nil, func(p *framing.UpdatePath) { p.Nodes[0].EncryptionKey = []byte("k") }), nil},
	} {
		t.Run(tt.name, func(t *testing.T) { f.refused(t, f.commit(tt.path, tt.list...)) })
	}
	t.Run("unknown reference", func(t *testing.T) {
		c := &framing.Commit{Path: good, Proposals: []framing.ProposalOrRef{{Ref: make([]byte, 32)}}}
		m := f.sign(f.content(c)).Encode()
		f.refused(t, m)
		if _, err := f.victims[0].group.Process(m); !errors.Is(err, ErrUnknownProposal) {
			t.Errorf("got %v, want ErrUnknownProposal", err)
		}
	})
}

func TestForgedFraming(t *testing.T) {
	f := newForger(t)
	good := &framing.Commit{Path: f.path(nil, nil)}
	change := func(change func(*framing.Content)) []byte {
		c := f.content(good)
		change(c)
		return f.sign(c).Encode()
	}
	f.refused(t, change(func(c *framing.Content) { c.GroupID = []byte("other") }))
	f.refused(t, change(func(c *framing.Content) { c.Sender.Index = 1 }))
	f.refused(t, change(func(c *framing.Content) { c.Sender.Index = 99 }))
	f.refused(t, change(func(c *framing.Content) { c.Sender = framing.Sender{Type: framing.SenderNewMemberCommit} }))
	f.refused(t, change(func(c *framing.Content) { c.Sender = framing.Sender{Type: framing.SenderExternal} }))
	f.refused(t, change(func(c *framing.Content) { c.Sender = framing.Sender{Type: framing.SenderNewMemberProposal} }))
	f.refused(t, change(func(c *framing.Content) {
		c.Type, c.Commit, c.Application = framing.ContentApplication, nil, []byte("in the clear")
	}))
	m := f.sign(f.content(good))
	m.Public.MembershipTag[0] ^= 1
	if _, err := f.victims[0].group.Process(m.Encode()); err == nil || errors.Is(err, ErrConfirmation) {
		t.Errorf("wrong membership tag: %v", err)
	}
	future := change(func(c *framing.Content) { c.Epoch++ })
	f.refused(t, future)
	var wrong *EpochError
	if _, err := f.victims[0].group.Process(future); !errors.As(err, &wrong) || wrong.Have != wrong.Want+1 {
		t.Errorf("future epoch: %v", err)
	}
	// A member's commit to another group's member by the same keys.
	if _, err := f.victims[0].group.Process(change(func(c *framing.Content) { c.GroupID = nil })); !errors.Is(err, ErrGroup) {
		t.Errorf("other group: %v", err)
	}
}

func TestLeafCheckEverywhere(t *testing.T) {
	revoked := errors.New("revoked")
	check := func(name string) LeafCheck {
		return func(identity, _ []byte) error {
			if string(identity) == name {
				return revoked
			}
			return nil
		}
	}
	all := newGroup(t, Classic, GroupOptions{}, "a", "b", "c")
	a, b, c := all[0], all[1], all[2]
	x := newClient(t, Classic, "x")
	kp := x.keyPackage(KeyPackageOptions{})
	if err := kp.Verify(kp.Expires(), check("x")); !errors.Is(err, revoked) {
		t.Errorf("key package: %v", err)
	}
	p := a.commit(CommitRequest{Add: []*KeyPackage{kp}})
	b.group.opts.Check = check("x")
	if _, err := b.group.Process(p.Commit()); !errors.Is(err, revoked) {
		t.Errorf("add: %v", err)
	}
	if _, err := b.group.Commit(CommitRequest{Add: []*KeyPackage{kp}}); !errors.Is(err, revoked) {
		t.Errorf("own add: %v", err)
	}
	b.group.opts.Check = check("a")
	if _, err := b.group.Process(a.commit(CommitRequest{}).Commit()); !errors.Is(err, revoked) {
		t.Errorf("path: %v", err)
	}
	m := c.propose(ProposalRequest{Update: true})
	b.group.opts.Check = check("c")
	if _, err := b.group.Process(m); !errors.Is(err, revoked) {
		t.Errorf("update: %v", err)
	}
	b.group.opts.Check = check("x")
	info, err := a.group.GroupInfo()
	if err != nil {
		t.Fatal(err)
	}
	e, err := JoinExternal(info, x.identity, x.signer, ExternalRequest{}, GroupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.group.Process(e.Commit()); !errors.Is(err, revoked) {
		t.Errorf("external commit: %v", err)
	}
	if _, err := JoinExternal(info, x.identity, x.signer, ExternalRequest{}, GroupOptions{Check: check("b")}); !errors.Is(err, revoked) {
		t.Errorf("external join: %v", err)
	}
	if _, err := view.Open(info, view.LeafCheck(check("b"))); !errors.Is(err, revoked) {
		t.Errorf("view: %v", err)
	}
	lookup := func(ref []byte) (*KeyPackageSecrets, bool) { s, ok := x.secrets[string(ref)]; return s, ok }
	if _, err := Join(p.Welcome(), lookup, x.signer, GroupOptions{Check: check("b")}); !errors.Is(err, revoked) {
		t.Errorf("welcome: %v", err)
	}
}

func TestReplays(t *testing.T) {
	all := newGroup(t, Classic, GroupOptions{}, "a", "b")
	a, b := all[0], all[1]
	c := newClient(t, Classic, "c")
	info, err := a.group.GroupInfo()
	if err != nil {
		t.Fatal(err)
	}
	hub, err := view.Open(info, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := a.commit(CommitRequest{Add: []*KeyPackage{c.keyPackage(KeyPackageOptions{})}})
	rival := b.commit(CommitRequest{})
	if _, _, err := hub.Commit(p.Commit(), rival.GroupInfo()); err == nil {
		t.Error("hub took a commit with the group info of another")
	}
	if _, _, err := hub.Commit(p.Commit(), info); err == nil {
		t.Error("hub took a commit with a stale group info")
	}
	tampered, err := framing.Parse(p.GroupInfo())
	if err != nil {
		t.Fatal(err)
	}
	g := tampered.GroupInfo
	g.ConfirmationTag = make([]byte, 32)
	if err := g.Sign(a.group.suite, a.signer); err != nil {
		t.Fatal(err)
	}
	if _, _, err := hub.Commit(p.Commit(), tampered.Encode()); err == nil {
		t.Error("hub took a group info with another confirmation tag")
	}
	_, hub, err = hub.Commit(p.Commit(), p.GroupInfo())
	if err != nil {
		t.Fatal(err)
	}
	var wrong *view.EpochError
	if _, _, err := hub.Commit(rival.Commit(), rival.GroupInfo()); !errors.As(err, &wrong) {
		t.Errorf("second commit in one epoch: %v", err)
	}
	b.process(p.Commit())
	if _, err := b.group.Process(p.Commit()); !errors.As(err, &wrong) {
		t.Errorf("replayed commit: %v", err)
	}
	a.group = p.Group()
	c.join(p.Welcome())
	agree(t, a, b, c)
	// An external join by a group info that isn't current any more.
	x := newClient(t, Classic, "x")
	e, err := JoinExternal(info, x.identity, x.signer, ExternalRequest{}, GroupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.group.Process(e.Commit()); !errors.As(err, &wrong) {
		t.Errorf("stale external join: %v", err)
	}
	// A Welcome again, to somebody who is in the group.
	c.opts.Exists = func(id []byte) bool { return string(id) == "group" }
	lookup := func(ref []byte) (*KeyPackageSecrets, bool) { s, ok := c.secrets[string(ref)]; return s, ok }
	if _, err := Join(p.Welcome(), lookup, c.signer, c.opts); err == nil {
		t.Error("joined twice")
	}
	if _, err := Join(p.Welcome(), func([]byte) (*KeyPackageSecrets, bool) { return nil, false }, c.signer, c.opts); !errors.Is(err, ErrNoSecrets) {
		t.Errorf("welcome for others: %v", err)
	}
}

func TestOverlongVectors(t *testing.T) {
	for _, b := range [][]byte{
		{0, 1, 0, 1, 0xbf, 0xff, 0xff, 0xff},                          // a group id of 2^30-1 bytes
		{0, 1, 0, 5, 0, 1, 0, 1, 0x80, 0, 0, 1, 1},                    // not the shortest length
		{0, 1, 0, 1, 0xc0},                                            // a length of the forbidden kind
		append([]byte{0, 1, 0, 4}, bytes.Repeat([]byte{0xff}, 40)...), // nonsense
		{0, 2, 0, 1},
		{},
	} {
		allocated := testing.AllocsPerRun(1, func() {
			if _, err := framing.Parse(b); !errors.Is(err, ErrMalformed) {
				t.Errorf("%x: got %v, want ErrMalformed", b, err)
			}
		})
		if allocated > 50 {
			t.Errorf("%x: %v allocations", b, allocated)
		}
	}
	s, err := suite.Of(Classic)
	if err != nil {
		t.Fatal(err)
	}
	blanks := syntax.AppendOpaque(nil, make([]byte, 1<<20))
	if _, err := tree.Decode(s, blanks); !errors.Is(err, ErrMalformed) {
		t.Errorf("tree of a million blanks: %v", err)
	}
}
