package core_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"causa/core"
)

// BenchmarkWipe has 200 connected devices, of as many people, wiped one after the other and
// measures, for each, how long after its order the keys are gone, and when the last receipt
// is in the organisation log.
func BenchmarkWipe(b *testing.B) {
	const devices = 200
	for b.Loop() {
		co, alice := found(b)
		var all []*core.Client
		var gone []chan time.Time
		for n := range devices {
			c := co.invite(alice, fmt.Sprintf("Bob %d", n))
			at := make(chan time.Time, 1)
			c.Subscribe(func(e core.Event) {
				if _, ok := e.(core.KeysGone); ok {
					at <- time.Now()
				}
			})
			all, gone = append(all, c), append(gone, at)
		}
		co.sync(alice)
		began := time.Now()
		ordered := make([]time.Time, devices)
		var last uint64
		for n, c := range all {
			ordered[n] = time.Now()
			var err error
			if last, err = alice.OrderWipe(co.ctx(), core.WipeOrder{Member: c.Me().Member.ID, Reason: "benchmark"}); err != nil {
				b.Fatal(err)
			}
		}
		var took []time.Duration
		for n := range all {
			select {
			case at := <-gone[n]:
				took = append(took, at.Sub(ordered[n]))
			case <-time.After(2 * time.Minute):
				b.Fatalf("device %d is not wiped", n)
			}
		}
		co.awaitStage(alice, last, core.WipeReceipted)
		for _, w := range wipes(b, co, alice) {
			co.awaitStage(alice, w.Order, core.WipeReceipted)
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[devices/2].Milliseconds()), "keys-p50-ms")
		b.ReportMetric(float64(took[devices*99/100].Milliseconds()), "keys-p99-ms")
		b.ReportMetric(float64(time.Since(began).Milliseconds()), "all-receipts-ms")
		for _, c := range all {
			_ = c.Close() // it is over
		}
	}
}

func wipes(b *testing.B, co *company, c *core.Client) []core.Wipe {
	b.Helper()
	all, err := c.Wipes(co.ctx())
	if err != nil {
		b.Fatal(err)
	}
	return all
}
