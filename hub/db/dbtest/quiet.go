package dbtest

import (
	"bytes"
	"cmp"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"causa/hub/db"
	"causa/matter"
)

// quietHours: what members publish, endpoints, held wake-ups and counts of urgent messages.
func quietHours(t *testing.T, d *db.DB) {
	id, first, second := fill(t, d)
	ctx := t.Context()
	alice, bob := matter.MemberID{1}, matter.MemberID{2}

	// The newest version of each member's quiet hours.
	q := db.Quiet{Member: alice, Version: 1, Device: matter.DeviceID{1}, Rules: []byte("rules"), Signature: []byte("signed")}
	newer := q
	newer.Version, newer.Rules = 2, []byte{}
	write(t, d, func(tx *db.Tx) error { return tx.SetQuiet(q) })
	write(t, d, func(tx *db.Tx) error {
		if err := tx.SetQuiet(newer); err != nil {
			return err
		}
		if got, ok, err := tx.Quiet(alice); err != nil || !ok || got.Version != 2 {
			t.Errorf("Quiet = %+v, %v, %v inside the transaction", got, ok, err)
		}
		_, ok, err := tx.Quiet(bob)
		if ok {
			t.Error("quiet hours of somebody who has none")
		}
		return err
	})
	var published []db.Quiet
	if err := d.AllQuiet(ctx, func(q db.Quiet) { published = append(published, q) }); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff([]db.Quiet{newer}, published); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}

	// One endpoint a device.
	write(t, d, func(tx *db.Tx) error { return tx.SetEndpoint(first, "https://one.example/") })
	write(t, d, func(tx *db.Tx) error { return tx.SetEndpoint(first, "https://two.example/") })
	write(t, d, func(tx *db.Tx) error { return tx.SetEndpoint(second, "https://three.example/") })
	write(t, d, func(tx *db.Tx) error { return tx.SetEndpoint(second, "") })
	endpoints, err := d.Endpoints(ctx)
	if diff := gocmp.Diff(map[db.DeviceNo]string{first: "https://two.example/"}, endpoints); diff != "" || err != nil {
		t.Errorf("endpoints: %v (-want +got):\n%s", err, diff)
	}

	// Held wake-ups are one for each member, matter, sender and urgency.
	one := db.HeldWake{Member: alice, Matter: id, Sender: bob, Until: 100}
	urgent, other := one, one
	urgent.Urgent, other.Member = true, bob
	write(t, d, func(tx *db.Tx) error { return tx.HoldWakes([]db.HeldWake{one, urgent, other}) })
	one.Until = 200
	write(t, d, func(tx *db.Tx) error { return tx.HoldWakes([]db.HeldWake{one}) })
	early := one
	early.Until = 150 // it is held longer by now: it stays
	write(t, d, func(tx *db.Tx) error { return tx.DropWakes([]db.HeldWake{early, other}) })
	write(t, d, func(tx *db.Tx) error {
		if err := tx.HoldWakes(nil); err != nil {
			return err
		}
		return tx.DropWakes(nil)
	})
	var held []db.HeldWake
	if err := d.HeldWakes(ctx, func(w db.HeldWake) { held = append(held, w) }); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(held, func(a, b db.HeldWake) int {
		return cmp.Or(bytes.Compare(a.Member[:], b.Member[:]), cmp.Compare(b.Until, a.Until))
	})
	if diff := gocmp.Diff([]db.HeldWake{one, urgent}, held); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}

	// Urgent messages are counted by member, over a time.
	for i, at := range []int64{1000, 2000, 3000} {
		write(t, d, func(tx *db.Tx) error { return tx.AddUrgent(alice, first, uint64(i+1), at, at-2000) })
	}
	write(t, d, func(tx *db.Tx) error {
		for _, tt := range []struct {
			member matter.MemberID
			after  int64
			want   int
		}{{alice, 0, 2}, {alice, 2000, 1}, {alice, 3000, 0}, {bob, 0, 0}} {
			if n, err := tx.CountUrgent(tt.member, tt.after); err != nil || n != tt.want {
				t.Errorf("CountUrgent(%s, %d) = %d, %v; want %d", tt.member, tt.after, n, err, tt.want)
			}
		}
		return nil
	})

	in, err := d.DevicesIn(ctx, id)
	if diff := gocmp.Diff([]db.DeviceNo{first, second}, in); diff != "" || err != nil {
		t.Errorf("devices in the matter: %v (-want +got):\n%s", err, diff)
	}
}
