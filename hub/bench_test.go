package hub_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"causa/crypto/mls"
	"causa/matter"
	"causa/wire/pb"
)

// BenchmarkSend measures durable messages of 600 bytes in a matter of so many devices,
// all connected, half a dozen of them sending at once with 64 messages on the way. Hub and
// devices share the machine; the devices decode what they get.
func BenchmarkSend(b *testing.B) {
	for _, size := range []int{2, 20} {
		b.Run(fmt.Sprintf("devices=%d", size), func(b *testing.B) {
			r := newRig(b)
			members := []*member{r.owner()}
			for range size - 1 {
				members = append(members, r.hire(matter.RoleMember))
			}
			id := members[0].open()
			p, bundle := members[0].bundle(id, members[1:], nil)
			members[0].must(commit(bundle))
			members[0].groups[id] = p.Group()
			senders := members[:min(6, size)]
			payload := strings.Repeat("x", 600)
			b.ResetTimer()
			start := time.Now()
			var wg sync.WaitGroup
			for i, m := range senders {
				n := b.N / len(senders)
				if i == 0 {
					n += b.N % len(senders)
				}
				wg.Go(func() { m.pump(b, id, payload, n) })
			}
			wg.Wait()
			seconds := time.Since(start).Seconds()
			b.ReportMetric(float64(b.N)/seconds, "acked/s")
			b.ReportMetric(float64(b.N*size)/seconds, "deliveries/s")
		})
	}
}

// pump sends n messages, 64 at a time without waiting.
func (m *member) pump(b *testing.B, id matter.ID, payload string, n int) {
	var open []<-chan *pb.HubFrame
	for i := range n {
		answer, err := m.Go(send(id, uint64(i+1), 1, payload))
		if err != nil {
			b.Error(err)
			return
		}
		if open = append(open, answer); len(open) == 64 || i == n-1 {
			for _, a := range open {
				if _, err := m.Await(a); err != nil {
					b.Error(err)
					return
				}
			}
			open = open[:0]
		}
	}
}

// BenchmarkCommit measures key rotations in a matter of so many devices, as the hub
// checks and stores them.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{2, 100} {
		b.Run(fmt.Sprintf("devices=%d", size), func(b *testing.B) {
			r := newRig(b)
			a := r.owner()
			id := a.open()
			var others []*member
			for range size - 1 {
				others = append(others, r.hire(matter.RoleMember))
			}
			p, bundle := a.bundle(id, others, nil)
			a.must(commit(bundle))
			a.groups[id] = p.Group()
			for b.Loop() {
				b.StopTimer()
				p, err := a.groups[id].Commit(mls.CommitRequest{})
				if err != nil {
					b.Fatal(err)
				}
				f := commit(&pb.CommitBundle{Matter: id[:], Epoch: a.groups[id].Epoch(), Commit: p.Commit(), GroupInfo: p.GroupInfo()})
				b.StartTimer()
				a.must(f)
				a.groups[id] = p.Group()
			}
		})
	}
}
