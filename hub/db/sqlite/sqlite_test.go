package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"causa/hub/db"
	"causa/hub/db/dbtest"
	"causa/matter"
)

func openAt(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // a test may have closed it
	return s
}

func TestSuite(t *testing.T) {
	dbtest.Run(t, func(t *testing.T) db.Store { return openAt(t, filepath.Join(t.TempDir(), "hub.db")) })
}

// A commit must mean that the disk has it.
func TestWriterIsDurable(t *testing.T) {
	d := openAt(t, filepath.Join(t.TempDir(), "a folder", "..", "hub 100%?.db"))
	ctx := context.Background()
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1"} {
		var got string
		if err := d.writer.conn.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s = %s, want %s", pragma, got, want)
		}
	}
	if _, err := d.writer.conn.ExecContext(ctx, "PRAGMA synchronous = NORMAL"); err != nil {
		t.Fatal(err)
	}
	if err := d.assertDurable(ctx); err == nil {
		t.Error("synchronous=NORMAL passes for durable")
	}
	if _, err := d.reading.ExecContext(ctx, "DELETE FROM meta"); err == nil {
		t.Error("a reading connection writes")
	}
}

func TestOpenAgain(t *testing.T) {
	path, ctx := filepath.Join(t.TempDir(), "hub.db"), context.Background()
	d := openAt(t, path)
	if err := db.New(d).Write(ctx, func(tx *db.Tx) error { return tx.SetMeta("k", []byte("v")) }); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something is left open: %v", err)
	}
	d = openAt(t, path)
	if v, ok, err := db.New(d).Meta(ctx, "k"); string(v) != "v" || !ok || err != nil {
		t.Errorf("Meta = %q, %v, %v", v, ok, err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.ExecContext(ctx, "PRAGMA user_version = 1000"); err != nil {
		t.Fatal(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, path); !errors.Is(err, db.ErrNewer) {
		t.Errorf("open a newer database: %v", err)
	}
}

func TestFullDisk(t *testing.T) {
	d := openAt(t, filepath.Join(t.TempDir(), "hub.db"))
	ctx := context.Background()
	if err := d.LimitPages(ctx, 1); err != nil {
		t.Fatal(err)
	}
	large := func(tx *db.Tx) error { return tx.SetMeta("large", make([]byte, 1<<20)) }
	if err := db.New(d).Write(ctx, large); !errors.Is(err, db.ErrFull) {
		t.Fatalf("Write = %v, want ErrFull", err)
	}
	if _, _, err := db.New(d).Meta(ctx, "large"); err != nil {
		t.Errorf("read on a full disk: %v", err)
	}
	if err := d.LimitPages(ctx, 0); err != nil {
		t.Fatal(err)
	}
	if err := db.New(d).Write(ctx, large); err != nil {
		t.Errorf("write when there is room again: %v", err)
	}
}

// A database of the first version is brought up to date, with what is in it.
func TestMigrateFirstVersion(t *testing.T) {
	path, ctx := filepath.Join(t.TempDir(), "hub.db"), context.Background()
	script, err := os.ReadFile("migrations/0001_first.sql")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		string(script), "PRAGMA user_version = 1",
		`INSERT INTO devices (no, id) VALUES (1, zeroblob(32))`,
		`INSERT INTO matters (no, id, creator, digest, epoch, head, time_ms) VALUES (1, zeroblob(16), 1, zeroblob(32), 0, 0, 7)`,
	} {
		if _, err := raw.ExecContext(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err := OpenSnapshot(ctx, path); err == nil {
		_ = s.Close()
		t.Error("a snapshot of an older version can be looked at")
	}
	d := openAt(t, path)
	err = db.New(d).Write(ctx, func(tx *db.Tx) error {
		m, ok, err := tx.Matter(matter.ID{})
		if !ok || m.TimeMS != 7 {
			t.Errorf("Matter = %+v, %v", m, ok)
		}
		n, err2 := tx.Trim(m.No, 1<<40, 10)
		if n != 0 {
			t.Errorf("Trim of an empty matter = %d", n)
		}
		if err == nil {
			err = err2
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
