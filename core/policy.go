package core

import (
	"context"
	"slices"

	"causa/internal/fault"
	"causa/orglog"
)

// A Policy is a rule of the organisation that this program obeys.
type Policy struct {
	Name  string
	Help  string // an English sentence, a translation key
	Value string // empty: not set, the default holds
}

// A policy that this program knows. check refuses values that it does not understand, in
// words; the empty value, which means the default, never comes to it.
type policy struct {
	name, help string
	check      func(value string) error
}

// policies is what this program obeys; each line belongs to the file that does.
var policies = []policy{
	suitePolicy, floorPolicy, urgentBudgetPolicy, urgentGuestsPolicy, wipePolicy,
	requiredPolicy, minimumPolicy, idlePolicy, leasePolicy, modulesPolicy,
}

// Policies lists the organisation's policies that this program knows, by name.
func (c *Client) Policies(context.Context) (out []Policy, err error) {
	c.dir.see(func(s *orglog.State) {
		for _, p := range policies {
			value, _ := s.Policy(p.name)
			out = append(out, Policy{Name: p.name, Help: p.help, Value: value})
		}
	})
	return out, nil
}

// SetPolicy signs a policy's value into the organisation log; the empty one brings back
// the default. Only owners and administrators can.
func (c *Client) SetPolicy(ctx context.Context, name, value string) error {
	i := slices.IndexFunc(policies, func(p policy) bool { return p.name == name })
	if i < 0 {
		return NoPolicy(name)
	}
	if value != "" {
		if err := policies[i].check(value); err != nil {
			return err
		}
	}
	return c.state(ctx, orglog.PolicySet{Name: name, Value: value})
}

// NoPolicy says that this program knows no policy of that name.
func NoPolicy(name string) error {
	return &fault.Error{Text: "There is no policy called “%s”.", TextArgs: []any{name}, Hint: "Look at the list of policies."}
}

// policy returns a policy's value; empty is the default.
func (d *directory) policy(name string) (value string) {
	d.see(func(s *orglog.State) { value, _ = s.Policy(name) })
	return value
}
