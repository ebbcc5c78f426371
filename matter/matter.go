package matter

import "time"

// A State is where a matter stands.
type State uint8

// The states. The numbers are for ever.
const (
	StateOpen      State = 1
	StateWaiting   State = 2
	StateConcluded State = 3
	StateArchived  State = 4
	StateDraft     State = 5 // prepared on this device, nobody else knows of it
)

var stateNames = map[State]string{
	StateOpen: "open", StateWaiting: "waiting", StateConcluded: "concluded", StateArchived: "archived", StateDraft: "draft",
}

func (s State) String() string { return stateNames[s] }

// Closed reports whether a matter has come to its end.
func (s State) Closed() bool { return s == StateConcluded || s == StateArchived }

// A Class is the kind of a matter: a word of the organisation, such as "contract".
type Class string

// The classes every organisation has.
const (
	ClassGeneral  Class = "general"
	ClassContract Class = "contract"
	ClassExpense  Class = "expense"
	ClassCustomer Class = "customer"
	ClassProject  Class = "project"
	ClassNotice   Class = "notice"
	ClassLeave    Class = "leave"
)

// Classes lists the built-in classes in the order in which screens offer them.
func Classes() []Class {
	return []Class{ClassGeneral, ClassContract, ClassExpense, ClassCustomer, ClassProject, ClassNotice, ClassLeave}
}

// A Matter is the unit of work and of encryption, as this device knows it.
type Matter struct {
	ID           ID
	Title        string
	Class        Class
	State        State
	Owner        MemberID
	Due          time.Time // zero: no date
	Opened       time.Time
	OpenedBy     MemberID
	Participants []MemberID // in order of joining
	Removed      bool       // this device's member is no longer in it
	Unread       int
	Waiting      int       // what in it waits for this device's member: tasks, unanswered calls
	Last         *Message  // newest message or event, nil when there is none
	Active       time.Time // when it last moved, for sorting
	Life
}

// A Kind says what a message is.
type Kind uint16

// The kinds of message. Those stored in threads are for ever.
const (
	KindText    Kind = 1 // something a member said
	KindOpened  Kind = 2 // event: the matter was started
	KindAdded   Kind = 3 // event: Subjects came in
	KindRemoved Kind = 4 // event: Subjects went out
	KindUnread  Kind = 5 // a message this device can't decrypt
	KindNewer   Kind = 6 // a message that a newer version of the app wrote
	KindDevice  Kind = 7 // event: Subjects, who take part already, read on a further device

	KindConcluded Kind = 8 // the signed result that closes the matter: Text and Facts
	KindReopened  Kind = 9 // event: the matter goes on; Text says why

	KindChanged   Kind = 10 // event: Change says what, Subjects about whom
	KindProposed  Kind = 11 // a conclusion that Subjects are asked to sign: Text and Facts
	KindSigned    Kind = 12 // event: the author has signed the proposed conclusion
	KindDeclined  Kind = 13 // the author does not sign it, Text says why: it is off
	KindWithdrawn Kind = 14 // event: its owner took the proposed conclusion back
	KindLeft      Kind = 15 // event: the author leaves
	KindBroken    Kind = 16 // warning: the author's device and this one were told different stories
	KindOverreach Kind = 17 // warning: the author removed Subjects (Text "removed") or added them (Text "added") without the right to
	KindHistory   Kind = 18 // event: Subjects were handed what was said before

	KindFile   Kind = 50 // a file, and perhaps what the member says of it
	KindUrgent Kind = 60 // an urgent message: Text, and why in Facts
)

// Said reports whether messages of this kind are something a member said, which counts as
// unread and is found by search.
func (k Kind) Said() bool {
	switch k {
	case KindText, KindConcluded, KindReopened, KindProposed, KindDeclined, KindTask, KindPoll, KindFile, KindUrgent:
		return true
	}
	return false
}

// A Fact is one line of a conclusion's decision table.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Delivery is how far a message of one's own has come.
type Delivery uint8

// The stages of delivery.
const (
	DeliveryQueued Delivery = 1 // in the outbox
	DeliverySent   Delivery = 2 // the hub has it
	DeliveryFailed Delivery = 3 // refused for good; Problem says why

	DeliveryScheduled Delivery = 4 // in the outbox, not to be sent before Time
)

// A Message is one line of a thread.
type Message struct {
	ID       MessageID
	Matter   ID
	Seq      uint64 // the hub's order; 0 while queued
	Time     time.Time
	Author   MemberID
	Device   DeviceID
	Kind     Kind
	Text     string
	Subjects []MemberID // KindOpened, KindAdded, KindRemoved, KindDevice
	Facts    []Fact     // KindConcluded, KindProposed; KindUrgent: one, the reason
	Change   *Change    // KindChanged
	File     *File      // KindFile
	Thread
	Delivery Delivery
	Problem  string // DeliveryFailed: an English sentence, a translation key
}
