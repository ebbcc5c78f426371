package orglog

import (
	"crypto/ed25519"
	"time"

	"causa/matter"
)

// An Extent is how much a wipe order takes.
type Extent uint8

// The extents. The numbers are for ever.
const (
	ExtentAll    Extent = 1 // everything of the organisation, and the device with it
	ExtentMatter Extent = 2 // one matter
	ExtentModule Extent = 3 // one module, with all its matters
)

// WipeOrdered has data of the organisation destroyed on a device, or on all devices that a
// member has when the order takes effect. It takes effect when enough administrators have
// approved; its author is the first.
type WipeOrdered struct {
	Member  matter.MemberID // zero where one device is meant
	Device  matter.DeviceID // zero where all of a member's are
	Extent  Extent
	Matter  matter.ID // [ExtentMatter], else zero
	Module  string    // [ExtentModule], else empty
	Reason  string    // shown on the device
	Expires time.Time // after this it takes no effect and no device begins to carry it out
}

// WipeApproved is another administrator's consent to the order in entry Order.
type WipeApproved struct{ Order uint64 }

// WipeWithdrawn takes back an order that has not taken effect.
type WipeWithdrawn struct{ Order uint64 }

// HubKeySet names the key with which the organisation's hub signs what it has done.
type HubKeySet struct{ Key ed25519.PublicKey }

// KeysDestroyed carries the hub's signed word, made by [SignDestruction], that the keys
// which the devices of an order need to open what they hold are gone. Any device may
// bring it.
type KeysDestroyed struct {
	Order     uint64
	Time      time.Time
	Signature []byte
}

// WipeReceipt is a device's word that it has carried an order out. It is the only
// statement that a revoked device can make.
type WipeReceipt struct{ Order uint64 }

// DeviceLocked has the hub serve a device no more until it is unlocked.
type DeviceLocked struct {
	Device matter.DeviceID
	Reason string // may be empty
}

// DeviceUnlocked ends a lock. The locked device can't say it.
type DeviceUnlocked struct{ Device matter.DeviceID }

// Type implements [Statement].
func (WipeOrdered) Type() Type { return TypeWipeOrdered }

// Type implements [Statement].
func (WipeApproved) Type() Type { return TypeWipeApproved }

// Type implements [Statement].
func (WipeWithdrawn) Type() Type { return TypeWipeWithdrawn }

// Type implements [Statement].
func (HubKeySet) Type() Type { return TypeHubKeySet }

// Type implements [Statement].
func (KeysDestroyed) Type() Type { return TypeKeysDestroyed }

// Type implements [Statement].
func (WipeReceipt) Type() Type { return TypeWipeReceipt }

// Type implements [Statement].
func (DeviceLocked) Type() Type { return TypeDeviceLocked }

// Type implements [Statement].
func (DeviceUnlocked) Type() Type { return TypeDeviceUnlocked }

func (s WipeOrdered) write(w *writer) {
	w.fixed(s.Member[:], 16)
	w.fixed(s.Device[:], 32)
	w.AddUint8(uint8(s.Extent))
	w.fixed(s.Matter[:], 16)
	w.text(s.Module)
	w.text(s.Reason)
	w.time(s.Expires)
}

func (s WipeApproved) write(w *writer) { w.AddUint64(s.Order) }

func (s WipeWithdrawn) write(w *writer) { w.AddUint64(s.Order) }

func (s HubKeySet) write(w *writer) { w.fixed(s.Key, ed25519.PublicKeySize) }

func (s KeysDestroyed) write(w *writer) {
	w.AddUint64(s.Order)
	w.time(s.Time)
	w.fixed(s.Signature, ed25519.SignatureSize)
}

func (s WipeReceipt) write(w *writer) { w.AddUint64(s.Order) }

func (s DeviceLocked) write(w *writer) {
	w.fixed(s.Device[:], 32)
	w.text(s.Reason)
}

func (s DeviceUnlocked) write(w *writer) { w.fixed(s.Device[:], 32) }
