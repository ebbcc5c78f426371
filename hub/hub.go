// Package hub is the server of one organisation. It orders and keeps ciphertext that
// it can't read, serves the devices that the organisation log lists as active, and
// acknowledges nothing before the disk has it.
package hub

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"causa/hub/db"
	"causa/hub/db/postgres"
	"causa/hub/vault"
	"causa/internal/fault"
	"causa/internal/folderlock"
	"causa/orglog"
)

const (
	databaseFile = "hub.db"
	addressFile  = "address" // says where the hub listens
)

// A Hub serves one organisation from one data folder. Its methods are safe for
// concurrent use.
//
// Who owns what: the writer's goroutine changes the database and the organisation's
// state; another answers and distributes what it has committed; each connection has
// one that reads and, while there is something to say, one that writes; the keeper
// minds the time. Close waits for all of them.
type Hub struct {
	opts        Options
	log         *slog.Logger
	lock        *folderlock.Lock
	db          *db.DB
	vault       *vault.Store
	org         *org
	directory   *directory
	bus         *bus          // nil unless hubs talk to each other
	lookNow     chan struct{} // another hub has added to the organisation log
	online      *online
	guard       *guard
	writer      *writer
	views       *views
	blobs       *blobs
	founding    orglog.Invite      // its key lets the founder in
	key         ed25519.PrivateKey // signs what the hub has done
	incarnation uint64             // grows by a restore
	started     time.Time
	cert        tls.Certificate
	authority   *authority // nil unless certificates come from one
	pin         [32]byte
	listener    net.Listener
	server      *http.Server

	limitsMu sync.Mutex
	limits   map[db.DeviceNo]*limits

	counters counters
	metrics  net.Listener // nil unless asked for
	aside    aside
	attention

	unsettled     atomic.Bool   // what the log says about slots is not carried out yet
	full          atomic.Bool   // the disk was full when something was last to be stored
	gone          atomic.Bool   // the database could not be reached for some time
	told          told          // how far devices here know of matters
	refreshing    sync.Mutex    // held while the writer catches up on somebody\'s behalf
	checks        chan struct{} // held while a commit is verified
	waitingChecks atomic.Int32
	requests      turnstile // of large requests
	answers       turnstile // of large answers

	goroutines sync.WaitGroup // connections' and the keeper's
	writing    sync.WaitGroup // the writer's two
	stopKeeper context.CancelFunc
	closeOnce  sync.Once
	closeErr   error
}

// Open opens the data folder, making it at the first start, and begins to listen.
// Connections are served by [Hub.Serve].
func Open(o Options) (_ *Hub, err error) {
	if o.Data == "" {
		return nil, &fault.Error{Text: "The hub needs a data folder.", Hint: "Say which one with --data."}
	}
	o = o.withDefaults()
	h := &Hub{
		opts: o, log: o.Log, online: newOnline(), limits: map[db.DeviceNo]*limits{},
		lookNow: make(chan struct{}, 1), checks: make(chan struct{}, runtime.GOMAXPROCS(0)), requests: make(turnstile, maxRequests), answers: make(turnstile, maxAnswers),
	}
	h.guard = newGuard(o, &h.counters.turnedAway)
	defer func() {
		if err != nil {
			err = errors.Join(err, h.release())
		}
	}()
	if err := errors.Join(checkPublic(o.PublicURL), o.ACME.check(o)); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return nil, &fault.Error{
			Text: "The data folder can't be made.",
			Hint: "Choose another one, or let the hub write there.",
			Err:  err,
		}
	}
	if h.lock, err = takeFolder(o.Data); err != nil {
		return nil, err
	}
	if h.cert, h.pin, err = certificate(o); err != nil {
		return nil, err
	}
	if err := h.openStore(context.Background()); err != nil {
		return nil, err
	}
	if err := h.openVault(context.Background()); err != nil {
		return nil, err
	}
	if err := h.openQuiet(context.Background()); err != nil {
		return nil, err
	}
	if err := h.openBus(); err != nil {
		return nil, err
	}
	if h.listener, err = net.Listen("tcp", o.Listen); err != nil { //nolint:noctx // nothing to wait for
		return nil, &fault.Error{
			Text:     "The hub can't listen at %s.",
			TextArgs: []any{o.Listen},
			Hint:     "Another program may be using this address. Choose another one with --listen.",
			Err:      err,
		}
	}
	if err := h.listenMetrics(); err != nil {
		return nil, err
	}
	if len(o.ACME.Domains) > 0 {
		if h.authority, err = newAuthority(o, &h.cert, h.listener.Addr()); err != nil {
			return nil, err
		}
	}
	if err := writeFile(filepath.Join(o.Data, addressFile), []byte(h.Addr()+"\n")); err != nil {
		return nil, fmt.Errorf("write address: %w", err)
	}
	h.founding.Hub, h.founding.Pin = h.public(), h.pin
	if err := h.openBlobs(context.Background()); err != nil {
		return nil, err
	}
	h.server = h.httpServer()
	h.start()
	return h, nil
}

// listenMetrics takes the operator's own address, if there is one.
func (h *Hub) listenMetrics() (err error) {
	if h.opts.Metrics == "" {
		return nil
	}
	if h.metrics, err = net.Listen("tcp", h.opts.Metrics); err != nil { //nolint:noctx // nothing to wait for
		return &fault.Error{
			Text:     "The hub can't listen at %s.",
			TextArgs: []any{h.opts.Metrics},
			Hint:     "Another program may be using this address. Choose another one with --metrics.",
			Err:      err,
		}
	}
	return nil
}

// MetricsAddr returns the address of metrics, "" when they are not served.
func (h *Hub) MetricsAddr() string {
	if h.metrics == nil {
		return ""
	}
	return h.metrics.Addr().String()
}

// takeFolder takes the data folder for this process alone.
func takeFolder(data string) (*folderlock.Lock, error) {
	l, err := folderlock.Take(data)
	if errors.Is(err, folderlock.ErrTaken) {
		return nil, &fault.Error{
			Text: "Another hub is already running on this data folder.",
			Hint: "Stop it first, or give this one a folder of its own.",
			Err:  err,
		}
	}
	if err != nil {
		return nil, &fault.Error{Text: "The data folder can't be used.", Hint: "Let the hub read and write there.", Err: err}
	}
	return l, nil
}

// openStore opens the database and what is kept in memory of it.
func (h *Hub) openStore(ctx context.Context) (err error) {
	if h.db, err = openDatabase(ctx, h.opts.place()); err != nil {
		return err
	}
	if h.org, err = restoreOrg(ctx, h.db); err != nil {
		return storeFault(err)
	}
	devices, err := h.db.Devices(ctx)
	if err != nil {
		return storeFault(err)
	}
	h.directory = newDirectory(devices)
	h.views = newViews()
	raw, _, err := h.db.Meta(ctx, metaIncarnation)
	if err != nil {
		return storeFault(err)
	}
	if h.incarnation, err = decodeIncarnation(raw); err != nil {
		return storeFault(err)
	}
	return h.openKeys(ctx)
}

// openKeys reads the hub's own keys or, at the first start, makes them. The founding key is
// kept, so that the link stays the same until someone has used it.
func (h *Hub) openKeys(ctx context.Context) (err error) {
	if h.founding.Key, err = h.ownKey(ctx, metaFounding); err != nil {
		return err
	}
	h.key, err = h.ownKey(ctx, metaHubKey)
	return err
}

func (h *Hub) ownKey(ctx context.Context, name string) (ed25519.PrivateKey, error) {
	seed, ok, err := h.db.Meta(ctx, name)
	if err != nil {
		return nil, storeFault(err)
	}
	if !ok {
		fresh := make([]byte, ed25519.SeedSize)
		_, _ = rand.Read(fresh) // never fails
		if err := h.db.Write(ctx, func(tx *db.Tx) error {
			seed, err = tx.KeepMeta(name, fresh) // another hub may have been faster
			return err
		}); err != nil {
			return nil, storeFault(err)
		}
	}
	if len(seed) != ed25519.SeedSize {
		return nil, storeFault(fmt.Errorf("%s has another length", name))
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// storeFault gives words to what keeps a hub from starting.
func storeFault(err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	switch {
	case errors.Is(err, db.ErrFull):
		return &fault.Error{Text: "The disk of the hub is full.", Hint: "Make room, then start the hub again.", Err: err}
	case errors.Is(err, db.ErrNewer), errors.Is(err, vault.ErrNewer), errors.Is(err, orglog.ErrNewer):
		return &fault.Error{
			Text: "A newer version of the hub has used this data folder.",
			Hint: "Update causa-hub, then start it again.",
			Err:  err,
		}
	case errors.Is(err, db.ErrGone):
		return &fault.Error{
			Text: "The hub can't reach its database.",
			Hint: "See that PostgreSQL runs, and that the address, name and password in the configuration are right.",
			Err:  err,
		}
	case errors.Is(err, postgres.ErrSetting):
		return &fault.Error{
			Text: "The database server is set up to lose what it has acknowledged.",
			Hint: "Set fsync and full_page_writes to on in postgresql.conf.",
			Err:  err,
		}
	default:
		return &fault.Error{
			Text: "The hub's database can't be used.",
			Hint: "Check the disk, and restore the data folder from a backup if it is damaged.",
			Err:  err,
		}
	}
}

// start starts the writer and the keeper.
func (h *Hub) start() {
	h.writer = newWriter(h)
	h.writing.Go(h.writer.run)
	h.writing.Go(h.writer.deliver)
	ctx, stop := context.WithCancel(context.Background())
	h.stopKeeper = stop
	h.started = h.opts.now()
	h.goroutines.Go(func() { h.keep(ctx) })
	h.goroutines.Go(func() { h.sweepBlobs(ctx) })
	if h.db.Shared() {
		h.goroutines.Go(func() { h.follow(ctx) })
	}
	h.goroutines.Go(func() { h.holds.run(ctx) })
	h.goroutines.Go(func() { h.waker.run(ctx) })
	if h.opts.Retention > 0 {
		h.goroutines.Go(func() { h.retain(ctx) })
	}
}

// Addr returns the address at which the hub listens.
func (h *Hub) Addr() string { return h.listener.Addr().String() }

// Pin returns the pin of the hub's TLS key.
func (h *Hub) Pin() [32]byte { return h.pin }

// Founded reports whether there is an organisation.
func (h *Hub) Founded() bool { return h.org.next() > 0 }

// FoundingLink returns the link that makes its holder the organisation's founder; ok
// is false once someone has used it.
func (h *Hub) FoundingLink() (link string, ok bool) {
	if h.Founded() {
		return "", false
	}
	return h.founding.Link(), true
}

// public is where devices reach the hub: the operator's word, or a guess from the
// address it listens at.
func (h *Hub) public() string {
	if h.opts.PublicURL != "" {
		return strings.TrimSuffix(h.opts.PublicURL, "/")
	}
	addr, ok := h.listener.Addr().(*net.TCPAddr)
	if !ok || !addr.IP.IsUnspecified() {
		return h.Addr()
	}
	return net.JoinHostPort(reachable(), fmt.Sprint(addr.Port))
}

// checkPublic refuses a public address that would make links nobody can use.
func checkPublic(address string) error {
	if address == "" {
		return nil
	}
	if err := orglog.CheckHub(strings.TrimSuffix(address, "/")); err != nil {
		return &fault.Error{
			Text:     "%s is not an address at which devices can reach a hub.",
			TextArgs: []any{address},
			Hint:     "Write https://HOST, https://HOST:PORT or HOST:PORT.",
			Err:      err,
		}
	}
	return nil
}

// reachable returns an address of this machine that others may know it by.
func reachable() string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return "127.0.0.1"
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	return "127.0.0.1"
}

// Serve serves connections until ctx ends or Close is called, and then closes the hub.
func (h *Hub) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = h.Close() }) // returned below
	defer stop()
	h.listenControl()
	if h.metrics != nil {
		h.aside.serve(h.metrics, h.metricsHandler(), h.httpServerLog())
	}
	if h.authority != nil {
		if err := h.authority.start(h.opts.ACME.Domains); err != nil {
			return errors.Join(err, h.Close())
		}
	}
	err := h.server.ServeTLS(&guardedListener{Listener: h.listener, guard: h.guard}, "", "")
	if closeErr := h.Close(); closeErr != nil {
		return closeErr
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}

// Close lets nobody in any more, sees through what was handed over, and closes
// everything. It may be called more than once and beside Serve.
func (h *Hub) Close() error {
	h.closeOnce.Do(func() {
		h.aside.close()
		_ = h.server.Close() // closes the listener too, if it was being served
		h.stopKeeper()
		h.online.close()
		h.online.all(func(s *session) { s.part(websocket.StatusGoingAway) })
		h.awaitConnections()
		h.blobs.depot.Close()
		close(h.writer.in)
		h.writing.Wait()
		h.closeErr = h.release()
	})
	return h.closeErr
}

// release closes what Open opened.
func (h *Hub) release() error {
	var errs []error
	if h.authority != nil {
		h.authority.close()
	}
	for _, l := range []net.Listener{h.listener, h.metrics} {
		if l == nil {
			continue
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if h.vault != nil {
		errs = append(errs, h.vault.Close())
	}
	h.bus.close()
	if h.db != nil {
		errs = append(errs, h.db.Close())
	}
	if h.lock != nil {
		errs = append(errs, h.lock.Release())
	}
	return errors.Join(errs...)
}

func (h *Hub) newLimits() *limits {
	now := h.opts.now()
	return &limits{
		sends: newBucket(h.opts.Sends, now), commits: newBucket(h.opts.Commits, now),
		claims: newBucket(h.opts.Claims, now), requests: newBucket(h.opts.Requests, now),
	}
}

// limitsOf returns a device's token buckets: connecting anew does not fill them.
func (h *Hub) limitsOf(no db.DeviceNo) *limits {
	h.limitsMu.Lock()
	defer h.limitsMu.Unlock()
	l := h.limits[no]
	if l == nil {
		l = h.newLimits()
		h.limits[no] = l
	}
	return l
}
