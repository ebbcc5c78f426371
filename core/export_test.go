package core

import (
	"context"
	"testing"

	"causa/matter"
	"causa/store"
	"causa/wire/pb"
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

// Trimmed asks the hub up to where it no longer keeps a matter's entries.
func Trimmed(t *testing.T, c *Client, id matter.ID) uint64 {
	t.Helper()
	l, err := c.online()
	if err != nil {
		return 0 // between two connections
	}
	f, err := l.ask(context.Background(), &pb.ClientFrame{Body: &pb.ClientFrame_PullMatter{PullMatter: &pb.PullMatter{Matter: id[:]}}})
	if err != nil {
		return 0
	}
	return f.GetMatterPage().GetTrimmed()
}
