package main

import (
	"slices"

	"causa/core"
)

func policy(c *call) func([]string) error {
	return func(args []string) error {
		if len(args) == 2 {
			return c.synced(func(cl *core.Client) error { return cl.SetPolicy(c.ctx, args[0], args[1]) })
		}
		return c.fresh(func(cl *core.Client) error {
			all, err := cl.Policies(c.ctx)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				all = slices.DeleteFunc(all, func(p core.Policy) bool { return p.Name != args[0] })
				if len(all) == 0 {
					return core.NoPolicy(args[0])
				}
			}
			for _, p := range all {
				value := p.Value
				if value == "" {
					value = "(default)"
				}
				c.out.line(struct {
					Name  string `json:"name"`
					Value string `json:"value"`
					Help  string `json:"help"`
				}{p.Name, p.Value, p.Help}, "%-20s %-12s %s", p.Name, value, p.Help)
			}
			return nil
		})
	}
}
