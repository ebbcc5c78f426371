package core

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"causa/crypto/mls"
	"causa/internal/fault"
	"causa/matter"
	"causa/orglog"
	"causa/store"
	"causa/wire"
)

// A NewMatter is what somebody wants to start.
type NewMatter struct {
	Title string
	Class matter.Class      // empty: general
	Due   time.Time         // zero: no date
	With  []matter.MemberID // the other participants
	// History is what those who are added later read; 0: what is said from then on.
	History matter.History
	Parent  matter.ID // the matter that this one is part of; zero: none
	Draft   bool      // prepare it only: nobody learns of it before [Client.StartMatter]
}

// OpenMatter starts a matter. It exists when OpenMatter returns, also offline; the
// participants come in as soon as the hub is reached (see [Client.WaitParticipants]).
func (c *Client) OpenMatter(ctx context.Context, n NewMatter) (matter.ID, error) {
	title, err := matter.CleanName(n.Title)
	if err != nil {
		return matter.ID{}, worded(err)
	}
	if n.Class == "" {
		n.Class = matter.ClassGeneral
	}
	if !slices.Contains(matter.Classes(), n.Class) {
		return matter.ID{}, &fault.Error{Text: "There is no such class of matters.", Hint: "Choose one of: general, contract, expense, customer, project, notice, leave."}
	}
	if err := c.mayOpenHere(n.Class); err != nil {
		return matter.ID{}, err
	}
	if role := c.Me().Member.Role; role == matter.RoleGuest || role == matter.RoleBot {
		return matter.ID{}, &fault.Error{Text: "Guests and bots can't start matters.", Hint: "Ask a member to start it and to add you."}
	}
	if err := c.mayTakePart(n.With); err != nil {
		return matter.ID{}, err
	}
	now := millisecond(c.now())
	m := matter.Matter{
		ID: matter.NewID(), Title: title, Class: n.Class, State: matter.StateOpen, Owner: c.acct.Member, OpenedBy: c.acct.Member,
		Due: millisecond(n.Due), Opened: now, Active: now, Life: matter.Life{History: max(n.History, matter.HistoryFromNow), Parent: n.Parent},
	}
	if n.Draft {
		m.State = matter.StateDraft
	}
	g, err := mls.Create(c.newSuite(), m.ID[:], c.self[:], c.key, c.mlsOptions())
	if err != nil {
		return matter.ID{}, err
	}
	err = c.home.db.Update(ctx, func(tx *store.Tx) error {
		if err := tx.NewMatter(m, c.self, 0); err != nil {
			return err
		}
		if err := tx.SetUnborn(m.ID, true); err != nil {
			return err
		}
		if err := tx.SetParticipants(m.ID, []matter.MemberID{c.acct.Member}); err != nil {
			return err
		}
		if _, err := c.putGroup(tx, m.ID, g, now); err != nil {
			return err
		}
		for _, w := range n.With {
			if w != c.acct.Member {
				if err := tx.SetWanted(m.ID, w, store.Wish{Present: true, Own: true}); err != nil {
					return err
				}
			}
		}
		if n.Draft {
			return nil
		}
		return c.queueOpening(tx, &m)
	})
	if err != nil {
		return matter.ID{}, worded(err)
	}
	c.wish(m.ID)
	return m.ID, nil
}

// wish has the engine look at a matter's participants.
func (c *Client) wish(id matter.ID) {
	c.events.tell(MatterChanged{id})
	c.wishes.add(id)
	c.kick()
}

// mayTakePart refuses people who are not (or no longer) members.
func (c *Client) mayTakePart(members []matter.MemberID) (err error) {
	c.dir.see(func(s *orglog.State) {
		for _, id := range members {
			m, ok := s.Member(id)
			switch {
			case !ok:
				err = &fault.Error{Text: "There is no such member.", Hint: "Look at the list of members again."}
			case m.Left:
				err = &fault.Error{Text: "%s has left the organisation.", TextArgs: []any{m.Name}, Hint: "Choose someone else."}
			}
		}
	})
	return err
}

// Matters lists all matters of this device, those that moved last first.
func (c *Client) Matters(ctx context.Context) ([]matter.Matter, error) { return c.View(ctx, View{}) }

// maxMatters is how many matters are listed at once.
const maxMatters = 10000

// Matter returns one matter.
func (c *Client) Matter(ctx context.Context, id matter.ID) (m matter.Matter, err error) {
	err = c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		if m, err = tx.Matter(id); err != nil {
			return err
		}
		waits, err := tx.Waits(c.acct.Member)
		m.Waiting = waits[id]
		return err
	})
	if errors.Is(err, store.ErrNone) {
		err = noMatter(err)
	}
	return m, worded(err)
}

func noMatter(err error) error {
	return &fault.Error{
		Text: "There is no such matter on this device.",
		Hint: "Look at the list of matters. One that someone just opened may need a moment to arrive.",
		Err:  err,
	}
}

// FindMatter returns the matter that ref names: its id, an unambiguous prefix of it, or
// its title.
func (c *Client) FindMatter(ctx context.Context, ref string) (matter.ID, error) {
	ref = strings.TrimSpace(ref)
	prefix := strings.ToLower(ref)
	if strings.Trim(prefix, "0123456789abcdef") != "" {
		prefix = matter.ReferencePrefix(strings.ToUpper(ref))
	}
	var ids []matter.ID
	err := c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		ids, err = tx.MattersLike(prefix, ref, 2)
		return err
	})
	switch {
	case err != nil:
		return matter.ID{}, worded(err)
	case len(ids) == 0:
		return matter.ID{}, noMatter(nil)
	case len(ids) > 1:
		return matter.ID{}, &fault.Error{Text: "Several matters are called “%s”.", TextArgs: []any{ref}, Hint: "Use the id, or more of it."}
	}
	return ids[0], nil
}

// AddParticipants wants members in a matter. They come in as soon as the hub is reached
// and they have a device; see [Client.WaitParticipants].
func (c *Client) AddParticipants(ctx context.Context, id matter.ID, members []matter.MemberID) error {
	if err := c.mayTakePart(members); err != nil {
		return err
	}
	m, err := c.Matter(ctx, id)
	if err != nil {
		return err
	}
	switch part := m.PartOf(c.acct.Member, c.now()); {
	case part == matter.PartObserver:
		return observesOnly()
	case part != matter.PartOwner && part != matter.PartParticipant:
		return &fault.Error{Text: "Guests of a matter can't bring others in.", Hint: "Ask the owner."}
	}
	return c.want(ctx, id, members, true)
}

// RemoveParticipant wants a member out of a matter. Only its owner and administrators of
// the organisation may remove others.
func (c *Client) RemoveParticipant(ctx context.Context, id matter.ID, member matter.MemberID) error {
	m, err := c.Matter(ctx, id)
	if err != nil {
		return err
	}
	if member == c.acct.Member {
		return &fault.Error{Text: "Nobody takes themselves out of a matter.", Hint: "Leave it instead."}
	}
	if !slices.Contains(m.Participants, member) {
		return &fault.Error{Text: "This person is not in the matter.", Hint: "Look at its participants again."}
	}
	if m.Owner != c.acct.Member && c.Me().Member.Role > matter.RoleAdmin {
		return &fault.Error{Text: "Only the owner of a matter can take people out of it.", Hint: "Ask the owner."}
	}
	return c.want(ctx, id, []matter.MemberID{member}, false)
}

func (c *Client) want(ctx context.Context, id matter.ID, members []matter.MemberID, present bool) error {
	err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Place(id)
		if err != nil {
			return err
		}
		if p.Removed {
			return notIn(nil)
		}
		in, err := tx.Participants(id)
		if err != nil {
			return err
		}
		for _, m := range members {
			if slices.Contains(in, m) == present {
				err = tx.DropWanted(id, m)
			} else {
				err = tx.SetWanted(id, m, store.Wish{Present: present, Own: true})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, store.ErrNone) {
		err = noMatter(err)
	}
	if err != nil {
		return worded(err)
	}
	c.wish(id)
	return nil
}

// WaitParticipants waits until every wish of this device for a matter's participants has
// come true. It returns with words when the engine could not do it now; the wishes
// remain and are tried again.
func (c *Client) WaitParticipants(ctx context.Context, id matter.ID) error {
	tried := make(chan reconciled, 1)
	cancel := c.events.add(func(e Event) {
		if r, ok := e.(reconciled); ok && r.id == id {
			select {
			case <-tried: // only the newest counts
			default:
			}
			tried <- r
		}
	})
	defer cancel()
	c.wish(id)
	for {
		var wanted map[matter.MemberID]store.Wish
		var place store.Place
		err := c.home.db.View(ctx, func(tx *store.Tx) (err error) {
			if place, err = tx.Place(id); err != nil {
				return err
			}
			wanted, err = tx.Wanted(id)
			return err
		})
		maps.DeleteFunc(wanted, func(_ matter.MemberID, w store.Wish) bool { return !w.Own })
		if err != nil || len(wanted) == 0 && !place.Unborn || place.State == matter.StateDraft {
			return worded(err)
		}
		select {
		case r := <-tried:
			if r.problem != nil {
				return r.problem
			}
		case <-c.ended:
			return ErrClosed
		case <-ctx.Done():
			if _, err := c.online(); err != nil {
				return err
			}
			return worded(ctx.Err())
		}
	}
}

// Send says something in a matter. It is durable here when Send returns; the message
// that follows in a [MessageChanged] has its place in the thread.
func (c *Client) Send(ctx context.Context, id matter.ID, text string) (matter.Message, error) {
	text, err := cleanText(text)
	if err != nil {
		return matter.Message{}, err
	}
	return c.post(ctx, id, func(tx *store.Tx, p store.Place) (uint16, []byte, error) {
		if err := c.maySay(tx, id, p); err != nil {
			return 0, nil, err
		}
		text, err := c.address(tx, id, text)
		return contentText, []byte(text), err
	})
}

// post queues content in a matter this member is in. compose makes it, given where this
// device is in the matter.
func (c *Client) post(ctx context.Context, id matter.ID, compose func(*store.Tx, store.Place) (uint16, []byte, error)) (matter.Message, error) {
	var it store.Outgoing
	err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Place(id)
		if err != nil {
			return err
		}
		if p.Removed {
			return notIn(nil)
		}
		kind, body, err := compose(tx, p)
		if err != nil {
			return err
		}
		it, err = c.enqueue(tx, id, kind, body)
		return err
	})
	if errors.Is(err, store.ErrNone) {
		err = noMatter(err)
	}
	if err != nil {
		return matter.Message{}, worded(err)
	}
	m, shown := c.queued(it)
	if err := c.countQueue(ctx); err != nil {
		return matter.Message{}, worded(err)
	}
	if shown {
		c.events.tell(MessageAdded{m}, MatterChanged{id})
	}
	c.kick()
	return m, nil
}

// cleanText makes text fit to be said: line ends are \n, and it is neither empty nor
// too long nor unreadable.
func cleanText(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", &fault.Error{Text: "The message can't be read as text.", Hint: "Send it as a file instead."}
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	s = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	s = strings.TrimRight(s, " \t\n")
	switch {
	case s == "":
		return "", &fault.Error{Text: "The message is empty.", Hint: "Type something first."}
	case len(s) > wire.MaxText:
		return "", &fault.Error{
			Text: "The message is too long: it has %d KiB, and 64 KiB is the limit.", TextArgs: []any{(len(s) + 1023) / 1024},
			Hint: "Send it in parts.",
		}
	}
	return s, nil
}

// A Page says which part of a thread is asked for.
type Page struct {
	Before uint64 // only messages before this sequence; 0: up to the newest
	Limit  int    // at most so many; 0: 50
}

// Messages returns part of a thread, oldest first. On the newest page what waits in the
// outbox comes last.
func (c *Client) Messages(ctx context.Context, id matter.ID, p Page) (out []matter.Message, err error) {
	if p.Limit <= 0 {
		p.Limit = 50
	}
	err = c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		if out, err = tx.Messages(id, p.Before, p.Limit); err != nil {
			return err
		}
		if err := c.countGone(tx, id, out); err != nil {
			return err
		}
		if p.Before != 0 {
			return tx.FillFiles(out)
		}
		items, err := tx.OutboxOf(id)
		for _, it := range items {
			if m, ok := c.queued(it); ok {
				out = append(out, m)
			}
		}
		if err != nil {
			return err
		}
		going, err := c.uploading(tx, id)
		if err != nil {
			return err
		}
		out = append(out, going...)
		return tx.FillFiles(out)
	})
	return out, worded(err)
}

// MarkRead notes that the person has seen a matter up to sequence seq.
func (c *Client) MarkRead(ctx context.Context, id matter.ID, seq uint64) error {
	err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		if err := tx.UnholdRead(id, seq); err != nil {
			return err
		}
		return tx.MarkRead(id, seq, c.acct.Member)
	})
	if err == nil {
		c.events.tell(Seen{id, seq}, MatterChanged{id})
		c.noteRead(id, seq)
	}
	return worded(err)
}

// Draft returns what was typed in a matter and not sent.
func (c *Client) Draft(ctx context.Context, id matter.ID) (text string, err error) {
	err = c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		text, err = tx.Draft(id)
		return err
	})
	return text, worded(err)
}

// SetDraft keeps what was typed in a matter and not sent.
func (c *Client) SetDraft(ctx context.Context, id matter.ID, text string) error {
	return worded(c.home.db.Update(ctx, func(tx *store.Tx) error { return tx.SetDraft(id, text) }))
}
