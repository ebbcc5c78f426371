//go:build cgo

package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causa/internal/fault"
)

func openAt(t testing.TB, path string, key Key, o Options) *DB {
	t.Helper()
	db, err := Open(context.Background(), path, key, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // tests that care close it themselves
	return db
}

func mustClose(t testing.TB, db *DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func update(t testing.TB, db *DB, f func(tx *Tx) error) {
	t.Helper()
	if err := db.Update(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, db *DB, f func(tx *Tx) error) {
	t.Helper()
	if err := db.View(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

// What the promises of this package rest on.
func TestConnectionSettings(t *testing.T) {
	db := OpenTemp(t)
	read := func(tx *Tx) map[string]string {
		got := map[string]string{}
		for _, name := range []string{"synchronous", "journal_mode", "temp_store", "secure_delete", "foreign_keys", "page_size", "mmap_size", "query_only"} {
			var v string
			if err := tx.one([]any{&v}, "PRAGMA "+name); err != nil {
				v = err.Error()
			}
			got[name] = v
		}
		return got
	}
	want := map[string]string{
		"synchronous": "2", "journal_mode": "wal", "temp_store": "2", "secure_delete": "1", "foreign_keys": "1",
		"page_size": "4096", "mmap_size": "0", "query_only": "0",
	}
	update(t, db, func(tx *Tx) error {
		if d := cmp.Diff(want, read(tx)); d != "" {
			t.Errorf("writer (-want +got):\n%s", d)
		}
		var version string
		if err := tx.one([]any{&version}, "SELECT sqlite_version()"); err != nil {
			return err
		}
		if version != pinnedSQLite {
			t.Errorf("SQLite %s is linked, want %s: run the whole suite, then change pinnedSQLite", version, pinnedSQLite)
		}
		return nil
	})
	want["query_only"] = "1"
	view(t, db, func(tx *Tx) error {
		if d := cmp.Diff(want, read(tx)); d != "" {
			t.Errorf("reader (-want +got):\n%s", d)
		}
		if err := tx.exec("DELETE FROM setting"); err == nil {
			t.Error("View could write")
		}
		return nil
	})
	names, err := filepath.Glob(db.file.path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for i := range names {
		info, err := os.Stat(names[i])
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", names[i], info.Mode())
		}
		names[i] = filepath.Base(names[i])
	}
	if d := cmp.Diff([]string{"main.db", "main.db-wal"}, names); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
}

// pinnedSQLite is the SQLite of the mattn/go-sqlite3 in go.mod.
const pinnedSQLite = "3.54.1"

func TestKeyDoesNotPrint(t *testing.T) {
	k := Key{1, 2, 3}
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%x %v %+v %#v %s", k, k, k, k, k), fmt.Sprint(struct{ K Key }{k})} {
		if strings.Contains(s, "1") || strings.Contains(s, "02") {
			t.Errorf("a key prints as %q", s)
		}
	}
	if b, err := k.MarshalText(); err == nil {
		t.Errorf("a key marshals to %q", b)
	}
}

// Every way in which opening can fail has its own error, with words, and leaves the
// files as they are.
func TestOpenRefuses(t *testing.T) {
	key := Key{7}
	home := t.TempDir()
	db := openAt(t, filepath.Join(home, "good.db"), key, Options{})
	update(t, db, func(tx *Tx) error { return tx.SetSetting("name", []byte("value")) })
	mustClose(t, db)
	good, err := os.ReadFile(filepath.Join(home, "good.db"))
	if err != nil {
		t.Fatal(err)
	}
	changed := func(at int, to ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], to)
		return b
	}
	tests := []struct {
		name string
		file []byte
		wal  []byte
		key  Key
		want error
	}{
		{"wrong key", good, nil, Key{8}, ErrWrongKey},
		{"first page damaged", changed(500, good[500]^1), nil, key, ErrDamaged},
		{"schema damaged", changed(4096+500, good[4096+500]^1), nil, key, ErrDamaged},
		{"cut short", good[:len(good)-4096], nil, key, ErrDamaged},
		{"cut in the middle of a page", good[:len(good)-100], nil, key, ErrDamaged},
		{"empty", []byte{}, nil, key, ErrDamaged},
		{"log without a main file", nil, []byte("some log"), key, ErrDamaged},
		{"broken log", good, bytes.Repeat([]byte("log"), 5000), key, ErrDamaged},
		{"plain SQLite", append([]byte("SQLite format 3\x00"), make([]byte, 8176)...), nil, key, ErrForeign},
		{"a text", []byte("Dear diary"), nil, key, ErrForeign},
		{"a later format", changed(3, 2), nil, key, ErrNewer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "main.db")
			for name, b := range map[string][]byte{path: tt.file, path + "-wal": tt.wal} {
				if b == nil {
					continue
				}
				if err := os.WriteFile(name, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			db, err := Open(context.Background(), path, tt.key, Options{})
			if err == nil {
				// The first pages were whole; the rest is found when it is read.
				err = db.Check(context.Background())
				if closeErr := db.Close(); closeErr != nil && err == nil {
					err = closeErr
				}
			}
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if text, hint := fault.Words(err, nil); text == fault.General || hint == "" {
				t.Errorf("the person reads %q, %q", text, hint)
			}
			if tt.file != nil {
				if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, tt.file) {
					t.Errorf("the file was changed: %v", err)
				}
			}
			if !errors.Is(err, ErrDamaged) {
				return
			}
			// The way out: set it aside, begin anew.
			aside, err := SetAside(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(aside); tt.file != nil && err != nil {
				t.Error(err)
			}
			fresh, err := Open(context.Background(), path, tt.key, Options{})
			if err != nil {
				t.Fatal(err)
			}
			mustClose(t, fresh)
		})
	}
}

func TestOpenInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "main.db")
	db := openAt(t, path, Key{1}, Options{})
	if _, err := Open(context.Background(), path, Key{2}, Options{}); err == nil {
		t.Error("another key opened an open store")
	}
	second := openAt(t, path, Key{1}, Options{}) // one process may have it twice
	update(t, second, func(tx *Tx) error { return tx.SetSetting("a", []byte("b")) })
	view(t, db, func(tx *Tx) error {
		got, err := tx.Setting("a")
		if err != nil || string(got) != "b" {
			t.Errorf("the first handle reads %q, %v", got, err)
		}
		return nil
	})
}

func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "main.db")
	if _, err := Open(context.Background(), path, Key{1}, Options{ReadOnly: true}); !errors.Is(err, ErrNone) {
		t.Errorf("a missing store: %v, want %v", err, ErrNone)
	}
	db := openAt(t, path, Key{1}, Options{})
	update(t, db, func(tx *Tx) error { return tx.SetSetting("a", []byte("b")) })
	mustClose(t, db)
	db = openAt(t, path, Key{1}, Options{ReadOnly: true})
	view(t, db, func(tx *Tx) error {
		_, err := tx.Setting("a")
		return err
	})
	if err := db.Update(context.Background(), func(*Tx) error { return nil }); !errors.Is(err, ErrReadOnly) {
		t.Errorf("Update: %v, want %v", err, ErrReadOnly)
	}
}

// A crash while a store is made leaves nothing that the next start minds.
func TestCreateAfterCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "main.db")
	for _, name := range []string{path + ".new", path + ".new-wal", path + ".new-journal"} {
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db := openAt(t, path, Key{1}, Options{})
	update(t, db, func(tx *Tx) error { return tx.SetSetting("a", []byte("b")) })
	mustClose(t, db)
	left, err := filepath.Glob(path + "*")
	if err != nil || len(left) != 1 {
		t.Errorf("files %v, %v", left, err)
	}
}

// A step that fails leaves the version before it, and a file that knows more than the
// app is refused before anything is written.
func TestMigrations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "main.db")
	one := migration{1, "CREATE TABLE a(x)"}
	two := migration{2, "CREATE TABLE b(x); INSERT INTO b VALUES(1); CREATE TABLE a(x)"}
	db := openAt(t, path, Key{1}, Options{all: []migration{one}})
	mustClose(t, db)
	if _, err := Open(context.Background(), path, Key{1}, Options{all: []migration{one, two}}); err == nil {
		t.Fatal("a broken migration passed")
	}
	two.sql = "CREATE TABLE b(x)"
	db = openAt(t, path, Key{1}, Options{all: []migration{one, two}})
	if v, err := db.version(context.Background()); v != 2 || err != nil {
		t.Errorf("version %d, %v, want 2", v, err)
	}
	mustClose(t, db)
	var newer *NewerError
	_, err := Open(context.Background(), path, Key{1}, Options{all: []migration{one}})
	if !errors.As(err, &newer) || !errors.Is(err, ErrNewer) || *newer != (NewerError{Have: 2, Want: 1}) {
		t.Errorf("got %v, want a NewerError", err)
	}
	if _, err := readMigrations(os.DirFS(t.TempDir())); err != nil {
		t.Error(err)
	}
}

// A panic in a transaction leaves nothing of it and doesn't lock the store.
func TestPanicRollsBack(t *testing.T) {
	db := OpenTemp(t)
	func() {
		defer func() { _ = recover() }()
		_ = db.Update(context.Background(), func(tx *Tx) error {
			if err := tx.SetSetting("a", []byte("b")); err != nil {
				return err
			}
			panic("bug")
		})
	}()
	update(t, db, func(tx *Tx) error {
		if _, err := tx.Setting("a"); !errors.Is(err, ErrNone) {
			t.Errorf("got %v, want %v", err, ErrNone)
		}
		return nil
	})
}

// Close means closed, also when callers have just given up: package database/sql closes
// their connections in its own time.
func TestCloseAfterCancel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "main.db")
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	for range rounds {
		db, err := Open(context.Background(), path, Key{1}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_ = db.View(ctx, func(tx *Tx) error { // it is cancelled
					var n int
					return tx.one([]any{&n}, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 300000) SELECT count(*) FROM c")
				})
			})
		}
		wg.Go(func() { _ = db.Update(ctx, func(tx *Tx) error { return tx.SetSetting("a", []byte("b")) }) }) // may be cancelled
		cancel()
		wg.Wait()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
