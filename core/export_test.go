package core

import (
	"context"
	"testing"

	"causa/matter"
	"causa/store"
)

// LoseGroup makes a closed home forget a matter's keys, as a damaged store would.
func LoseGroup(t *testing.T, opts Options, id matter.ID) {
	t.Helper()
	h, err := openHome(context.Background(), opts.Home, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.db.Update(context.Background(), func(tx *store.Tx) error { return tx.DropGroup(id) }); err != nil {
		t.Error(err)
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
}
