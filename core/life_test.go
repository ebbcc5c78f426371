package core_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"causa/core"
	"causa/matter"
)

var (
	lifeSeed  = flag.Uint64("life.seed", 0, "seed of TestLife (0: another one each time)")
	lifeSteps = flag.Int("life.steps", 120, "steps of TestLife")
)

// A person in the random life: online or not, in the matter or not.
type person struct {
	name   string
	client *core.Client // nil while the app is closed
	in     bool
	said   int
}

// TestLife lets five people talk, come, go, close and open their apps while the hub is
// stopped and started, all at random. In the end everybody who is in the matter has
// everything said since they came in, in one order, once; and nobody has a word that was
// said while they were out.
func TestLife(t *testing.T) {
	seed := *lifeSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-life.seed=%d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	co, alice := found(t)
	people := []*person{{name: "Alice", client: alice, in: true}}
	for _, name := range []string{"Bob", "Carol", "Dave", "Eve"} {
		people = append(people, &person{name: name, client: co.invite(alice, name)})
	}
	ids := map[string]matter.MemberID{}
	for _, p := range people {
		ids[p.name] = p.client.Me().Member.ID
	}
	id := co.start(alice, "life", people[1].client)
	people[1].in = true
	co.await(people[1].client, id, fmt.Sprintf("[%d Alice Alice Bob]", matter.KindOpened))

	l := &life{company: co, rnd: rnd, people: people, ids: ids, matter: id, up: true, out: map[string][]string{}}
	for range *lifeSteps {
		l.step()
	}
	l.check()
}

type life struct {
	*company
	rnd    *rand.Rand
	people []*person
	ids    map[string]matter.MemberID
	matter matter.ID
	up     bool
	// out lists, for each text, who was certainly out when it was said.
	out map[string][]string
}

func (l *life) step() {
	p := l.people[l.rnd.IntN(len(l.people))]
	switch n := l.rnd.IntN(100); {
	case n < 55:
		l.speak(p)
	case n < 65 && p != l.people[0] && l.up && l.people[0].client != nil:
		l.move(p)
	case n < 80:
		l.toggle(p)
	case n < 88:
		if l.up {
			l.hub.Stop()
		} else {
			l.hub.Restart()
		}
		l.up = !l.up
	case n < 94 && l.up:
		for _, p := range l.people {
			if p.client != nil {
				l.sync(p.client)
			}
		}
	default:
		time.Sleep(time.Duration(l.rnd.IntN(20)) * time.Millisecond)
	}
}

// speak says something, if this person's app thinks that it can.
func (l *life) speak(p *person) {
	if p.client == nil {
		return
	}
	if _, err := p.client.Matter(l.ctx(), l.matter); err != nil {
		return // never heard of it
	}
	text := fmt.Sprintf("%s-%d", p.name, p.said)
	if _, err := p.client.Send(l.ctx(), l.matter, text); err != nil {
		return // knows that it is out
	}
	p.said++
	for _, q := range l.people {
		if q != p && !q.in { // one's own words stay on one's screen, marked as not sent
			l.out[text] = append(l.out[text], q.name)
		}
	}
}

// move has Alice bring somebody in or take them out, and waits until it is done.
func (l *life) move(p *person) {
	alice := l.people[0].client
	l.sync(alice)
	var err error
	if p.in {
		err = alice.RemoveParticipant(l.ctx(), l.matter, l.ids[p.name])
	} else {
		err = alice.AddParticipants(l.ctx(), l.matter, []matter.MemberID{l.ids[p.name]})
	}
	if err == nil {
		err = alice.WaitParticipants(l.ctx(), l.matter)
	}
	if err != nil {
		l.t.Fatalf("move %s (in: %v): %v", p.name, p.in, err)
	}
	p.in = !p.in
	// What is queued by now may go out in either epoch.
	l.out = map[string][]string{}
}

func (l *life) toggle(p *person) {
	if p.client == nil {
		p.client = l.open(p.name)
		return
	}
	if err := p.client.Close(); err != nil {
		l.t.Fatalf("close %s: %v", p.name, err)
	}
	p.client = nil
}

// check brings everybody online and compares what they have.
func (l *life) check() {
	if !l.up {
		l.hub.Restart()
	}
	for range 2 { // what the first round sends, the second one brings to everybody
		for _, p := range l.people {
			if p.client == nil {
				p.client = l.open(p.name)
			}
			l.sync(p.client)
		}
	}
	l.say(l.people[0].client, l.matter, "the end")
	var end []string
	ctx := l.ctx()
	for _, p := range l.people {
		if !p.in {
			continue
		}
		for !slices.Contains(l.texts(p.client, l.matter), "Alice: the end") {
			if ctx.Err() != nil {
				l.t.Fatalf("%s never reads the end", p.name)
			}
			time.Sleep(5 * time.Millisecond)
		}
		said := spoken(l.texts(p.client, l.matter))
		if p.name == "Alice" {
			end = said
		}
		l.whole(p, said)
		if tail := common(end, said); !slices.Equal(tail, said) {
			l.t.Errorf("%s reads %q,\nwhere Alice has %q", p.name, said, tail)
		}
	}
	for _, p := range l.people {
		for _, line := range l.texts(p.client, l.matter) {
			_, text, _ := strings.Cut(line, ": ")
			if slices.Contains(l.out[text], p.name) {
				l.t.Errorf("%s reads %q, said while they were out", p.name, text)
			}
		}
	}
}

// whole checks that nothing stands twice in a thread and that everybody's own words
// are in the order in which they said them.
func (l *life) whole(p *person, said []string) {
	seen := map[string]int{}
	for _, line := range said {
		author, text, _ := strings.Cut(line, ": ")
		_, number, _ := strings.Cut(text, "-")
		var n int
		if _, err := fmt.Sscan(number, &n); err != nil {
			continue
		}
		if last, ok := seen[author]; ok && n <= last {
			l.t.Errorf("%s reads %q after number %d", p.name, line, last)
		}
		seen[author] = n
	}
	// Alice was in it all the time: nothing of hers may be missing.
	if p.name == "Alice" {
		for n := range p.said {
			if !slices.Contains(said, fmt.Sprintf("Alice: Alice-%d", n)) {
				l.t.Errorf("Alice's message %d is lost", n)
			}
		}
	}
}

// spoken leaves out events.
func spoken(lines []string) (out []string) {
	for _, line := range lines {
		if !strings.HasPrefix(line, "[") {
			out = append(out, line)
		}
	}
	return out
}

// common lists the lines of whole that are in part, in whole's order.
func common(whole, part []string) (out []string) {
	for _, line := range whole {
		if slices.Contains(part, line) {
			out = append(out, line)
		}
	}
	return out
}
