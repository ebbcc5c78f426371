package mls

import (
	"fmt"
	"slices"
	"testing"

	"causa/crypto/mls/framing"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
	"causa/crypto/mls/tree"
	"causa/crypto/mls/treekem"
)

func decodeTree(t *testing.T, s *suite.Suite, b []byte) *tree.Received {
	t.Helper()
	r, err := tree.Decode(s, b)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "re-encoded tree", r.Trust().Encode(), b)
	return r
}

func TestVectorsTreeValidation(t *testing.T) {
	type vector struct {
		Suite       suite.ID           `json:"cipher_suite"`
		Tree        hexBytes           `json:"tree"`
		GroupID     hexBytes           `json:"group_id"`
		Resolutions [][]tree.NodeIndex `json:"resolutions"`
		Hashes      []hexBytes         `json:"tree_hashes"`
	}
	eachVector(t, "tree-validation.json", func(v *vector) suite.ID { return v.Suite }, func(t *testing.T, s *suite.Suite, v *vector) {
		r := decodeTree(t, s, v.Tree)
		raw := r.Trust()
		if int(raw.Width()) != len(v.Hashes) {
			t.Fatalf("tree of %d nodes, want %d", raw.Width(), len(v.Hashes))
		}
		for i := range raw.Width() {
			equal(t, fmt.Sprintf("hash of node %d", i), raw.HashOf(i), v.Hashes[i])
			if got, want := raw.Resolution(i), v.Resolutions[i]; !slices.Equal(got, want) {
				t.Errorf("resolution of %d = %v, want %v", i, got, want)
			}
		}
		if _, err := r.Verify(v.GroupID, raw.Hash(), nil, nil); err != nil {
			t.Errorf("verify: %v", err)
		}
	})
}

func TestVectorsTreeOperations(t *testing.T) {
	type vector struct {
		Suite      suite.ID       `json:"cipher_suite"`
		Before     hexBytes       `json:"tree_before"`
		HashBefore hexBytes       `json:"tree_hash_before"`
		Proposal   hexBytes       `json:"proposal"`
		Sender     tree.LeafIndex `json:"proposal_sender"`
		After      hexBytes       `json:"tree_after"`
		HashAfter  hexBytes       `json:"tree_hash_after"`
	}
	eachVector(t, "tree-operations.json", func(v *vector) suite.ID { return v.Suite }, func(t *testing.T, s *suite.Suite, v *vector) {
		tr := decodeTree(t, s, v.Before).Trust()
		equal(t, "hash before", tr.Hash(), v.HashBefore)
		var p framing.Proposal
		r := syntax.NewReader(v.Proposal)
		p.Decode(r)
		if err := r.Done(); err != nil {
			t.Fatal(err)
		}
		switch p.Type {
		case framing.ProposalAdd:
			tr.Add(p.Add.Leaf)
		case framing.ProposalUpdate:
			tr.Update(v.Sender, p.Update)
		case framing.ProposalRemove:
			tr.Remove(p.Remove)
		}
		equal(t, "tree after", tr.Encode(), v.After)
		equal(t, "hash after", tr.Hash(), v.HashAfter)
	})
}

type treekemLeaf struct {
	Index       tree.LeafIndex `json:"index"`
	Encryption  hexBytes       `json:"encryption_priv"`
	Signature   hexBytes       `json:"signature_priv"`
	PathSecrets []struct {
		Node   tree.NodeIndex `json:"node"`
		Secret hexBytes       `json:"path_secret"`
	} `json:"path_secrets"`
}

// keys builds a member's keys by way of their stored form.
func (l *treekemLeaf) keys(t *testing.T, s *suite.Suite) *treekem.Keys {
	t.Helper()
	b := syntax.AppendUint32(nil, uint32(l.Index))
	b = syntax.AppendOpaque(b, l.Encryption)
	b = syntax.AppendList(b, func(b []byte) []byte {
		for _, p := range l.PathSecrets {
			key, err := s.DeriveKeyPair(s.DeriveSecret(p.Secret, "node"))
			if err != nil {
				t.Fatal(err)
			}
			b = syntax.AppendUint32(b, uint32(p.Node))
			b = syntax.AppendOpaque(b, key.Secret())
		}
		return b
	})
	r := syntax.NewReader(b)
	k := treekem.Decode(r, s)
	if err := r.Done(); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestVectorsTreeKEM(t *testing.T) {
	type vector struct {
		Suite     suite.ID      `json:"cipher_suite"`
		GroupID   hexBytes      `json:"group_id"`
		Epoch     uint64        `json:"epoch"`
		Confirmed hexBytes      `json:"confirmed_transcript_hash"`
		Tree      hexBytes      `json:"ratchet_tree"`
		Leaves    []treekemLeaf `json:"leaves_private"`
		Paths     []struct {
			Sender        tree.LeafIndex `json:"sender"`
			Path          hexBytes       `json:"update_path"`
			PathSecrets   []*hexBytes    `json:"path_secrets"`
			CommitSecret  hexBytes       `json:"commit_secret"`
			TreeHashAfter hexBytes       `json:"tree_hash_after"`
		} `json:"update_paths"`
	}
	eachVector(t, "treekem.json", func(v *vector) suite.ID { return v.Suite }, func(t *testing.T, s *suite.Suite, v *vector) {
		tr := decodeTree(t, s, v.Tree).Trust()
		context := func(hash []byte) []byte {
			c := framing.GroupContext{Suite: v.Suite, GroupID: v.GroupID, Epoch: v.Epoch, TreeHash: hash, ConfirmedTranscriptHash: v.Confirmed}
			return c.Encode()
		}
		keys := make(map[tree.LeafIndex]*treekem.Keys)
		for i := range v.Leaves {
			keys[v.Leaves[i].Index] = v.Leaves[i].keys(t, s)
			if err := keys[v.Leaves[i].Index].Check(tr); err != nil {
				t.Errorf("leaf %d: %v", v.Leaves[i].Index, err)
			}
		}
		for _, p := range v.Paths {
			var path framing.UpdatePath
			r := syntax.NewReader(p.Path)
			path.Decode(r)
			if err := r.Done(); err != nil {
				t.Fatal(err)
			}
			after := tr.Clone()
			equal(t, "parent hash", after.SetPath(p.Sender, tr.FilteredPath(p.Sender), path.Keys()), path.Leaf.ParentHash)
			after.SetLeaf(p.Sender, path.Leaf)
			equal(t, "tree hash after", after.Hash(), p.TreeHashAfter)
			if err := path.Leaf.VerifySignature(s, v.GroupID, p.Sender); err != nil {
				t.Error(err)
			}
			for i := range v.Leaves {
				l := &v.Leaves[i]
				if l.Index == p.Sender {
					continue
				}
				_, commit, err := treekem.Open(keys[l.Index].Prune(after), after, p.Sender, &path, nil, context(after.Hash()))
				if err != nil {
					t.Fatalf("leaf %d opens path of %d: %v", l.Index, p.Sender, err)
				}
				equal(t, "commit secret", commit.Secret, p.CommitSecret)
				// The vector's path secret for this leaf leads to the same commit secret.
				secret := suite.Secret(*p.PathSecrets[l.Index])
				at := tree.CommonAncestor(l.Index, p.Sender)
				for _, step := range after.FilteredPath(p.Sender) {
					if step.Node.Level() >= at.Level() {
						secret = s.DeriveSecret(secret, "path")
					}
				}
				equal(t, "path secret", secret, p.CommitSecret)
			}
		}
		for i := range v.Leaves {
			roundTripPath(t, s, tr, &v.Leaves[i], v.GroupID, context, keys)
		}
	})
}

// roundTripPath makes a path of our own from a leaf, which all others must open.
func roundTripPath(t *testing.T, s *suite.Suite, tr *tree.Tree, l *treekemLeaf, groupID []byte, context func([]byte) []byte, keys map[tree.LeafIndex]*treekem.Keys) {
	t.Helper()
	signer, err := s.ParseSigner(l.Signature)
	if err != nil {
		t.Fatal(err)
	}
	after := tr.Clone()
	made, err := treekem.Generate(after, l.Index, tr.Leaf(l.Index), signer, groupID)
	if err != nil {
		t.Fatal(err)
	}
	path, err := made.Encrypt(after, nil, context(after.Hash()))
	if err != nil {
		t.Fatal(err)
	}
	for index, k := range keys {
		if index == l.Index {
			continue
		}
		_, commit, err := treekem.Open(k.Prune(after), after, l.Index, path, nil, context(after.Hash()))
		if err != nil {
			t.Fatalf("leaf %d opens our path of %d: %v", index, l.Index, err)
		}
		equal(t, "own commit secret", commit.Secret, made.Commit.Secret)
	}
}
