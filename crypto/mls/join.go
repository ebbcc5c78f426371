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
	"causa/crypto/mls/treekem"
)

// Join joins a group by a Welcome (section 12.4.3.1). secrets looks up our private keys
// by the reference of a key package.
func Join(welcome []byte, secrets func(ref []byte) (*KeyPackageSecrets, bool), signer Signer, o GroupOptions) (*Group, error) {
	m, err := framing.Parse(welcome)
	if err != nil {
		return nil, err
	}
	if m.Format != framing.FormatWelcome {
		return nil, fmt.Errorf("%w: not a welcome", syntax.ErrMalformed)
	}
	w := m.Welcome
	s, err := suite.Of(w.Suite)
	if err != nil {
		return nil, err
	}
	for i := range w.Secrets {
		own, ok := secrets(w.Secrets[i].NewMember)
		if !ok {
			continue
		}
		if own.kp.suite != s {
			return nil, fmt.Errorf("welcome for %v, key package for %v (section 12.4.3.1)", w.Suite, own.kp.Suite())
		}
		j := &joining{suite: s, own: own, opts: &o}
		return j.join(w, w.Secrets[i].Secrets, signer)
	}
	return nil, ErrNoSecrets
}

// A joining is a join by Welcome under way.
type joining struct {
	suite *suite.Suite
	own   *KeyPackageSecrets
	opts  *GroupOptions
}

func (j *joining) join(w *framing.Welcome, sealed suite.Ciphertext, signer Signer) (*Group, error) {
	plain, err := j.suite.DecryptWithLabel(j.own.init, "Welcome", w.EncryptedGroupInfo, sealed)
	if err != nil {
		return nil, fmt.Errorf("group secrets (section 12.4.3.1): %w", err)
	}
	defer plain.Wipe()
	secrets, err := schedule.DecodeGroupSecrets(plain)
	if err != nil {
		return nil, err
	}
	if err := checkLinks(secrets.PSKs); err != nil {
		return nil, err
	}
	psks, err := findPSKs(secrets.PSKs, j.opts.find)
	if err != nil {
		return nil, err
	}
	mixed := schedule.Mix(j.suite, secrets.Joiner, schedule.CombinePSKs(j.suite, psks))
	defer mixed.Wipe()
	key, nonce := mixed.Welcome().WelcomeKey(j.suite)
	raw, err := j.suite.Open(key, nonce, nil, w.EncryptedGroupInfo)
	if err != nil {
		return nil, fmt.Errorf("group info (section 12.4.3.1): %w", err)
	}
	r := syntax.NewReader(raw)
	info := framing.DecodeGroupInfo(r)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("group info: %w", err)
	}
	t, err := verifyGroupInfo(info, j.suite, j.opts)
	if err != nil {
		return nil, err
	}
	return j.build(info, t, secrets, mixed, signer)
}

// build makes the group from a verified group info.
func (j *joining) build(info *framing.GroupInfo, t *tree.Tree, secrets *schedule.GroupSecrets, mixed *schedule.Intermediate, signer Signer) (*Group, error) {
	if j.opts.Exists != nil && j.opts.Exists(info.Context.GroupID) {
		return nil, errors.New("we are in a group of this id already (section 12.4.3.1)")
	}
	leaf := j.own.kp.kp.Leaf
	at, ok := findLeaf(t, leaf)
	if !ok {
		return nil, errors.New("our leaf isn't in the group's tree (section 12.4.3.1)")
	}
	if public, err := j.suite.SignatureKey(signer); err != nil {
		return nil, err
	} else if !bytes.Equal(public, leaf.SignatureKey) {
		return nil, errors.New("signature key isn't the key package's")
	}
	leafKey, err := j.suite.ParsePrivateKey(j.own.leaf.Secret())
	if err != nil {
		return nil, err
	}
	g := &Group{suite: j.suite, signer: signer, opts: *j.opts, tag: bytes.Clone(info.ConfirmationTag), keys: treekem.New(at, leafKey)}
	g.opts.Parent, g.opts.Tree = nil, nil
	if secrets.PathSecret != nil {
		if err := g.keys.Join(t, info.Signer, secrets.PathSecret); err != nil {
			return nil, err
		}
	}
	if err := g.keys.Check(t); err != nil {
		return nil, err
	}
	g.epoch = mixed.Epoch(info.Context.Encode())
	if err := g.epoch.CheckConfirmation(j.suite, info.Context.ConfirmedTranscriptHash, g.tag); err != nil {
		return nil, err
	}
	if err := j.checkParent(info, t, secrets.PSKs); err != nil {
		return nil, err
	}
	g.begin(evolution.NewState(info.Context, t, g.tag))
	return g, nil
}

func findLeaf(t *tree.Tree, leaf *tree.LeafNode) (LeafIndex, bool) {
	for i, l := range t.All {
		if bytes.Equal(l.Raw(), leaf.Raw()) {
			return i, true
		}
	}
	return 0, false
}

// verifyGroupInfo checks a group info and its tree, which is returned.
func verifyGroupInfo(info *framing.GroupInfo, s *suite.Suite, o *GroupOptions) (*tree.Tree, error) {
	if info.Context.Suite != s.ID() {
		return nil, fmt.Errorf("group info for %v (section 12.4.3.1)", info.Context.Suite)
	}
	if err := info.Extensions.CheckUnique(); err != nil {
		return nil, err
	}
	data, ok := info.Extensions.Find(tree.ExtRatchetTree)
	if !ok {
		data = o.Tree
	}
	if data == nil {
		return nil, errors.New("no ratchet tree in the group info nor beside it (section 12.4.3.3)")
	}
	received, err := tree.Decode(s, bytes.Clone(data))
	if err != nil {
		return nil, err
	}
	if err := info.VerifySignature(s, received.Leaf(info.Signer)); err != nil {
		return nil, err
	}
	if err := evolution.CheckGroupExtensions(s, info.Context.Extensions, o.rules(false)); err != nil {
		return nil, fmt.Errorf("group extensions: %w", err)
	}
	return received.Verify(info.Context.GroupID, info.Context.TreeHash, info.Context.Extensions, o.Check)
}
