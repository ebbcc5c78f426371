package core

import (
	"context"
	"errors"
	"strconv"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"

	"causa/dnd"
	"causa/internal/fault"
	"causa/matter"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

var urgentBudgetPolicy = policy{
	name: "urgent.budget",
	help: "How many urgent messages a member may send in 24 hours, 0 to 100; 2 is the default.",
	check: func(value string) error {
		if n, err := strconv.Atoi(value); err != nil || n < 0 || n > mostUrgent || strconv.Itoa(n) != value {
			return &fault.Error{Text: "“%s” is not a number from 0 to 100.", TextArgs: []any{value}, Hint: "0 means that nobody sends urgent messages."}
		}
		return nil
	},
}

var urgentGuestsPolicy = policy{
	name: "urgent.guests",
	help: "With “yes”, guests and bots may send urgent messages too.",
	check: func(value string) error {
		if value != "yes" {
			return &fault.Error{Text: "“%s” is neither “yes” nor empty.", TextArgs: []any{value}, Hint: "Empty means no, which is the default."}
		}
		return nil
	},
}

const (
	urgentBudget = 2
	mostUrgent   = 100 // that the policy can allow
	urgentDay    = 24 * time.Hour
	ringEvery    = 5 * time.Minute
	ringTimes    = 6
	maxReason    = 200 // bytes
)

// An urgent message breaks through quiet hours. Its bytes:
//
//	opaque reason<1..255>; opaque text<1..2^24-1>;
type urgentMessage struct {
	Reason string
	Text   string
}

func (u urgentMessage) bytes() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(u.Reason)) })
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(u.Text)) })
	return b.Bytes()
}

func parseUrgent(raw []byte) (u urgentMessage, err error) {
	s := cryptobyte.String(raw)
	var reason, text cryptobyte.String
	if !s.ReadUint8LengthPrefixed(&reason) || !s.ReadUint24LengthPrefixed(&text) || !s.Empty() {
		return u, errContent
	}
	u = urgentMessage{string(reason), string(text)}
	if clean, err := matter.CleanName(u.Reason); err != nil || clean != u.Reason || len(u.Reason) > maxReason ||
		u.Text == "" || len(u.Text) > wire.MaxText || !utf8.ValidString(u.Text) {
		return u, errContent
	}
	return u, nil
}

// isUrgent reports whether content is an urgent message.
func isUrgent(raw []byte) bool {
	con, err := parseContent(raw)
	return err == nil && con.Kind == contentUrgent
}

// message is what the thread shows.
func (u urgentMessage) message(m matter.Message) matter.Message {
	m.Kind, m.Text, m.Facts = matter.KindUrgent, u.Text, []matter.Fact{{Name: "reason", Value: u.Reason}}
	return m
}

// urgentBudget returns how many urgent messages a member of a role may send in 24 hours.
func (c *Client) urgentBudget(role matter.Role) (n int) {
	n = urgentBudget
	if p, err := strconv.Atoi(c.dir.policy(urgentBudgetPolicy.name)); err == nil && p >= 0 {
		n = min(p, mostUrgent)
	}
	if (role == matter.RoleGuest || role == matter.RoleBot) && c.dir.policy(urgentGuestsPolicy.name) != "yes" {
		n = 0
	}
	return n
}

// UrgentLeft returns how many urgent messages this person may still send, of how many in
// 24 hours.
func (c *Client) UrgentLeft(ctx context.Context) (left, of int, err error) {
	of = c.urgentBudget(c.Me().Member.Role)
	err = c.home.db.View(ctx, func(tx *store.Tx) error {
		used, err := c.urgentUsed(tx)
		left = max(of-used, 0)
		return err
	})
	return left, of, worded(err)
}

// urgentUsed counts the urgent messages of this person in the last 24 hours, with those
// that wait to be sent.
func (c *Client) urgentUsed(tx *store.Tx) (int, error) {
	n, err := tx.UrgentSince(matter.ID{}, c.acct.Member, c.now().Add(-urgentDay))
	if err != nil {
		return n, err
	}
	waiting, err := tx.Outbox(lookAhead)
	for _, it := range waiting {
		if isUrgent(it.Content) {
			n++
		}
	}
	return n, err
}

// SendUrgent says something that breaks through quiet hours, and why. Everybody must
// acknowledge it, and is reminded until they have.
func (c *Client) SendUrgent(ctx context.Context, id matter.ID, text, reason string) (matter.Message, error) {
	text, err := cleanText(text)
	if err != nil {
		return matter.Message{}, err
	}
	if reason, err = matter.CleanName(reason); err != nil || len(reason) > maxReason {
		return matter.Message{}, &fault.Error{
			Text: "An urgent message needs a short reason.",
			Hint: "Say in one line why it can't wait: everybody it reaches sees that.",
			Err:  err,
		}
	}
	return c.post(ctx, id, func(tx *store.Tx, p store.Place) (uint16, []byte, error) {
		if p.State.Closed() {
			return 0, nil, concludedAlready()
		}
		if err := c.mayBeUrgent(tx); err != nil {
			return 0, nil, err
		}
		body, err := urgentMessage{reason, text}.bytes()
		return contentUrgent, body, err
	})
}

func (c *Client) mayBeUrgent(tx *store.Tx) error {
	role := c.Me().Member.Role
	budget := c.urgentBudget(role)
	if budget == 0 && (role == matter.RoleGuest || role == matter.RoleBot) {
		return &fault.Error{Text: "Guests and bots can't send urgent messages.", Hint: "Send it as an ordinary message, or ask a member."}
	}
	used, err := c.urgentUsed(tx)
	if err != nil {
		return err
	}
	if used >= budget {
		return &fault.Error{
			Text: "You have used up your urgent messages: %d in 24 hours.", TextArgs: []any{budget},
			Hint: "Send it as an ordinary message; it arrives when quiet hours end.",
		}
	}
	return nil
}

// urgent takes an urgent message. One over its sender's budget is an ordinary message for
// everybody: what counts is the hub's order in the matter.
func (a *applying) urgent(e *pb.Entry, m matter.Message, con content) error {
	u, err := parseUrgent(con.Body)
	if err != nil {
		m.Kind = matter.KindUnread
		return a.show(e, m)
	}
	m = u.message(m)
	author, _ := a.c.Member(m.Author)
	at := time.UnixMilli(e.GetTimeMs())
	used, err := a.tx.UrgentSince(a.id, m.Author, at.Add(-urgentDay))
	if err != nil {
		return err
	}
	if used >= a.c.urgentBudget(author.Role) {
		m.Kind = matter.KindText
		return a.show(e, m)
	}
	row := store.Urgent{Matter: a.id, ID: m.ID, Seq: e.GetSeq(), Author: m.Author, Time: at}
	if now := a.c.now(); m.Author != a.c.acct.Member {
		// Somebody who comes late is reminded as often as is left of the half hour.
		row.Rings = max(int(now.Sub(at)/ringEvery), 0)
		if row.Rings < ringTimes {
			row.Next = at.Add(time.Duration(row.Rings+1) * ringEvery)
		}
	}
	if err := a.tx.AddUrgent(row); err != nil {
		return err
	}
	return a.show(e, m)
}

// acknowledged takes a participant's word that an urgent message was seen.
func (a *applying) acknowledged(m matter.Message, con content, at time.Time) error {
	if len(con.Body) != len(matter.MessageID{}) {
		return nil
	}
	id := matter.MessageID(con.Body)
	u, err := a.tx.UrgentMessage(a.id, id)
	if errors.Is(err, store.ErrNone) || err == nil && u.Author == m.Author {
		return nil
	}
	if err != nil {
		return err
	}
	if m.Author == a.c.acct.Member {
		if err := a.tx.SetRings(a.id, id, u.Rings, time.Time{}); err != nil {
			return err
		}
		if err := a.tx.Unhold(a.id, u.Seq); err != nil {
			return err
		}
		a.events = append(a.events, Seen{a.id, u.Seq})
	}
	return a.tx.Acknowledge(a.id, id, m.Author, at)
}

// Acknowledge tells everybody in a matter that this person has seen an urgent message. The
// reminders stop, on all devices.
func (c *Client) Acknowledge(ctx context.Context, id matter.ID, msg matter.MessageID) error {
	var seq uint64
	err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		u, err := tx.UrgentMessage(id, msg)
		if errors.Is(err, store.ErrNone) || err == nil && u.Author == c.acct.Member {
			return &fault.Error{Text: "There is nothing to acknowledge.", Hint: "Only an urgent message of somebody else is acknowledged."}
		}
		if err != nil {
			return err
		}
		seq = u.Seq
		done, err := tx.Acknowledged(id, msg)
		if err != nil {
			return err
		}
		for _, m := range done {
			if m == c.acct.Member {
				return nil
			}
		}
		if err := tx.SetRings(id, msg, u.Rings, time.Time{}); err != nil {
			return err
		}
		if err := tx.Acknowledge(id, msg, c.acct.Member, c.now()); err != nil {
			return err
		}
		_, err = c.enqueue(tx, id, contentAcknowledge, msg[:])
		return err
	})
	if err != nil {
		return worded(err)
	}
	if err := c.countQueue(ctx); err != nil {
		return worded(err)
	}
	c.events.tell(Seen{id, seq}, MatterChanged{id})
	c.kick()
	return nil
}

// An UrgentState tells how far an urgent message has come.
type UrgentState struct {
	Message      matter.MessageID
	Author       matter.MemberID
	Text, Reason string
	Acknowledged []matter.MemberID
	Waiting      []matter.MemberID // participants who have not acknowledged it
	Mine         bool              // this person has to
}

// Urgent lists the urgent messages of a matter that count as such, oldest first.
func (c *Client) Urgent(ctx context.Context, id matter.ID) (out []UrgentState, err error) {
	err = c.home.db.View(ctx, func(tx *store.Tx) error {
		all, err := tx.UrgentOf(id)
		if err != nil {
			return err
		}
		in, err := tx.Participants(id)
		if err != nil {
			return err
		}
		for _, u := range all {
			m, err := tx.MessageAt(id, u.Seq)
			if errors.Is(err, store.ErrNone) {
				continue
			}
			if err != nil {
				return err
			}
			s := UrgentState{Message: u.ID, Author: u.Author, Text: m.Text}
			if len(m.Facts) > 0 {
				s.Reason = m.Facts[0].Value
			}
			if s.Acknowledged, err = tx.Acknowledged(id, u.ID); err != nil {
				return err
			}
			for _, m := range missing(in, s.Acknowledged) {
				if m != u.Author {
					s.Waiting = append(s.Waiting, m)
					s.Mine = s.Mine || m == c.acct.Member
				}
			}
			out = append(out, s)
		}
		return nil
	})
	return out, worded(err)
}

// remind makes the reminders that are due, unless the floor stops even urgent messages
// now. It returns when the next one is.
func (c *Client) remind(tx *store.Tx, now time.Time) (notices []Notice, next time.Time, err error) {
	due, err := tx.Ringing(now)
	if err != nil {
		return nil, next, err
	}
	for _, u := range due {
		u.Rings++
		u.Next = u.Next.Add(ringEvery)
		if missed := int(now.Sub(u.Next) / ringEvery); missed > 0 { // the device slept
			u.Rings, u.Next = u.Rings+missed, u.Next.Add(time.Duration(missed)*ringEvery)
		}
		if u.Rings >= ringTimes {
			u.Next = time.Time{}
		}
		if err := tx.SetRings(u.Matter, u.ID, u.Rings, u.Next); err != nil {
			return nil, next, err
		}
		v := c.quietPlan().Judge(dnd.Message{Matter: u.Matter, Sender: u.Author, Urgency: dnd.Urgent}, now)
		if u.Rings > ringTimes || v.Action != dnd.Notify {
			continue
		}
		m, err := tx.MessageAt(u.Matter, u.Seq)
		if err != nil {
			return nil, next, err
		}
		notices = append(notices, Notice{Kind: NoticeUrgent, Matter: u.Matter, Message: m, Count: 1, Matters: 1, Ring: u.Rings})
	}
	next, err = tx.NextRing()
	return notices, next, err
}
