package core

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"time"

	"causa/dnd"
	"causa/internal/fault"
	"causa/matter"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

// An Availability is how a member wants to be met. Quiet hours are not among them: see
// [Quiet].
type Availability uint8

// The availabilities. The numbers are those on the wire.
const (
	Available Availability = 0
	Away      Availability = 1
	InMeeting Availability = 2
)

// A Presence says how a member can be reached, as the hub knows it.
type Presence struct {
	Member      matter.MemberID
	Status      Availability
	StatusUntil time.Time // zero: it stays
	Quiet       bool
	QuietUntil  time.Time      // zero: with no end in sight
	Zone        *time.Location // of the member's clocks; nil: not known
}

// A quietKey names a version of quiet hours.
type quietKey struct {
	version uint64
	device  matter.DeviceID
}

// publishQuiet tells the hub the newest quiet hours, or that it is told none.
func (c *Client) publishQuiet(ctx context.Context, l *link) error {
	s := c.quiet.get()
	key := quietKey{s.version, s.device}
	if s.version == 0 || c.work.published == key {
		return nil
	}
	req := &pb.PublishQuiet{Version: s.version}
	if !s.private {
		rules, err := s.rules.Encode()
		if err != nil {
			return err
		}
		req.Rules = rules
	}
	req.Signature = ed25519.Sign(c.key, wire.QuietBytes(c.acct.Member, s.version, req.Rules))
	_, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_PublishQuiet{PublishQuiet: req}})
	var r *refusal
	if errors.As(err, &r) {
		// The devices stay silent by themselves.
		c.log.Warn("the hub does not take the quiet hours", "err", err)
		err = nil
	}
	c.work.published = key
	return err
}

// Presence says how everybody in a matter can be reached, and until when that holds (zero:
// not known). The hub is asked.
func (c *Client) Presence(ctx context.Context, id matter.ID) (out []Presence, until time.Time, err error) {
	l, err := c.online()
	if err != nil {
		return nil, until, err
	}
	f, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_PullPresence{PullPresence: &pb.PullPresence{Matter: id[:]}}})
	if err != nil {
		return nil, until, worded(err)
	}
	instant := func(ms int64) time.Time {
		if ms == 0 {
			return time.Time{}
		}
		return time.UnixMilli(ms)
	}
	for _, m := range f.GetPresences().GetMembers() {
		p := Presence{
			Member: matter.MemberID(m.GetMember()), Status: Availability(m.GetStatus()), StatusUntil: instant(m.GetStatusUntilMs()),
			Quiet: m.GetQuiet(), QuietUntil: instant(m.GetQuietUntilMs()),
		}
		if p.Status > InMeeting {
			p.Status = Available // of a newer version
		}
		if zone, err := dnd.LoadZone(m.GetZone()); err == nil {
			p.Zone = zone
		}
		out = append(out, p)
	}
	return out, instant(f.GetPresences().GetNextMs()), nil
}

// statusSetting holds how this person wants to be met, as this device was told last.
const statusSetting = "status"

type storedStatus struct {
	Status Availability
	Until  time.Time
}

// Availability returns how this person wants to be met, as this device was told last.
func (c *Client) Availability(ctx context.Context) (s Availability, until time.Time, err error) {
	var st storedStatus
	err = c.home.db.View(ctx, func(tx *store.Tx) error {
		b, err := tx.Setting(statusSetting)
		if errors.Is(err, store.ErrNone) {
			return nil
		}
		if err != nil {
			return err
		}
		return json.Unmarshal(b, &st)
	})
	if !st.Until.IsZero() && !st.Until.After(c.now()) {
		st = storedStatus{}
	}
	return st.Status, st.Until, worded(err)
}

// SetAvailability says how this person wants to be met, until a time (zero: until it is changed).
// The hub and the people in their matters see it.
func (c *Client) SetAvailability(ctx context.Context, s Availability, until time.Time) error {
	if now := c.now(); !until.IsZero() && (!until.After(now) || until.After(now.Add(30*24*time.Hour))) {
		return &fault.Error{Text: "A status can't last until that time.", Hint: "Choose a time from now on, within 30 days."}
	}
	b, err := json.Marshal(storedStatus{s, until})
	if err != nil {
		return err
	}
	if err := c.home.db.Update(ctx, func(tx *store.Tx) error { return tx.SetSetting(statusSetting, b) }); err != nil {
		return worded(err)
	}
	c.events.tell(QuietChanged{})
	l, err := c.online()
	if err != nil {
		return err // it is told as soon as the hub can be reached
	}
	return worded(c.sendStatus(ctx, l, s, until))
}

// tellStatus tells the hub again, which keeps it nowhere but in memory. Another device may
// have said something newer since; then the person says it again.
func (c *Client) tellStatus(ctx context.Context, l *link) error {
	s, until, err := c.Availability(ctx)
	if err != nil || s == Available {
		return err
	}
	if err = c.sendStatus(ctx, l, s, until); err != nil && !errors.Is(err, ErrOffline) {
		c.log.Warn("the hub does not take the status", "err", err)
		err = nil
	}
	return err
}

func (c *Client) sendStatus(ctx context.Context, l *link, s Availability, until time.Time) error {
	req := &pb.SetStatus{Status: pb.Status(s)}
	if !until.IsZero() {
		req.UntilMs = until.UnixMilli()
	}
	_, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_SetStatus{SetStatus: req}})
	return err
}

// Woken says that the hub has something that may interrupt, while this device sleeps: see
// [Client.SetWake].
type Woken struct{}

func (Woken) event() {}

// SetWake says how this device is woken: at an endpoint (a URL that the hub sends an empty
// POST to while the device is not connected; empty: none) and, while it sleeps, by a
// [Woken]. A device that sleeps is sent nothing else.
func (c *Client) SetWake(ctx context.Context, endpoint string, sleeping bool) error {
	l, err := c.online()
	if err != nil {
		return err
	}
	if len(endpoint) > wire.MaxEndpoint {
		return (&refusal{Code: wire.CodeWakeHost}).worded()
	}
	_, err = l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_SetWake{SetWake: &pb.SetWake{Endpoint: endpoint, Sleeping: sleeping}}})
	return worded(err)
}
