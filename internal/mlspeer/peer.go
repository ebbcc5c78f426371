package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"causa/crypto/mls"
	"causa/crypto/mls/framing"
	"causa/crypto/mls/suite"
)

// A peer holds any number of clients, each with any number of groups.
type peer struct {
	clients map[string]*client
}

type client struct {
	suite    *suite.Suite
	identity []byte
	signer   mls.Signer
	secrets  map[string]*mls.KeyPackageSecrets
	psks     map[string][]byte
	groups   map[string]*mls.Group
	pending  map[string]*mls.Pending
}

func (c *client) options(tree []byte) mls.GroupOptions {
	return mls.GroupOptions{
		MaxLifetime: -1, // other implementations make key packages without end
		Tree:        tree,
		PSK: func(id []byte) ([]byte, bool) {
			k, ok := c.psks[string(id)]
			return k, ok
		},
	}
}

// ops are the operations by name. They run on a client, except for hello and client.
var ops = map[string]func(c *client, req *request, resp *response) error{
	"keyPackage":   (*client).keyPackage,
	"psk":          (*client).psk,
	"create":       (*client).create,
	"join":         (*client).join,
	"externalJoin": (*client).externalJoin,
	"add":          (*client).commit,
	"remove":       (*client).commit,
	"update":       (*client).commit,
	"accept":       (*client).accept,
	"process":      (*client).process,
	"send":         (*client).send,
	"export":       (*client).export,
	"groupInfo":    (*client).groupInfo,
	"state":        (*client).state,
}

func (p *peer) answer(req *request) response {
	resp := response{ID: req.ID}
	if err := p.do(req, &resp); err != nil {
		return response{ID: req.ID, Error: err.Error()}
	}
	resp.OK = true
	return resp
}

func (p *peer) do(req *request, resp *response) error {
	switch req.Op {
	case "hello":
		resp.Name = "causa"
		resp.Suites = suite.All()
		resp.Ops = append([]string{"hello", "client"}, slices.Sorted(maps.Keys(ops))...)
		return nil
	case "client":
		return p.newClient(req, resp)
	}
	op, ok := ops[req.Op]
	if !ok {
		return fmt.Errorf("unknown op %q", req.Op)
	}
	c := p.clients[req.Client]
	if c == nil {
		return errNoClient
	}
	return op(c, req, resp)
}

func (p *peer) newClient(req *request, resp *response) error {
	s, err := suite.Of(mls.Suite(req.Suite))
	if err != nil {
		return err
	}
	c := &client{
		suite: s, identity: req.Identity,
		secrets: make(map[string]*mls.KeyPackageSecrets), psks: make(map[string][]byte),
		groups: make(map[string]*mls.Group), pending: make(map[string]*mls.Pending),
	}
	if len(c.identity) == 0 {
		c.identity = []byte(req.Client)
	}
	if c.signer, err = s.GenerateSigner(); err != nil {
		return err
	}
	if resp.SignatureKey, err = s.SignatureKey(c.signer); err != nil {
		return err
	}
	p.clients[req.Client] = c
	return nil
}

func (c *client) keyPackage(req *request, resp *response) error {
	kp, secrets, err := mls.NewKeyPackage(c.suite.ID(), c.identity, c.signer, mls.KeyPackageOptions{LastResort: req.LastResort})
	if err != nil {
		return err
	}
	c.secrets[string(kp.Ref())] = secrets
	resp.KeyPackage, resp.Ref = kp.Bytes(), kp.Ref()
	return nil
}

func (c *client) psk(req *request, _ *response) error {
	c.psks[string(req.Data)] = req.Key
	return nil
}

func (c *client) enter(g *mls.Group, resp *response) {
	c.groups[string(g.GroupID())] = g
	resp.State = stateOf(g)
}

func (c *client) create(req *request, resp *response) error {
	g, err := mls.Create(c.suite.ID(), req.Group, c.identity, c.signer, c.options(nil))
	if err != nil {
		return err
	}
	c.enter(g, resp)
	return nil
}

func (c *client) join(req *request, resp *response) error {
	g, err := mls.Join(req.Welcome, func(ref []byte) (*mls.KeyPackageSecrets, bool) {
		s, ok := c.secrets[string(ref)]
		return s, ok
	}, c.signer, c.options(req.Tree))
	if err != nil {
		return err
	}
	c.enter(g, resp)
	return nil
}

func (c *client) externalJoin(req *request, resp *response) error {
	r := mls.ExternalRequest{Resync: req.Resync, AuthenticatedData: req.AAD}
	for _, id := range req.PSKs {
		r.PSKs = append(r.PSKs, id)
	}
	p, err := mls.JoinExternal(req.GroupInfo, c.identity, c.signer, r, c.options(req.Tree))
	if err != nil {
		return err
	}
	resp.Commit, resp.GroupInfo = p.Commit(), p.GroupInfo()
	c.enter(p.Group(), resp)
	return nil
}

func (c *client) group(req *request) (*mls.Group, error) {
	g := c.groups[string(req.Group)]
	if g == nil {
		return nil, errors.New("the client isn't in that group")
	}
	return g, nil
}

// commit does add, remove and update: whatever the request has.
func (c *client) commit(req *request, resp *response) error {
	g, err := c.group(req)
	if err != nil {
		return err
	}
	r := mls.CommitRequest{Remove: req.Members, ForcePath: req.Path, Private: req.Private, AuthenticatedData: req.AAD}
	for _, b := range req.KeyPackages {
		kp, err := mls.ParseKeyPackage(b)
		if err != nil {
			return err
		}
		r.Add = append(r.Add, kp)
	}
	for _, id := range req.PSKs {
		r.PSKs = append(r.PSKs, id)
	}
	if req.Propose {
		return propose(g, req, &r, resp)
	}
	p, err := g.Commit(r)
	if err != nil {
		return err
	}
	resp.Commit, resp.Welcome, resp.GroupInfo = p.Commit(), p.Welcome(), p.GroupInfo()
	if req.Hold {
		c.pending[string(req.Group)] = p
		return nil
	}
	c.enter(p.Group(), resp)
	return nil
}

// propose sends each change as a proposal, for anybody to commit.
func propose(g *mls.Group, req *request, r *mls.CommitRequest, resp *response) error {
	var list []mls.ProposalRequest
	for _, kp := range r.Add {
		list = append(list, mls.ProposalRequest{Add: kp})
	}
	for i := range r.Remove {
		list = append(list, mls.ProposalRequest{Remove: &r.Remove[i]})
	}
	for _, id := range r.PSKs {
		list = append(list, mls.ProposalRequest{PSK: id})
	}
	if req.Op == "update" {
		list = append(list, mls.ProposalRequest{Update: true})
	}
	for _, q := range list {
		q.Private, q.AuthenticatedData = req.Private, req.AAD
		m, err := g.Propose(q)
		if err != nil {
			return err
		}
		resp.Proposals = append(resp.Proposals, m)
	}
	return nil
}

func (c *client) accept(req *request, resp *response) error {
	p := c.pending[string(req.Group)]
	if p == nil {
		return errors.New("no commit is held for that group")
	}
	delete(c.pending, string(req.Group))
	c.enter(p.Group(), resp)
	return nil
}

func (c *client) process(req *request, resp *response) error {
	g, err := c.group(req)
	if err != nil {
		return err
	}
	m, err := framing.Parse(req.Message)
	if err != nil {
		return err
	}
	if m.Format == framing.FormatPrivate && m.Private.Type == framing.ContentApplication {
		got, err := g.Decrypt(req.Message)
		if err != nil {
			return err
		}
		resp.Kind, resp.Sender, resp.Data, resp.AAD = "application", &got.Sender.Index, got.Data, got.AuthenticatedData
		return nil
	}
	change, err := g.Process(req.Message)
	if err != nil {
		return err
	}
	resp.AAD = change.AuthenticatedData
	if change.Proposal != nil {
		resp.Kind, resp.Ref = "proposal", change.Proposal.Ref
		return nil
	}
	delete(c.pending, string(req.Group))
	resp.Kind, resp.Sender = "commit", &change.Committer
	resp.Change = &groupChange{
		Committer: change.Committer, External: change.External, SelfRemoved: change.SelfRemoved,
		Added: members(change.Added), Removed: members(change.Removed), Updated: members(change.Updated),
	}
	if change.SelfRemoved {
		delete(c.groups, string(req.Group))
		return nil
	}
	resp.State = stateOf(g)
	return nil
}

func (c *client) send(req *request, resp *response) error {
	g, err := c.group(req)
	if err != nil {
		return err
	}
	resp.Message, err = g.Encrypt(req.Data, req.AAD, req.Padding)
	return err
}

func (c *client) export(req *request, resp *response) error {
	g, err := c.group(req)
	if err != nil {
		return err
	}
	resp.Bytes, err = g.Export(req.Label, req.Context, req.Length)
	return err
}

func (c *client) groupInfo(req *request, resp *response) error {
	g, err := c.group(req)
	if err != nil {
		return err
	}
	resp.Tree = g.Tree()
	resp.GroupInfo, err = g.GroupInfo()
	return err
}

func (c *client) state(req *request, resp *response) error {
	g, err := c.group(req)
	if err != nil {
		return err
	}
	// What is told is what a restart would find.
	b, err := g.Marshal()
	if err != nil {
		return err
	}
	if g, err = mls.Unmarshal(b, c.signer, c.options(nil)); err != nil {
		return err
	}
	c.enter(g, resp)
	return nil
}

func stateOf(g *mls.Group) *groupState {
	return &groupState{
		Group: g.GroupID(), Suite: g.Suite(), Epoch: g.Epoch(), Own: g.Own(),
		Authenticator: g.EpochAuthenticator(), Members: members(g.Members()), Proposals: len(g.Proposals()),
	}
}
