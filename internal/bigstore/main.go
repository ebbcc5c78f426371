// Command bigstore writes a store of full size, for benchmarks and for trying the app.
//
//	go run ./internal/bigstore -home /tmp/big
//
// The home gets a main.db and the store.key that opens it.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"causa/internal/bigstore/fill"
	"causa/store"
)

func main() {
	home := flag.String("home", "", "the folder to make the store in")
	var size fill.Size
	flag.IntVar(&size.Messages, "messages", 1_000_000, "how many messages")
	flag.IntVar(&size.Matters, "matters", 5_000, "how many matters")
	flag.IntVar(&size.Large, "large", 10_000, "how many of the messages are in one matter")
	flag.Uint64Var(&size.Seed, "seed", 1, "another number makes other texts")
	flag.Parse()
	if *home == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := write(*home, size); err != nil {
		fmt.Fprintln(os.Stderr, "bigstore:", err)
		os.Exit(1)
	}
}

func write(home string, size fill.Size) error {
	ctx := context.Background()
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	var key store.Key
	_, _ = rand.Read(key[:])
	f, err := os.OpenFile(filepath.Join(home, "store.key"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(key[:]); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	path := filepath.Join(home, "main.db")
	db, err := store.Open(ctx, path, key, store.Options{})
	if err != nil {
		return err
	}
	start := time.Now()
	made, err := fill.Store(ctx, db, size, func(done int) {
		fmt.Printf("\r%d messages, %.0f s", done, time.Since(start).Seconds())
	})
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	fmt.Printf("\n%s: %.0f MB for %.0f MB of text in %d matters, %.0f s; %s has the most messages\n", path,
		float64(info.Size())/1e6, float64(made.Texts)/1e6, len(made.Matters), time.Since(start).Seconds(), made.Large)
	return nil
}
