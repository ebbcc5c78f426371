package main

import (
	"strings"
	"time"

	"causa/core"
	"causa/matter"
)

// gained is what a message has gained in its thread, in JSON.
type gained struct {
	Reply     *uint64             `json:"reply,omitempty"` // 0: not on this device
	Reactions map[string][]string `json:"reactions,omitempty"`
	Edited    *time.Time          `json:"edited,omitempty"`
	Pinned    bool                `json:"pinned,omitempty"`
	Task      *taskJSON           `json:"task,omitempty"`
	Poll      *pollJSON           `json:"poll,omitempty"`
	Origin    *originJSON         `json:"origin,omitempty"`
	Moved     string              `json:"moved,omitempty"`
	Gone      *goneJSON           `json:"gone,omitempty"`
}

type goneJSON struct {
	Done    int      `json:"done"`
	Of      int      `json:"of"`
	Waiting []string `json:"waiting,omitempty"` // devices
}

type taskJSON struct {
	For  string `json:"for,omitempty"`
	Due  string `json:"due,omitempty"`
	Done bool   `json:"done"`
	By   string `json:"by,omitempty"`
}

type pollJSON struct {
	Options  []optionJSON `json:"options"`
	Multiple bool         `json:"multiple"`
	Closed   bool         `json:"closed"`
}

type optionJSON struct {
	Text   string   `json:"text"`
	Voters []string `json:"voters,omitempty"`
}

type originJSON struct {
	Matter string    `json:"matter"`
	Author string    `json:"author"`
	Time   time.Time `json:"time"`
}

func gainedOf(cl *core.Client, m *matter.Message) (g gained) {
	if m.Reply != nil {
		g.Reply = &m.Reply.Seq
	}
	for _, r := range m.Reactions {
		if g.Reactions == nil {
			g.Reactions = map[string][]string{}
		}
		g.Reactions[r.Emoji] = names(cl, r.Members)
	}
	if !m.Edited.IsZero() {
		g.Edited = &m.Edited
	}
	g.Pinned = m.Pinned
	if t := m.Task; t != nil {
		g.Task = &taskJSON{For: nameOf(cl, t.Assignee), Due: day(t.Due), Done: t.Done}
		if t.Done {
			g.Task.By = nameOf(cl, t.By)
		}
	}
	if p := m.Poll; p != nil {
		g.Poll = &pollJSON{Multiple: p.Multiple, Closed: p.Closed}
		for _, o := range p.Options {
			g.Poll.Options = append(g.Poll.Options, optionJSON{o.Text, names(cl, o.Voters)})
		}
	}
	if o := m.Origin; o != nil {
		g.Origin = &originJSON{o.Matter.String(), nameOf(cl, o.Author), o.Time}
	}
	if !m.Moved.IsZero() {
		g.Moved = m.Moved.String()
	}
	if x := m.Gone; x != nil {
		g.Gone = &goneJSON{Done: x.Done, Of: x.Done + len(x.Waiting)}
		for _, d := range x.Waiting {
			g.Gone.Waiting = append(g.Gone.Waiting, d.String())
		}
	}
	return g
}

// beside is what stands behind and under a message in a printed thread.
func (c *call) beside(cl *core.Client, m *matter.Message) string {
	var b strings.Builder
	if !m.Edited.IsZero() {
		b.WriteString(" " + c.tr.T("(edited)"))
	}
	if m.Pinned {
		b.WriteString(" " + c.tr.T("(pinned)"))
	}
	under := func(s string) { b.WriteString("\n        " + s) }
	if o := m.Origin; o != nil {
		under(c.tr.T("brought by %s from the matter %s, where it was written %s", nameOf(cl, m.Author), o.Matter.Short(), o.Time.Local().Format(time.DateTime)))
	}
	if q := m.Reply; q != nil {
		under("> " + c.quote(cl, q))
	}
	if t := m.Task; t != nil {
		state := c.tr.T("to do")
		if t.Done {
			state = c.tr.T("done by %s", nameOf(cl, t.By))
		}
		if !t.Assignee.IsZero() {
			state += " · " + nameOf(cl, t.Assignee)
		}
		if !t.Due.IsZero() {
			state += " · " + day(t.Due)
		}
		under(state)
	}
	if p := m.Poll; p != nil {
		for _, o := range p.Options {
			line := "- " + o.Text
			if len(o.Voters) > 0 {
				line += ": " + strings.Join(names(cl, o.Voters), ", ")
			}
			under(line)
		}
		if p.Closed {
			under(c.tr.T("This poll is closed."))
		}
	}
	if x := m.Gone; x != nil {
		under(c.tr.T("destroyed on %d of %d devices", x.Done, x.Done+len(x.Waiting)))
	}
	for _, r := range m.Reactions {
		under(r.Emoji + " " + strings.Join(names(cl, r.Members), ", "))
	}
	return b.String()
}

func (c *call) quote(cl *core.Client, q *matter.Quote) string {
	switch {
	case q.Seq == 0:
		return c.tr.T("a message that is not on this device")
	case q.Kind == matter.KindRecalled || q.Kind == matter.KindMoved:
		return c.tr.T("a message that is no longer here")
	}
	first, _, _ := strings.Cut(mentioned(cl, q.Text), "\n")
	return nameOf(cl, q.Author) + ": " + first
}

// mentioned writes the names of those whom a text mentions.
func mentioned(cl *core.Client, text string) string {
	return matter.MapMentions(text, func(id matter.MemberID) string { return "@" + nameOf(cl, id) })
}

func nameOf(cl *core.Client, id matter.MemberID) string {
	m, _ := cl.Member(id)
	return m.Name
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(time.DateOnly)
}
