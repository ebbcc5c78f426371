package main

import (
	"os"

	"causa/core"
	"causa/matter"
)

func moduleList(c *call) func([]string) error {
	return func([]string) error {
		return c.fresh(func(cl *core.Client) error {
			all, err := cl.Modules(c.ctx)
			if err != nil {
				return err
			}
			for _, m := range all {
				state := "not here"
				if m.Here {
					state = "closed"
				}
				c.out.line(struct {
					Name    string `json:"name"`
					State   string `json:"state"`
					Waiting uint64 `json:"waiting"`
				}{m.Name, state, m.Waiting}, "%-16s %-8s %d new", m.Name, state, m.Waiting)
			}
			return nil
		})
	}
}

func moduleAdd(c *call) func([]string) error {
	link := c.flags.String("invite", "", "an invite for it, if you have the module on another device")
	return func(args []string) error {
		if _, err := core.ModuleHome(c.opts.Home, args[0]); err != nil {
			return err
		}
		return c.synced(func(cl *core.Client) error {
			code, err := c.newPasscode()
			if err != nil {
				return err
			}
			defer clear(code)
			return cl.AddModule(c.ctx, args[0], *link, code)
		})
	}
}

func moduleInvite(c *call) func([]string) error {
	return func(args []string) error {
		return c.synced(func(cl *core.Client) error {
			var id matter.MemberID
			if len(args) > 1 {
				m, err := cl.FindMember(c.ctx, args[1])
				if err != nil {
					return err
				}
				id = m.ID
			}
			inv, err := cl.InviteModule(c.ctx, args[0], id)
			if err != nil {
				return err
			}
			c.invitation(inv)
			return nil
		})
	}
}

// inModule makes the rest of the call one of a sealed module of this device.
func (c *call) inModule(name string) (err error) {
	if name == "" {
		return nil
	}
	c.opts.Home, err = core.ModuleHome(c.opts.Home, name)
	return err
}

// typed reports whether a passcode is to be typed, twice when it is new.
func typed(variable string) bool {
	return os.Getenv(variable) == "" && os.Getenv(variable+fileSuffix) == ""
}
