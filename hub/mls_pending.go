package hub

import (
	"causa/matter"
	"causa/wire"
)

// A groupView is the public state of a matter's group.
type groupView struct{}

func (h *Hub) checkGroup(matter.ID, []byte, matter.DeviceID) (*groupView, error) {
	return nil, refuse(wire.CodeCommitRefused)
}

func (h *Hub) checkCommit(matter.ID, uint64, []byte, []byte, []byte) (*groupChange, error) {
	return nil, refuse(wire.CodeCommitRefused)
}
