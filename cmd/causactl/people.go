package main

import (
	"context"
	"strings"
	"time"

	"causa/core"
	"causa/internal/fault"
	"causa/matter"
)

func join(c *call) func([]string) error {
	r := core.JoinRequest{}
	c.flags.StringVar(&r.Name, "name", "", "your name")
	c.flags.StringVar(&r.Organisation, "org", "", "the organisation's name, when you found it")
	c.flags.StringVar(&r.Device, "device", "", "this device's name (default: the computer's)")
	c.flags.BoolVar(&r.Replace, "replace", false, "give a locked account in this folder up: what it keeps can't be opened any more")
	return func(args []string) error {
		r.Link = args[0]
		if r.Replace {
			c.opts.Keystore = core.SystemKeystore()
		}
		ctx, stop := context.WithTimeout(c.ctx, c.patience)
		defer stop()
		cl, err := core.Join(ctx, c.opts, r)
		if err != nil {
			return err
		}
		err = c.sync(cl)
		if err == nil {
			c.me(cl)
		}
		if e := cl.Close(); err == nil {
			err = e
		}
		return err
	}
}

func whoami(c *call) func([]string) error {
	return func([]string) error {
		return c.within(func(cl *core.Client) error {
			c.me(cl)
			return nil
		})
	}
}

func (c *call) me(cl *core.Client) {
	me := cl.Me()
	c.out.line(struct {
		Organisation string `json:"organisation"`
		OrgID        string `json:"organisation_id"`
		Name         string `json:"name"`
		Member       string `json:"member"`
		Role         string `json:"role"`
		Device       string `json:"device"`
		DeviceName   string `json:"device_name"`
		Hub          string `json:"hub"`
	}{me.Organisation, me.OrgID, me.Member.Name, me.Member.ID.String(), me.Member.Role.String(), me.Device.ID.String(), me.Device.Name, me.Hub},
		"%s (%s) of %s, device %s (%s), hub %s", me.Member.Name, me.Member.Role.String(), me.Organisation, me.Device.Name, me.Device.ID.Short(), me.Hub)
}

func invite(c *call) func([]string) error {
	role := c.flags.String("role", "member", "owner, admin, member, guest or bot")
	life := c.flags.Duration("expires", 72*time.Hour, "how long the link can be used")
	return func(args []string) error {
		r, ok := matter.ParseRole(*role)
		if !ok {
			return &fault.Error{Text: "There is no role called “%s”.", TextArgs: []any{*role}, Hint: "Choose one of: owner, admin, member, guest, bot."}
		}
		return c.synced(func(cl *core.Client) error {
			inv, err := cl.Invite(c.ctx, core.InviteRequest{Name: args[0], Role: r, Expires: *life})
			if err != nil {
				return err
			}
			c.invitation(inv)
			return nil
		})
	}
}

func inviteDevice(c *call) func([]string) error {
	life := c.flags.Duration("expires", 72*time.Hour, "how long the link can be used")
	return func(args []string) error {
		return c.synced(func(cl *core.Client) error {
			var member matter.MemberID
			if len(args) > 0 {
				m, err := cl.FindMember(c.ctx, args[0])
				if err != nil {
					return err
				}
				member = m.ID
			}
			inv, err := cl.InviteDevice(c.ctx, member, *life)
			if err != nil {
				return err
			}
			c.invitation(inv)
			return nil
		})
	}
}

func (c *call) invitation(inv core.Invitation) {
	c.out.line(struct {
		Link    string    `json:"link"`
		Member  string    `json:"member"`
		Expires time.Time `json:"expires"`
	}{inv.Link, inv.Member.String(), inv.Expires}, "%s", inv.Link)
}

func members(c *call) func([]string) error {
	return func([]string) error {
		return c.fresh(func(cl *core.Client) error {
			all, err := cl.Members(c.ctx)
			if err != nil {
				return err
			}
			for _, m := range all {
				state := "active"
				switch {
				case m.Left:
					state = "left"
				case !m.Joined:
					state = "invited"
				}
				c.out.line(struct {
					ID    string `json:"id"`
					Name  string `json:"name"`
					Role  string `json:"role"`
					State string `json:"state"`
				}{m.ID.String(), m.Name, m.Role.String(), state}, "%.8s  %-8s %-8s %s", m.ID.String(), m.Role.String(), state, m.Name)
			}
			return nil
		})
	}
}

func devices(c *call) func([]string) error {
	return func([]string) error {
		return c.fresh(func(cl *core.Client) error {
			all, err := cl.Devices(c.ctx)
			if err != nil {
				return err
			}
			for _, d := range all {
				m, _ := cl.Member(d.Member)
				state := "active"
				switch {
				case d.Revoked:
					state = "revoked"
				case d.Locked:
					state = "locked"
				}
				c.out.line(struct {
					ID       string    `json:"id"`
					Name     string    `json:"name"`
					Member   string    `json:"member"`
					Owner    string    `json:"owner"`
					State    string    `json:"state"`
					Enrolled time.Time `json:"enrolled"`
				}{d.ID.String(), d.Name, d.Member.String(), m.Name, state, d.Enrolled}, "%.8s  %-8s %s, %s", d.ID.String(), state, m.Name, d.Name)
			}
			return nil
		})
	}
}

func revoke(c *call) func([]string) error {
	reason := c.flags.String("reason", "", "why")
	return func(args []string) error {
		return c.synced(func(cl *core.Client) error {
			d, err := findDevice(c, cl, args[0])
			if err != nil {
				return err
			}
			return cl.RevokeDevice(c.ctx, d.ID, *reason)
		})
	}
}

// findDevice returns the device whose id begins with ref.
func findDevice(c *call, cl *core.Client, ref string) (matter.Device, error) {
	all, err := cl.Devices(c.ctx)
	if err != nil {
		return matter.Device{}, err
	}
	var found []matter.Device
	for _, d := range all {
		if len(ref) >= 4 && strings.HasPrefix(d.ID.String(), strings.ToLower(ref)) {
			found = append(found, d)
		}
	}
	if len(found) != 1 {
		return matter.Device{}, &fault.Error{Text: "No single device has an id that begins with “%s”.", TextArgs: []any{ref}, Hint: "Look at the list of devices."}
	}
	return found[0], nil
}

func audit(c *call) func([]string) error {
	return func([]string) error {
		return c.fresh(func(cl *core.Client) error {
			lines, err := cl.Audit(c.ctx)
			if err != nil {
				return err
			}
			for _, l := range lines {
				m, _ := cl.Member(l.Author)
				c.out.line(struct {
					Index  uint64    `json:"index"`
					Time   time.Time `json:"time"`
					Author string    `json:"author"`
					Device string    `json:"device"`
					What   string    `json:"what"`
					Detail string    `json:"detail"`
					Hash   string    `json:"hash"`
				}{l.Index, l.Time, m.Name, l.Device.String(), l.What, l.Detail, l.Hash},
					"%4d  %s  %-16s %s  (%s, %.8s)", l.Index, l.Time.Local().Format(time.DateTime), l.What, l.Detail, m.Name, l.Hash)
			}
			return nil
		})
	}
}
