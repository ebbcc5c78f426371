// Package dbtest is what every engine of hub/db must pass.
package dbtest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causa/hub/db"
	"causa/matter"
)

// Run runs the suite; open makes an engine on an empty database, which it closes when
// the test ends.
func Run(t *testing.T, open func(t *testing.T) db.Store) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, *db.DB)
	}{
		{"a write is all or nothing", allOrNothing},
		{"pages", pages},
		{"nothing twice", nothingTwice},
		{"a read sees one instant", oneInstant},
		{"meta", meta},
		{"organisation log", orgLog},
		{"devices and counters", devices},
		{"heads", heads},
		{"key packages", keyPackages},
		{"welcomes", welcomes},
		{"commits", commits},
		{"quiet hours", quietHours},
		{"a large batch", largeBatch},
		{"writers beside readers", beside},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, db.New(open(t))) })
	}
	t.Run("trim", func(t *testing.T) { trim(t, open) })
}

// write is Write that must succeed.
func write(t *testing.T, d *db.DB, fn func(*db.Tx) error) {
	t.Helper()
	if err := d.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func allOrNothing(t *testing.T, d *db.DB) {
	ctx := t.Context()
	boom := errors.New("boom")
	err := d.Write(ctx, func(tx *db.Tx) error {
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
		_ = d.Write(ctx, func(tx *db.Tx) error {
			_ = tx.SetMeta("k", []byte("v"))
			panic(boom)
		})
	}()
	if _, ok, err := d.Meta(ctx, "k"); ok || err != nil {
		t.Errorf("half a transaction is there: %v, %v", ok, err)
	}
	if err := d.Write(ctx, func(tx *db.Tx) error { return tx.SetMeta("k", []byte("v")) }); err != nil {
		t.Errorf("write after a failed one: %v", err)
	}
}

// fill makes a matter of two devices with ten messages, of which the second device was
// in it from 3 to 5 and from 8 on.
func fill(t *testing.T, d *db.DB) (id matter.ID, first, second db.DeviceNo) {
	t.Helper()
	id = matter.ID{7}
	err := d.Write(t.Context(), func(tx *db.Tx) (err error) {
		if first, err = tx.AddDevice(matter.DeviceID{1}); err != nil {
			return err
		}
		if second, err = tx.AddDevice(matter.DeviceID{2}); err != nil {
			return err
		}
		m := db.Matter{ID: id, Creator: first, Devices: []db.DeviceNo{first}}
		if err := tx.AddMatter(&m, []byte("info")); err != nil {
			return err
		}
		for seq := uint64(1); seq <= 10; seq++ {
			e := db.NewEntry{Matter: m.No, Seq: seq, TimeMS: int64(100 * seq), Kind: 2, Sender: first, Counter: seq, Payload: []byte{byte(seq)}}
			if err := tx.AddEntry(&e); err != nil {
				return err
			}
		}
		m.Head, m.TimeMS = 10, 1000
		return errors.Join(tx.SetMatters([]*db.Matter{&m}),
			tx.AddParticipant(m.No, second, 3), tx.EndParticipant(m.No, second, 5), tx.AddParticipant(m.No, second, 8))
	})
	if err != nil {
		t.Fatal(err)
	}
	return id, first, second
}

func pages(t *testing.T, d *db.DB) {
	id, first, second := fill(t, d)
	tests := []struct {
		name     string
		device   db.DeviceNo
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
			p, ok, err := d.Page(t.Context(), id, tt.device, tt.after, tt.limit, tt.maxBytes)
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
	if _, ok, err := d.Page(t.Context(), id, 99, 0, 10, 10); ok || err != nil {
		t.Errorf("a page for a stranger: %v, %v", ok, err)
	}
}

// The database itself refuses what must never be there twice.
func nothingTwice(t *testing.T, d *db.DB) {
	id, first, _ := fill(t, d)
	add := func(e db.NewEntry) error {
		return d.Write(t.Context(), func(tx *db.Tx) error {
			m, ok, err := tx.Matter(id)
			if err != nil || !ok {
				t.Fatalf("Matter: %v, %v", ok, err)
			}
			e.Matter, e.Sender = m.No, first
			return tx.AddEntry(&e)
		})
	}
	if err := add(db.NewEntry{Seq: 10, Counter: 11, Payload: []byte("x")}); err == nil {
		t.Error("two entries of one sequence")
	}
	if err := add(db.NewEntry{Seq: 11, Counter: 10, Payload: []byte("x")}); err == nil {
		t.Error("two entries of one counter")
	}
	if err := add(db.NewEntry{Seq: 11, Counter: 11, Payload: []byte("x")}); err != nil {
		t.Errorf("the next entry: %v", err)
	}
	err := d.Write(t.Context(), func(tx *db.Tx) error {
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
