package main

import (
	"fmt"
	"strconv"
	"time"

	"causa/core"
	"causa/matter"
)

// onMessage gives f an up-to-date client, the matter that args name first and the number
// of the message that they name second.
func (c *call) onMessage(args []string, f func(cl *core.Client, id matter.ID, seq uint64) error) error {
	seq, err := strconv.ParseUint(args[1], 10, 63)
	if err != nil || seq == 0 {
		return &errUsage{fmt.Sprintf("%q is not the number of a message", args[1])}
	}
	return c.inMatter(args[0], func(cl *core.Client, id matter.ID) error { return f(cl, id, seq) })
}

func reply(c *call) func([]string) error {
	return func(args []string) error {
		return c.onMessage(args, func(cl *core.Client, id matter.ID, seq uint64) error {
			_, err := cl.Reply(c.ctx, id, seq, args[2])
			return err
		})
	}
}

func react(c *call) func([]string) error {
	off := c.flags.Bool("off", false, "take it away")
	return func(args []string) error {
		return c.onMessage(args, func(cl *core.Client, id matter.ID, seq uint64) error {
			return cl.React(c.ctx, id, seq, args[2], !*off)
		})
	}
}

func edit(c *call) func([]string) error {
	return func(args []string) error {
		return c.onMessage(args, func(cl *core.Client, id matter.ID, seq uint64) error { return cl.Edit(c.ctx, id, seq, args[2]) })
	}
}

func versions(c *call) func([]string) error {
	return func(args []string) error {
		return c.onMessage(args, func(cl *core.Client, id matter.ID, seq uint64) error {
			all, err := cl.Versions(c.ctx, id, seq)
			for _, v := range all {
				c.out.line(struct {
					Seq  uint64    `json:"seq"`
					Time time.Time `json:"time"`
					Text string    `json:"text"`
				}{v.Seq, v.Time, v.Text}, "%4d  %s  %s", v.Seq, v.Time.Local().Format(time.DateTime), mentioned(cl, v.Text))
			}
			return err
		})
	}
}

func recall(c *call) func([]string) error {
	return func(args []string) error {
		return c.onMessage(args, func(cl *core.Client, id matter.ID, seq uint64) error { return cl.Recall(c.ctx, id, seq) })
	}
}

func pin(c *call) func([]string) error {
	off := c.flags.Bool("off", false, "no longer")
	return func(args []string) error {
		return c.onMessage(args, func(cl *core.Client, id matter.ID, seq uint64) error { return cl.Pin(c.ctx, id, seq, !*off) })
	}
}

func taskAdd(c *call) func([]string) error {
	who := c.flags.String("for", "", "who is to do it")
	due := c.flags.String("due", "", "until when, as 2006-01-02")
	return func(args []string) error {
		return c.inMatter(args[0], func(cl *core.Client, id matter.ID) error {
			t := core.NewTask{Text: args[1]}
			var err error
			if *due != "" {
				if t.Due, err = date(*due); err != nil {
					return err
				}
			}
			if *who != "" {
				m, err := cl.FindMember(c.ctx, *who)
				if err != nil {
					return err
				}
				t.Assignee = m.ID
			}
			_, err = cl.AddTask(c.ctx, id, t)
			return err
		})
	}
}

func taskSet(c *call) func([]string) error {
	done := c.flags.Bool("done", false, "it is done")
	undone := c.flags.Bool("undone", false, "it is not done")
	who := c.flags.String("for", "", "who is to do it")
	due := c.flags.String("due", "", "until when, as 2006-01-02")
	return func(args []string) error {
		if *done && *undone || !*done && !*undone && *who == "" && *due == "" {
			return &errUsage{"say what is to change: --done, --undone, --for or --due"}
		}
		return c.onMessage(args, func(cl *core.Client, id matter.ID, seq uint64) error {
			var t core.TaskChange
			if *done || *undone {
				t.Done = done
			}
			if *due != "" {
				d, err := date(*due)
				if err != nil {
					return err
				}
				t.Due = &d
			}
			if *who != "" {
				m, err := cl.FindMember(c.ctx, *who)
				if err != nil {
					return err
				}
				t.Assignee = &m.ID
			}
			return cl.SetTask(c.ctx, id, seq, t)
		})
	}
}

func pollAsk(c *call) func([]string) error {
	multiple := c.flags.Bool("multiple", false, "more than one answer may be chosen")
	return func(args []string) error {
		return c.inMatter(args[0], func(cl *core.Client, id matter.ID) error {
			_, err := cl.AddPoll(c.ctx, id, core.NewPoll{Question: args[1], Options: args[2:], Multiple: *multiple})
			return err
		})
	}
}

func pollVote(c *call) func([]string) error {
	return func(args []string) error {
		var options []int
		for _, a := range args[2:] {
			n, err := strconv.Atoi(a)
			if err != nil {
				return &errUsage{fmt.Sprintf("%q is not the number of an answer", a)}
			}
			options = append(options, n-1)
		}
		return c.onMessage(args, func(cl *core.Client, id matter.ID, seq uint64) error { return cl.Vote(c.ctx, id, seq, options...) })
	}
}

func pollEnd(c *call) func([]string) error {
	return func(args []string) error {
		return c.onMessage(args, func(cl *core.Client, id matter.ID, seq uint64) error { return cl.EndPoll(c.ctx, id, seq) })
	}
}
