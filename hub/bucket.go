package hub

import (
	"sync"
	"time"
)

// A bucket is a token bucket: it fills at its rate and holds a burst. It is safe for
// concurrent use.
type bucket struct {
	rate Rate

	mu     sync.Mutex
	tokens float64
	at     time.Time // when tokens was right
}

func newBucket(r Rate, now time.Time) *bucket {
	return &bucket{rate: r, tokens: r.Burst, at: now}
}

// take takes n tokens. When there are too few it takes none and returns how long it
// takes until there are enough. What costs more than the burst is taken from a full
// bucket and paid off afterwards.
func (b *bucket) take(n float64, now time.Time) (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(now)
	if need := min(n, b.rate.Burst); b.tokens < need {
		return max(time.Duration((need-b.tokens)/b.rate.PerSecond*float64(time.Second)), time.Millisecond)
	}
	b.tokens -= n
	return 0
}

// full reports whether nothing was taken for so long that the bucket may be forgotten.
func (b *bucket) full(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(now)
	return b.tokens >= b.rate.Burst
}

// fill adds what has come in since. A clock set back adds nothing.
func (b *bucket) fill(now time.Time) {
	if d := now.Sub(b.at); d > 0 {
		b.tokens = min(b.rate.Burst, b.tokens+d.Seconds()*b.rate.PerSecond)
	}
	b.at = now
}
