package db

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causa/matter"
)

func open1(t *testing.T, path string) *DB {
	t.Helper()
	d, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() }) // a test may have closed it
	return d
}

// A commit must mean that the disk has it.
func TestWriterIsDurable(t *testing.T) {
	d := open1(t, filepath.Join(t.TempDir(), "a folder", "..", "hub 100%?.db"))
	ctx := context.Background()
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1"} {
		var got string
		if err := d.tx.conn.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s = %s, want %s", pragma, got, want)
		}
	}
	if _, err := d.tx.conn.ExecContext(ctx, "PRAGMA synchronous = NORMAL"); err != nil {
		t.Fatal(err)
	}
	if err := d.assertDurable(ctx); err == nil {
		t.Error("synchronous=NORMAL passes for durable")
	}
	if _, err := d.reader.ExecContext(ctx, "DELETE FROM meta"); err == nil {
		t.Error("a reading connection writes")
	}
}

func TestOpenAgain(t *testing.T) {
	path, ctx := filepath.Join(t.TempDir(), "hub.db"), context.Background()
	d := open1(t, path)
	if err := d.Write(ctx, func(tx *Tx) error { return tx.SetMeta("k", []byte("v")) }); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something is left open: %v", err)
	}
	d = open1(t, path)
	if v, ok, err := d.Meta(ctx, "k"); string(v) != "v" || !ok || err != nil {
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
	if _, err := Open(ctx, path); !errors.Is(err, ErrNewer) {
		t.Errorf("open a newer database: %v", err)
	}
}

func TestWriteIsAllOrNothing(t *testing.T) {
	d := open1(t, filepath.Join(t.TempDir(), "hub.db"))
	ctx := context.Background()
	boom := errors.New("boom")
	err := d.Write(ctx, func(tx *Tx) error {
		if err := tx.SetMeta("k", []byte("v")); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Errorf("Write = %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = d.Write(ctx, func(tx *Tx) error {
			_ = tx.SetMeta("k", []byte("v"))
			panic(boom)
		})
	}()
	if _, ok, err := d.Meta(ctx, "k"); ok || err != nil {
		t.Errorf("half a transaction is there: %v, %v", ok, err)
	}
	if err := d.Write(ctx, func(tx *Tx) error { return tx.SetMeta("k", []byte("v")) }); err != nil {
		t.Errorf("write after a failed one: %v", err)
	}
}

// fill makes a matter of two devices with ten messages, of which the second device was
// in it from 3 to 5 and from 8 on.
func fill(t *testing.T, d *DB) (id matter.ID, first, second DeviceNo) {
	t.Helper()
	id = matter.ID{7}
	err := d.Write(context.Background(), func(tx *Tx) (err error) {
		if first, err = tx.AddDevice(matter.DeviceID{1}); err != nil {
			return err
		}
		if second, err = tx.AddDevice(matter.DeviceID{2}); err != nil {
			return err
		}
		m := Matter{ID: id, Creator: first, Devices: []DeviceNo{first}}
		if err := tx.AddMatter(&m, []byte("info")); err != nil {
			return err
		}
		for seq := uint64(1); seq <= 10; seq++ {
			e := NewEntry{Matter: m.No, Seq: seq, TimeMS: int64(100 * seq), Kind: 2, Sender: first, Counter: seq, Payload: []byte{byte(seq)}}
			if err := tx.AddEntry(&e); err != nil {
				return err
			}
		}
		m.Head, m.TimeMS = 10, 1000
		return errors.Join(tx.SetMatter(&m),
			tx.AddParticipant(m.No, second, 3), tx.EndParticipant(m.No, second, 5), tx.AddParticipant(m.No, second, 8))
	})
	if err != nil {
		t.Fatal(err)
	}
	return id, first, second
}

func TestPages(t *testing.T) {
	d := open1(t, filepath.Join(t.TempDir(), "hub.db"))
	id, first, second := fill(t, d)
	tests := []struct {
		name     string
		device   DeviceNo
		after    uint64
		limit    int
		maxBytes int
		want     []uint64
	}{
		{"from the start", first, 0, 100, 100, []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		{"a few", first, 2, 3, 100, []uint64{3, 4, 5}},
		{"few bytes", first, 2, 100, 2, []uint64{3, 4}},
		{"one in any case", first, 2, 100, 0, []uint64{3}},
		{"past the end", first, 10, 100, 100, nil},
		{"far past the end", first, 1<<64 - 1, 100, 100, nil},
		{"first time in it", second, 0, 100, 100, []uint64{3, 4, 5}},
		{"within the first time", second, 4, 100, 100, []uint64{5}},
		{"second time in it", second, 5, 100, 100, []uint64{8, 9, 10}},
		{"between", second, 6, 100, 100, []uint64{8, 9, 10}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, ok, err := d.Page(context.Background(), id, tt.device, tt.after, tt.limit, tt.maxBytes)
			if err != nil || !ok {
				t.Fatalf("Page: %v, %v", ok, err)
			}
			var got []uint64
			for _, e := range p.Entries {
				got = append(got, e.Seq)
				if e.Sender != (matter.DeviceID{1}) || len(e.Payload) != 1 || e.Payload[0] != byte(e.Seq) {
					t.Errorf("entry %+v", e)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
			if p.Head != 10 {
				t.Errorf("head = %d, want 10", p.Head)
			}
		})
	}
	if _, ok, err := d.Page(context.Background(), id, 99, 0, 10, 10); ok || err != nil {
		t.Errorf("a page for a stranger: %v, %v", ok, err)
	}
}

// The database itself refuses what must never be there twice.
func TestNothingTwice(t *testing.T) {
	d := open1(t, filepath.Join(t.TempDir(), "hub.db"))
	id, first, _ := fill(t, d)
	add := func(e NewEntry) error {
		return d.Write(context.Background(), func(tx *Tx) error {
			m, ok, err := tx.Matter(id)
			if err != nil || !ok {
				t.Fatalf("Matter: %v, %v", ok, err)
			}
			e.Matter, e.Sender = m.No, first
			return tx.AddEntry(&e)
		})
	}
	if err := add(NewEntry{Seq: 10, Counter: 11, Payload: []byte("x")}); err == nil {
		t.Error("two entries of one sequence")
	}
	if err := add(NewEntry{Seq: 11, Counter: 10, Payload: []byte("x")}); err == nil {
		t.Error("two entries of one counter")
	}
	if err := add(NewEntry{Seq: 11, Counter: 11, Payload: []byte("x")}); err != nil {
		t.Errorf("the next entry: %v", err)
	}
	err := d.Write(context.Background(), func(tx *Tx) error {
		p, ok, err := tx.SentAs(first, 11)
		if !ok || p.Seq != 11 {
			t.Errorf("SentAs = %+v, %v", p, ok)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestFullDisk(t *testing.T) {
	d := open1(t, filepath.Join(t.TempDir(), "hub.db"))
	ctx := context.Background()
	if err := d.LimitPages(ctx, 1); err != nil {
		t.Fatal(err)
	}
	large := func(tx *Tx) error { return tx.SetMeta("large", make([]byte, 1<<20)) }
	if err := d.Write(ctx, large); !errors.Is(err, ErrFull) {
		t.Fatalf("Write = %v, want ErrFull", err)
	}
	if _, _, err := d.Meta(ctx, "large"); err != nil {
		t.Errorf("read on a full disk: %v", err)
	}
	if err := d.LimitPages(ctx, 0); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(ctx, large); err != nil {
		t.Errorf("write when there is room again: %v", err)
	}
}
