package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causa/e2e/rig"
)

// A company is a hub and members with one device each, each with a home folder.
type company struct {
	t       *testing.T
	dir     string
	hub     *rig.Hub
	members []string // the founder first

	patience string // how long one causactl waits for the hub
}

// newCompany starts a hub, founds an organisation on it and has the members join.
func newCompany(t *testing.T, members ...string) *company {
	t.Helper()
	c := prepareCompany(t, members...)
	c.found()
	return c
}

// prepareCompany is newCompany before anything has happened.
func prepareCompany(t *testing.T, members ...string) *company {
	t.Helper()
	// Long: the hub may be killed again and again.
	return &company{t: t, dir: t.TempDir(), members: members, patience: "1m"}
}

func (c *company) found() {
	c.t.Helper()
	h, err := rig.StartHub(c.t.Context(), rig.HubOptions{Program: programs.Hub, Data: c.hubData()})
	if err != nil {
		c.t.Fatal(err)
	}
	c.hub = h
	c.t.Cleanup(func() {
		if err := h.Kill(); err != nil {
			c.t.Error(err)
		}
	})
	link, err := h.Link(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	founder := c.members[0]
	c.must(founder, "join", link, "--name", founder, "--org", "Acme")
	for _, name := range c.members[1:] {
		invitation := strings.TrimSpace(c.must(founder, "invite", name))
		c.must(name, "join", invitation, "--name", name)
	}
}

func (c *company) hubData() string { return filepath.Join(c.dir, "hub") }

func (c *company) home(member string) string { return filepath.Join(c.dir, "home-"+member) }

// causactl makes a call with a member's home.
func (c *company) causactl(ctx context.Context, member string, args ...string) *exec.Cmd {
	args = append([]string{"--home", c.home(member), "--timeout", c.patience}, args...)
	cmd := exec.CommandContext(ctx, programs.Causactl, args...)
	cmd.Env = append(os.Environ(), "LANG=en_US.UTF-8")
	return cmd
}

// must runs causactl and returns what it printed. It may only be called from the test's
// own goroutine.
func (c *company) must(member string, args ...string) string {
	c.t.Helper()
	out, err := run(c.causactl(c.t.Context(), member, args...))
	if err != nil {
		c.t.Fatalf("%s: causactl %s: %v", member, strings.Join(args, " "), err)
	}
	return out
}

// say sends lines. A failure is an error of the test, but ends nothing: the lines that a
// device accepted must arrive all the same.
func (c *company) say(member, title string, lines []string) {
	cmd := c.causactl(c.t.Context(), member, "send", title, "-", "--lines")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n"))
	if _, err := run(cmd); err != nil {
		c.t.Errorf("%s says %d things in %s: %v", member, len(lines), title, err)
	}
}

// A line is what "log --json" tells of a message.
type line struct {
	Seq    uint64    `json:"seq"`
	ID     string    `json:"id"`
	Time   time.Time `json:"time"`
	Author string    `json:"author"`
	Kind   string    `json:"kind"`
	Text   string    `json:"text"`
}

// thread is everything said in a matter, as a member's device has it.
func (c *company) thread(member, title string) []line {
	c.t.Helper()
	var all []line
	for _, object := range strings.Split(strings.TrimSpace(c.must(member, "--json", "log", title)), "\n") {
		var l line
		if err := json.Unmarshal([]byte(object), &l); err != nil {
			c.t.Fatalf("%s: log --json printed %q: %v", member, object, err)
		}
		if l.Kind == "text" {
			all = append(all, l)
		}
	}
	return all
}

// compare checks that the founder's device has exactly what was said in a matter, and
// every other one the same in the same order.
func (c *company) compare(title string, said []string) {
	c.t.Helper()
	founder := c.members[0]
	want := c.thread(founder, title)
	if got := texts(want); !sameElements(got, said) {
		c.t.Errorf("%s: %s's device does not have exactly what was said (-said +has):\n%s",
			title, founder, cmp.Diff(sorted(said), sorted(got)))
	}
	for _, member := range c.members[1:] {
		if diff := cmp.Diff(want, c.thread(member, title)); diff != "" {
			c.t.Errorf("%s: %s's device differs from %s's (-%s +%s):\n%s", title, member, founder, founder, member, diff)
		}
	}
}

func texts(lines []line) []string {
	var out []string
	for _, l := range lines {
		out = append(out, l.Text)
	}
	return out
}

// run runs cmd and returns its standard output; an error has its standard error.
func run(cmd *exec.Cmd) (string, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("%w\n%s", err, stderr.Bytes())
	}
	return string(out), nil
}
