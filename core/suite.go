package core

import (
	"context"
	"errors"

	"causa/crypto/mls"
	"causa/internal/fault"
	"causa/matter"
	"causa/store"
)

// suites are the cipher suites of matters. A device has key packages of each at the hub,
// so that it can be added to any matter whatever the policy was when that was started.
var suites = []mls.Suite{mls.Hybrid, mls.Classic}

// suitePolicy chooses the cipher suite of new matters. Those that exist keep theirs.
var suitePolicy = policy{
	name: "mls.suite",
	help: "The cipher suite of new matters: 0xF001 withstands quantum computers and is the default, 0x0001 is the classic one.",
	check: func(value string) error {
		if _, ok := suitesByName[value]; !ok {
			return &fault.Error{Text: "There is no cipher suite “%s”.", TextArgs: []any{value}, Hint: "Choose one of: 0xF001, 0x0001."}
		}
		return nil
	},
}

var suitesByName = map[string]mls.Suite{"0xF001": mls.Hybrid, "0x0001": mls.Classic}

// newSuite is the cipher suite of matters that start now.
func (c *Client) newSuite() mls.Suite {
	if s, ok := suitesByName[c.dir.policy(suitePolicy.name)]; ok {
		return s
	}
	return mls.DefaultSuite
}

// CipherSuite names the cipher suite of a matter, as in [Client.SetPolicy]'s mls.suite. It
// is empty when this device has no keys to the matter.
func (c *Client) CipherSuite(ctx context.Context, id matter.ID) (name string, err error) {
	err = c.home.db.View(ctx, func(tx *store.Tx) error {
		row, err := tx.Group(id)
		if errors.Is(err, store.ErrNone) {
			return nil
		}
		if err != nil {
			return err
		}
		g, _, err := c.loadGroup(&store.Group{State: row.State})
		if err != nil {
			return err
		}
		for n, s := range suitesByName {
			if s == g.Suite() {
				name = n
			}
		}
		return nil
	})
	return name, worded(err)
}
