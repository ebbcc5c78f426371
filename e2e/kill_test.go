package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causa/e2e/rig"
)

// portion is how many things a member says with one causactl, so that kills fall into
// processes and between them.
const portion = 5

// TestKilledHub has four members say a thousand things in three matters while the hub is
// killed ten times. In the end each device has everything, once, in one order, and the
// hub's files hold no word of it.
func TestKilledHub(t *testing.T) {
	messages, kills := 1000, 10
	if testing.Short() {
		messages, kills = 120, 3
	}
	c := newCompany(t, "Alice", "Bob", "陈晨", "Dana")
	matters := []string{"Prices", "合同", "Travel"}
	for _, title := range matters {
		c.must("Alice", "matter", "open", title, "--with", strings.Join(c.members[1:], ","))
	}

	said := make(map[string][]string) // by matter
	portions := 0
	spoken := make(chan struct{}, messages) // gets one for each portion
	var talking sync.WaitGroup
	for i, member := range c.members {
		lines := make(map[string][]string)
		for n := i; n < messages; n += len(c.members) {
			title := matters[n/len(c.members)%len(matters)]
			lines[title] = append(lines[title], fmt.Sprintf("%s says 第%d句 in %s", member, n, title))
		}
		for title, texts := range lines {
			said[title] = append(said[title], texts...)
			portions += (len(texts) + portion - 1) / portion
		}
		talking.Go(func() {
			// One home, one process at a time: a member's matters come one after another.
			for _, title := range matters {
				for texts := range slices.Chunk(lines[title], portion) {
					c.say(member, title, texts)
					spoken <- struct{}{}
				}
			}
		})
	}
	for killed := 0; killed < kills; killed++ {
		// Evenly over the whole talk, and each time at another point of what goes on.
		for range portions / (kills + 1) {
			<-spoken
		}
		time.Sleep(rand.N(20 * time.Millisecond))
		if err := c.hub.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := c.hub.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	talking.Wait()

	for _, title := range matters {
		want := c.thread("Alice", title)
		if got := texts(want); !sameElements(got, said[title]) {
			t.Errorf("%s: Alice's device does not have exactly what was said (-said +has):\n%s",
				title, cmp.Diff(sorted(said[title]), sorted(got)))
		}
		for _, member := range c.members[1:] {
			if diff := cmp.Diff(want, c.thread(member, title)); diff != "" {
				t.Errorf("%s: %s's device differs from Alice's (-Alice +%s):\n%s", title, member, member, diff)
			}
		}
	}
	if err := c.hub.Stop(); err != nil {
		t.Error(err)
	}
	for _, word := range append([]string{"says 第", "says "}, matters...) {
		found, err := filesWith(c.hubData(), word)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 {
			t.Errorf("%q is in the hub's files %q", word, found)
		}
	}
}

// A company is a hub and members with one device each, each with a home folder.
type company struct {
	t       *testing.T
	dir     string
	hub     *rig.Hub
	members []string // the founder first
}

// patience is how long one causactl may wait for a hub that is killed again and again.
const patience = time.Minute

func newCompany(t *testing.T, members ...string) *company {
	t.Helper()
	c := &company{t: t, dir: t.TempDir(), members: members}
	h, err := rig.StartHub(t.Context(), rig.HubOptions{Program: programs.Hub, Data: c.hubData()})
	if err != nil {
		t.Fatal(err)
	}
	c.hub = h
	t.Cleanup(func() {
		if err := h.Kill(); err != nil {
			t.Error(err)
		}
	})
	link, err := h.Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.must(members[0], "join", link, "--name", members[0], "--org", "Acme")
	for _, name := range members[1:] {
		invitation := strings.TrimSpace(c.must(members[0], "invite", name))
		c.must(name, "join", invitation, "--name", name)
	}
	return c
}

func (c *company) hubData() string { return filepath.Join(c.dir, "hub") }

// causactl makes a call with a member's home.
func (c *company) causactl(ctx context.Context, member string, args ...string) *exec.Cmd {
	args = append([]string{"--home", filepath.Join(c.dir, "home-"+member), "--timeout", patience.String()}, args...)
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
