package core

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"

	"causa/matter"
)

// A description tells newcomers how a matter stands after entry AsOf: what all changes up
// to there have made of it, and the chain that they go on from. Its bytes:
//
//	uint64 as_of; opaque chain[32];
//	opaque title<1..2^16-1>; opaque class<1..255>; uint8 state; uint64 due_ms; opaque owner[16];
//	opaque opened_by[16]; uint64 opened_ms;
//	opaque ref<0..2^16-1>; opaque parent[16]; uint8 history; uint64 log_next;
//	struct { opaque on[16]; uint64 until_ms; opaque why<0..2^16-1>; } waiting<0..2^16-1>;   none or one
//	struct { opaque label<1..255>; } labels<0..2^16-1>;
//	opaque links<0..2^16-1>;                                                               ids of 16 bytes each
//	struct { opaque member[16]; uint8 part; uint64 until_ms; } parts<0..2^16-1>;
//	struct { uint64 seq; opaque by[16]; opaque device[32]; opaque message[16]; opaque conclusion<0..2^24-1>;
//	         opaque signed<0..2^16-1>; } proposal<0..2^24-1>;                               none or one
type description struct {
	AsOf  uint64
	Chain chain
	matter.Matter
}

// standing makes the description of a matter after entry asOf.
func standing(m *matter.Matter, asOf uint64, c chain) description {
	return description{AsOf: asOf, Chain: c, Matter: matter.Matter{
		Title: m.Title, Class: m.Class, State: m.State, Due: m.Due, Owner: m.Owner, OpenedBy: m.OpenedBy, Opened: m.Opened, Life: m.Life,
	}}
}

// onto puts what is described into a matter that this device knows otherwise.
func (d *description) onto(m *matter.Matter) {
	m.Title, m.Class, m.State, m.Due, m.Owner = d.Title, d.Class, d.State, d.Due, d.Owner
	m.OpenedBy, m.Opened, m.Life = d.OpenedBy, d.Opened, d.Life
}

func (d description) bytes() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint64(d.AsOf)
	b.AddBytes(d.Chain[:])
	addText(&b, d.Title)
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(d.Class)) })
	b.AddUint8(uint8(d.State))
	b.AddUint64(unixMilli(d.Due))
	addBytes(&b, d.Owner[:], d.OpenedBy[:])
	b.AddUint64(unixMilli(d.Opened))
	addText(&b, d.Ref)
	b.AddBytes(d.Parent[:])
	b.AddUint8(uint8(max(d.History, matter.HistoryFromNow)))
	b.AddUint64(d.Log)
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		if w := d.WaitsFor; w != nil {
			b.AddBytes(w.On[:])
			b.AddUint64(unixMilli(w.Until))
			addText(b, w.Why)
		}
	})
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, l := range d.Labels {
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(l)) })
		}
	})
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, l := range d.Links {
			b.AddBytes(l[:])
		}
	})
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, p := range d.Parts {
			b.AddBytes(p.Member[:])
			b.AddUint8(uint8(p.Part))
			b.AddUint64(unixMilli(p.Until))
		}
	})
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
		p := d.Proposal
		if p == nil {
			return
		}
		b.AddUint64(p.Seq)
		addBytes(b, p.By[:], p.Device[:], p.Message[:])
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(p.Body) })
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, s := range p.Signed {
				b.AddBytes(s[:])
			}
		})
	})
	return b.Bytes()
}

func parseDescription(raw []byte) (d description, err error) {
	s := cryptobyte.String(raw)
	var class, waiting, labels, links, parts, proposal cryptobyte.String
	var state, history uint8
	if !s.ReadUint64(&d.AsOf) || !s.CopyBytes(d.Chain[:]) || !readText(&s, &d.Title) || !s.ReadUint8LengthPrefixed(&class) ||
		!s.ReadUint8(&state) || !readTime(&s, &d.Due) || !s.CopyBytes(d.Owner[:]) || !s.CopyBytes(d.OpenedBy[:]) || !readTime(&s, &d.Opened) ||
		!readText(&s, &d.Ref) || !s.CopyBytes(d.Parent[:]) || !s.ReadUint8(&history) || !s.ReadUint64(&d.Log) || !s.ReadUint16LengthPrefixed(&waiting) ||
		!s.ReadUint16LengthPrefixed(&labels) || !s.ReadUint16LengthPrefixed(&links) ||
		!s.ReadUint16LengthPrefixed(&parts) || !s.ReadUint24LengthPrefixed(&proposal) || !s.Empty() {
		return d, errContent
	}
	d.Class, d.State, d.History = matter.Class(class), matter.State(state), matter.History(history)
	ok := readWaiting(waiting, &d.WaitsFor) && readLabels(labels, &d.Labels) && readIDs(links, &d.Links) &&
		readParts(parts, &d.Parts) && readProposal(proposal, &d.Proposal)
	if !ok || !d.sound() {
		return d, errContent
	}
	return d, nil
}

// sound holds a description to what changes can make of a matter, so that it has one
// encoding and is fit to be shown.
func (d *description) sound() bool {
	for _, f := range []struct {
		field matter.Field
		text  string
	}{{matter.FieldTitle, d.Title}, {matter.FieldClass, string(d.Class)}, {matter.FieldRef, d.Ref}} {
		if (&change{Field: f.field, Text: f.text}).check() != nil {
			return false
		}
	}
	for _, l := range d.Labels {
		if (&change{Field: matter.FieldLabelAdded, Text: l}).check() != nil {
			return false
		}
	}
	for _, p := range d.Parts {
		if (&change{Field: matter.FieldPart, ID: p.Member, Value: uint8(p.Part), Time: p.Until}).check() != nil || p.Member == d.Owner || p.Part == matter.PartParticipant {
			return false
		}
	}
	w := d.WaitsFor
	if w != nil && (&change{Field: matter.FieldWaiting, ID: w.On, Time: w.Until, Text: w.Why}).check() != nil {
		return false
	}
	by := func(a, b []byte) int { return bytes.Compare(a, b) }
	return (w != nil) == (d.State == matter.StateWaiting) && d.State.String() != "" && d.State != matter.StateDraft && d.History.String() != "" && utf8.ValidString(d.Title) &&
		rising(d.Labels, func(l string) []byte { return []byte(l) }, by, maxLabels) &&
		rising(d.Links, func(id matter.ID) []byte { return id[:] }, by, maxLinks) &&
		rising(d.Parts, func(p matter.Assigned) []byte { return p.Member[:] }, by, maxParts)
}

// rising reports whether a list is sorted, without repeats, and not too long.
func rising[T any](list []T, key func(T) []byte, compare func(a, b []byte) int, most int) bool {
	return len(list) <= most && slices.IsSortedFunc(list, func(a, b T) int {
		if c := compare(key(a), key(b)); c != 0 {
			return c
		}
		return -1 // a repeat is out of order
	})
}

func readWaiting(s cryptobyte.String, to **matter.Waiting) bool {
	if s.Empty() {
		return true
	}
	w := &matter.Waiting{}
	*to = w
	return s.CopyBytes(w.On[:]) && readTime(&s, &w.Until) && readText(&s, &w.Why) && s.Empty()
}

func readLabels(s cryptobyte.String, to *[]string) bool {
	for !s.Empty() {
		var l cryptobyte.String
		if !s.ReadUint8LengthPrefixed(&l) {
			return false
		}
		*to = append(*to, string(l))
	}
	return true
}

func readIDs[T ~[16]byte](s cryptobyte.String, to *[]T) bool {
	for !s.Empty() {
		var id [16]byte
		if !s.CopyBytes(id[:]) {
			return false
		}
		*to = append(*to, T(id))
	}
	return true
}

func readParts(s cryptobyte.String, to *[]matter.Assigned) bool {
	for !s.Empty() {
		var p matter.Assigned
		var part uint8
		if !s.CopyBytes(p.Member[:]) || !s.ReadUint8(&part) || !readTime(&s, &p.Until) {
			return false
		}
		p.Part = matter.Part(part)
		*to = append(*to, p)
	}
	return true
}

func readProposal(s cryptobyte.String, to **matter.Proposal) bool {
	if s.Empty() {
		return true
	}
	p := &matter.Proposal{}
	*to = p
	var body, signed cryptobyte.String
	if !s.ReadUint64(&p.Seq) || !s.CopyBytes(p.By[:]) || !s.CopyBytes(p.Device[:]) || !s.CopyBytes(p.Message[:]) ||
		!s.ReadUint24LengthPrefixed(&body) || !s.ReadUint16LengthPrefixed(&signed) || !s.Empty() || !readIDs(signed, &p.Signed) {
		return false
	}
	p.Body = body
	d, err := parseConclusion(p.Body)
	if err != nil || len(d.Cosigners) == 0 || len(p.Signed) >= len(d.Cosigners) {
		return false
	}
	for i, m := range p.Signed {
		if !slices.Contains(d.Cosigners, m) || slices.Contains(p.Signed[:i], m) {
			return false
		}
	}
	p.Decision, p.Facts, p.Cosigners = d.Decision, d.Facts, d.Cosigners
	return true
}
