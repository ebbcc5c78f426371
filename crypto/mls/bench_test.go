//go:build unix

package mls

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"testing"
	"time"

	"causa/crypto/mls/view"
)

// A crowd is a group's members in a benchmark: the creator, and key packages for the rest.
type crowd struct {
	creator, second *client
	packages        []*KeyPackage
}

func newCrowd(b *testing.B, id Suite, n int) *crowd {
	b.Helper()
	c := &crowd{creator: newClient(b, id, "creator"), second: newClient(b, id, "second")}
	c.creator.create("bench")
	c.packages = append(c.packages, c.parsed(b, c.second.keyPackage(KeyPackageOptions{})))
	for i := 2; i < n; i++ {
		c.packages = append(c.packages, c.parsed(b, newClient(b, id, fmt.Sprint("member ", i)).keyPackage(KeyPackageOptions{})))
	}
	return c
}

// parsed returns a key package as it comes from the hub: unverified.
func (c *crowd) parsed(b *testing.B, k *KeyPackage) *KeyPackage {
	b.Helper()
	out, err := ParseKeyPackage(k.Bytes())
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// fresh parses the key packages again, so that nothing about them is remembered.
func (c *crowd) fresh(b *testing.B) []*KeyPackage {
	b.Helper()
	out := make([]*KeyPackage, len(c.packages))
	for i, k := range c.packages {
		out[i] = c.parsed(b, k)
	}
	return out
}

// grown returns the crowd with everybody in the group on a tree without parent nodes.
func (c *crowd) grown(b *testing.B) *Pending {
	b.Helper()
	p := c.creator.commit(CommitRequest{Add: c.packages})
	c.creator.group = p.Group()
	c.second.join(p.Welcome())
	return p
}

// cpu returns the process's CPU time.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// median runs f for b and reports the median of the CPU time it takes, on one core and
// the garbage collector's part included. setup isn't measured.
func median(b *testing.B, setup, f func()) {
	b.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var took []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		if setup != nil {
			b.StopTimer()
			setup()
			b.StartTimer()
		}
		start := cpu()
		f()
		took = append(took, cpu()-start)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "cpu-ms")
}

// BenchmarkGroup measures what a group costs at 100 and at 1000 members.
func BenchmarkGroup(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(200))
	for _, id := range []Suite{Classic, Hybrid} {
		for _, n := range []int{100, 1000} {
			b.Run(fmt.Sprintf("suite=%#04x/members=%d", uint16(id), n), func(b *testing.B) { benchGroup(b, id, n) })
		}
	}
}

func benchGroup(b *testing.B, id Suite, n int) {
	c := newCrowd(b, id, n)
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Run("build", func(b *testing.B) {
		var fresh []*KeyPackage
		median(b, func() { fresh = c.fresh(b) }, func() { c.creator.commit(CommitRequest{Add: fresh}) })
	})
	welcome := c.grown(b).Welcome()
	b.Run("join", func(b *testing.B) {
		median(b, nil, func() { c.second.join(welcome) })
		b.ReportMetric(float64(len(welcome)), "welcome-bytes")
	})
	b.Run("update", func(b *testing.B) {
		median(b, nil, func() { c.creator.commit(CommitRequest{}) })
	})
	state, err := c.second.group.Marshal()
	must(err)
	info, err := c.creator.group.GroupInfo()
	must(err)
	p := c.creator.commit(CommitRequest{})
	b.Run("process", func(b *testing.B) {
		var g *Group
		median(b, func() {
			g, err = Unmarshal(state, c.second.signer, GroupOptions{})
			must(err)
		}, func() {
			_, err := g.Process(p.Commit())
			must(err)
		})
		b.ReportMetric(float64(len(p.Commit())), "commit-bytes")
	})
	hub, err := view.Open(info, nil)
	must(err)
	b.Run("hub", func(b *testing.B) {
		median(b, nil, func() {
			_, _, err := hub.Commit(p.Commit(), p.GroupInfo())
			must(err)
		})
	})
	b.Run("add", func(b *testing.B) {
		kp := newClient(b, id, "late").keyPackage(KeyPackageOptions{})
		median(b, nil, func() { c.creator.commit(CommitRequest{Add: []*KeyPackage{c.parsed(b, kp)}}) })
	})
	b.Run("store", func(b *testing.B) {
		median(b, nil, func() {
			s, err := c.creator.group.Marshal()
			must(err)
			_, err = Unmarshal(s, c.creator.signer, GroupOptions{})
			must(err)
		})
		b.ReportMetric(float64(len(state)), "state-bytes")
	})
	b.Run("message", func(b *testing.B) { benchMessages(b, c) })
}

// benchMessages measures private messages of 1 KB, the ratchet being written to a file
// each time.
func benchMessages(b *testing.B, c *crowd) {
	f, err := os.OpenFile(filepath.Join(b.TempDir(), "ratchet"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	written := 0
	persist := func(g *Group) {
		for _, r := range g.RatchetChanges() {
			written += len(r.Value) + len(r.Key)
			if _, err := f.WriteAt(append(r.Key[:], r.Value...), 0); err != nil {
				b.Fatal(err)
			}
		}
	}
	c.creator.group.RatchetChanges()
	c.second.group.RatchetChanges()
	const batch = 500
	data := make([]byte, 1024)
	run := func(b *testing.B, setup, f func()) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		written = 0
		b.ReportAllocs() // of a batch
		var took []time.Duration
		for b.Loop() {
			b.StopTimer()
			setup()
			b.StartTimer()
			start := cpu()
			for range batch {
				f()
			}
			took = append(took, cpu()-start)
		}
		slices.Sort(took)
		b.ReportMetric(batch/took[len(took)/2].Seconds(), "msg/cpu-s")
		b.ReportMetric(float64(written)/float64(len(took)*batch), "stored-bytes/msg")
	}
	var queue [][]byte
	encrypt := func() {
		m, err := c.creator.group.Encrypt(data, nil, 0)
		if err != nil {
			b.Fatal(err)
		}
		queue = append(queue, m)
	}
	b.Run("encrypt", func(b *testing.B) {
		run(b, func() {}, func() {
			encrypt()
			persist(c.creator.group)
		})
	})
	for _, m := range queue { // so that both are at the same place
		if _, err := c.second.group.Decrypt(m); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("decrypt", func(b *testing.B) {
		i := 0
		run(b, func() {
			queue, i = nil, 0
			for range batch {
				encrypt()
			}
		}, func() {
			if _, err := c.second.group.Decrypt(queue[i]); err != nil {
				b.Fatal(err)
			}
			persist(c.second.group)
			i++
		})
	})
}
