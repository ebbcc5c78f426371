package suite

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestSeal checks that the standard library opens what the Encryptor seals.
func TestSeal(t *testing.T) {
	for _, id := range All() {
		t.Run(id.String(), func(t *testing.T) {
			s, err := Of(id)
			if err != nil {
				t.Fatal(err)
			}
			e := s.Encryptor("label", []byte("context"))
			for range 3 {
				key, err := s.GenerateKey()
				if err != nil {
					t.Fatal(err)
				}
				c, err := e.Encrypt(key.Public(), []byte("secret"))
				if err != nil {
					t.Fatal(err)
				}
				r, err := hpke.NewRecipient(c.KEMOutput, key.key, s.kdf, s.seal, encryptContext("label", []byte("context")))
				if err != nil {
					t.Fatal(err)
				}
				got, err := r.Open(nil, c.Ciphertext)
				if err != nil || string(got) != "secret" {
					t.Errorf("opened %q, %v", got, err)
				}
				if _, err := s.DecryptWithLabel(key, "label", []byte("other"), c); err == nil {
					t.Error("opened under another context")
				}
			}
			if _, err := e.Encrypt(make([]byte, 5), nil); err == nil {
				t.Error("encrypted to a key of 5 bytes")
			}
		})
	}
}

// TestSealRFC9180 checks keys and encapsulation against RFC 9180's test vectors.
func TestSealRFC9180(t *testing.T) {
	type vector struct {
		KEM  uint16 `json:"kem_id"`
		KDF  uint16 `json:"kdf_id"`
		AEAD uint16 `json:"aead_id"`
		IkmE string `json:"ikmE"`
		IkmR string `json:"ikmR"`
		SkRm string `json:"skRm"`
		PkRm string `json:"pkRm"`
		Enc  string `json:"enc"`
		Info string `json:"info"`
	}
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	ran := 0
	for _, name := range []string{"rfc9180.json", "hpke-pq.json"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "vectors", "hpke", name))
		if err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("HPKE's test vectors are missing: %v", err)
			}
			t.Skipf("no test vectors beside the repository: %v", err)
		}
		var all []vector
		if err := json.Unmarshal(b, &all); err != nil {
			t.Fatal(err)
		}
		for _, v := range all {
			for _, s := range suites {
				if s.kem.ID() != v.KEM {
					continue
				}
				ran++
				key, err := s.DeriveKeyPair(unhex(v.IkmR))
				if s.id == Hybrid { // these vectors give the private key in place of ikmR
					key, err = s.ParsePrivateKey(unhex(v.SkRm))
				}
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(key.Public(), unhex(v.PkRm)) { // X25519 scalars differ by clamping
					t.Errorf("%s: KEM %#x: other key pair", name, v.KEM)
				}
				if s.dh == nil {
					continue
				}
				e, err := s.DeriveKeyPair(unhex(v.IkmE))
				if err != nil {
					t.Fatal(err)
				}
				ephemeral, err := s.dh.NewPrivateKey(e.Secret())
				if err != nil {
					t.Fatal(err)
				}
				checkEncapsulation(t, s, key, ephemeral, unhex(v.Enc), unhex(v.Info))
			}
		}
	}
	if ran < 24 {
		t.Errorf("only %d vectors ran", ran)
	}
	t.Logf("%d vectors ran", ran)
}

func checkEncapsulation(t *testing.T, s *Suite, key *PrivateKey, ephemeral *ecdh.PrivateKey, wantEnc, info []byte) {
	t.Helper()
	shared, enc, err := s.encapsulateDH(key.Public(), ephemeral)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(enc, wantEnc) {
		t.Errorf("enc = %x, want %x", enc, wantEnc)
	}
	e := s.Encryptor("x", info)
	aead, nonce, err := e.schedule(shared)
	if err != nil {
		t.Fatal(err)
	}
	r, err := hpke.NewRecipient(wantEnc, key.key, s.kdf, s.seal, encryptContext("x", info))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(nil, aead.Seal(nil, nonce, []byte("x"), nil)); err != nil {
		t.Error(err)
	}
}

// TestCheckPublicKey compares the quick check of hybrid keys with the parser's.
func TestCheckPublicKey(t *testing.T) {
	s, err := Of(Hybrid)
	if err != nil {
		t.Fatal(err)
	}
	key, err := s.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for i := range len(key.Public()) {
		for _, v := range []byte{0xff, 0xd0, 0x0d, 0x01} {
			b := bytes.Clone(key.Public())
			b[i] |= v
			_, err := s.kem.NewPublicKey(b)
			if got := s.CheckPublicKey(b); (got == nil) != (err == nil) {
				t.Fatalf("byte %d: got %v, the parser says %v", i, got, err)
			}
			if err != nil {
				refused++
			}
		}
	}
	if refused == 0 {
		t.Error("no bad key was made")
	}
	if s.CheckPublicKey(key.Public()[1:]) == nil {
		t.Error("short key accepted")
	}
}
