package core

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"causa/matter"
	"causa/orglog"
	"causa/store"
)

// A Client is one device of a member: it keeps the store, talks to the hub and tells
// its listeners what changes. It is safe for concurrent use.
//
// One goroutine, the engine, owns all that must happen in order: taking the hub's
// entries, committing changes of membership and sending. Everybody else writes wishes
// into the store and nudges it.
type Client struct {
	home *home
	acct *account
	key  ed25519.PrivateKey
	self matter.DeviceID
	dir  *directory
	log  *slog.Logger

	events listeners
	nudge  chan struct{} // has a token when the engine should look again
	stop   context.CancelFunc
	ended  chan struct{} // closed when the engine has stopped

	link  atomic.Pointer[link]  // nil while offline
	clock atomic.Int64          // the hub's clock minus ours, nanoseconds
	retry atomic.Pointer[error] // why the last try to reach the hub failed

	quiet quiet
	alarm alarms
	read  reads

	files   *files
	wishes  wishes
	refresh atomic.Bool // somebody wants to know that nothing is missing here
	relook  atomic.Bool // the directory was changed from here: every group is to be looked at

	leaseMu sync.Mutex // guards the home's lease

	mu     sync.Mutex // guards status and synced
	status Status
	synced chan struct{} // closed while the engine has nothing left to do
	idle   bool

	work engineState // the engine's own
}

// Open opens the account in opts.Home and starts its engine. The error wraps
// [ErrNoAccount] when there is none.
func Open(ctx context.Context, opts Options) (*Client, error) {
	h, err := openHome(ctx, opts, false)
	if err != nil {
		return nil, worded(err)
	}
	var acct *account
	err = h.db.View(ctx, func(tx *store.Tx) (err error) {
		acct, err = readAccount(tx)
		return err
	})
	if err == nil && !acct.Joined {
		err = ErrNoAccount
	}
	if errors.Is(err, ErrNoAccount) {
		err = noAccount()
	}
	if err != nil {
		return nil, worded(errors.Join(err, h.close()))
	}
	c, err := start(ctx, h, acct, opts)
	if err != nil {
		return nil, worded(errors.Join(err, h.close()))
	}
	return c, nil
}

// start makes the client of a joined account and starts its engine.
func start(ctx context.Context, h *home, acct *account, opts Options) (*Client, error) {
	c, err := newClient(ctx, h, acct, opts)
	if err != nil {
		return nil, err
	}
	ectx, stop := context.WithCancel(context.Background())
	c.stop = stop
	var both sync.WaitGroup
	both.Go(func() { c.run(ectx) })
	both.Go(func() { c.mindTime(ectx) })
	both.Go(func() { c.keepLease(ectx) })
	go func() {
		both.Wait()
		close(c.ended)
	}()
	c.files.start(ectx)
	return c, nil
}

// newClient makes a client whose engine does not run.
func newClient(ctx context.Context, h *home, acct *account, opts Options) (*Client, error) {
	dir, err := openDirectory(ctx, h.db, acct.Org)
	if err != nil {
		return nil, err
	}
	self, _, _ := dir.device(acct.device())
	dir.module = self.Module
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Client{
		home: h, acct: acct, key: acct.key(), self: acct.device(), dir: dir, log: log,
		nudge: make(chan struct{}, 1), ended: make(chan struct{}), synced: make(chan struct{}), work: newEngineState(),
		alarm: alarms{nudge: make(chan struct{}, 1)},
	}
	if err := c.quiet.load(ctx, h.db); err != nil {
		return nil, err
	}
	c.files = newFiles(c)
	if err := c.forgetOpened(); err != nil {
		return nil, err
	}
	if h.db.Recovery().Damaged {
		// Cursors, keys and messages went back together: pulling fetches what followed.
		log.Warn("the end of the store was damaged; the hub has what is missing")
	}
	return c, c.countQueue(ctx)
}

// Close stops the engine and closes the store. What was queued stays queued.
func (c *Client) Close() error {
	c.stop()
	<-c.ended
	c.files.wait()
	if err := c.noteSeen(context.Background()); err != nil {
		c.log.Warn("how far the module has come can't be noted", "err", err)
	}
	return errors.Join(c.forgetOpened(), c.home.close())
}

// Me says who uses this client, where.
type Me struct {
	Organisation string
	OrgID        string
	Member       matter.Member
	Device       matter.Device
	Hub          string // host:port
}

// Me returns who uses this client.
func (c *Client) Me() Me {
	m := Me{Hub: c.acct.Hub, OrgID: c.acct.Org.String()}
	c.dir.see(func(s *orglog.State) {
		m.Organisation = s.Organisation()
		m.Member, _ = s.Member(c.acct.Member)
		m.Device, _, _ = s.Device(c.self)
	})
	return m
}

// Subscribe has f called for every event from now on, in order, on an engine
// goroutine: f must return quickly and must not call cancel.
func (c *Client) Subscribe(f func(Event)) (cancel func()) { return c.events.add(f) }

// Status says how the engine is doing.
func (c *Client) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

func (c *Client) setStatus(change func(*Status)) {
	c.mu.Lock()
	old := c.status
	change(&c.status)
	now := c.status
	c.mu.Unlock()
	if !old.Equal(now) {
		c.events.tell(StatusChanged{now})
		c.setAlarm()
	}
}

// setIdle notes whether the engine has nothing left to do.
func (c *Client) setIdle(idle bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if idle == c.idle {
		return
	}
	c.idle = idle
	if idle {
		close(c.synced)
	} else {
		c.synced = make(chan struct{})
	}
}

// kick makes the engine look again at what there is to do.
func (c *Client) kick() {
	c.setIdle(false)
	select {
	case c.nudge <- struct{}{}:
	default:
	}
}

// Sync waits until everything said here is with the hub and everything the hub had when
// Sync was called is here. When ctx ends first, the error says why it could not be done.
func (c *Client) Sync(ctx context.Context) error {
	c.refresh.Store(true)
	c.kick()
	for {
		c.mu.Lock()
		synced, idle := c.synced, c.idle
		c.mu.Unlock()
		if idle {
			return nil
		}
		select {
		case <-synced:
		case <-c.ended:
			if p := c.Status().Problem; p != nil {
				return p
			}
			return ErrClosed
		case <-ctx.Done():
			if p := c.Status().Problem; p != nil {
				return p
			}
			return offline(ctx.Err())
		}
	}
}

// now is the hub's time, as far as it is known.
func (c *Client) now() time.Time { return time.Now().Add(time.Duration(c.clock.Load())) }

// online returns the connection, or an error with words.
func (c *Client) online() (*link, error) {
	if l := c.link.Load(); l != nil {
		return l, nil
	}
	if err := c.retry.Load(); err != nil {
		return nil, *err
	}
	return nil, offline(nil)
}

func (c *Client) countQueue(ctx context.Context) error {
	var n int
	err := c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		n, err = tx.OutboxLen()
		return err
	})
	if err == nil {
		c.setStatus(func(s *Status) { s.Queued = n })
	}
	return err
}
