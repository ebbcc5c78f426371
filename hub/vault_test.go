package hub_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudflare/circl/oprf"

	"causa/hub"
	"causa/hub/hubtest"
	"causa/matter"
	"causa/orglog"
	"causa/wire"
	"causa/wire/pb"
)

// A slotKeys is a device's half of a slot, as far as the hub can see it.
type slotKeys struct {
	id            [16]byte
	unlock, proof ed25519.PrivateKey
}

func newSlotKeys(t testing.TB) *slotKeys {
	t.Helper()
	k := &slotKeys{}
	_, _ = rand.Read(k.id[:])
	var err error
	if _, k.unlock, err = ed25519.GenerateKey(nil); err == nil {
		_, k.proof, err = ed25519.GenerateKey(nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func blinded(t testing.TB) []byte {
	t.Helper()
	_, request, err := oprf.NewClient(oprf.SuiteRistretto255).Blind([][]byte{[]byte("passcode")})
	if err != nil {
		t.Fatal(err)
	}
	b, err := request.Elements[0].MarshalBinaryCompress()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func publicOf(k ed25519.PrivateKey) []byte { return k.Public().(ed25519.PublicKey) }

func (k *slotKeys) register(t testing.TB) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_VaultRegister{VaultRegister: &pb.VaultRegister{
		Slot: k.id[:], UnlockKey: publicOf(k.unlock), ProofKey: publicOf(k.proof), Blinded: blinded(t),
	}}}
}

func (k *slotKeys) evaluate(t testing.TB, p *hubtest.Peer) *pb.ClientFrame {
	b := blinded(t)
	return &pb.ClientFrame{Body: &pb.ClientFrame_VaultEvaluate{VaultEvaluate: &pb.VaultEvaluate{
		Slot: k.id[:], Blinded: b, Signature: p.SignVault(k.unlock, wire.VaultAsk, k.id, b),
	}}}
}

func (k *slotKeys) confirm(p *hubtest.Peer, generation uint64, by ed25519.PrivateKey) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_VaultConfirm{VaultConfirm: &pb.VaultConfirm{
		Slot: k.id[:], Generation: generation, Proof: p.SignVault(by, wire.VaultProve, k.id, wire.VaultGeneration(generation)),
	}}}
}

// locked connects as a locked device.
func (r *rig) locked(k *slotKeys) *member {
	r.t.Helper()
	p, err := hubtest.Dial(r.Addr())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { p.Close(); <-p.Ended() })
	if _, err := p.SignInUnlock(k.unlock); err != nil {
		r.t.Fatal(err)
	}
	return &member{Peer: p, t: r.t}
}

// slot makes a confirmed slot of a member's device.
func (m *member) slot() *slotKeys {
	m.t.Helper()
	k := newSlotKeys(m.t)
	m.must(k.register(m.t))
	m.must(k.confirm(m.Peer, 1, k.proof))
	return k
}

func TestUnlock(t *testing.T) {
	r := newRig(t)
	alice := r.hire(matter.RoleMember)
	k := alice.slot()
	for generation := uint64(1); generation < 4; generation++ {
		d := r.locked(k)
		e := d.must(k.evaluate(t, d.Peer)).GetVaultEvaluation()
		if e.GetGeneration() != generation || e.GetNextGeneration() != generation+1 || e.GetTriesLeft() != wire.MaxTries-1 {
			t.Fatalf("generation %d: %v", generation, e)
		}
		d.must(k.confirm(d.Peer, generation+1, k.proof))
		r.Restart()
	}
}

// attack: whoever has the unlock key guesses, and may do nothing else
func TestLockedDeviceMayDoNothingElse(t *testing.T) {
	r := newRig(t)
	alice := r.hire(matter.RoleAdmin)
	k, other := alice.slot(), alice.slot()
	d := r.locked(k)
	for _, f := range []*pb.ClientFrame{
		{Body: &pb.ClientFrame_PullHeads{PullHeads: &pb.PullHeads{}}},
		{Body: &pb.ClientFrame_PullLog{PullLog: &pb.PullLog{}}},
		{Body: &pb.ClientFrame_TakeWelcomes{TakeWelcomes: &pb.TakeWelcomes{}}},
		{Body: &pb.ClientFrame_AppendLog{AppendLog: &pb.AppendLog{Entry: []byte("x")}}},
		{Body: &pb.ClientFrame_VaultDrop{VaultDrop: &pb.VaultDrop{Slot: k.id[:], Proof: d.SignVault(k.proof, wire.VaultDestroy, k.id, nil)}}},
		newSlotKeys(t).register(t),
	} {
		d.refused(wire.CodeNotAllowed, f)
	}
	d.refused(wire.CodeVaultNone, other.evaluate(t, d.Peer)) // another slot of the same device
}

// attack: requests that are not the device's, not for this slot, or not new
func TestForgedVaultRequests(t *testing.T) {
	r := newRig(t)
	alice, mallory := r.hire(matter.RoleMember), r.hire(matter.RoleMember)
	k, m := alice.slot(), mallory.slot()
	mallory.refused(wire.CodeVaultNone, k.evaluate(t, mallory.Peer))
	mallory.refused(wire.CodeVaultNone, k.confirm(mallory.Peer, 2, k.proof))
	forged := &slotKeys{id: k.id, unlock: m.unlock, proof: m.proof}
	alice.refused(wire.CodeVaultRefused, forged.evaluate(t, alice.Peer))
	alice.refused(wire.CodeVaultRefused, k.confirm(alice.Peer, 2, k.unlock)) // the device's secret proves nothing
	taken := newSlotKeys(t)
	taken.id = k.id
	mallory.refused(wire.CodeVaultRefused, taken.register(t))

	d := r.locked(k)
	f := k.evaluate(t, d.Peer)
	d.must(f)
	d.refused(wire.CodeVaultRefused, f) // the same signature under another number
	f.Request = 2                       // and under its own
	b, err := wire.EncodeClient(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Write(b); err != nil {
		t.Fatal(err)
	}
	old := r.locked(k)
	again := &pb.ClientFrame{Body: f.Body}
	old.refused(wire.CodeVaultRefused, again) // and on another connection
	if e := old.must(k.evaluate(t, old.Peer)).GetVaultEvaluation(); e.GetTriesLeft() != wire.MaxTries-2 {
		t.Errorf("%d tries left: a forged request was counted or evaluated", e.GetTriesLeft())
	}

	stranger := newSlotKeys(t)
	p, err := hubtest.Dial(r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var refused *hubtest.Refused
	if _, err := p.SignInUnlock(stranger.unlock); !errors.As(err, &refused) || wire.Code(refused.GetCode()) != wire.CodeVaultNone {
		t.Errorf("an unknown unlock key: %v", err)
	}
}

// attack: guess with a stolen device; delays, the lock, and an administrator's word
func TestGuessing(t *testing.T) {
	var ahead atomic.Int64
	r := newRig(t, func(o *hub.Options) {
		o.SetClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	})
	alice, admin := r.hire(matter.RoleMember), r.hire(matter.RoleAdmin)
	k := alice.slot()
	alice.Peer.Close()
	tries := 0
	for tries < wire.MaxTries {
		d := r.locked(k)
		_, err := d.Call(k.evaluate(t, d.Peer))
		var refused *hubtest.Refused
		switch {
		case err == nil:
			tries++
		case errors.As(err, &refused) && wire.Code(refused.GetCode()) == wire.CodeVaultWait:
			if tries < 4 || refused.GetRetryAfterMs() == 0 || int(refused.GetWant()) != wire.MaxTries-tries {
				t.Fatalf("after %d tries: %v", tries, refused)
			}
			ahead.Add(int64(refused.GetRetryAfterMs()) * int64(time.Millisecond))
		default:
			t.Fatal(err)
		}
	}
	if got := time.Duration(ahead.Load()); got < 4*time.Hour {
		t.Errorf("all tries took only %v", got)
	}
	ahead.Store(0)
	r.Restart()
	d := r.locked(k)
	d.refused(wire.CodeVaultLocked, k.evaluate(t, d.Peer))
	if err := r.company.Say(alice.Device, orglog.TriesGiven{Device: alice.ID}); !errors.Is(err, orglog.ErrNotAllowed) {
		t.Errorf("the locked device gives itself tries: %v", err)
	}
	admin.connect()
	if err := r.company.Say(admin.Device, orglog.TriesGiven{Device: alice.ID, Reason: "forgot it"}); err != nil {
		t.Fatal(err)
	}
	d.must(k.evaluate(t, d.Peer))
	r.Restart() // the entry is not carried out again
	d = r.locked(k)
	if e := d.must(k.evaluate(t, d.Peer)).GetVaultEvaluation(); e.GetTriesLeft() != wire.MaxTries-2 {
		t.Errorf("%d tries left after a restart", e.GetTriesLeft())
	}
}

// attack: a revoked device asks for its share, on a new and on an old connection
func TestRevokedDeviceCannotUnlock(t *testing.T) {
	r := newRig(t)
	alice := r.hire(matter.RoleMember)
	k := alice.slot()
	d := r.locked(k)
	for _, st := range []orglog.Statement{orglog.DeviceLocked{Device: alice.ID}, orglog.DeviceUnlocked{Device: alice.ID}} {
		if err := r.company.Say(r.company.Owner(), st); err != nil {
			t.Fatal(err)
		}
		if _, ok := st.(orglog.DeviceLocked); ok {
			d.refused(wire.CodeRevoked, k.evaluate(t, d.Peer))
		}
	}
	d.must(k.evaluate(t, d.Peer))
	if err := r.company.Say(r.company.Owner(), orglog.DeviceRevoked{Device: alice.ID}); err != nil {
		t.Fatal(err)
	}
	d.refused(wire.CodeRevoked, k.evaluate(t, d.Peer))
	p, err := hubtest.Dial(r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var refused *hubtest.Refused
	if _, err := p.SignInUnlock(k.unlock); !errors.As(err, &refused) || wire.Code(refused.GetCode()) != wire.CodeRevoked {
		t.Errorf("sign-in: %v", err)
	}
}

// attack: an old backup of the hub brings back tries, or a slot that was dropped
func TestBackupHasNoSlots(t *testing.T) {
	data := t.TempDir()
	r := newRig(t, func(o *hub.Options) { o.Data = data })
	alice := r.hire(matter.RoleMember)
	k := alice.slot()
	backup := filepath.Join(t.TempDir(), "backup")
	if _, err := hub.Backup(t.Context(), hub.Place{Data: data}, backup); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(backup, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, k.id[:]) || bytes.Contains(b, publicOf(k.unlock)) {
			t.Errorf("%s knows the slot", d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	alice.must(&pb.ClientFrame{Body: &pb.ClientFrame_VaultDrop{VaultDrop: &pb.VaultDrop{
		Slot: k.id[:], Proof: alice.SignVault(k.proof, wire.VaultDestroy, k.id, nil),
	}}})
	r.Stop()
	for _, name := range []string{"hub.db", "hub.db-wal", "hub.db-shm", "tls-key.pem"} {
		if err := os.Remove(filepath.Join(data, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if _, err := hub.Restore(t.Context(), backup, data); err != nil {
		t.Fatal(err)
	}
	r.Restart()
	d := r.locked(k)
	d.refused(wire.CodeVaultNone, k.evaluate(t, d.Peer))
}

// attack: the hub is put back to a backup from before a wipe
func TestBackupDoesNotUndoWipe(t *testing.T) {
	data := t.TempDir()
	r := newRig(t, func(o *hub.Options) { o.Data = data })
	alice := r.hire(matter.RoleMember)
	k, owner := alice.slot(), r.company.Owner()
	backup := filepath.Join(t.TempDir(), "backup")
	if _, err := hub.Backup(t.Context(), hub.Place{Data: data}, backup); err != nil {
		t.Fatal(err)
	}
	order := orglog.WipeOrdered{Device: alice.ID, Extent: orglog.ExtentAll, Reason: "lost", Expires: time.Now().Add(time.Hour).Truncate(time.Millisecond)}
	if err := r.company.Say(owner, order); err != nil {
		t.Fatal(err)
	}
	asked := func(when string) {
		t.Helper()
		p, err := hubtest.Dial(r.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if _, err = p.SignInUnlock(k.unlock); err == nil {
			_, err = p.Call(k.evaluate(t, p))
		}
		var refused *hubtest.Refused
		if !errors.As(err, &refused) || wire.Code(refused.GetCode()) != wire.CodeVaultNone && wire.Code(refused.GetCode()) != wire.CodeRevoked {
			t.Errorf("%s: %v", when, err)
		}
	}
	asked("after the order")
	r.Stop()
	for _, name := range []string{"hub.db", "hub.db-wal", "hub.db-shm", "tls-key.pem"} {
		if err := os.Remove(filepath.Join(data, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if _, err := hub.Restore(t.Context(), backup, data); err != nil {
		t.Fatal(err)
	}
	r.Restart() // the log knows nothing of the order now: the device is served again, its key is gone
	p, err := hubtest.Dial(r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.SignInUnlock(k.unlock); err != nil {
		t.Fatal(err)
	}
	(&member{Peer: p, t: t}).refused(wire.CodeVaultNone, k.evaluate(t, p))
}
