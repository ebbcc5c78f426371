// Package apptest has an engine in memory, with a small company in it, for tests of
// the screens.
package apptest

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"causa/core"
	"causa/internal/fault"
	"causa/matter"
)

// An Engine behaves as a signed-in device whose hub answers at once. It is safe for
// concurrent use.
type Engine struct {
	mu        sync.Mutex // guards everything; not held while calling back
	now       time.Time
	org       string
	self      matter.MemberID
	members   []matter.Member
	devices   []matter.Device
	matters   map[matter.ID]*matter.Matter
	messages  map[matter.ID][]matter.Message
	drafts    map[matter.ID]string
	policies  map[string]string
	status    core.Status
	listeners map[int]func(core.Event)
	serial    uint64
	failure   error
	held      bool // messages stay queued
	lock      core.Lock
	hours     quietHours
	previews  map[core.FileID][]byte
}

// New returns an engine of a member who is alone in an organisation.
func New(organisation, name string, now time.Time) *Engine {
	e := &Engine{
		now: now, org: organisation, matters: map[matter.ID]*matter.Matter{}, messages: map[matter.ID][]matter.Message{},
		drafts: map[matter.ID]string{}, policies: map[string]string{}, status: core.Status{Online: true}, listeners: map[int]func(core.Event){},
	}
	e.self = e.AddMember(name, matter.RoleOwner, true)
	return e
}

// next returns 16 bytes that no other call returns, the same in every run.
func (e *Engine) next() (id [16]byte) {
	e.serial++
	binary.BigEndian.PutUint64(id[:8], e.serial*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(id[8:], e.serial)
	return id
}

// AddMember adds somebody, with a device if they joined.
func (e *Engine) AddMember(name string, role matter.Role, joined bool) matter.MemberID {
	e.mu.Lock()
	defer e.mu.Unlock()
	id := matter.MemberID(e.next())
	e.members = append(e.members, matter.Member{ID: id, Name: name, Role: role, Joined: joined})
	if joined {
		d := matter.Device{Member: id, Name: "ThinkPad X1", Enrolled: e.now.AddDate(0, 0, -3)}
		for i := range 4 {
			binary.BigEndian.PutUint64(d.ID[8*i:], (e.serial+uint64(i))*0x9e3779b97f4a7c15)
		}
		e.devices = append(e.devices, d)
	}
	return id
}

// Say adds a message of anyone at a time, as if it had come from the hub.
func (e *Engine) Say(id matter.ID, author matter.MemberID, at time.Time, text string) matter.Message {
	return e.add(id, matter.Message{Author: author, Time: at, Kind: matter.KindText, Text: text, Delivery: delivered(author == e.self)})
}

func delivered(mine bool) matter.Delivery {
	if mine {
		return matter.DeliverySent
	}
	return 0
}

func (e *Engine) add(id matter.ID, m matter.Message) matter.Message {
	e.mu.Lock()
	m.ID, m.Matter = matter.MessageID(e.next()), id
	if m.Delivery != matter.DeliveryQueued {
		m.Seq = e.lastSeq(id) + 1
	}
	e.messages[id] = append(e.messages[id], m)
	x := e.matters[id]
	x.Last, x.Active = &m, m.Time
	if m.Author != e.self {
		x.Unread++
	}
	e.mu.Unlock()
	e.Tell(core.MessageAdded{Message: m}, core.MatterChanged{ID: id})
	return m
}

func (e *Engine) lastSeq(id matter.ID) (seq uint64) {
	for _, m := range e.messages[id] {
		seq = max(seq, m.Seq)
	}
	return seq
}

// Start starts a matter at a time.
func (e *Engine) Start(at time.Time, n core.NewMatter, owner matter.MemberID) matter.ID {
	e.mu.Lock()
	id := matter.ID(e.next())
	e.matters[id] = &matter.Matter{
		ID: id, Title: n.Title, Class: n.Class, State: matter.StateOpen, Owner: owner, Due: n.Due, Opened: at, Active: at,
		Participants: append([]matter.MemberID{owner}, n.With...),
	}
	e.mu.Unlock()
	e.add(id, matter.Message{Author: owner, Time: at, Kind: matter.KindOpened, Subjects: append([]matter.MemberID{owner}, n.With...)})
	return id
}

// Hold keeps messages in the outbox until Release.
func (e *Engine) Hold() {
	e.mu.Lock()
	e.held = true
	e.mu.Unlock()
	e.SetStatus(core.Status{})
}

// Release sends what was held.
func (e *Engine) Release() {
	e.mu.Lock()
	e.held = false
	var events []core.Event
	for id, list := range e.messages {
		for i := range list {
			if list[i].Delivery == matter.DeliveryQueued {
				list[i].Delivery, list[i].Seq = matter.DeliverySent, e.lastSeq(id)+1
				events = append(events, core.MessageChanged{Message: list[i]})
			}
		}
	}
	e.mu.Unlock()
	e.SetStatus(core.Status{Online: true})
	e.Tell(events...)
}

// Refuse marks the newest message of a matter as refused for good.
func (e *Engine) Refuse(id matter.ID, why string) {
	e.mu.Lock()
	list := e.messages[id]
	m := &list[len(list)-1]
	m.Delivery, m.Problem = matter.DeliveryFailed, why
	event := core.MessageChanged{Message: *m}
	e.mu.Unlock()
	e.Tell(event)
}

// FailWith makes every wish fail with err until it is called with nil.
func (e *Engine) FailWith(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failure = err
}

// SetStatus changes how the connection is.
func (e *Engine) SetStatus(s core.Status) {
	e.mu.Lock()
	e.status = s
	e.mu.Unlock()
	e.Tell(core.StatusChanged{Status: s})
}

// Tell sends events to whoever subscribed.
func (e *Engine) Tell(events ...core.Event) {
	e.mu.Lock()
	listeners := make([]func(core.Event), 0, len(e.listeners))
	for _, f := range e.listeners {
		listeners = append(listeners, f)
	}
	e.mu.Unlock()
	for _, ev := range events {
		for _, f := range listeners {
			f(ev)
		}
	}
}

// Offline is the error of an engine that can't reach its hub.
func Offline() error {
	return &fault.Error{Text: "The hub can't be reached.", Hint: "Check the network. Nothing is lost: Causa goes on by itself when the hub is back."}
}

// Text returns the texts of a matter's messages, oldest first.
func (e *Engine) Text(id matter.ID) (out []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.messages[id] {
		if m.Kind == matter.KindText {
			out = append(out, m.Text)
		}
	}
	return out
}

// Newest returns the matter that was started last.
func (e *Engine) Newest() matter.Matter {
	all, _ := e.Matters(context.Background())
	return slices.MaxFunc(all, func(a, b matter.Matter) int { return a.Opened.Compare(b.Opened) })
}

// ID returns the id of the matter with a title.
func (e *Engine) ID(title string) matter.ID {
	all, _ := e.Matters(context.Background())
	i := slices.IndexFunc(all, func(m matter.Matter) bool { return m.Title == title })
	if i < 0 {
		return matter.ID{}
	}
	return all[i].ID
}

// SetLock says how the device is locked.
func (e *Engine) SetLock(l core.Lock) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lock = l
}

// Lock implements app.Engine.
func (e *Engine) Lock() core.Lock {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lock
}
