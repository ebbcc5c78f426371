package mls

import (
	"bytes"
	"testing"

	"causa/crypto/mls/framing"
	"causa/crypto/mls/schedule"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
	"causa/crypto/mls/tree"
)

func equal(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s = %x, want %x", what, got, want)
	}
}

func TestVectorsTreeMath(t *testing.T) {
	type vector struct {
		NLeaves uint32            `json:"n_leaves"`
		NNodes  uint32            `json:"n_nodes"`
		Root    tree.NodeIndex    `json:"root"`
		Left    []*tree.NodeIndex `json:"left"`
		Right   []*tree.NodeIndex `json:"right"`
		Parent  []*tree.NodeIndex `json:"parent"`
		Sibling []*tree.NodeIndex `json:"sibling"`
	}
	all := loadVectors[vector](t, "tree-math.json")
	for _, v := range all {
		if got := tree.Root(v.NLeaves); got != v.Root || v.NNodes != 2*v.NLeaves-1 {
			t.Errorf("root of %d leaves = %d, want %d", v.NLeaves, got, v.Root)
		}
		for i := range tree.NodeIndex(v.NNodes) {
			check := func(what string, want *tree.NodeIndex, defined bool, f func() tree.NodeIndex) {
				if (want != nil) != defined {
					t.Errorf("%s of %d in %d leaves: defined %v", what, i, v.NLeaves, defined)
				} else if defined && f() != *want {
					t.Errorf("%s of %d = %d, want %d", what, i, f(), *want)
				}
			}
			check("left", v.Left[i], !i.IsLeaf(), i.Left)
			check("right", v.Right[i], !i.IsLeaf(), i.Right)
			check("parent", v.Parent[i], i != v.Root, i.Parent)
			check("sibling", v.Sibling[i], i != v.Root, i.Sibling)
		}
	}
	t.Logf("tree-math.json: %d entries ran", len(all))
}

func TestVectorsDeserialization(t *testing.T) {
	type vector struct {
		Header hexBytes `json:"vlbytes_header"`
		Length int      `json:"length"`
	}
	all := loadVectors[vector](t, "deserialization.json")
	for _, v := range all {
		r := syntax.NewReader(v.Header)
		if got := r.Varint(); got != v.Length || r.Done() != nil {
			t.Errorf("header %x = %d (%v), want %d", []byte(v.Header), got, r.Err(), v.Length)
		}
		equal(t, "header", syntax.AppendVarint(nil, v.Length), v.Header)
	}
	t.Logf("deserialization.json: %d entries ran", len(all))
}

func TestVectorsCryptoBasics(t *testing.T) {
	type vector struct {
		Suite   suite.ID `json:"cipher_suite"`
		RefHash struct {
			Label      string
			Value, Out hexBytes
		} `json:"ref_hash"`
		ExpandWithLabel struct {
			Secret, Context, Out hexBytes
			Label                string
			Length               int
		} `json:"expand_with_label"`
		DeriveSecret struct {
			Secret, Out hexBytes
			Label       string
		} `json:"derive_secret"`
		DeriveTreeSecret struct {
			Secret, Out hexBytes
			Label       string
			Generation  uint32
			Length      int
		} `json:"derive_tree_secret"`
		SignWithLabel struct {
			Priv, Pub, Content, Signature hexBytes
			Label                         string
		} `json:"sign_with_label"`
		EncryptWithLabel struct {
			Priv, Pub, Context, Plaintext, Ciphertext hexBytes
			KEMOutput                                 hexBytes `json:"kem_output"`
			Label                                     string
		} `json:"encrypt_with_label"`
	}
	eachVector(t, "crypto-basics.json", func(v *vector) suite.ID { return v.Suite }, func(t *testing.T, s *suite.Suite, v *vector) {
		equal(t, "RefHash", s.RefHash(v.RefHash.Label, v.RefHash.Value), v.RefHash.Out)
		x := v.ExpandWithLabel
		equal(t, "ExpandWithLabel", s.ExpandWithLabel(x.Secret, x.Label, x.Context, x.Length), x.Out)
		equal(t, "DeriveSecret", s.DeriveSecret(v.DeriveSecret.Secret, v.DeriveSecret.Label), v.DeriveSecret.Out)
		d := v.DeriveTreeSecret
		equal(t, "DeriveTreeSecret", s.DeriveTreeSecret(d.Secret, d.Label, d.Generation, d.Length), d.Out)

		g := v.SignWithLabel
		if err := s.VerifyWithLabel(g.Pub, g.Label, g.Content, g.Signature); err != nil {
			t.Errorf("verify: %v", err)
		}
		signer, err := s.ParseSigner(g.Priv)
		if err != nil {
			t.Fatal(err)
		}
		pub, err := s.SignatureKey(signer)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "signature key", pub, g.Pub)
		sig, err := s.SignWithLabel(signer, g.Label, g.Content)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.VerifyWithLabel(g.Pub, g.Label, g.Content, sig); err != nil {
			t.Errorf("verify own: %v", err)
		}

		e := v.EncryptWithLabel
		priv, err := s.ParsePrivateKey(e.Priv)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "public key", priv.Public(), e.Pub)
		plain, err := s.DecryptWithLabel(priv, e.Label, e.Context, suite.Ciphertext{KEMOutput: e.KEMOutput, Ciphertext: e.Ciphertext})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "decrypted", plain, e.Plaintext)
		c, err := s.EncryptWithLabel(e.Pub, e.Label, e.Context, e.Plaintext)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err = s.DecryptWithLabel(priv, e.Label, e.Context, c); err != nil {
			t.Fatal(err)
		}
		equal(t, "own decrypted", plain, e.Plaintext)
	})
}

func TestVectorsKeySchedule(t *testing.T) {
	type epoch struct {
		CommitSecret hexBytes `json:"commit_secret"`
		PSKSecret    hexBytes `json:"psk_secret"`
		Confirmed    hexBytes `json:"confirmed_transcript_hash"`
		TreeHash     hexBytes `json:"tree_hash"`

		GroupContext  hexBytes `json:"group_context"`
		Joiner        hexBytes `json:"joiner_secret"`
		Welcome       hexBytes `json:"welcome_secret"`
		Init          hexBytes `json:"init_secret"`
		SenderData    hexBytes `json:"sender_data_secret"`
		Encryption    hexBytes `json:"encryption_secret"`
		Exporter      hexBytes `json:"exporter_secret"`
		Authenticator hexBytes `json:"epoch_authenticator"`
		External      hexBytes `json:"external_secret"`
		Confirmation  hexBytes `json:"confirmation_key"`
		Membership    hexBytes `json:"membership_key"`
		Resumption    hexBytes `json:"resumption_psk"`
		ExternalPub   hexBytes `json:"external_pub"`
		Export        struct {
			Label           string
			Context, Secret hexBytes
			Length          int
		} `json:"exporter"`
	}
	type vector struct {
		Suite   suite.ID `json:"cipher_suite"`
		GroupID hexBytes `json:"group_id"`
		Init    hexBytes `json:"initial_init_secret"`
		Epochs  []epoch
	}
	eachVector(t, "key-schedule.json", func(v *vector) suite.ID { return v.Suite }, func(t *testing.T, s *suite.Suite, v *vector) {
		init := schedule.InitSecret{Secret: suite.Secret(v.Init)}
		for i, e := range v.Epochs {
			c := framing.GroupContext{
				Suite: v.Suite, GroupID: v.GroupID, Epoch: uint64(i),
				TreeHash: e.TreeHash, ConfirmedTranscriptHash: e.Confirmed,
			}
			context := c.Encode()
			equal(t, "group context", context, e.GroupContext)
			joiner := schedule.Joiner(s, init, schedule.CommitSecret{Secret: suite.Secret(e.CommitSecret)}, context)
			equal(t, "joiner", joiner.Secret, e.Joiner)
			mixed := schedule.Mix(s, joiner, schedule.PSKSecret{Secret: suite.Secret(e.PSKSecret)})
			equal(t, "welcome", mixed.Welcome().Secret, e.Welcome)
			got := mixed.Epoch(context)
			equal(t, "init", got.Init.Secret, e.Init)
			equal(t, "sender data", got.SenderData.Secret, e.SenderData)
			equal(t, "encryption", got.Encryption.Secret, e.Encryption)
			equal(t, "exporter", got.Exporter.Secret, e.Exporter)
			equal(t, "authenticator", got.Authenticator, e.Authenticator)
			equal(t, "external", got.External.Secret, e.External)
			equal(t, "confirmation", got.Confirmation.Secret, e.Confirmation)
			equal(t, "membership", got.Membership.Secret, e.Membership)
			equal(t, "resumption", got.Resumption.Secret, e.Resumption)
			key, err := got.ExternalKey(s)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "external_pub", key.Public(), e.ExternalPub)
			x := e.Export
			exported, err := got.Export(s, x.Label, x.Context, x.Length)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "exported", exported, x.Secret)
			init = got.Init
		}
	})
}

func TestVectorsPSKSecret(t *testing.T) {
	type vector struct {
		Suite suite.ID `json:"cipher_suite"`
		PSKs  []struct {
			ID    hexBytes `json:"psk_id"`
			PSK   hexBytes `json:"psk"`
			Nonce hexBytes `json:"psk_nonce"`
		}
		Secret hexBytes `json:"psk_secret"`
	}
	eachVector(t, "psk_secret.json", func(v *vector) suite.ID { return v.Suite }, func(t *testing.T, s *suite.Suite, v *vector) {
		var psks []schedule.PSK
		for _, p := range v.PSKs {
			psks = append(psks, schedule.PSK{
				ID:     framing.PSKID{Type: framing.PSKExternal, ID: p.ID, Nonce: p.Nonce},
				Secret: suite.Secret(p.PSK),
			})
		}
		equal(t, "psk_secret", schedule.CombinePSKs(s, psks).Secret, v.Secret)
	})
}

func TestVectorsTranscriptHashes(t *testing.T) {
	type vector struct {
		Suite           suite.ID `json:"cipher_suite"`
		ConfirmationKey hexBytes `json:"confirmation_key"`
		Content         hexBytes `json:"authenticated_content"`
		InterimBefore   hexBytes `json:"interim_transcript_hash_before"`
		ConfirmedAfter  hexBytes `json:"confirmed_transcript_hash_after"`
		InterimAfter    hexBytes `json:"interim_transcript_hash_after"`
	}
	eachVector(t, "transcript-hashes.json", func(v *vector) suite.ID { return v.Suite }, func(t *testing.T, s *suite.Suite, v *vector) {
		r := syntax.NewReader(v.Content)
		a := framing.DecodeUnverified(r).Trust()
		if err := r.Done(); err != nil {
			t.Fatal(err)
		}
		confirmed := a.ConfirmedTranscriptHash(s, v.InterimBefore)
		equal(t, "confirmed", confirmed, v.ConfirmedAfter)
		equal(t, "interim", framing.InterimTranscriptHash(s, confirmed, a.Auth.ConfirmationTag), v.InterimAfter)
		e := &schedule.Epoch{Confirmation: schedule.ConfirmationKey{Secret: suite.Secret(v.ConfirmationKey)}}
		if err := e.CheckConfirmation(s, confirmed, a.Auth.ConfirmationTag); err != nil {
			t.Error(err)
		}
	})
}

func TestVectorsSecretTree(t *testing.T) {
	type generation struct {
		Generation  uint32
		AppKey      hexBytes `json:"application_key"`
		AppNonce    hexBytes `json:"application_nonce"`
		HandKey     hexBytes `json:"handshake_key"`
		HandshNonce hexBytes `json:"handshake_nonce"`
	}
	type vector struct {
		Suite      suite.ID `json:"cipher_suite"`
		Encryption hexBytes `json:"encryption_secret"`
		SenderData struct {
			Secret     hexBytes `json:"sender_data_secret"`
			Ciphertext hexBytes
			Key, Nonce hexBytes
		} `json:"sender_data"`
		Leaves [][]generation
	}
	eachVector(t, "secret-tree.json", func(v *vector) suite.ID { return v.Suite }, func(t *testing.T, s *suite.Suite, v *vector) {
		d := schedule.SenderDataSecret{Secret: suite.Secret(v.SenderData.Secret)}
		key, nonce := d.SenderDataKey(s, v.SenderData.Ciphertext)
		equal(t, "sender data key", key, v.SenderData.Key)
		equal(t, "sender data nonce", nonce, v.SenderData.Nonce)

		e := &schedule.Epoch{Encryption: schedule.EncryptionSecret{Secret: suite.Secret(v.Encryption)}}
		st := e.SecretTree(s, uint32(len(v.Leaves)))
		for l, gens := range v.Leaves {
			for _, g := range gens {
				for _, k := range []struct {
					kind       schedule.Kind
					key, nonce hexBytes
				}{{schedule.App, g.AppKey, g.AppNonce}, {schedule.Handshake, g.HandKey, g.HandshNonce}} {
					use, err := st.At(tree.LeafIndex(l), k.kind, g.Generation)
					if err != nil {
						t.Fatal(err)
					}
					equal(t, "key", use.Key.Key, k.key)
					equal(t, "nonce", use.Nonce, k.nonce)
					use.Consume()
					if _, err := st.At(tree.LeafIndex(l), k.kind, g.Generation); err == nil {
						t.Errorf("leaf %d generation %d can be used twice", l, g.Generation)
					}
				}
			}
		}
	})
}
