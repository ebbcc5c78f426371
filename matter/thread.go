package matter

import "time"

// The kinds of lines that people make in a thread besides text.
const (
	KindAct      Kind = 30 // changes other lines; not shown itself
	KindRecalled Kind = 31 // was taken back by Subjects[0]; nothing else is left of it
	KindTask     Kind = 32 // Text is to be done; see Task
	KindPoll     Kind = 33 // Text is asked; see Poll
	KindMoved    Kind = 34 // was moved away by Subjects[0]; Moved says where to
)

// Recallable reports whether messages of this kind can be taken back. Files have the kinds
// 50 to 59.
func (k Kind) Recallable() bool {
	return k == KindText || k == KindTask || k == KindPoll || k >= 50 && k < 60
}

// A Ref names a message for good, whatever its place: the device that wrote it and the id
// which that device gave it.
type Ref struct {
	Device  DeviceID
	Message MessageID
}

// Ref names the message.
func (m *Message) Ref() Ref { return Ref{m.Device, m.ID} }

// A Thread is what a message has gained in its thread.
type Thread struct {
	Reply     *Quote     // the message that this one answers
	Reactions []Reaction // in the order in which the first of each came
	Edited    time.Time  // zero: never
	Pinned    bool
	Task      *Task   // KindTask
	Poll      *Poll   // KindPoll
	Origin    *Origin // a message that comes from another matter
	Moved     ID      // KindMoved: the matter it went to
	Gone      *Gone   // KindRecalled: how far its destruction has come
}

// A Gone says how far a message that was taken back is destroyed.
type Gone struct {
	Done    int        // devices of the matter that say they have destroyed it
	Waiting []DeviceID // those that have not said so yet
}

// A Quote is a message as an answer to it shows it. One that this device does not have has
// no Seq.
type Quote struct {
	Seq    uint64
	Author MemberID
	Kind   Kind
	Text   string // its beginning, as it stands now
}

// A Reaction is one sign that members put beside a message.
type Reaction struct {
	Emoji   string
	Members []MemberID
}

// A Task is something to be done.
type Task struct {
	Assignee MemberID  // zero: nobody yet
	Due      time.Time // zero: no date
	Done     bool
	By       MemberID  // who said so, when Done
	At       time.Time // when, when Done
}

// A Poll is a question with answers to choose from.
type Poll struct {
	Options  []Option
	Multiple bool // more than one may be chosen
	Closed   bool
}

// An Option is one answer of a poll.
type Option struct {
	Text   string
	Voters []MemberID
}

// An Origin says where a message that was moved or copied here comes from.
type Origin struct {
	Matter  ID
	Author  MemberID
	Device  DeviceID
	Message MessageID
	Time    time.Time // when it was written there
}
