package core

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"causa/matter"
)

var (
	boss     = matter.MemberID{1}
	worker   = matter.MemberID{2}
	observer = matter.MemberID{3}
	guest    = matter.MemberID{4}
	noon     = time.UnixMilli(1_790_000_000_000)
)

// lived is a matter with somebody in each part.
func lived(state matter.State) *matter.Matter {
	m := &matter.Matter{
		ID: matter.ID{7}, Title: "work", Class: matter.ClassGeneral, State: state, Owner: boss, OpenedBy: boss, Opened: noon,
		Life: matter.Life{
			Labels: []string{"old"}, Links: []matter.ID{{8}},
			Parts: []matter.Assigned{{Member: observer, Part: matter.PartObserver}, {Member: guest, Part: matter.PartGuest, Until: noon.Add(time.Hour)}},
		},
	}
	if state == matter.StateWaiting {
		m.WaitsFor = &matter.Waiting{On: worker}
	}
	return m
}

// effective has one change of each field that has an effect in a waiting or concluded matter.
var effective = map[matter.Field]change{
	matter.FieldTitle: {Text: "other"}, matter.FieldClass: {Text: "contract"}, matter.FieldRef: {Text: "P-1"}, matter.FieldDue: {Time: noon},
	matter.FieldOwner: {ID: worker}, matter.FieldLabelAdded: {Text: "new"}, matter.FieldLabelRemoved: {Text: "old"},
	matter.FieldLinkAdded: {ID: [16]byte{5}}, matter.FieldLinkRemoved: {ID: [16]byte{8}}, matter.FieldParent: {ID: [16]byte{5}},
	matter.FieldWaiting: {Text: "the weather"}, matter.FieldResumed: {}, matter.FieldArchived: {},
	matter.FieldPart:    {ID: worker, Value: uint8(matter.PartObserver)},
	matter.FieldHistory: {Value: uint8(matter.HistoryEverything)}, matter.FieldLeft: {},
}

// TestWhoMayChangeWhat goes through the whole table of section 5 of docs/protocol.md.
func TestWhoMayChangeWhat(t *testing.T) {
	work := []matter.MemberID{boss, worker}
	all := map[matter.Field][]matter.MemberID{
		matter.FieldLabelAdded: work, matter.FieldLabelRemoved: work, matter.FieldLinkAdded: work, matter.FieldLinkRemoved: work,
		matter.FieldWaiting: work, matter.FieldResumed: work, matter.FieldLeft: {worker, observer, guest},
	}
	closed := map[matter.Field]bool{
		matter.FieldLabelAdded: true, matter.FieldLabelRemoved: true, matter.FieldLinkAdded: true, matter.FieldLinkRemoved: true, matter.FieldOwner: true,
		matter.FieldArchived: true, matter.FieldPart: true,
		matter.FieldHistory: true, matter.FieldLeft: true,
	}
	if len(effective) != len(fieldUses) {
		t.Fatalf("%d fields are tested, there are %d", len(effective), len(fieldUses))
	}
	for field, ch := range effective {
		ch.Field = field
		for _, state := range []matter.State{matter.StateWaiting, matter.StateConcluded} {
			may, ok := all[field]
			if !ok {
				may = []matter.MemberID{boss}
			}
			if state == matter.StateConcluded && !closed[field] || state == matter.StateWaiting && field == matter.FieldArchived {
				may = nil
			}
			for _, who := range []matter.MemberID{boss, worker, observer, guest} {
				want := false
				for _, m := range may {
					want = want || m == who
				}
				m, before := lived(state), lived(state)
				_, got := ch.apply(m, voice{member: who, at: noon})
				if got != want {
					t.Errorf("field %d in state %s by member %d: effective %v, want %v", field, state, who[0], got, want)
				}
				if d := cmp.Diff(before, m); !got && d != "" {
					t.Errorf("field %d by member %d had no effect, but changed\n%s", field, who[0], d)
				}
			}
		}
	}
}

func TestGuestsAndAdministrators(t *testing.T) {
	tests := []struct {
		name string
		v    voice
		c    change
		want bool
	}{
		{"an administrator takes a matter over", voice{member: worker, at: noon, admin: true}, change{Field: matter.FieldOwner, ID: worker}, true},
		{"but changes nothing else", voice{member: worker, at: noon, admin: true}, change{Field: matter.FieldTitle, Text: "x"}, false},
		{"a guest leaves", voice{member: guest, at: noon}, change{Field: matter.FieldLeft}, true},
		{"the boss can't be given another part", voice{member: boss, at: noon}, change{Field: matter.FieldPart, ID: boss, Value: uint8(matter.PartObserver)}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, got := tt.c.apply(lived(matter.StateOpen), tt.v); got != tt.want {
				t.Errorf("effective: %v, want %v", got, tt.want)
			}
		})
	}
	m := lived(matter.StateOpen)
	if !mayWrite(m, voice{member: guest, at: noon}) || mayWrite(m, voice{member: guest, at: noon.Add(time.Hour)}) {
		t.Error("a guest writes until the end, and not from the end on")
	}
	if mayWrite(m, voice{member: observer, at: noon}) {
		t.Error("an observer writes")
	}
}

// Whatever changes make of a matter can be described, and a description says all of it.
func TestChangesAndDescriptionsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := lived(matter.StateOpen)
		who := rapid.SampledFrom([]matter.MemberID{boss, worker, observer, guest})
		fields := make([]matter.Field, 0, len(fieldUses))
		for f := matter.FieldTitle; f <= matter.FieldLeft; f++ {
			fields = append(fields, f)
		}
		for range rapid.IntRange(1, 30).Draw(t, "changes") {
			c := change{Field: rapid.SampledFrom(fields).Draw(t, "field")}
			u := fieldUses[c.Field]
			if u.id {
				c.ID = [16]byte{byte(rapid.IntRange(0, 5).Draw(t, "id"))}
			}
			if u.value {
				c.Value = uint8(rapid.IntRange(0, 5).Draw(t, "value"))
			}
			if u.time {
				c.Time = rapid.SampledFrom([]time.Time{{}, noon, noon.Add(time.Hour)}).Draw(t, "time")
			}
			if u.text {
				c.Text = rapid.SampledFrom([]string{"", "a", "b", "账期"}).Draw(t, "text")
			}
			if c.check() != nil {
				continue
			}
			c.apply(m, voice{member: who.Draw(t, "who"), at: noon})
			b, err := standing(m, 3, chain{1}).bytes()
			if err != nil {
				t.Fatal(err)
			}
			d, err := parseDescription(b)
			if err != nil {
				t.Fatalf("after %+v: %v", c, err)
			}
			got := &matter.Matter{ID: m.ID}
			d.onto(got)
			got.History = max(got.History, matter.HistoryFromNow)
			want := *m
			want.History = max(want.History, matter.HistoryFromNow)
			if d := cmp.Diff(&want, got); d != "" {
				t.Fatalf("described (-want +got):\n%s", d)
			}
		}
	})
}
