package core

import (
	"context"
	"errors"
	"time"

	"causa/crypto/mls"
	"causa/crypto/seal"
	"causa/matter"
	"causa/store"
	"causa/wire/pb"
)

// mlsOptions are the same for every group: each leaf must be a device of the
// organisation. Past epochs' keys are not kept, for content does not travel in MLS's own
// messages.
func (c *Client) mlsOptions() mls.GroupOptions {
	return mls.GroupOptions{Check: c.dir.checkLeaf, Now: c.now, KeepEpochs: -1}
}

// loadGroup brings a stored group to life, and the own commit that the hub has not
// answered yet, if there is one.
func (c *Client) loadGroup(row *store.Group) (*mls.Group, *mls.Pending, error) {
	g, err := mls.Unmarshal(row.State, c.key, c.mlsOptions())
	if err != nil || row.Pending == nil {
		return g, nil, err
	}
	p, err := mls.UnmarshalPending(row.Pending, c.key, c.mlsOptions())
	if err != nil {
		return nil, nil, err
	}
	return g, p, nil
}

// putGroup stores a group that has entered a new epoch, and the epoch's content secret.
func (c *Client) putGroup(tx *store.Tx, id matter.ID, g *mls.Group, since time.Time) (*store.Group, error) {
	state, err := g.Marshal()
	if err != nil {
		return nil, err
	}
	secret, err := g.Export(seal.ExporterLabel, id[:], len(seal.Secret{}))
	if err != nil {
		return nil, err
	}
	if err := tx.PutGroup(id, g.Epoch(), since, state); err != nil {
		return nil, err
	}
	if err := tx.PutContentSecret(id, g.Epoch(), secret); err != nil {
		return nil, err
	}
	return &store.Group{Epoch: g.Epoch(), Since: since, State: state}, nil
}

// takeWelcomes joins every matter this device was added to meanwhile.
func (c *Client) takeWelcomes(ctx context.Context, l *link) error {
	for {
		f, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_TakeWelcomes{TakeWelcomes: &pb.TakeWelcomes{}}})
		if err != nil {
			return err
		}
		items := f.GetWelcomes().GetItems()
		if len(items) == 0 {
			return nil
		}
		if err := c.join(ctx, l, items); err != nil {
			return err
		}
	}
}

// join joins matters by their welcomes and has the hub drop what it has dealt with. A
// welcome that can't be used is dropped too: it would never be of use.
func (c *Client) join(ctx context.Context, l *link, items []*pb.Welcomes_Item) error {
	ids := make([]uint64, 0, len(items))
	for _, it := range items {
		err := c.joinOne(ctx, it)
		if errors.Is(err, errUnknownDevice) {
			if err := c.pullLog(ctx, l); err != nil {
				return err
			}
			err = c.joinOne(ctx, it)
		}
		var bad *badWelcome
		switch {
		case errors.As(err, &bad):
			c.log.Warn("welcome can't be used", "err", err)
			if err := c.comeBack(ctx, it); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			c.work.behind[matter.ID(it.GetMatter())] = true
		}
		ids = append(ids, it.GetId())
	}
	_, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_DropWelcomes{DropWelcomes: &pb.DropWelcomes{Ids: ids}}})
	return err
}

// comeBack plans to join a matter by an external commit, because its welcome is of no use.
func (c *Client) comeBack(ctx context.Context, it *pb.Welcomes_Item) error {
	id := matter.ID(it.GetMatter())
	err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		if stale, err := staleWelcome(tx, id, it.GetSeq()); err != nil || stale {
			return err
		}
		m := matter.Matter{ID: id, Class: matter.ClassGeneral, State: matter.StateOpen, Active: c.now()}
		c.work.lost[id] = time.Now()
		if err := tx.NewMatter(m, c.self, it.GetSeq()-1); err != nil {
			return err
		}
		return tx.SetBase(id, it.GetSeq(), c.self)
	})
	return err
}

// staleWelcome reports whether this device is past the commit that a welcome came with:
// it was used before, and the hub was not told in time.
func staleWelcome(tx *store.Tx, id matter.ID, seq uint64) (bool, error) {
	place, err := tx.Place(id)
	if errors.Is(err, store.ErrNone) {
		return false, nil
	}
	return max(place.Cursor, place.Base) >= seq, err
}

// A badWelcome is of no use to this device, now or later.
type badWelcome struct{ err error }

func (e *badWelcome) Error() string { return e.err.Error() }
func (e *badWelcome) Unwrap() error { return e.err }

func (c *Client) joinOne(ctx context.Context, it *pb.Welcomes_Item) error {
	if len(it.GetMatter()) != len(matter.ID{}) || len(it.GetSender()) != len(matter.DeviceID{}) || it.GetSeq() == 0 {
		return &badWelcome{errors.New("welcome is malformed")}
	}
	id, now := matter.ID(it.GetMatter()), c.now()
	if !c.dir.mayHave(c.self, id) {
		return nil // a wipe order took it from this device
	}
	var events []Event
	err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		if stale, err := staleWelcome(tx, id, it.GetSeq()); err != nil || stale {
			return err
		}
		var used []byte
		var dbErr error
		g, err := mls.Join(it.GetWelcome(), func(ref []byte) (*mls.KeyPackageSecrets, bool) {
			b, last, err := tx.KeyPackage(ref)
			if err != nil {
				if !errors.Is(err, store.ErrNone) {
					dbErr = err
				}
				return nil, false
			}
			s, err := mls.UnmarshalKeyPackageSecrets(b)
			if err != nil {
				dbErr = err
				return nil, false
			}
			if !last {
				used = ref
			}
			return s, true
		}, c.key, c.mlsOptions())
		if dbErr != nil {
			return dbErr
		}
		if errors.Is(err, errUnknownDevice) {
			return err
		}
		if err != nil {
			return &badWelcome{err}
		}
		if matter.ID(g.GroupID()) != id {
			return &badWelcome{errors.New("welcome of another matter than the hub says")}
		}
		// The hub names the adder. It can't gain by lying: only participants can
		// describe a matter, and the owner's word counts in the end.
		adder := matter.DeviceID(it.GetSender())
		if _, ok := g.Find(adder[:]); !ok {
			return &badWelcome{errors.New("welcome by someone who is not in the matter")}
		}
		if err := tx.NewMatter(matter.Matter{ID: id, Class: matter.ClassGeneral, State: matter.StateOpen, Active: now}, adder, it.GetSeq()-1); err != nil {
			return err
		}
		if err := tx.SetBase(id, it.GetSeq(), adder); err != nil {
			return err
		}
		if _, err := c.putGroup(tx, id, g, now); err != nil {
			return err
		}
		if err := tx.SetParticipants(id, c.participants(g, nil)); err != nil {
			return err
		}
		if used != nil {
			if err := tx.DropKeyPackage(used); err != nil {
				return err
			}
		}
		if in := c.participants(g, nil); it.GetSeq() > 1 && len(in) > 1 {
			by, _, _ := c.dir.device(adder)
			m := matter.Message{
				ID: matter.MessageID(digest(it.GetWelcome())), Matter: id, Seq: it.GetSeq(), Time: now, Delivery: matter.DeliverySent,
				Author: by.Member, Device: adder, Kind: matter.KindAdded, Subjects: []matter.MemberID{c.acct.Member},
			}
			if _, err := tx.AddMessage(m, c.acct.Member); err != nil {
				return err
			}
			events = append(events, MessageAdded{m})
		}
		events = append(events, MatterChanged{id})
		return nil
	})
	if err == nil {
		c.events.tell(events...)
		c.lookAt(id, time.Now())
	}
	return err
}

// How many key packages the hub should hold, and how long they are good for.
const (
	stockLow       = 10
	stockFull      = 40
	keyPackageLife = 60 * 24 * time.Hour
	lastResortLife = 30 * 24 * time.Hour // then a new one replaces it
)

// offerKeyPackages fills up the hub's stocks, so that others can add this device while
// it is away.
func (c *Client) offerKeyPackages(ctx context.Context, l *link, stocks []*pb.Stock) error {
	for _, suite := range suites {
		stock := 0
		for _, s := range stocks {
			if s.GetSuite() == uint32(suite) {
				stock = int(s.GetCount())
			}
		}
		if err := c.fillStock(ctx, l, suite, stock); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) fillStock(ctx context.Context, l *link, suite mls.Suite, stock int) error {
	now := c.now()
	var fresh bool
	err := c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		fresh, err = tx.HasLastResort(uint16(suite), now.Add(-lastResortLife))
		return err
	})
	if err != nil || stock >= stockLow && fresh {
		return err
	}
	req := &pb.PublishKeyPackages{}
	err = c.home.db.Update(ctx, func(tx *store.Tx) error {
		if err := tx.DropKeyPackagesBefore(now.Add(-2 * keyPackageLife)); err != nil {
			return err
		}
		for n := stock; n < stockFull; n++ {
			b, err := c.newKeyPackage(tx, suite, now, false)
			if err != nil {
				return err
			}
			req.KeyPackages = append(req.KeyPackages, b)
		}
		if !fresh {
			req.LastResort, err = c.newKeyPackage(tx, suite, now, true)
		}
		return err
	})
	if err != nil {
		return err
	}
	_, err = l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_PublishKeyPackages{PublishKeyPackages: req}})
	return err
}

func (c *Client) newKeyPackage(tx *store.Tx, suite mls.Suite, now time.Time, lastResort bool) ([]byte, error) {
	kp, secrets, err := mls.NewKeyPackage(suite, c.self[:], c.key, mls.KeyPackageOptions{
		LastResort: lastResort, NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(keyPackageLife),
	})
	if err != nil {
		return nil, err
	}
	return kp.Bytes(), tx.PutKeyPackage(kp.Ref(), uint16(suite), secrets.Marshal(), lastResort, now)
}
