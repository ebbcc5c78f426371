package core

import (
	"sync"

	"causa/matter"
)

// An Event is something that changed; its type says what.
type Event interface{ event() }

// StatusChanged says that the connection, or what waits to be sent, has changed.
type StatusChanged struct{ Status Status }

// MatterChanged says that a matter is new, or that its title, participants, unread count
// or last message changed.
type MatterChanged struct{ ID matter.ID }

// MessageAdded says that a thread has a new line.
type MessageAdded struct{ Message matter.Message }

// MessageChanged says that a message of one's own was sent, or refused for good.
type MessageChanged struct{ Message matter.Message }

// FileProgress says how far a file has come on its way to the hub or from it, or why it
// has to wait.
type FileProgress struct {
	File        FileID
	Up          bool
	Done, Total int64
	Problem     error // with words; nil: it moves
}

// FileChanged says that the bytes of a file are here now, or a preview of it.
type FileChanged struct{ File FileID }

// DirectoryChanged says that members, devices, roles or policies changed.
type DirectoryChanged struct{}

// MatterGone says that an order took a matter from this device.
type MatterGone struct{ ID matter.ID }

// WipeBegins says that everything of the organisation is being destroyed on this device;
// [Shut] follows with an error that wraps [ErrWiped].
type WipeBegins struct{ Wiping Wiping }

// KeysGone says that nothing that is left of a wiped home can be opened any more.
type KeysGone struct{}

// Shut says that the engine has stopped for good; Reason has words.
type Shut struct{ Reason error }

func (StatusChanged) event()    {}
func (MatterChanged) event()    {}
func (MessageAdded) event()     {}
func (MessageChanged) event()   {}
func (DirectoryChanged) event() {}
func (MatterGone) event()       {}
func (WipeBegins) event()       {}
func (FileProgress) event()     {}
func (FileChanged) event()      {}
func (KeysGone) event()         {}
func (Shut) event()             {}

// A Status says how the engine is doing.
type Status struct {
	Online     bool  // signed in to the hub
	CatchingUp bool  // taking in what happened meanwhile
	Queued     int   // messages that wait to be sent
	Problem    error // what a person should know, with words; nil when all is well
}

// Equal reports whether two statuses say the same.
func (s Status) Equal(t Status) bool {
	return s.Online == t.Online && s.CatchingUp == t.CatchingUp && s.Queued == t.Queued &&
		(s.Problem == nil) == (t.Problem == nil) && (s.Problem == nil || s.Problem.Error() == t.Problem.Error())
}

// listeners calls back whoever subscribed. It is safe for concurrent use.
type listeners struct {
	mu   sync.Mutex // guards next and all; held while calling back, so that events stay in order
	next int
	all  map[int]func(Event)
}

func (l *listeners) add(f func(Event)) (cancel func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[int]func(Event){}
	}
	id := l.next
	l.next++
	l.all[id] = f
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.all, id)
	}
}

func (l *listeners) tell(events ...Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		for _, f := range l.all {
			f(e)
		}
	}
}
