package core

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"causa/matter"
	"causa/orglog"
	"causa/store"
	"causa/wire/pb"
)

// LoseGroup makes a closed home forget a matter's keys, as a damaged store would.
func LoseGroup(t *testing.T, opts Options, id matter.ID) {
	t.Helper()
	h, err := openHome(context.Background(), opts, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.db.Update(context.Background(), func(tx *store.Tx) error { return tx.DropGroup(id) }); err != nil {
		t.Error(err)
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
}

// Trimmed asks the hub up to where it no longer keeps a matter's entries.
func Trimmed(t *testing.T, c *Client, id matter.ID) uint64 {
	t.Helper()
	l, err := c.online()
	if err != nil {
		return 0 // between two connections
	}
	f, err := l.ask(context.Background(), &pb.ClientFrame{Body: &pb.ClientFrame_PullMatter{PullMatter: &pb.PullMatter{Matter: id[:]}}})
	if err != nil {
		return 0
	}
	return f.GetMatterPage().GetTrimmed()
}

// Personal counts the matters of a person's own devices in which more than one is.
func Personal(t testing.TB, c *Client) (n int) {
	t.Helper()
	err := c.home.db.View(context.Background(), func(tx *store.Tx) error {
		ids, err := tx.Personal()
		if err != nil {
			return err
		}
		for _, id := range ids {
			row, err := tx.Group(id)
			if err != nil {
				return err
			}
			g, _, err := c.loadGroup(row)
			if err != nil {
				return err
			}
			if len(g.Members()) > 1 {
				n++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// ShiftClock has the hub's clock be so much before this device's.
func ShiftClock(c *Client, d time.Duration) { c.clock.Add(int64(d)) }

// Hasten makes the reminders of urgent messages come so much sooner.
func Hasten(t *testing.T, c *Client, d time.Duration) {
	t.Helper()
	err := c.home.db.Update(context.Background(), func(tx *store.Tx) error {
		all, err := tx.Ringing(c.now().Add(24 * time.Hour))
		for _, u := range all {
			if err := tx.SetRings(u.Matter, u.ID, u.Rings, u.Next.Add(-d)); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c.setAlarm()
}

// BeginWipe returns the note with which a wipe of a closed home would begin.
func BeginWipe(t *testing.T, opts Options) []byte {
	t.Helper()
	h, err := openHome(context.Background(), opts, false)
	if err != nil {
		t.Fatal(err)
	}
	var acct *account
	if err := h.db.View(context.Background(), func(tx *store.Tx) (err error) {
		acct, err = readAccount(tx)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(&Wiping{Step: wipeBegun, Org: acct.Org, Hub: acct.Hub, Pin: acct.Pin, Identity: acct.Identity, By: "Alice", Reason: "gone"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// OrderExpiring orders a matter wiped, with an expiry that people can't choose so short.
func OrderExpiring(t *testing.T, c *Client, member matter.MemberID, id matter.ID, expires time.Time) uint64 {
	t.Helper()
	next, _ := c.dir.head()
	if err := c.state(context.Background(), orglog.WipeOrdered{
		Member: member, Extent: orglog.ExtentMatter, Matter: id, Reason: "late", Expires: expires.Truncate(time.Millisecond),
	}); err != nil {
		t.Fatal(err)
	}
	return next
}
