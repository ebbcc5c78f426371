package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A purger clears, after a commit that deleted something, what the commit left behind
// in the search index and the log. It has one goroutine, which Close waits for. What it
// did not get to is noted in the database and done after the next start.
type purger struct {
	wakes  chan struct{}
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// purgeRetry is how long the purger waits when a reader was in the way.
const purgeRetry = 2 * time.Second

func (p *purger) start(db *DB) {
	if db.write == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.wakes, p.cancel = make(chan struct{}, 1), cancel
	p.done.Go(func() { p.run(ctx, db) })
	p.wake() // what the last process left
}

func (p *purger) run(ctx context.Context, db *DB) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wakes:
		}
		for db.Purge(ctx) != nil {
			select {
			case <-ctx.Done():
				return
			case <-time.After(purgeRetry):
			}
		}
	}
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

// errReading is why a log could not be emptied: a reader still looks at it.
var errReading = errors.New("a reader is in the way")

// Purge makes sure that nothing of what was deleted is left in the database's files, and
// returns nil when it is so. It happens by itself after each deletion.
func (db *DB) Purge(ctx context.Context) error {
	if db.write == nil {
		return nil
	}
	var dirty []int
	err := db.View(ctx, func(tx *Tx) error {
		return tx.each(func(r *sql.Rows) error {
			var n int
			err := r.Scan(&n)
			dirty = append(dirty, n)
			return err
		}, "SELECT shard FROM search_purge")
	})
	if err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	for _, n := range dirty {
		err := db.Update(ctx, func(tx *Tx) error { return tx.rewriteIndex(int64(n)) })
		if err != nil {
			return fmt.Errorf("purge the index: %w", err)
		}
	}
	if err := db.clearLog(ctx); err != nil {
		return fmt.Errorf("purge the log: %w", err)
	}
	return nil
}

// rewriteIndex leaves out of an index what was deleted from it. The note that this is to
// be done goes with it.
func (tx *Tx) rewriteIndex(num int64) error {
	table := shardTable(num)
	if err := tx.exec("INSERT INTO " + table + "(" + table + ") VALUES('optimize')"); err != nil {
		return err
	}
	return tx.exec("DELETE FROM search_purge WHERE shard = ?", num%shards)
}

// clearLog moves the log into the main file and empties it. It does not keep writers
// waiting for readers.
func (db *DB) clearLog(ctx context.Context) (err error) {
	c, err := db.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() {
		_, e := c.ExecContext(context.WithoutCancel(ctx), "PRAGMA busy_timeout = 10000")
		err = db.file.worded(errors.Join(err, e, c.Close()))
	}()
	if _, err := c.ExecContext(ctx, "PRAGMA busy_timeout = 100"); err != nil {
		return err
	}
	var busy, frames, moved int
	if err := c.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil {
		return err
	}
	if busy != 0 {
		return errReading
	}
	return nil
}
