package core

import (
	"context"
	"slices"
	"time"

	"causa/crypto/mls"
	"causa/internal/fault"
	"causa/matter"
	"causa/orglog"
	"causa/store"
	"causa/wire/pb"
)

// SetTitle gives a matter another title. The owner can.
func (c *Client) SetTitle(ctx context.Context, id matter.ID, title string) (matter.Message, error) {
	clean, err := matter.CleanName(title)
	if err != nil {
		return matter.Message{}, worded(err)
	}
	return c.change(ctx, id, change{Field: matter.FieldTitle, Text: clean})
}

// SetClass gives a matter another class. The owner can.
func (c *Client) SetClass(ctx context.Context, id matter.ID, class matter.Class) (matter.Message, error) {
	if !slices.Contains(matter.Classes(), class) {
		return matter.Message{}, noClass()
	}
	return c.change(ctx, id, change{Field: matter.FieldClass, Text: string(class)})
}

// SetRef gives a matter the owner's own reference; empty takes it away.
func (c *Client) SetRef(ctx context.Context, id matter.ID, ref string) (matter.Message, error) {
	if ref != "" {
		clean, err := matter.CleanName(ref)
		if err != nil {
			return matter.Message{}, worded(err)
		}
		ref = clean
	}
	return c.change(ctx, id, change{Field: matter.FieldRef, Text: ref})
}

// SetDue says when a matter is due; the zero time takes the date away. The owner can.
func (c *Client) SetDue(ctx context.Context, id matter.ID, due time.Time) (matter.Message, error) {
	return c.change(ctx, id, change{Field: matter.FieldDue, Time: millisecond(due)})
}

// HandOver makes somebody else the owner of a matter. The owner can, and administrators of
// the organisation who take part.
func (c *Client) HandOver(ctx context.Context, id matter.ID, to matter.MemberID) (matter.Message, error) {
	m, err := c.Matter(ctx, id)
	if err != nil {
		return matter.Message{}, err
	}
	if !slices.Contains(m.Participants, to) {
		return matter.Message{}, notTaking()
	}
	return c.change(ctx, id, change{Field: matter.FieldOwner, ID: to})
}

// Label puts a label on a matter, or takes it off. Owner and participants can.
func (c *Client) Label(ctx context.Context, id matter.ID, label string, on bool) (matter.Message, error) {
	clean, err := matter.CleanName(label)
	if err != nil {
		return matter.Message{}, worded(err)
	}
	f := matter.FieldLabelAdded
	if !on {
		f = matter.FieldLabelRemoved
	}
	return c.change(ctx, id, change{Field: f, Text: clean})
}

// Link notes that another matter has to do with this one, or no longer has.
func (c *Client) Link(ctx context.Context, id, to matter.ID, on bool) (matter.Message, error) {
	f := matter.FieldLinkAdded
	if !on {
		f = matter.FieldLinkRemoved
	}
	return c.change(ctx, id, change{Field: f, ID: to})
}

// SetParent makes a matter part of another one; zero makes it stand by itself.
func (c *Client) SetParent(ctx context.Context, id, parent matter.ID) (matter.Message, error) {
	return c.change(ctx, id, change{Field: matter.FieldParent, ID: parent})
}

// Wait says what a matter waits for. Owner and participants can.
func (c *Client) Wait(ctx context.Context, id matter.ID, w matter.Waiting) (matter.Message, error) {
	why, err := "", error(nil)
	if w.Why != "" {
		if why, err = cleanText(w.Why); err != nil {
			return matter.Message{}, err
		}
	}
	if why == "" && w.On.IsZero() {
		return matter.Message{}, &fault.Error{Text: "A matter waits for somebody or something.", Hint: "Say for whom, or for what."}
	}
	return c.change(ctx, id, change{Field: matter.FieldWaiting, ID: w.On, Time: millisecond(w.Until), Text: why})
}

// Resume ends the waiting.
func (c *Client) Resume(ctx context.Context, id matter.ID) (matter.Message, error) {
	return c.change(ctx, id, change{Field: matter.FieldResumed})
}

// Archive puts a concluded matter away. The owner can.
func (c *Client) Archive(ctx context.Context, id matter.ID) (matter.Message, error) {
	return c.change(ctx, id, change{Field: matter.FieldArchived})
}

// Assign gives somebody a part in a matter. The owner can, also before they are in it.
func (c *Client) Assign(ctx context.Context, id matter.ID, a matter.Assigned) (matter.Message, error) {
	if err := c.mayTakePart([]matter.MemberID{a.Member}); err != nil {
		return matter.Message{}, err
	}
	if a.Part == matter.PartOwner {
		return c.HandOver(ctx, id, a.Member)
	}
	return c.change(ctx, id, change{Field: matter.FieldPart, ID: a.Member, Value: uint8(a.Part), Time: millisecond(a.Until)})
}

// SetHistory decides what those who are added from now on can read of what was said before
// they came. The owner can.
func (c *Client) SetHistory(ctx context.Context, id matter.ID, h matter.History) (matter.Message, error) {
	return c.change(ctx, id, change{Field: matter.FieldHistory, Value: uint8(h)})
}

// Leave has the others' devices take this member out of a matter.
func (c *Client) Leave(ctx context.Context, id matter.ID) (matter.Message, error) {
	m, err := c.Matter(ctx, id)
	if err != nil {
		return matter.Message{}, err
	}
	if len(m.Participants) < 2 {
		return matter.Message{}, &fault.Error{Text: "You are the last one in this matter.", Hint: "Conclude it instead."}
	}
	return c.change(ctx, id, change{Field: matter.FieldLeft})
}

// StartMatter makes a draft a matter: those who are wanted in it come in, and everybody
// can write.
func (c *Client) StartMatter(ctx context.Context, id matter.ID) error {
	err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		m, err := tx.Matter(id)
		if err != nil {
			return err
		}
		if m.State != matter.StateDraft {
			return &fault.Error{Text: "This matter has been started already.", Hint: "Look at it again."}
		}
		m.State, m.Opened = matter.StateOpen, millisecond(c.now())
		if err := tx.Describe(m); err != nil {
			return err
		}
		return c.queueOpening(tx, &m)
	})
	if err != nil {
		return worded(err)
	}
	c.wish(id)
	return nil
}

// queueOpening has the first participants told what a new matter is about.
func (c *Client) queueOpening(tx *store.Tx, m *matter.Matter) error {
	body, err := standing(m, 0, chain{}).bytes()
	if err != nil {
		return err
	}
	_, err = c.enqueue(tx, m.ID, contentDescription, body)
	return err
}

// maySay refuses to say something where it would have no effect.
func (c *Client) maySay(tx *store.Tx, id matter.ID, p store.Place) error {
	switch {
	case p.State == matter.StateDraft:
		return draftOnly()
	case p.State.Closed():
		return concludedAlready()
	}
	m, err := tx.Matter(id)
	if err != nil {
		return err
	}
	switch m.PartOf(c.acct.Member, c.now()) {
	case matter.PartObserver:
		return observesOnly()
	case 0:
		return &fault.Error{Text: "Your time as a guest of this matter is over.", Hint: "Ask the owner."}
	}
	return nil
}

// queuedChange is a change that waits to be sent, as the thread shows it.
func queuedChange(m matter.Message, con content, failed string) (matter.Message, bool) {
	switch con.Kind {
	case contentSignature:
		m.Kind = matter.KindSigned
	case contentRefusal:
		sig, err := parseSignature(con.Body, true)
		if err != nil {
			return m, false
		}
		m.Kind, m.Text = matter.KindDeclined, sig.Why
	case contentWithdrawal:
		m.Kind = matter.KindWithdrawn
	case contentChange:
		ch, err := parseChange(con.Body)
		if err != nil {
			return m, false
		}
		line := matter.Change{Field: ch.Field, To: ch.Text}
		switch ch.Field {
		case matter.FieldOwner, matter.FieldPart, matter.FieldWaiting:
			m.Subjects = []matter.MemberID{ch.ID}
			line.Why, line.To = ch.Text, date(ch.Time)
			if ch.Field == matter.FieldPart {
				line.To, line.Why = matter.Part(ch.Value).String(), date(ch.Time)
			}
		case matter.FieldDue:
			line.To = date(ch.Time)
		case matter.FieldHistory:
			line.To = matter.History(ch.Value).String()
		}
		if m.Kind, m.Change = matter.KindChanged, &line; ch.Field == matter.FieldLeft {
			m.Kind, m.Change = matter.KindLeft, nil
		}
	}
	if failed != "" {
		m.Delivery, m.Problem = matter.DeliveryFailed, failed
	}
	return m, true
}

// follows adds to the wishes for a matter what follows from how it stands: guests whose
// time is over go.
func (c *Client) follows(m *matter.Matter, g *mls.Group, wanted map[matter.MemberID]store.Wish) {
	now, next := c.now(), time.Time{}
	in := map[matter.MemberID]bool{}
	for _, p := range c.participants(g, nil) {
		in[p] = true
	}
	for _, p := range m.Parts {
		if p.Part != matter.PartGuest || p.Until.IsZero() || !in[p.Member] {
			continue
		}
		if left := p.Until.Sub(now); left > 0 {
			next = earlier(next, time.Now().Add(left))
			continue
		}
		wanted[p.Member] = store.Wish{}
	}
	if delete(c.work.ends, m.ID); !next.IsZero() {
		c.work.ends[m.ID] = next
	}
}

// newcomers reports whether a group has devices that were not in it before.
func newcomers(g *mls.Group, before map[matter.DeviceID]bool) bool {
	for id := range devicesIn(g) {
		if !before[id] {
			return true
		}
	}
	return false
}

// account notes how the matter stands after a commit that let somebody in; tell has this
// device tell them. The opening tells those who come in by the first entry.
func (a *applying) account(e *pb.Entry, tell bool) error {
	if !a.place.Described || a.chain == nil {
		return nil
	}
	body, err := standing(a.known, e.GetSeq(), *a.chain).bytes()
	if err != nil {
		return err
	}
	if err := a.tx.PutAccount(a.id, e.GetSeq(), body); err != nil || !tell {
		return err
	}
	if e.GetSeq() == 1 {
		if waits, err := a.openingWaits(); err != nil || waits {
			return err
		}
	}
	_, err = a.c.enqueue(a.tx, a.id, contentDescription, body)
	return err
}

func (a *applying) openingWaits() (bool, error) {
	box, err := a.tx.OutboxOf(a.id)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(box, func(it store.Outgoing) bool {
		con, err := parseContent(it.Content)
		return err == nil && con.Kind == contentDescription
	}), nil
}

// leavers lists who has said that they leave.
func (a *applying) leavers() (out []matter.MemberID, err error) {
	wanted, err := a.tx.Wanted(a.id)
	for m, w := range wanted {
		if !w.Own && !w.Present {
			out = append(out, m)
		}
	}
	return out, err
}

// overreach reports that a commit has added or removed people without the right to. A
// device can't refuse it: the hub has accepted it, and whoever did not follow would be
// alone. So everybody sees who it was.
func (a *applying) overreach(e *pb.Entry, by matter.MemberID, before, after []matter.MemberID) (what string, err error) {
	if !a.place.Described {
		return "", nil
	}
	at := time.UnixMilli(e.GetTimeMs())
	role := matter.RoleMember
	a.c.dir.see(func(s *orglog.State) {
		if m, ok := s.Member(by); ok {
			role = m.Role
		}
	})
	part := a.known.PartOf(by, at)
	if part == matter.PartOwner || role <= matter.RoleAdmin {
		return "", nil
	}
	leaving, err := a.leavers()
	if err != nil {
		return "", err
	}
	for _, m := range missing(before, after) {
		switch {
		case m == by, slices.Contains(leaving, m), a.known.PartOf(m, at) == 0, len(a.c.dir.devicesOf(m)) == 0:
		default:
			return "removed", nil
		}
	}
	if part != matter.PartParticipant && len(missing(after, before)) > 0 {
		return "added", nil
	}
	return "", nil
}

// millisecond is an instant as signed content can say it.
func millisecond(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.UnixMilli(t.UnixMilli())
}

func noClass() error {
	return &fault.Error{Text: "There is no such class of matters.", Hint: "Choose one of: general, contract, expense, customer, project, notice, leave."}
}

func notTaking() error {
	return &fault.Error{Text: "This person is not in the matter.", Hint: "Look at its participants again."}
}
