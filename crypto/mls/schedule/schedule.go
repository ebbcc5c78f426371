// Package schedule holds the secrets of a group's epoch: the key schedule, pre-shared
// keys, exporter, secret tree and message ratchets (RFC 9420, sections 8 and 9). Each
// kind of secret is a type of its own, so that one can't be used for another.
package schedule

import (
	"errors"
	"fmt"

	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
)

// The secrets of the key schedule (section 8, table 4).
type (
	// An InitSecret carries an epoch's entropy into the next one.
	InitSecret struct{ suite.Secret }
	// A CommitSecret is what a commit's path adds; all zero without a path.
	CommitSecret struct{ suite.Secret }
	// A PSKSecret sums up the pre-shared keys of a commit; all zero without any.
	PSKSecret struct{ suite.Secret }
	// A JoinerSecret lets a new member compute the epoch's secrets.
	JoinerSecret struct{ suite.Secret }
	// A WelcomeSecret encrypts the group info in a Welcome.
	WelcomeSecret struct{ suite.Secret }
	// A SenderDataSecret encrypts who sent a private message.
	SenderDataSecret struct{ suite.Secret }
	// An EncryptionSecret is the root of the secret tree.
	EncryptionSecret struct{ suite.Secret }
	// An ExporterSecret makes the secrets given to the application.
	ExporterSecret struct{ suite.Secret }
	// An ExternalSecret makes the key pair for external commits.
	ExternalSecret struct{ suite.Secret }
	// A ConfirmationKey authenticates the transcript.
	ConfirmationKey struct{ suite.Secret }
	// A MembershipKey shows that a public message's sender is a member.
	MembershipKey struct{ suite.Secret }
	// A ResumptionPSK proves membership in this epoch later.
	ResumptionPSK struct{ suite.Secret }
)

// NoCommit returns the commit secret of a commit without a path.
func NoCommit(s *suite.Suite) CommitSecret { return CommitSecret{s.Zero()} }

// Joiner computes the joiner secret of the epoch whose encoded group context is given.
func Joiner(s *suite.Suite, init InitSecret, commit CommitSecret, context []byte) JoinerSecret {
	x := s.Extract(init.Secret, commit.Secret)
	defer x.Wipe()
	return JoinerSecret{s.ExpandWithLabel(x, "joiner", context, s.HashLen())}
}

// An Intermediate is the secret between the joiner secret and the epoch secret; the
// Welcome hangs off it because it doesn't depend on the group context.
type Intermediate struct {
	s      *suite.Suite
	secret suite.Secret
}

// Mix adds the pre-shared keys to a joiner secret.
func Mix(s *suite.Suite, joiner JoinerSecret, psk PSKSecret) *Intermediate {
	return &Intermediate{s: s, secret: s.Extract(joiner.Secret, psk.Secret)}
}

// Format hides the secret.
func (Intermediate) Format(w fmt.State, _ rune) { suite.Hide(w, "Intermediate") }

// Wipe overwrites the secret.
func (m *Intermediate) Wipe() { m.secret.Wipe() }

// Welcome returns the welcome secret.
func (m *Intermediate) Welcome() WelcomeSecret {
	return WelcomeSecret{m.s.DeriveSecret(m.secret, "welcome")}
}

// Epoch derives the secrets of the epoch whose encoded group context is given.
func (m *Intermediate) Epoch(context []byte) *Epoch {
	x := m.s.ExpandWithLabel(m.secret, "epoch", context, m.s.HashLen())
	defer x.Wipe()
	return FromEpochSecret(m.s, x)
}

// WelcomeKey returns the key and nonce that encrypt a Welcome's group info
// (section 12.4.3.1).
func (w WelcomeSecret) WelcomeKey(s *suite.Suite) (key, nonce suite.Secret) {
	return s.ExpandWithLabel(w.Secret, "key", nil, s.KeyLen()), s.ExpandWithLabel(w.Secret, "nonce", nil, s.NonceLen())
}

// An Epoch holds the secrets derived from one epoch secret.
type Epoch struct {
	Init          InitSecret
	SenderData    SenderDataSecret
	Encryption    EncryptionSecret // moved into the secret tree; see [Epoch.SecretTree]
	Exporter      ExporterSecret
	External      ExternalSecret
	Confirmation  ConfirmationKey
	Membership    MembershipKey
	Resumption    ResumptionPSK
	Authenticator []byte
}

// Format hides the secrets.
func (Epoch) Format(w fmt.State, _ rune) { suite.Hide(w, "Epoch") }

// FromEpochSecret derives an epoch's secrets. It is called directly only for a group's
// epoch 0, whose epoch secret is random (section 11).
func FromEpochSecret(s *suite.Suite, secret suite.Secret) *Epoch {
	return &Epoch{
		Init:          InitSecret{s.DeriveSecret(secret, "init")},
		SenderData:    SenderDataSecret{s.DeriveSecret(secret, "sender data")},
		Encryption:    EncryptionSecret{s.DeriveSecret(secret, "encryption")},
		Exporter:      ExporterSecret{s.DeriveSecret(secret, "exporter")},
		External:      ExternalSecret{s.DeriveSecret(secret, "external")},
		Confirmation:  ConfirmationKey{s.DeriveSecret(secret, "confirm")},
		Membership:    MembershipKey{s.DeriveSecret(secret, "membership")},
		Resumption:    ResumptionPSK{s.DeriveSecret(secret, "resumption")},
		Authenticator: s.DeriveSecret(secret, "authentication"),
	}
}

// secrets lists the stored secrets in the order of the stored form.
func (e *Epoch) secrets() []*suite.Secret {
	return []*suite.Secret{
		&e.Init.Secret, &e.SenderData.Secret, &e.Exporter.Secret, &e.External.Secret,
		&e.Confirmation.Secret, &e.Membership.Secret, &e.Resumption.Secret,
	}
}

// Wipe overwrites all secrets of the epoch.
func (e *Epoch) Wipe() {
	for _, s := range e.secrets() {
		s.Wipe()
	}
	e.Encryption.Wipe()
	clear(e.Authenticator)
}

// WipeCurrent overwrites the secrets that have no use after the epoch's end: all but
// those for late messages and for resumption.
func (e *Epoch) WipeCurrent() {
	for _, s := range []suite.Secret{e.Init.Secret, e.Exporter.Secret, e.External.Secret, e.Confirmation.Secret, e.Membership.Secret} {
		s.Wipe()
	}
}

// Append appends the stored form, which doesn't have the encryption secret: that one
// lives on in the secret tree only.
func (e *Epoch) Append(b []byte) []byte {
	for _, s := range e.secrets() {
		b = syntax.AppendOpaque(b, *s)
	}
	return syntax.AppendOpaque(b, e.Authenticator)
}

// DecodeEpoch reads the stored form.
func DecodeEpoch(r *syntax.Reader, s *suite.Suite) *Epoch {
	e := new(Epoch)
	for _, p := range e.secrets() {
		*p = append(suite.Secret(nil), r.Opaque()...)
		if r.Err() == nil && len(*p) != s.HashLen() {
			r.Fail("secret of %d bytes", len(*p))
		}
	}
	e.Authenticator = append([]byte(nil), r.Opaque()...)
	return e
}

// ExternalKey derives the key pair for external commits (section 8).
func (e *Epoch) ExternalKey(s *suite.Suite) (*suite.PrivateKey, error) {
	return s.DeriveKeyPair(e.External.Secret)
}

// ConfirmationTag confirms a transcript (section 6.1).
func (e *Epoch) ConfirmationTag(s *suite.Suite, confirmedTranscriptHash []byte) []byte {
	return s.MAC(e.Confirmation.Secret, confirmedTranscriptHash)
}

// ErrConfirmation says that a commit's or Welcome's sender computed other secrets.
var ErrConfirmation = errors.New("confirmation tag doesn't verify (section 6.1)")

// CheckConfirmation checks a confirmation tag.
func (e *Epoch) CheckConfirmation(s *suite.Suite, confirmedTranscriptHash, tag []byte) error {
	if !s.VerifyMAC(e.Confirmation.Secret, confirmedTranscriptHash, tag) {
		return ErrConfirmation
	}
	return nil
}

// Export is MLS-Exporter (section 8.5).
func (e *Epoch) Export(s *suite.Suite, label string, context []byte, n int) ([]byte, error) {
	if n < 0 || n > s.MaxExpand() {
		return nil, fmt.Errorf("export %d bytes: at most %d", n, s.MaxExpand())
	}
	x := s.DeriveSecret(e.Exporter.Secret, label)
	defer x.Wipe()
	return s.ExpandWithLabel(x, "exported", s.Hash(context), n), nil
}
