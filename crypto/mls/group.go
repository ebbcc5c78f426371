package mls

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"causa/crypto/mls/evolution"
	"causa/crypto/mls/framing"
	"causa/crypto/mls/schedule"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
	"causa/crypto/mls/tree"
	"causa/crypto/mls/treekem"
)

// Names from the inner packages that belong to this package's interface.
type (
	// A Suite names a cipher suite.
	Suite = suite.ID
	// A Signer is a device's private signature key: an ed25519.PrivateKey for the suites
	// with Ed25519, an *ecdsa.PrivateKey for the others.
	Signer = suite.Signer
	// A LeafIndex is a member's place in the group's tree.
	LeafIndex = tree.LeafIndex
	// A LeafCheck says whether an identity and a signature key belong together and may be
	// in the group. It is called for every leaf let in: by Add, Update, a commit's path, a
	// Welcome's tree, an external commit. That a replacement leaf keeps its identity is
	// checked besides.
	LeafCheck = tree.LeafCheck
	// An Extension is an entry in a list of extensions.
	Extension = tree.Extension
	// Extensions is a list of extensions.
	Extensions = tree.Extensions
)

// Suites by name; see package suite for the others.
const (
	Classic = suite.X25519AES128SHA256Ed25519
	Hybrid  = suite.Hybrid

	// DefaultSuite is the one for new groups.
	DefaultSuite = Hybrid
)

// Errors callers may want to tell apart.
var (
	ErrOwnCommit = errors.New("commit is our own; apply it with Pending")
	ErrRemoved   = errors.New("we were removed from the group")
	ErrReInit    = errors.New("group was closed by a reinit")
	ErrVersion   = errors.New("stored by a newer version")
	ErrNoSecrets = errors.New("welcome isn't for any of our key packages")
	ErrNoPSK     = errors.New("pre-shared key isn't here")

	ErrGroup           = evolution.ErrGroup
	ErrUnknownProposal = evolution.ErrUnknownProposal
	ErrSignature       = suite.ErrSignature
	ErrConfirmation    = schedule.ErrConfirmation
	ErrMalformed       = syntax.ErrMalformed
)

// An EpochError says that a message is for another epoch than the group is in.
type EpochError = evolution.EpochError

// GroupOptions are what a group needs from the application; the zero value works.
type GroupOptions struct {
	Check LeafCheck        // nil: every leaf passes
	Now   func() time.Time // nil: time.Now
	// MaxLifetime is the longest total lifetime accepted in an added key package.
	// 0: DefaultMaxLifetime; negative: any.
	MaxLifetime time.Duration
	// PSK returns an external pre-shared key by its id.
	PSK func(id []byte) ([]byte, bool)
	// Resumption returns resumption secrets of other groups; see [Group.ResumptionPSK].
	// This group's own ones are found without it.
	Resumption func(groupID []byte, epoch uint64) ([]byte, bool)
	// KeepEpochs is for how many past epochs late private messages can still be read.
	// 0: DefaultKeepEpochs; negative: none.
	KeepEpochs int
	// Extensions are a new group's GroupContext extensions.
	Extensions Extensions
	// Capabilities are non-default extension types our leaf says to support.
	Capabilities []uint16
	// Tree is the ratchet tree for joining, where the Welcome or GroupInfo has none.
	Tree []byte
	// Parent is the group that this one continues by ReInit or branches off; needed to
	// join such a group.
	Parent *Group
	// Exists reports whether we are in a group of that id already; a Welcome to such a
	// group is refused (section 12.4.3.1).
	Exists func(groupID []byte) bool
}

// Limits.
const (
	// DefaultKeepEpochs is how many past epochs' message keys are kept.
	DefaultKeepEpochs = 2
	// maxResumption is how many past epochs' resumption secrets are kept (section 8.6).
	maxResumption = 16
)

func (o *GroupOptions) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

// rules returns the rules for messages we receive, or, with sending, for what we send:
// only then must key packages be within their lifetime, because on receipt it may have
// passed since (section 7.3).
func (o *GroupOptions) rules(sending bool) evolution.Rules {
	r := evolution.Rules{Check: o.Check}
	switch {
	case o.MaxLifetime == 0:
		r.Lifetimes.Max = DefaultMaxLifetime
	case o.MaxLifetime > 0:
		r.Lifetimes.Max = o.MaxLifetime
	}
	if sending {
		r.Lifetimes.Now = o.now()
	}
	return r
}

func (o *GroupOptions) keepEpochs() int {
	if o.KeepEpochs == 0 {
		return DefaultKeepEpochs
	}
	return max(o.KeepEpochs, 0)
}

// A Group is one device's membership in one MLS group. It is not safe for concurrent use.
// Nothing is stored before the caller stores it: see [Group.Marshal].
type Group struct {
	suite   *suite.Suite
	state   *evolution.State
	tag     []byte // confirmation tag of the commit that started the epoch
	keys    *treekem.Keys
	epoch   *schedule.Epoch
	secrets *schedule.SecretTree
	signer  Signer
	opts    GroupOptions

	pool    evolution.Pool
	order   [][]byte // references in pool, as they came
	updates map[string]*suite.PrivateKey

	past   []pastEpoch // oldest first
	late   []lateEpoch // newest first
	reinit *framing.ReInit
	over   error
}

// A pastEpoch keeps an epoch's resumption secret.
type pastEpoch struct {
	epoch uint64
	psk   schedule.ResumptionPSK
}

// A lateEpoch keeps what is needed to read an epoch's private messages after it ended.
type lateEpoch struct {
	epoch   uint64
	leaves  uint32 // in the secret tree
	context []byte // encoded group context
	sender  schedule.SenderDataSecret
	secrets *schedule.SecretTree
	tree    *tree.Tree         // nil when restored
	members map[LeafIndex]Leaf // when restored
}

// member returns who was at a leaf.
func (l *lateEpoch) member(i LeafIndex) (Leaf, bool) {
	if l.tree == nil {
		m, ok := l.members[i]
		return m, ok
	}
	n := l.tree.Leaf(i)
	if n == nil {
		return Leaf{}, false
	}
	return leafOf(i, n), true
}

// A Leaf is one member.
type Leaf struct {
	Index        LeafIndex
	Identity     []byte
	SignatureKey []byte
}

func leafOf(i LeafIndex, l *tree.LeafNode) Leaf {
	return Leaf{Index: i, Identity: l.Credential.Presented(), SignatureKey: l.SignatureKey}
}

// Create makes a group with ourselves as its only member, at epoch 0 (section 11).
func Create(id Suite, groupID, identity []byte, signer Signer, o GroupOptions) (*Group, error) {
	s, err := suite.Of(id)
	if err != nil {
		return nil, err
	}
	if err := evolution.CheckGroupExtensions(s, o.Extensions, o.rules(true)); err != nil {
		return nil, fmt.Errorf("group extensions: %w", err)
	}
	leaf, key, err := newLeaf(s, identity, signer, KeyPackageOptions{Now: o.now(), Capabilities: o.Capabilities})
	if err != nil {
		return nil, err
	}
	if err := leaf.Sign(s, signer, groupID, 0); err != nil {
		return nil, err
	}
	if err := leaf.VerifyFresh(s, groupID, 0, o.Extensions, o.Check); err != nil {
		return nil, fmt.Errorf("own leaf: %w", err)
	}
	secret := suite.RandomSecret(s.HashLen())
	defer secret.Wipe()
	g := &Group{
		suite: s, signer: signer, opts: o,
		keys:  treekem.New(0, key),
		epoch: schedule.FromEpochSecret(s, secret),
	}
	g.tag = g.epoch.ConfirmationTag(s, nil)
	context := framing.GroupContext{Suite: id, GroupID: bytes.Clone(groupID), Extensions: o.Extensions}
	g.begin(evolution.NewState(context, tree.New(s, leaf), g.tag))
	return g, nil
}

// begin sets what is new in an epoch whose secrets are in g.epoch.
func (g *Group) begin(state *evolution.State) {
	g.state = state
	g.secrets = g.epoch.SecretTree(g.suite, state.Tree.Leaves())
	g.pool = make(evolution.Pool)
	g.order = nil
	g.updates = make(map[string]*suite.PrivateKey)
}

// follow returns g as it is in the next epoch, except for the epoch's own values.
func (g *Group) follow() *Group {
	next := &Group{suite: g.suite, signer: g.signer, opts: g.opts}
	next.past = append(next.past, g.past...)
	next.past = append(next.past, pastEpoch{epoch: g.Epoch(), psk: g.epoch.Resumption})
	if n := len(next.past); n > maxResumption {
		next.past = next.past[n-maxResumption:]
	}
	return next
}

// inherit takes over what is needed for late messages of old.
func (g *Group) inherit(old *Group) {
	g.late = append([]lateEpoch{*old.current()}, old.late...)
	if keep := g.opts.keepEpochs(); len(g.late) > keep {
		g.late = g.late[:keep]
	}
}

// usable returns why the group can't go on, if it can't.
func (g *Group) usable() error {
	if g.over != nil {
		return g.over
	}
	if g.reinit != nil {
		return ErrReInit
	}
	return nil
}

// Format hides the group's secrets.
func (Group) Format(w fmt.State, _ rune) { suite.Hide(w, "Group") }

// Suite returns the group's cipher suite.
func (g *Group) Suite() Suite { return g.suite.ID() }

// GroupID returns the group's id.
func (g *Group) GroupID() []byte { return bytes.Clone(g.state.Context.GroupID) }

// Epoch returns the number of the current epoch.
func (g *Group) Epoch() uint64 { return g.state.Context.Epoch }

// Own returns our place in the group.
func (g *Group) Own() LeafIndex { return g.keys.Own }

// Extensions returns the GroupContext extensions.
func (g *Group) Extensions() Extensions { return g.state.Context.Extensions }

// Members returns all members, by place.
func (g *Group) Members() []Leaf {
	out := make([]Leaf, 0, g.state.Tree.Leaves())
	for i, l := range g.state.Tree.All {
		out = append(out, leafOf(i, l))
	}
	return out
}

// Find returns the place of the member with the given identity.
func (g *Group) Find(identity []byte) (LeafIndex, bool) {
	for i, l := range g.state.Tree.All {
		if bytes.Equal(l.Credential.Presented(), identity) {
			return i, true
		}
	}
	return 0, false
}

// EpochAuthenticator is equal for members that see the same epoch (section 8.7).
func (g *Group) EpochAuthenticator() []byte { return bytes.Clone(g.epoch.Authenticator) }

// Export derives a secret of n bytes for the application, the same at all members in
// this epoch (section 8.5).
func (g *Group) Export(label string, context []byte, n int) ([]byte, error) {
	if g.over != nil {
		return nil, g.over
	}
	return g.epoch.Export(g.suite, label, context, n)
}

// GroupInfo returns the group's public state, signed by us, as MLSMessage: with the
// ratchet tree, and the key that lets new members join by an external commit.
func (g *Group) GroupInfo() ([]byte, error) {
	if err := g.usable(); err != nil {
		return nil, err
	}
	info, err := g.groupInfo(true)
	if err != nil {
		return nil, err
	}
	return framing.EncodeGroupInfo(info), nil
}

func (g *Group) groupInfo(withTree bool) (*framing.GroupInfo, error) {
	key, err := g.epoch.ExternalKey(g.suite)
	if err != nil {
		return nil, err
	}
	info := &framing.GroupInfo{Context: g.state.Context, ConfirmationTag: g.tag, Signer: g.keys.Own}
	if withTree {
		info.Extensions = append(info.Extensions, Extension{Type: tree.ExtRatchetTree, Data: g.state.Tree.Encode()})
	}
	info.Extensions = append(info.Extensions, Extension{Type: tree.ExtExternalPub, Data: syntax.AppendOpaque(nil, key.Public())})
	key.Wipe()
	if err := info.Sign(g.suite, g.signer); err != nil {
		return nil, err
	}
	return info, nil
}

// Tree returns the ratchet tree, for giving it to somebody beside a Welcome or GroupInfo
// without one.
func (g *Group) Tree() []byte { return g.state.Tree.Encode() }

// Wipe overwrites the group's secrets except those that next, its state in a later epoch,
// still uses. A nil next means that the membership is over; commits pending in the group
// die with it. The group can't be used after that.
func (g *Group) Wipe(next *Group) {
	var keys *treekem.Keys
	if next != nil {
		keys = next.keys
		g.epoch.WipeCurrent()
	} else {
		g.epoch.Wipe()
	}
	g.keys.Wipe(keys)
	for _, l := range append([]lateEpoch{*g.current()}, g.late...) {
		if next == nil || !next.keeps(l.secrets) {
			l.sender.Wipe()
			l.secrets.Wipe()
		}
	}
	for _, p := range g.past {
		if next == nil || len(next.past) > 0 && p.epoch < next.past[0].epoch {
			p.psk.Wipe()
		}
	}
	for _, k := range g.updates {
		if next == nil || next.keys.Leaf != k {
			k.Wipe()
		}
	}
	if g.over == nil {
		g.over = errors.New("group was wiped")
	}
}

func (g *Group) keeps(secrets *schedule.SecretTree) bool {
	return g.secrets == secrets || slices.ContainsFunc(g.late, func(l lateEpoch) bool { return l.secrets == secrets })
}
