package core

import (
	"sync"

	"causa/matter"
)

// wishes are matters whose participants somebody wants the engine to look at now. It is
// safe for concurrent use.
type wishes struct {
	mu  sync.Mutex
	all []matter.ID
}

func (w *wishes) add(id matter.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, id)
}

func (w *wishes) take() []matter.ID {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.all
	w.all = nil
	return all
}
