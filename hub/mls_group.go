package hub

import (
	"bytes"
	"errors"
	"sync/atomic"

	"causa/crypto/mls/view"
	"causa/matter"
	"causa/wire"
)

// A groupView is the public state of a matter's group in one epoch. It is immutable.
type groupView struct{ *view.View }

// openGroup verifies a GroupInfo. The leaves it has are held to what the organisation
// log knows; those that later commits let in must be of active devices. When fresh,
// those it has must be active as well.
func openGroup(o *org, info []byte, fresh bool) (*groupView, error) {
	var opened atomic.Bool
	opened.Store(fresh)
	known, active := o.leafCheck(false), o.leafCheck(true)
	v, err := view.Open(info, func(identity, signatureKey []byte) error {
		if opened.Load() {
			return active(identity, signatureKey)
		}
		return known(identity, signatureKey)
	})
	if err != nil {
		return nil, err
	}
	opened.Store(true)
	return &groupView{v}, nil
}

// checkGroup verifies the first GroupInfo of a matter: epoch 0, the matter's id, and
// the creator as the only leaf.
func (h *Hub) checkGroup(id matter.ID, info []byte, creator matter.DeviceID) (*groupView, error) {
	v, err := openGroup(h.org, info, true)
	if err != nil {
		h.log.Debug("group info refused", "err", err)
		return nil, refuse(wire.CodeCommitRefused)
	}
	members := v.Members()
	if v.Epoch() != 0 || v.Closed() || !bytes.Equal(v.GroupID(), id[:]) || len(members) != 1 || !bytes.Equal(members[0].Identity, creator[:]) {
		return nil, refuse(wire.CodeCommitRefused)
	}
	return v, nil
}

// checkCommit verifies a commit and the GroupInfo that goes with it against the public
// state of an epoch, which info describes when it is not at hand.
func (h *Hub) checkCommit(id matter.ID, epoch uint64, info, commit, nextInfo []byte) (*groupChange, error) {
	done, err := h.checkSlot()
	if err != nil {
		return nil, err
	}
	defer done()
	current := h.views.get(id, epoch)
	if current == nil {
		if current, err = openGroup(h.org, info, false); err != nil {
			return nil, err // the hub accepted it: this is not the peer's fault
		}
		h.views.put(id, epoch, current, len(info))
	}
	change, next, err := current.Commit(commit, nextInfo)
	if err != nil {
		h.log.Debug("commit refused", "err", err)
		return nil, refuse(wire.CodeCommitRefused)
	}
	if change.Closed { // a matter's group is never begun anew
		return nil, refuse(wire.CodeCommitRefused)
	}
	out, err := changeOf(change)
	if err != nil {
		return nil, err
	}
	out.next = &groupView{next}
	return out, nil
}

// changeOf names the devices of a change.
func changeOf(change *view.Change) (out *groupChange, err error) {
	out = &groupChange{external: change.External}
	if out.committer, err = deviceOf(change.Committer); err != nil {
		return nil, err
	}
	if out.added, err = devicesOf(change.Added); err != nil {
		return nil, err
	}
	out.removed, err = devicesOf(change.Removed)
	return out, err
}

// maxWaitingChecks is how many commits may wait to be verified.
const maxWaitingChecks = 64

// checkSlot waits for its turn to verify a commit: it costs processor time that sends
// need more. When too many wait, it refuses.
func (h *Hub) checkSlot() (done func(), err error) {
	if h.waitingChecks.Add(1) > maxWaitingChecks {
		h.waitingChecks.Add(-1)
		return nil, busy(checkWait)
	}
	h.checks <- struct{}{}
	return func() {
		<-h.checks
		h.waitingChecks.Add(-1)
	}, nil
}

func deviceOf(identity []byte) (matter.DeviceID, error) {
	if len(identity) != len(matter.DeviceID{}) {
		return matter.DeviceID{}, errors.New("a leaf that was checked is of no device")
	}
	return matter.DeviceID(identity), nil
}

func devicesOf(identities [][]byte) ([]matter.DeviceID, error) {
	out := make([]matter.DeviceID, len(identities))
	for i, b := range identities {
		var err error
		if out[i], err = deviceOf(b); err != nil {
			return nil, err
		}
	}
	return out, nil
}
