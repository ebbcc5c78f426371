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

func TestVectorsMessages(t *testing.T) {
	type vector map[string]hexBytes
	message := func(format framing.WireFormat) func(b []byte) ([]byte, error) {
		return func(b []byte) ([]byte, error) {
			m, err := framing.Parse(b)
			if err != nil {
				return nil, err
			}
			if m.Format != format {
				return nil, syntax.ErrMalformed
			}
			return m.Encode(), nil
		}
	}
	body := func(typ framing.ProposalType) func(b []byte) ([]byte, error) {
		return func(b []byte) ([]byte, error) {
			var p framing.Proposal
			r := syntax.NewReader(append(syntax.AppendUint16(nil, uint16(typ)), b...))
			p.Decode(r)
			if err := r.Done(); err != nil {
				return nil, err
			}
			return p.Append(nil)[2:], nil
		}
	}
	codecs := map[string]func(b []byte) ([]byte, error){
		"mls_welcome":     message(framing.FormatWelcome),
		"mls_group_info":  message(framing.FormatGroupInfo),
		"mls_key_package": message(framing.FormatKeyPackage),
		"ratchet_tree": func(b []byte) ([]byte, error) {
			s, err := suite.Of(1)
			if err != nil {
				return nil, err
			}
			r, err := tree.Decode(s, b)
			if err != nil {
				return nil, err
			}
			return r.Trust().Encode(), nil
		},
		"group_secrets": func(b []byte) ([]byte, error) {
			g, err := schedule.DecodeGroupSecrets(b)
			if err != nil {
				return nil, err
			}
			return g.Append(nil), nil
		},
		"add_proposal":                      body(framing.ProposalAdd),
		"update_proposal":                   body(framing.ProposalUpdate),
		"remove_proposal":                   body(framing.ProposalRemove),
		"pre_shared_key_proposal":           body(framing.ProposalPSK),
		"re_init_proposal":                  body(framing.ProposalReInit),
		"external_init_proposal":            body(framing.ProposalExternalInit),
		"group_context_extensions_proposal": body(framing.ProposalGroupContextExtensions),
		"commit": func(b []byte) ([]byte, error) {
			var c framing.Commit
			r := syntax.NewReader(b)
			c.Decode(r)
			if err := r.Done(); err != nil {
				return nil, err
			}
			return c.Append(nil), nil
		},
		"public_message_application": message(framing.FormatPublic),
		"public_message_proposal":    message(framing.FormatPublic),
		"public_message_commit":      message(framing.FormatPublic),
		"private_message":            message(framing.FormatPrivate),
	}
	all := loadVectors[vector](t, "messages.json")
	for i, v := range all {
		for name, b := range v {
			codec, ok := codecs[name]
			if !ok {
				t.Fatalf("entry %d: no decoder for %s", i, name)
			}
			got, err := codec(b)
			if err != nil {
				t.Errorf("entry %d: %s: %v", i, name, err)
			} else if !bytes.Equal(got, b) {
				t.Errorf("entry %d: %s changes when it is re-encoded", i, name)
			}
		}
	}
	t.Logf("messages.json: %d entries ran", len(all))
}

func TestVectorsMessageProtection(t *testing.T) {
	type vector struct {
		Suite      suite.ID `json:"cipher_suite"`
		GroupID    hexBytes `json:"group_id"`
		Epoch      uint64   `json:"epoch"`
		TreeHash   hexBytes `json:"tree_hash"`
		Confirmed  hexBytes `json:"confirmed_transcript_hash"`
		SigPriv    hexBytes `json:"signature_priv"`
		SigPub     hexBytes `json:"signature_pub"`
		Encryption hexBytes `json:"encryption_secret"`
		SenderData hexBytes `json:"sender_data_secret"`
		Membership hexBytes `json:"membership_key"`

		Proposal     hexBytes `json:"proposal"`
		ProposalPriv hexBytes `json:"proposal_priv"`
		ProposalPub  hexBytes `json:"proposal_pub"`
		Commit       hexBytes `json:"commit"`
		CommitPriv   hexBytes `json:"commit_priv"`
		CommitPub    hexBytes `json:"commit_pub"`
		App          hexBytes `json:"application"`
		AppPriv      hexBytes `json:"application_priv"`
	}
	eachVector(t, "message-protection.json", func(v *vector) suite.ID { return v.Suite }, func(t *testing.T, s *suite.Suite, v *vector) {
		c := framing.GroupContext{Suite: v.Suite, GroupID: v.GroupID, Epoch: v.Epoch, TreeHash: v.TreeHash, ConfirmedTranscriptHash: v.Confirmed}
		context := c.Encode()
		sender := schedule.SenderDataSecret{Secret: suite.Secret(v.SenderData)}
		secrets := func() *schedule.SecretTree {
			e := &schedule.Epoch{Encryption: schedule.EncryptionSecret{Secret: bytes.Clone(v.Encryption)}}
			return e.SecretTree(s, 2)
		}
		body := func(a *framing.Authentic) []byte {
			switch b := a.AppendPrivate(nil); a.Content.Type {
			case framing.ContentApplication:
				return a.Content.Application
			default:
				return b[:len(b)-len(authBytes(a))]
			}
		}
		checkPublic := func(b, want []byte) *framing.Authentic {
			t.Helper()
			m, err := framing.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Public.CheckMembership(s, v.Membership, context); err != nil {
				t.Error(err)
			}
			a, err := m.Public.Verify(s, v.SigPub, context)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "public content", body(a), want)
			return a
		}
		checkPrivate := func(b, want []byte) *framing.Authentic {
			t.Helper()
			m, err := framing.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			data, err := openSenderData(s, m.Private, sender)
			if err != nil {
				t.Fatal(err)
			}
			use, err := secrets().At(data.Leaf, kindOf(m.Private.Type), data.Generation)
			if err != nil {
				t.Fatal(err)
			}
			u, err := openContent(s, m.Private, data, use.Key)
			if err != nil {
				t.Fatal(err)
			}
			a, err := u.Verify(s, v.SigPub, context)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "private content", body(a), want)
			return a
		}
		signer, err := s.ParseSigner(v.SigPriv)
		if err != nil {
			t.Fatal(err)
		}
		again := func(a *framing.Authentic, format framing.WireFormat) *framing.Authentic {
			t.Helper()
			tag := a.Auth.ConfirmationTag
			a, err := framing.Sign(s, signer, format, a.Content, context)
			if err != nil {
				t.Fatal(err)
			}
			a.Auth.ConfirmationTag = tag
			return a
		}
		protectAgain := func(a *framing.Authentic) []byte {
			t.Helper()
			a = again(a, framing.FormatPrivate)
			generation, key, err := secrets().Next(a.Content.Sender.Leaf(), kindOf(a.Content.Type))
			if err != nil {
				t.Fatal(err)
			}
			b, err := protect(s, a, sender, generation, key, 7)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		for _, x := range []struct{ plain, public, private hexBytes }{
			{v.Proposal, v.ProposalPub, v.ProposalPriv}, {v.Commit, v.CommitPub, v.CommitPriv},
		} {
			a := again(checkPublic(x.public, x.plain), framing.FormatPublic)
			checkPublic(framing.Public(a, a.MembershipTag(s, v.Membership, context)).Encode(), x.plain)
			checkPrivate(protectAgain(checkPrivate(x.private, x.plain)), x.plain)
		}
		checkPrivate(protectAgain(checkPrivate(v.AppPriv, v.App)), v.App)
	})
}

// authBytes is the encoding of a message's FramedContentAuthData.
func authBytes(a *framing.Authentic) []byte {
	b := syntax.AppendOpaque(nil, a.Auth.Signature)
	if a.Content.Type == framing.ContentCommit {
		b = syntax.AppendOpaque(b, a.Auth.ConfirmationTag)
	}
	return b
}

func TestVectorsWelcome(t *testing.T) {
	type vector struct {
		Suite      suite.ID `json:"cipher_suite"`
		InitPriv   hexBytes `json:"init_priv"`
		SignerPub  hexBytes `json:"signer_pub"`
		KeyPackage hexBytes `json:"key_package"`
		Welcome    hexBytes `json:"welcome"`
	}
	eachVector(t, "welcome.json", func(v *vector) suite.ID { return v.Suite }, func(t *testing.T, s *suite.Suite, v *vector) {
		kp, err := ParseKeyPackage(v.KeyPackage)
		if err != nil {
			t.Fatal(err)
		}
		m, err := framing.Parse(v.Welcome)
		if err != nil {
			t.Fatal(err)
		}
		w := m.Welcome
		priv, err := s.ParsePrivateKey(v.InitPriv)
		if err != nil {
			t.Fatal(err)
		}
		ran := false
		for _, e := range w.Secrets {
			if !bytes.Equal(e.NewMember, kp.Ref()) {
				continue
			}
			ran = true
			plain, err := s.DecryptWithLabel(priv, "Welcome", w.EncryptedGroupInfo, e.Secrets)
			if err != nil {
				t.Fatal(err)
			}
			secrets, err := schedule.DecodeGroupSecrets(plain)
			if err != nil {
				t.Fatal(err)
			}
			mixed := schedule.Mix(s, secrets.Joiner, schedule.CombinePSKs(s, nil))
			key, nonce := mixed.Welcome().WelcomeKey(s)
			raw, err := s.Open(key, nonce, nil, w.EncryptedGroupInfo)
			if err != nil {
				t.Fatal(err)
			}
			info := framing.DecodeGroupInfo(syntax.NewReader(raw))
			if err := info.VerifySignature(s, &tree.LeafNode{SignatureKey: v.SignerPub}); err != nil {
				t.Error(err)
			}
			epoch := mixed.Epoch(info.Context.Encode())
			if err := epoch.CheckConfirmation(s, info.Context.ConfirmedTranscriptHash, info.ConfirmationTag); err != nil {
				t.Error(err)
			}
		}
		if !ran {
			t.Error("key package isn't in the welcome")
		}
	})
}

type passiveVector struct {
	Suite suite.ID `json:"cipher_suite"`
	PSKs  []struct {
		ID  hexBytes `json:"psk_id"`
		PSK hexBytes `json:"psk"`
	} `json:"external_psks"`
	KeyPackage    hexBytes `json:"key_package"`
	Signature     hexBytes `json:"signature_priv"`
	Encryption    hexBytes `json:"encryption_priv"`
	Init          hexBytes `json:"init_priv"`
	Welcome       hexBytes `json:"welcome"`
	Tree          hexBytes `json:"ratchet_tree"`
	Authenticator hexBytes `json:"initial_epoch_authenticator"`
	Epochs        []struct {
		Proposals     []hexBytes `json:"proposals"`
		Commit        hexBytes   `json:"commit"`
		Authenticator hexBytes   `json:"epoch_authenticator"`
	} `json:"epochs"`
}

func runPassiveClient(t *testing.T, s *suite.Suite, v *passiveVector) {
	kp, err := ParseKeyPackage(v.KeyPackage)
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := newKeyPackageSecrets(kp.kp, v.Init, v.Encryption)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := s.ParseSigner(v.Signature)
	if err != nil {
		t.Fatal(err)
	}
	o := GroupOptions{MaxLifetime: -1, Tree: v.Tree, PSK: func(id []byte) ([]byte, bool) {
		for _, p := range v.PSKs {
			if bytes.Equal(p.ID, id) {
				return p.PSK, true
			}
		}
		return nil, false
	}}
	g, err := Join(v.Welcome, func(ref []byte) (*KeyPackageSecrets, bool) {
		return secrets, bytes.Equal(ref, kp.Ref())
	}, signer, o)
	if err != nil {
		t.Fatalf("join: %v", err)
	}
	equal(t, "epoch authenticator", g.EpochAuthenticator(), v.Authenticator)
	for i, e := range v.Epochs {
		for _, p := range e.Proposals {
			change, err := g.Process(p)
			if err != nil {
				t.Fatalf("epoch %d: proposal: %v", i, err)
			}
			if change.Proposal == nil {
				t.Fatalf("epoch %d: message isn't a proposal", i)
			}
		}
		if _, err := g.Process(e.Commit); err != nil {
			t.Fatalf("epoch %d: commit: %v", i, err)
		}
		equal(t, "epoch authenticator", g.EpochAuthenticator(), e.Authenticator)
		// The group survives being stored, which also checks its keys against the tree.
		b, err := g.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if g, err = Unmarshal(b, signer, o); err != nil {
			t.Fatalf("epoch %d: reload: %v", i, err)
		}
	}
}

func TestVectorsPassiveClient(t *testing.T) {
	for _, name := range []string{"passive-client-welcome.json", "passive-client-handling-commit.json", "passive-client-random.json"} {
		t.Run(name, func(t *testing.T) {
			eachVector(t, name, func(v *passiveVector) suite.ID { return v.Suite }, runPassiveClient)
		})
	}
}
