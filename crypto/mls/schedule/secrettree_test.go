package schedule

import (
	"bytes"
	"errors"
	"testing"

	"causa/crypto/mls/suite"
	"causa/crypto/mls/tree"
)

func newTree(t *testing.T, leaves uint32) (*suite.Suite, *SecretTree) {
	t.Helper()
	s, err := suite.Of(suite.X25519AES128SHA256Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	e := &Epoch{Encryption: EncryptionSecret{suite.Secret(bytes.Repeat([]byte{7}, s.HashLen()))}}
	return s, e.SecretTree(s, leaves)
}

// keyAt takes a key as a receiver of an authentic message does.
func keyAt(t *testing.T, st *SecretTree, l tree.LeafIndex, generation uint32) []byte {
	t.Helper()
	use, err := st.At(l, App, generation)
	if err != nil {
		t.Fatalf("leaf %d generation %d: %v", l, generation, err)
	}
	key := bytes.Clone(use.Key.Key)
	use.Consume()
	return key
}

func TestOutOfOrder(t *testing.T) {
	_, sender := newTree(t, 8)
	_, receiver := newTree(t, 8)
	var want [][]byte
	for range 10 {
		_, k, err := sender.Next(5, App)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, bytes.Clone(k.Key))
	}
	for _, g := range []uint32{3, 0, 9, 1, 8, 2} {
		if got := keyAt(t, receiver, 5, g); !bytes.Equal(got, want[g]) {
			t.Errorf("generation %d has another key", g)
		}
		if _, err := receiver.At(5, App, g); !errors.Is(err, ErrGenerationUsed) {
			t.Errorf("generation %d again: %v", g, err)
		}
	}
	// A forged message, whose key isn't consumed, leaves all as it was.
	for range 3 {
		if _, err := receiver.At(5, App, 500); err != nil {
			t.Fatal(err)
		}
	}
	if got := keyAt(t, receiver, 5, 7); !bytes.Equal(got, want[7]) {
		t.Error("generation 7 has another key after a forgery")
	}
}

func TestLimits(t *testing.T) {
	_, st := newTree(t, 4)
	if _, err := st.At(1, App, MaxForward+1); !errors.Is(err, ErrGenerationFar) {
		t.Errorf("too far ahead: %v", err)
	}
	keyAt(t, st, 1, MaxForward)
	if _, err := st.At(1, App, MaxForward-MaxSkipped-1); !errors.Is(err, ErrGenerationUsed) {
		t.Errorf("key older than the oldest kept: %v", err)
	}
	keyAt(t, st, 1, MaxForward-MaxSkipped)
	keyAt(t, st, 1, 2*MaxForward)
	for at, r := range st.ratchets {
		if len(r.skipped) > MaxSkipped {
			t.Errorf("%v keeps %d skipped keys", at, len(r.skipped))
		}
	}
	if _, err := st.At(4, App, 0); err == nil {
		t.Error("leaf outside the tree")
	}
	r := st.ratchets[slot{node: 2, which: 1 + uint8(App)}]
	r.next = 1<<32 - 1
	if _, _, err := st.Next(1, App); !errors.Is(err, ErrExhausted) {
		t.Errorf("last generation: %v", err)
	}
}

// TestForwardSecrecy checks that nothing is left from which a used key could be derived.
func TestForwardSecrecy(t *testing.T) {
	_, st := newTree(t, 8)
	keyAt(t, st, 3, 0)
	path := map[tree.NodeIndex]bool{6: true, 5: true, 3: true, 7: true}
	for n := range st.nodes {
		if path[n] {
			t.Errorf("secret of node %d, above leaf 3, is still there", n)
		}
	}
	if len(st.nodes) != 3 {
		t.Errorf("%d node secrets, want those of 3 siblings", len(st.nodes))
	}
	st.Wipe()
	if _, err := st.At(0, App, 0); !errors.Is(err, ErrGenerationUsed) {
		t.Errorf("wiped tree: %v", err)
	}
}

func TestRecords(t *testing.T) {
	s, st := newTree(t, 8)
	stored := make(map[[5]byte][]byte)
	for i, l := range []tree.LeafIndex{0, 7, 0, 3, 3, 7} {
		keyAt(t, st, l, uint32(2*i))
		for _, r := range st.Changes() {
			if r.Value == nil {
				delete(stored, r.Key)
			} else {
				stored[r.Key] = r.Value
			}
		}
		if len(st.Changes()) != 0 {
			t.Error("changes are told twice")
		}
		all := st.Records()
		if len(all) != len(stored) {
			t.Errorf("%d records stored, want %d", len(stored), len(all))
		}
		for _, r := range all {
			if !bytes.Equal(stored[r.Key], r.Value) {
				t.Errorf("record %x differs", r.Key)
			}
		}
		again, err := Load(s, 8, all)
		if err != nil {
			t.Fatal(err)
		}
		use, err := st.At(5, App, 4)
		if err != nil {
			t.Fatal(err)
		}
		other, err := again.At(5, App, 4)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(use.Key.Key, other.Key.Key) {
			t.Error("loaded tree gives another key")
		}
	}
	for _, bad := range []Record{
		{Key: [5]byte{3}},
		{Key: [5]byte{0, 0, 0, 0, 15}, Value: make([]byte, 32)},
		{Key: [5]byte{1, 0, 0, 0, 1}},
		{Key: [5]byte{0, 0, 0, 0, 1}, Value: []byte{1}},
		{Key: [5]byte{1, 0, 0, 0, 2}, Value: []byte{1, 2}},
	} {
		if _, err := Load(s, 8, []Record{bad}); err == nil {
			t.Errorf("record %x was loaded", bad.Key)
		}
	}
}

func TestExportLimit(t *testing.T) {
	s, _ := newTree(t, 1)
	e := FromEpochSecret(s, suite.RandomSecret(s.HashLen()))
	if b, err := e.Export(s, "l", nil, s.MaxExpand()); err != nil || len(b) != s.MaxExpand() {
		t.Errorf("longest export: %d bytes, %v", len(b), err)
	}
	for _, n := range []int{-1, s.MaxExpand() + 1} {
		if _, err := e.Export(s, "l", nil, n); err == nil {
			t.Errorf("exported %d bytes", n)
		}
	}
}
