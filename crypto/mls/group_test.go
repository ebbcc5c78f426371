package mls

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"causa/crypto/mls/suite"
	"causa/crypto/mls/view"
)

// A client is a device in a test.
type client struct {
	t        testing.TB
	identity []byte
	signer   Signer
	suite    Suite
	opts     GroupOptions
	secrets  map[string]*KeyPackageSecrets
	group    *Group
}

func newClient(t testing.TB, id Suite, name string) *client {
	t.Helper()
	s, err := suite.Of(id)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := s.GenerateSigner()
	if err != nil {
		t.Fatal(err)
	}
	return &client{t: t, identity: []byte(name), signer: signer, suite: id, secrets: make(map[string]*KeyPackageSecrets)}
}

func (c *client) keyPackage(o KeyPackageOptions) *KeyPackage {
	c.t.Helper()
	kp, secrets, err := NewKeyPackage(c.suite, c.identity, c.signer, o)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := kp.Verify(o.Now, c.opts.Check); err != nil {
		c.t.Fatalf("own key package: %v", err)
	}
	c.secrets[string(kp.Ref())] = secrets
	return kp
}

func (c *client) create(groupID string) {
	c.t.Helper()
	g, err := Create(c.suite, []byte(groupID), c.identity, c.signer, c.opts)
	if err != nil {
		c.t.Fatal(err)
	}
	c.group = g
}

func (c *client) commit(req CommitRequest) *Pending {
	c.t.Helper()
	p, err := c.group.Commit(req)
	if err != nil {
		c.t.Fatalf("%s: commit: %v", c.identity, err)
	}
	return p
}

func (c *client) join(welcome []byte) {
	c.t.Helper()
	g, err := Join(welcome, func(ref []byte) (*KeyPackageSecrets, bool) {
		s, ok := c.secrets[string(ref)]
		return s, ok
	}, c.signer, c.opts)
	if err != nil {
		c.t.Fatalf("%s: join: %v", c.identity, err)
	}
	c.group = g
}

func (c *client) process(message []byte) *Change {
	c.t.Helper()
	change, err := c.group.Process(message)
	if err != nil {
		c.t.Fatalf("%s: process: %v", c.identity, err)
	}
	return change
}

// reload stores the group and reads it back.
func (c *client) reload() {
	c.t.Helper()
	b, err := c.group.Marshal()
	if err != nil {
		c.t.Fatal(err)
	}
	g, err := Unmarshal(b, c.signer, c.opts)
	if err != nil {
		c.t.Fatalf("%s: reload: %v", c.identity, err)
	}
	again, err := g.Marshal()
	if err != nil {
		c.t.Fatal(err)
	}
	if !bytes.Equal(b, again) {
		c.t.Errorf("%s: state changes by being stored", c.identity)
	}
	c.group = g
}

func agree(t testing.TB, clients ...*client) {
	t.Helper()
	want := clients[0].group
	for _, c := range clients[1:] {
		if got := c.group; got.Epoch() != want.Epoch() || !bytes.Equal(got.EpochAuthenticator(), want.EpochAuthenticator()) {
			t.Fatalf("%s is at epoch %d with another authenticator than %s at %d", c.identity, got.Epoch(), clients[0].identity, want.Epoch())
		}
		a, err := want.Export("test", []byte("x"), 32)
		if err != nil {
			t.Fatal(err)
		}
		b, err := c.group.Export("test", []byte("x"), 32)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Fatalf("%s exports another secret", c.identity)
		}
	}
}

func eachSuite(t *testing.T, f func(t *testing.T, id Suite)) {
	for _, id := range suite.All() {
		t.Run(id.String(), func(t *testing.T) { f(t, id) })
	}
}

// TestLife is the life of a small group as core and hub see it.
func TestLife(t *testing.T) {
	eachSuite(t, func(t *testing.T, id Suite) {
		a, b, c := newClient(t, id, "alice"), newClient(t, id, "bob"), newClient(t, id, "carol")
		a.create("matter")
		info, err := a.group.GroupInfo()
		if err != nil {
			t.Fatal(err)
		}
		hub, err := view.Open(info, nil)
		if err != nil {
			t.Fatal(err)
		}
		accept := func(p *Pending) *view.Change {
			t.Helper()
			change, next, err := hub.Commit(p.Commit(), p.GroupInfo())
			if err != nil {
				t.Fatalf("hub: %v", err)
			}
			if hub, err = view.Unmarshal(next.Marshal(), nil); err != nil {
				t.Fatal(err)
			}
			return change
		}

		p := a.commit(CommitRequest{Add: []*KeyPackage{b.keyPackage(KeyPackageOptions{}), c.keyPackage(KeyPackageOptions{LastResort: true})}})
		if got := accept(p); len(got.Added) != 2 || string(got.Committer) != "alice" {
			t.Errorf("hub saw %+v", got)
		}
		a.group = p.Group()
		b.join(p.Welcome())
		c.join(p.Welcome())
		agree(t, a, b, c)

		for i, who := range []*client{b, c, a, b} {
			stored, err := who.commit(CommitRequest{}).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			p, err := UnmarshalPending(stored, who.signer, who.opts)
			if err != nil {
				t.Fatal(err)
			}
			accept(p)
			for _, other := range []*client{a, b, c} {
				if other != who {
					other.reload()
					if got := other.process(p.Commit()); string(got.CommitterIdentity) != string(who.identity) || len(got.Updated) != 1 {
						t.Errorf("change %+v", got)
					}
				}
			}
			if _, err := who.group.Process(p.Commit()); !errors.Is(err, ErrOwnCommit) {
				t.Errorf("own commit: got %v, want ErrOwnCommit", err)
			}
			p.Follow(who.group)
			who.group = p.Group()
			agree(t, a, b, c)
			if got, want := hub.Epoch(), uint64(i+2); got != want {
				t.Errorf("hub at epoch %d, want %d", got, want)
			}
		}

		at, ok := a.group.Find([]byte("bob"))
		if !ok {
			t.Fatal("bob isn't in the group")
		}
		p = a.commit(CommitRequest{Remove: []LeafIndex{at}})
		accept(p)
		if got := c.process(p.Commit()); len(got.Removed) != 1 || string(got.Removed[0].Identity) != "bob" {
			t.Errorf("change %+v", got)
		}
		if got := b.process(p.Commit()); !got.SelfRemoved {
			t.Errorf("bob doesn't see that he was removed: %+v", got)
		}
		if _, err := b.group.Commit(CommitRequest{}); !errors.Is(err, ErrRemoved) {
			t.Errorf("removed member commits: %v", err)
		}
		a.group = p.Group()
		agree(t, a, c)
		if got := len(hub.Members()); got != 2 {
			t.Errorf("hub sees %d members, want 2", got)
		}
	})
}

func TestSignerTypes(t *testing.T) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(Classic, []byte("g"), []byte("d"), key, GroupOptions{}); err != nil {
		t.Errorf("ed25519.PrivateKey as Signer: %v", err)
	}
	if _, err := Create(suite.P256AES128SHA256P256, []byte("g"), []byte("d"), key, GroupOptions{}); err == nil {
		t.Error("Ed25519 key accepted for a P-256 suite")
	}
}

// TestSecretsDontPrint prints everything that holds secrets, also inside of other things.
func TestSecretsDontPrint(t *testing.T) {
	a := newGroup(t, Classic, GroupOptions{}, "a", "b")[0]
	p := a.commit(CommitRequest{})
	kp, secrets, err := NewKeyPackage(Classic, a.identity, a.signer, KeyPackageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	secret := suite.Secret("abc")
	for _, v := range []any{
		a.group, *a.group, p, *p, secrets, *secrets, a.group.keys, *a.group.keys, a.group.epoch, *a.group.epoch,
		a.group.secrets, *a.group.secrets, a.group.epoch.Init, secret,
		[]suite.Secret{secret},
		*secrets.init,
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
			if s := fmt.Sprintf(verb, v); !strings.HasSuffix(strings.Trim(s, "{}[]"), "(hidden)") {
				t.Errorf("%T prints with %s as %.60q", v, verb, s)
			}
		}
	}
	if _, err := json.Marshal(secret); err == nil {
		t.Error("secret was written as JSON")
	}
	if kp.LastResort() {
		t.Error("ordinary key package says it is of last resort")
	}
}
