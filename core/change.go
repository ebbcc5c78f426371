package core

import (
	"bytes"
	"slices"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"

	"causa/matter"
)

// A change is one signed change of a matter. All fields have one layout; what a field does
// not use is zero. Its bytes:
//
//	uint8 field; opaque id[16]; uint8 value; uint64 time_ms; opaque text<0..2^16-1>;
type change struct {
	Field matter.Field
	ID    [16]byte // a member or a matter
	Value uint8    // a part or a history policy
	Time  time.Time
	Text  string
}

// Limits of what changes can make of a matter.
const (
	maxLabels  = 50
	maxLabel   = 120 // bytes
	maxRef     = 120
	maxWhy     = 2 << 10
	maxLinks   = 100
	maxParts   = 1000
	maxSigners = 50
)

// uses says which parts of a change a field has.
type uses struct{ id, value, time, text bool }

var fieldUses = map[matter.Field]uses{
	matter.FieldTitle: {text: true}, matter.FieldClass: {text: true}, matter.FieldRef: {text: true},
	matter.FieldDue: {time: true}, matter.FieldOwner: {id: true},
	matter.FieldLabelAdded: {text: true}, matter.FieldLabelRemoved: {text: true},
	matter.FieldLinkAdded: {id: true}, matter.FieldLinkRemoved: {id: true}, matter.FieldParent: {id: true},
	matter.FieldWaiting: {id: true, time: true, text: true}, matter.FieldResumed: {}, matter.FieldArchived: {},
	matter.FieldPart:    {id: true, value: true, time: true},
	matter.FieldHistory: {value: true}, matter.FieldLeft: {},
}

func (c change) bytes() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint8(uint8(c.Field))
	b.AddBytes(c.ID[:])
	b.AddUint8(c.Value)
	b.AddUint64(unixMilli(c.Time))
	addText(&b, c.Text)
	return b.Bytes()
}

func parseChange(raw []byte) (c change, err error) {
	s := cryptobyte.String(raw)
	var field uint8
	if !s.ReadUint8(&field) || !s.CopyBytes(c.ID[:]) || !s.ReadUint8(&c.Value) || !readTime(&s, &c.Time) || !readText(&s, &c.Text) || !s.Empty() {
		return c, errContent
	}
	c.Field = matter.Field(field)
	return c, c.check()
}

// check holds a change to its layout and limits. A field that this program does not know
// is an error too: a newer version wrote it.
func (c *change) check() error {
	u, ok := fieldUses[c.Field]
	switch {
	case !ok:
		return errNewerField
	case !u.id && c.ID != [16]byte{}, !u.value && c.Value != 0, !u.time && !c.Time.IsZero(), !u.text && c.Text != "":
		return errContent
	}
	clean := func(most int) error {
		if s, err := matter.CleanName(c.Text); err != nil || s != c.Text || len(c.Text) > most {
			return errContent
		}
		return nil
	}
	switch c.Field {
	case matter.FieldTitle:
		return clean(1 << 16)
	case matter.FieldClass:
		return clean(255)
	case matter.FieldLabelAdded, matter.FieldLabelRemoved:
		return clean(maxLabel)
	case matter.FieldRef:
		if c.Text == "" {
			return nil
		}
		return clean(maxRef)
	case matter.FieldWaiting:
		if !utf8.ValidString(c.Text) || len(c.Text) > maxWhy || c.ID == [16]byte{} && c.Text == "" {
			return errContent
		}
	case matter.FieldPart:
		p := matter.Part(c.Value)
		if p != matter.PartParticipant && p != matter.PartObserver && p != matter.PartGuest || p != matter.PartGuest && !c.Time.IsZero() {
			return errContent
		}
	case matter.FieldHistory:
		if matter.History(c.Value).String() == "" {
			return errContent
		}
	case matter.FieldOwner, matter.FieldLinkAdded, matter.FieldLinkRemoved:
		if c.ID == [16]byte{} {
			return errContent
		}
	}
	return nil
}

// A voice is who says something in a matter, and when by the hub's clock.
type voice struct {
	member matter.MemberID
	at     time.Time
	admin  bool // an administrator of the organisation, by the log that the content names
}

// everybody's fields may be changed by owner and participants; all others by the owner.
var everybodys = []matter.Field{
	matter.FieldLabelAdded, matter.FieldLabelRemoved, matter.FieldLinkAdded, matter.FieldLinkRemoved, matter.FieldWaiting, matter.FieldResumed,
}

// whenClosed are the fields that can be changed while a matter is concluded or archived.
var whenClosed = []matter.Field{
	matter.FieldLabelAdded, matter.FieldLabelRemoved, matter.FieldLinkAdded, matter.FieldLinkRemoved, matter.FieldOwner,
	matter.FieldArchived, matter.FieldPart, matter.FieldHistory, matter.FieldLeft,
}

// mayChange is the one table of who may change what in a matter, as it stands in
// docs/protocol.md section 5.
func mayChange(m *matter.Matter, v voice, f matter.Field) bool {
	if m.State.Closed() && !slices.Contains(whenClosed, f) {
		return false
	}
	part := m.PartOf(v.member, v.at)
	switch {
	case f == matter.FieldLeft:
		return part != matter.PartOwner // who owns it hands it over first
	case f == matter.FieldOwner && v.admin:
		return true // so that a matter whose owner is gone finds a new one
	case slices.Contains(everybodys, f):
		return part == matter.PartOwner || part == matter.PartParticipant
	}
	return part == matter.PartOwner
}

// mayWrite reports whether what somebody says in a matter counts.
func mayWrite(m *matter.Matter, v voice) bool {
	part := m.PartOf(v.member, v.at)
	return part != 0 && part != matter.PartObserver
}

// apply makes a change to m and returns what the thread says of it. ok is false, and m as
// it was, when the author may not do this or it changes nothing. Every device applies the
// same changes in the hub's order, so all come to the same.
func (c change) apply(m *matter.Matter, v voice) (line matter.Change, ok bool) {
	line.Field = c.Field
	if !mayChange(m, v, c.Field) {
		return line, false
	}
	switch c.Field {
	case matter.FieldTitle:
		line.From, line.To, m.Title = m.Title, c.Text, c.Text
	case matter.FieldClass:
		line.From, line.To, m.Class = string(m.Class), c.Text, matter.Class(c.Text)
	case matter.FieldRef:
		line.From, m.Ref = m.Reference(), c.Text
		line.To = m.Reference()
	case matter.FieldDue:
		line.From, line.To, m.Due = date(m.Due), date(c.Time), c.Time
	case matter.FieldOwner:
		line.From, line.To = m.Owner.String(), matter.MemberID(c.ID).String()
		m.Owner = matter.MemberID(c.ID)
		m.Parts = slices.DeleteFunc(slices.Clone(m.Parts), func(p matter.Assigned) bool { return p.Member == m.Owner })
	case matter.FieldLabelAdded:
		line.To = c.Text
		return line, insert(&m.Labels, c.Text, maxLabels, func(a, b string) int { return bytes.Compare([]byte(a), []byte(b)) })
	case matter.FieldLabelRemoved:
		line.From = c.Text
		return line, remove(&m.Labels, c.Text)
	case matter.FieldLinkAdded:
		line.To = matter.ID(c.ID).String()
		return line, matter.ID(c.ID) != m.ID && insert(&m.Links, matter.ID(c.ID), maxLinks, func(a, b matter.ID) int { return bytes.Compare(a[:], b[:]) })
	case matter.FieldLinkRemoved:
		line.From = matter.ID(c.ID).String()
		return line, remove(&m.Links, matter.ID(c.ID))
	case matter.FieldParent:
		if matter.ID(c.ID) == m.ID {
			return line, false
		}
		line.From, line.To, m.Parent = idText(m.Parent), idText(matter.ID(c.ID)), matter.ID(c.ID)
	case matter.FieldHistory:
		line.From, line.To, m.History = max(m.History, matter.HistoryFromNow).String(), matter.History(c.Value).String(), matter.History(c.Value)
	case matter.FieldPart:
		return c.assign(m)
	case matter.FieldLeft:
		return line, true
	default:
		return c.move(m)
	}
	return line, line.From != line.To
}

// move changes the state of a matter.
func (c change) move(m *matter.Matter) (line matter.Change, ok bool) {
	line = matter.Change{Field: c.Field, From: m.State.String()}
	switch c.Field {
	case matter.FieldWaiting:
		w := matter.Waiting{On: matter.MemberID(c.ID), Until: c.Time, Why: c.Text}
		if m.WaitsFor != nil && m.WaitsFor.On == w.On && m.WaitsFor.Why == w.Why && m.WaitsFor.Until.Equal(w.Until) {
			return line, false
		}
		m.State, m.WaitsFor = matter.StateWaiting, &w
		line.To, line.Why = date(w.Until), w.Why
		return line, true
	case matter.FieldResumed:
		if m.State != matter.StateWaiting {
			return line, false
		}
		m.State, m.WaitsFor = matter.StateOpen, nil
	case matter.FieldArchived:
		if m.State != matter.StateConcluded {
			return line, false
		}
		m.State = matter.StateArchived
	}
	line.To = m.State.String()
	return line, true
}

// assign gives a member another part.
func (c change) assign(m *matter.Matter) (line matter.Change, ok bool) {
	who := matter.MemberID(c.ID)
	next := matter.Assigned{Member: who, Part: matter.Part(c.Value), Until: c.Time}
	i, found := slices.BinarySearchFunc(m.Parts, who, func(p matter.Assigned, id matter.MemberID) int { return bytes.Compare(p.Member[:], id[:]) })
	line = matter.Change{Field: c.Field, From: matter.PartParticipant.String(), To: next.Part.String(), Why: date(c.Time)}
	switch {
	case who.IsZero(), who == m.Owner:
		return line, false
	case found:
		line.From = m.Parts[i].Part.String()
		if m.Parts[i].Part == next.Part && m.Parts[i].Until.Equal(next.Until) {
			return line, false
		}
		m.Parts = slices.Clone(m.Parts)
		if m.Parts[i] = next; next.Part == matter.PartParticipant {
			remove(&m.Parts, next)
		}
	case len(m.Parts) >= maxParts, next.Part == matter.PartParticipant:
		return line, false // everybody is one
	default:
		m.Parts = slices.Insert(slices.Clone(m.Parts), i, next)
	}
	return line, true
}

// insert puts v into a sorted list, unless it is there or the list is full. The old list
// stays as it was.
func insert[T comparable](list *[]T, v T, most int, compare func(a, b T) int) bool {
	i, found := slices.BinarySearchFunc(*list, v, compare)
	if found || len(*list) >= most {
		return false
	}
	*list = slices.Insert(slices.Clone(*list), i, v)
	return true
}

func remove[T comparable](list *[]T, v T) bool {
	i := slices.Index(*list, v)
	if i < 0 {
		return false
	}
	*list = slices.Delete(slices.Clone(*list), i, i+1)
	if len(*list) == 0 {
		*list = nil
	}
	return true
}

// date is an instant as a [matter.Change] has it.
func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func idText(id matter.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}
