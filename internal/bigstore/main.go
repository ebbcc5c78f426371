// Command bigstore writes a store of full size, for benchmarks and for trying the app.
//
//	go run ./internal/bigstore -home /tmp/big
//
// The home gets a main.db and the store.key that opens it; one that a device has already
// gets the matters beside its own, with -self as the member who uses it.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"causa/internal/bigstore/fill"
	"causa/matter"
	"causa/store"
)

func main() {
	home := flag.String("home", "", "the folder to make the store in")
	var size fill.Size
	flag.IntVar(&size.Messages, "messages", 1_000_000, "how many messages")
	flag.IntVar(&size.Matters, "matters", 5_000, "how many matters")
	flag.IntVar(&size.Large, "large", 10_000, "how many of the messages are in one matter")
	flag.Uint64Var(&size.Seed, "seed", 1, "another number makes other texts")
	self := flag.String("self", "", "the id of the member whose store it is")
	flag.Parse()
	if *self != "" {
		id, err := matter.ParseMemberID(*self)
		if err != nil {
			fmt.Fprintln(os.Stderr, "bigstore:", err)
			os.Exit(2)
		}
		size.Self = id
	}
	if *home == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := write(*home, size); err != nil {
		fmt.Fprintln(os.Stderr, "bigstore:", err)
		os.Exit(1)
	}
}

// keyOf reads the key of a store, or makes one.
func keyOf(file string) (key store.Key, err error) {
	b, err := os.ReadFile(file)
	switch {
	case err == nil && len(b) == len(key):
		copy(key[:], b)
		return key, nil
	case err == nil:
		return key, fmt.Errorf("%s is no store's key", file)
	case !errors.Is(err, fs.ErrNotExist):
		return key, err
	}
	_, _ = rand.Read(key[:])
	return key, os.WriteFile(file, key[:], 0o600)
}

func write(home string, size fill.Size) error {
	ctx := context.Background()
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	key, err := keyOf(filepath.Join(home, "store.key"))
	if err != nil {
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
