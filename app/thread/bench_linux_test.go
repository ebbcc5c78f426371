package thread

import (
	"syscall"
	"testing"
)

// What a step of the wheel may take.
const (
	mostStepTime   = 10_000 // ns of processor time
	mostStepAllocs = 40
)

// BenchmarkScroll is one step of the wheel in a thread of 10,000 messages. It counts
// processor time: what the clock says depends on who else uses the machine.
func BenchmarkScroll(b *testing.B) {
	s := newTestStream(b, messages(1, 10000))
	for range 2000 { // the widths of the words are known
		s.scrollBy(40)
	}
	s.scrollTo(9900)
	b.ReportAllocs()
	before := used(b)
	for b.Loop() {
		s.scrollBy(40)
		if s.anchor == 0 {
			s.scrollTo(9900)
		}
	}
	step := (used(b) - before) / int64(b.N)
	b.ReportMetric(float64(step), "cpu-ns/op")
	if b.N > 10_000 && step > mostStepTime {
		b.Errorf("a step takes %d ns, want at most %d", step, mostStepTime)
	}
}

// TestScrollAllocates holds how much a step allocates.
func TestScrollAllocates(t *testing.T) {
	s := newTestStream(t, messages(1, 10000))
	for range 500 {
		s.scrollBy(40)
	}
	if got := testing.AllocsPerRun(500, func() { s.scrollBy(40) }); got > mostStepAllocs {
		t.Errorf("a step allocates %.0f times, want at most %d", got, mostStepAllocs)
	}
}

func used(b *testing.B) int64 {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return r.Utime.Nano() + r.Stime.Nano()
}
