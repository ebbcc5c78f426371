package seal

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"causa/matter"
)

func device(b byte) (ed25519.PrivateKey, ed25519.PublicKey, matter.DeviceID) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, 32))
	pub := key.Public().(ed25519.PublicKey)
	return key, pub, matter.DeviceOf(pub)
}

func sealOne(t testing.TB, body string) (secret *Secret, pub ed25519.PublicKey, out []byte) {
	t.Helper()
	key, pub, id := device(1)
	secret = &Secret{7}
	h := Header{Matter: matter.ID{1}, Epoch: 9, Sender: id, Message: matter.MessageID{2}}
	out, err := Seal(secret, h, key, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return secret, pub, out
}

func TestSealOpens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOfN(rapid.Byte(), 0, 5000).Draw(t, "body")
		key, pub, id := device(1)
		h := Header{Matter: matter.NewID(), Epoch: rapid.Uint64().Draw(t, "epoch"), Sender: id, Message: matter.NewMessageID()}
		secret := &Secret{3}
		out, err := Seal(secret, h, key, body)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(out)
		if err != nil {
			t.Fatal(err)
		}
		if m.Header != h {
			t.Fatalf("header = %v, want %v", m.Header, h)
		}
		got, err := m.Open(secret, pub)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Body, body) {
			t.Fatalf("body changed")
		}
		k, err := secret.MessageKey(h)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := got.Reseal(&k); err != nil || !bytes.Equal(again, out) {
			t.Fatalf("sealed again it is not the same: %v", err)
		}
	})
}

// Every single flipped bit, wherever it lies, must be noticed.
func TestFlippedBitsAreNoticed(t *testing.T) {
	secret, pub, out := sealOne(t, "合同")
	for i := range out {
		for bit := range 8 {
			bad := bytes.Clone(out)
			bad[i] ^= 1 << bit
			m, err := Parse(bad)
			if err == nil {
				_, err = m.Open(secret, pub)
			}
			if err == nil {
				t.Fatalf("byte %d bit %d: opened", i, bit)
			}
		}
	}
	for n := range out {
		if m, err := Parse(out[:n]); err == nil {
			if _, err := m.Open(secret, pub); err == nil {
				t.Fatalf("opened when cut to %d bytes", n)
			}
		}
	}
}

// A participant knows the content secret and could encrypt as anybody; the signature
// is what stops them.
func TestParticipantCannotWriteAsAnother(t *testing.T) {
	secret, _, _ := sealOne(t, "")
	mallory, _, _ := device(6)
	_, alicePub, alice := device(1)
	h := Header{Matter: matter.ID{1}, Epoch: 9, Sender: alice, Message: matter.MessageID{5}}
	if _, err := Seal(secret, h, mallory, []byte("x")); err == nil {
		t.Error("sealed with a key that is not the sender's")
	}

	forgery := &Signed{Header: h, Body: []byte("x")}
	copy(forgery.Signature[:], ed25519.Sign(mallory, signed(h.bytes(), forgery.Body)))
	k, err := secret.MessageKey(h)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := forgery.Reseal(&k)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(forged)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Open(secret, alicePub); !errors.Is(err, ErrSignature) {
		t.Errorf("Open of a forged message: %v, want ErrSignature", err)
	}
}

func TestAnotherSecretDoesNotOpen(t *testing.T) {
	_, pub, out := sealOne(t, "x")
	m, err := Parse(out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Open(&Secret{8}, pub); !errors.Is(err, ErrKey) {
		t.Errorf("Open = %v, want ErrKey", err)
	}
}

func TestLengthIsHidden(t *testing.T) {
	_, _, short := sealOne(t, "ok")
	_, _, longer := sealOne(t, strings.Repeat("长", 40))
	if len(short) != len(longer) {
		t.Errorf("two short messages have %d and %d bytes", len(short), len(longer))
	}
	for _, n := range []int{257, 1000, 5000, 65536, 70000} {
		if p := padded(n); p < n || float64(p) > 1.12*float64(n) {
			t.Errorf("padded(%d) = %d", n, p)
		}
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	s := Secret{0xab, 0xcd}
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s", "%d"} {
		if got := fmt.Sprintf(verb, s); got != "Secret(hidden)" {
			t.Errorf("%s printed %q", verb, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	_, _, out := sealOne(f, "hello")
	f.Add(out)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		if !bytes.Equal(m.Header.bytes(), b[:headerSize]) {
			t.Fatal("header does not re-encode")
		}
		_, pub, _ := device(1)
		if _, err := m.Open(&Secret{}, pub); err == nil {
			t.Fatal("opened with a secret that made nothing")
		}
	})
}
