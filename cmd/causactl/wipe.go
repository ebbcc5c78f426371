package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"causa/core"
	"causa/internal/fault"
	"causa/matter"
)

func deviceLock(c *call) func([]string) error {
	reason := c.flags.String("reason", "", "why")
	return func(args []string) error {
		return c.synced(func(cl *core.Client) error {
			d, err := findDevice(c, cl, args[0])
			if err != nil {
				return err
			}
			return cl.LockDevice(c.ctx, d.ID, *reason)
		})
	}
}

func deviceUnlock(c *call) func([]string) error {
	return func(args []string) error {
		return c.synced(func(cl *core.Client) error {
			d, err := findDevice(c, cl, args[0])
			if err != nil {
				return err
			}
			return cl.UnlockDevice(c.ctx, d.ID)
		})
	}
}

func wipe(c *call) func([]string) error {
	reason := c.flags.String("reason", "", "why; the person reads it")
	which := c.flags.String("matter", "", "take this matter alone")
	life := c.flags.Duration("expires", 0, "how long the order is good for (default ten years)")
	return func(args []string) error {
		return c.synced(func(cl *core.Client) error {
			o := core.WipeOrder{Reason: *reason, Expires: *life}
			if m, err := cl.FindMember(c.ctx, args[0]); err == nil {
				o.Member = m.ID
			} else {
				d, e := findDevice(c, cl, args[0])
				if e != nil {
					return err
				}
				o.Device = d.ID
			}
			if *which != "" {
				var err error
				if o.Matter, err = cl.FindMatter(c.ctx, *which); err != nil {
					if o.Matter, err = matter.ParseID(*which); err != nil {
						return &fault.Error{Text: "There is no such matter on this device.", Hint: "Give its whole id.", Err: err}
					}
				}
			}
			order, err := cl.OrderWipe(c.ctx, o)
			if err != nil {
				return err
			}
			return c.wiped(cl, order)
		})
	}
}

func wipeApprove(c *call) func([]string) error {
	return c.decide((*core.Client).ApproveWipe)
}

func wipeWithdraw(c *call) func([]string) error {
	return c.decide((*core.Client).WithdrawWipe)
}

func (c *call) decide(say func(*core.Client, context.Context, uint64) error) func([]string) error {
	return func(args []string) error {
		order, err := strconv.ParseUint(args[0], 10, 64)
		if err != nil {
			return &fault.Error{Text: "“%s” is not the number of an order.", TextArgs: []any{args[0]}, Hint: "Look at the list of wipe orders again.", Err: err}
		}
		return c.synced(func(cl *core.Client) error {
			if err := say(cl, c.ctx, order); err != nil {
				return err
			}
			return c.wiped(cl, order)
		})
	}
}

func offboard(c *call) func([]string) error {
	reason := c.flags.String("reason", "", "why; the person reads it")
	return func(args []string) error {
		return c.synced(func(cl *core.Client) error {
			m, err := cl.FindMember(c.ctx, args[0])
			if err != nil {
				return err
			}
			order, err := cl.Offboard(c.ctx, m.ID, *reason)
			if err != nil {
				return err
			}
			return c.wiped(cl, order)
		})
	}
}

func wipeList(c *call) func([]string) error {
	return func([]string) error {
		return c.fresh(func(cl *core.Client) error {
			all, err := cl.Wipes(c.ctx)
			if err != nil {
				return err
			}
			for _, w := range all {
				c.wipe(cl, w)
			}
			return nil
		})
	}
}

// wiped prints one order.
func (c *call) wiped(cl *core.Client, order uint64) error {
	all, err := cl.Wipes(c.ctx)
	if err != nil {
		return err
	}
	for _, w := range all {
		if w.Order == order {
			c.wipe(cl, w)
		}
	}
	return nil
}

func (c *call) wipe(cl *core.Client, w core.Wipe) {
	type device struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Receipt string `json:"receipt,omitempty"`
	}
	var devices []device
	receipts := 0
	for _, d := range w.Devices {
		x := device{ID: d.Device.ID.String(), Name: d.Device.Name}
		if !d.Receipt.IsZero() {
			receipts++
			x.Receipt = d.Receipt.UTC().Format(time.RFC3339)
		}
		devices = append(devices, x)
	}
	what := "everything"
	if !w.Matter.IsZero() {
		what = "matter " + w.Matter.Short()
	}
	c.out.line(struct {
		Order     uint64    `json:"order"`
		Stage     string    `json:"stage"`
		Member    string    `json:"member"`
		Matter    string    `json:"matter,omitempty"`
		Reason    string    `json:"reason"`
		By        string    `json:"by"`
		Time      time.Time `json:"time"`
		Expires   time.Time `json:"expires"`
		Need      int       `json:"need"`
		Approvals []string  `json:"approvals"`
		Devices   []device  `json:"devices"`
	}{w.Order, string(w.Stage), w.Target.Name, idOrNone(w.Matter), w.Reason, w.By.Name, w.At, w.Expires, w.Need, names(cl, w.Approvals), devices},
		"%4d  %-13s  %s of %s (%d of %d approvals by %s, %d of %d receipts): %s", w.Order, string(w.Stage), what, w.Target.Name,
		len(w.Approvals), w.Need, strings.Join(names(cl, w.Approvals), ", "), receipts, len(w.Devices), w.Reason)
}

func idOrNone(id matter.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}
