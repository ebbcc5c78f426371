package core

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"causa/crypto/seal"
	"causa/hub/hubtest"
	"causa/matter"
	"causa/store"
	"causa/wire/pb"
)

// A hostile hub is played by handing a victim, whose engine does not run, entries that
// a hub has changed.
type victim struct {
	*Client
	t       *testing.T
	matter  matter.ID
	entries []*pb.Entry // as an honest hub has them, from the victim's cursor on
}

// newVictim makes a company in which Alice says four things to Bob, with a change of
// keys in the middle. Bob has joined and read none of it.
func newVictim(t *testing.T) *victim {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(stop)
	hub, dir := hubtest.Start(t), t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	alice, err := Join(ctx, Options{Home: filepath.Join(dir, "alice")}, JoinRequest{Link: hub.Founding(), Name: "Alice"})
	must(err)
	var links []string
	for _, name := range []string{"Bob", "Carol"} {
		must(alice.Sync(ctx))
		inv, err := alice.Invite(ctx, InviteRequest{Name: name})
		must(err)
		links = append(links, inv.Link)
	}
	bobs := Options{Home: filepath.Join(dir, "bob")}
	bob, err := Join(ctx, bobs, JoinRequest{Link: links[0]})
	must(err)
	must(bob.Sync(ctx))
	carol, err := Join(ctx, Options{Home: filepath.Join(dir, "carol")}, JoinRequest{Link: links[1]})
	must(err)
	must(carol.Sync(ctx))
	must(alice.Sync(ctx))
	id, err := alice.OpenMatter(ctx, NewMatter{Title: "work", With: []matter.MemberID{bob.acct.Member}})
	must(err)
	must(alice.WaitParticipants(ctx, id))
	must(bob.Sync(ctx))
	for m := bob.matterOrNil(id); m == nil || m.Title == ""; m = bob.matterOrNil(id) {
		time.Sleep(5 * time.Millisecond)
		must(ctx.Err())
	}
	must(bob.Close())
	say := func(text string) {
		_, err := alice.Send(ctx, id, text)
		must(err)
		must(alice.Sync(ctx))
	}
	say("one")
	say("two")
	must(alice.AddParticipants(ctx, id, []matter.MemberID{carol.acct.Member}))
	must(alice.WaitParticipants(ctx, id))
	say("three")
	say("four")

	h, err := openHome(ctx, bobs, false)
	must(err)
	var acct *account
	var place store.Place
	must(h.db.View(ctx, func(tx *store.Tx) (err error) {
		if acct, err = readAccount(tx); err != nil {
			return err
		}
		place, err = tx.Place(id)
		return err
	}))
	c, err := newClient(ctx, h, acct, bobs)
	must(err)
	t.Cleanup(func() { must(h.close()) })
	v := &victim{Client: c, t: t, matter: id}
	f, err := alice.link.Load().ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_PullMatter{PullMatter: &pb.PullMatter{Matter: id[:], After: place.Cursor}}})
	must(err)
	v.entries = f.GetMatterPage().GetEntries()
	// Bob's copy of the organisation log must know everybody.
	must(alice.home.db.View(ctx, func(tx *store.Tx) error {
		i := uint64(0)
		for b, err := range tx.LogEntries() {
			must(err)
			_, err = c.dir.take(ctx, i, [][]byte{bytes.Clone(b)})
			must(err)
			i++
		}
		return nil
	}))
	must(alice.Close())
	must(carol.Close())
	return v
}

func (c *Client) matterOrNil(id matter.ID) *matter.Matter {
	m, err := c.Matter(context.Background(), id)
	if err != nil {
		return nil
	}
	return &m
}

// take applies entries, renumbered when renumber is set, and returns what the thread
// then says.
func (v *victim) take(entries []*pb.Entry) (said []string, err error) {
	v.t.Helper()
	if _, err = v.applyOnce(context.Background(), v.matter, entries, true); err != nil {
		return nil, err
	}
	ms, err := v.Messages(context.Background(), v.matter, Page{})
	if err != nil {
		v.t.Fatal(err)
	}
	for _, m := range ms {
		switch m.Kind {
		case matter.KindText:
			said = append(said, m.Text)
		case matter.KindUnread:
			said = append(said, "?")
		}
	}
	return said, nil
}

// text returns the place of the nth entry that has content.
func (v *victim) text(n int) int {
	for i, e := range v.entries {
		if e.GetKind() == pb.EntryKind_ENTRY_KIND_CONTENT {
			if n--; n < 0 {
				return i
			}
		}
	}
	v.t.Fatal("no such entry")
	return 0
}

func renumbered(from uint64, entries ...*pb.Entry) []*pb.Entry {
	out := make([]*pb.Entry, len(entries))
	for i, e := range entries {
		out[i] = proto.CloneOf(e)
		out[i].Seq = from + uint64(i)
	}
	return out
}

func TestHostileHub(t *testing.T) {
	honest := func(v *victim) []*pb.Entry { return v.entries }
	tests := []struct {
		name    string
		change  func(v *victim) []*pb.Entry
		want    []string
		refused error
	}{
		{name: "an honest hub", change: honest, want: []string{"one", "two", "three", "four"}},
		{name: "a message changed in one bit", change: func(v *victim) []*pb.Entry {
			p := v.entries[v.text(1)].Payload
			p[len(p)-40] ^= 4
			return v.entries
		}, want: []string{"one", "?", "three", "four"}},
		{name: "a message under another's name", change: func(v *victim) []*pb.Entry {
			v.entries[v.text(0)].Sender = v.self[:]
			return v.entries
		}, want: []string{"?", "two", "three", "four"}},
		{name: "a message said twice", change: func(v *victim) []*pb.Entry {
			i := v.text(0)
			es := append([]*pb.Entry{}, v.entries[:i+1]...)
			es = append(es, v.entries[i])
			return renumbered(v.entries[0].GetSeq(), append(es, v.entries[i+1:]...)...)
		}, want: []string{"one", "two", "three", "four"}},
		{name: "a message of an old epoch, late", change: func(v *victim) []*pb.Entry {
			i := v.text(0)
			es := append([]*pb.Entry{}, v.entries[:i]...)
			es = append(es, v.entries[i+1:]...)
			return renumbered(v.entries[0].GetSeq(), append(es, v.entries[i])...)
		}, want: []string{"two", "three", "four", "?"}},
		{name: "a message kept back", change: func(v *victim) []*pb.Entry {
			i := v.text(0)
			return append(append([]*pb.Entry{}, v.entries[:i]...), v.entries[i+1:]...)
		}, refused: errSequence},
		{name: "entries out of order", change: func(v *victim) []*pb.Entry {
			i := v.text(0)
			v.entries[i], v.entries[i+1] = v.entries[i+1], v.entries[i]
			return v.entries
		}, refused: errSequence},
		{name: "a forged change of participants", change: func(v *victim) []*pb.Entry {
			for _, e := range v.entries {
				if e.GetKind() == pb.EntryKind_ENTRY_KIND_COMMIT {
					e.Payload[len(e.Payload)-50] ^= 1
				}
			}
			return v.entries
		}, want: []string{"one", "two", "?", "?", "?"}}, // the description for Carol is unreadable too
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newVictim(t)
			before := v.matterOrNil(v.matter)
			got, err := v.take(tt.change(v))
			if !errors.Is(err, tt.refused) || (err != nil) != (tt.refused != nil) {
				t.Fatalf("apply = %v, want %v", err, tt.refused)
			}
			if err != nil {
				if after := v.matterOrNil(v.matter); after.Active != before.Active || after.Unread != before.Unread {
					t.Error("something of a refused page was stored")
				}
				return
			}
			if len(got) != len(tt.want) {
				t.Fatalf("thread = %q, want %q", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Fatalf("thread = %q, want %q", got, tt.want)
				}
			}
		})
	}
}

// A participant with a changed program can send what the rules forbid; it has no effect on
// others, who all judge alike.
func TestHostileParticipant(t *testing.T) {
	v := newVictim(t)
	forged, err := conclusion{Decision: "approved by the owner"}.bytes()
	if err != nil {
		t.Fatal(err)
	}
	// Bob, who is not the owner, concludes. His own device judges as everybody's would.
	entry := v.forge(contentConclusion, forged)
	if _, err := v.take([]*pb.Entry{entry}); err != nil {
		t.Fatal(err)
	}
	if m := v.matterOrNil(v.matter); m.State != matter.StateOpen {
		t.Errorf("a conclusion by someone else than the owner: state %v", m.State)
	}
	entry = v.forge(contentText, []byte("\xff\xfe not text"))
	said, err := v.take([]*pb.Entry{entry})
	if err != nil {
		t.Fatal(err)
	}
	if len(said) != 1 || said[0] != "?" {
		t.Errorf("text that is none shows as %q", said)
	}
}

// forge seals content as the victim's own device would, whatever the rules say, for the
// place after its cursor.
func (v *victim) forge(kind uint16, body []byte) *pb.Entry {
	v.t.Helper()
	e := &pb.Entry{Kind: pb.EntryKind_ENTRY_KIND_CONTENT, Sender: v.self[:], TimeMs: time.Now().UnixMilli()}
	err := v.home.db.View(context.Background(), func(tx *store.Tx) error {
		place, err := tx.Place(v.matter)
		if err != nil {
			return err
		}
		g, err := tx.Group(v.matter)
		if err != nil {
			return err
		}
		secret, err := tx.ContentSecret(v.matter, g.Epoch)
		if err != nil {
			return err
		}
		b, err := content{Time: time.Now(), Kind: kind, Body: body}.bytes()
		if err != nil {
			return err
		}
		e.Seq, e.Epoch = place.Cursor+1, g.Epoch
		s := seal.Secret(secret)
		e.Payload, err = seal.Seal(&s, seal.Header{Matter: v.matter, Epoch: g.Epoch, Sender: v.self, Message: matter.NewMessageID()}, v.key, b)
		return err
	})
	if err != nil {
		v.t.Fatal(err)
	}
	return e
}
