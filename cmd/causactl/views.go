package main

import (
	"fmt"
	"slices"

	"causa/core"
	"causa/matter"
)

func matterList(c *call) func([]string) error {
	mine := c.flags.Bool("mine", false, "those you own")
	open := c.flags.Bool("open", false, "those that go on")
	waits := c.flags.Bool("waiting", false, "those in which something waits for you")
	class := c.flags.String("class", "", "those of this kind")
	state := c.flags.String("state", "", "those that are open, waiting, concluded or archived")
	due := c.flags.String("due-by", "", "those due up to a day, as 2006-01-02, soonest first")
	return func([]string) error {
		v := core.View{Mine: *mine, Open: *open, Waiting: *waits, Class: matter.Class(*class)}
		if *due != "" {
			d, err := date(*due)
			if err != nil {
				return err
			}
			v.DueBy = d.AddDate(0, 0, 1).Add(-1)
		}
		if *state != "" {
			for s := matter.StateOpen; s.String() != ""; s++ {
				if s.String() == *state {
					v.States = []matter.State{s}
				}
			}
			if v.States == nil {
				return &errUsage{fmt.Sprintf("%q is not a state", *state)}
			}
		}
		return c.fresh(func(cl *core.Client) error {
			all, err := cl.View(c.ctx, v)
			for _, m := range all {
				c.matter(cl, m, "")
			}
			return err
		})
	}
}

func waiting(c *call) func([]string) error {
	return func([]string) error {
		return c.fresh(func(cl *core.Client) error {
			lines, err := cl.Waiting(c.ctx)
			if err != nil {
				return err
			}
			var last matter.ID
			for _, m := range lines {
				if m.Matter != last && !c.out.json {
					x, err := cl.Matter(c.ctx, m.Matter)
					if err != nil {
						return err
					}
					c.out.line(nil, "%s  %s", x.ID.Short(), x.Title)
				}
				last = m.Matter
				c.message(cl, m, "")
			}
			return nil
		})
	}
}

func side(c *call) func([]string) error {
	return func(args []string) error {
		s := core.Side(args[1])
		if !slices.Contains(core.Sides(), s) {
			return &errUsage{fmt.Sprintf("%q is not a side of a matter", args[1])}
		}
		return c.fresh(func(cl *core.Client) error {
			id, err := cl.FindMatter(c.ctx, args[0])
			if err != nil {
				return err
			}
			lines, err := cl.Side(c.ctx, id, s)
			for _, m := range lines {
				c.message(cl, m, "")
			}
			return err
		})
	}
}
