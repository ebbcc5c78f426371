package mls

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"causa/crypto/mls/suite"
	"causa/crypto/mls/view"
)

var freeze = flag.Bool("freeze", false, "write the frozen states of the current version; refuses to replace any")

// A frozen is a device's stored state as a released version wrote it, and what it must
// still be able to do. Files of this kind are never changed; a new version of a stored
// form gets a new file beside the old ones.
type frozen struct {
	Suite       Suite  `json:"suite"`
	Signer      string `json:"signer"`
	Group       string `json:"group"`
	Pending     string `json:"pending"`
	KeySecrets  string `json:"key_package_secrets"`
	View        string `json:"view"`
	Epoch       uint64 `json:"epoch"`
	Exported    string `json:"exported"`
	PendingAuth string `json:"pending_authenticator"`
	Welcome     string `json:"welcome"`       // for the key package
	Late        string `json:"late_message"`  // of a past epoch
	Skipped     string `json:"skipped"`       // overtaken by a later message
	Message     string `json:"message"`       // not seen yet
	Commit      string `json:"commit"`        // of another member, with our Update in it
	CommitAuth  string `json:"authenticator"` // after it
}

func frozenOptions() GroupOptions {
	return GroupOptions{PSK: func(id []byte) ([]byte, bool) { return append([]byte("psk "), id...), true }}
}

const frozenFile = "stored-v1.json"

func TestFrozen(t *testing.T) {
	path := filepath.Join("testdata", frozenFile)
	if *freeze {
		writeFrozen(t, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []frozen
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != len(suite.All()) {
		t.Errorf("%d frozen states, want one of each suite", len(all))
	}
	for _, f := range all {
		t.Run(f.Suite.String(), func(t *testing.T) { thaw(t, &f) })
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func thaw(t *testing.T, f *frozen) {
	s, err := suite.Of(f.Suite)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := s.ParseSigner(unhex(t, f.Signer))
	if err != nil {
		t.Fatal(err)
	}
	o := frozenOptions()
	g, err := Unmarshal(unhex(t, f.Group), signer, o)
	if err != nil {
		t.Fatalf("group: %v", err)
	}
	exported, err := g.Export("frozen", nil, 32)
	if err != nil {
		t.Fatal(err)
	}
	if g.Epoch() != f.Epoch || hex.EncodeToString(exported) != f.Exported {
		t.Errorf("group at epoch %d exports another secret", g.Epoch())
	}
	for text, m := range map[string]string{"late": f.Late, "skipped": f.Skipped, "message": f.Message} {
		if got, err := g.Decrypt(unhex(t, m)); err != nil || string(got.Data) != text {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	p, err := UnmarshalPending(unhex(t, f.Pending), signer, o)
	if err != nil {
		t.Fatalf("pending: %v", err)
	}
	equal(t, "pending authenticator", p.Group().EpochAuthenticator(), unhex(t, f.PendingAuth))
	v, err := view.Unmarshal(unhex(t, f.View), nil)
	if err != nil {
		t.Fatalf("view: %v", err)
	}
	if _, _, err := v.Commit(p.Commit(), p.GroupInfo()); err != nil {
		t.Errorf("view: %v", err)
	}
	if _, err := g.Process(unhex(t, f.Commit)); err != nil {
		t.Fatalf("commit: %v", err)
	}
	equal(t, "authenticator", g.EpochAuthenticator(), unhex(t, f.CommitAuth))
	k, err := UnmarshalKeyPackageSecrets(unhex(t, f.KeySecrets))
	if err != nil {
		t.Fatalf("key package: %v", err)
	}
	j, err := Join(unhex(t, f.Welcome), func(ref []byte) (*KeyPackageSecrets, bool) { return k, bytes.Equal(ref, k.Ref()) }, signer, o)
	if err != nil {
		t.Fatalf("join: %v", err)
	}
	if string(j.GroupID()) != "second" {
		t.Errorf("joined %q", j.GroupID())
	}
}

// writeFrozen makes a state in which everything that can be stored is present.
func writeFrozen(t *testing.T, path string) {
	if _, err := os.Stat(path); err == nil {
		t.Fatalf("%s is frozen; raise the version and add a new file", path)
	}
	var all []frozen
	for _, id := range suite.All() {
		s, err := suite.Of(id)
		if err != nil {
			t.Fatal(err)
		}
		seed := suite.RandomSecret(32)
		if id == suite.P521AES256SHA512P521 || id == suite.P384AES256SHA384P384 {
			seed[0] = 0 // any 32 bytes but for 0 are a scalar of these
		}
		signer, err := s.ParseSigner(seed)
		if err != nil {
			t.Fatal(err)
		}
		a, b, c := newClient(t, id, "a"), newClient(t, id, "b"), newClient(t, id, "c")
		b.signer = signer
		for _, x := range []*client{a, b, c} {
			x.opts = frozenOptions()
		}
		a.create("first")
		p := a.commit(CommitRequest{Add: []*KeyPackage{b.keyPackage(KeyPackageOptions{}), c.keyPackage(KeyPackageOptions{})}, ForcePath: true})
		a.group = p.Group()
		b.join(p.Welcome())
		c.join(p.Welcome())
		say := func(text string) []byte {
			m, err := a.group.Encrypt([]byte(text), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		f := frozen{Suite: id, Signer: hex.EncodeToString(seed), Late: hex.EncodeToString(say("late"))}
		everybody(t, c.commit(CommitRequest{PSKs: [][]byte{[]byte("x")}}), c, a, b)
		f.Skipped = hex.EncodeToString(say("skipped"))
		if _, err := b.group.Decrypt(say("overtaking")); err != nil {
			t.Fatal(err)
		}
		f.Message = hex.EncodeToString(say("message"))
		info, err := c.group.GroupInfo()
		if err != nil {
			t.Fatal(err)
		}
		v, err := view.Open(info, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []*client{b, c} {
			m := x.propose(ProposalRequest{Update: true})
			for _, y := range []*client{a, b, c} {
				if y != x {
					y.process(m)
				}
			}
			if _, v, err = v.Proposal(m); err != nil {
				t.Fatal(err)
			}
		}
		hexOf := func(b []byte, err error) string {
			if err != nil {
				t.Fatal(err)
			}
			return hex.EncodeToString(b)
		}
		pending := b.commit(CommitRequest{})
		f.Group, f.Pending, f.View = hexOf(b.group.Marshal()), hexOf(pending.Marshal()), hexOf(v.Marshal(), nil)
		f.Epoch, f.Exported = b.group.Epoch(), hexOf(b.group.Export("frozen", nil, 32))
		f.PendingAuth = hexOf(pending.Group().EpochAuthenticator(), nil)
		won := a.commit(CommitRequest{})
		f.Commit, f.CommitAuth = hexOf(won.Commit(), nil), hexOf(won.Group().EpochAuthenticator(), nil)
		d := newClient(t, id, "d")
		d.opts = frozenOptions()
		d.create("second")
		kp := b.keyPackage(KeyPackageOptions{LastResort: true})
		f.KeySecrets = hexOf(b.secrets[string(kp.Ref())].Marshal(), nil)
		f.Welcome = hexOf(d.commit(CommitRequest{Add: []*KeyPackage{kp}, PSKs: [][]byte{[]byte("y")}}).Welcome(), nil)
		all = append(all, f)
	}
	out, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(out, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	fmt.Println("wrote", path)
}

// TestNewerVersion: what a newer version stored is refused in a way callers can tell.
func TestNewerVersion(t *testing.T) {
	a := newClient(t, Classic, "a")
	a.create("g")
	b, err := a.group.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	b[0] = 1
	if _, err := Unmarshal(b, a.signer, GroupOptions{}); !errors.Is(err, ErrVersion) {
		t.Errorf("got %v, want ErrVersion", err)
	}
}
