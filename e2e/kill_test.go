package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
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
		c.compare(title, said[title])
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
