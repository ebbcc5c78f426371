package store

import (
	"context"
	"sync"
)

// A purger clears, after a commit that deleted something, what the commit left in the
// log. It has one goroutine, which Close waits for.
type purger struct {
	wakes  chan struct{}
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func (p *purger) start(db *DB) {
	if db.write == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.wakes, p.cancel = make(chan struct{}, 1), cancel
	p.done.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-p.wakes:
				_ = db.clearLog(ctx) // tried again after the next deletion, and by Close
			}
		}
	})
}

func (p *purger) wake() {
	select {
	case p.wakes <- struct{}{}:
	default:
	}
}

func (p *purger) stop() {
	if p.cancel != nil {
		p.cancel()
		p.done.Wait()
	}
}

// clearLog moves the log into the main file and empties it.
func (db *DB) clearLog(ctx context.Context) error {
	_, err := db.write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return db.file.worded(err)
}
