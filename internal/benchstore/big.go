//go:build cgo

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"causa/internal/benchstore/work"
	"causa/internal/bigstore/corpus"
	"causa/matter"
	"causa/store"
)

// timeBig times the product on a store of full size: opening, searching, deleting.
func timeBig(home string) (over int, err error) {
	b, err := os.ReadFile(filepath.Join(home, "store.key"))
	if err != nil {
		return 0, err
	}
	var key store.Key
	if copy(key[:], b) != len(key) {
		return 0, errors.New("store.key is too short")
	}
	path := filepath.Join(home, "main.db")
	ctx := context.Background()
	report := func(what string, got, limit float64, unit string) {
		fmt.Printf("%-44s %8.1f %s", what, got, unit)
		over += verdict(got, limit)
	}
	start := time.Now()
	db, err := store.Open(ctx, path, key, store.Options{})
	if err != nil {
		return 0, err
	}
	var list []matter.Matter
	err = db.View(ctx, func(tx *store.Tx) (err error) {
		if list, err = tx.Matters(0, 50); err != nil {
			return err
		}
		_, err = tx.Messages(list[0].ID, 0, 50)
		return err
	})
	if err != nil {
		return 0, errors.Join(err, db.Close())
	}
	report("open to 50 matters and 50 messages", ms(time.Since(start)), 150, "ms")
	err = timeSearch(ctx, db, report)
	if err == nil {
		report("resident memory", resident(), 120, "MB")
		err = timeDelete(ctx, db, report)
	}
	return over, errors.Join(err, db.Close())
}

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }

func timeSearch(ctx context.Context, db *store.DB, report func(string, float64, float64, string)) error {
	g := corpus.New(3)
	for _, kind := range []struct {
		name  string
		limit float64
		query func() store.Query
	}{
		{"search, 2 Chinese characters", 50, func() store.Query { return store.Query{Text: string([]rune(g.Topic())[:2])} }},
		{"search, 1 Chinese character", 0, func() store.Query { return store.Query{Text: string([]rune(g.Topic())[:1])} }},
		{"search, 4 Chinese characters of two words", 0, func() store.Query {
			return store.Query{Text: string([]rune(g.Topic())[:2]) + string([]rune(g.Topic())[:2])}
		}},
		{"search, 2 words", 0, func() store.Query { return store.Query{Text: g.Topic() + " " + g.Topic()} }},
		{"search, English", 0, func() store.Query {
			return store.Query{Text: []string{"contract", "budget", "invoice", "release", "the"}[g.Rand().IntN(5)]}
		}},
	} {
		var times []float64
		hits, cpu := 0, work.CPU()
		for range 300 {
			q := kind.query()
			start := time.Now()
			err := db.View(ctx, func(tx *store.Tx) error {
				found, _, err := tx.Search(q)
				hits += len(found)
				return err
			})
			if err != nil {
				return err
			}
			times = append(times, ms(time.Since(start)))
		}
		slices.Sort(times)
		fmt.Printf("%-44s %8.1f ms median, %.0f hits each, most %.0f ms, processor %.1f ms\n", kind.name,
			times[len(times)/2], float64(hits)/300, times[len(times)-1], ms(work.CPU()-cpu)/300)
		report(kind.name+", p95", times[len(times)*95/100], kind.limit, "ms")
	}
	return nil
}

// timeDelete deletes the matter with the most messages. The store is smaller afterwards.
func timeDelete(ctx context.Context, db *store.DB, report func(string, float64, float64, string)) error {
	var largest matter.ID
	var most uint64
	err := db.View(ctx, func(tx *store.Tx) error {
		for at := 0; ; at += 500 {
			list, err := tx.Matters(at, 500)
			if err != nil || len(list) == 0 {
				return err
			}
			for _, m := range list {
				if m.Last != nil && m.Last.Seq > most {
					largest, most = m.ID, m.Last.Seq
				}
			}
		}
	})
	if err != nil {
		return err
	}
	start, cpu := time.Now(), work.CPU()
	if err := db.DropMatter(ctx, largest); err != nil {
		return err
	}
	took := ms(time.Since(start))
	fmt.Printf("%-44s %8.1f ms\n", "processor time of the deletion", ms(work.CPU()-cpu))
	limit := 0.0
	if most >= 9_000 {
		limit = 1000
	}
	report(fmt.Sprintf("delete a matter of %d messages", most), took, limit, "ms")
	return nil
}

// resident is the memory of this process in MB, where the system tells it.
func resident() float64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for l := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(l, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.Fields(v)[0])
			if err != nil {
				return 0
			}
			return float64(n) / 1024
		}
	}
	return 0
}
