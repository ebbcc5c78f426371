package core

import (
	"context"
	"errors"
	"slices"
	"time"

	"causa/matter"
	"causa/store"
)

// A View chooses matters. Its zero value shows all.
type View struct {
	Mine    bool           // this member is the owner
	Open    bool           // not concluded and not archived
	Waiting bool           // something in it waits for this member
	Class   matter.Class   // empty: any
	States  []matter.State // none: any
	DueBy   time.Time      // zero: whenever; else those with a date up to then, soonest first
}

// View lists the matters of a view, those that moved last first.
func (c *Client) View(ctx context.Context, v View) (out []matter.Matter, err error) {
	f := store.Filter{Class: v.Class, States: v.States, DueBy: v.DueBy, Soonest: !v.DueBy.IsZero(), Limit: maxMatters}
	if v.Mine {
		f.Owner = c.acct.Member
	}
	if v.Waiting {
		f.Waiting = c.acct.Member
	}
	if v.Open && len(f.States) == 0 {
		f.States = []matter.State{matter.StateOpen, matter.StateWaiting}
	}
	err = c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		if out, err = tx.MattersWhere(f); err != nil {
			return err
		}
		return c.countWaits(tx, out)
	})
	return out, worded(err)
}

// countWaits fills in how much of each matter waits for this member.
func (c *Client) countWaits(tx *store.Tx, ms []matter.Matter) error {
	waits, err := tx.Waits(c.acct.Member)
	if err != nil {
		return err
	}
	for i := range ms {
		ms[i].Waiting = waits[ms[i].ID]
	}
	return nil
}

// Waiting lists what waits for this member in all matters that go on: tasks, soonest
// first, then messages that call for them and that they have not answered.
func (c *Client) Waiting(ctx context.Context) (out []matter.Message, err error) {
	err = c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		out, err = tx.WaitingLines(c.acct.Member, maxMatters)
		return err
	})
	return out, worded(err)
}

// A Side is a part of a thread that is listed beside it.
type Side string

// The sides of a thread.
const (
	SidePinned    Side = "pinned"
	SideTasks     Side = "tasks"
	SidePolls     Side = "polls"
	SideDecisions Side = "decisions"
	SideHistory   Side = "history"
)

// Sides lists the sides of a thread.
func Sides() []Side { return []Side{SidePinned, SideTasks, SidePolls, SideDecisions, SideHistory} }

var stored = map[Side]store.Side{
	SidePinned: store.SidePinned, SideTasks: store.SideTasks, SidePolls: store.SidePolls,
	SideDecisions: store.SideDecisions, SideHistory: store.SideHistory,
}

// maxSide is how many lines of a side are listed.
const maxSide = 10000

// Side lists one side of a thread, oldest first.
func (c *Client) Side(ctx context.Context, id matter.ID, s Side) (out []matter.Message, err error) {
	if !slices.Contains(Sides(), s) {
		return nil, errors.New("there is no such side of a thread")
	}
	err = c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		out, err = tx.SideLines(id, stored[s], maxSide)
		return err
	})
	return out, worded(err)
}
