package tree

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
)

var groupID = []byte("group")

// A person is a leaf's owner in a test.
type person struct {
	signer suite.Signer
	key    *suite.PrivateKey
}

func newPerson(t testing.TB, s *suite.Suite) person {
	t.Helper()
	signer, err := s.GenerateSigner()
	if err != nil {
		t.Fatal(err)
	}
	key, err := s.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return person{signer: signer, key: key}
}

func (p person) leaf(t testing.TB, s *suite.Suite, change func(*LeafNode), at LeafIndex) *LeafNode {
	t.Helper()
	public, err := s.SignatureKey(p.signer)
	if err != nil {
		t.Fatal(err)
	}
	l := &LeafNode{
		EncryptionKey: p.key.Public(), SignatureKey: public, Credential: Basic([]byte("somebody")), Source: FromKeyPackage,
		Capabilities: Capabilities{Versions: []uint16{MLS10}, Suites: []uint16{uint16(s.ID())}, Credentials: []uint16{CredentialBasic}},
		Lifetime:     Lifetime{NotBefore: 1, NotAfter: 2},
	}
	if change != nil {
		change(l)
	}
	if err := l.Sign(s, p.signer, groupID, at); err != nil {
		t.Fatal(err)
	}
	return l
}

// fill returns a tree of n members in which each of the committers has set its path.
func fill(t testing.TB, s *suite.Suite, n int, committers ...LeafIndex) *Tree {
	t.Helper()
	var people []person
	var leaves []*LeafNode
	for range n {
		p := newPerson(t, s)
		people = append(people, p)
		leaves = append(leaves, p.leaf(t, s, nil, 0))
	}
	tr := New(s, leaves[0])
	tr.Add(leaves[1:]...)
	for _, c := range committers {
		commitPath(t, tr, people[c], c)
	}
	return tr
}

func commitPath(t testing.TB, tr *Tree, p person, at LeafIndex) {
	t.Helper()
	s := tr.Suite()
	steps := tr.FilteredPath(at)
	var keys [][]byte
	for range steps {
		keys = append(keys, newPerson(t, s).key.Public())
	}
	p.key = newPerson(t, s).key
	hash := tr.SetPath(at, steps, keys)
	tr.SetLeaf(at, p.leaf(t, s, func(l *LeafNode) { l.Source, l.ParentHash = FromCommit, hash }, at))
}

func classic(t testing.TB) *suite.Suite {
	t.Helper()
	s, err := suite.Of(suite.X25519AES128SHA256Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// verify sends a tree over the wire and checks it there.
func verify(t *testing.T, tr *Tree, group Extensions) error {
	t.Helper()
	r, err := Decode(tr.Suite(), tr.Encode())
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Verify(groupID, r.Trust().Hash(), group, nil)
	return err
}

func TestVerify(t *testing.T) {
	s := classic(t)
	if err := verify(t, fill(t, s, 9, 0, 3, 8, 5, 0), nil); err != nil {
		t.Fatalf("good tree: %v", err)
	}
	unmerged := fill(t, s, 5, 0, 4)
	unmerged.Remove(1)
	commitPath(t, unmerged, newPerson(t, s), 3)
	late := newPerson(t, s)
	unmerged.Add(late.leaf(t, s, nil, 0), newPerson(t, s).leaf(t, s, nil, 0))
	if err := verify(t, unmerged, nil); err != nil {
		t.Fatalf("tree with unmerged leaves: %v", err)
	}
	change := func(t *Tree, n NodeIndex, f func(*Parent)) {
		p := *t.nodes[n].parent
		p.Unmerged = slices.Clone(p.Unmerged)
		f(&p)
		t.nodes[n].parent = &p
		t.touch(n)
	}
	dup := newPerson(t, s)
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, tr *Tree)
		group Extensions
	}{
		{name: "two equal leaves", spoil: func(t *testing.T, tr *Tree) {
			tr.Add(dup.leaf(t, s, nil, 0), dup.leaf(t, s, nil, 0))
		}},
		{name: "one signature key twice", spoil: func(t *testing.T, tr *Tree) {
			other := person{signer: dup.signer, key: newPerson(t, s).key}
			tr.Add(dup.leaf(t, s, nil, 0), other.leaf(t, s, nil, 0))
		}},
		{name: "one encryption key twice", spoil: func(t *testing.T, tr *Tree) {
			other := person{signer: newPerson(t, s).signer, key: dup.key}
			tr.Add(dup.leaf(t, s, nil, 0), other.leaf(t, s, nil, 0))
		}},
		{name: "leaf key in a parent", spoil: func(_ *testing.T, tr *Tree) {
			change(tr, tr.Root(), func(p *Parent) { p.EncryptionKey = tr.Leaf(0).EncryptionKey })
		}},
		{name: "parent key changed", spoil: func(t *testing.T, tr *Tree) {
			change(tr, tr.Root(), func(p *Parent) { p.EncryptionKey = newPerson(t, s).key.Public() })
		}},
		{name: "short parent key", spoil: func(_ *testing.T, tr *Tree) {
			change(tr, tr.Root(), func(p *Parent) { p.EncryptionKey = []byte{1} })
		}},
		{name: "parent hash changed", spoil: func(_ *testing.T, tr *Tree) {
			change(tr, 3, func(p *Parent) { p.ParentHash = make([]byte, 32) })
		}},
		{name: "parent without a path to it", spoil: func(t *testing.T, tr *Tree) {
			tr.Update(0, tr.Leaf(0))
			tr.nodes[tr.Root()].parent = &Parent{EncryptionKey: newPerson(t, s).key.Public()}
		}},
		{name: "unmerged leaf that is blank", spoil: func(_ *testing.T, tr *Tree) {
			change(tr, tr.Root(), func(p *Parent) { p.Unmerged = append(p.Unmerged, 7) })
		}},
		{name: "unmerged leaf elsewhere", spoil: func(_ *testing.T, tr *Tree) {
			change(tr, 3, func(p *Parent) { p.Unmerged = append(p.Unmerged, 4) })
		}},
		{name: "unmerged above but not below", spoil: func(_ *testing.T, tr *Tree) {
			change(tr, tr.Root(), func(p *Parent) { p.Unmerged = []LeafIndex{1} })
		}},
		{name: "unmerged leaf forgotten", spoil: func(t *testing.T, tr *Tree) {
			tr.Add(newPerson(t, s).leaf(t, s, nil, 0))
			change(tr, tr.Root(), func(p *Parent) { p.Unmerged = nil })
		}},
		{name: "leaf of another group", spoil: func(t *testing.T, tr *Tree) {
			l := dup.leaf(t, s, func(l *LeafNode) { l.Source = FromUpdate }, 1)
			if err := l.Sign(s, dup.signer, []byte("other"), 1); err != nil {
				t.Fatal(err)
			}
			tr.Update(1, l)
		}},
		{name: "leaf of another place", spoil: func(t *testing.T, tr *Tree) {
			tr.Update(1, dup.leaf(t, s, func(l *LeafNode) { l.Source = FromUpdate }, 2))
		}},
		{name: "leaf without a credential type in use", spoil: func(t *testing.T, tr *Tree) {
			tr.Add(dup.leaf(t, s, func(l *LeafNode) {
				l.Credential = Credential{Type: CredentialX509, Certificates: [][]byte{{1}}}
				l.Capabilities.Credentials = []uint16{CredentialBasic, CredentialX509}
			}, 0))
		}},
		{name: "leaf without a required extension", spoil: func(*testing.T, *Tree) {}, group: Extensions{{
			Type: ExtRequiredCapabilities, Data: (&RequiredCapabilities{Extensions: []uint16{99}}).Encode(),
		}}},
		{name: "leaf without a required proposal", spoil: func(*testing.T, *Tree) {}, group: Extensions{{
			Type: ExtRequiredCapabilities, Data: (&RequiredCapabilities{Proposals: []uint16{99}}).Encode(),
		}}},
		{name: "leaf without a required credential", spoil: func(*testing.T, *Tree) {}, group: Extensions{{
			Type: ExtRequiredCapabilities, Data: (&RequiredCapabilities{Credentials: []uint16{CredentialX509}}).Encode(),
		}}},
		{name: "leaf without the group's extension", spoil: func(*testing.T, *Tree) {}, group: Extensions{{Type: 99}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := fill(t, s, 6, 0, 5, 2)
			if err := verify(t, tr, nil); err != nil {
				t.Fatal(err)
			}
			tt.spoil(t, tr)
			if err := verify(t, tr, tt.group); err == nil {
				t.Error("bad tree accepted")
			} else {
				t.Log(err)
			}
		})
	}
	r, err := Decode(s, fill(t, s, 3).Encode())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Verify(groupID, make([]byte, 32), nil, nil); err == nil {
		t.Error("wrong tree hash accepted")
	}
}

func TestDecodeRefuses(t *testing.T) {
	s := classic(t)
	good := fill(t, s, 4, 0)
	for name, b := range map[string][]byte{
		"empty":      syntax.AppendOpaque(nil, nil),
		"blank last": syntax.AppendOpaque(nil, []byte{0, 0, 0}),
		"leaf as parent": syntax.AppendList(nil, func(b []byte) []byte {
			b = good.Leaf(0).Append(append(b, 1, 1))
			return good.Leaf(1).Append(append(b, 1, 1))
		}),
		"unsorted unmerged": syntax.AppendList(nil, func(b []byte) []byte {
			b = good.Leaf(0).Append(append(b, 1, 1))
			p := Parent{EncryptionKey: []byte{1}, Unmerged: []LeafIndex{1, 0}}
			return p.append(append(b, 1, 2))
		}),
		"trailing": append(good.Encode(), 0),
	} {
		if _, err := Decode(s, b); !errors.Is(err, syntax.ErrMalformed) {
			t.Errorf("%s: got %v, want ErrMalformed", name, err)
		}
	}
}

// TestBulkAdd checks that adding many at once gives the same tree as one by one.
func TestBulkAdd(t *testing.T) {
	s := classic(t)
	base := fill(t, s, 6, 0, 5, 2)
	base.Remove(1, 3)
	var leaves []*LeafNode
	for range 7 {
		leaves = append(leaves, newPerson(t, s).leaf(t, s, nil, 0))
	}
	bulk, single := base.Clone(), base.Clone()
	at := bulk.Add(leaves...)
	for i, l := range leaves {
		if got := single.Add(l)[0]; got != at[i] {
			t.Errorf("leaf %d at %d, in bulk at %d", i, got, at[i])
		}
	}
	if !bytes.Equal(bulk.Encode(), single.Encode()) || !bytes.Equal(bulk.Hash(), single.Hash()) {
		t.Error("trees differ")
	}
	if want := fmt.Sprint([]LeafIndex{1, 3, 6, 7, 8, 9, 10}); fmt.Sprint(at) != want {
		t.Errorf("added at %v, want %s", at, want)
	}
}

// TestHashCache checks that no change leaves an outdated hash behind.
func TestHashCache(t *testing.T) {
	s := classic(t)
	tr := fill(t, s, 11, 0, 4)
	check := func(what string) {
		t.Helper()
		fresh, err := Decode(s, tr.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(tr.Hash(), fresh.Trust().Hash()) {
			t.Errorf("outdated hash after %s", what)
		}
	}
	check("start")
	tr.Add(newPerson(t, s).leaf(t, s, nil, 0))
	check("add")
	tr.Remove(2)
	check("remove")
	tr.Update(5, newPerson(t, s).leaf(t, s, nil, 5))
	check("update")
	commitPath(t, tr, newPerson(t, s), 7)
	check("path")
	tr.Remove(8, 9, 10, 11)
	check("truncate")
	if tr.Leaves() != 8 {
		t.Errorf("%d leaves after truncation, want 8", tr.Leaves())
	}
	for range 3 {
		tr.Add(newPerson(t, s).leaf(t, s, nil, 0))
		check("extend")
	}
	old := tr.Hash()
	c := tr.Clone()
	c.Remove(0)
	if bytes.Equal(c.Hash(), old) || !bytes.Equal(tr.Hash(), old) {
		t.Error("a clone's change isn't its own")
	}
}

func FuzzDecode(f *testing.F) {
	s := classic(f)
	tr := fill(f, s, 5, 0, 4)
	tr.Remove(1)
	f.Add(tr.Encode())
	f.Add(fill(f, s, 1).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Decode(s, b)
		if err != nil {
			return
		}
		if got := r.Trust().Encode(); !bytes.Equal(got, b) {
			t.Errorf("re-encoded %x, want %x", got, b)
		}
		if _, err := r.Verify(groupID, r.Trust().Hash(), nil, nil); err == nil {
			if again, err := Decode(s, r.Trust().Encode()); err != nil || !bytes.Equal(again.Trust().Hash(), r.Trust().Hash()) {
				t.Error("a verified tree doesn't survive encoding")
			}
		}
	})
}
