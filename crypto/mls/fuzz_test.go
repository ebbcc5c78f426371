package mls

import (
	"bytes"
	"errors"
	"runtime"
	"testing"

	"causa/crypto/mls/framing"
	"causa/crypto/mls/schedule"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/view"
)

// corpus returns a message of each kind, as they occur in a small group's life.
func corpus(f *testing.F) (messages [][]byte, a, b *client) {
	f.Helper()
	all := newGroup(f, Classic, GroupOptions{PSK: func([]byte) ([]byte, bool) { return []byte("k"), true }}, "a", "b", "c")
	a, b = all[0], all[1]
	x := newClient(f, Classic, "x")
	kp := x.keyPackage(KeyPackageOptions{LastResort: true})
	info, err := a.group.GroupInfo()
	if err != nil {
		f.Fatal(err)
	}
	external, err := JoinExternal(info, x.identity, x.signer, ExternalRequest{}, GroupOptions{})
	if err != nil {
		f.Fatal(err)
	}
	said, err := a.group.Encrypt([]byte("hello"), []byte("ad"), 3)
	if err != nil {
		f.Fatal(err)
	}
	last := all[2].group.Own()
	p := a.commit(CommitRequest{Add: []*KeyPackage{kp}, PSKs: [][]byte{[]byte("p")}, Remove: []LeafIndex{last}})
	messages = [][]byte{
		p.Commit(), p.Welcome(), p.GroupInfo(), kp.Bytes(), external.Commit(), said,
		a.commit(CommitRequest{Private: true}).Commit(),
		a.commit(CommitRequest{ReInit: &ReInit{GroupID: []byte("n"), Suite: Hybrid}}).Commit(),
		a.propose(ProposalRequest{Update: true}), a.propose(ProposalRequest{PSK: []byte("p")}),
	}
	return messages, a, b
}

// FuzzParse: what the reader of messages accepts, it writes again in the same way, and it
// doesn't allocate more than a multiple of what it was sent.
func FuzzParse(f *testing.F) {
	messages, _, _ := corpus(f)
	for _, m := range messages {
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := framing.Parse(b)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > uint64(200*len(b)+1<<16) {
			t.Errorf("%d bytes allocated for a message of %d", got, len(b))
		}
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("error %v doesn't wrap ErrMalformed", err)
			}
			return
		}
		if got := m.Encode(); !bytes.Equal(got, b) {
			t.Errorf("re-encoded %x, want %x", got, b)
		}
	})
}

// FuzzProcess: no message brings a member or the hub down, or changes a group by being
// refused.
func FuzzProcess(f *testing.F) {
	messages, a, b := corpus(f)
	for _, m := range messages {
		f.Add(m)
	}
	info, err := a.group.GroupInfo()
	if err != nil {
		f.Fatal(err)
	}
	hub, err := view.Open(info, nil)
	if err != nil {
		f.Fatal(err)
	}
	state, err := b.group.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, m []byte) {
		g, err := Unmarshal(state, b.signer, b.opts)
		if err != nil {
			t.Fatal(err)
		}
		epoch := g.Epoch()
		if _, err := g.Process(m); err != nil && g.Epoch() != epoch {
			t.Error("a refused message changes the epoch")
		}
		if _, _, err := hub.Commit(m, info); err == nil {
			t.Error("hub took a commit with an old group info")
		}
		_, _, _ = hub.Proposal(m)                                                                       // must only not panic
		_, _ = view.Open(m, nil)                                                                        // likewise
		_, _ = g.Decrypt(m)                                                                             // likewise
		_, _ = Join(m, func([]byte) (*KeyPackageSecrets, bool) { return nil, false }, b.signer, b.opts) // likewise
		_, _ = JoinExternal(m, b.identity, b.signer, ExternalRequest{}, b.opts)                         // likewise
		if kp, err := ParseKeyPackage(m); err == nil {
			_ = kp.Verify(kp.Expires(), nil)
		}
	})
}

// FuzzStored: damaged storage is refused or harmless.
func FuzzStored(f *testing.F) {
	_, a, b := corpus(f)
	for _, c := range []*client{a, b} {
		state, err := c.group.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(state)
	}
	p, err := b.commit(CommitRequest{}).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p)
	f.Add(b.secrets[string(firstKey(b.secrets))].Marshal())
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, c := range []*client{a, b} {
			if g, err := Unmarshal(data, c.signer, GroupOptions{}); err == nil {
				again, err := g.Marshal()
				if err != nil {
					t.Fatal(err)
				}
				if _, err := Unmarshal(again, c.signer, GroupOptions{}); err != nil {
					t.Errorf("stored again, it doesn't open: %v", err)
				}
				_, _ = g.Commit(CommitRequest{}) // must only not panic
			}
			_, _ = UnmarshalPending(data, c.signer, GroupOptions{}) // likewise
		}
		_, _ = UnmarshalKeyPackageSecrets(data) // likewise
		_, _ = view.Unmarshal(data, nil)        // likewise
	})
}

func firstKey(m map[string]*KeyPackageSecrets) (out string) {
	for k := range m {
		return k
	}
	return out
}

// FuzzGroupSecrets covers what is decrypted from a Welcome.
func FuzzGroupSecrets(f *testing.F) {
	g := schedule.GroupSecrets{
		Joiner: schedule.JoinerSecret{Secret: suite.RandomSecret(32)}, PathSecret: suite.RandomSecret(32),
		PSKs: []framing.PSKID{{Type: framing.PSKExternal, ID: []byte("x")}, {Type: framing.PSKResumption, Usage: 1}},
	}
	f.Add(g.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if g, err := schedule.DecodeGroupSecrets(b); err == nil {
			if got := g.Append(nil); !bytes.Equal(got, b) {
				t.Errorf("re-encoded %x, want %x", got, b)
			}
		}
		_, _ = framing.DecodeSenderData(b) // must only not panic
	})
}
