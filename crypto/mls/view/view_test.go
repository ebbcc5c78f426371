package view_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"sync"
	"testing"

	"causa/crypto/mls"
	"causa/crypto/mls/framing"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/tree"
	"causa/crypto/mls/view"
)

type device struct {
	name    string
	key     ed25519.PrivateKey
	group   *mls.Group
	secrets *mls.KeyPackageSecrets
}

func newDevice(t *testing.T, name string) *device {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &device{name: name, key: key}
}

func (d *device) keyPackage(t *testing.T) *mls.KeyPackage {
	t.Helper()
	kp, secrets, err := mls.NewKeyPackage(mls.Classic, []byte(d.name), d.key, mls.KeyPackageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	d.secrets = secrets
	return kp
}

// start returns a group of two and the hub's view of it.
func start(t *testing.T) (a, b *device, v *view.View) {
	t.Helper()
	a, b = newDevice(t, "a"), newDevice(t, "b")
	var err error
	if a.group, err = mls.Create(mls.Classic, []byte("g"), []byte("a"), a.key, mls.GroupOptions{}); err != nil {
		t.Fatal(err)
	}
	if v, err = view.Open(info(t, a.group), nil); err != nil {
		t.Fatal(err)
	}
	p := commit(t, a, mls.CommitRequest{Add: []*mls.KeyPackage{b.keyPackage(t)}})
	if _, v, err = v.Commit(p.Commit(), p.GroupInfo()); err != nil {
		t.Fatal(err)
	}
	a.group = p.Group()
	b.group, err = mls.Join(p.Welcome(), func([]byte) (*mls.KeyPackageSecrets, bool) { return b.secrets, true }, b.key, mls.GroupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return a, b, v
}

func info(t *testing.T, g *mls.Group) []byte {
	t.Helper()
	b, err := g.GroupInfo()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func commit(t *testing.T, d *device, req mls.CommitRequest) *mls.Pending {
	t.Helper()
	p, err := d.group.Commit(req)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestConcurrent uses one view from many goroutines, as a hub does.
func TestConcurrent(t *testing.T) {
	a, b, v := start(t)
	kp := newDevice(t, "c").keyPackage(t)
	proposal, err := b.group.Propose(mls.ProposalRequest{Add: kp})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.group.Process(proposal); err != nil {
		t.Fatal(err)
	}
	sender, v, err := v.Proposal(proposal)
	if err != nil || string(sender) != "b" {
		t.Fatalf("proposal by %q, %v", sender, err)
	}
	p := commit(t, a, mls.CommitRequest{})
	before := v.Marshal()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			change, next, err := v.Commit(p.Commit(), p.GroupInfo())
			if err != nil {
				t.Error(err)
				return
			}
			if len(change.Added) != 1 || string(change.Added[0]) != "c" || next.Epoch() != v.Epoch()+1 {
				t.Errorf("change %+v, epoch %d", change, next.Epoch())
			}
			if again, err := view.Unmarshal(v.Marshal(), nil); err != nil || again.Epoch() != v.Epoch() {
				t.Errorf("unmarshal: %v", err)
			}
		})
	}
	wg.Wait()
	if !bytes.Equal(before, v.Marshal()) {
		t.Error("view was changed")
	}
}

func TestRefusals(t *testing.T) {
	a, _, v := start(t)
	p := commit(t, a, mls.CommitRequest{})
	private := commit(t, a, mls.CommitRequest{Private: true})
	for name, m := range map[string][2][]byte{
		"private commit":         {private.Commit(), private.GroupInfo()},
		"group info as commit":   {p.GroupInfo(), p.GroupInfo()},
		"nonsense":               {{1, 2, 3}, p.GroupInfo()},
		"commit without info":    {p.Commit(), nil},
		"commit as group info":   {p.Commit(), p.Commit()},
		"info of another commit": {p.Commit(), private.GroupInfo()},
	} {
		if _, _, err := v.Commit(m[0], m[1]); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, _, err := v.Commit(p.Commit(), private.GroupInfo()); !errors.Is(err, view.ErrGroupInfo) {
		t.Errorf("got %v, want ErrGroupInfo", err)
	}
	tamper := func(change func(*framing.GroupInfo)) []byte {
		m, err := framing.Parse(p.GroupInfo())
		if err != nil {
			t.Fatal(err)
		}
		change(m.GroupInfo)
		s, err := suite.Of(suite.ID(v.Suite()))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.GroupInfo.Sign(s, a.key); err != nil {
			t.Fatal(err)
		}
		return m.Encode()
	}
	for name, b := range map[string][]byte{
		"no tree":           tamper(func(g *framing.GroupInfo) { g.Extensions = g.Extensions[1:] }),
		"no external key":   tamper(func(g *framing.GroupInfo) { g.Extensions = g.Extensions[:1] }),
		"bad external key":  tamper(func(g *framing.GroupInfo) { g.Extensions[1].Data = []byte{1, 1} }),
		"another tree":      tamper(func(g *framing.GroupInfo) { g.Extensions[0].Data = a.group.Tree() }),
		"another signer":    tamper(func(g *framing.GroupInfo) { g.Signer = 1 }),
		"another epoch":     tamper(func(g *framing.GroupInfo) { g.Context.Epoch++ }),
		"another tree hash": tamper(func(g *framing.GroupInfo) { g.Context.TreeHash = make([]byte, 32) }),
		"an extension twice": tamper(func(g *framing.GroupInfo) {
			g.Extensions = append(g.Extensions, tree.Extension{Type: 99}, tree.Extension{Type: 99})
		}),
	} {
		if _, _, err := v.Commit(p.Commit(), b); !errors.Is(err, view.ErrGroupInfo) {
			t.Errorf("%s: got %v, want ErrGroupInfo", name, err)
		}
	}
	for name, b := range map[string][]byte{
		"no tree":           tamper(func(g *framing.GroupInfo) { g.Extensions = g.Extensions[1:] }),
		"another signer":    tamper(func(g *framing.GroupInfo) { g.Signer = 1 }),
		"blank signer":      tamper(func(g *framing.GroupInfo) { g.Signer = 9 }),
		"another tree hash": tamper(func(g *framing.GroupInfo) { g.Context.TreeHash = make([]byte, 32) }),
		"another group":     tamper(func(g *framing.GroupInfo) { g.Context.GroupID = []byte("h") }),
		"a key package":     newDevice(t, "x").keyPackage(t).Bytes(),
	} {
		if _, err := view.Open(b, nil); err == nil {
			t.Errorf("opened with %s", name)
		}
	}
	stored := v.Marshal()
	stored[0] = 9
	if _, err := view.Unmarshal(stored, nil); !errors.Is(err, view.ErrVersion) {
		t.Errorf("stored by a newer version: %v", err)
	}
	if _, err := view.Unmarshal(v.Marshal()[:50], nil); err == nil {
		t.Error("opened half of a view")
	}
}

// TestEnd: a group that was closed takes no more commits; the one that continues it, and
// one that branches off, open like any other.
func TestEnd(t *testing.T) {
	a, b, v := start(t)
	branch, err := a.group.Branch([]byte("side"), []*mls.KeyPackage{b.keyPackage(t)}, mls.GroupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := view.Open(branch.GroupInfo(), nil); err != nil {
		t.Errorf("branch: %v", err)
	}
	p := commit(t, a, mls.CommitRequest{ReInit: &mls.ReInit{GroupID: []byte("next"), Suite: mls.Hybrid}})
	change, v, err := v.Commit(p.Commit(), p.GroupInfo())
	if err != nil || !change.Closed || !v.Closed() {
		t.Fatalf("reinit: %+v, %v", change, err)
	}
	late := commit(t, b, mls.CommitRequest{})
	if v, err = view.Unmarshal(v.Marshal(), nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := v.Commit(late.Commit(), late.GroupInfo()); err == nil {
		t.Error("commit after the end")
	}
}
