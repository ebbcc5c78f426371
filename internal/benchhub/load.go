//go:build linux && cgo

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"causa/wire"
	"causa/wire/pb"
)

// A shape is one kind of load.
type shape struct {
	group    int
	senders  int
	window   int     // messages that a sender has on the way
	rate     float64 // messages a second, all senders together; 0: as many as the window lets
	warm     time.Duration
	measured time.Duration
}

// A result is what a load came to.
type result struct {
	acked, delivered int64
	took             time.Duration
	cpu, loader      time.Duration
	ack, delivery    times
}

func (r *result) String() string {
	s := r.took.Seconds()
	return fmt.Sprintf("acked/s %6.0f  deliveries/s %7.0f  ack p50 %7v p99 %7v  delivery p50 %7v p99 %7v  CPU %5.2f s (loader %5.2f)  acked/CPU-s %6.0f  deliveries/CPU-s %7.0f",
		float64(r.acked)/s, float64(r.delivered)/s, short(r.ack.at(0.5)), short(r.ack.at(0.99)), short(r.delivery.at(0.5)), short(r.delivery.at(0.99)),
		r.cpu.Seconds(), r.loader.Seconds(), r.perCPU(), float64(r.delivered)/max(0.01, r.cpu.Seconds()))
}

// perCPU is how many messages were acknowledged for a second of the server's processor
// time.
func (r *result) perCPU() float64 { return float64(r.acked) / max(0.01, r.cpu.Seconds()) }

func short(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }

// A sender is a connection that sends.
type sender struct {
	*client
	thread  thread
	counter uint64
	slots   chan struct{}
	mu      sync.Mutex
	sent    map[uint64]time.Duration // by request
}

// measure counts what happens between warming up and the end.
func measure(r *result, on *atomic.Bool, s shape, pids pids) {
	time.Sleep(s.warm)
	cpu, own, began := cpuOf(pids()...), cpuOf(os.Getpid()), time.Now()
	on.Store(true)
	time.Sleep(s.measured)
	on.Store(false)
	r.took = time.Since(began)
	r.cpu = cpuOf(pids()...) - cpu
	r.loader = cpuOf(os.Getpid()) - own
}

// load runs one shape on the company's first 200 devices.
func (c *company) load(s shape, pids pids) (*result, error) {
	const devices = 200
	if err := c.grow(devices); err != nil {
		return nil, err
	}
	groups := devices / s.group
	r := &result{}
	var on, over atomic.Bool
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	senders := make([]*sender, 0, s.senders)
	all := make([]*sender, devices)
	defer func() {
		over.Store(true)
		for _, p := range all {
			if p != nil {
				p.close()
			}
		}
		wg.Wait()
	}()
	threads := make([]thread, groups)
	for i := range all {
		p, ready, err := connect(c.addr, c.devices[i], 16<<10)
		if err != nil {
			return nil, fmt.Errorf("connect: %w", err)
		}
		all[i] = &sender{client: p, counter: ready.GetLastCounter(), slots: make(chan struct{}, s.window), sent: map[uint64]time.Duration{}}
	}
	for g := range groups {
		members := c.devices[g*s.group : (g+1)*s.group]
		t, err := open(all[g*s.group].client, members[1:])
		if err != nil {
			return nil, err
		}
		threads[g] = t
	}
	for i := range s.senders { // spread over the groups
		p := all[(i%groups)*s.group+i/groups]
		p.thread = threads[i%groups]
		senders = append(senders, p)
	}
	for _, p := range all {
		wg.Go(func() {
			if err := p.listen(r, &on); !over.Load() {
				failed.Store(&err)
			}
		})
	}
	stop := make(chan struct{})
	var sending sync.WaitGroup
	for i, p := range senders {
		sending.Go(func() {
			if err := p.pump(s, i, stop); err != nil {
				failed.Store(&err)
			}
		})
	}
	measure(r, &on, s, pids)
	close(stop)
	over.Store(true)
	for _, p := range all {
		p.close()
	}
	sending.Wait()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	if r.acked == 0 {
		return nil, errors.New("nothing was acknowledged")
	}
	return r, nil
}

// pump sends until stop.
func (p *sender) pump(s shape, i int, stop <-chan struct{}) error {
	body := make([]byte, payloadSize)
	for j := range body {
		body[j] = byte(rand.IntN(256))
	}
	var due <-chan time.Time
	if s.rate > 0 {
		every := time.Duration(float64(s.senders) / s.rate * float64(time.Second))
		time.Sleep(every * time.Duration(i) / time.Duration(s.senders))
		t := time.NewTicker(every)
		defer t.Stop()
		due = t.C
	}
	for {
		if due != nil {
			select {
			case <-due:
			case <-stop:
				return nil
			}
		}
		select {
		case p.slots <- struct{}{}:
		case <-stop:
			return nil
		}
		p.counter++
		p.last++
		now := time.Since(began)
		binary.LittleEndian.PutUint64(body, uint64(now))
		b, err := wire.EncodeClient(&pb.ClientFrame{Request: p.last, Body: &pb.ClientFrame_SendContent{SendContent: &pb.SendContent{
			Counter: p.counter, Matter: p.thread.id[:], Epoch: p.thread.epoch, Payload: body,
		}}})
		if err != nil {
			return err
		}
		p.mu.Lock()
		p.sent[p.last] = now
		p.mu.Unlock()
		if err := p.write(b); err != nil {
			select {
			case <-stop:
				return nil
			default:
				return err
			}
		}
	}
}

// listen reads what the hub says until the connection ends, and returns why.
func (p *sender) listen(r *result, on *atomic.Bool) error {
	var seen int64
	for {
		b, err := p.read()
		if err != nil {
			return err
		}
		now := time.Since(began)
		err = outline(b, func(request uint64, kind protowire.Number, body []byte) error {
			return p.heard(r, on.Load(), now, &seen, request, kind, body)
		})
		if err != nil {
			return err
		}
	}
}

// heard takes one body of a frame.
func (p *sender) heard(r *result, on bool, now time.Duration, seen *int64, request uint64, kind protowire.Number, body []byte) error {
	switch kind {
	case 2:
		return errors.New("the hub refused a message")
	case 9: // Accepted
		p.mu.Lock()
		sent := p.sent[request]
		delete(p.sent, request)
		p.mu.Unlock()
		if on {
			atomic.AddInt64(&r.acked, 1)
			r.ack.add(now - sent)
		}
		<-p.slots
	case 10: // MatterPage
		n := eachPayload(body, func(payload []byte) {
			if *seen++; on && *seen%16 == 0 && len(payload) == payloadSize {
				r.delivery.add(now - time.Duration(binary.LittleEndian.Uint64(payload)))
			}
		})
		if on {
			atomic.AddInt64(&r.delivered, n)
		}
	}
	return nil
}

// outline calls fn for every body of a hub's frame. There can be several: the hub puts
// pages together by writing them one after the other.
func outline(b []byte, fn func(request uint64, kind protowire.Number, body []byte) error) error {
	var request uint64
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		size := protowire.ConsumeFieldValue(num, typ, b)
		if size < 0 {
			return protowire.ParseError(size)
		}
		switch typ {
		case protowire.VarintType:
			request, _ = protowire.ConsumeVarint(b) // its length was found before
		case protowire.BytesType:
			body, _ := protowire.ConsumeBytes(b)
			if err := fn(request, num, body); err != nil {
				return err
			}
		}
		b = b[size:]
	}
	return nil
}

// eachPayload calls fn for the payload of every entry of a page and returns how many
// entries there are.
func eachPayload(page []byte, fn func([]byte)) (entries int64) {
	for len(page) > 0 {
		num, typ, n := protowire.ConsumeTag(page)
		if n < 0 {
			return entries
		}
		page = page[n:]
		size := protowire.ConsumeFieldValue(num, typ, page)
		if size < 0 {
			return entries
		}
		if num == 2 && typ == protowire.BytesType {
			entries++
			entry, _ := protowire.ConsumeBytes(page)
			for len(entry) > 0 {
				num, typ, n := protowire.ConsumeTag(entry)
				if n < 0 {
					break
				}
				entry = entry[n:]
				size := protowire.ConsumeFieldValue(num, typ, entry)
				if size < 0 {
					break
				}
				if num == 6 && typ == protowire.BytesType {
					payload, _ := protowire.ConsumeBytes(entry)
					fn(payload)
				}
				entry = entry[size:]
			}
		}
		page = page[size:]
	}
	return entries
}
