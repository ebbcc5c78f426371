package mls

import (
	"crypto/rand"
	"errors"
	"fmt"

	"causa/crypto/mls/evolution"
	"causa/crypto/mls/framing"
	"causa/crypto/mls/schedule"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
)

// Errors of private messages.
var (
	ErrOwnMessage  = errors.New("message is our own; its key is gone")
	ErrCommitFirst = errors.New("proposals wait to be committed before anything is sent (section 12.4)")
	ErrDecrypt     = suite.ErrDecrypt
)

// MaxPadding is the most padding [Group.Encrypt] adds.
const MaxPadding = 1 << 16

// A Received is a decrypted application message.
type Received struct {
	Sender            Leaf
	Epoch             uint64
	Data              []byte
	AuthenticatedData []byte
}

// Encrypt makes a PrivateMessage of data. What it changed in the ratchets must be stored
// before the message leaves the device (see [Group.RatchetChanges]): a key must never
// encrypt twice. authenticated is sent in the clear, padding zero bytes inside.
func (g *Group) Encrypt(data, authenticated []byte, padding int) ([]byte, error) {
	if err := g.usable(); err != nil {
		return nil, err
	}
	if len(g.order) > 0 {
		return nil, ErrCommitFirst
	}
	a, err := framing.Sign(g.suite, g.signer, framing.FormatPrivate, &framing.Content{
		GroupID: g.state.Context.GroupID, Epoch: g.Epoch(), Sender: framing.Member(g.keys.Own),
		AuthenticatedData: authenticated, Type: framing.ContentApplication, Application: data,
	}, g.state.EncodedContext())
	if err != nil {
		return nil, err
	}
	return g.protect(a, padding)
}

func kindOf(t framing.ContentType) schedule.Kind {
	if t == framing.ContentApplication {
		return schedule.App
	}
	return schedule.Handshake
}

// protect encrypts an authentic message of ours (section 6.3).
func (g *Group) protect(a *framing.Authentic, padding int) ([]byte, error) {
	if padding < 0 || padding > MaxPadding {
		return nil, fmt.Errorf("padding of %d bytes", padding)
	}
	generation, key, err := g.secrets.Next(g.keys.Own, kindOf(a.Content.Type))
	if err != nil {
		return nil, err
	}
	defer key.Wipe()
	return protect(g.suite, a, g.epoch.SenderData, generation, key, padding)
}

func protect(s *suite.Suite, a *framing.Authentic, sender schedule.SenderDataSecret, generation uint32, key schedule.Key, padding int) ([]byte, error) {
	data := framing.SenderData{Leaf: a.Content.Sender.Leaf(), Generation: generation}
	_, _ = rand.Read(data.ReuseGuard[:]) // never fails
	m := &framing.PrivateMessage{
		GroupID: a.Content.GroupID, Epoch: a.Content.Epoch, Type: a.Content.Type,
		AuthenticatedData: a.Content.AuthenticatedData,
	}
	plain := append(a.AppendPrivate(nil), make([]byte, padding)...)
	guard(key.Nonce, data.ReuseGuard)
	var err error
	if m.Ciphertext, err = s.Seal(key.Key, key.Nonce, m.AppendContentAAD(nil), plain); err != nil {
		return nil, fmt.Errorf("encrypt message: %w", err)
	}
	k, nonce := sender.SenderDataKey(s, m.Ciphertext)
	if m.EncryptedSenderData, err = s.Seal(k, nonce, m.AppendSenderAAD(nil), data.Encode()); err != nil {
		return nil, fmt.Errorf("encrypt sender data: %w", err)
	}
	return (&framing.Message{Format: framing.FormatPrivate, Private: m}).Encode(), nil
}

// guard mixes the reuse guard into a nonce (section 6.3.1).
func guard(nonce suite.Secret, g [4]byte) {
	for i := range g {
		nonce[i] ^= g[i]
	}
}

// Decrypt reads an application message of this epoch or one that ended not long ago.
// Each message can be decrypted once.
func (g *Group) Decrypt(message []byte) (*Received, error) {
	if g.over != nil {
		return nil, g.over
	}
	m, err := framing.Parse(message)
	if err != nil {
		return nil, err
	}
	if m.Format != framing.FormatPrivate || m.Private.Type != framing.ContentApplication {
		return nil, fmt.Errorf("%w: not a private application message (section 6)", syntax.ErrMalformed)
	}
	at, err := g.epochFor(m.Private)
	if err != nil {
		return nil, err
	}
	a, err := g.unprotect(m.Private, at)
	if err != nil {
		return nil, err
	}
	c := a.Content
	sender, _ := at.member(c.Sender.Leaf())
	return &Received{
		Sender: sender, Epoch: c.Epoch, Data: c.Application, AuthenticatedData: c.AuthenticatedData,
	}, nil
}

func (g *Group) current() *lateEpoch {
	return &lateEpoch{
		epoch: g.Epoch(), leaves: g.secrets.Leaves(), context: g.state.EncodedContext(), tree: g.state.Tree,
		sender: g.epoch.SenderData, secrets: g.secrets,
	}
}

// epochFor returns what decrypts messages of m's epoch.
func (g *Group) epochFor(m *framing.PrivateMessage) (*lateEpoch, error) {
	err := g.state.CheckEpoch(m.GroupID, m.Epoch)
	if err == nil {
		return g.current(), nil
	}
	var wrong *evolution.EpochError
	if errors.As(err, &wrong) {
		for i := range g.late {
			if g.late[i].epoch == m.Epoch {
				return &g.late[i], nil
			}
		}
	}
	return nil, err
}

// unprotect decrypts a private message and checks its signature.
func (g *Group) unprotect(m *framing.PrivateMessage, at *lateEpoch) (*framing.Authentic, error) {
	data, err := openSenderData(g.suite, m, at.sender)
	if err != nil {
		return nil, err
	}
	sender, ok := at.member(data.Leaf)
	if !ok {
		return nil, fmt.Errorf("private message from blank leaf %d (section 6.3.2)", data.Leaf)
	}
	if at.epoch == g.Epoch() && data.Leaf == g.keys.Own {
		return nil, ErrOwnMessage
	}
	use, err := at.secrets.At(data.Leaf, kindOf(m.Type), data.Generation)
	if err != nil {
		return nil, err
	}
	u, err := openContent(g.suite, m, data, use.Key)
	if err != nil {
		return nil, err
	}
	a, err := u.Verify(g.suite, sender.SignatureKey, at.context)
	if err != nil {
		return nil, err
	}
	use.Consume()
	return a, nil
}

func openSenderData(s *suite.Suite, m *framing.PrivateMessage, sender schedule.SenderDataSecret) (framing.SenderData, error) {
	key, nonce := sender.SenderDataKey(s, m.Ciphertext)
	plain, err := s.Open(key, nonce, m.AppendSenderAAD(nil), m.EncryptedSenderData)
	if err != nil {
		return framing.SenderData{}, fmt.Errorf("sender data: %w", err)
	}
	return framing.DecodeSenderData(plain)
}

// openContent decrypts the content. It leaves the key as it is.
func openContent(s *suite.Suite, m *framing.PrivateMessage, data framing.SenderData, key schedule.Key) (*framing.Unverified, error) {
	guard(key.Nonce, data.ReuseGuard)
	plain, err := s.Open(key.Key, key.Nonce, m.AppendContentAAD(nil), m.Ciphertext)
	guard(key.Nonce, data.ReuseGuard)
	if err != nil {
		return nil, fmt.Errorf("message content: %w", err)
	}
	return framing.DecodePrivate(m, framing.Member(data.Leaf), plain)
}
