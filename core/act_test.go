package core

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"causa/hub/hubtest"
	"causa/internal/fault"
	"causa/matter"
	"causa/store"
)

// A pair is Alice, who owns a matter, and Bob, who is in it, at a real hub.
type pair struct {
	t          *testing.T
	ctx        context.Context //nolint:containedctx // a pair lives as long as its test
	alice, bob *Client
	id         matter.ID
}

func newPair(t *testing.T) *pair {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(stop)
	hub, dir := hubtest.Start(t), t.TempDir()
	p := &pair{t: t, ctx: ctx}
	var err error
	p.alice, err = Join(ctx, Options{Home: filepath.Join(dir, "alice")}, JoinRequest{Link: hub.Founding(), Name: "Alice"})
	p.must(err)
	t.Cleanup(func() { _ = p.alice.Close() })
	p.must(p.alice.Sync(ctx))
	inv, err := p.alice.Invite(ctx, InviteRequest{Name: "Bob"})
	p.must(err)
	p.bob, err = Join(ctx, Options{Home: filepath.Join(dir, "bob")}, JoinRequest{Link: inv.Link})
	p.must(err)
	t.Cleanup(func() { _ = p.bob.Close() })
	p.must(p.bob.Sync(ctx))
	p.must(p.alice.Sync(ctx))
	p.id, err = p.alice.OpenMatter(ctx, NewMatter{Title: "work", With: []matter.MemberID{p.bob.acct.Member}})
	p.must(err)
	p.must(p.alice.WaitParticipants(ctx, p.id))
	p.settle()
	return p
}

func (p *pair) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// settle waits until both have taken everything.
func (p *pair) settle() {
	p.t.Helper()
	for range 2 {
		p.must(p.alice.Sync(p.ctx))
		p.must(p.bob.Sync(p.ctx))
	}
	for p.cursor(p.alice) != p.cursor(p.bob) {
		p.must(p.ctx.Err())
		time.Sleep(5 * time.Millisecond)
	}
}

func (p *pair) cursor(c *Client) uint64 {
	place, err := c.place(p.ctx, p.id)
	if err != nil {
		return 0
	}
	return place.Cursor
}

// say has somebody say something and returns its number.
func (p *pair) say(c *Client, text string) uint64 {
	p.t.Helper()
	_, err := c.Send(p.ctx, p.id, text)
	p.must(err)
	p.settle()
	ms, err := c.Messages(p.ctx, p.id, Page{Limit: 1})
	p.must(err)
	return ms[0].Seq
}

func (p *pair) message(c *Client, seq uint64) matter.Message {
	p.t.Helper()
	var m matter.Message
	p.must(c.home.db.View(p.ctx, func(tx *store.Tx) (err error) {
		m, err = tx.Message(p.id, seq)
		return err
	}))
	return m
}

// force has a changed program send content that ours would refuse to.
func (p *pair) force(c *Client, kind uint16, body []byte) {
	p.t.Helper()
	_, err := c.post(p.ctx, p.id, func(*store.Tx, store.Place) (uint16, []byte, error) { return kind, body, nil })
	p.must(err)
	p.settle()
}

// What a changed program does to the messages of others has no effect on any device.
func TestForcedActs(t *testing.T) {
	p := newPair(t)
	seq := p.say(p.alice, "sixty days")
	m := p.message(p.bob, seq)
	ref := func(more ...byte) []byte { return append(appendRef(nil, m.Ref()), more...) }
	p.force(p.bob, contentEdit, ref([]byte("thirty days")...))
	p.force(p.bob, contentRecall, ref())
	p.force(p.bob, contentTaskState, ref(make([]byte, 25)...))
	p.force(p.bob, contentVote, ref(0, 0, 0, 1))
	for range 12 {
		p.force(p.bob, contentReaction, ref(append([]byte{1}, matter.NewID().String()[:8]...)...))
	}
	for _, c := range []*Client{p.alice, p.bob} {
		got := p.message(c, seq)
		if got.Text != "sixty days" || got.Kind != matter.KindText || !got.Edited.IsZero() || got.Task != nil || got.Poll != nil {
			t.Errorf("%s has %+v", c.Me().Member.Name, got)
		}
		if len(got.Reactions) != 8 {
			t.Errorf("%d reactions of one member, want 8", len(got.Reactions))
		}
	}
	// In a concluded matter nothing has an effect any more.
	_, err := p.alice.Conclude(p.ctx, p.id, Conclusion{Decision: "done"})
	p.must(err)
	p.settle()
	p.force(p.alice, contentEdit, ref([]byte("after all")...))
	if got := p.message(p.bob, seq); got.Text != "sixty days" {
		t.Errorf("edited after the end: %q", got.Text)
	}
}

// Content that can't be understood becomes a line that says so, and harms nothing.
func TestMalformedActs(t *testing.T) {
	p := newPair(t)
	seq := p.say(p.alice, "hello")
	m := p.message(p.bob, seq)
	ref := func(more string) []byte { return append(appendRef(nil, m.Ref()), more...) }
	bad := []struct {
		kind uint16
		body []byte
	}{
		{contentReply, []byte("short")},
		{contentReply, ref("\xff")},
		{contentReaction, ref("\x02x")},
		{contentReaction, ref("\x01")},
		{contentReaction, ref("\x01a b")},
		{contentReaction, ref("\x01\u202e")},
		{contentEdit, ref("")},
		{contentRecall, ref("x")},
		{contentPin, ref("")},
		{contentTask, []byte("x")},
		{contentTaskState, ref("x")},
		{contentPoll, []byte{0, 0, 1, 'q', 0, 0, 0}},
		{contentPoll, []byte{0, 0, 1, 'q', 0, 0, 4, 1, 'a', 1, 'a'}},
		{contentVote, ref("x")},
		{contentPollEnd, ref("x")},
	}
	for _, b := range bad {
		p.force(p.alice, b.kind, b.body)
	}
	ms, err := p.bob.Messages(p.ctx, p.id, Page{})
	p.must(err)
	unread := 0
	for _, m := range ms {
		if m.Kind == matter.KindUnread {
			unread++
		}
	}
	if unread != len(bad) {
		t.Errorf("%d lines can't be read, want %d", unread, len(bad))
	}
	if got := p.message(p.bob, seq); got.Text != "hello" || len(got.Reactions) != 0 || got.Pinned {
		t.Errorf("Bob has %+v", got)
	}
}

// Whatever two people do to the same messages at once, both devices show the same.
func TestActsConverge(t *testing.T) {
	p := newPair(t)
	var seqs []uint64
	for i := range 4 {
		c := p.alice
		if i%2 == 1 {
			c = p.bob
		}
		seqs = append(seqs, p.say(c, fmt.Sprintf("message %d", i)))
	}
	_, err := p.bob.AddTask(p.ctx, p.id, NewTask{Text: "a task"})
	p.must(err)
	_, err = p.alice.AddPoll(p.ctx, p.id, NewPoll{Question: "a poll", Options: []string{"x", "y", "z"}, Multiple: true})
	p.must(err)
	p.settle()
	last := p.cursor(p.bob)
	seqs = append(seqs, last-1, last)
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(4, 10).Draw(t, "acts") {
			c := rapid.SampledFrom([]*Client{p.alice, p.bob}).Draw(t, "who")
			seq := rapid.SampledFrom(seqs).Draw(t, "message")
			done := rapid.Bool().Draw(t, "on")
			var err error
			switch rapid.IntRange(0, 6).Draw(t, "act") {
			case 0:
				err = c.React(p.ctx, p.id, seq, rapid.SampledFrom([]string{"👍", "✅"}).Draw(t, "sign"), done)
			case 1:
				err = c.Edit(p.ctx, p.id, seq, rapid.StringMatching(`[a-z]{1,9}`).Draw(t, "text"))
			case 2:
				err = c.Pin(p.ctx, p.id, seq, done)
			case 3:
				err = c.SetTask(p.ctx, p.id, seq, TaskChange{Done: &done})
			case 4:
				err = c.Vote(p.ctx, p.id, seq, rapid.SliceOfN(rapid.IntRange(0, 2), 0, 3).Draw(t, "votes")...)
			case 5:
				if rapid.IntRange(0, 9).Draw(t, "rarely") == 0 {
					err = c.Recall(p.ctx, p.id, seq)
				}
			default:
				_, err = c.Reply(p.ctx, p.id, seq, "yes")
			}
			var no *fault.Error
			if err != nil && !errors.As(err, &no) {
				t.Fatal(err)
			}
		}
		p.settle()
		a, err := p.alice.Messages(p.ctx, p.id, Page{Limit: 10000})
		p.must(err)
		b, err := p.bob.Messages(p.ctx, p.id, Page{Limit: 10000})
		p.must(err)
		if d := cmp.Diff(a, b); d != "" {
			t.Fatalf("Alice and Bob see different things:\n%s", d)
		}
	})
}

// Nobody puts words into the mouth of another by saying that they come from elsewhere.
func TestForgedOrigin(t *testing.T) {
	p := newPair(t)
	seq := p.say(p.alice, "I said this")
	other, err := p.bob.OpenMatter(p.ctx, NewMatter{Title: "other", With: []matter.MemberID{p.alice.acct.Member}})
	p.must(err)
	p.must(p.bob.WaitParticipants(p.ctx, other))
	p.settle()
	var body []byte
	p.must(p.bob.home.db.View(p.ctx, func(tx *store.Tx) (err error) {
		m, err := tx.Message(p.id, seq)
		if err != nil {
			return err
		}
		body, err = carry(tx, &m)
		return err
	}))
	p.id = other
	p.settle()
	forged := bytes.Replace(body, []byte("I said this"), []byte("I owe a lot"), 1)
	for _, b := range [][]byte{forged, body[:len(body)-1], body} {
		p.force(p.bob, contentCarried, b)
	}
	ms, err := p.alice.Messages(p.ctx, other, Page{})
	p.must(err)
	var got []string
	for _, m := range ms[len(ms)-3:] {
		if m.Kind == matter.KindUnread {
			got = append(got, "?")
		} else if m.Origin != nil && m.Origin.Author == p.alice.acct.Member {
			got = append(got, m.Text)
		}
	}
	if want := []string{"?", "?", "I said this"}; !slices.Equal(got, want) {
		t.Errorf("Alice reads %q, want %q", got, want)
	}
}

// A recalled message leaves nothing behind that says what it said.
func TestRecallDestroys(t *testing.T) {
	p := newPair(t)
	seq := p.say(p.bob, "the secret of the sauce")
	p.must(p.bob.Edit(p.ctx, p.id, seq, "the secret of the gravy"))
	p.settle()
	p.must(p.alice.React(p.ctx, p.id, seq, "👍", true))
	p.must(p.alice.Recall(p.ctx, p.id, seq))
	p.settle()
	for _, c := range []*Client{p.alice, p.bob} {
		m := p.message(c, seq)
		if m.Kind != matter.KindRecalled || m.Text != "" || len(m.Reactions) != 0 || len(m.Subjects) != 1 || m.Subjects[0] != p.alice.acct.Member {
			t.Errorf("%s has %+v", c.Me().Member.Name, m)
		}
		if v, err := c.Versions(p.ctx, p.id, seq); err != nil || len(v) != 0 {
			t.Errorf("versions: %v, %v", v, err)
		}
		p.must(c.home.db.View(p.ctx, func(tx *store.Tx) error {
			return tx.Evidence(p.id, func(e store.Evidence) error {
				if s := string(e.Signed); len(s) > 0 && (strings.Contains(s, "sauce") || strings.Contains(s, "gravy")) {
					t.Errorf("entry %d still proves what was said", e.Seq)
				}
				return nil
			})
		}))
		if found, err := c.Search(p.ctx, Search{Text: "secret"}); err != nil || len(found) != 0 {
			t.Errorf("found %v, %v", found, err)
		}
	}
}
