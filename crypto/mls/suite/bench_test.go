package suite

import "testing"

func BenchmarkPrimitives(b *testing.B) {
	for _, id := range []ID{X25519AES128SHA256Ed25519, Hybrid} {
		s, err := Of(id)
		if err != nil {
			b.Fatal(err)
		}
		key, err := s.GenerateKey()
		if err != nil {
			b.Fatal(err)
		}
		signer, err := s.GenerateSigner()
		if err != nil {
			b.Fatal(err)
		}
		pub, err := s.SignatureKey(signer)
		if err != nil {
			b.Fatal(err)
		}
		msg := make([]byte, 200)
		sig, err := s.SignWithLabel(signer, "x", msg)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(id.String()+"/seal", func(b *testing.B) {
			e := s.Encryptor("UpdatePathNode", msg)
			for b.Loop() {
				if _, err := e.Encrypt(key.Public(), msg[:32]); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(id.String()+"/derive", func(b *testing.B) {
			for b.Loop() {
				if _, err := s.DeriveKeyPair(msg[:32]); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(id.String()+"/verify", func(b *testing.B) {
			for b.Loop() {
				if err := s.VerifyWithLabel(pub, "x", msg, sig); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(id.String()+"/expand", func(b *testing.B) {
			for b.Loop() {
				s.DeriveSecret(msg[:32], "node")
			}
		})
	}
}
