package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"causa/core"
	"causa/internal/fault"
	"causa/matter"
	"causa/wire"
)

func send(c *call) func([]string) error {
	lines := c.flags.Bool("lines", false, "with TEXT -: each line is a message")
	urgent := c.flags.String("urgent", "", "break through quiet hours, for this reason")
	at := c.flags.String("at", "", "send it later: 08:30, 2026-11-28 08:30 or 90m")
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
			switch {
			case *at != "" && (*lines || c.flags.Changed("urgent")):
				return &errUsage{"--at goes with neither --lines nor --urgent"}
			case *at != "":
				return c.sayLater(cl, id, args[1], *at)
			case c.flags.Changed("urgent"):
				err = c.sayUrgent(cl, id, args[1], *urgent)
			default:
				err = c.say(cl, id, args[1], *lines)
			}
			if err != nil {
				return err
			}
			if err := c.sync(cl); err != nil {
				return kept(err)
			}
			if err := c.refusals(cl, id); err != nil {
				return err
			}
			c.quietNow(cl, id)
			return nil
		})
	}
}

// kept tells that what was said is safe, and why it has not been sent.
func kept(err error) error {
	var why *fault.Error
	if errors.Is(err, core.ErrOffline) || !errors.As(err, &why) {
		return &fault.Error{
			Text: "The hub can't be reached. Your message is kept on this device.",
			Hint: "It is sent the next time this device is online.",
			Err:  err,
		}
	}
	if errors.Is(err, core.ErrRevoked) {
		return err
	}
	return &fault.Error{
		Text: why.Text, TextArgs: why.TextArgs,
		Hint: "Your message is kept on this device. It is sent when this is put right.",
		Err:  err,
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
	c.said(m)
	return nil
}

// said prints the id of a message, for programs.
func (c *call) said(m matter.Message) {
	if c.out.json {
		c.out.line(struct {
			ID string `json:"id"`
		}{m.ID.String()}, "")
	}
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
	case core.Notified:
		c.notice(cl, e.Notice)
	case core.WipeBegins:
		c.out.line(struct {
			Event  string    `json:"event"`
			By     string    `json:"by"`
			Time   time.Time `json:"time"`
			Reason string    `json:"reason"`
		}{"wipe", e.Wiping.By, e.Wiping.At, e.Wiping.Reason}, "-- %s takes the organisation's data back from this device: %s", e.Wiping.By, e.Wiping.Reason)
	case core.Shut:
		return e.Reason
	}
	return c.out.err
}
