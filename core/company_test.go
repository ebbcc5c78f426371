package core_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"causa/core"
	"causa/hub/hubtest"
	"causa/matter"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests.
const patience = 30 * time.Second

// A company is a real hub and the clients of the people in it.
type company struct {
	t   testing.TB
	hub *hubtest.Hub
	dir string
}

// found starts a hub and has the founder join it.
func found(t testing.TB) (*company, *core.Client) {
	t.Helper()
	co := &company{t: t, hub: hubtest.Start(t), dir: t.TempDir()}
	return co, co.join(co.hub.Founding(), "Alice")
}

func (co *company) options(home string) core.Options {
	o := core.Options{Home: filepath.Join(co.dir, home)}
	if testing.Verbose() {
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, nil)).With("home", home)
	}
	return o
}

// join makes a client in a home that is called like the person.
func (co *company) join(link, name string) *core.Client {
	co.t.Helper()
	c, err := core.Join(co.ctx(), co.options(name), core.JoinRequest{Link: link, Name: name, Organisation: "Acme", Device: "laptop"})
	if err != nil {
		co.t.Fatalf("%s joins: %v", name, err)
	}
	co.t.Cleanup(func() { _ = c.Close() }) // a test may have closed it
	co.sync(c)
	return c
}

// open opens a client that was closed before.
func (co *company) open(name string) *core.Client {
	co.t.Helper()
	c, err := core.Open(co.ctx(), co.options(name))
	if err != nil {
		co.t.Fatalf("open %s: %v", name, err)
	}
	co.t.Cleanup(func() { _ = c.Close() })
	return c
}

// invite has by bring in somebody new.
func (co *company) invite(by *core.Client, name string) *core.Client {
	co.t.Helper()
	inv, err := by.Invite(co.ctx(), core.InviteRequest{Name: name})
	if err != nil {
		co.t.Fatalf("invite %s: %v", name, err)
	}
	return co.join(inv.Link, name)
}

func (co *company) ctx() context.Context {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	co.t.Cleanup(stop)
	return ctx
}

func (co *company) sync(cs ...*core.Client) {
	co.t.Helper()
	for _, c := range cs {
		if err := c.Sync(co.ctx()); err != nil {
			co.t.Fatalf("%s: sync: %v", c.Me().Member.Name, err)
		}
	}
}

// start has by open a matter with others.
func (co *company) start(by *core.Client, title string, with ...*core.Client) matter.ID {
	co.t.Helper()
	n := core.NewMatter{Title: title}
	for _, w := range with {
		n.With = append(n.With, w.Me().Member.ID)
	}
	id, err := by.OpenMatter(co.ctx(), n)
	if err == nil {
		err = by.WaitParticipants(co.ctx(), id)
	}
	if err != nil {
		co.t.Fatalf("open a matter: %v", err)
	}
	co.sync(by)
	return id
}

func (co *company) say(c *core.Client, id matter.ID, text string) {
	co.t.Helper()
	if _, err := c.Send(co.ctx(), id, text); err != nil {
		co.t.Fatalf("send %q: %v", text, err)
	}
}

// texts lists what a client has in a thread: what was said and sent, and events in
// brackets.
func (co *company) texts(c *core.Client, id matter.ID) []string {
	co.t.Helper()
	ms, err := c.Messages(co.ctx(), id, core.Page{Limit: 10000})
	if err != nil {
		co.t.Fatal(err)
	}
	var out []string
	for _, m := range ms {
		if m.Delivery != matter.DeliverySent {
			continue
		}
		author, _ := c.Member(m.Author)
		switch m.Kind {
		case matter.KindText:
			out = append(out, fmt.Sprintf("%s: %s", author.Name, m.Text))
		default:
			var who []string
			for _, s := range m.Subjects {
				member, _ := c.Member(s)
				who = append(who, member.Name)
			}
			out = append(out, fmt.Sprintf("[%d %s %s]", m.Kind, author.Name, strings.Join(who, " ")))
		}
	}
	return out
}

// await waits until a client's thread is as wanted.
func (co *company) await(c *core.Client, id matter.ID, want ...string) {
	co.t.Helper()
	changed := make(chan struct{}, 1)
	cancel := c.Subscribe(func(core.Event) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	defer cancel()
	ctx := co.ctx()
	for {
		got := co.texts(c, id)
		if slices.Equal(got, want) {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			co.t.Fatalf("%s reads\n  %s\nwant\n  %s", c.Me().Member.Name, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
	}
}
