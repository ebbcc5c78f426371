package dbtest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causa/hub/db"
	"causa/matter"
)

// suite is the one that most key packages here are of.
const suite = 2

func keyPackage(n byte, last bool, notAfter int64) db.KeyPackage {
	return db.KeyPackage{Suite: suite, Digest: db.Digest{n}, LastResort: last, NotAfterMS: notAfter, Body: []byte{n}}
}

func keyPackages(t *testing.T, d *db.DB) {
	_, first, second := fill(t, d)
	add := func(device db.DeviceNo, want int, kps ...db.KeyPackage) {
		t.Helper()
		write(t, d, func(tx *db.Tx) error {
			stock, err := tx.AddKeyPackages(device, kps, 3)
			if diff := cmp.Diff([]db.Stock{{Suite: suite, Count: want}}, stock); diff != "" {
				t.Errorf("stock (-want +got):\n%s", diff)
			}
			return err
		})
	}
	taken := func(device db.DeviceNo, want ...byte) {
		t.Helper()
		for _, w := range want {
			write(t, d, func(tx *db.Tx) error {
				body, ok, err := tx.TakeKeyPackage(device, suite, 100)
				if ok != (w != 0) || ok && body[0] != w {
					t.Errorf("took %v, %v; want %d", body, ok, w)
				}
				return err
			})
		}
	}
	add(first, 3, keyPackage(1, false, 1000), keyPackage(2, false, 1000), keyPackage(3, false, 1000), keyPackage(4, false, 1000))
	add(second, 1, keyPackage(5, false, 1000), keyPackage(6, true, 1000))
	add(second, 1, keyPackage(5, false, 1000)) // again
	write(t, d, func(tx *db.Tx) error {
		for no, want := range map[db.DeviceNo]int{first: 3, second: 1} {
			if kps, ws, err := tx.Waiting(no); len(kps) != 1 || kps[0].Count != want || ws != 0 || err != nil {
				t.Errorf("Waiting(%d) = %v, %d, %v", no, kps, ws, err)
			}
		}
		return nil
	})
	taken(first, 2, 3, 4, 0)
	taken(second, 5, 6, 6)
	add(second, 2, keyPackage(7, false, 100), keyPackage(8, false, 101), keyPackage(9, true, 1000))
	taken(second, 8, 9) // 7 is too old
	add(first, 1, keyPackage(10, false, 1000), keyPackage(11, true, 1000))
	write(t, d, func(tx *db.Tx) error { return tx.DropStocks() })
	taken(first, 11)
	write(t, d, func(tx *db.Tx) error { return tx.DropKeyPackages(first) })
	taken(first, 0)
	taken(second, 9)
	write(t, d, func(tx *db.Tx) error { // another suite has a stock, and a last resort, of its own
		other := keyPackage(12, false, 1000)
		other.Suite = 7
		stock, err := tx.AddKeyPackages(second, []db.KeyPackage{other, keyPackage(13, false, 1000)}, 3)
		if diff := cmp.Diff([]db.Stock{{Suite: suite, Count: 1}, {Suite: 7, Count: 1}}, stock); diff != "" {
			t.Errorf("stock (-want +got):\n%s", diff)
		}
		for i, want := range []string{"\f", ""} {
			if body, ok, err := tx.TakeKeyPackage(second, 7, 100); string(body) != want || ok != (want != "") || err != nil {
				t.Errorf("take %d of another suite: %q, %v, %v", i, body, ok, err)
			}
		}
		return err
	})
}

func welcomes(t *testing.T, d *db.DB) {
	id, first, second := fill(t, d)
	var a, b []uint64
	write(t, d, func(tx *db.Tx) error {
		m, _, err := tx.Matter(id)
		if err != nil {
			return err
		}
		if a, err = tx.AddWelcome(m.No, 3, first, []byte("for both"), []db.DeviceNo{first, second}); err != nil {
			return err
		}
		b, err = tx.AddWelcome(m.No, 4, first, []byte("for one"), []db.DeviceNo{second})
		return err
	})
	list := func(device db.DeviceNo, limit, maxBytes int, want ...string) {
		t.Helper()
		ws, err := d.Welcomes(t.Context(), device, limit, maxBytes)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range ws {
			got = append(got, string(w.Body))
			if w.Matter != id || w.Sender != (matter.DeviceID{1}) {
				t.Errorf("welcome %+v", w)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("welcomes of %d: %q, want %q", device, got, want)
		}
	}
	list(first, 10, 100, "for both")
	list(second, 10, 100, "for both", "for one")
	list(second, 1, 100, "for both")
	list(second, 10, 8, "for both")
	list(second, 10, 0, "for both")
	drop := func(device db.DeviceNo, id uint64) {
		t.Helper()
		write(t, d, func(tx *db.Tx) error { return tx.DropWelcome(device, id) })
	}
	drop(first, a[1]) // another's
	drop(first, 1<<63)
	list(second, 10, 100, "for both", "for one")
	drop(second, a[1])
	drop(second, a[1])
	list(first, 10, 100, "for both")
	list(second, 10, 100, "for one")
	drop(first, a[0])
	drop(second, b[0])
	list(first, 10, 100)
	list(second, 10, 100)
}
