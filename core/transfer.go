package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"causa/internal/fault"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

const (
	stalled     = 2 * time.Minute  // how long a transfer may stand still
	tokenSpare  = 30 * time.Second // before its end a token is not used any more
	uploadPause = time.Second      // before trying again what has to wait for the engine
)

// files moves files to and from the hub, beside the engine. It has two goroutines, one
// that brings and one that fetches what is wanted; whoever asks for a file waits on a
// goroutine of their own. It is safe for concurrent use.
type files struct {
	c    *Client
	http *http.Client

	uploads, downloads chan struct{} // have a token when there may be something to do
	done               sync.WaitGroup

	mu      sync.Mutex
	taken   map[FileID]chan struct{}      // being fetched or saved right now; closed when it is not any more
	stop    map[FileID]context.CancelFunc // of the one that is being brought
	trouble map[FileID]error              // why a file on its way has to wait
}

func newFiles(c *Client) *files {
	return &files{
		c: c, http: &http.Client{Transport: &http.Transport{TLSClientConfig: pinned(c.acct.Pin), MaxIdleConnsPerHost: 4, IdleConnTimeout: 5 * time.Second}},
		uploads: make(chan struct{}, 1), downloads: make(chan struct{}, 1),
		taken: map[FileID]chan struct{}{}, stop: map[FileID]context.CancelFunc{}, trouble: map[FileID]error{},
	}
}

// start starts the two goroutines, which end with ctx.
func (f *files) start(ctx context.Context) {
	f.c.events.add(func(e Event) {
		if s, ok := e.(StatusChanged); ok && s.Status.Online {
			f.wakeUploads()
			f.wakeDownloads()
		}
	})
	f.done.Go(func() { f.loop(ctx, f.uploads, f.bringAll) })
	f.done.Go(func() { f.loop(ctx, f.downloads, f.fetchWanted) })
}

// wait waits for the goroutines.
func (f *files) wait() {
	f.done.Wait()
	f.http.CloseIdleConnections()
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (f *files) wakeUploads()   { wake(f.uploads) }
func (f *files) wakeDownloads() { wake(f.downloads) }

// loop does its work whenever it is woken while the hub is there, and again after the
// pause it asks for.
func (f *files) loop(ctx context.Context, woken <-chan struct{}, work func(context.Context) (pause time.Duration)) {
	for {
		var alarm <-chan time.Time
		if f.c.link.Load() != nil {
			if pause := work(ctx); pause > 0 {
				alarm = time.After(pause)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-woken:
		case <-alarm:
		}
	}
}

// take waits until nobody fetches or saves a file and then takes it.
func (f *files) take(ctx context.Context, id FileID) (giveBack func(), err error) {
	for {
		f.mu.Lock()
		other := f.taken[id]
		if other == nil {
			mine := make(chan struct{})
			f.taken[id] = mine
			f.mu.Unlock()
			return func() {
				f.mu.Lock()
				defer f.mu.Unlock()
				delete(f.taken, id)
				close(mine)
			}, nil
		}
		f.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// setTrouble notes why a file on its way has to wait; nil: it moves.
func (f *files) setTrouble(id FileID, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		delete(f.trouble, id)
	} else {
		f.trouble[id] = err
	}
}

func (f *files) troubleOf(id FileID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.trouble[id]
}

// cancelled ends the upload of a file that nobody wants any more.
func (f *files) cancelled(id FileID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if stop := f.stop[id]; stop != nil {
		stop()
	}
}

// A permit is a token of the hub and the time until which it is good.
type permit struct {
	token string
	until time.Time
}

func (p permit) good() bool { return time.Until(p.until) > tokenSpare }

// permit asks the hub for leave to move a blob.
func (f *files) permit(ctx context.Context, a *store.Attachment, direction pb.BlobDirection, size int64) (permit, error) {
	l, err := f.c.online()
	if err != nil {
		return permit{}, err
	}
	answer, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_GrantBlob{GrantBlob: &pb.GrantBlob{
		Matter: a.Matter[:], Blob: a.Remote[:], Direction: direction, Size: uint64(size),
	}}})
	if err != nil {
		return permit{}, err
	}
	g := answer.GetBlobGrant()
	if g == nil {
		return permit{}, errors.New("the hub answered a request for a token with something else")
	}
	return permit{g.GetToken(), time.UnixMilli(g.GetExpiresMs()).Add(-time.Duration(f.c.clock.Load()))}, nil
}

// A statusError is an answer of the hub that is not the one hoped for.
type statusError struct {
	status int
	after  time.Duration // how long to wait
}

func (e *statusError) Error() string { return fmt.Sprintf("the hub answered with status %d", e.status) }

// A call is one HTTPS request that ends when it stands still.
type call struct {
	*http.Response

	cancel context.CancelFunc
	timer  *time.Timer
}

// moved gives the request more time.
func (c *call) moved() { c.timer.Reset(stalled) }

func (c *call) close() {
	c.timer.Stop()
	c.cancel()
	_ = c.Body.Close() // what matters of it was read
}

// request makes a request for a blob. Any status of want is fine, others are a
// statusError, which the caller must not close.
func (f *files) request(ctx context.Context, method string, a *store.Attachment, p permit, header map[string]string, body io.Reader, n int64, want ...int) (*call, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := &call{cancel: cancel, timer: time.AfterFunc(stalled, cancel)}
	if n == 0 {
		body = nil // or its length would count as unknown
	} else {
		body = &movingReader{body, c}
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://"+f.c.acct.Hub+wire.BlobPath(a.Matter, a.Remote), body)
	if err != nil {
		c.timer.Stop()
		cancel()
		return nil, err
	}
	req.ContentLength = n
	req.Header.Set("Authorization", "Bearer "+p.token)
	for k, v := range header {
		req.Header.Set(k, v)
	}
	c.Response, err = f.http.Do(req) //nolint:bodyclose // close does it
	if err != nil {
		c.timer.Stop()
		cancel()
		return nil, err
	}
	c.moved()
	for _, status := range want {
		if c.StatusCode == status {
			return c, nil
		}
	}
	seconds, _ := strconv.Atoi(c.Header.Get("Retry-After")) // 0 when there is none
	status := c.StatusCode
	c.close()
	return nil, &statusError{status, time.Duration(min(max(seconds, 0), 60)) * time.Second}
}

// A movingReader tells that something moves.
type movingReader struct {
	io.Reader
	c *call
}

func (r *movingReader) Read(p []byte) (int, error) {
	r.c.moved()
	return r.Reader.Read(p)
}

// A hopeless error is one that waiting does not mend.
type hopeless struct{ error }

func (h hopeless) Unwrap() error { return h.error }

// noBlob tells that the hub has no such file.
func noBlob(err error) error {
	return &fault.Error{
		Text: "The hub does not have this file any more.",
		Hint: "Ask whoever sent it to send it again.",
		Err:  err,
	}
}
