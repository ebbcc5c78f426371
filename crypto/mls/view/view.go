// Package view follows a group from outside, without any of its secrets: from the
// GroupInfo and the PublicMessages that members send. The hub uses it to accept only
// commits that all members will accept. What it can't check is what only members know:
// the membership tag, the confirmation tag, and what is encrypted in the path.
package view

import (
	"bytes"
	"errors"
	"fmt"

	"causa/crypto/mls/evolution"
	"causa/crypto/mls/framing"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
	"causa/crypto/mls/tree"
)

// Errors callers may want to tell apart.
var (
	ErrGroup     = evolution.ErrGroup
	ErrSignature = suite.ErrSignature
	ErrMalformed = syntax.ErrMalformed
	ErrVersion   = errors.New("stored by a newer version")

	// ErrGroupInfo says that a commit is good, but its group info isn't.
	ErrGroupInfo = errors.New("group info doesn't belong to the commit (section 12.4.1)")
)

// An EpochError says that a message is for another epoch than the group is in.
type EpochError = evolution.EpochError

// A LeafCheck says whether an identity and a signature key may be in the group. It is
// called for every leaf in the tree at Open, and for every leaf that a commit lets in.
type LeafCheck = tree.LeafCheck

// A Member is one leaf of the group.
type Member struct {
	Index        uint32
	Identity     []byte
	SignatureKey []byte
}

// A Change tells what a commit did.
type Change struct {
	Committer []byte // identity
	Added     [][]byte
	Removed   [][]byte
	External  bool // the committer joined by this commit
	Closed    bool // the commit was a reinit: the group ends here
}

// A View is a group's public state in one epoch. It is immutable, and safe for
// concurrent use.
type View struct {
	state  *evolution.State
	info   *framing.GroupInfo
	check  LeafCheck
	pool   evolution.Pool
	closed bool
	tag    []byte // the confirmation tag of the commit that was followed here, until confirmed
}

// Open makes a view from a GroupInfo with a ratchet tree, framed as MLSMessage. It checks
// everything there is to check: signatures, tree hash, parent hashes, every leaf.
func Open(groupInfo []byte, check LeafCheck) (*View, error) {
	info, s, err := parseInfo(groupInfo)
	if err != nil {
		return nil, err
	}
	received, err := decodeTree(info, s)
	if err != nil {
		return nil, err
	}
	if err := info.VerifySignature(s, received.Leaf(info.Signer)); err != nil {
		return nil, err
	}
	rules := evolution.Rules{Check: check}
	if err := evolution.CheckGroupExtensions(s, info.Context.Extensions, rules); err != nil {
		return nil, fmt.Errorf("group extensions: %w", err)
	}
	t, err := received.Verify(info.Context.GroupID, info.Context.TreeHash, info.Context.Extensions, check)
	if err != nil {
		return nil, err
	}
	return &View{state: evolution.NewState(info.Context, t, info.ConfirmationTag), info: info, check: check}, nil
}

func parseInfo(b []byte) (*framing.GroupInfo, *suite.Suite, error) {
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
	if err := m.GroupInfo.Extensions.CheckUnique(); err != nil {
		return nil, nil, err
	}
	return m.GroupInfo, s, nil
}

func decodeTree(info *framing.GroupInfo, s *suite.Suite) (*tree.Received, error) {
	data, ok := info.Extensions.Find(tree.ExtRatchetTree)
	if !ok {
		return nil, errors.New("group info without a ratchet tree (section 12.4.3.3)")
	}
	return tree.Decode(s, data)
}

// Commit checks a commit, framed as PublicMessage, and the GroupInfo of the epoch it
// starts, and returns the view of that epoch. v is unchanged.
func (v *View) Commit(commit, groupInfo []byte) (*Change, *View, error) {
	change, next, err := v.follow(commit, func(n *evolution.Next, tag []byte) (*framing.GroupInfo, error) {
		info, _, err := parseInfo(groupInfo)
		if err != nil {
			return nil, err
		}
		return info, checkInfo(info, n.Context, n.Tree, tag, &n.Sender)
	})
	return change, next, err
}

// Follow is Commit without a GroupInfo, for a commit that is not the last one to follow.
// The view it returns has none: [View.GroupInfo] must not be called before [View.Confirm].
func (v *View) Follow(commit []byte) (*Change, *View, error) {
	return v.follow(commit, func(*evolution.Next, []byte) (*framing.GroupInfo, error) { return nil, nil })
}

// Confirm returns a view with a GroupInfo of its epoch, which any member may have signed.
func (v *View) Confirm(groupInfo []byte) (*View, error) {
	info, _, err := parseInfo(groupInfo)
	if err == nil {
		err = checkInfo(info, v.state.Context, v.state.Tree, v.tag, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGroupInfo, err)
	}
	next := *v
	next.info, next.tag = info, nil
	return &next, nil
}

func (v *View) follow(commit []byte, confirm func(*evolution.Next, []byte) (*framing.GroupInfo, error)) (*Change, *View, error) {
	if v.closed {
		return nil, nil, errors.New("group was closed by a reinit (section 12.4.2)")
	}
	a, err := v.authenticate(commit, framing.ContentCommit)
	if err != nil {
		return nil, nil, err
	}
	n, err := v.state.Receive(a, v.pool, v.rules())
	if err != nil {
		return nil, nil, err
	}
	info, err := confirm(n, a.Auth.ConfirmationTag)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrGroupInfo, err)
	}
	next := &View{
		state: n.State(a.Auth.ConfirmationTag), info: info, check: v.check,
		closed: n.Plan.ReInit != nil, tag: a.Auth.ConfirmationTag,
	}
	return v.describe(a, n), next, nil
}

// rules are those of the members, so that the hub accepts what they accept.
func (v *View) rules() evolution.Rules {
	r := evolution.Rules{Check: v.check, Lifetimes: framing.Lifetimes{Max: framing.MaxLifetime}}
	// A group made by reinit or branch shows its link in its creator's first commit.
	r.Linked = v.state.Context.Epoch == 0 && v.state.Tree.Leaves() == 1
	return r
}

// authenticate reads a public message and checks its sender's signature.
func (v *View) authenticate(b []byte, want framing.ContentType) (*framing.Authentic, error) {
	m, err := framing.Parse(b)
	if err != nil {
		return nil, err
	}
	if m.Format != framing.FormatPublic || m.Public.Content().Type != want {
		return nil, fmt.Errorf("%w: not the public message expected", syntax.ErrMalformed)
	}
	return v.state.Authenticate(&m.Public.Unverified)
}

// checkInfo checks that a group info is the one of an epoch, and that the given leaf, or
// if there is none given, any leaf signed it.
func checkInfo(info *framing.GroupInfo, context framing.GroupContext, t *tree.Tree, tag []byte, signer *tree.LeafIndex) error {
	if !bytes.Equal(info.Context.Encode(), context.Encode()) {
		return errors.New("its group context isn't the one after the commit")
	}
	if !bytes.Equal(info.ConfirmationTag, tag) {
		return errors.New("confirmation tag differs")
	}
	if signer != nil && info.Signer != *signer {
		return errors.New("somebody else than the committer signed it")
	}
	if err := info.VerifySignature(t.Suite(), t.Leaf(info.Signer)); err != nil {
		return err
	}
	data, ok := info.Extensions.Find(tree.ExtRatchetTree)
	if !ok || !bytes.Equal(data, t.Encode()) {
		return errors.New("ratchet tree differs (section 12.4.3.3)")
	}
	pub, ok := info.ExternalPub()
	if !ok {
		return errors.New("no external public key (section 12.4.3.2)")
	}
	if err := t.Suite().CheckPublicKey(pub); err != nil {
		return fmt.Errorf("external public key: %w", err)
	}
	return nil
}

func (v *View) describe(a *framing.Authentic, n *evolution.Next) *Change {
	c := &Change{Closed: n.Plan.ReInit != nil, External: a.Content.Sender.Type == framing.SenderNewMemberCommit}
	identity := func(l *tree.LeafNode) []byte { return l.Credential.Presented() }
	for _, l := range n.Plan.Removes {
		c.Removed = append(c.Removed, identity(v.state.Tree.Leaf(l)))
	}
	for _, l := range n.Added {
		c.Added = append(c.Added, identity(n.Tree.Leaf(l)))
	}
	if c.External {
		c.Committer = identity(n.Tree.Leaf(n.Sender))
		c.Added = append(c.Added, c.Committer)
	} else {
		c.Committer = identity(v.state.Tree.Leaf(n.Sender))
	}
	return c
}

// Proposal checks a proposal, framed as PublicMessage, and returns a view that knows it,
// for commits that refer to it, with its sender's identity. v is unchanged.
func (v *View) Proposal(message []byte) (sender []byte, next *View, err error) {
	a, err := v.authenticate(message, framing.ContentProposal)
	if err != nil {
		return nil, nil, err
	}
	q := evolution.Sourced{Proposal: a.Content.Proposal, Sender: a.Content.Sender}
	if err := v.state.CheckProposal(q, v.rules()); err != nil {
		return nil, nil, err
	}
	if l := v.state.Tree.Leaf(a.Content.Sender.Leaf()); a.Content.Sender.Type == framing.SenderMember {
		sender = l.Credential.Presented()
	}
	w := *v
	w.pool = make(evolution.Pool, len(v.pool)+1)
	for k, p := range v.pool {
		w.pool[k] = p
	}
	w.pool.Put(v.state.Suite, a)
	return sender, &w, nil
}

// GroupID returns the group's id.
func (v *View) GroupID() []byte { return bytes.Clone(v.state.Context.GroupID) }

// Epoch returns the number of the epoch.
func (v *View) Epoch() uint64 { return v.state.Context.Epoch }

// Suite returns the cipher suite's code point.
func (v *View) Suite() uint16 { return uint16(v.state.Context.Suite) }

// Closed reports whether a reinit ended the group.
func (v *View) Closed() bool { return v.closed }

// Members returns the members, by place.
func (v *View) Members() []Member {
	var out []Member
	for i, l := range v.state.Tree.All {
		out = append(out, Member{Index: uint32(i), Identity: l.Credential.Presented(), SignatureKey: l.SignatureKey})
	}
	return out
}

// GroupInfo returns the epoch's group info, framed as MLSMessage.
func (v *View) GroupInfo() []byte { return framing.EncodeGroupInfo(v.info) }

const storedVersion = 1

// Marshal returns the view's stored form.
func (v *View) Marshal() []byte {
	b := syntax.AppendUint16(nil, storedVersion)
	b = syntax.AppendOptional(b, v.closed)
	b = syntax.AppendOpaque(b, v.info.Raw())
	return syntax.AppendList(b, func(b []byte) []byte {
		for _, q := range v.pool {
			b = syntax.AppendOpaque(b, q.Message)
		}
		return b
	})
}

// Unmarshal reads what [View.Marshal] returned. Signatures aren't checked again.
func Unmarshal(b []byte, check LeafCheck) (*View, error) {
	r := syntax.NewReader(bytes.Clone(b))
	if version := r.Uint16(); r.Err() == nil && version != storedVersion {
		return nil, fmt.Errorf("%w: version %d", ErrVersion, version)
	}
	v := &View{check: check, closed: r.Optional()}
	inner := syntax.NewReader(r.Opaque())
	v.info = framing.DecodeGroupInfo(inner)
	var proposals []*framing.Authentic
	r.List(func(r *syntax.Reader) {
		p := syntax.NewReader(r.Opaque())
		u := framing.DecodeUnverified(p)
		if err := p.Done(); err != nil || u.Content().Proposal == nil {
			r.Fail("stored proposal was damaged")
			return
		}
		proposals = append(proposals, u.Trust())
	})
	if err := errors.Join(r.Done(), inner.Done()); err != nil {
		return nil, fmt.Errorf("stored view: %w", err)
	}
	s, err := suite.Of(v.info.Context.Suite)
	if err != nil {
		return nil, err
	}
	received, err := decodeTree(v.info, s)
	if err != nil {
		return nil, err
	}
	v.state = evolution.NewState(v.info.Context, received.Trust(), v.info.ConfirmationTag)
	if !bytes.Equal(v.state.Context.TreeHash, v.info.Context.TreeHash) {
		return nil, errors.New("stored view: tree was damaged")
	}
	if len(proposals) > 0 {
		v.pool = make(evolution.Pool)
		for _, a := range proposals {
			v.pool.Put(s, a)
		}
	}
	return v, nil
}
