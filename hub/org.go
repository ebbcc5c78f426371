package hub

import (
	"crypto/ed25519"
	"sync"
	"time"

	"causa/hub/db"
	"causa/matter"
	"causa/orglog"
	"causa/wire"
)

// An org is the organisation as the log that is on the disk says. The writer changes
// it; everybody reads. It is safe for concurrent use.
type org struct {
	mu    sync.RWMutex
	state *orglog.State
}

func (o *org) next() uint64 {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.state.Next()
}

func (o *org) activeDevices() int {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return activeDevices(o.state)
}

func (o *org) active(id matter.DeviceID) bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.state.ActiveDevice(id)
}

// device returns a device that was ever enrolled, its member and its key.
func (o *org) device(id matter.DeviceID) (d matter.Device, m matter.Member, key ed25519.PublicKey, ok bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	d, key, ok = o.state.Device(id)
	if ok {
		m, ok = o.state.Member(d.Member)
	}
	return d, m, key, ok
}

// key returns the identity key of a device; strict asks for it to be active, too.
func (o *org) key(id matter.DeviceID, strict bool) (ed25519.PublicKey, bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	_, key, ok := o.state.Device(id)
	return key, ok && (!strict || o.state.ActiveDevice(id))
}

// devicesOf returns the devices of a device's member that are for the same module.
func (o *org) devicesOf(id matter.DeviceID) (ids []matter.DeviceID) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	d, _, ok := o.state.Device(id)
	if !ok {
		return nil
	}
	for _, other := range o.state.DevicesOf(d.Member) {
		if other.Module == d.Module {
			ids = append(ids, other.ID)
		}
	}
	return ids
}

// sameModule reports whether devices may be in one matter: a sealed module's devices are
// with each other only.
func (o *org) sameModule(ids []matter.DeviceID) bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.state.SameModule(ids)
}

// anyOut reports whether one of some devices may not take part in a matter: it is not active,
// or an order took the matter from it.
func (o *org) anyOut(id matter.ID, devices []matter.DeviceID) bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, d := range devices {
		if !o.state.ActiveDevice(d) || o.state.WipedFrom(d, id) {
			return true
		}
	}
	return false
}

func (o *org) openInvite(key ed25519.PublicKey, at time.Time) error {
	o.mu.RLock()
	defer o.mu.RUnlock()
	_, err := o.state.OpenInvite(key, at)
	return err
}

// check verifies an entry that would come next.
func (o *org) check(e *orglog.Entry) error {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.state.Check(e)
}

// apply takes over an entry that is on the disk.
func (o *org) apply(e *orglog.Entry) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.state.Apply(e)
}

// endedBy returns the devices that a checked entry takes out of the organisation.
func (o *org) endedBy(e *orglog.Entry) []matter.DeviceID {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.state.Ends(e)
}

// barred says why a device is not served: not at all, or only to hear of the wipe orders
// that it owes a receipt for and to give it. 0 when it is.
func (o *org) barred(id matter.DeviceID) (why wire.Code, owes bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	switch {
	case o.state.ServedDevice(id):
		return 0, false
	case o.state.ActiveDevice(id):
		why = wire.CodeLocked
	default:
		why = wire.CodeRevoked
	}
	return why, len(o.state.WipesOf(id)) > 0
}

// A directory knows the devices by number. It is safe for concurrent use.
type directory struct {
	mu   sync.RWMutex
	byNo map[db.DeviceNo]matter.DeviceID
	byID map[matter.DeviceID]db.DeviceNo
}

func newDirectory(devices map[db.DeviceNo]matter.DeviceID) *directory {
	d := &directory{byNo: devices, byID: make(map[matter.DeviceID]db.DeviceNo, len(devices))}
	for no, id := range devices {
		d.byID[id] = no
	}
	return d
}

func (d *directory) add(no db.DeviceNo, id matter.DeviceID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byNo[no] = id
	d.byID[id] = no
}

func (d *directory) no(id matter.DeviceID) (db.DeviceNo, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	no, ok := d.byID[id]
	return no, ok
}

func (d *directory) ids(nos []db.DeviceNo) []matter.DeviceID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	ids := make([]matter.DeviceID, len(nos))
	for i, no := range nos {
		ids[i] = d.byNo[no]
	}
	return ids
}
