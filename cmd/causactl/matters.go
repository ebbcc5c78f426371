package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"causa/core"
	"causa/internal/fault"
	"causa/matter"
	"causa/wire"
)

func matterOpen(c *call) func([]string) error {
	class := c.flags.String("class", string(matter.ClassGeneral), "the kind of matter")
	with := c.flags.StringSlice("with", nil, "the other participants")
	due := c.flags.String("due", "", "when it is due, as 2006-01-02")
	return func(args []string) error {
		n := core.NewMatter{Title: args[0], Class: matter.Class(*class)}
		if *due != "" {
			d, err := time.ParseInLocation(time.DateOnly, *due, time.Local)
			if err != nil {
				return &fault.Error{Text: "“%s” is not a date.", TextArgs: []any{*due}, Hint: "Write it as 2026-11-28."}
			}
			n.Due = d
		}
		return c.within(func(cl *core.Client) error {
			behind := c.sync(cl)
			for _, name := range *with {
				m, err := cl.FindMember(c.ctx, name)
				if err != nil {
					return err
				}
				n.With = append(n.With, m.ID)
			}
			id, err := cl.OpenMatter(c.ctx, n)
			if err != nil {
				return err
			}
			c.out.line(struct {
				ID string `json:"id"`
			}{id.String()}, "%s", id.String())
			if behind != nil {
				return behind
			}
			return c.settled(cl, id)
		})
	}
}

// settled waits until a matter's participants are as wished, and the hub has everything.
func (c *call) settled(cl *core.Client, id matter.ID) error {
	ctx, stop := context.WithTimeout(c.ctx, c.patience)
	defer stop()
	err := cl.WaitParticipants(ctx, id)
	return errors.Join(err, c.sync(cl))
}

func matterList(c *call) func([]string) error {
	return func([]string) error {
		return c.fresh(func(cl *core.Client) error {
			all, err := cl.Matters(c.ctx)
			if err != nil {
				return err
			}
			for _, m := range all {
				c.matter(cl, m)
			}
			return nil
		})
	}
}

func matterShow(c *call) func([]string) error {
	return func(args []string) error {
		return c.fresh(func(cl *core.Client) error {
			id, err := cl.FindMatter(c.ctx, args[0])
			if err != nil {
				return err
			}
			m, err := cl.Matter(c.ctx, id)
			if err != nil {
				return err
			}
			c.matter(cl, m)
			return nil
		})
	}
}

func (c *call) matter(cl *core.Client, m matter.Matter) {
	state := m.State.String()
	if m.Removed {
		state = "removed"
	}
	due := ""
	if !m.Due.IsZero() {
		due = m.Due.Local().Format(time.DateOnly)
	}
	owner, _ := cl.Member(m.Owner)
	people := names(cl, m.Participants)
	c.out.line(struct {
		ID           string    `json:"id"`
		Title        string    `json:"title"`
		Class        string    `json:"class"`
		State        string    `json:"state"`
		Owner        string    `json:"owner"`
		Due          string    `json:"due,omitempty"`
		Opened       time.Time `json:"opened"`
		Participants []string  `json:"participants"`
		Unread       int       `json:"unread"`
	}{m.ID.String(), m.Title, string(m.Class), state, owner.Name, due, m.Opened, people, m.Unread},
		"%s  %-8s %-9s %s  (%s)", m.ID.Short(), string(m.Class), state, m.Title, strings.Join(people, ", "))
}

func names(cl *core.Client, ids []matter.MemberID) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		m, _ := cl.Member(id)
		out = append(out, m.Name)
	}
	return out
}

func matterAdd(c *call) func([]string) error {
	return func(args []string) error {
		return c.synced(func(cl *core.Client) error {
			id, err := cl.FindMatter(c.ctx, args[0])
			if err != nil {
				return err
			}
			var who []matter.MemberID
			for _, name := range args[1:] {
				m, err := cl.FindMember(c.ctx, name)
				if err != nil {
					return err
				}
				who = append(who, m.ID)
			}
			if err := cl.AddParticipants(c.ctx, id, who); err != nil {
				return err
			}
			return c.settled(cl, id)
		})
	}
}

func matterRemove(c *call) func([]string) error {
	return func(args []string) error {
		return c.synced(func(cl *core.Client) error {
			id, err := cl.FindMatter(c.ctx, args[0])
			if err != nil {
				return err
			}
			m, err := cl.FindMember(c.ctx, args[1])
			if err != nil {
				return err
			}
			if err := cl.RemoveParticipant(c.ctx, id, m.ID); err != nil {
				return err
			}
			return c.settled(cl, id)
		})
	}
}

func matterConclude(c *call) func([]string) error {
	facts := c.flags.StringArray("fact", nil, "one line of the decision table, as NAME=VALUE")
	return func(args []string) error {
		con := core.Conclusion{Decision: args[1]}
		for _, f := range *facts {
			name, value, ok := strings.Cut(f, "=")
			if !ok {
				return &errUsage{fmt.Sprintf("--fact %q is not NAME=VALUE", f)}
			}
			con.Facts = append(con.Facts, matter.Fact{Name: name, Value: value})
		}
		return c.inMatter(args[0], func(cl *core.Client, id matter.ID) error {
			_, err := cl.Conclude(c.ctx, id, con)
			return err
		})
	}
}

func matterReopen(c *call) func([]string) error {
	return func(args []string) error {
		why := ""
		if len(args) > 1 {
			why = args[1]
		}
		return c.inMatter(args[0], func(cl *core.Client, id matter.ID) error {
			_, err := cl.Reopen(c.ctx, id, why)
			return err
		})
	}
}

// inMatter gives f an up-to-date client and the matter that ref names, and waits until
// the hub has what f did.
func (c *call) inMatter(ref string, f func(*core.Client, matter.ID) error) error {
	return c.synced(func(cl *core.Client) error {
		id, err := cl.FindMatter(c.ctx, ref)
		if err != nil {
			return err
		}
		return f(cl, id)
	})
}

func send(c *call) func([]string) error {
	lines := c.flags.Bool("lines", false, "with TEXT -: each line is a message")
	return func(args []string) error {
		return c.within(func(cl *core.Client) error {
			// Not up to date is no reason not to accept what is said.
			id, err := cl.FindMatter(c.ctx, args[0])
			if err != nil {
				if e := c.sync(cl); e != nil {
					return e
				}
				if id, err = cl.FindMatter(c.ctx, args[0]); err != nil {
					return err
				}
			}
			if err := c.say(cl, id, args[1], *lines); err != nil {
				return err
			}
			if err := c.sync(cl); err != nil {
				if !errors.Is(err, core.ErrOffline) {
					return err // its own words say more
				}
				return &fault.Error{
					Text: "The hub can't be reached. Your message is kept on this device.",
					Hint: "It is sent the next time this device is online.",
					Err:  err,
				}
			}
			return c.refusals(cl, id)
		})
	}
}

func (c *call) say(cl *core.Client, id matter.ID, text string, lines bool) error {
	switch {
	case text != "-":
		return c.sayOne(cl, id, text)
	case !lines:
		b, err := io.ReadAll(io.LimitReader(c.in, wire.MaxText*16))
		if err != nil {
			return err
		}
		return c.sayOne(cl, id, string(b))
	}
	in := bufio.NewScanner(c.in)
	in.Buffer(nil, wire.MaxText*2)
	for in.Scan() {
		if strings.TrimSpace(in.Text()) == "" {
			continue
		}
		if err := c.sayOne(cl, id, in.Text()); err != nil {
			return err
		}
	}
	return in.Err()
}

func (c *call) sayOne(cl *core.Client, id matter.ID, text string) error {
	m, err := cl.Send(c.ctx, id, text)
	if err != nil && c.sync(cl) == nil {
		m, err = cl.Send(c.ctx, id, text) // the matter may have been reopened meanwhile
	}
	if err != nil {
		return err
	}
	if c.out.json {
		c.out.line(struct {
			ID string `json:"id"`
		}{m.ID.String()}, "")
	}
	return nil
}

// refusals reports a message of this device that the hub refused for good.
func (c *call) refusals(cl *core.Client, id matter.ID) error {
	ms, err := cl.Messages(c.ctx, id, core.Page{Limit: 1})
	if err != nil {
		return err
	}
	for _, m := range ms {
		if m.Delivery == matter.DeliveryFailed {
			return &fault.Error{Text: m.Problem}
		}
	}
	return nil
}

func logOf(c *call) func([]string) error {
	return func(args []string) error {
		return c.fresh(func(cl *core.Client) error {
			id, err := cl.FindMatter(c.ctx, args[0])
			if err != nil {
				return err
			}
			return c.thread(cl, id)
		})
	}
}

// thread prints a whole thread, oldest first.
func (c *call) thread(cl *core.Client, id matter.ID) error {
	var pages [][]matter.Message
	for before := uint64(0); ; {
		ms, err := cl.Messages(c.ctx, id, core.Page{Before: before, Limit: 1000})
		if err != nil {
			return err
		}
		pages = append(pages, ms)
		if len(ms) == 0 || ms[0].Seq <= 1 {
			break
		}
		before = ms[0].Seq
	}
	for i := len(pages) - 1; i >= 0; i-- {
		for _, m := range pages[i] {
			c.message(cl, m, "")
		}
	}
	return nil
}

var kindNames = map[matter.Kind]string{
	matter.KindText: "text", matter.KindOpened: "opened", matter.KindAdded: "added",
	matter.KindRemoved: "removed", matter.KindUnread: "unreadable", matter.KindNewer: "newer",
	matter.KindDevice: "device", matter.KindConcluded: "concluded", matter.KindReopened: "reopened",
}

var deliveryNames = map[matter.Delivery]string{
	matter.DeliveryQueued: "queued", matter.DeliverySent: "sent", matter.DeliveryFailed: "failed",
}

// message prints one line of a thread; event is set by watch.
func (c *call) message(cl *core.Client, m matter.Message, event string) {
	author, _ := cl.Member(m.Author)
	subjects := names(cl, m.Subjects)
	text := m.Text
	switch m.Kind {
	case matter.KindText:
	case matter.KindOpened:
		text = c.tr.T("%s opened this matter", author.Name)
	case matter.KindAdded:
		text = c.tr.T("%s added %s", author.Name, strings.Join(subjects, ", "))
	case matter.KindRemoved:
		text = c.tr.T("%s removed %s", author.Name, strings.Join(subjects, ", "))
	case matter.KindConcluded:
		text = c.tr.T("%s concluded this matter: %s", author.Name, m.Text)
		for _, f := range m.Facts {
			text += "\n        " + f.Name + ": " + f.Value
		}
	case matter.KindReopened:
		text = c.tr.T("%s reopened this matter", author.Name)
		if m.Text != "" {
			text += ": " + m.Text
		}
	case matter.KindDevice:
		text = c.tr.T("%s reads this matter on a further device", strings.Join(subjects, ", "))
	case matter.KindUnread:
		text = c.tr.T("This message can't be read on this device")
	case matter.KindNewer:
		text = c.tr.T("This message needs a newer version of Causa")
	}
	said := m.Text
	if !m.Kind.Said() {
		said = ""
	}
	o := struct {
		Event    string        `json:"event,omitempty"`
		Matter   string        `json:"matter"`
		Seq      uint64        `json:"seq"`
		ID       string        `json:"id"`
		Time     time.Time     `json:"time"`
		Author   string        `json:"author"`
		Device   string        `json:"device"`
		Kind     string        `json:"kind"`
		Text     string        `json:"text"`
		Subjects []string      `json:"subjects,omitempty"`
		Facts    []matter.Fact `json:"facts,omitempty"`
		Delivery string        `json:"delivery"`
		Problem  string        `json:"problem,omitempty"`
	}{event, m.Matter.String(), m.Seq, m.ID.String(), m.Time, author.Name, m.Device.String(), kindNames[m.Kind], said, subjects, m.Facts, deliveryNames[m.Delivery], m.Problem}
	mark := ""
	switch {
	case m.Delivery == matter.DeliveryQueued:
		mark = " …"
	case m.Problem != "":
		mark = fmt.Sprintf(" (%s)", c.tr.T(m.Problem))
	}
	if m.Kind == matter.KindText {
		text = author.Name + ": " + text
	}
	c.out.line(o, "%4d  %s  %s%s", m.Seq, m.Time.Local().Format(time.DateTime), text, mark)
}

func watch(c *call) func([]string) error {
	return func([]string) error {
		return c.within(func(cl *core.Client) error {
			return c.follow(cl, nil, func(e core.Event) error { return c.event(cl, e) })
		})
	}
}

// follow calls f for every event until the person interrupts or done is closed.
func (c *call) follow(cl *core.Client, done <-chan struct{}, f func(core.Event) error) error {
	ctx, stop := context.WithCancel(c.ctx)
	events := make(chan core.Event, 4096)
	cancel := cl.Subscribe(func(e core.Event) {
		select {
		case events <- e:
		case <-ctx.Done():
		}
	})
	defer cancel()
	defer stop() // first, so that the engine does not wait for a reader
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-done:
			return nil
		case e := <-events:
			if err := f(e); err != nil {
				return err
			}
		}
	}
}

// talk prints a thread as it grows and says what is typed, line by line, until the end
// of the input.
func talk(c *call) func([]string) error {
	return func(args []string) error {
		return c.within(func(cl *core.Client) error {
			behind := c.sync(cl)
			id, err := cl.FindMatter(c.ctx, args[0])
			if err != nil {
				return errors.Join(behind, err)
			}
			if err := c.thread(cl, id); err != nil {
				return err
			}
			var said error
			done := make(chan struct{})
			go func() {
				defer close(done)
				if said = c.say(cl, id, "-", true); said == nil {
					said = c.sync(cl)
				}
			}()
			err = c.follow(cl, done, func(e core.Event) error {
				if m, ok := e.(core.MessageAdded); ok && m.Message.Matter != id {
					return nil
				}
				return c.event(cl, e)
			})
			select {
			case <-done:
				return errors.Join(err, said)
			default: // interrupted while the input is still open
				return err
			}
		})
	}
}

func (c *call) event(cl *core.Client, e core.Event) error {
	switch e := e.(type) {
	case core.MessageAdded:
		if e.Message.Delivery == matter.DeliverySent {
			c.message(cl, e.Message, "message")
		}
	case core.MessageChanged:
		c.message(cl, e.Message, "sent")
	case core.StatusChanged:
		state := "offline"
		if e.Status.Online {
			state = "online"
		}
		problem := ""
		if e.Status.Problem != nil {
			problem, _ = fault.Words(e.Status.Problem, c.tr.T)
		}
		if c.out.json {
			c.out.line(struct {
				Event   string `json:"event"`
				Online  bool   `json:"online"`
				Queued  int    `json:"queued"`
				Problem string `json:"problem,omitempty"`
			}{"status", e.Status.Online, e.Status.Queued, problem}, "")
		} else if problem != "" {
			c.out.line(nil, "-- %s: %s", state, problem)
		}
	case core.Shut:
		return e.Reason
	}
	return c.out.err
}
