package apptest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"causa/core"
	"causa/matter"
)

// Me says who uses this engine.
func (e *Engine) Me() core.Me {
	e.mu.Lock()
	defer e.mu.Unlock()
	return core.Me{Organisation: e.org, Member: e.members[0], Device: e.devices[0], Hub: "192.168.1.20:8443"}
}

// Status says how the connection is.
func (e *Engine) Status() core.Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.status
}

// Subscribe has f called for every event.
func (e *Engine) Subscribe(f func(core.Event)) (cancel func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	id := int(e.serial)
	e.serial++
	e.listeners[id] = f
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.listeners, id)
	}
}

// Members returns everybody.
func (e *Engine) Members(context.Context) ([]matter.Member, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.members), e.failure
}

// Devices returns all devices.
func (e *Engine) Devices(context.Context) ([]matter.Device, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.devices), e.failure
}

// Matters returns the matters, newest activity first.
func (e *Engine) Matters(context.Context) ([]matter.Matter, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]matter.Matter, 0, len(e.matters))
	for _, m := range e.matters {
		out = append(out, *m)
	}
	slices.SortFunc(out, func(a, b matter.Matter) int {
		if c := b.Active.Compare(a.Active); c != 0 {
			return c
		}
		return strings.Compare(a.Title, b.Title)
	})
	return out, e.failure
}

// OpenMatter starts a matter now.
func (e *Engine) OpenMatter(_ context.Context, n core.NewMatter) (matter.ID, error) {
	e.mu.Lock()
	err, self, now := e.failure, e.self, e.now
	e.mu.Unlock()
	if err != nil {
		return matter.ID{}, err
	}
	return e.Start(now, n, self), nil
}

// AddParticipants brings people into a matter.
func (e *Engine) AddParticipants(_ context.Context, id matter.ID, members []matter.MemberID) error {
	e.mu.Lock()
	if e.failure != nil {
		defer e.mu.Unlock()
		return e.failure
	}
	m := e.matters[id]
	m.Participants = append(slices.Clone(m.Participants), members...)
	e.mu.Unlock()
	e.add(id, matter.Message{Author: e.self, Time: e.now, Kind: matter.KindAdded, Subjects: members})
	return nil
}

// RemoveParticipant takes somebody out of a matter.
func (e *Engine) RemoveParticipant(_ context.Context, id matter.ID, member matter.MemberID) error {
	e.mu.Lock()
	if e.failure != nil {
		defer e.mu.Unlock()
		return e.failure
	}
	m := e.matters[id]
	m.Participants = slices.DeleteFunc(slices.Clone(m.Participants), func(x matter.MemberID) bool { return x == member })
	e.mu.Unlock()
	e.add(id, matter.Message{Author: e.self, Time: e.now, Kind: matter.KindRemoved, Subjects: []matter.MemberID{member}})
	return nil
}

// Conclude closes a matter now.
func (e *Engine) Conclude(_ context.Context, id matter.ID, c core.Conclusion) (matter.Message, error) {
	return e.end(id, matter.StateConcluded, matter.Message{Kind: matter.KindConcluded, Text: c.Decision, Facts: c.Facts})
}

// Cosign signs a conclusion now.
func (e *Engine) Cosign(_ context.Context, id matter.ID) (matter.Message, error) {
	return e.end(id, matter.StateOpen, matter.Message{Kind: matter.KindSigned})
}

// WithdrawConclusion takes a conclusion back now.
func (e *Engine) WithdrawConclusion(_ context.Context, id matter.ID) (matter.Message, error) {
	return e.end(id, matter.StateOpen, matter.Message{Kind: matter.KindWithdrawn})
}

// Reopen has a matter go on now.
func (e *Engine) Reopen(_ context.Context, id matter.ID, why string) (matter.Message, error) {
	return e.end(id, matter.StateOpen, matter.Message{Kind: matter.KindReopened, Text: why})
}

func (e *Engine) end(id matter.ID, state matter.State, m matter.Message) (matter.Message, error) {
	e.mu.Lock()
	if e.failure != nil {
		defer e.mu.Unlock()
		return m, e.failure
	}
	e.matters[id].State = state
	m.Author, m.Time, m.Delivery = e.self, e.now, matter.DeliverySent
	e.mu.Unlock()
	return e.add(id, m), nil
}

// Messages returns part of a thread.
func (e *Engine) Messages(_ context.Context, id matter.ID, p core.Page) ([]matter.Message, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []matter.Message
	for _, m := range e.messages[id] {
		if p.Before == 0 || m.Seq != 0 && m.Seq < p.Before {
			out = append(out, m)
		}
	}
	if p.Limit > 0 && len(out) > p.Limit {
		out = out[len(out)-p.Limit:]
	}
	return slices.Clone(out), e.failure
}

// Send says something now.
func (e *Engine) Send(_ context.Context, id matter.ID, text string) (matter.Message, error) {
	e.mu.Lock()
	err, held := e.failure, e.held
	e.mu.Unlock()
	if err != nil {
		return matter.Message{}, err
	}
	m := matter.Message{Author: e.self, Time: e.now, Kind: matter.KindText, Text: text, Delivery: matter.DeliverySent}
	if held {
		m.Delivery = matter.DeliveryQueued
	}
	return e.add(id, m), nil
}

// MarkRead marks a matter as read.
func (e *Engine) MarkRead(_ context.Context, id matter.ID, _ uint64) error {
	e.mu.Lock()
	m, ok := e.matters[id]
	was := ok && m.Unread > 0
	if was {
		m.Unread = 0
	}
	e.mu.Unlock()
	if was {
		e.Tell(core.MatterChanged{ID: id})
	}
	return nil
}

// Draft returns what was half-written.
func (e *Engine) Draft(_ context.Context, id matter.ID) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.drafts[id], nil
}

// SetDraft keeps what is half-written.
func (e *Engine) SetDraft(_ context.Context, id matter.ID, text string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.drafts[id] = text
	return nil
}

// Invite makes an invite for a person.
func (e *Engine) Invite(_ context.Context, r core.InviteRequest) (core.Invitation, error) {
	e.mu.Lock()
	err := e.failure
	e.mu.Unlock()
	if err != nil {
		return core.Invitation{}, err
	}
	id := e.AddMember(r.Name, r.Role, false)
	e.Tell(core.DirectoryChanged{})
	return core.Invitation{Link: link, Expires: e.now.Add(r.Expires), Member: id}, nil
}

// link is as long as a real one.
const link = "causa://join?hub=192.168.1.20%3A8443&pin=2f6c8a1e5b7d4903c1f0a8e6d5b4c3928170f6e5d4c3b2a190817263544536271&org=9b1c7d2e4f5a60718293a4b5c6d7e8f90123456789abcdef0123456789abcdef&key=5e4d3c2b1a09f8e7d6c5b4a392817060"

// InviteDevice makes an invite for a further device.
func (e *Engine) InviteDevice(_ context.Context, member matter.MemberID, expires time.Duration) (core.Invitation, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return core.Invitation{Link: link, Expires: e.now.Add(expires), Member: member}, e.failure
}

// Audit returns an organisation log that fits the members.
func (e *Engine) Audit(context.Context) ([]core.AuditLine, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []core.AuditLine
	for i, m := range e.members {
		what := "member invited"
		if i == 0 {
			what = "founded"
		}
		out = append(out, core.AuditLine{
			Index: uint64(i), Time: e.now.AddDate(0, 0, i-3), Author: e.self, What: what, Detail: m.Name, Hash: fmt.Sprintf("%064x", (i+1)*0x5bd1e995),
		})
	}
	return out, e.failure
}

// Search finds messages that have all the words.
func (e *Engine) Search(_ context.Context, q core.Search) (out []core.Found, _ error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, list := range e.messages {
		for _, m := range list {
			at := strings.Index(m.Text, q.Text)
			if m.Kind != matter.KindText || at < 0 || !q.Matter.IsZero() && q.Matter != id {
				continue
			}
			out = append(out, core.Found{
				Matter: id, Title: e.matters[id].Title, Seq: m.Seq, Time: m.Time, Author: m.Author, Text: m.Text,
				Marks: []core.Mark{{From: at, To: at + len(q.Text)}},
			})
		}
	}
	slices.SortFunc(out, func(a, b core.Found) int { return b.Time.Compare(a.Time) })
	return out, e.failure
}

// RevokeDevice shuts a device out.
func (e *Engine) RevokeDevice(_ context.Context, id matter.DeviceID, _ string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.devices {
		if e.devices[i].ID == id && e.failure == nil {
			e.devices[i].Revoked = true
		}
	}
	return e.failure
}

// Policies lists two rules.
func (e *Engine) Policies(context.Context) ([]core.Policy, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return []core.Policy{
		{Name: "mls.suite", Help: "The cipher suite of new matters: 0xF001 withstands quantum computers and is the default, 0x0001 is the classic one.", Value: e.policies["mls.suite"]},
	}, e.failure
}

// SetPolicy changes a rule.
func (e *Engine) SetPolicy(_ context.Context, name, value string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.failure == nil {
		e.policies[name] = value
	}
	return e.failure
}
