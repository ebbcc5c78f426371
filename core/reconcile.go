package core

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"causa/crypto/mls"
	"causa/internal/fault"
	"causa/matter"
	"causa/orglog"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

// The MLS group is the list of participants. What differs between it and what should
// be — a wish of this person, a revoked device, a new device of a participant, an epoch
// that is a day old — is put right here, by whichever device comes first.

const (
	epochLife  = 24 * time.Hour         // an active matter's keys are renewed after this
	otherTurn  = 2 * time.Second        // others' devices wait up to this, so that not all commit at once
	lastTry    = 5 * time.Minute        // between tries that keep failing
	createTry  = 2 * time.Second        // after the hub refused a new matter because it is busy
	conflictIn = 200 * time.Millisecond // after someone else was faster
)

// reconcileDue looks at the matters whose time has come and returns when the next one's
// will.
func (c *Client) reconcileDue(ctx context.Context, l *link) (next time.Time, err error) {
	now := time.Now()
	for id, when := range c.work.ends {
		if when.After(now) {
			next = earlier(next, when)
			continue
		}
		delete(c.work.ends, id)
		c.lookAt(id, now)
	}
	for id, when := range maps.Clone(c.work.look) {
		if when.After(now) {
			next = earlier(next, when)
			continue
		}
		delete(c.work.look, id)
		again, err := c.reconcile(ctx, l, id)
		if err != nil {
			return next, err
		}
		if !again.IsZero() {
			c.lookAt(id, again)
			next = earlier(next, again)
		}
	}
	return next, nil
}

// A plan is what a commit has to change.
type plan struct {
	add    []matter.DeviceID
	remove []mls.LeafIndex
	own    bool // somebody here waits for it
	unmet  bool // somebody who is wanted has no device
	rotate bool // nothing but fresh keys
}

func (p *plan) empty() bool { return len(p.add) == 0 && len(p.remove) == 0 && !p.rotate }

// reconcile makes the commit that a matter needs, if it needs one. again is when to look
// once more; zero means not before something changes.
func (c *Client) reconcile(ctx context.Context, l *link, id matter.ID) (again time.Time, err error) {
	if c.work.committing[id] {
		return again, nil // one commit at a time; when it is applied, there is another look
	}
	var row *store.Group
	var place store.Place
	var wanted map[matter.MemberID]store.Wish
	var known matter.Matter
	var waiting int
	err = c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		if place, err = tx.Place(id); err != nil {
			return err
		}
		if known, err = tx.Matter(id); err != nil {
			return err
		}
		if wanted, err = tx.Wanted(id); err != nil {
			return err
		}
		box, err := tx.OutboxOf(id)
		if err != nil {
			return err
		}
		waiting = len(box)
		row, err = tx.Group(id)
		return err
	})
	if errors.Is(err, store.ErrNone) {
		delete(c.work.turn, id)
		return again, nil
	}
	if err != nil {
		return again, err
	}
	group, _, err := c.loadGroup(&store.Group{State: row.State})
	if err != nil {
		return again, err
	}
	if place.State == matter.StateDraft {
		return again, nil
	}
	if place.Unborn {
		if again, err = c.create(ctx, l, id, group); err != nil || !again.IsZero() {
			return again, err
		}
	}
	c.follows(&known, group, wanted)
	p := c.plan(group, wanted)
	p.rotate = p.empty() && waiting > 0 && c.now().Sub(row.Since) > epochLife
	if p.empty() {
		delete(c.work.turn, id)
		if p.unmet {
			c.finish(id, notReachable()) // the organisation log will tell when they have a device
		} else {
			c.finish(id, nil)
		}
		return again, nil
	}
	if !p.own && !p.rotate && waiting == 0 {
		if due, ok := c.work.turn[id]; !ok {
			due = time.Now().Add(rand.N(otherTurn))
			c.work.turn[id] = due
			return due, nil
		} else if time.Now().Before(due) {
			return due, nil
		}
	}
	delete(c.work.turn, id)
	return c.commit(ctx, l, id, group, p)
}

// finish notes how the last attempt to fulfil wishes for a matter ended, for whoever
// waits for it.
func (c *Client) finish(id matter.ID, problem error) {
	if problem == nil {
		delete(c.work.problems, id)
		delete(c.work.fails, id)
	} else {
		c.work.problems[id] = problem
	}
	c.events.tell(reconciled{id, problem})
}

// reconciled: the engine has looked at a matter's participants. Only [Client] listens.
type reconciled struct {
	id      matter.ID
	problem error
}

func (reconciled) event() {}

// create registers a matter that was opened here with the hub.
func (c *Client) create(ctx context.Context, l *link, id matter.ID, g *mls.Group) (again time.Time, err error) {
	info, err := g.GroupInfo()
	if err != nil {
		return again, err
	}
	if err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		return tx.AddRecent(id, store.RecentEntry{Payload: info}, c.now())
	}); err != nil {
		return again, err
	}
	_, err = l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_CreateMatter{CreateMatter: &pb.CreateMatter{Matter: id[:], GroupInfo: info}}})
	var r *refusal
	if refused(err, wire.CodeNotAllowed) || refused(err, wire.CodeMatterExists) {
		c.finish(id, worded(err))
		return again, c.giveUp(ctx, id, worded(err))
	}
	if errors.As(err, &r) {
		c.finish(id, r.worded())
		return time.Now().Add(max(createTry, time.Duration(r.RetryAfter)*time.Millisecond)), nil
	}
	if err != nil {
		return again, err
	}
	return again, c.home.db.Update(ctx, func(tx *store.Tx) error { return tx.SetUnborn(id, false) })
}

// giveUp ends a matter the hub will never take; what was said in it stays here, marked
// as not sent.
func (c *Client) giveUp(ctx context.Context, id matter.ID, why error) error {
	err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		if err := c.failAll(tx, id, why); err != nil {
			return err
		}
		if err := tx.SetRemoved(id); err != nil {
			return err
		}
		return tx.DropGroup(id)
	})
	if err != nil {
		return err
	}
	c.events.tell(MatterChanged{id})
	return c.countQueue(ctx)
}

// plan compares a group with what it should be.
func (c *Client) plan(g *mls.Group, wanted map[matter.MemberID]store.Wish) plan {
	var p plan
	id := matter.ID(g.GroupID())
	in := map[matter.DeviceID]bool{}
	members := map[matter.MemberID]bool{}
	for _, leaf := range g.Members() {
		device := deviceOf(leaf.Identity)
		dev, _, ok := c.dir.device(device)
		w, wish := wanted[dev.Member]
		switch {
		case ok && wish && !w.Present && dev.Member != c.acct.Member: // nobody commits themselves out
			p.remove, p.own = append(p.remove, leaf.Index), p.own || w.Own
		case !ok || !c.dir.mayHave(device, id):
			p.remove = append(p.remove, leaf.Index)
		default:
			in[device], members[dev.Member] = true, true
		}
	}
	for m, w := range wanted {
		if w.Present {
			members[m] = true
			p.own = p.own || w.Own
			p.unmet = p.unmet || w.Own && len(c.dir.devicesOf(m)) == 0
		}
	}
	c.dir.see(func(s *orglog.State) {
		for _, dev := range s.Devices() { // in the order of enrolment
			if members[dev.Member] && !in[dev.ID] && dev.Module == c.dir.module && s.ActiveDevice(dev.ID) && !s.WipedFrom(dev.ID, id) {
				p.add = append(p.add, dev.ID)
				p.own = p.own || dev.Member == c.acct.Member
			}
		}
	})
	return p
}

// commit makes the commit for a plan and offers it to the hub.
func (c *Client) commit(ctx context.Context, l *link, id matter.ID, g *mls.Group, p plan) (again time.Time, err error) {
	packages, welcomed, err := c.claim(ctx, l, g.Suite(), p.add)
	if err != nil {
		return c.later(id, err)
	}
	if len(packages) == 0 && len(p.remove) == 0 && !p.rotate {
		return c.later(id, notReachable())
	}
	pending, err := g.Commit(mls.CommitRequest{Add: packages, Remove: p.remove, ForcePath: p.rotate})
	if err != nil {
		return c.later(id, err)
	}
	state, err := pending.Marshal()
	if err != nil {
		return again, err
	}
	if err := c.home.db.Update(ctx, func(tx *store.Tx) error { return tx.SetPending(id, state) }); err != nil {
		return again, err
	}
	bundle := &pb.CommitBundle{
		Matter: id[:], Epoch: g.Epoch(), Commit: pending.Commit(), Welcome: pending.Welcome(), WelcomeDevices: welcomed, GroupInfo: pending.GroupInfo(),
	}
	_, err = l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_CommitBundle{CommitBundle: bundle}})
	if err == nil {
		c.work.committing[id] = true // until its entry is pushed to us, and applied in its place
		return again, nil
	}
	var r *refusal
	if !errors.As(err, &r) {
		return again, err // not known whether the hub took it: catching up will tell
	}
	pending.Discard()
	if err := c.home.db.Update(ctx, func(tx *store.Tx) error { return tx.SetPending(id, nil) }); err != nil {
		return again, err
	}
	switch r.Code {
	case wire.CodeEpochConflict:
		c.work.behind[id] = true
		return time.Now().Add(conflictIn), nil
	case wire.CodeCommitRefused, wire.CodeRemovalDue:
		if err := c.pullLog(ctx, l); err != nil {
			return again, err
		}
	case wire.CodeNoMatter:
		c.work.behind[id] = true
	}
	return c.later(id, r)
}

// later notes a problem that time may heal; one that ends the connection is returned.
func (c *Client) later(id matter.ID, err error) (time.Time, error) {
	if errors.Is(err, ErrOffline) || errors.Is(err, context.Canceled) {
		return time.Time{}, err
	}
	c.log.Info("participants can't be changed now", "err", err)
	c.finish(id, worded(err))
	c.work.fails[id]++
	return time.Now().Add(min(backoff(c.work.fails[id]), lastTry)), nil
}

func notReachable() error {
	return &fault.Error{
		Text: "This person can't be added yet: they have no device that has been online.",
		Hint: "They are added by themselves as soon as one has.",
	}
}

// claim takes one verified key package of a suite for each device that has any.
func (c *Client) claim(ctx context.Context, l *link, suite mls.Suite, devices []matter.DeviceID) (out []*mls.KeyPackage, ids [][]byte, err error) {
	for chunk := range slices.Chunk(devices, wire.MaxClaim) {
		req := &pb.ClaimKeyPackages{Suite: uint32(suite)}
		for _, d := range chunk {
			req.Devices = append(req.Devices, d[:])
		}
		f, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_ClaimKeyPackages{ClaimKeyPackages: req}})
		if err != nil {
			return nil, nil, err
		}
		for _, claimed := range f.GetKeyPackages().GetClaimed() {
			kp, err := mls.ParseKeyPackage(claimed.GetKeyPackage())
			if err == nil {
				err = kp.Verify(c.now(), c.dir.checkLeaf)
			}
			id := deviceOf(claimed.GetDevice())
			if err != nil || kp.Suite() != suite || deviceOf(kp.Identity()) != id || !slices.Contains(chunk, id) || !c.dir.active(id) {
				c.log.Warn("key package can't be used", "err", err)
				continue
			}
			out, ids = append(out, kp), append(ids, id[:])
		}
	}
	return out, ids, nil
}
