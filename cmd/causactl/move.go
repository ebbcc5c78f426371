package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"causa/core"
	"causa/internal/fault"
	"causa/matter"
)

// parseSeqs reads numbers of messages, such as 3,5-9.
func parseSeqs(s string) (out []uint64, err error) {
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		a, err := strconv.ParseUint(first, 10, 32)
		b := a
		if err == nil && isRange {
			b, err = strconv.ParseUint(last, 10, 32)
		}
		if err != nil || a == 0 || b < a || b-a > 1000 {
			return nil, &errUsage{fmt.Sprintf("%q does not name messages: write 3,5-9", s)}
		}
		for ; a <= b; a++ {
			out = append(out, a)
		}
	}
	return out, nil
}

// widened runs f, which may refuse because others would newly read; with yes, f is run
// again and allows them.
func (c *call) widened(cl *core.Client, yes bool, f func(widen []matter.MemberID) error) error {
	err := f(nil)
	var w *core.WidensError
	if !errors.As(err, &w) {
		return err
	}
	if yes {
		return f(w.Members)
	}
	return &fault.Error{
		Text: "These people would newly read what is moved: %s.", TextArgs: []any{strings.Join(names(cl, w.Members), ", ")},
		Hint: "If that is right, say it again with --yes.",
	}
}

func (c *call) tellMoved(done core.Moved) {
	c.out.line(struct {
		Moved  int `json:"moved"`
		Copied int `json:"copied"`
	}{done.Moved, done.Copied}, "%s", c.tr.T("%d moved, %d copied", done.Moved, done.Copied))
}

func move(c *call) func([]string) error {
	to := c.flags.String("to", "", "the matter they go to")
	run := c.mover()
	return func(args []string) error {
		seqs, err := parseSeqs(args[1])
		if err != nil {
			return err
		}
		return run(args[0], *to, seqs)
	}
}

func merge(c *call) func([]string) error {
	to := c.flags.String("to", "", "the matter they go to")
	run := c.mover()
	return func(args []string) error { return run(args[0], *to, nil) }
}

// mover declares the flags of a move and returns what does it.
func (c *call) mover() func(from, to string, seqs []uint64) error {
	stay := c.flags.Bool("copy", false, "leave the originals where they are")
	yes := c.flags.Bool("yes", false, "although more people will read them")
	return func(from, to string, seqs []uint64) error {
		if to == "" {
			return &errUsage{"name the matter they go to with --to"}
		}
		return c.inMatter(from, func(cl *core.Client, id matter.ID) error {
			target, err := cl.FindMatter(c.ctx, to)
			if err != nil {
				return err
			}
			return c.widened(cl, *yes, func(widen []matter.MemberID) error {
				done, err := cl.Move(c.ctx, core.Move{From: id, Seqs: seqs, To: target, Copy: *stay, Widen: widen})
				if err == nil {
					c.tellMoved(done)
				}
				return err
			})
		})
	}
}

func split(c *call) func([]string) error {
	class := c.flags.String("class", string(matter.ClassGeneral), "the kind of matter")
	with := c.flags.StringSlice("with", nil, "the other participants")
	stay := c.flags.Bool("copy", false, "leave the originals where they are")
	yes := c.flags.Bool("yes", false, "although more people will read them")
	return func(args []string) error {
		seqs, err := parseSeqs(args[1])
		if err != nil {
			return err
		}
		return c.inMatter(args[0], func(cl *core.Client, id matter.ID) error {
			n := core.NewMatter{Title: args[2], Class: matter.Class(*class)}
			for _, name := range *with {
				m, err := cl.FindMember(c.ctx, name)
				if err != nil {
					return err
				}
				n.With = append(n.With, m.ID)
			}
			return c.widened(cl, *yes, func(widen []matter.MemberID) error {
				fresh, done, err := cl.Split(c.ctx, n, core.Move{From: id, Seqs: seqs, Copy: *stay, Widen: widen})
				if err != nil {
					return err
				}
				c.out.line(struct {
					ID string `json:"id"`
				}{fresh.String()}, "%s", fresh.String())
				c.tellMoved(done)
				return c.settled(cl, fresh)
			})
		})
	}
}
