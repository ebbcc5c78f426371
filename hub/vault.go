package hub

import (
	"context"
	"crypto/ed25519"
	"errors"
	"path/filepath"
	"time"

	"causa/hub/vault"
	"causa/matter"
	"causa/orglog"
	"causa/wire"
	"causa/wire/pb"
)

// vaultFile is where slot keys are kept unless the operator says otherwise.
var vaultFile = filepath.Join("vault", "slots.db")

// openVault opens the slot keys and carries out what the organisation log says about them
// and a crash may have kept from being done.
func (h *Hub) openVault(ctx context.Context) (err error) {
	path := h.opts.Vault
	if path == "" {
		path = filepath.Join(h.opts.Data, vaultFile)
	}
	if h.vault, err = vault.Open(ctx, path); err != nil {
		return storeFault(err)
	}
	return h.settleVault(ctx)
}

// settleVault carries out all statements about slots that were not yet. It is called at
// the start, after each such statement, and again by the keeper when that failed.
func (h *Hub) settleVault(ctx context.Context) error {
	for _, g := range h.org.given() {
		if err := h.vault.Reset(ctx, g.Entry, g.Device); err != nil {
			return err
		}
	}
	for _, d := range h.org.destructions() {
		if _, err := h.vault.Destroy(ctx, d.entry, d.devices, d.modules...); err != nil {
			return err
		}
	}
	return nil
}

// A destruction is what an order in effect does to slots.
type destruction struct {
	entry   orglog.Hash
	devices [][32]byte
	modules []string // none: all
}

// destructions returns what all orders in effect do to slots. One that takes a single
// matter leaves them: others are opened with the same keys.
func (o *org) destructions() (out []destruction) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, w := range o.state.Wipes() {
		if w.Effective.IsZero() || w.Order.Extent == orglog.ExtentMatter {
			continue
		}
		d := destruction{}
		d.entry, _ = o.state.HashAt(w.Index)
		for _, id := range w.Devices {
			d.devices = append(d.devices, id)
		}
		if w.Order.Extent == orglog.ExtentModule {
			d.modules = []string{w.Order.Module}
		}
		out = append(out, d)
	}
	return out
}

// settle calls settleVault after an entry that concerns the slots, or when an earlier call
// failed.
func (h *Hub) settle(e *orglog.Entry) {
	if e != nil && !aboutVault(e) || e == nil && !h.unsettled.Load() {
		return
	}
	err := h.settleVault(context.Background())
	h.unsettled.Store(err != nil)
	if err != nil {
		h.log.Error("slot keys", "err", err)
	}
}

// aboutVault reports whether an entry concerns the slots.
func aboutVault(e *orglog.Entry) bool {
	switch e.Statement.(type) {
	case orglog.TriesGiven, orglog.WipeOrdered, orglog.WipeApproved:
		return true
	}
	return false
}

func (o *org) given() []orglog.Given {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.state.Given()
}

// served reports whether a device belongs to the organisation and was not locked from
// another.
func (o *org) served(id matter.DeviceID) bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.state.ServedDevice(id)
}

// ofVault reports whether a locked device may send such a frame.
func ofVault(f *pb.ClientFrame) bool {
	switch f.GetBody().(type) {
	case *pb.ClientFrame_VaultEvaluate, *pb.ClientFrame_VaultConfirm:
		return true
	}
	return false
}

// signInUnlock lets a locked device in, by the unlock key of one of its slots.
func (s *session) signInUnlock(id uint64, in *pb.SignIn, nonce [32]byte) error {
	h := s.hub
	key := ed25519.PublicKey(in.GetUnlock())
	who, err := wire.UnlockSignIn(key)
	if err != nil || !ed25519.Verify(key, wire.SignInBytes(nonce, h.pin, who), in.GetSignature()) {
		return refuse(wire.CodeSignIn)
	}
	slot, err := h.vault.Find(context.Background(), key)
	if err != nil {
		return vaultRefusal(err)
	}
	if !h.org.served(slot.Device) {
		return refuse(wire.CodeRevoked)
	}
	no, ok := h.directory.no(slot.Device)
	if !ok {
		return refuse(wire.CodeSignIn)
	}
	s.slot, s.limits = &slot, h.limitsOf(no)
	s.answer(id, &pb.HubFrame{Body: &pb.HubFrame_Ready{Ready: &pb.Ready{
		LogNext: h.org.next(), TimeMs: h.opts.now().UnixMilli(), Incarnation: h.incarnation,
	}}})
	return nil
}

func (s *session) vaultRegister(m *pb.VaultRegister) (*pb.HubFrame, error) {
	e, err := s.hub.vault.Register(context.Background(), vault.Slot{
		ID: [16]byte(m.GetSlot()), Device: s.device, Unlock: m.GetUnlockKey(), Proof: m.GetProofKey(), Module: m.GetModule(),
	}, m.GetBlinded())
	return evaluation(e, err)
}

func (s *session) vaultEvaluate(request uint64, m *pb.VaultEvaluate) (*pb.HubFrame, error) {
	slot, err := s.mine(m.GetSlot())
	if err != nil {
		return nil, err
	}
	if err := s.signed(slot.Unlock, request, wire.VaultAsk, slot.ID, m.GetBlinded(), m.GetSignature()); err != nil {
		return nil, err
	}
	return evaluation(s.hub.vault.Evaluate(context.Background(), slot.ID, m.GetBlinded(), s.hub.opts.now()))
}

func (s *session) vaultConfirm(request uint64, m *pb.VaultConfirm) (*pb.HubFrame, error) {
	slot, err := s.mine(m.GetSlot())
	if err != nil {
		return nil, err
	}
	if err := s.signed(slot.Proof, request, wire.VaultProve, slot.ID, wire.VaultGeneration(m.GetGeneration()), m.GetProof()); err != nil {
		return nil, err
	}
	return settled(s.hub.vault.Confirm(context.Background(), slot.ID, m.GetGeneration(), s.hub.opts.now()))
}

func (s *session) vaultDrop(request uint64, m *pb.VaultDrop) (*pb.HubFrame, error) {
	slot, err := s.mine(m.GetSlot())
	if err != nil {
		return nil, err
	}
	if err := s.signed(slot.Proof, request, wire.VaultDestroy, slot.ID, nil, m.GetProof()); err != nil {
		return nil, err
	}
	return settled(s.hub.vault.Drop(context.Background(), slot.ID))
}

// mine returns a slot of this session's device; a locked device has none but the one whose
// key it signed in with. The device must still belong to the organisation.
func (s *session) mine(id []byte) (*vault.Slot, error) {
	slot, err := s.hub.vault.Get(context.Background(), [16]byte(id))
	if err != nil {
		return nil, vaultRefusal(err)
	}
	device, sameSlot := s.device, true
	if s.slot != nil {
		device, sameSlot = s.slot.Device, s.slot.ID == slot.ID
	}
	if matter.DeviceID(slot.Device) != device || !sameSlot {
		return nil, refuse(wire.CodeVaultNone)
	}
	if !s.hub.org.served(slot.Device) {
		return nil, refuse(wire.CodeRevoked)
	}
	return &slot, nil
}

// signed verifies a signature that was made for this connection and this request alone.
func (s *session) signed(key ed25519.PublicKey, request uint64, p wire.VaultPurpose, slot [16]byte, subject, signature []byte) error {
	if request <= s.asked || !ed25519.Verify(key, wire.VaultBytes(s.nonce, request, p, slot, subject), signature) {
		return refuse(wire.CodeVaultRefused)
	}
	s.asked = request
	return nil
}

func evaluation(e *vault.Evaluation, err error) (*pb.HubFrame, error) {
	if err != nil {
		return nil, vaultRefusal(err)
	}
	return &pb.HubFrame{Body: &pb.HubFrame_VaultEvaluation{VaultEvaluation: &pb.VaultEvaluation{
		Generation: e.Generation, Evaluated: e.Evaluated, NextGeneration: e.Next, NextEvaluated: e.NextResult, TriesLeft: uint32(e.Left),
	}}}, nil
}

func settled(err error) (*pb.HubFrame, error) {
	if err != nil {
		return nil, vaultRefusal(err)
	}
	return &pb.HubFrame{Body: &pb.HubFrame_Done{Done: &pb.Done{}}}, nil
}

// vaultRefusal is the refusal for an error of the vault; what is not the peer's concern
// stays as it is.
func vaultRefusal(err error) error {
	if wait, ok := errors.AsType[*vault.WaitError](err); ok {
		return &refusal{&pb.Failure{
			Code: uint32(wire.CodeVaultWait), RetryAfterMs: uint32(wait.For/time.Millisecond + 1), Want: uint64(wait.Left),
		}}
	}
	switch {
	case errors.Is(err, vault.ErrNone):
		return refuse(wire.CodeVaultNone)
	case errors.Is(err, vault.ErrLocked):
		return refuse(wire.CodeVaultLocked)
	case errors.Is(err, vault.ErrRefused), errors.Is(err, vault.ErrTooMany):
		return refuse(wire.CodeVaultRefused)
	case errors.Is(err, vault.ErrBlinded):
		return refuse(wire.CodeMalformed)
	}
	return err
}
