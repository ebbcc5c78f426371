package main

import (
	"time"

	"causa/core"
	"causa/internal/lines"
	"causa/matter"
)

// teller puts events into sentences.
func (c *call) teller(cl *core.Client) *lines.Teller {
	return &lines.Teller{
		Words: c.tr,
		Name: func(id matter.MemberID) string {
			m, _ := cl.Member(id)
			return m.Name
		},
		Title: func(id string) string { return c.titleOf(cl, id) },
	}
}

func (c *call) titleOf(cl *core.Client, text string) string {
	id, err := matter.ParseID(text)
	if err != nil {
		return text
	}
	m, err := cl.Matter(c.ctx, id)
	if err != nil || m.Title == "" {
		return id.Short()
	}
	return m.Title
}

// A changeShown is a change as --json prints it.
type changeShown struct {
	Field string `json:"field"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
	Why   string `json:"why,omitempty"`
}

var fieldNames = map[matter.Field]string{
	matter.FieldTitle: "title", matter.FieldClass: "class", matter.FieldRef: "ref", matter.FieldDue: "due", matter.FieldOwner: "owner",
	matter.FieldLabelAdded: "label added", matter.FieldLabelRemoved: "label removed", matter.FieldLinkAdded: "link added",
	matter.FieldLinkRemoved: "link removed", matter.FieldParent: "parent", matter.FieldWaiting: "waiting", matter.FieldResumed: "resumed",
	matter.FieldArchived: "archived", matter.FieldPart: "part",
	matter.FieldHistory: "history",
}

func shown(c *matter.Change) *changeShown {
	if c == nil {
		return nil
	}
	return &changeShown{fieldNames[c.Field], c.From, c.To, c.Why}
}

// A lifeShown is what --json prints of a matter's life.
type lifeShown struct {
	Reference string            `json:"reference"`
	WaitsFor  *waitingShown     `json:"waits_for,omitempty"`
	Labels    []string          `json:"labels,omitempty"`
	Links     []string          `json:"links,omitempty"`
	Parent    string            `json:"parent,omitempty"`
	Parts     map[string]string `json:"parts,omitempty"`
	History   string            `json:"history"`
	Proposal  *proposalShown    `json:"proposal,omitempty"`
}

type waitingShown struct {
	On    string `json:"on,omitempty"`
	Until string `json:"until,omitempty"`
	Why   string `json:"why,omitempty"`
}

type proposalShown struct {
	Decision  string   `json:"decision"`
	Cosigners []string `json:"cosigners"`
	Signed    []string `json:"signed,omitempty"`
}

func (c *call) life(cl *core.Client, m matter.Matter) lifeShown {
	out := lifeShown{Reference: m.Reference(), Labels: m.Labels, History: max(m.History, matter.HistoryFromNow).String()}
	if w := m.WaitsFor; w != nil {
		on, _ := cl.Member(w.On)
		out.WaitsFor = &waitingShown{On: on.Name, Why: w.Why}
		if !w.Until.IsZero() {
			out.WaitsFor.Until = w.Until.Local().Format(time.DateOnly)
		}
	}
	for _, id := range m.Links {
		out.Links = append(out.Links, id.String())
	}
	if !m.Parent.IsZero() {
		out.Parent = m.Parent.String()
	}
	for _, p := range m.Parts {
		if out.Parts == nil {
			out.Parts = map[string]string{}
		}
		who, _ := cl.Member(p.Member)
		out.Parts[who.Name] = p.Part.String()
	}
	if p := m.Proposal; p != nil {
		out.Proposal = &proposalShown{p.Decision, names(cl, p.Cosigners), names(cl, p.Signed)}
	}
	return out
}

// dayOrNone reads a date that may be missing: empty and "none" are none.
func dayOrNone(text string) (time.Time, error) {
	if text == "" || text == "none" {
		return time.Time{}, nil
	}
	return date(text)
}

func historyOf(text string) (matter.History, error) {
	switch text {
	case "everything":
		return matter.HistoryEverything, nil
	case "from-now":
		return matter.HistoryFromNow, nil
	}
	return 0, &errUsage{"history is everything or from-now"}
}

// changing returns a command that changes a matter.
func (c *call) changing(change func(cl *core.Client, id matter.ID, args []string) error) func([]string) error {
	return func(args []string) error {
		return c.inMatter(args[0], func(cl *core.Client, id matter.ID) error {
			if err := change(cl, id, args[1:]); err != nil {
				return err
			}
			if err := c.sync(cl); err != nil {
				return err
			}
			return c.refusals(cl, id)
		})
	}
}

func matterTitle(c *call) func([]string) error {
	return c.changing(func(cl *core.Client, id matter.ID, args []string) error {
		_, err := cl.SetTitle(c.ctx, id, args[0])
		return err
	})
}

func matterClass(c *call) func([]string) error {
	return c.changing(func(cl *core.Client, id matter.ID, args []string) error {
		_, err := cl.SetClass(c.ctx, id, matter.Class(args[0]))
		return err
	})
}

func matterRef(c *call) func([]string) error {
	return c.changing(func(cl *core.Client, id matter.ID, args []string) error {
		ref := args[0]
		if ref == "none" {
			ref = ""
		}
		_, err := cl.SetRef(c.ctx, id, ref)
		return err
	})
}

func matterDue(c *call) func([]string) error {
	return c.changing(func(cl *core.Client, id matter.ID, args []string) error {
		due, err := dayOrNone(args[0])
		if err != nil {
			return err
		}
		_, err = cl.SetDue(c.ctx, id, due)
		return err
	})
}

func matterOwner(c *call) func([]string) error {
	return c.changing(func(cl *core.Client, id matter.ID, args []string) error {
		m, err := cl.FindMember(c.ctx, args[0])
		if err != nil {
			return err
		}
		_, err = cl.HandOver(c.ctx, id, m.ID)
		return err
	})
}

func matterLabel(c *call) func([]string) error {
	off := c.flags.Bool("off", false, "take it off")
	return c.changing(func(cl *core.Client, id matter.ID, args []string) error {
		_, err := cl.Label(c.ctx, id, args[0], !*off)
		return err
	})
}

func matterLink(c *call) func([]string) error {
	off := c.flags.Bool("off", false, "remove the link")
	return c.changing(func(cl *core.Client, id matter.ID, args []string) error {
		to, err := cl.FindMatter(c.ctx, args[0])
		if err != nil {
			return err
		}
		_, err = cl.Link(c.ctx, id, to, !*off)
		return err
	})
}

func matterParent(c *call) func([]string) error {
	return c.changing(func(cl *core.Client, id matter.ID, args []string) (err error) {
		var to matter.ID
		if args[0] != "none" {
			if to, err = cl.FindMatter(c.ctx, args[0]); err != nil {
				return err
			}
		}
		_, err = cl.SetParent(c.ctx, id, to)
		return err
	})
}

func matterHistory(c *call) func([]string) error {
	return c.changing(func(cl *core.Client, id matter.ID, args []string) error {
		h, err := historyOf(args[0])
		if err != nil {
			return err
		}
		_, err = cl.SetHistory(c.ctx, id, h)
		return err
	})
}

func matterState(c *call) func([]string) error {
	on := c.flags.String("on", "", "whom it waits for")
	until := c.flags.String("until", "", "until when, as 2006-01-02")
	why := c.flags.String("why", "", "what for")
	return c.changing(func(cl *core.Client, id matter.ID, args []string) error {
		var err error
		switch args[0] {
		case matter.StateOpen.String():
			_, err = cl.Resume(c.ctx, id)
		case matter.StateArchived.String():
			_, err = cl.Archive(c.ctx, id)
		case matter.StateWaiting.String():
			w := matter.Waiting{Why: *why}
			if w.Until, err = dayOrNone(*until); err != nil {
				return err
			}
			if *on != "" {
				m, err := cl.FindMember(c.ctx, *on)
				if err != nil {
					return err
				}
				w.On = m.ID
			}
			_, err = cl.Wait(c.ctx, id, w)
		default:
			return &errUsage{"a state is open, waiting or archived; a matter is concluded with matter conclude"}
		}
		return err
	})
}

var partNames = map[string]matter.Part{
	"participant": matter.PartParticipant, "observer": matter.PartObserver, "guest": matter.PartGuest,
}

func (c *call) assign(cl *core.Client, id matter.ID, who matter.MemberID, part, until string) error {
	a := matter.Assigned{Member: who, Part: partNames[part]}
	if a.Part == 0 {
		return &errUsage{"a part is participant, observer or guest"}
	}
	var err error
	if a.Until, err = dayOrNone(until); err != nil {
		return err
	}
	_, err = cl.Assign(c.ctx, id, a)
	return err
}

func matterPart(c *call) func([]string) error {
	until := c.flags.String("until", "", "the day on which a guest's time ends")
	return c.changing(func(cl *core.Client, id matter.ID, args []string) error {
		m, err := cl.FindMember(c.ctx, args[0])
		if err != nil {
			return err
		}
		return c.assign(cl, id, m.ID, args[1], *until)
	})
}

func matterLeave(c *call) func([]string) error {
	return c.changing(func(cl *core.Client, id matter.ID, _ []string) error {
		_, err := cl.Leave(c.ctx, id)
		return err
	})
}

func matterStart(c *call) func([]string) error {
	return func(args []string) error {
		return c.synced(func(cl *core.Client) error {
			id, err := cl.FindMatter(c.ctx, args[0])
			if err != nil {
				return err
			}
			if err := cl.StartMatter(c.ctx, id); err != nil {
				return err
			}
			return c.settled(cl, id)
		})
	}
}

func matterCosign(c *call) func([]string) error {
	return c.changing(func(cl *core.Client, id matter.ID, _ []string) error {
		_, err := cl.Cosign(c.ctx, id)
		return err
	})
}

func matterDecline(c *call) func([]string) error {
	return c.changing(func(cl *core.Client, id matter.ID, args []string) error {
		_, err := cl.DeclineToSign(c.ctx, id, args[0])
		return err
	})
}

func matterWithdraw(c *call) func([]string) error {
	return c.changing(func(cl *core.Client, id matter.ID, _ []string) error {
		_, err := cl.WithdrawConclusion(c.ctx, id)
		return err
	})
}
