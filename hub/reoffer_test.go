package hub_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"causa/hub"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// sealed is a message as the hub sees it: a header, and what it can't read.
func sealed(m *member, id matter.ID, text string) string {
	b := append([]byte{1}, id[:]...)
	b = binary.BigEndian.AppendUint64(b, m.groups[id].Epoch())
	b = append(b, m.ID[:]...)
	return string(b) + text
}

func reoffer(id matter.ID, info, first []byte, entries ...*pb.Entry) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_Reoffer{Reoffer: &pb.Reoffer{Matter: id[:], Entries: entries, GroupInfo: info, First: first}}}
}

// A lostRig is a hub that was restored, and what it has lost.
type lostRig struct {
	*rig
	a, b, c, stranger *member
	id                matter.ID
	lost              []*pb.Entry // content, commit that removes b and adds c, content
	info              []byte      // of the epoch after
	start             uint64
}

func newLostRig(t *testing.T, options ...func(*hub.Options)) *lostRig {
	t.Helper()
	r := &lostRig{rig: newRig(t, options...)}
	r.a, r.b, r.c, r.stranger = r.owner(), r.hire(matter.RoleMember), r.hire(matter.RoleMember), r.hire(matter.RoleMember)
	r.id = r.a.open()
	r.a.change(r.id, []*member{r.b}, nil)
	r.start = r.a.say(r.id, sealed(r.a, r.id, "kept")).GetSeq()
	backup := filepath.Join(t.TempDir(), "backup")
	if _, err := hub.Backup(context.Background(), hub.Place{Data: r.Data()}, backup); err != nil {
		t.Fatal(err)
	}
	r.b.process(r.id)
	r.b.say(r.id, sealed(r.b, r.id, "lost"))
	r.a.change(r.id, []*member{r.c}, []*member{r.b})
	r.c.say(r.id, sealed(r.c, r.id, "lost, too"))
	for _, e := range r.a.log(r.id) {
		if e.GetSeq() > r.start {
			r.lost = append(r.lost, e)
		}
	}
	var err error
	if r.info, err = r.a.groups[r.id].GroupInfo(); err != nil {
		t.Fatal(err)
	}
	r.Stop()
	if err := os.RemoveAll(r.Data()); err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Restore(context.Background(), backup, r.Data()); err != nil {
		t.Fatal(err)
	}
	r.Restart()
	for _, m := range []*member{r.a, r.b, r.c, r.stranger} {
		m.Close()
		<-m.Ended()
		m.connect()
	}
	return r
}

// A restored hub takes back what it lost, exactly as it was and once.
func TestReofferAfterRestore(t *testing.T) {
	r := newLostRig(t)
	if got := len(r.lost); got != 3 {
		t.Fatalf("%d entries were lost, want 3", got)
	}
	for range 2 { // the second time nothing is lacking
		if got := r.c.must(reoffer(r.id, r.info, nil, r.lost...)).GetAccepted().GetSeq(); got != r.start+3 {
			t.Fatalf("the hub has come to %d, want %d", got, r.start+3)
		}
	}
	have := r.a.log(r.id)
	for i, e := range have[len(have)-3:] {
		if !proto.Equal(e, r.lost[i]) {
			t.Errorf("entry %d came back as %v, was %v", e.GetSeq(), e, r.lost[i])
		}
	}
	// Who was removed is so again, who was added may speak.
	r.b.refused(wire.CodeNoMatter, send(r.id, r.b.ready.GetLastCounter()+1, 2, sealed(r.a, r.id, "no")))
	r.c.counter = r.c.ready.GetLastCounter()
	r.c.say(r.id, sealed(r.c, r.id, "yes"))
	r.a.counter = r.a.ready.GetLastCounter()
	r.a.change(r.id, []*member{r.stranger}, nil)
	r.Stop()
	sound(t, hub.Place{Data: r.Data()})
}

// Nobody can make a restored hub take what it could not have lost.
func TestRestoreReofferRefuses(t *testing.T) {
	r := newLostRig(t)
	changed := func(i int, change func(*pb.Entry)) []*pb.Entry {
		out := make([]*pb.Entry, len(r.lost))
		for k, e := range r.lost {
			out[k] = proto.CloneOf(e)
		}
		change(out[i])
		return out
	}
	other := matter.NewID()
	tests := []struct {
		name string
		by   *member
		want wire.Code
		f    *pb.ClientFrame
	}{
		{"by somebody who is not in it", r.stranger, wire.CodeNoMatter, reoffer(r.id, r.info, nil, r.lost...)},
		{"by somebody who was removed", r.b, wire.CodeNoMatter, reoffer(r.id, r.info, nil, r.lost...)},
		{"without the commit", r.a, wire.CodeMalformed, reoffer(r.id, r.info, nil, r.lost[0], r.lost[2])},
		{"in another order", r.a, wire.CodeMalformed, reoffer(r.id, r.info, nil, r.lost[1], r.lost[0])},
		{"with a gap before", r.c, wire.CodeEpochConflict, reoffer(r.id, r.info, nil, r.lost[1:]...)},
		{"without a group info", r.a, wire.CodeCommitRefused, reoffer(r.id, nil, nil, r.lost...)},
		{
			"by a sender who was not in it", r.a, wire.CodeMalformed,
			reoffer(r.id, r.info, nil, changed(0, func(e *pb.Entry) { e.Sender = r.stranger.ID[:] })...),
		},
		{
			"a sender that nobody knows", r.a, wire.CodeMalformed,
			reoffer(r.id, r.info, nil, changed(0, func(e *pb.Entry) { e.Sender = bytes.Repeat([]byte{7}, 32) })...),
		},
		{
			"content of another", r.a, wire.CodeMalformed,
			reoffer(r.id, r.info, nil, changed(0, func(e *pb.Entry) { e.Sender = r.a.ID[:] })...),
		},
		{
			"a commit of another", r.a, wire.CodeCommitRefused,
			reoffer(r.id, r.info, nil, changed(1, func(e *pb.Entry) { e.Sender = r.b.ID[:] })...),
		},
		{
			"a damaged commit", r.a, wire.CodeCommitRefused,
			reoffer(r.id, r.info, nil, changed(1, func(e *pb.Entry) { e.Payload[len(e.Payload)/2] ^= 1 })...),
		},
		{
			"of a time to come", r.a, wire.CodeMalformed,
			reoffer(r.id, r.info, nil, changed(2, func(e *pb.Entry) { e.TimeMs += time.Hour.Milliseconds() })...),
		},
		{"an unknown matter without its beginning", r.a, wire.CodeNoMatter, reoffer(other, nil, nil)},
		{"an unknown matter with another's beginning", r.a, wire.CodeCommitRefused, reoffer(other, nil, r.info)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			by := *tt.by
			by.t = t
			by.refused(tt.want, tt.f)
		})
	}
	if have := r.a.log(r.id); have[len(have)-1].GetSeq() != r.start {
		t.Error("something was taken")
	}
	r.Stop()
	sound(t, hub.Place{Data: r.Data()})
}

// A hub that was never restored takes nothing back.
func TestReofferToNoRestoredHub(t *testing.T) {
	r := newRig(t)
	a := r.owner()
	id := a.open()
	a.refused(wire.CodeNotAllowed, reoffer(id, nil, nil))
}

// For a while after its start a restored hub takes nothing new.
func TestRestoreGrace(t *testing.T) {
	var ahead atomic.Int64
	r := newLostRig(t, func(o *hub.Options) {
		o.RestoreGrace = time.Minute
		o.SetClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	})
	r.a.counter = r.a.ready.GetLastCounter()
	r.a.refused(wire.CodeBusy, send(r.id, r.a.counter+1, 1, "new"))
	r.a.must(reoffer(r.id, r.info, nil, r.lost...))
	ahead.Store(int64(2 * time.Minute))
	r.a.say(r.id, "new")
}
