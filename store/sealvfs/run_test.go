//go:build cgo

package sealvfs

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Readers beside one writer, with checkpoints in between. Run with -race.
func TestConcurrent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	k, _ := newKey(t)
	db := open(t, k, path)
	schema(t, db)
	fill(t, db, 1, 1)
	rd := open(t, k, path)
	rd.SetMaxOpenConns(4)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var reads [4]int
	for r := range reads {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := readOnce(rd); err != nil {
					t.Error(err)
					return
				}
				reads[r]++
			}
		})
	}
	n := 2
	for n < 2500 && !t.Failed() {
		fill(t, db, n, 20)
		n += 20
		if n%400 == 2 {
			must(t, db, `PRAGMA wal_checkpoint(PASSIVE)`)
		}
	}
	close(stop)
	wg.Wait()
	integrity(t, db)
	noShape(t, k)
	for r, n := range reads {
		if n == 0 {
			t.Errorf("reader %d never read", r)
		}
	}
}

func readOnce(rd *sql.DB) error {
	ctx := context.Background()
	tx, err := rd.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it only reads
	var a, b, c int
	if err := tx.QueryRowContext(ctx, `SELECT count(*), (SELECT count(*) FROM f) FROM m`).Scan(&a, &b); err != nil {
		return err
	}
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM m`).Scan(&c); err != nil {
		return err
	}
	if a != b || a != c {
		return fmt.Errorf("one transaction saw %d, %d and %d rows", a, b, c)
	}
	return nil
}

// Transactions larger than the cache rewrite frames of the log in place, and large
// statements need a journal of their own.
func TestSpillAndSavepoints(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	k, secret := newKey(t)
	db := open(t, k, path)
	must(t, db, `PRAGMA cache_size = 8`)
	must(t, db, `PRAGMA wal_autocheckpoint = 0`)
	schema(t, db)
	fill(t, db, 1, 500)
	for round := range 6 {
		must(t, db, `BEGIN`)
		for i := range 120 {
			must(t, db, `UPDATE m SET body = body || '`+marker+`' WHERE a = ?`, i%17)
			if i%40 == 10 {
				must(t, db, `SAVEPOINT s`)
				must(t, db, `UPDATE m SET body = 'gone'`)
				must(t, db, `ROLLBACK TO s`)
				must(t, db, `RELEASE s`)
			}
		}
		if _, err := db.Exec(`UPDATE m SET body = body || 'x', id = CASE id WHEN 490 THEN 1 ELSE id END`); err == nil {
			t.Fatal("a doubled primary key was accepted")
		}
		if round%2 == 0 {
			must(t, db, `UPDATE m SET body = substr(body, 1, 300)`)
			must(t, db, `COMMIT`)
		} else {
			must(t, db, `ROLLBACK`)
		}
	}
	must(t, db, `INSERT INTO f(f) VALUES('rebuild')`)
	snap := copyDir(t, dir)
	want := integrity(t, db)
	if strings.Contains(want, "gone") {
		t.Error("what was rolled back is there")
	}
	kk := sameKey(t, secret)
	if got := integrity(t, open(t, kk, filepath.Join(snap, "a.db"))); got != want {
		t.Error("rows differ after recovery of the log")
	}
	noShape(t, k)
	noShape(t, kk)
	for _, r := range kk.Reports() {
		t.Errorf("a whole log was reported: %+v", r)
	}
}

// One process has a file to itself.
func TestSecondProcess(t *testing.T) {
	if path := os.Getenv("SEAL_SECOND"); path != "" {
		k := New(&[32]byte{7})
		_, err := readAll(open(t, k, path))
		code, _ := Code(err)
		fmt.Printf("SECOND %d %d\n", code, k.Count(Elsewhere))
		return
	}
	path := filepath.Join(t.TempDir(), "a.db")
	k := sameKey(t, &[32]byte{7})
	db := open(t, k, path)
	schema(t, db)
	second := func() string {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSecondProcess$")
		cmd.Env = append(os.Environ(), "SEAL_SECOND="+path)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	if got := second(); !strings.Contains(got, "SECOND 5 1\n") {
		t.Errorf("beside an open file: %q, want busy", got)
	}
	fill(t, db, 1, 10)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := second(); !strings.Contains(got, "SECOND 0 0\n") {
		t.Errorf("after closing: %q, want no error", got)
	}
}

// A child commits rows and says so; the parent kills it and looks.
func TestKill(t *testing.T) {
	if path := os.Getenv("SEAL_CHILD"); path != "" {
		killed(t, path)
		return
	}
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	for _, mode := range []string{"WAL", "DELETE"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "a.db")
		acked := 0
		for range rounds {
			cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
			cmd.Env = append(os.Environ(), "SEAL_CHILD="+path, "SEAL_MODE="+mode)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(time.Duration(150+mrand.IntN(400))*time.Millisecond, func() { _ = cmd.Process.Kill() })
			b, err := io.ReadAll(out)
			if err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) || bytes.Contains(b, []byte("FAIL")) {
				t.Fatalf("child: %v\n%s", err, b)
			}
			timer.Stop()
			for l := range strings.Lines(string(b)) {
				if v, ok := strings.CutPrefix(strings.TrimSpace(l), "ACK "); ok {
					n, err := strconv.Atoi(v)
					if err != nil {
						continue // cut in the middle of the line
					}
					acked = max(acked, n)
				}
			}
			k := sameKey(t, &[32]byte{7})
			db := open(t, k, path, "PRAGMA journal_mode = "+mode)
			if acked > 0 {
				integrity(t, db)
				if got := scan[int](t, db, `SELECT max(id) FROM m`); got < acked {
					t.Fatalf("%d rows acknowledged, %d there", acked, got)
				}
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			noShape(t, k)
			noPlain(t, dir)
		}
		if acked == 0 {
			t.Errorf("%s: nothing was committed", mode)
		}
	}
}

func killed(t *testing.T, path string) {
	k := New(&[32]byte{7})
	db := open(t, k, path, "PRAGMA journal_mode = "+os.Getenv("SEAL_MODE"), "PRAGMA cache_size = 20", "PRAGMA wal_autocheckpoint = 50")
	schema(t, db)
	last := scan[int](t, db, `SELECT coalesce(max(id), 0) FROM m`)
	for {
		n := 1 + mrand.IntN(60)
		fill(t, db, last+1, n)
		last += n
		fmt.Printf("ACK %d\n", last)
		if mrand.IntN(5) == 0 {
			must(t, db, `UPDATE m SET a = a + 1 WHERE id % 7 = ?`, mrand.IntN(7))
		}
	}
}

// A file that is removed while it is open, and another one made at its path, are two.
func TestReplacedWhileOpen(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("open files can't be removed here")
	}
	path := filepath.Join(t.TempDir(), "a.db")
	k, _ := newKey(t)
	old := open(t, k, path)
	schema(t, old)
	fill(t, old, 1, 200)
	for _, s := range []string{"", "-wal"} {
		if err := os.Remove(path + s); err != nil {
			t.Fatal(err)
		}
	}
	k2, _ := newKey(t)
	fresh := open(t, k2, path)
	schema(t, fresh)
	fill(t, fresh, 1, 10)
	if got := scan[int](t, fresh, `SELECT count(*) FROM m`); got != 10 {
		t.Errorf("%d rows in the new file, want 10", got)
	}
	integrity(t, fresh)
	if err := fresh.Close(); err != nil {
		t.Fatal(err)
	}
	if !k2.Drain(time.Second) {
		t.Error("the new file is still open")
	}
	if k.Drain(time.Millisecond) {
		t.Error("the old file is closed")
	}
}
