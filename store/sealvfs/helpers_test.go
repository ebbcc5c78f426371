//go:build cgo

package sealvfs

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	marker   = "SECRETMARKERTEXT"
	ioerData = 8202 // SQLITE_IOERR_DATA
	notADB   = 26   // SQLITE_NOTADB
)

func newKey(t testing.TB) (*Key, *[32]byte) {
	t.Helper()
	var secret [32]byte
	_, _ = rand.Read(secret[:])
	k := New(&secret)
	t.Cleanup(k.Close)
	return k, &secret
}

func sameKey(t testing.TB, secret *[32]byte) *Key {
	t.Helper()
	k := New(secret)
	t.Cleanup(k.Close)
	return k
}

// open opens the database at path, making an empty file when there is none, and lets
// one connection do everything.
func open(t testing.TB, k *Key, path string, pragmas ...string) *sql.DB {
	t.Helper()
	return openOn(t, "", k, path, pragmas...)
}

func openOn(t testing.TB, base string, k *Key, path string, pragmas ...string) *sql.DB {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if len(pragmas) == 0 {
		pragmas = []string{"PRAGMA journal_mode = WAL"}
	}
	c, err := k.Connector(path, Conn{Base: base, Pragmas: append([]string{"PRAGMA synchronous = FULL", "PRAGMA busy_timeout = 5000"}, pragmas...)})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() }) // many tests close it before, or have broken it
	return db
}

type execer interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}

func must(t testing.TB, db execer, q string, a ...any) {
	t.Helper()
	if _, err := db.ExecContext(context.Background(), q, a...); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
}

func schema(t testing.TB, db execer) {
	t.Helper()
	must(t, db, `CREATE TABLE IF NOT EXISTS m(id INTEGER PRIMARY KEY, a INT, body TEXT)`)
	must(t, db, `CREATE INDEX IF NOT EXISTS mi ON m(a)`)
	must(t, db, `CREATE VIRTUAL TABLE IF NOT EXISTS f USING fts5(body, content='m', content_rowid='id')`)
}

func fillRows(db *sql.DB, from, n int) error {
	ctx := context.Background()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for i := from; i < from+n; i++ {
		b := fmt.Sprintf("%s row %d %s", marker, i, strings.Repeat("x", i%300))
		if i%97 == 0 {
			b += strings.Repeat("overflow ", 1500)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO m(id,a,body) VALUES(?,?,?)`, i, i%17, b)
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO f(rowid,body) VALUES(?,?)`, i, b)
		}
		if err != nil {
			_ = tx.Rollback() // the first error is the one to know
			return err
		}
	}
	return tx.Commit()
}

func fill(t testing.TB, db *sql.DB, from, n int) {
	t.Helper()
	if err := fillRows(db, from, n); err != nil {
		t.Fatal(err)
	}
}

func scan[T any](t testing.TB, db *sql.DB, q string, a ...any) T {
	t.Helper()
	var v T
	if err := db.QueryRowContext(context.Background(), q, a...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	return v
}

// readAll touches every page that holds anything and returns what the rows say.
func readAll(db *sql.DB) (string, error) {
	ctx := context.Background()
	var check, rows string
	if err := db.QueryRowContext(ctx, `SELECT coalesce(group_concat(id || a || body), '') FROM m`).Scan(&rows); err != nil {
		return "", err
	}
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&check); err != nil {
		return "", err
	}
	if check != "ok" {
		return "", fmt.Errorf("integrity: %s", check)
	}
	if _, err := db.ExecContext(ctx, `INSERT INTO f(f) VALUES('integrity-check')`); err != nil {
		return "", err
	}
	return rows, nil
}

func integrity(t testing.TB, db *sql.DB) string {
	t.Helper()
	rows, err := readAll(db)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// noShape fails when SQLite used the VFS in a way it does not know.
func noShape(t testing.TB, k *Key) {
	t.Helper()
	if n := k.Count(BadShape); n != 0 {
		t.Fatalf("%d transfers of unknown shape: %v", n, k.Reports())
	}
}

// noPlain looks for plaintext in every file of dir.
func noPlain(t testing.TB, dir string) {
	t.Helper()
	ents, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range ents {
		if strings.HasSuffix(e.Name(), "-shm") {
			t.Fatalf("%s: the log's index is on disk", e.Name())
		}
		b := load(t, filepath.Join(dir, e.Name()))
		for _, w := range []string{marker, "SQLite format", "CREATE TABLE", "xxxxxxxx", "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"} {
			if bytes.Contains(b, []byte(w)) {
				t.Fatalf("%s holds %q in the clear", e.Name(), w)
			}
		}
	}
}

func load(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func save(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// copyDir copies a store as a crash would leave it.
func copyDir(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir()
	ents, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range ents {
		if !e.IsDir() {
			save(t, filepath.Join(to, e.Name()), load(t, filepath.Join(from, e.Name())))
		}
	}
	return to
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 0x40
	return b
}

func extended(err error) int {
	_, x := Code(err)
	return x
}
