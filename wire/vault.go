package wire

import (
	"encoding/binary"

	"causa/wire/pb"
)

// The lengths of what vault frames carry.
const (
	slotIDLen  = 16
	elementLen = 32
)

// Limits of the vault.
const (
	// MaxSlots is how many slots a device may have.
	MaxSlots = 32
	// MaxTries is after how many wrong tries a slot is locked.
	MaxTries = 10
	// MaxWaiting is how many devices are in one Waiting.
	MaxWaiting = 256
	// MaxModule is how many bytes a module's name may have.
	MaxModule = 64
)

// A VaultPurpose is what a signature in a vault frame is for.
type VaultPurpose byte

// The purposes.
const (
	VaultAsk     VaultPurpose = 1 // by the unlock key: evaluate this
	VaultProve   VaultPurpose = 2 // by the proof key: the slot was opened
	VaultDestroy VaultPurpose = 3 // by the proof key: destroy the slot's keys
)

const vaultLabel = "causa vault v1"

// VaultBytes is what a vault frame's signature signs, in TLS presentation:
//
//	struct {
//	  opaque label<0..255> = "causa vault v1";
//	  opaque nonce[32];     the challenge of this connection
//	  uint64 request;       the frame's request number: the hub takes no vault frame whose
//	                        number is not above that of the one before
//	  uint8  purpose;       VaultPurpose
//	  opaque slot[16];
//	  opaque subject<0..255>;
//	} Vault;
func VaultBytes(nonce [32]byte, request uint64, p VaultPurpose, slot [16]byte, subject []byte) []byte {
	b := make([]byte, 0, 1+len(vaultLabel)+32+8+1+16+1+len(subject))
	b = append(b, byte(len(vaultLabel)))
	b = append(b, vaultLabel...)
	b = append(b, nonce[:]...)
	b = binary.BigEndian.AppendUint64(b, request)
	b = append(append(b, byte(p)), slot[:]...)
	b = append(b, byte(len(subject)))
	return append(b, subject...)
}

// VaultGeneration is the subject of a proof.
func VaultGeneration(g uint64) []byte { return binary.BigEndian.AppendUint64(nil, g) }

func (c *check) register(m *pb.VaultRegister) {
	c.exact("slot", m.GetSlot(), slotIDLen)
	c.exact("unlock_key", m.GetUnlockKey(), 32)
	c.exact("proof_key", m.GetProofKey(), 32)
	c.exact("blinded", m.GetBlinded(), elementLen)
	c.most("module", []byte(m.GetModule()), MaxModule)
}

func (c *check) generation(field string, g uint64) {
	if g == 0 || g > maxStored {
		c.fail(CodeMalformed, field)
	}
}

func (c *check) evaluation(m *pb.VaultEvaluation) {
	if m.GetGeneration() != 0 {
		c.generation("generation", m.GetGeneration())
		c.exact("evaluated", m.GetEvaluated(), elementLen)
	}
	c.generation("next_generation", m.GetNextGeneration())
	c.exact("next_evaluated", m.GetNextEvaluated(), elementLen)
	if m.GetNextGeneration() <= m.GetGeneration() {
		c.fail(CodeMalformed, "next_generation")
	}
}
