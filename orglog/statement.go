package orglog

import (
	"crypto/ed25519"
	"time"

	"causa/matter"
)

// A Type is the number of a kind of statement on the wire. The numbers are for ever.
type Type uint16

// The kinds of statement.
const (
	TypeFounded         Type = 1
	TypeMemberInvited   Type = 2
	TypeDeviceInvited   Type = 3
	TypeInviteWithdrawn Type = 4
	TypeDeviceEnrolled  Type = 5
	TypeMemberRenamed   Type = 6
	TypeRoleChanged     Type = 7
	TypeMemberLeft      Type = 8
	TypeDeviceRevoked   Type = 9
	TypePolicySet       Type = 10
	TypeWipeOrdered     Type = 11
	TypeWipeApproved    Type = 12
	TypeWipeWithdrawn   Type = 13
	TypeHubKeySet       Type = 14
	TypeKeysDestroyed   Type = 15
	TypeWipeReceipt     Type = 16
	TypeDeviceLocked    Type = 17
	TypeDeviceUnlocked  Type = 18
	TypeModuleInvited   Type = 23
	TypeTriesGiven      Type = 24
)

// A Statement is what an entry says: one of the structs of this package, by value.
type Statement interface {
	// Type returns the statement's number on the wire.
	Type() Type
	write(w *writer)
}

// Founded begins the log: it makes the organisation and its first owner with their
// first device. The hash of its entry is the organisation's id.
type Founded struct {
	Organisation string
	Member       matter.MemberID
	Name         string
	DeviceKey    ed25519.PublicKey
	DeviceName   string
}

// MemberInvited makes a member who has no device yet, and the invite for the first one.
type MemberInvited struct {
	Member    matter.MemberID
	Name      string
	Role      matter.Role
	InviteKey ed25519.PublicKey
	Expires   time.Time
}

// DeviceInvited makes an invite for a further device of a member, or for the first
// one when the earlier invite was lost.
type DeviceInvited struct {
	Member    matter.MemberID
	InviteKey ed25519.PublicKey
	Expires   time.Time
}

// InviteWithdrawn closes an open invite.
type InviteWithdrawn struct {
	InviteKey ed25519.PublicKey
}

// DeviceEnrolled uses an invite up. Its author is the new device itself;
// [SignEnrolment] makes InviteSignature.
type DeviceEnrolled struct {
	Member          matter.MemberID
	DeviceKey       ed25519.PublicKey
	DeviceName      string
	InviteKey       ed25519.PublicKey
	InviteSignature []byte
}

// MemberRenamed changes a member's name.
type MemberRenamed struct {
	Member matter.MemberID
	Name   string
}

// RoleChanged changes a member's role.
type RoleChanged struct {
	Member matter.MemberID
	Role   matter.Role
}

// MemberLeft ends a membership for good: it revokes the member's devices and
// withdraws the invites for and by them.
type MemberLeft struct {
	Member matter.MemberID
	Reason string // may be empty
}

// DeviceRevoked ends a device for good and withdraws the invites that it made.
type DeviceRevoked struct {
	Device matter.DeviceID
	Reason string // may be empty
}

// PolicySet gives a policy of the organisation a value; the empty value removes it.
type PolicySet struct {
	Name  string
	Value string
}

// Unknown is a statement of a later version. It is decoded so that it can be kept and
// handed on, but never applied.
type Unknown struct {
	Number Type
	Body   []byte
}

// Type implements [Statement].
func (Founded) Type() Type { return TypeFounded }

// Type implements [Statement].
func (MemberInvited) Type() Type { return TypeMemberInvited }

// Type implements [Statement].
func (DeviceInvited) Type() Type { return TypeDeviceInvited }

// Type implements [Statement].
func (InviteWithdrawn) Type() Type { return TypeInviteWithdrawn }

// Type implements [Statement].
func (DeviceEnrolled) Type() Type { return TypeDeviceEnrolled }

// Type implements [Statement].
func (MemberRenamed) Type() Type { return TypeMemberRenamed }

// Type implements [Statement].
func (RoleChanged) Type() Type { return TypeRoleChanged }

// Type implements [Statement].
func (MemberLeft) Type() Type { return TypeMemberLeft }

// Type implements [Statement].
func (DeviceRevoked) Type() Type { return TypeDeviceRevoked }

// Type implements [Statement].
func (PolicySet) Type() Type { return TypePolicySet }

// Type implements [Statement].
func (u Unknown) Type() Type { return u.Number }

func (s Founded) write(w *writer) {
	w.text(s.Organisation)
	w.fixed(s.Member[:], 16)
	w.text(s.Name)
	w.fixed(s.DeviceKey, ed25519.PublicKeySize)
	w.text(s.DeviceName)
}

func (s MemberInvited) write(w *writer) {
	w.fixed(s.Member[:], 16)
	w.text(s.Name)
	w.AddUint8(uint8(s.Role))
	w.fixed(s.InviteKey, ed25519.PublicKeySize)
	w.time(s.Expires)
}

func (s DeviceInvited) write(w *writer) {
	w.fixed(s.Member[:], 16)
	w.fixed(s.InviteKey, ed25519.PublicKeySize)
	w.time(s.Expires)
}

func (s InviteWithdrawn) write(w *writer) {
	w.fixed(s.InviteKey, ed25519.PublicKeySize)
}

func (s DeviceEnrolled) write(w *writer) {
	w.fixed(s.Member[:], 16)
	w.fixed(s.DeviceKey, ed25519.PublicKeySize)
	w.text(s.DeviceName)
	w.fixed(s.InviteKey, ed25519.PublicKeySize)
	w.fixed(s.InviteSignature, ed25519.SignatureSize)
}

func (s MemberRenamed) write(w *writer) {
	w.fixed(s.Member[:], 16)
	w.text(s.Name)
}

func (s RoleChanged) write(w *writer) {
	w.fixed(s.Member[:], 16)
	w.AddUint8(uint8(s.Role))
}

func (s MemberLeft) write(w *writer) {
	w.fixed(s.Member[:], 16)
	w.text(s.Reason)
}

func (s DeviceRevoked) write(w *writer) {
	w.fixed(s.Device[:], 32)
	w.text(s.Reason)
}

func (s PolicySet) write(w *writer) {
	w.text(s.Name)
	w.text(s.Value)
}

func (u Unknown) write(w *writer) { w.AddBytes(u.Body) }

// readStatement reads the body of a statement of the given kind. What is left in r
// afterwards is the caller's error.
func readStatement(kind Type, r *reader) Statement {
	switch kind {
	case TypeFounded:
		return Founded{
			Organisation: r.text(), Member: matter.MemberID(r.fixed(16)), Name: r.text(),
			DeviceKey: r.fixed(ed25519.PublicKeySize), DeviceName: r.text(),
		}
	case TypeMemberInvited:
		return MemberInvited{
			Member: matter.MemberID(r.fixed(16)), Name: r.text(), Role: matter.Role(r.uint8()),
			InviteKey: r.fixed(ed25519.PublicKeySize), Expires: r.time(),
		}
	case TypeDeviceInvited:
		return DeviceInvited{
			Member:    matter.MemberID(r.fixed(16)),
			InviteKey: r.fixed(ed25519.PublicKeySize), Expires: r.time(),
		}
	case TypeInviteWithdrawn:
		return InviteWithdrawn{InviteKey: r.fixed(ed25519.PublicKeySize)}
	case TypeDeviceEnrolled:
		return DeviceEnrolled{
			Member: matter.MemberID(r.fixed(16)), DeviceKey: r.fixed(ed25519.PublicKeySize), DeviceName: r.text(),
			InviteKey: r.fixed(ed25519.PublicKeySize), InviteSignature: r.fixed(ed25519.SignatureSize),
		}
	case TypeMemberRenamed:
		return MemberRenamed{Member: matter.MemberID(r.fixed(16)), Name: r.text()}
	case TypeRoleChanged:
		return RoleChanged{Member: matter.MemberID(r.fixed(16)), Role: matter.Role(r.uint8())}
	case TypeMemberLeft:
		return MemberLeft{Member: matter.MemberID(r.fixed(16)), Reason: r.text()}
	case TypeDeviceRevoked:
		return DeviceRevoked{Device: matter.DeviceID(r.fixed(32)), Reason: r.text()}
	case TypePolicySet:
		return PolicySet{Name: r.text(), Value: r.text()}
	case TypeModuleInvited:
		return ModuleInvited{
			Member: matter.MemberID(r.fixed(16)), InviteKey: r.fixed(ed25519.PublicKeySize), Expires: r.time(), Module: r.text(),
		}
	case TypeTriesGiven:
		return TriesGiven{Device: matter.DeviceID(r.fixed(32)), Reason: r.text()}
	default:
		return readWipeStatement(kind, r)
	}
}

// readWipeStatement goes on with the kinds of wipe_statement.go.
func readWipeStatement(kind Type, r *reader) Statement {
	switch kind {
	case TypeWipeOrdered:
		return WipeOrdered{
			Member: matter.MemberID(r.fixed(16)), Device: matter.DeviceID(r.fixed(32)), Extent: Extent(r.uint8()),
			Matter: matter.ID(r.fixed(16)), Module: r.text(), Reason: r.text(), Expires: r.time(),
		}
	case TypeWipeApproved:
		return WipeApproved{Order: r.uint64()}
	case TypeWipeWithdrawn:
		return WipeWithdrawn{Order: r.uint64()}
	case TypeHubKeySet:
		return HubKeySet{Key: r.fixed(ed25519.PublicKeySize)}
	case TypeKeysDestroyed:
		return KeysDestroyed{Order: r.uint64(), Time: r.time(), Signature: r.fixed(ed25519.SignatureSize)}
	case TypeWipeReceipt:
		return WipeReceipt{Order: r.uint64()}
	case TypeDeviceLocked:
		return DeviceLocked{Device: matter.DeviceID(r.fixed(32)), Reason: r.text()}
	case TypeDeviceUnlocked:
		return DeviceUnlocked{Device: matter.DeviceID(r.fixed(32))}
	default:
		return Unknown{Number: kind, Body: r.rest()}
	}
}
