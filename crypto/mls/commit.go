package mls

import (
	"errors"
	"fmt"
	"slices"

	"causa/crypto/mls/evolution"
	"causa/crypto/mls/framing"
	"causa/crypto/mls/schedule"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/tree"
	"causa/crypto/mls/treekem"
)

// A CommitRequest says what a commit is to change. Empty, it renews our keys. Proposals
// received in this epoch are committed along.
type CommitRequest struct {
	Add        []*KeyPackage
	Remove     []LeafIndex
	PSKs       [][]byte     // ids of external pre-shared keys
	Resume     []uint64     // past epochs of this group whose resumption secrets to mix in
	ResumeFrom []Resumption // the same of other groups, found by GroupOptions.Resumption
	Extensions *Extensions  // nil: unchanged
	ReInit     *ReInit      // closes the group; excludes everything else

	ForcePath         bool // renew our keys also where the changes don't demand it
	Private           bool // send as PrivateMessage; the hub can't check it then
	OmitTree          bool // leave the ratchet tree out of the Welcome
	IgnoreProposals   bool // commit only what this request says
	AuthenticatedData []byte

	linked []framing.PSKID // of the first commit of a group made by reinit or branch
}

// A Resumption names an epoch of a group.
type Resumption struct {
	GroupID []byte
	Epoch   uint64
}

// A ReInit gives the parameters of the group that continues this one.
type ReInit struct {
	GroupID    []byte
	Suite      Suite
	Extensions Extensions
}

// A Pending is a commit of ours that isn't accepted yet. The group it came from is
// unchanged and goes on with whichever commit of the epoch the hub accepts.
type Pending struct {
	commit    []byte
	welcome   []byte
	groupInfo []byte
	group     *Group
	old       *Group // the one it was made in; nil when restored
	inherited bool
}

// Format hides the secrets of the group in the new epoch.
func (Pending) Format(w fmt.State, _ rune) { suite.Hide(w, "Pending") }

// Commit returns the commit as MLSMessage.
func (p *Pending) Commit() []byte { return p.commit }

// Welcome returns the Welcome for the members added, as MLSMessage; nil without any.
func (p *Pending) Welcome() []byte { return p.welcome }

// GroupInfo returns the new epoch's group info as MLSMessage.
func (p *Pending) GroupInfo() []byte { return p.groupInfo }

// Group returns the group in the new epoch, to be used once the commit is accepted.
func (p *Pending) Group() *Group {
	if p.old != nil && !p.inherited {
		p.group.inherit(p.old)
		p.inherited = true
	}
	return p.group
}

// Discard overwrites the secrets of a commit that wasn't accepted, as far as the group
// it was made in doesn't need them. The Pending can't be used after that.
func (p *Pending) Discard() {
	var keys *treekem.Keys
	if p.old != nil {
		keys = p.old.keys
	}
	p.group.keys.Wipe(keys)
	p.group.epoch.Wipe()
	p.group.secrets.Wipe()
	p.group.over = errors.New("commit was discarded")
}

// Commit makes a commit. It doesn't change g, except that a private one uses up one of our
// message keys (see [Group.RatchetChanges]).
func (g *Group) Commit(req CommitRequest) (*Pending, error) {
	if err := g.usable(); err != nil {
		return nil, err
	}
	list, err := g.proposals(&req)
	if err != nil {
		return nil, err
	}
	m := g.maker(&req)
	if err := m.make(list); err != nil {
		if req.IgnoreProposals {
			return nil, err
		}
		// One of the proposals received may not fit; what is asked for still must.
		m = g.maker(&req)
		if again := m.make(m.fitting(list)); again != nil {
			return nil, err
		}
	}
	defer m.wipe()
	next := m.group(g.follow())
	p := &Pending{group: next, old: g}
	if p.commit, err = g.frame(m.commit, 0); err != nil {
		return nil, err
	}
	if err := p.finish(m, req.OmitTree); err != nil {
		return nil, err
	}
	return p, nil
}

// maker returns one for a commit of ours.
func (g *Group) maker(req *CommitRequest) *maker {
	m := &maker{
		suite: g.suite, state: g.state, sender: framing.Member(g.keys.Own), signer: g.signer,
		template: g.state.Tree.Leaf(g.keys.Own), keys: g.keys, init: g.epoch.Init,
		rules: g.opts.rules(true), format: framing.FormatPublic, data: req.AuthenticatedData,
		forcePath: req.ForcePath,
		psk:       g.findPSK,
	}
	m.rules.Linked = len(req.linked) > 0
	if req.Private {
		m.format = framing.FormatPrivate
	}
	return m
}

// fitting returns the list without those received proposals that contradict what stands
// before them, the request coming first.
func (m *maker) fitting(list []evolution.Sourced) []evolution.Sourced {
	var out []evolution.Sourced
	for _, received := range []bool{false, true} {
		for _, q := range list {
			if (q.Ref != nil) != received {
				continue
			}
			with := append(out[:len(out):len(out)], q)
			if !received || m.fits(with) {
				out = with
			}
		}
	}
	return out
}

// fits reports whether a list of proposals could be committed.
func (m *maker) fits(list []evolution.Sourced) bool {
	plan, err := m.state.Evaluate(list, m.sender, m.rules)
	if err != nil {
		return false
	}
	if _, err := findPSKs(plan.PSKs, m.psk); err != nil {
		return false
	}
	return m.state.Apply(plan, m.sender).Finish(false) == nil
}

// frame encodes a handshake message of ours.
func (g *Group) frame(a *framing.Authentic, padding int) ([]byte, error) {
	if a.Format == framing.FormatPrivate {
		return g.protect(a, padding)
	}
	tag := a.MembershipTag(g.suite, g.epoch.Membership.Secret, g.state.EncodedContext())
	return framing.Public(a, tag).Encode(), nil
}

// proposals lists what to commit: what others proposed, by reference, then the request.
func (g *Group) proposals(req *CommitRequest) ([]evolution.Sourced, error) {
	own := framing.Member(g.keys.Own)
	var list []evolution.Sourced
	add := func(p *framing.Proposal) {
		list = append(list, evolution.Sourced{Proposal: p, Sender: own})
	}
	if req.Extensions != nil {
		add(&framing.Proposal{Type: framing.ProposalGroupContextExtensions, Extensions: *req.Extensions})
	}
	for _, l := range req.Remove {
		add(&framing.Proposal{Type: framing.ProposalRemove, Remove: l})
	}
	for _, k := range req.Add {
		add(&framing.Proposal{Type: framing.ProposalAdd, Add: k.kp})
	}
	for _, id := range g.newPSKs(req) {
		add(&framing.Proposal{Type: framing.ProposalPSK, PSK: id})
	}
	if r := req.ReInit; r != nil {
		if _, err := suite.Of(r.Suite); err != nil {
			return nil, err
		}
		add(&framing.Proposal{Type: framing.ProposalReInit, ReInit: &framing.ReInit{
			GroupID: r.GroupID, Version: tree.MLS10, Suite: r.Suite, Extensions: r.Extensions,
		}})
	}
	if req.IgnoreProposals {
		return list, nil
	}
	return append(g.pooled(list), list...), nil
}

// A maker makes a commit, of a member or of somebody joining by it.
type maker struct {
	suite     *suite.Suite
	state     *evolution.State
	sender    framing.Sender
	signer    Signer
	template  *tree.LeafNode
	keys      *treekem.Keys // nil for an external commit
	init      schedule.InitSecret
	rules     evolution.Rules
	format    framing.WireFormat
	data      []byte
	forcePath bool
	psk       func(framing.PSKID) (suite.Secret, error)

	plan    *evolution.Plan
	next    *evolution.Next
	path    *treekem.Path
	psks    []schedule.PSK
	commit  *framing.Authentic
	joiner  schedule.JoinerSecret
	welcome schedule.WelcomeSecret
	epoch   *schedule.Epoch
}

// make follows section 12.4.1.
func (m *maker) make(list []evolution.Sourced) error {
	var err error
	if m.plan, err = m.state.Evaluate(list, m.sender, m.rules); err != nil {
		return err
	}
	m.next = m.state.Apply(m.plan, m.sender)
	commit := new(framing.Commit)
	for _, q := range list {
		if q.Ref != nil {
			commit.Proposals = append(commit.Proposals, framing.ProposalOrRef{Ref: q.Ref})
		} else {
			commit.Proposals = append(commit.Proposals, framing.ProposalOrRef{Proposal: q.Proposal})
		}
	}
	secret := schedule.NoCommit(m.suite)
	withPath := m.plan.PathRequired || m.forcePath && m.plan.ReInit == nil
	if withPath {
		m.path, err = treekem.Generate(m.next.Tree, m.next.Sender, m.template, m.signer, m.next.Context.GroupID)
		if err != nil {
			return err
		}
		secret = m.path.Commit
		if err := m.next.Tree.Leaf(m.next.Sender).CheckFitness(m.suite, m.next.Context.Extensions, nil); err != nil {
			return fmt.Errorf("own leaf: %w", err)
		}
	}
	if err := m.next.Finish(withPath); err != nil {
		return err
	}
	if withPath {
		if commit.Path, err = m.path.Encrypt(m.next.Tree, m.next.Added, m.next.Provisional()); err != nil {
			return err
		}
	}
	if m.psks, err = findPSKs(m.plan.PSKs, m.psk); err != nil {
		return err
	}
	content := &framing.Content{
		GroupID: m.state.Context.GroupID, Epoch: m.state.Context.Epoch, Sender: m.sender,
		AuthenticatedData: m.data, Type: framing.ContentCommit, Commit: commit,
	}
	if m.commit, err = framing.Sign(m.suite, m.signer, m.format, content, m.state.EncodedContext()); err != nil {
		return err
	}
	m.next.Confirm(m.commit)
	m.derive(secret)
	m.commit.Auth.ConfirmationTag = m.epoch.ConfirmationTag(m.suite, m.next.Context.ConfirmedTranscriptHash)
	return nil
}

// derive runs the key schedule into the new epoch.
func (m *maker) derive(secret schedule.CommitSecret) {
	context := m.next.Context.Encode()
	m.joiner = schedule.Joiner(m.suite, m.init, secret, context)
	psk := schedule.CombinePSKs(m.suite, m.psks)
	mixed := schedule.Mix(m.suite, m.joiner, psk)
	m.welcome = mixed.Welcome()
	m.epoch = mixed.Epoch(context)
	mixed.Wipe()
	psk.Wipe()
	secret.Wipe()
}

func (m *maker) wipe() {
	m.joiner.Wipe()
	m.welcome.Wipe()
	if m.path != nil {
		m.path.Wipe()
	}
	for _, p := range m.psks {
		p.Secret.Wipe()
	}
}

// group completes the group in the new epoch.
func (m *maker) group(g *Group) *Group {
	g.tag = m.commit.Auth.ConfirmationTag
	g.epoch = m.epoch
	if m.path != nil {
		g.keys = m.path.Keys
	} else {
		g.keys = m.keys.Prune(m.next.Tree)
	}
	g.begin(m.next.State(g.tag))
	g.reinit = m.plan.ReInit
	return g
}

// finish makes the group info and the Welcome of the new epoch.
func (p *Pending) finish(m *maker, omitTree bool) error {
	info, err := p.group.groupInfo(true)
	if err != nil {
		return err
	}
	p.groupInfo = framing.EncodeGroupInfo(info)
	if len(m.plan.Adds) == 0 {
		return nil
	}
	if omitTree {
		if info, err = p.group.groupInfo(false); err != nil {
			return err
		}
	}
	w, err := m.makeWelcome(info)
	if err != nil {
		return err
	}
	p.welcome = (&framing.Message{Format: framing.FormatWelcome, Welcome: w}).Encode()
	return nil
}

// makeWelcome encrypts the group info, and the secrets for it to each new member
// (section 12.4.3.1).
func (m *maker) makeWelcome(info *framing.GroupInfo) (*framing.Welcome, error) {
	key, nonce := m.welcome.WelcomeKey(m.suite)
	defer key.Wipe()
	sealed, err := m.suite.Seal(key, nonce, nil, info.Raw())
	if err != nil {
		return nil, fmt.Errorf("encrypt group info: %w", err)
	}
	w := &framing.Welcome{Suite: m.suite.ID(), EncryptedGroupInfo: sealed, Secrets: make([]framing.EncryptedGroupSecrets, len(m.plan.Adds))}
	secrets := schedule.GroupSecrets{Joiner: m.joiner, PSKs: m.plan.PSKs}
	e := m.suite.Encryptor("Welcome", sealed)
	for i, k := range m.plan.Adds {
		if m.path != nil {
			secrets.PathSecret = m.path.SecretFor(m.next.Added[i]).Secret
		}
		plain := suite.Secret(secrets.Append(nil))
		c, err := e.Encrypt(k.InitKey, plain)
		plain.Wipe()
		if err != nil {
			return nil, fmt.Errorf("encrypt welcome: %w", err)
		}
		w.Secrets[i] = framing.EncryptedGroupSecrets{NewMember: k.Ref(m.suite), Secrets: c}
	}
	return w, nil
}

// pooled returns the received proposals that fit together with the request's (section
// 12.4: all valid ones should be committed). Removes win over updates of the same
// member, later updates over earlier ones, anything over a reinit; our own updates are left out.
func (g *Group) pooled(request []evolution.Sourced) []evolution.Sourced {
	removed := make(map[LeafIndex]bool)
	clients := make(map[string]bool)
	extensions, closing := false, false
	for _, q := range request {
		switch q.Type {
		case framing.ProposalRemove:
			removed[q.Remove] = true
		case framing.ProposalAdd:
			clients[string(q.Add.Leaf.SignatureKey)] = true
		case framing.ProposalGroupContextExtensions:
			extensions = true
		case framing.ProposalReInit:
			closing = true
		}
	}
	if closing {
		return nil
	}
	var out []evolution.Sourced
	var reinit *evolution.Sourced
	updated := make(map[LeafIndex]bool)
	for _, ref := range slices.Backward(g.order) {
		q := g.pool[string(ref)]
		switch q.Type {
		case framing.ProposalRemove:
			if q.Remove == g.keys.Own || removed[q.Remove] {
				continue
			}
			removed[q.Remove] = true
		case framing.ProposalUpdate:
			if q.Sender.Leaf() == g.keys.Own || updated[q.Sender.Leaf()] {
				continue
			}
			updated[q.Sender.Leaf()] = true
		case framing.ProposalAdd:
			if clients[string(q.Add.Leaf.SignatureKey)] {
				continue
			}
			clients[string(q.Add.Leaf.SignatureKey)] = true
		case framing.ProposalGroupContextExtensions:
			if extensions {
				continue
			}
			extensions = true
		case framing.ProposalReInit:
			reinit = &q
			continue
		}
		out = append(out, q)
	}
	out = slices.DeleteFunc(out, func(q evolution.Sourced) bool {
		return q.Type == framing.ProposalUpdate && removed[q.Sender.Leaf()]
	})
	slices.Reverse(out)
	if len(out) == 0 && len(request) == 0 && reinit != nil {
		return []evolution.Sourced{*reinit}
	}
	return out
}

// Welcomes calls yield with a Welcome for each member added, by the reference of its key
// package. Each is as good as [Pending.Welcome] for that member, without the others' part.
func (p *Pending) Welcomes(yield func(ref, welcome []byte) bool) {
	if p.welcome == nil {
		return
	}
	m, err := framing.Parse(p.welcome)
	if err != nil {
		panic("mls: own welcome: " + err.Error()) // we encoded it
	}
	for _, e := range m.Welcome.Secrets {
		one := framing.Message{Format: framing.FormatWelcome, Welcome: &framing.Welcome{
			Suite: m.Welcome.Suite, Secrets: []framing.EncryptedGroupSecrets{e}, EncryptedGroupInfo: m.Welcome.EncryptedGroupInfo,
		}}
		if !yield(e.NewMember, one.Encode()) {
			return
		}
	}
}
