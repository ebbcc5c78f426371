package db

import "causa/matter"

// A DeviceNo is a device's number in this database.
type DeviceNo int64

// A MatterNo is a matter's number in this database.
type MatterNo int64

// A Digest is a SHA-256 hash.
type Digest [32]byte

// A Matter is where a matter stands.
type Matter struct {
	No      MatterNo
	ID      matter.ID
	Creator DeviceNo
	Digest  Digest // of the GroupInfo that it was created with
	Epoch   uint64
	Head    uint64 // the last sequence
	TimeMS  int64  // of its last movement
	Devices []DeviceNo
}

// An Entry is one line of a matter's log. The payload is ciphertext or a handshake
// message.
type Entry struct {
	Seq     uint64
	TimeMS  int64
	Kind    int32
	Sender  matter.DeviceID
	Epoch   uint64
	Payload []byte
}

// A NewEntry is an [Entry] on its way in: the sender by number, and the counter it
// was handed over with (0 for commits).
type NewEntry struct {
	Matter  MatterNo
	Seq     uint64
	TimeMS  int64
	Kind    int32
	Sender  DeviceNo
	Epoch   uint64
	Counter uint64
	Payload []byte
}

// A Place is where an earlier request was stored.
type Place struct {
	Matter MatterNo
	Seq    uint64
	TimeMS int64
}

// A KeyPackage is one of a device's stock.
type KeyPackage struct {
	Digest     Digest
	Suite      uint16
	LastResort bool
	NotAfterMS int64
	Body       []byte
}

// A Stock says how many key packages of a suite a device has at the hub.
type Stock struct {
	Suite uint16
	Count int
}

// A Welcome waits for a device.
type Welcome struct {
	ID     uint64
	Matter matter.ID
	Seq    uint64
	Sender matter.DeviceID
	Body   []byte
}

// A Head tells where a matter stands for a device.
type Head struct {
	Matter matter.ID
	Seq    uint64
	Epoch  uint64
	TimeMS int64
}
