package core

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"causa/crypto/mls"
	"causa/dnd"
	"causa/matter"
	"causa/store"
	"causa/wire/pb"
)

// A person's devices keep each other up to date in a matter of their own, which no list
// shows and nobody else is in. It is made when there is a second device. When two devices
// make one each, both are read by all, and what is new goes to the one with the smaller
// id.

const (
	personalTurn = 10 * time.Second // how long a device waits for those enrolled before it
	maxPlaces    = 1000             // in one content
)

// share tells this person's other devices something, if there are any.
func (c *Client) share(tx *store.Tx, kind uint16, body []byte) error {
	if len(c.dir.devicesOf(c.acct.Member)) < 2 {
		return nil
	}
	ids, err := tx.Personal()
	if err != nil || len(ids) == 0 {
		return err // a device that comes in is told everything
	}
	if in, err := tx.Participants(ids[0]); err != nil || len(in) != 1 || in[0] != c.acct.Member {
		return err // somebody else in it: nothing for their eyes
	}
	_, err = c.enqueue(tx, ids[0], kind, body)
	return err
}

// queueQuiet tells a device that has just come in.
func (c *Client) queueQuiet(tx *store.Tx) error {
	b, err := tx.Setting(quietSetting)
	if errors.Is(err, store.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.share(tx, contentQuiet, b)
}

// A place is a message's: its matter and sequence.
type place struct {
	matter matter.ID
	seq    uint64
}

// sharePlaces tells the other devices of places. Its bytes: a list without a length in
// front of opaque matter[16]; uint64 seq; up to 1000.
func (c *Client) sharePlaces(tx *store.Tx, kind uint16, places []place) error {
	for chunk := range slices.Chunk(places, maxPlaces) {
		var b cryptobyte.Builder
		for _, p := range chunk {
			b.AddBytes(p.matter[:])
			b.AddUint64(p.seq)
		}
		body, err := b.Bytes()
		if err != nil {
			return err
		}
		if err := c.share(tx, kind, body); err != nil {
			return err
		}
	}
	return nil
}

func parsePlaces(raw []byte) (out []place, err error) {
	s := cryptobyte.String(raw)
	for !s.Empty() {
		var p place
		if len(out) == maxPlaces || !s.CopyBytes(p.matter[:]) || !s.ReadUint64(&p.seq) || p.seq > 1<<62 {
			return nil, errContent
		}
		out = append(out, p)
	}
	return out, nil
}

// told takes what another device of this person tells. What anybody else sends under such
// a kind has no effect.
func (a *applying) told(m matter.Message, con content) error {
	if m.Author != a.c.acct.Member || m.Device == a.c.self {
		return nil
	}
	in, err := a.tx.Participants(a.id)
	if err != nil {
		return err
	}
	if len(in) == 1 && in[0] == m.Author && !a.place.Described && !a.place.Personal {
		a.place.Personal = true
		if err := a.tx.SetPersonal(a.id); err != nil {
			return err
		}
	}
	if con.Kind == contentQuiet {
		return a.toldQuiet(con.Body)
	}
	places, err := parsePlaces(con.Body)
	if err != nil {
		a.c.log.Warn("another device's places can't be read", "err", err)
		return nil
	}
	for _, p := range places {
		if con.Kind == contentListed {
			err = a.tx.SetListed(p.matter, p.seq)
		} else if err = a.tx.UnholdRead(p.matter, p.seq); err == nil {
			err = a.tx.MarkRead(p.matter, p.seq, a.c.acct.Member)
			a.events = append(a.events, Seen{p.matter, p.seq}, MatterChanged{p.matter})
		}
		if err != nil {
			return err
		}
	}
	a.events = append(a.events, QuietChanged{})
	return nil
}

func (a *applying) toldQuiet(body []byte) error {
	s, err := parseQuiet(body)
	if err != nil {
		// A newer version of the app made them. The rules understood last still hold.
		a.c.log.Warn("another device's quiet hours can't be read", "err", err)
		return nil
	}
	old, err := storedQuiet(a.tx)
	if err != nil || !s.after(old) {
		return err
	}
	a.quiet = &s
	return a.tx.SetSetting(quietSetting, bytes.Clone(body))
}

// tellNewcomer tells a device that was just brought into a matter what it is about, when
// it is for this device to tell.
func (a *applying) tellNewcomer(e *pb.Entry, tell bool) error {
	switch {
	case !a.place.Personal:
		return a.account(e, tell)
	case tell:
		return a.c.queueQuiet(a.tx)
	}
	return nil
}

// ensurePersonal makes the matter of this person's own devices when it is missing. again
// is when to look once more; zero means not before something changes.
func (c *Client) ensurePersonal(ctx context.Context, now time.Time) (again time.Time, err error) {
	devices := c.dir.devicesOf(c.acct.Member)
	turn := slices.Index(devices, c.self)
	if role := c.Me().Member.Role; len(devices) < 2 || turn < 0 || role == matter.RoleGuest || role == matter.RoleBot {
		return again, nil // guests and bots start no matters, not even this one
	}
	if s := c.Status(); !s.Online || s.CatchingUp {
		return again, nil
	}
	var have []matter.ID
	err = c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		have, err = tx.Personal()
		return err
	})
	if err != nil || len(have) > 0 {
		return again, err
	}
	if c.alarm.alone.IsZero() {
		c.alarm.alone = now
	}
	if due := c.alarm.alone.Add(time.Duration(turn) * personalTurn); now.Before(due) {
		return due, nil
	}
	return again, c.openPersonal(ctx, now)
}

func (c *Client) openPersonal(ctx context.Context, now time.Time) error {
	m := matter.Matter{ID: matter.NewID(), Class: matter.ClassGeneral, State: matter.StateOpen, Owner: c.acct.Member, OpenedBy: c.acct.Member, Opened: now, Active: now}
	g, err := mls.Create(c.newSuite(), m.ID[:], c.self[:], c.key, c.mlsOptions())
	if err != nil {
		return err
	}
	err = c.home.db.Update(ctx, func(tx *store.Tx) error {
		if err := tx.NewMatter(m, c.self, 0); err != nil {
			return err
		}
		if err := tx.SetUnborn(m.ID, true); err != nil {
			return err
		}
		if err := tx.SetPersonal(m.ID); err != nil {
			return err
		}
		if err := tx.SetParticipants(m.ID, []matter.MemberID{c.acct.Member}); err != nil {
			return err
		}
		_, err := c.putGroup(tx, m.ID, g, now)
		return err
	})
	if err != nil {
		return err
	}
	c.wishes.add(m.ID)
	c.kick()
	return nil
}

// moved publishes rules that travel again when this device has come into another time
// zone since it last looked.
func (c *Client) moved(ctx context.Context) error {
	zone := localZone()
	changed := false
	err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		last, err := tx.Setting(zoneSetting)
		if err != nil && !errors.Is(err, store.ErrNone) {
			return err
		}
		if zone == "" || string(last) == zone {
			return nil
		}
		changed = last != nil
		return tx.SetSetting(zoneSetting, []byte(zone))
	})
	if err != nil || !changed {
		return err
	}
	if _, moved := c.Quiet().Rules.Moved(zone); !moved {
		return nil
	}
	return c.EditQuiet(ctx, func(q *Quiet) error {
		q.Rules, _ = q.Rules.Moved(zone)
		return nil
	})
}

// zoneSetting holds the time zone this device was in when it last looked.
const zoneSetting = "zone"

// DefaultRules are what a person begins with who has no quiet hours: nothing is quiet, in
// the time zone of this device.
func DefaultRules() dnd.Rules { return dnd.Rules{Zone: localZone(), Travels: true} }
