package main

import "causa/core"

func tries(c *call) func([]string) error {
	reason := c.flags.String("reason", "", "why, for the organisation log")
	return func(args []string) error {
		return c.synced(func(cl *core.Client) error {
			d, err := findDevice(c, cl, args[0])
			if err != nil {
				return err
			}
			return cl.GiveTries(c.ctx, d.ID, *reason)
		})
	}
}
