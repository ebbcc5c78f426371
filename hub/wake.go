package hub

import (
	"container/heap"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"syscall"
	"time"

	"causa/hub/db"
	"causa/wire"
	"causa/wire/pb"
)

const (
	maxWaking   = 16               // endpoints spoken to at once
	wakeTimeout = 10 * time.Second // for one try
	wakeAgain   = 5 * time.Second  // a device is not woken more often
)

// wakeTries are the pauses before further tries at an endpoint.
var wakeTries = []time.Duration{2 * time.Second, 10 * time.Second, time.Minute}

// A waker wakes devices that are not connected, or sleep: with an empty POST to the
// endpoint that the device has named, or with a frame. It says nothing of why. It is safe
// for concurrent use.
type waker struct {
	hub    *Hub
	client *http.Client
	nudge  chan struct{}
	slots  chan struct{}

	mu        sync.Mutex // guards what follows; a leaf but for online's, which is taken in it never
	endpoints map[db.DeviceNo]string
	sleeping  int // connections that sleep
	queue     wakeQueue
	queued    map[db.DeviceNo]*wakeJob
	last      map[db.DeviceNo]time.Time // of the latest wake-ups
	swept     time.Time
}

// A wakeJob is one device to be woken.
type wakeJob struct {
	no    db.DeviceNo
	at    time.Time
	try   int
	tried []func() // called after the first try
}

func newWaker(h *Hub, endpoints map[db.DeviceNo]string) *waker {
	w := &waker{
		hub: h, nudge: make(chan struct{}, 1), slots: make(chan struct{}, maxWaking), endpoints: endpoints,
		queued: map[db.DeviceNo]*wakeJob{}, last: map[db.DeviceNo]time.Time{},
	}
	dialer := &net.Dialer{Timeout: wakeTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		// Here the name is resolved: what it resolved to before does not matter.
		if a, err := netip.ParseAddrPort(address); err != nil || !h.opts.WakePrivate && !public(a.Addr()) {
			return errPrivate
		}
		return nil
	}}
	w.client = &http.Client{
		Timeout: wakeTimeout,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, MaxIdleConnsPerHost: maxWaking, MaxConnsPerHost: maxWaking,
			IdleConnTimeout: time.Minute, DisableCompression: true, TLSHandshakeTimeout: wakeTimeout,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return w
}

var errPrivate = errors.New("the endpoint is not a public address")

// unusual are networks that are no one's on the public network, or lead into others.
var unusual = func() (all []netip.Prefix) {
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}()

// public reports whether an address is one of the public network.
func public(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsGlobalUnicast() && !a.IsPrivate() && !slices.ContainsFunc(unusual, func(p netip.Prefix) bool { return p.Contains(a) })
}

// checkEndpoint refuses endpoints at hosts that the operator has not named.
func (o Options) checkEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" && !(u.Scheme == "http" && o.WakePrivate) || u.User != nil || u.Fragment != "" || u.Opaque != "" || u.Hostname() == "" {
		return refuse(wire.CodeWakeHost)
	}
	host := u.Hostname()
	if u.Port() != "" && u.Port() != "443" {
		host = net.JoinHostPort(u.Hostname(), u.Port())
	}
	if !slices.Contains(o.WakeHosts, host) {
		return refuse(wire.CodeWakeHost)
	}
	return nil
}

// setWake notes how a device is woken.
func (s *session) setWake(id uint64, m *pb.SetWake) error {
	h, endpoint := s.hub, m.GetEndpoint()
	if endpoint != "" {
		if err := h.opts.checkEndpoint(endpoint); err != nil {
			return err
		}
	}
	s.submit(&request{
		id: id, size: len(endpoint),
		do: func(b *batch) (*pb.HubFrame, error) { return done(), b.tx.SetEndpoint(s.no, endpoint) },
		done: func(answer *pb.HubFrame) {
			if answer != nil && answer.GetFailure() == nil {
				h.waker.setEndpoint(s.no, endpoint)
				s.sleep(m.GetSleeping())
			}
		},
	})
	return nil
}

func (w *waker) setEndpoint(no db.DeviceNo, endpoint string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if endpoint == "" {
		delete(w.endpoints, no)
	} else {
		w.endpoints[no] = endpoint
	}
}

func (w *waker) setEndpoints(all map[db.DeviceNo]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endpoints = all
}

// sleep has the connection be pushed no pages, or again.
func (s *session) sleep(on bool) {
	if s.sleeping.Swap(on) == on {
		return
	}
	w := s.hub.waker
	w.mu.Lock()
	if on {
		w.sleeping++
	} else {
		w.sleeping--
	}
	w.mu.Unlock()
	if !on {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.writing && s.closing == 0 {
			s.writing = true
			s.hub.goroutines.Go(s.write) // it tells what was left out
		}
	}
}

// nobody reports whether there is nobody to wake.
func (w *waker) nobody() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.endpoints) == 0 && w.sleeping == 0
}

// asleep reports whether a device has to be woken, and can be.
func (w *waker) asleep(no db.DeviceNo) bool {
	if s := w.hub.online.of(no); s != nil {
		return s.sleeping.Load()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.endpoints[no]
	return ok
}

// wake has a device woken soon. tried is called, if not nil, after the first try, or when
// there is no need for one.
func (w *waker) wake(no db.DeviceNo, tried func()) {
	if !w.asleep(no) {
		if tried != nil {
			tried()
		}
		return
	}
	w.mu.Lock()
	j := w.queued[no]
	if j == nil {
		j = &wakeJob{no: no, at: w.hub.opts.now()}
		if again := w.last[no].Add(wakeAgain); again.After(j.at) {
			j.at = again
		}
		w.queued[no] = j
		heap.Push(&w.queue, j)
	}
	if tried != nil {
		j.tried = append(j.tried, tried)
	}
	w.mu.Unlock()
	select {
	case w.nudge <- struct{}{}:
	default:
	}
}

// run wakes devices until ctx ends.
func (w *waker) run(ctx context.Context) {
	defer w.client.CloseIdleConnections()
	for {
		j, next := w.next()
		if j != nil {
			select {
			case w.slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			w.hub.goroutines.Go(func() {
				defer func() { <-w.slots }()
				w.try(ctx, j)
			})
			continue
		}
		nap := time.Minute
		if !next.IsZero() {
			nap = max(next.Sub(w.hub.opts.now()), time.Millisecond)
		}
		t := time.NewTimer(nap)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		case <-w.nudge:
			t.Stop()
		}
	}
}

// next takes the next job that is due, or says when one will be.
func (w *waker) next() (*wakeJob, time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.hub.opts.now()
	if now.Sub(w.swept) > time.Minute {
		w.swept = now
		for no, at := range w.last {
			if now.Sub(at) > wakeAgain {
				delete(w.last, no)
			}
		}
	}
	if len(w.queue) == 0 {
		return nil, time.Time{}
	}
	if at := w.queue[0].at; at.After(now) {
		return nil, at
	}
	j, _ := heap.Pop(&w.queue).(*wakeJob)
	delete(w.queued, j.no)
	w.last[j.no] = now
	return j, time.Time{}
}

// try wakes one device and plans another try when that failed.
func (w *waker) try(ctx context.Context, j *wakeJob) {
	again := false
	if s := w.hub.online.of(j.no); s != nil {
		if s.sleeping.Load() {
			s.pushWake()
			w.hub.counters.wakes.Add(1)
		}
	} else {
		again = w.post(ctx, j.no)
	}
	if ctx.Err() != nil {
		return // what was held is still in the database
	}
	for _, f := range j.tried {
		f()
	}
	if !again || j.try == len(wakeTries) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queued[j.no] == nil { // else somebody else wants it woken
		j.at, j.tried = w.hub.opts.now().Add(wakeTries[j.try]), nil
		j.try++
		w.queued[j.no] = j
		heap.Push(&w.queue, j)
	}
}

// post tells an endpoint, and reports whether another try makes sense.
func (w *waker) post(ctx context.Context, no db.DeviceNo) (again bool) {
	w.mu.Lock()
	endpoint := w.endpoints[no]
	w.mu.Unlock()
	if endpoint == "" || w.hub.opts.checkEndpoint(endpoint) != nil { // the operator may have changed their mind
		return false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, http.NoBody)
	if err != nil {
		return false
	}
	req.Header.Set("TTL", "86400") // RFC 8030
	req.Header.Set("User-Agent", "causa-hub")
	resp, err := w.client.Do(req)
	if err != nil {
		w.hub.counters.wakesFailed.Add(1)
		return !errors.Is(err, errPrivate)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10)) // so that the connection can be used again
	_ = resp.Body.Close()                                        // it was only read
	switch {
	case resp.StatusCode < 300:
		w.hub.counters.wakes.Add(1)
		return false
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		w.forget(no, endpoint)
	}
	w.hub.counters.wakesFailed.Add(1)
	return resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500
}

// forget drops an endpoint that is no more.
func (w *waker) forget(no db.DeviceNo, endpoint string) {
	w.mu.Lock()
	same := w.endpoints[no] == endpoint
	if same {
		delete(w.endpoints, no)
	}
	w.mu.Unlock()
	if same {
		w.hub.writer.in <- &request{do: func(b *batch) (*pb.HubFrame, error) { return done(), b.tx.SetEndpoint(no, "") }}
	}
}

// A wakeQueue has the job that is due first on top.
type wakeQueue []*wakeJob

// Len implements [heap.Interface].
func (q wakeQueue) Len() int { return len(q) }

// Less implements [heap.Interface].
func (q wakeQueue) Less(i, j int) bool { return q[i].at.Before(q[j].at) }

// Swap implements [heap.Interface].
func (q wakeQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements [heap.Interface].
func (q *wakeQueue) Push(x any) {
	if j, ok := x.(*wakeJob); ok {
		*q = append(*q, j)
	}
}

// Pop implements [heap.Interface].
func (q *wakeQueue) Pop() any {
	last := len(*q) - 1
	j := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return j
}
