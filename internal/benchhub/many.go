//go:build linux && cgo

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"causa/e2e/rig"
	"causa/hub/hubtest"
	"causa/wire"
	"causa/wire/pb"
)

// What a device that was away for a while comes back to: so many matters, and in each so
// many messages that it has missed.
const (
	mattersEach = 20
	missedEach  = 5
	matterSize  = 200 // devices in a matter
)

// workers is how many devices come back at a time.
const workers = 64

// many measures what many devices cost: as connections that say nothing, and when they
// all come back after having been away.
func (c *company) many(ctx context.Context, h *rig.Hub, n int, pids pids) error {
	fmt.Printf("  making %d devices in %d matters each ...\n", n, mattersEach)
	if err := c.grow(n + 1); err != nil {
		return err
	}
	devices := c.devices[1:] // the founder's has no key package
	threads, err := threadsOf(c.addr, devices)
	if err != nil {
		return err
	}
	m := &masses{addr: c.addr, devices: devices, threads: threads}
	if err := m.idle(ctx, h); err != nil {
		return err
	}
	return m.catchUp(pids)
}

// Masses are many devices, and the matters that each is in.
type masses struct {
	addr    string
	devices []*hubtest.Device
	threads [][]thread
}

// threadsOf opens matters such that each device is in mattersEach of them, and clears the
// welcomes.
func threadsOf(addr string, devices []*hubtest.Device) ([][]thread, error) {
	size := min(matterSize, len(devices))
	of := make([][]thread, len(devices))
	for range mattersEach {
		order := rand.Perm(len(devices))
		for len(order) >= size {
			members := order[:size]
			order = order[size:]
			first, _, err := connect(addr, devices[members[0]], 64<<10)
			if err != nil {
				return nil, err
			}
			var others []*hubtest.Device
			for _, m := range members[1:] {
				others = append(others, devices[m])
			}
			t, err := open(first, others)
			first.close()
			if err != nil {
				return nil, err
			}
			for _, m := range members {
				of[m] = append(of[m], t)
			}
		}
	}
	return of, each(len(devices), func(i int) error {
		p, _, err := connect(addr, devices[i], 16<<10)
		if err != nil {
			return err
		}
		defer p.close()
		return dropWelcomes(p)
	})
}

// each calls fn for 0 to n-1, some at a time.
func each(n int, fn func(i int) error) error {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for failed.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := fn(i); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// idle measures what connections take that are signed in and silent.
func (m *masses) idle(ctx context.Context, h *rig.Hub) error {
	n := len(m.devices)
	// A new process has no memory from what came before.
	if err := errors.Join(h.Stop(), h.Start(ctx)); err != nil {
		return err
	}
	before, err := memoryOf(h.PID())
	if err != nil {
		return err
	}
	all := make([]*client, n)
	defer func() {
		for _, p := range all {
			if p != nil {
				p.close()
			}
		}
	}()
	began := time.Now()
	err = each(n, func(i int) (err error) {
		all[i], _, err = connect(m.addr, m.devices[i], 512)
		return err
	})
	if err != nil {
		return err
	}
	came := time.Since(began)
	time.Sleep(settleTime)
	after, err := memoryOf(h.PID())
	if err != nil {
		return err
	}
	one := float64(after-before) / float64(n)
	fmt.Printf("  idle      %d connections signed in within %.1f s: %.1f KiB each, %.0f a GiB\n", n, came.Seconds(), one/1024, (1<<30)/one)
	return nil
}

// settleTime is what the hub gets to give memory back after a rush.
const settleTime = 20 * time.Second

// catchUp has everybody miss some messages in each matter and come back.
func (m *masses) catchUp(pids pids) error {
	heads, err := m.talk()
	if err != nil {
		return err
	}
	n := len(m.devices)
	all := make([]*client, n)
	defer func() {
		for _, p := range all {
			if p != nil {
				p.close()
			}
		}
	}()
	err = each(n, func(i int) (err error) {
		all[i], _, err = connect(m.addr, m.devices[i], 32<<10)
		return err
	})
	if err != nil {
		return err
	}
	var entries atomic.Int64
	var waits times
	cpu, own, began := cpuOf(pids()...), cpuOf(os.Getpid()), time.Now()
	err = each(n, func(i int) error {
		began := time.Now()
		got, err := pullAll(all[i], m.threads[i], heads)
		entries.Add(got)
		waits.add(time.Since(began))
		return err
	})
	if err != nil {
		return err
	}
	took := time.Since(began)
	cpu, own = cpuOf(pids()...)-cpu, cpuOf(os.Getpid())-own
	if want := int64(n * mattersEach * missedEach); entries.Load() != want {
		return fmt.Errorf("devices caught up with %d messages, not %d", entries.Load(), want)
	}
	fmt.Printf("  catch-up  %d devices x %d matters x %d messages in %.1f s: CPU %.3f ms a device (loader %.3f), p50 %v p99 %v\n",
		n, mattersEach, missedEach, took.Seconds(), cpu.Seconds()*1000/float64(n), own.Seconds()*1000/float64(n), short(waits.at(0.5)), short(waits.at(0.99)))
	return nil
}

// talk has somebody say missedEach messages in each matter, and returns where each
// matter stood before.
func (m *masses) talk() (map[thread]uint64, error) {
	heads := map[thread]uint64{}
	payload := make([]byte, payloadSize)
	for i, threads := range m.threads {
		var p *client
		var counter uint64
		for _, t := range threads {
			if _, done := heads[t]; done {
				continue
			}
			if p == nil {
				fresh, ready, err := connect(m.addr, m.devices[i], 16<<10)
				if err != nil {
					return nil, err
				}
				p, counter = fresh, ready.GetLastCounter()
			}
			for k := range missedEach {
				counter++
				for j := range payload {
					payload[j] = byte(rand.IntN(256))
				}
				f, err := p.call(&pb.ClientFrame{Body: &pb.ClientFrame_SendContent{SendContent: &pb.SendContent{
					Counter: counter, Matter: t.id[:], Epoch: t.epoch, Payload: payload,
				}}})
				if err != nil {
					return nil, fmt.Errorf("send: %w", err)
				}
				if k == 0 {
					heads[t] = f.GetAccepted().GetSeq() - 1
				}
			}
		}
		if p != nil {
			p.close()
		}
	}
	return heads, nil
}

// pullAll fetches what a device has missed, one request after the other without waiting.
func pullAll(p *client, threads []thread, heads map[thread]uint64) (entries int64, err error) {
	var out []byte
	for _, t := range threads {
		p.last++
		b, err := wire.EncodeClient(&pb.ClientFrame{Request: p.last, Body: &pb.ClientFrame_PullMatter{
			PullMatter: &pb.PullMatter{Matter: t.id[:], After: heads[t]},
		}})
		if err != nil {
			return 0, err
		}
		out = append(append(out, 0x82, 0x80|byte(len(b)), 0, 0, 0, 0), b...) // a pull is short
	}
	if _, err := p.conn.Write(out); err != nil {
		return 0, err
	}
	for range threads {
		b, err := p.read()
		if err != nil {
			return entries, err
		}
		err = outline(b, func(_ uint64, kind protowire.Number, body []byte) error {
			if kind != 10 {
				return fmt.Errorf("the hub answered a pull with body %d", kind)
			}
			entries += eachPayload(body, func([]byte) {})
			return nil
		})
		if err != nil {
			return entries, err
		}
	}
	return entries, nil
}
