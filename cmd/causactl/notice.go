package main

import (
	"slices"
	"strings"
	"time"

	"causa/core"
	"causa/internal/fault"
	"causa/matter"
)

func digest(c *call) func([]string) error {
	peek := c.flags.Bool("peek", false, "leave it there")
	return func([]string) error {
		return c.fresh(func(cl *core.Client) error {
			take := cl.TakeDigest
			if *peek {
				take = cl.Digest
			}
			d, err := take(c.ctx)
			if err != nil {
				return err
			}
			for _, m := range d.Matters {
				if !c.out.json {
					c.out.line(nil, "%s  %s (%d)", m.Matter.Short(), m.Title, len(m.Items))
				}
				for _, it := range m.Items {
					author, _ := cl.Member(it.Message.Author)
					mark := ""
					if it.Urgent {
						mark = "! "
					}
					c.out.line(struct {
						Matter string    `json:"matter"`
						Title  string    `json:"title"`
						Seq    uint64    `json:"seq"`
						Time   time.Time `json:"time"`
						Author string    `json:"author"`
						Urgent bool      `json:"urgent"`
						Text   string    `json:"text"`
					}{m.Matter.String(), m.Title, it.Message.Seq, it.Message.Time, author.Name, it.Urgent, it.Message.Text},
						"%4d  %s  %s%s: %s", it.Message.Seq, it.Message.Time.Local().Format(time.DateTime), mark, author.Name, it.Message.Text)
				}
			}
			if *peek {
				return nil
			}
			return c.sync(cl)
		})
	}
}

// notice prints a notification as a desktop would show it.
func (c *call) notice(cl *core.Client, n core.Notice) {
	kinds := map[core.NoticeKind]string{core.NoticeMessage: "message", core.NoticeUrgent: "urgent", core.NoticeDigest: "digest"}
	o := struct {
		Event   string `json:"event"`
		Kind    string `json:"kind"`
		Matter  string `json:"matter,omitempty"`
		Seq     uint64 `json:"seq,omitempty"`
		Message string `json:"message,omitempty"`
		Author  string `json:"author,omitempty"`
		Count   int    `json:"count"`
		Matters int    `json:"matters,omitempty"`
		Ring    int    `json:"ring,omitempty"`
	}{Event: "notify", Kind: kinds[n.Kind], Count: n.Count, Matters: n.Matters, Ring: n.Ring}
	if n.Kind != core.NoticeDigest {
		author, _ := cl.Member(n.Message.Author)
		o.Matter, o.Seq, o.Message, o.Author = n.Matter.String(), n.Message.Seq, n.Message.ID.String(), author.Name
	}
	c.out.line(o, "** %s (%d)", o.Kind, n.Count)
}

func ack(c *call) func([]string) error {
	return func(args []string) error {
		return c.inMatter(args[0], func(cl *core.Client, id matter.ID) error {
			all, err := cl.Urgent(c.ctx, id)
			if err != nil {
				return err
			}
			for _, u := range all {
				if u.Mine {
					if err := cl.Acknowledge(c.ctx, id, u.Message); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
}

func urgentList(c *call) func([]string) error {
	return func(args []string) error {
		return c.inMatter(args[0], func(cl *core.Client, id matter.ID) error {
			all, err := cl.Urgent(c.ctx, id)
			if err != nil {
				return err
			}
			for _, u := range all {
				author, _ := cl.Member(u.Author)
				acked, waiting := names(cl, u.Acknowledged), names(cl, u.Waiting)
				c.out.line(struct {
					Message      string   `json:"message"`
					Author       string   `json:"author"`
					Acknowledged []string `json:"acknowledged"`
					Waiting      []string `json:"waiting"`
				}{u.Message.String(), author.Name, acked, waiting},
					"%s  %s  +%s  -%s", u.Message.String()[:8], author.Name, strings.Join(acked, ","), strings.Join(waiting, ","))
			}
			return nil
		})
	}
}

func later(c *call) func([]string) error {
	at := c.flags.String("at", "", "send the named message at another time: 08:30, 2026-11-28 08:30 or 90m")
	text := c.flags.String("text", "", "with --at: let it say this")
	cancel := c.flags.Bool("cancel", false, "do not send the named message at all")
	return func(args []string) error {
		return c.within(func(cl *core.Client) error {
			all, err := cl.Scheduled(c.ctx)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				for _, m := range all {
					c.message(cl, m, "")
				}
				return nil
			}
			i := slices.IndexFunc(all, func(m matter.Message) bool { return len(args[0]) >= 4 && strings.HasPrefix(m.ID.String(), args[0]) })
			switch {
			case i < 0:
				return &fault.Error{Text: "This message does not wait to be sent later.", Hint: "It may have been sent already."}
			case *cancel:
				return cl.Unschedule(c.ctx, all[i].ID)
			case *at == "":
				return &errUsage{"causactl later MESSAGE --at TIME or --cancel"}
			}
			t, err := parseWhen(*at, time.Now(), cl.QuietZone())
			if err != nil {
				return err
			}
			return cl.Reschedule(c.ctx, all[i].ID, *text, t)
		})
	}
}

// quietNow prints who in a matter is quiet, and until when. That the hub can't tell just now
// is no failure of what was sent.
func (c *call) quietNow(cl *core.Client, id matter.ID) {
	all, _, err := cl.Presence(c.ctx, id)
	if err != nil {
		return
	}
	me := cl.Me().Member.ID
	for _, p := range all {
		if p.Quiet && p.Member != me {
			c.presence(cl, p)
		}
	}
}

func (c *call) presence(cl *core.Client, p core.Presence) {
	m, _ := cl.Member(p.Member)
	o := struct {
		Event  string     `json:"event"`
		Member string     `json:"member"`
		Status string     `json:"status"`
		Quiet  bool       `json:"quiet"`
		Until  *time.Time `json:"until,omitempty"`
		Zone   string     `json:"zone,omitempty"`
	}{Event: "presence", Member: m.Name, Status: statusNames[p.Status], Quiet: p.Quiet}
	text := o.Status
	if p.Zone != nil {
		o.Zone = p.Zone.String()
	}
	switch {
	case p.Quiet && p.QuietUntil.IsZero():
		text = c.tr.T("Quiet, with no end in sight")
	case p.Quiet:
		o.Until = &p.QuietUntil
		here := p.QuietUntil.Local().Format("15:04")
		text = c.tr.T("Quiet until %s", here)
		if p.Zone != nil && p.QuietUntil.In(p.Zone).Format("15:04") != here {
			text = c.tr.T("Quiet until %s (%s for you)", p.QuietUntil.In(p.Zone).Format("15:04"), here)
		}
	case !p.StatusUntil.IsZero():
		o.Until = &p.StatusUntil
		text += " - " + p.StatusUntil.Local().Format("15:04")
	}
	c.out.line(o, "%s: %s", m.Name, text)
}

var statusNames = map[core.Availability]string{core.Available: "available", core.Away: "away", core.InMeeting: "meeting"}

func presence(c *call) func([]string) error {
	return func(args []string) error {
		return c.inMatter(args[0], func(cl *core.Client, id matter.ID) error {
			all, _, err := cl.Presence(c.ctx, id)
			for _, p := range all {
				c.presence(cl, p)
			}
			return err
		})
	}
}

func status(c *call) func([]string) error {
	until := c.flags.String("until", "", "until when: 08:30, 2026-11-28 08:30 or 90m")
	return func(args []string) error {
		for s, name := range statusNames {
			if name != args[0] {
				continue
			}
			return c.synced(func(cl *core.Client) error {
				var end time.Time
				if *until != "" {
					var err error
					if end, err = parseWhen(*until, time.Now(), cl.QuietZone()); err != nil {
						return err
					}
				}
				return cl.SetAvailability(c.ctx, s, end)
			})
		}
		return &errUsage{"the status is available, away or meeting"}
	}
}

func wake(c *call) func([]string) error {
	return func(args []string) error {
		endpoint := args[0]
		if endpoint == "off" {
			endpoint = ""
		}
		return c.synced(func(cl *core.Client) error { return cl.SetWake(c.ctx, endpoint, false) })
	}
}

func (c *call) sayUrgent(cl *core.Client, id matter.ID, text, reason string) error {
	if err := c.sync(cl); err != nil {
		return err // the budget counts what other devices have sent
	}
	m, err := cl.SendUrgent(c.ctx, id, text, reason)
	if err == nil {
		c.said(m)
	}
	return err
}

func (c *call) sayLater(cl *core.Client, id matter.ID, text, at string) error {
	t, err := parseWhen(at, time.Now(), cl.QuietZone())
	if err != nil {
		return err
	}
	m, err := cl.Schedule(c.ctx, id, text, t)
	if err == nil {
		c.said(m)
	}
	return err
}
