package mls

import (
	"bytes"
	"errors"
	"testing"

	"causa/crypto/mls/framing"
	"causa/crypto/mls/schedule"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
	"causa/crypto/mls/tree"
)

// rewelcome opens a Welcome with its receiver's keys, lets f change what is inside, and
// closes it again as the sender could have done.
func rewelcome(t *testing.T, from, to *client, welcome []byte, f func(*schedule.GroupSecrets, *framing.GroupInfo)) []byte {
	t.Helper()
	m, err := framing.Parse(welcome)
	if err != nil {
		t.Fatal(err)
	}
	w := m.Welcome
	own := to.secrets[string(w.Secrets[0].NewMember)]
	s := own.kp.suite
	plain, err := s.DecryptWithLabel(own.init, "Welcome", w.EncryptedGroupInfo, w.Secrets[0].Secrets)
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := schedule.DecodeGroupSecrets(plain)
	if err != nil {
		t.Fatal(err)
	}
	key, nonce := schedule.Mix(s, secrets.Joiner, schedule.CombinePSKs(s, nil)).Welcome().WelcomeKey(s)
	raw, err := s.Open(key, nonce, nil, w.EncryptedGroupInfo)
	if err != nil {
		t.Fatal(err)
	}
	info := framing.DecodeGroupInfo(syntax.NewReader(raw))
	f(secrets, info)
	if err := info.Sign(s, from.signer); err != nil {
		t.Fatal(err)
	}
	key, nonce = schedule.Mix(s, secrets.Joiner, schedule.CombinePSKs(s, nil)).Welcome().WelcomeKey(s)
	if w.EncryptedGroupInfo, err = s.Seal(key, nonce, nil, info.Raw()); err != nil {
		t.Fatal(err)
	}
	if w.Secrets[0].Secrets, err = s.EncryptWithLabel(own.init.Public(), "Welcome", w.EncryptedGroupInfo, secrets.Append(nil)); err != nil {
		t.Fatal(err)
	}
	return m.Encode()
}

func TestForgedWelcomes(t *testing.T) {
	all := newGroup(t, Classic, GroupOptions{}, "a", "b")
	a, x := all[0], newClient(t, Classic, "x")
	p := a.commit(CommitRequest{Add: []*KeyPackage{x.keyPackage(KeyPackageOptions{LastResort: true})}, ForcePath: true})
	lookup := func(ref []byte) (*KeyPackageSecrets, bool) { s, ok := x.secrets[string(ref)]; return s, ok }
	type change = func(*schedule.GroupSecrets, *framing.GroupInfo)
	join := func(f change) error {
		_, err := Join(rewelcome(t, a, x, p.Welcome(), f), lookup, x.signer, GroupOptions{})
		return err
	}
	if err := join(func(*schedule.GroupSecrets, *framing.GroupInfo) {}); err != nil {
		t.Fatalf("control: %v", err)
	}
	if err := join(func(_ *schedule.GroupSecrets, i *framing.GroupInfo) { i.ConfirmationTag = make([]byte, 32) }); !errors.Is(err, ErrConfirmation) {
		t.Errorf("wrong confirmation tag: %v", err)
	}
	retree := func(i *framing.GroupInfo, f func(*tree.Tree)) {
		s, err := suite.Of(Classic)
		if err != nil {
			t.Fatal(err)
		}
		r, err := tree.Decode(s, i.Extensions[0].Data)
		if err != nil {
			t.Fatal(err)
		}
		f(r.Trust())
		i.Extensions[0].Data = r.Trust().Encode()
		i.Context.TreeHash = r.Trust().Hash()
	}
	for name, f := range map[string]change{
		"wrong path secret":   func(s *schedule.GroupSecrets, _ *framing.GroupInfo) { s.PathSecret = make([]byte, 32) },
		"short path secret":   func(s *schedule.GroupSecrets, _ *framing.GroupInfo) { s.PathSecret = []byte{1} },
		"missing path secret": func(s *schedule.GroupSecrets, _ *framing.GroupInfo) { s.PathSecret = nil },
		"another joiner":      func(s *schedule.GroupSecrets, _ *framing.GroupInfo) { s.Joiner.Secret = make([]byte, 32) },
		"signed by another":   func(_ *schedule.GroupSecrets, i *framing.GroupInfo) { i.Signer = 1 },
		"signed by nobody":    func(_ *schedule.GroupSecrets, i *framing.GroupInfo) { i.Signer = 50 },
		"another suite":       func(_ *schedule.GroupSecrets, i *framing.GroupInfo) { i.Context.Suite = 3 },
		"another epoch":       func(_ *schedule.GroupSecrets, i *framing.GroupInfo) { i.Context.Epoch++ },
		"wrong tree hash":     func(_ *schedule.GroupSecrets, i *framing.GroupInfo) { i.Context.TreeHash = make([]byte, 32) },
		"an extension twice": func(_ *schedule.GroupSecrets, i *framing.GroupInfo) {
			i.Extensions = append(i.Extensions, i.Extensions[0])
		},
		"unsupported by us": func(_ *schedule.GroupSecrets, i *framing.GroupInfo) {
			i.Context.Extensions = Extensions{{Type: 0xF00F}}
		},
		"malformed extension": func(_ *schedule.GroupSecrets, i *framing.GroupInfo) {
			i.Context.Extensions = Extensions{{Type: 5, Data: []byte{9}}}
		},
		"tree without us":      func(_ *schedule.GroupSecrets, i *framing.GroupInfo) { retree(i, func(tr *tree.Tree) { tr.Remove(2) }) },
		"tree without another": func(_ *schedule.GroupSecrets, i *framing.GroupInfo) { retree(i, func(tr *tree.Tree) { tr.Remove(1) }) },
		"malformed tree":       func(_ *schedule.GroupSecrets, i *framing.GroupInfo) { i.Extensions[0].Data = []byte{1, 1} },
		"two links": func(s *schedule.GroupSecrets, _ *framing.GroupInfo) {
			id := framing.PSKID{Type: framing.PSKResumption, Usage: framing.UsageBranch}
			s.PSKs = []framing.PSKID{id, id}
		},
		"unknown PSK": func(s *schedule.GroupSecrets, _ *framing.GroupInfo) {
			s.PSKs = []framing.PSKID{{Type: framing.PSKExternal, ID: []byte("?")}}
		},
	} {
		if err := join(f); err == nil {
			t.Errorf("%s: joined", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	if _, err := Join(p.Welcome(), lookup, a.signer, GroupOptions{}); err == nil {
		t.Error("joined with another device's signature key")
	}
	flipped := bytes.Clone(p.Welcome())
	flipped[len(flipped)-1] ^= 1
	if _, err := Join(flipped, lookup, x.signer, GroupOptions{}); !errors.Is(err, ErrDecrypt) {
		t.Errorf("damaged welcome: %v", err)
	}
	if _, err := Join(p.Commit(), lookup, x.signer, GroupOptions{}); !errors.Is(err, ErrMalformed) {
		t.Errorf("commit as welcome: %v", err)
	}
}

func TestForgedLinks(t *testing.T) {
	all := newGroup(t, Classic, GroupOptions{}, "a", "b", "c")
	a, b, c := all[0], all[1], all[2]
	stranger := newClient(t, Classic, "x")
	kps := func(clients ...*client) (out []*KeyPackage) {
		for _, c := range clients {
			out = append(out, c.keyPackage(KeyPackageOptions{}))
		}
		return out
	}
	join := func(p *Pending) error {
		lookup := func(ref []byte) (*KeyPackageSecrets, bool) { s, ok := b.secrets[string(ref)]; return s, ok }
		_, err := Join(p.Welcome(), lookup, b.signer, GroupOptions{Parent: b.group})
		return err
	}
	link := func(id Suite, groupID string, usage uint8, members []*KeyPackage, o GroupOptions) *Pending {
		t.Helper()
		p, err := a.group.link(id, []byte(groupID), a.signer, usage, members, o)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if err := join(link(Classic, "side", framing.UsageBranch, kps(b), GroupOptions{})); err != nil {
		t.Fatalf("control: %v", err)
	}
	if err := join(link(Classic, "side", framing.UsageBranch, kps(b, stranger), GroupOptions{})); err == nil {
		t.Error("branch with a stranger")
	}
	b.suite = 3
	if err := join(link(3, "side", framing.UsageBranch, kps(b), GroupOptions{})); err == nil {
		t.Error("branch with another suite")
	}
	b.suite = Classic
	if err := join(link(Classic, "next", framing.UsageReInit, kps(b, c), GroupOptions{})); err == nil {
		t.Error("reinit that was never committed")
	}
	p := a.commit(CommitRequest{ReInit: &ReInit{GroupID: []byte("next"), Suite: Classic}})
	b.process(p.Commit())
	c.process(p.Commit())
	a.group = p.Group()
	if err := join(link(Classic, "next", framing.UsageReInit, kps(b, c), GroupOptions{})); err != nil {
		t.Fatalf("control: %v", err)
	}
	for name, p := range map[string]*Pending{
		"another group id":  link(Classic, "other", framing.UsageReInit, kps(b, c), GroupOptions{}),
		"a member missing":  link(Classic, "next", framing.UsageReInit, kps(b), GroupOptions{}),
		"a member more":     link(Classic, "next", framing.UsageReInit, kps(b, c, stranger), GroupOptions{}),
		"another extension": link(Classic, "next", framing.UsageReInit, kps(b, c), GroupOptions{Extensions: Extensions{{Type: tree.ExtRequiredCapabilities, Data: make([]byte, 3)}}}),
		"as a branch, later": func() *Pending {
			g := link(Classic, "side", framing.UsageBranch, nil, GroupOptions{}).Group()
			return second(t, a, g, kps(b))
		}(),
	} {
		if err := join(p); err == nil {
			t.Errorf("%s: joined", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
}

// second makes the second commit of a linked group, with the link again.
func second(t *testing.T, a *client, g *Group, members []*KeyPackage) *Pending {
	t.Helper()
	g.opts.Parent = a.group
	p, err := g.Commit(CommitRequest{Add: members, linked: []framing.PSKID{{
		Type: framing.PSKResumption, Usage: framing.UsageBranch, GroupID: a.group.GroupID(), Epoch: a.group.Epoch(),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestUnfitProposals: a member can't keep others from committing by proposing nonsense.
func TestUnfitProposals(t *testing.T) {
	all := newGroup(t, Classic, GroupOptions{}, "a", "b", "c")
	a, b, c := all[0], all[1], all[2]
	b.group.opts.PSK = func([]byte) ([]byte, bool) { return []byte("only b knows"), true }
	twin := &client{t: t, identity: c.identity, signer: c.signer, suite: Classic, secrets: make(map[string]*KeyPackageSecrets)}
	x := newClient(t, Classic, "x")
	for _, req := range []ProposalRequest{
		{Add: twin.keyPackage(KeyPackageOptions{})}, // is a member already
		{PSK: []byte("?")},
		{Add: x.keyPackage(KeyPackageOptions{})},
		{Add: x.keyPackage(KeyPackageOptions{})}, // a second time
		{Extensions: &Extensions{}},
		{Extensions: &Extensions{{Type: tree.ExtRequiredCapabilities, Data: make([]byte, 3)}}},
		{ReInit: &ReInit{GroupID: []byte("n"), Suite: Classic}},
	} {
		m := b.propose(req)
		a.process(m)
		c.process(m)
	}
	own := c.group.Own()
	m := b.propose(ProposalRequest{Remove: &own})
	a.process(m)
	c.process(m)
	p := c.commit(CommitRequest{}) // its own removal is left out
	if change := a.process(p.Commit()); len(change.Added) != 1 || len(change.Removed) != 0 || change.ReInit != nil {
		t.Errorf("change %+v", change)
	}
	c.group = p.Group()
	x.join(p.Welcome())
	agree(t, a, c, x)
	// Only a reinit is left: then it is committed.
	m = a.propose(ProposalRequest{ReInit: &ReInit{GroupID: []byte("n"), Suite: Classic}})
	c.process(m)
	p = c.commit(CommitRequest{})
	if change := a.process(p.Commit()); change.ReInit == nil {
		t.Errorf("change %+v", change)
	}
}

func TestResumeFrom(t *testing.T) {
	other := newGroup(t, Classic, GroupOptions{}, "a", "b")
	all := newGroup(t, Classic, GroupOptions{}, "a", "b")
	for i, c := range all {
		psk := other[i].group.ResumptionPSK()
		c.group.opts.Resumption = func(id []byte, epoch uint64) ([]byte, bool) { return psk, string(id) == "elsewhere" && epoch == 1 }
	}
	p := all[0].commit(CommitRequest{ResumeFrom: []Resumption{{GroupID: []byte("elsewhere"), Epoch: 1}}})
	everybody(t, p, all[0], all[1])
	if _, err := all[0].group.Commit(CommitRequest{ResumeFrom: []Resumption{{GroupID: []byte("elsewhere"), Epoch: 2}}}); !errors.Is(err, ErrNoPSK) {
		t.Errorf("got %v, want ErrNoPSK", err)
	}
}
