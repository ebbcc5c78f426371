package dbtest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causa/hub/db"
	"causa/matter"
)

func meta(t *testing.T, d *db.DB) {
	ctx := t.Context()
	if v, ok, err := d.Meta(ctx, "k"); v != nil || ok || err != nil {
		t.Errorf("Meta of nothing = %q, %v, %v", v, ok, err)
	}
	for _, want := range []string{"first", "", "second \x00\xff"} {
		write(t, d, func(tx *db.Tx) error { return tx.SetMeta("k", []byte(want)) })
		if v, ok, err := d.Meta(ctx, "k"); string(v) != want || !ok || err != nil {
			t.Errorf("Meta = %q, %v, %v; want %q", v, ok, err, want)
		}
	}
	for _, own := range []string{"mine", "yours"} {
		write(t, d, func(tx *db.Tx) error {
			kept, err := tx.KeepMeta("kept", []byte(own))
			if string(kept) != "mine" {
				t.Errorf("KeepMeta = %q, want the first", kept)
			}
			return err
		})
	}
}

func orgLog(t *testing.T, d *db.DB) {
	ctx := t.Context()
	page := func(from uint64, limit, maxBytes int, want ...string) {
		t.Helper()
		entries, next, err := d.LogPage(ctx, from, limit, maxBytes)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range entries {
			got = append(got, string(e))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("LogPage(%d, %d, %d) (-want +got):\n%s", from, limit, maxBytes, diff)
		}
		if len(want) > 0 && next != 3 {
			t.Errorf("next = %d, want 3", next)
		}
	}
	page(0, 10, 10)
	write(t, d, func(tx *db.Tx) error {
		return errors.Join(tx.AppendLog(0, []byte("aa")), tx.AppendLog(1, []byte("bb")), tx.AppendLog(2, []byte("cc")))
	})
	page(0, 10, 10, "aa", "bb", "cc")
	page(1, 1, 10, "bb")
	page(0, 10, 4, "aa", "bb")
	page(0, 10, 1, "aa")
	page(3, 10, 10)
	page(1<<64-1, 10, 10)
	if err := d.Write(ctx, func(tx *db.Tx) error { return tx.AppendLog(2, []byte("other")) }); err == nil {
		t.Error("two entries of one index")
	}
	write(t, d, func(tx *db.Tx) error {
		e, ok, err := tx.LogEntry(2)
		if string(e) != "cc" || !ok {
			t.Errorf("LogEntry = %q, %v", e, ok)
		}
		if _, ok, err := tx.LogEntry(1 << 63); ok || err != nil {
			t.Errorf("LogEntry far away: %v, %v", ok, err)
		}
		return err
	})
}

func devices(t *testing.T, d *db.DB) {
	var nos []db.DeviceNo
	write(t, d, func(tx *db.Tx) error {
		for i := range 3 {
			no, err := tx.AddDevice(matter.DeviceID{byte(i)})
			if err != nil {
				return err
			}
			nos = append(nos, no)
		}
		again, err := tx.AddDevice(matter.DeviceID{1})
		if again != nos[1] {
			t.Errorf("a device got another number: %d, %d", nos[1], again)
		}
		return err
	})
	write(t, d, func(tx *db.Tx) error { return tx.SetCounters(map[db.DeviceNo]uint64{nos[0]: 7, nos[2]: 9}) })
	write(t, d, func(tx *db.Tx) error { return tx.SetCounters(nil) })
	write(t, d, func(tx *db.Tx) error {
		for i, want := range []uint64{7, 0, 9} {
			no, counter, ok, err := tx.Device(matter.DeviceID{byte(i)})
			if no != nos[i] || counter != want || !ok || err != nil {
				t.Errorf("device %d: %d, %d, %v, %v", i, no, counter, ok, err)
			}
		}
		_, _, ok, err := tx.Device(matter.DeviceID{99})
		if ok {
			t.Error("an unknown device is known")
		}
		return err
	})
	got, err := d.Devices(t.Context())
	want := map[db.DeviceNo]matter.DeviceID{nos[0]: {0}, nos[1]: {1}, nos[2]: {2}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Devices: %v (-want +got):\n%s", err, diff)
	}
}

func heads(t *testing.T, d *db.DB) {
	id, first, second := fill(t, d)
	write(t, d, func(tx *db.Tx) error {
		m := db.Matter{ID: matter.ID{8}, Creator: second, TimeMS: 5000, Devices: []db.DeviceNo{second}}
		if err := tx.AddMatter(&m, []byte("other info")); err != nil {
			return err
		}
		have, ok, err := tx.Matter(id)
		if !ok || err != nil {
			return fmt.Errorf("matter: %v, %w", ok, err)
		}
		return tx.EndParticipant(have.No, second, 9)
	})
	for _, tt := range []struct {
		device db.DeviceNo
		limit  int
		want   []db.Head
	}{
		{first, 10, []db.Head{{Matter: id, Seq: 10, TimeMS: 1000}}},
		{second, 10, []db.Head{{Matter: matter.ID{8}, TimeMS: 5000}, {Matter: id, Seq: 9, TimeMS: 900}}},
		{second, 1, []db.Head{{Matter: matter.ID{8}, TimeMS: 5000}}},
		{99, 10, nil},
	} {
		got, err := d.Heads(t.Context(), tt.device, tt.limit)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("Heads(%d): %v (-want +got):\n%s", tt.device, err, diff)
		}
	}
	for device, want := range map[db.DeviceNo]bool{first: true, second: false, 99: false} {
		if in, err := d.IsIn(t.Context(), id, device); in != want || err != nil {
			t.Errorf("IsIn(%d) = %v, %v", device, in, err)
		}
	}
	if _, info, ok, err := d.GroupInfo(t.Context(), id); string(info) != "info" || !ok || err != nil {
		t.Errorf("GroupInfo = %q, %v, %v", info, ok, err)
	}
	if _, _, ok, err := d.GroupInfo(t.Context(), matter.ID{99}); ok || err != nil {
		t.Errorf("GroupInfo of no matter: %v, %v", ok, err)
	}
}

func commits(t *testing.T, d *db.DB) {
	id, first, _ := fill(t, d)
	digest := db.Digest{1, 2, 3}
	write(t, d, func(tx *db.Tx) error {
		m, _, err := tx.Matter(id)
		if err != nil {
			return err
		}
		e := db.NewEntry{Matter: m.No, Seq: 11, TimeMS: 1100, Kind: 1, Sender: first, Payload: []byte("commit")}
		m.Epoch, m.Head, m.TimeMS = 1, 11, 1100
		if err := errors.Join(tx.AddEntry(&e), tx.AddCommit(m.No, 0, 11, digest), tx.SetGroupInfo(m.No, 1, []byte("next")),
			tx.SetMatters([]*db.Matter{&m})); err != nil {
			return err
		}
		p, sender, got, ok, err := tx.CommitOf(m.No, 0) // of this very transaction
		if !ok || sender != first || got != digest || p != (db.Place{Matter: m.No, Seq: 11, TimeMS: 1100}) {
			t.Errorf("CommitOf = %+v, %d, %x, %v", p, sender, got, ok)
		}
		return err
	})
	if epoch, info, _, err := d.GroupInfo(t.Context(), id); epoch != 1 || string(info) != "next" || err != nil {
		t.Errorf("GroupInfo = %d, %q, %v", epoch, info, err)
	}
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		m, _, err := tx.Matter(id)
		if m.Epoch != 1 || m.Head != 11 || m.TimeMS != 1100 || err != nil {
			t.Errorf("Matter = %+v, %v", m, err)
		}
		return tx.AddCommit(m.No, 0, 12, digest)
	})
	if err == nil {
		t.Error("two commits of one epoch")
	}
}

func largeBatch(t *testing.T, d *db.DB) {
	id, first, _ := fill(t, d)
	const n = 512
	payload := bytes.Repeat([]byte{0, 1, 0xff, '\\'}, 1<<12)
	write(t, d, func(tx *db.Tx) error {
		m, _, err := tx.Matter(id)
		if err != nil {
			return err
		}
		for range n {
			m.Head++
			e := db.NewEntry{Matter: m.No, Seq: m.Head, TimeMS: 1000, Kind: 2, Sender: first, Counter: m.Head, Payload: payload}
			if err := tx.AddEntry(&e); err != nil {
				return err
			}
		}
		return tx.SetMatters([]*db.Matter{&m})
	})
	var got int
	for after := uint64(10); ; {
		p, _, err := d.Page(t.Context(), id, first, after, 256, 256<<10)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Entries) == 0 {
			break
		}
		for _, e := range p.Entries {
			after++
			got++
			if e.Seq != after || !bytes.Equal(e.Payload, payload) {
				t.Fatalf("entry %d at %d, of %d bytes", e.Seq, after, len(e.Payload))
			}
		}
	}
	if got != n {
		t.Errorf("%d entries, want %d", got, n)
	}
}

// oneInstant: a page never shows a head without its entries, however busy the writer.
func oneInstant(t *testing.T, d *db.DB) {
	id, first, _ := fill(t, d)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for head := uint64(11); ; head++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := d.Write(t.Context(), func(tx *db.Tx) error {
				m, _, err := tx.Matter(id)
				m.Head = head
				return errors.Join(err, tx.SetMatters([]*db.Matter{&m}),
					tx.AddEntry(&db.NewEntry{Matter: m.No, Seq: head, TimeMS: 1000, Kind: 2, Sender: first, Counter: head, Payload: []byte("x")}))
			}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 200 {
		p, ok, err := d.Page(t.Context(), id, first, 0, 1<<20, 1<<30)
		if !ok || err != nil || uint64(len(p.Entries)) != p.Head {
			t.Errorf("Page: %d entries, head %d, %v, %v", len(p.Entries), p.Head, ok, err)
			break
		}
	}
	close(stop)
	wg.Wait()
}

// beside: many readers and writers at once neither stop nor mislead each other.
func beside(t *testing.T, d *db.DB) {
	id, first, _ := fill(t, d)
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			for range 20 {
				if i%3 == 0 {
					if err := d.Write(t.Context(), func(tx *db.Tx) error {
						return tx.SetMeta(fmt.Sprint("k", i), []byte("v"))
					}); err != nil {
						t.Error(err)
					}
					continue
				}
				if heads, err := d.Heads(t.Context(), first, 10); len(heads) != 1 || err != nil {
					t.Errorf("Heads: %v, %v", heads, err)
				}
				if p, ok, err := d.Page(t.Context(), id, first, 0, 100, 100); len(p.Entries) != 10 || !ok || err != nil {
					t.Errorf("Page: %v, %v", ok, err)
				}
			}
		})
	}
	wg.Wait()
}
