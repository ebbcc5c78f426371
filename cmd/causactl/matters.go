package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"causa/core"
	"causa/internal/fault"
	"causa/matter"
)

func matterOpen(c *call) func([]string) error {
	class := c.flags.String("class", string(matter.ClassGeneral), "the kind of matter")
	with := c.flags.StringSlice("with", nil, "the other participants")
	due := c.flags.String("due", "", "when it is due, as 2006-01-02")
	history := c.flags.String("history", "from-now", "what those who come later read: everything or from-now")
	parent := c.flags.String("parent", "", "the matter that it is part of")
	draft := c.flags.Bool("draft", false, "prepare it only")
	return func(args []string) error {
		n := core.NewMatter{Title: args[0], Class: matter.Class(*class), Draft: *draft}
		var err error
		if n.Due, err = dayOrNone(*due); err != nil {
			return err
		}
		if n.History, err = historyOf(*history); err != nil {
			return err
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
			if *parent != "" {
				p, err := cl.FindMatter(c.ctx, *parent)
				if err != nil {
					return err
				}
				n.Parent = p
			}
			id, err := cl.OpenMatter(c.ctx, n)
			if err != nil {
				return err
			}
			c.out.line(struct {
				ID string `json:"id"`
			}{id.String()}, "%s", id.String())
			if behind != nil || n.Draft {
				return behind
			}
			return c.settled(cl, id)
		})
	}
}

func date(s string) (time.Time, error) {
	d, err := time.ParseInLocation(time.DateOnly, s, time.Local)
	if err != nil {
		err = &fault.Error{Text: "“%s” is not a date.", TextArgs: []any{s}, Hint: "Write it as 2026-11-28."}
	}
	return d, err
}

// settled waits until a matter's participants are as wished, and the hub has everything.
func (c *call) settled(cl *core.Client, id matter.ID) error {
	ctx, stop := context.WithTimeout(c.ctx, c.patience)
	defer stop()
	err := cl.WaitParticipants(ctx, id)
	return errors.Join(err, c.sync(cl))
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
			suite, err := cl.CipherSuite(c.ctx, id)
			if err != nil {
				return err
			}
			c.matter(cl, m, suite)
			return nil
		})
	}
}

// matter prints one; suite is the name of its cipher suite, empty when it does not matter.
func (c *call) matter(cl *core.Client, m matter.Matter, suite string) {
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
		Waiting      int       `json:"waiting,omitempty"`
		Suite        string    `json:"suite,omitempty"`
		lifeShown
	}{m.ID.String(), m.Title, string(m.Class), state, owner.Name, due, m.Opened, people, m.Unread, m.Waiting, suite, c.life(cl, m)},
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
	part := c.flags.String("part", "", "their part: participant, observer or guest")
	until := c.flags.String("until", "", "the day on which a guest's time ends")
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
				if *part != "" {
					if err := c.assign(cl, id, m.ID, *part, *until); err != nil {
						return err
					}
				}
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
	cosigners := c.flags.StringSlice("cosigner", nil, "who has to sign it too")
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
			for _, name := range *cosigners {
				m, err := cl.FindMember(c.ctx, name)
				if err != nil {
					return err
				}
				con.Cosigners = append(con.Cosigners, m.ID)
			}
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
