package apptest

import (
	"context"
	"slices"

	"causa/core"
	"causa/matter"
)

// alter changes a message now and tells of it.
func (e *Engine) alter(id matter.ID, seq uint64, f func(*matter.Message)) error {
	e.mu.Lock()
	if e.failure != nil {
		defer e.mu.Unlock()
		return e.failure
	}
	var events []core.Event
	list := e.messages[id]
	for i := range list {
		if list[i].Seq == seq {
			f(&list[i])
			events = append(events, core.MessageChanged{Message: list[i]})
		}
	}
	e.mu.Unlock()
	e.Tell(events...)
	return nil
}

// Reply answers a message now.
func (e *Engine) Reply(ctx context.Context, id matter.ID, seq uint64, text string) (matter.Message, error) {
	e.mu.Lock()
	q := &matter.Quote{}
	for _, m := range e.messages[id] {
		if m.Seq == seq {
			q = &matter.Quote{Seq: seq, Author: m.Author, Kind: m.Kind, Text: m.Text}
		}
	}
	e.mu.Unlock()
	m, err := e.Send(ctx, id, text)
	if err == nil {
		err = e.alter(id, m.Seq, func(x *matter.Message) { x.Reply = q })
		m.Reply = q
	}
	return m, err
}

// React puts a sign beside a message now.
func (e *Engine) React(_ context.Context, id matter.ID, seq uint64, emoji string, on bool) error {
	return e.alter(id, seq, func(m *matter.Message) {
		var out []matter.Reaction
		found := false
		for _, r := range m.Reactions {
			r.Members = slices.DeleteFunc(slices.Clone(r.Members), func(x matter.MemberID) bool { return r.Emoji == emoji && x == e.self })
			if r.Emoji == emoji && on {
				r.Members, found = append(r.Members, e.self), true
			}
			if len(r.Members) > 0 {
				out = append(out, r)
			}
		}
		if on && !found {
			out = append(out, matter.Reaction{Emoji: emoji, Members: []matter.MemberID{e.self}})
		}
		m.Reactions = out
	})
}

// Edit changes a message now.
func (e *Engine) Edit(_ context.Context, id matter.ID, seq uint64, text string) error {
	return e.alter(id, seq, func(m *matter.Message) { m.Text, m.Edited = text, e.now })
}

// Versions returns what a message says.
func (e *Engine) Versions(_ context.Context, id matter.ID, seq uint64) (out []core.Version, err error) {
	err = e.alter(id, seq, func(m *matter.Message) { out = append(out, core.Version{Seq: seq, Time: m.Time, Text: m.Text}) })
	return out, err
}

// Recall takes a message back now.
func (e *Engine) Recall(_ context.Context, id matter.ID, seq uint64) error {
	return e.alter(id, seq, func(m *matter.Message) {
		m.Kind, m.Text, m.Subjects, m.Thread = matter.KindRecalled, "", []matter.MemberID{e.self}, matter.Thread{}
	})
}

// Pin pins a message now.
func (e *Engine) Pin(_ context.Context, id matter.ID, seq uint64, on bool) error {
	return e.alter(id, seq, func(m *matter.Message) { m.Pinned = on })
}

// AddTask sets a task now.
func (e *Engine) AddTask(_ context.Context, id matter.ID, t core.NewTask) (matter.Message, error) {
	return e.gain(id, matter.Message{Kind: matter.KindTask, Text: t.Text, Thread: matter.Thread{Task: &matter.Task{Assignee: t.Assignee, Due: t.Due}}})
}

// SetTask changes a task now.
func (e *Engine) SetTask(_ context.Context, id matter.ID, seq uint64, c core.TaskChange) error {
	return e.alter(id, seq, func(m *matter.Message) {
		t := *m.Task
		if c.Done != nil {
			t.Done, t.By, t.At = *c.Done, e.self, e.now
		}
		if c.Assignee != nil {
			t.Assignee = *c.Assignee
		}
		if c.Due != nil {
			t.Due = *c.Due
		}
		m.Task = &t
	})
}

// AddPoll asks something now.
func (e *Engine) AddPoll(_ context.Context, id matter.ID, n core.NewPoll) (matter.Message, error) {
	p := &matter.Poll{Multiple: n.Multiple}
	for _, o := range n.Options {
		p.Options = append(p.Options, matter.Option{Text: o})
	}
	return e.gain(id, matter.Message{Kind: matter.KindPoll, Text: n.Question, Thread: matter.Thread{Poll: p}})
}

func (e *Engine) gain(id matter.ID, m matter.Message) (matter.Message, error) {
	e.mu.Lock()
	err := e.failure
	m.Author, m.Time, m.Delivery = e.self, e.now, matter.DeliverySent
	e.mu.Unlock()
	if err != nil {
		return matter.Message{}, err
	}
	return e.add(id, m), nil
}

// Vote votes now.
func (e *Engine) Vote(_ context.Context, id matter.ID, seq uint64, options ...int) error {
	return e.alter(id, seq, func(m *matter.Message) {
		p := *m.Poll
		p.Options = slices.Clone(p.Options)
		for i := range p.Options {
			o := &p.Options[i]
			o.Voters = slices.DeleteFunc(slices.Clone(o.Voters), func(x matter.MemberID) bool { return x == e.self })
			if slices.Contains(options, i) {
				o.Voters = append(o.Voters, e.self)
			}
		}
		m.Poll = &p
	})
}

// EndPoll closes a poll now.
func (e *Engine) EndPoll(_ context.Context, id matter.ID, seq uint64) error {
	return e.alter(id, seq, func(m *matter.Message) {
		p := *m.Poll
		p.Closed = true
		m.Poll = &p
	})
}

// Matter returns one matter.
func (e *Engine) Matter(id matter.ID) (matter.Matter, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return *e.matters[id], e.failure
}
