//go:build cgo

package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causa/internal/faultvfs"
	"causa/matter"
	"causa/store/internal/plain"
)

func canary() string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return "q" + hex.EncodeToString(b[:])
}

func addMatter(tx *Tx, title string) (matter.ID, error) {
	m := matter.Matter{ID: matter.NewID(), Title: title, Class: matter.ClassGeneral, State: matter.StateOpen, Opened: time.UnixMilli(1), Active: time.UnixMilli(1)}
	return m.ID, tx.NewMatter(m, matter.DeviceID{}, 0)
}

func addLine(tx *Tx, id matter.ID, seq int, text string) error {
	_, err := tx.AddMessage(matter.Message{
		ID: matter.NewMessageID(), Matter: id, Seq: uint64(seq), Time: time.UnixMilli(int64(seq) * 1e6), Kind: matter.KindText, Text: text,
	}, matter.MemberID{})
	return err
}

// 10,000 random strings go through every table; none of them reaches the disk in the
// clear, in any write to any file at any time. Each write is looked at before it happens.
func TestNothingLeaks(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 2_000
	}
	words := make([]string, n)
	known := make(map[string]bool, n)
	for i := range words {
		words[i] = canary()
		known[words[i]] = true
	}
	vfs := faultvfs.New(t)
	files := map[string]int{}
	leaks := 0
	vfs.Hook(func(o faultvfs.Op) int {
		if o.Kind == faultvfs.Open {
			files[o.Name] += 0
		}
		if o.Kind != faultvfs.Write {
			return 0
		}
		files[o.Name] += len(o.Data)
		leaks += countKnown(o.Data, known)
		for _, s := range []string{"CREATE TABLE", "SQLite format", "search_", "INSERT"} {
			if bytes.Contains(o.Data, []byte(s)) {
				leaks++
			}
		}
		return 0
	})
	dir := t.TempDir()
	db := openAt(t, filepath.Join(dir, "main.db"), Key{3}, Options{base: vfs.Name})
	next := func() string {
		w := words[len(words)-1]
		words = words[:len(words)-1]
		return w
	}
	var ids []matter.ID
	for len(words) > 40 {
		update(t, db, func(tx *Tx) error {
			id, err := addMatter(tx, next())
			if err != nil {
				return err
			}
			ids = append(ids, id)
			for seq := 1; seq <= 20; seq++ {
				if err := addLine(tx, id, seq, next()+" 合同 "+next()); err != nil {
					return err
				}
			}
			if err := tx.SetSetting(next(), []byte(next())); err != nil {
				return err
			}
			if err := tx.SetDraft(id, next()); err != nil {
				return err
			}
			if len(words) < 20 {
				return nil
			}
			if err := tx.AddBlob(Blob{ID: BlobID(id), Matter: id, Name: next(), Type: next(), Size: 20, Created: time.UnixMilli(1)}); err != nil {
				return err
			}
			return tx.PutBlobPart(BlobID(id), 0, []byte(next()))
		})
		if len(ids)%20 == 0 {
			if err := db.DropMatter(context.Background(), ids[len(ids)-1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Large sorts, large statements, a rebuilt file: what makes SQLite write temporary files.
	update(t, db, func(tx *Tx) error {
		var all string
		if err := tx.one([]any{&all}, "SELECT group_concat(text) FROM (SELECT text FROM message ORDER BY text, id)"); err != nil {
			return err
		}
		return tx.exec("UPDATE message SET text = text || ' ' || text")
	})
	if _, err := db.write.ExecContext(context.Background(), "VACUUM"); err != nil {
		t.Fatal(err)
	}
	if err := db.Backup(context.Background(), filepath.Join(dir, "copy.db"), Key{4}); err != nil {
		t.Fatal(err)
	}
	onDisk(t, dir, known)
	mustClose(t, db)
	onDisk(t, dir, known)
	if leaks != 0 {
		t.Errorf("%d strings were written in the clear", leaks)
	}
	for name, bytes := range files {
		switch {
		case strings.HasSuffix(name, ".db"), strings.HasSuffix(name, ".db-wal"), strings.HasSuffix(name, ".new"), strings.HasSuffix(name, ".new-wal"), strings.HasSuffix(name, ".new-journal"):
		default:
			t.Errorf("there was a file %q of %d bytes", name, bytes)
		}
	}
	t.Logf("%d strings, bytes written: %v", n, files)

	// The same look at opened files finds them: the test can see.
	b, err := plain.Read(filepath.Join(dir, "main.db"), Key{3})
	if err != nil {
		t.Fatal(err)
	}
	if got := countKnown(b, known); got < n/2 {
		t.Errorf("only %d of %d strings are in the opened file", got, n)
	}
}

// countKnown counts where a known string starts. Canaries are a q and 16 hex digits.
func countKnown(b []byte, known map[string]bool) (n int) {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], 'q')
		if i < 0 || at+i+17 > len(b) {
			return n
		}
		at += i
		if known[string(b[at:at+17])] {
			n++
		}
		at++
	}
}

func onDisk(t *testing.T, dir string, known map[string]bool) {
	t.Helper()
	ents, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range ents {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if n := countKnown(b, known); n > 0 {
			t.Errorf("%s holds %d strings in the clear", e.Name(), n)
		}
	}
}

// After deletion, nothing of the text is left even for somebody who has the key: not in
// freed pages, not in the index, not in the log.
func TestDeletedIsGone(t *testing.T) {
	db := OpenTemp(t)
	ctx := context.Background()
	gone := map[string]bool{}
	kept := map[string]bool{}
	word := func(to map[string]bool) string {
		w := canary()
		to[w] = true
		return w
	}
	var victim, other matter.ID
	for batch := range 20 { // turn and turn about, so that they share pages
		update(t, db, func(tx *Tx) (err error) {
			if batch == 0 {
				if victim, err = addMatter(tx, word(gone)); err != nil {
					return err
				}
				if other, err = addMatter(tx, word(kept)); err != nil {
					return err
				}
				if err := tx.SetDraft(victim, word(gone)); err != nil {
					return err
				}
				if err := tx.AddBlob(Blob{ID: BlobID{1}, Matter: victim, Name: word(gone), Created: time.UnixMilli(1)}); err != nil {
					return err
				}
				if err := tx.PutBlobPart(BlobID{1}, 0, []byte(word(gone))); err != nil {
					return err
				}
				if err := tx.PutContentSecret(victim, 1, []byte(word(gone))); err != nil {
					return err
				}
				if err := tx.PutGroup(victim, 1, time.UnixMilli(1), []byte(word(gone))); err != nil {
					return err
				}
			}
			for i := range 30 {
				seq := batch*30 + i + 1
				if err := addLine(tx, victim, seq, word(gone)+strings.Repeat(" 保密内容", i*7)); err != nil {
					return err
				}
				if err := addLine(tx, other, seq, word(kept)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	text := func() []byte {
		t.Helper()
		b, err := plain.Read(db.file.path, Key{1})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if n := countKnown(text(), gone); n < len(gone) {
		t.Fatalf("%d of %d strings are there before", n, len(gone))
	}
	if err := db.DropMatter(ctx, victim); err != nil {
		t.Fatal(err)
	}
	b := text()
	if n := countKnown(b, gone); n > 0 {
		t.Errorf("%d strings of the deleted matter are left", n)
	}
	if bytes.Contains(b, []byte("保密")) {
		t.Error("words of the deleted matter are left")
	}
	if n := countKnown(b, kept); n < len(kept) {
		t.Errorf("%d of %d strings of the other matter are there", n, len(kept))
	}

	// One message, by the purger alone.
	var one string
	update(t, db, func(tx *Tx) error {
		ms, err := tx.Messages(other, 0, 1)
		if err != nil {
			return err
		}
		one = ms[0].Text
		return tx.DropMessage(other, ms[0].Seq)
	})
	eventually(t, func() error {
		if bytes.Contains(text(), []byte(one)) {
			return fmt.Errorf("a deleted message is left")
		}
		return nil
	})
	if err := db.Check(ctx); err != nil {
		t.Error(err)
	}
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, f func() error) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// What a process did not get to clear is cleared by the next.
func TestPurgeAfterRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "main.db")
	db := openAt(t, path, Key{1}, Options{})
	db.purge.stop() // this process never purges
	secret := canary()
	var id matter.ID
	update(t, db, func(tx *Tx) (err error) {
		if id, err = addMatter(tx, "x"); err != nil {
			return err
		}
		if err := addLine(tx, id, 1, secret); err != nil {
			return err
		}
		return addLine(tx, id, 2, "stays")
	})
	update(t, db, func(tx *Tx) error { return tx.DropMessage(id, 1) })
	mustClose(t, db)
	b, err := plain.Read(path, Key{1})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(secret)) {
		t.Fatal("the index does not keep what is deleted; the test tests nothing")
	}
	openAt(t, path, Key{1}, Options{})
	eventually(t, func() error {
		b, err := plain.Read(path, Key{1})
		if err != nil || bytes.Contains(b, []byte(secret)) {
			return fmt.Errorf("still there: %v", err)
		}
		return nil
	})
}

func TestRekeyAndBackup(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	path := filepath.Join(dir, "main.db")
	db := openAt(t, path, Key{1}, Options{})
	update(t, db, func(tx *Tx) error { return tx.SetSetting("a", []byte("b")) })
	if err := db.Backup(ctx, filepath.Join(dir, "copy.db"), Key{2}); err != nil {
		t.Fatal(err)
	}
	if err := db.Backup(ctx, filepath.Join(dir, "copy.db"), Key{2}); err == nil {
		t.Error("a backup replaced another file")
	}
	mustClose(t, db)
	if err := Rekey(ctx, path, Key{9}, Key{3}); err == nil {
		t.Error("rekeyed with a wrong key")
	}
	if err := Rekey(ctx, path, Key{1}, Key{3}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path string
		key  Key
	}{{path, Key{3}}, {filepath.Join(dir, "copy.db"), Key{2}}} {
		db := openAt(t, tt.path, tt.key, Options{})
		view(t, db, func(tx *Tx) error {
			if got, err := tx.Setting("a"); string(got) != "b" || err != nil {
				t.Errorf("%s: %q, %v", tt.path, got, err)
			}
			return nil
		})
		if err := db.Check(ctx); err != nil {
			t.Error(err)
		}
		mustClose(t, db)
		if _, err := Open(ctx, tt.path, Key{1}, Options{}); err == nil {
			t.Errorf("%s opens with the old key", tt.path)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 2 {
		t.Errorf("files %v, %v", left, err)
	}
}
