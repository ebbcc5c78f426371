package hub

import (
	"bytes"
	"errors"
	"sync"
	"time"

	"causa/crypto/mls/framing"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/tree"
	"causa/matter"
	"causa/wire"
)

// maxLifetime is the longest lifetime of a key package that the hub takes.
const maxLifetime = 400 * 24 * time.Hour

// checkWait is when to try again after too many commits waited to be verified.
const checkWait = 500 * time.Millisecond

// leafCheck holds a leaf to the organisation log: its identity is a device's id and
// its key that device's. Strict asks for the device to be active, too; of leaves that
// are in a group already only the matter's next commit can judge that.
func (o *org) leafCheck(strict bool) tree.LeafCheck {
	return func(identity, signatureKey []byte) error {
		if len(identity) != len(matter.DeviceID{}) {
			return errors.New("leaf of no device")
		}
		key, ok := o.key(matter.DeviceID(identity), strict)
		if !ok {
			return errors.New("leaf of a device that is not active")
		}
		if !bytes.Equal(key, signatureKey) {
			return errors.New("leaf with another key than the device's")
		}
		return nil
	}
}

// checkKeyPackage verifies a key package of a device and returns its suite and when it
// expires.
func (h *Hub) checkKeyPackage(b []byte, device matter.DeviceID, lastResort bool) (id uint16, notAfter time.Time, err error) {
	m, err := framing.Parse(b)
	if err != nil || m.Format != framing.FormatKeyPackage {
		return 0, time.Time{}, refuse(wire.CodeKeyPackage)
	}
	kp := m.KeyPackage
	s, err := suite.Of(kp.Suite)
	if err != nil {
		return 0, time.Time{}, refuse(wire.CodeKeyPackage)
	}
	lifetimes := framing.Lifetimes{Max: maxLifetime, Now: h.opts.now()}
	if err := kp.Verify(s, nil, lifetimes, h.org.leafCheck(true)); err != nil {
		return 0, time.Time{}, refuse(wire.CodeKeyPackage)
	}
	_, last := kp.Extensions.Find(tree.ExtLastResort)
	if last != lastResort || !bytes.Equal(kp.Leaf.Credential.Presented(), device[:]) {
		return 0, time.Time{}, refuse(wire.CodeKeyPackage)
	}
	return uint16(kp.Suite), time.Unix(int64(kp.Leaf.Lifetime.NotAfter), 0), nil // Max keeps it in range
}

// How many matters' public states are kept ready for their next commit, and the bytes
// of their GroupInfos.
const (
	maxViews     = 256
	maxViewBytes = 48 << 20
)

// views keeps the public states of matters that have lately changed. It is safe for
// concurrent use.
type views struct {
	mu    sync.Mutex
	kept  map[matter.ID]keptView
	bytes int
}

type keptView struct {
	epoch uint64
	view  *groupView
	size  int // of its GroupInfo
}

func newViews() *views { return &views{kept: map[matter.ID]keptView{}} }

// put keeps the public state of an epoch that the hub has accepted; size is its
// GroupInfo's.
func (v *views) put(id matter.ID, epoch uint64, view *groupView, size int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	have, ok := v.kept[id]
	if ok && have.epoch > epoch {
		return
	}
	v.kept[id] = keptView{epoch, view, size}
	v.bytes += size - have.size
	for other, have := range v.kept {
		if len(v.kept) <= maxViews && v.bytes <= maxViewBytes {
			return
		}
		if other != id {
			delete(v.kept, other)
			v.bytes -= have.size
		}
	}
}

// get returns the public state of a matter in an epoch, if it is there.
func (v *views) get(id matter.ID, epoch uint64) *groupView {
	v.mu.Lock()
	defer v.mu.Unlock()
	if have, ok := v.kept[id]; ok && have.epoch == epoch {
		return have.view
	}
	return nil
}
