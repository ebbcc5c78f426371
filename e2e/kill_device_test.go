package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestKilledDevice kills a device again and again while it accepts messages and hands
// them over. Whatever it had accepted arrives once, at everybody, in one order.
func TestKilledDevice(t *testing.T) {
	kills := 12
	if testing.Short() {
		kills = 4
	}
	c := newCompany(t, "Alice", "Bob")
	c.must("Alice", "matter", "open", "work", "--with", "Bob")
	c.must("Bob", "log", "work")

	accepted := make(map[string]bool) // by message id
	killed := 0
	for round := range kills {
		ids, wasKilled := c.sayAndDie(round)
		for _, id := range ids {
			accepted[id] = true
		}
		if wasKilled {
			killed++
		}
	}
	if killed < kills/2 {
		t.Errorf("%d of %d rounds ended before the kill: make them longer", kills-killed, kills)
	}

	c.must("Bob", "matter", "list") // online once more: what waits goes out
	seen := make(map[string]int)
	var said []string
	for _, l := range c.thread("Alice", "work") {
		seen[l.ID]++
		said = append(said, l.Text)
	}
	for id := range accepted {
		if seen[id] != 1 {
			t.Errorf("message %s was accepted and is there %d times", id, seen[id])
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("message %s is there %d times", id, n)
		}
	}
	c.compare("work", said)
	t.Logf("%d kills, %d messages accepted, %d there", killed, len(accepted), len(seen))
}

// sayAndDie has Bob say up to 300 things and kills that process on the way. It returns
// the ids of those that it had accepted.
func (c *company) sayAndDie(round int) (ids []string, killed bool) {
	c.t.Helper()
	var input strings.Builder
	for n := range 300 {
		fmt.Fprintf(&input, "round %d, number %d\n", round, n)
	}
	cmd := c.causactl(c.t.Context(), "Bob", "--json", "send", "work", "-", "--lines")
	cmd.Stdin = strings.NewReader(input.String())
	out, err := cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	timer := time.AfterFunc(20*time.Millisecond+rand.N(200*time.Millisecond), func() {
		_ = cmd.Process.Kill() // it may have ended by itself
	})
	defer timer.Stop()
	ids = acceptedIn(c.t, out)
	err = cmd.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		c.t.Fatal(err)
	}
	return ids, err != nil
}

// acceptedIn reads the ids that "send --json" prints until the process is gone. What it
// was writing when it was killed may be cut off.
func acceptedIn(t *testing.T, out io.Reader) (ids []string) {
	t.Helper()
	lines := bufio.NewReader(out)
	for {
		text, err := lines.ReadBytes('\n')
		if err != nil {
			return ids
		}
		var accepted struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(text, &accepted); err != nil {
			t.Fatalf("send --json printed %q: %v", text, err)
		}
		ids = append(ids, accepted.ID)
	}
}
