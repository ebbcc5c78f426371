package mls

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"causa/crypto/mls/framing"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/tree"
	"causa/crypto/mls/view"
)

// newGroup returns clients of the given names in one group.
func newGroup(t testing.TB, id Suite, o GroupOptions, names ...string) []*client {
	t.Helper()
	var all []*client
	var packages []*KeyPackage
	for _, name := range names {
		c := newClient(t, id, name)
		c.opts = o
		all = append(all, c)
		if len(all) > 1 {
			packages = append(packages, c.keyPackage(KeyPackageOptions{}))
		}
	}
	all[0].create("group")
	if len(packages) == 0 {
		return all
	}
	p := all[0].commit(CommitRequest{Add: packages, ForcePath: true})
	all[0].group = p.Group()
	for _, c := range all[1:] {
		c.join(p.Welcome())
	}
	agree(t, all...)
	return all
}

// everybody applies a pending commit of who, except where it was the way in.
func everybody(t testing.TB, p *Pending, who *client, all ...*client) {
	t.Helper()
	for _, c := range all {
		if c != who && c.group.Epoch() != p.group.Epoch() {
			c.process(p.Commit())
		}
	}
	who.group = p.Group()
	agree(t, append(all[:len(all):len(all)], who)...)
}

func (c *client) propose(req ProposalRequest) []byte {
	c.t.Helper()
	m, err := c.group.Propose(req)
	if err != nil {
		c.t.Fatalf("%s: propose: %v", c.identity, err)
	}
	return m
}

func TestProposalsByReference(t *testing.T) {
	eachSuite(t, func(t *testing.T, id Suite) {
		for _, private := range []bool{false, true} {
			all := newGroup(t, id, GroupOptions{}, "a", "b", "c", "d")
			a, b, c, d := all[0], all[1], all[2], all[3]
			e := newClient(t, id, "e")
			out := d.group.Own()
			send := func(who *client, req ProposalRequest) {
				t.Helper()
				req.Private = private
				m := who.propose(req)
				for _, other := range all {
					if other != who {
						if got := other.process(m); got.Proposal == nil {
							t.Errorf("change %+v, want a proposal", got)
						}
					}
				}
			}
			send(b, ProposalRequest{Update: true})
			send(a, ProposalRequest{Remove: &out})
			send(c, ProposalRequest{Add: e.keyPackage(KeyPackageOptions{})})
			send(d, ProposalRequest{Update: true}) // loses to its removal
			if _, err := a.group.Encrypt([]byte("x"), nil, 0); !errors.Is(err, ErrCommitFirst) {
				t.Errorf("message before the commit: %v", err)
			}
			for _, x := range all {
				x.reload()
			}
			p := c.commit(CommitRequest{Private: private})
			if got := d.process(p.Commit()); !got.SelfRemoved || len(got.Updated) != 2 || len(got.Added) != 1 {
				t.Errorf("change %+v", got)
			}
			e.join(p.Welcome())
			everybody(t, p, c, a, b, e)
		}
	})
}

func TestPreSharedKeys(t *testing.T) {
	o := GroupOptions{PSK: func(id []byte) ([]byte, bool) { return []byte("shared"), string(id) == "psk" }}
	all := newGroup(t, Classic, o, "a", "b")
	a, b := all[0], all[1]
	c := newClient(t, Classic, "c")
	c.opts = o
	for range 2 {
		everybody(t, a.commit(CommitRequest{}), a, b)
	}
	p := a.commit(CommitRequest{PSKs: [][]byte{[]byte("psk")}, Resume: []uint64{1, 2}})
	everybody(t, p, a, b)
	p = b.commit(CommitRequest{Add: []*KeyPackage{c.keyPackage(KeyPackageOptions{})}, PSKs: [][]byte{[]byte("psk")}})
	c.join(p.Welcome())
	everybody(t, p, b, a, c)

	if _, err := a.group.Commit(CommitRequest{PSKs: [][]byte{[]byte("other")}}); !errors.Is(err, ErrNoPSK) {
		t.Errorf("unknown PSK: %v", err)
	}
	p = a.commit(CommitRequest{PSKs: [][]byte{[]byte("psk")}})
	b.group.opts.PSK = func([]byte) ([]byte, bool) { return []byte("different"), true }
	if _, err := b.group.Process(p.Commit()); !errors.Is(err, ErrConfirmation) {
		t.Errorf("different PSK: %v", err)
	}
	c.group.opts.PSK = nil
	if _, err := c.group.Process(p.Commit()); !errors.Is(err, ErrNoPSK) {
		t.Errorf("missing PSK: %v", err)
	}
}

func TestExternalCommit(t *testing.T) {
	eachSuite(t, func(t *testing.T, id Suite) {
		all := newGroup(t, id, GroupOptions{}, "a", "b")
		a, b, c := all[0], all[1], newClient(t, id, "c")
		info := func(c *client) []byte {
			t.Helper()
			info, err := c.group.GroupInfo()
			if err != nil {
				t.Fatal(err)
			}
			return info
		}
		hub, err := view.Open(info(a), nil)
		if err != nil {
			t.Fatal(err)
		}
		p, err := JoinExternal(info(a), c.identity, c.signer, ExternalRequest{}, GroupOptions{})
		if err != nil {
			t.Fatal(err)
		}
		change, hub, err := hub.Commit(p.Commit(), p.GroupInfo())
		if err != nil || !change.External || string(change.Committer) != "c" {
			t.Fatalf("hub: %+v, %v", change, err)
		}
		if got := b.process(p.Commit()); !got.External || len(got.Added) != 1 || string(got.Added[0].Identity) != "c" {
			t.Errorf("change %+v", got)
		}
		everybody(t, p, c, a)
		everybody(t, c.commit(CommitRequest{}), c, a, b)

		// b lost its state and comes back.
		p, err = JoinExternal(info(a), b.identity, b.signer, ExternalRequest{Resync: true}, GroupOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := hub.Commit(p.Commit(), p.GroupInfo()); err == nil {
			t.Error("hub, an epoch behind, accepted a commit")
		}
		if got := b.process(p.Commit()); !got.SelfRemoved {
			t.Errorf("old appearance isn't removed: %+v", got)
		}
		everybody(t, p, b, a, c)
		if got := len(a.group.Members()); got != 3 {
			t.Errorf("%d members after resync, want 3", got)
		}
		// Without Resync the key would be in the tree twice.
		if _, err := JoinExternal(info(a), b.identity, b.signer, ExternalRequest{}, GroupOptions{}); err == nil {
			t.Error("joined with a key that is in the tree")
		}
	})
}

func TestExternalProposals(t *testing.T) {
	s, err := suite.Of(Classic)
	if err != nil {
		t.Fatal(err)
	}
	outside, err := s.GenerateSigner()
	if err != nil {
		t.Fatal(err)
	}
	key, err := s.SignatureKey(outside)
	if err != nil {
		t.Fatal(err)
	}
	senders := framing.EncodeExternalSenders([]framing.ExternalSender{
		{SignatureKey: bytes.Repeat([]byte{1}, 32), Credential: tree.Basic([]byte("other"))},
		{SignatureKey: key, Credential: tree.Basic([]byte("admin"))},
	})
	all := newGroup(t, Classic, GroupOptions{Extensions: Extensions{{Type: tree.ExtExternalSenders, Data: senders}}}, "a", "b", "c")
	a, b, c := all[0], all[1], all[2]
	info, err := a.group.GroupInfo()
	if err != nil {
		t.Fatal(err)
	}
	at := c.group.Own()
	if m, err := ProposeExternal(info, 0, ProposalRequest{Remove: &at}, outside); err != nil {
		t.Fatal(err)
	} else if _, err := a.group.Process(m); !errors.Is(err, ErrSignature) {
		t.Errorf("forged external sender: %v", err)
	}
	if m, err := ProposeExternal(info, 7, ProposalRequest{Remove: &at}, outside); err != nil {
		t.Fatal(err)
	} else if _, err := a.group.Process(m); err == nil {
		t.Error("external sender out of range")
	}
	remove, err := ProposeExternal(info, 1, ProposalRequest{Remove: &at}, outside)
	if err != nil {
		t.Fatal(err)
	}
	d := newClient(t, Classic, "d")
	add, err := ProposeAdd(info, d.keyPackage(KeyPackageOptions{}), d.signer)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range all {
		x.process(remove)
		x.process(add)
	}
	p := b.commit(CommitRequest{})
	if got := c.process(p.Commit()); !got.SelfRemoved {
		t.Error("external remove didn't remove")
	}
	d.join(p.Welcome())
	everybody(t, p, b, a, d)
}

func TestReInit(t *testing.T) {
	all := newGroup(t, Classic, GroupOptions{}, "a", "b", "c")
	a, b, c := all[0], all[1], all[2]
	p := a.commit(CommitRequest{ReInit: &ReInit{GroupID: []byte("next"), Suite: Hybrid}})
	for _, x := range []*client{b, c} {
		if got := x.process(p.Commit()); got.ReInit == nil || got.ReInit.Suite != Hybrid {
			t.Errorf("change %+v", got)
		}
		x.reload()
	}
	a.group = p.Group()
	agree(t, all...)
	if _, err := b.group.Commit(CommitRequest{}); !errors.Is(err, ErrReInit) {
		t.Errorf("commit after reinit: %v", err)
	}
	for _, x := range all {
		x.suite = Hybrid
	}
	// Somebody else than the committer continues.
	if _, err := b.group.Reinitialize(b.signer, []*KeyPackage{a.keyPackage(KeyPackageOptions{})}, GroupOptions{}); err == nil {
		t.Error("reinitialized without one of the members")
	}
	p, err := b.group.Reinitialize(b.signer, []*KeyPackage{a.keyPackage(KeyPackageOptions{}), c.keyPackage(KeyPackageOptions{})}, GroupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	lookup := func(ref []byte) (*KeyPackageSecrets, bool) { s, ok := a.secrets[string(ref)]; return s, ok }
	if _, err := Join(p.Welcome(), lookup, a.signer, GroupOptions{}); err == nil {
		t.Error("joined a linked group without its parent")
	}
	b.group = p.Group()
	for _, x := range []*client{a, c} {
		x.opts.Parent = x.group
		x.join(p.Welcome())
	}
	agree(t, all...)
	everybody(t, c.commit(CommitRequest{}), c, a, b)
}

func TestBranch(t *testing.T) {
	all := newGroup(t, Classic, GroupOptions{}, "a", "b", "c")
	a, b := all[0], all[1]
	p, err := a.group.Branch([]byte("side"), []*KeyPackage{b.keyPackage(KeyPackageOptions{})}, GroupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stranger := newClient(t, Classic, "x")
	if _, err := a.group.Branch([]byte("side2"), []*KeyPackage{stranger.keyPackage(KeyPackageOptions{})}, GroupOptions{}); err == nil {
		t.Error("branched with a stranger")
	}
	side := &client{t: t, identity: b.identity, signer: b.signer, secrets: b.secrets, opts: GroupOptions{Parent: b.group}}
	side.join(p.Welcome())
	agree(t, side, &client{identity: a.identity, group: p.Group()})
	everybody(t, b.commit(CommitRequest{}), b, a, all[2])
}

func TestGroupContextExtensions(t *testing.T) {
	const own = 0xF0F0
	all := newGroup(t, Classic, GroupOptions{}, "a", "b")
	a, b := all[0], all[1]
	required := tree.RequiredCapabilities{Credentials: []uint16{tree.CredentialBasic}}
	p := a.commit(CommitRequest{Extensions: &Extensions{{Type: tree.ExtRequiredCapabilities, Data: required.Encode()}}})
	if got := b.process(p.Commit()); !got.ExtensionsChanged {
		t.Errorf("change %+v", got)
	}
	a.group = p.Group()
	agree(t, a, b)
	required.Extensions = []uint16{own}
	if _, err := a.group.Commit(CommitRequest{Extensions: &Extensions{{Type: tree.ExtRequiredCapabilities, Data: required.Encode()}}}); err == nil {
		t.Error("required a capability that nobody has")
	}
	if _, err := a.group.Commit(CommitRequest{Extensions: &Extensions{{Type: own}}}); err == nil {
		t.Error("extension that nobody supports")
	}
	if _, err := a.group.Commit(CommitRequest{Extensions: &Extensions{{Type: tree.ExtRequiredCapabilities, Data: []byte{1}}}}); err == nil {
		t.Error("malformed required_capabilities")
	}
	// With support from the start it works.
	c := newClient(t, Classic, "c")
	c.opts = GroupOptions{Capabilities: []uint16{own}, Extensions: Extensions{{Type: own, Data: []byte("x")}}}
	c.create("other")
	d := newClient(t, Classic, "d")
	if _, err := c.group.Commit(CommitRequest{Add: []*KeyPackage{d.keyPackage(KeyPackageOptions{})}}); err == nil {
		t.Error("added a member that doesn't support the group's extension")
	}
	p = c.commit(CommitRequest{Add: []*KeyPackage{d.keyPackage(KeyPackageOptions{Capabilities: []uint16{own}})}})
	d.join(p.Welcome())
	agree(t, d, &client{identity: c.identity, group: p.Group()})
}

func TestPrivateMessages(t *testing.T) {
	eachSuite(t, func(t *testing.T, id Suite) {
		all := newGroup(t, id, GroupOptions{}, "a", "b", "c")
		a, b, c := all[0], all[1], all[2]
		say := func(who *client, text string) []byte {
			t.Helper()
			m, err := who.group.Encrypt([]byte(text), []byte("ad"), 13)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		hear := func(who *client, m []byte, want string) {
			t.Helper()
			got, err := who.group.Decrypt(m)
			if err != nil {
				t.Fatalf("%s: %v", who.identity, err)
			}
			if string(got.Data) != want || string(got.AuthenticatedData) != "ad" {
				t.Errorf("heard %q with %q, want %q", got.Data, got.AuthenticatedData, want)
			}
		}
		var sent [][]byte
		for _, text := range []string{"0", "1", "2", "3"} {
			sent = append(sent, say(a, text))
		}
		hear(b, sent[2], "2")
		hear(b, sent[0], "0")
		b.reload()
		hear(b, sent[1], "1")
		if _, err := b.group.Decrypt(sent[1]); err == nil {
			t.Error("replayed message was decrypted")
		}
		if _, err := a.group.Decrypt(sent[1]); !errors.Is(err, ErrOwnMessage) {
			t.Errorf("own message: %v", err)
		}
		forged := bytes.Clone(sent[3])
		forged[len(forged)-1] ^= 1
		if _, err := b.group.Decrypt(forged); err == nil {
			t.Error("forged message was decrypted")
		}
		everybody(t, c.commit(CommitRequest{}), c, a, b)
		hear(b, sent[3], "3") // late, but its epoch is kept
		everybody(t, a.commit(CommitRequest{}), a, b, c)
		c.reload()
		hear(c, sent[0], "0")
		everybody(t, b.commit(CommitRequest{}), b, a, c)
		var wrong *EpochError
		if _, err := c.group.Decrypt(sent[1]); !errors.As(err, &wrong) {
			t.Errorf("message of a forgotten epoch: %v", err)
		}
		hear(c, say(b, "now"), "now")
	})
}

// TestRatchetRecords stores a group as a device does: the group by epoch, the ratchets by
// message.
func TestRatchetRecords(t *testing.T) {
	all := newGroup(t, Classic, GroupOptions{}, "a", "b", "c", "d", "e")
	a, b := all[0], all[1]
	type key struct {
		epoch uint64
		key   [5]byte
	}
	stored := make(map[key][]byte)
	var group []byte
	save := func(epochToo bool) {
		t.Helper()
		for _, r := range b.group.RatchetChanges() {
			if r.Value == nil {
				delete(stored, key{r.Epoch, r.Key})
			} else {
				stored[key{r.Epoch, r.Key}] = r.Value
			}
		}
		if !epochToo {
			return
		}
		var err error
		if group, err = b.group.MarshalGroup(); err != nil {
			t.Fatal(err)
		}
		for k := range stored {
			if !b.group.KeepsEpoch(k.epoch) {
				delete(stored, k)
			}
		}
	}
	load := func() {
		t.Helper()
		var records []RatchetRecord
		for k, v := range stored {
			records = append(records, RatchetRecord{Epoch: k.epoch, Key: k.key, Value: v})
		}
		g, err := UnmarshalGroup(group, records, b.signer, b.opts)
		if err != nil {
			t.Fatal(err)
		}
		b.group = g
	}
	save(true)
	for i := range 12 {
		m, err := a.group.Encrypt([]byte{byte(i)}, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		load()
		got, err := b.group.Decrypt(m)
		if err != nil {
			t.Fatal(err)
		}
		if got.Data[0] != byte(i) {
			t.Errorf("got %d, want %d", got.Data[0], i)
		}
		changes := 0
		for _, r := range b.group.Ratchets() {
			if old, ok := stored[key{r.Epoch, r.Key}]; !ok || !bytes.Equal(old, r.Value) {
				changes += len(r.Value) + 13
			}
		}
		if changes > 1024 {
			t.Errorf("message %d changes %d stored bytes", i, changes)
		}
		save(false)
		load()
		if _, err := b.group.Decrypt(m); err == nil {
			t.Error("stored ratchets decrypt a message twice")
		}
		if i%4 == 3 {
			p := a.commit(CommitRequest{})
			for _, c := range all[1:] {
				c.process(p.Commit())
			}
			a.group = p.Group()
			save(true)
		}
	}
}

func TestLifetimes(t *testing.T) {
	now := time.Now()
	a := newClient(t, Classic, "a")
	a.create("g")
	for _, tt := range []struct {
		name string
		o    KeyPackageOptions
		ok   bool
	}{
		{"current", KeyPackageOptions{}, true},
		{"expired", KeyPackageOptions{NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(-24 * time.Hour)}, false},
		{"not yet", KeyPackageOptions{NotBefore: now.Add(24 * time.Hour), NotAfter: now.Add(48 * time.Hour)}, false},
		{"too long", KeyPackageOptions{Lifetime: 2 * DefaultMaxLifetime}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newClient(t, Classic, "b")
			kp, _, err := NewKeyPackage(Classic, b.identity, b.signer, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if err := kp.Verify(now, nil); (err == nil) != tt.ok {
				t.Errorf("verify: %v", err)
			}
			if _, err := a.group.Commit(CommitRequest{Add: []*KeyPackage{kp}}); (err == nil) != tt.ok {
				t.Errorf("commit: %v", err)
			}
		})
	}
}

func TestTreeBesideWelcome(t *testing.T) {
	a, b := newClient(t, Classic, "a"), newClient(t, Classic, "b")
	a.create("g")
	p := a.commit(CommitRequest{Add: []*KeyPackage{b.keyPackage(KeyPackageOptions{})}, OmitTree: true})
	a.group = p.Group()
	lookup := func(ref []byte) (*KeyPackageSecrets, bool) { s, ok := b.secrets[string(ref)]; return s, ok }
	if _, err := Join(p.Welcome(), lookup, b.signer, GroupOptions{}); err == nil {
		t.Error("joined without a tree")
	}
	b.opts.Tree = a.group.Tree()
	b.join(p.Welcome())
	agree(t, a, b)
}

func TestWelcomes(t *testing.T) {
	a := newClient(t, Classic, "a")
	a.create("g")
	all := []*client{newClient(t, Classic, "b"), newClient(t, Classic, "c")}
	byRef := make(map[string]*client)
	var req CommitRequest
	for _, c := range all {
		kp := c.keyPackage(KeyPackageOptions{})
		byRef[string(kp.Ref())] = c
		req.Add = append(req.Add, kp)
	}
	p := a.commit(req)
	a.group = p.Group()
	for ref, welcome := range p.Welcomes {
		c := byRef[string(ref)]
		c.join(welcome)
		delete(byRef, string(ref))
		for _, other := range all {
			if other == c {
				continue
			}
			lookup := func(ref []byte) (*KeyPackageSecrets, bool) { s, ok := other.secrets[string(ref)]; return s, ok }
			if _, err := Join(welcome, lookup, other.signer, GroupOptions{}); !errors.Is(err, ErrNoSecrets) {
				t.Errorf("%s joins by the welcome of %s: %v", other.identity, c.identity, err)
			}
		}
	}
	if len(byRef) > 0 {
		t.Errorf("%d members have no welcome", len(byRef))
	}
	agree(t, append(all, a)...)
}
