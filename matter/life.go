package matter

import (
	"encoding/base32"
	"fmt"
	"slices"
	"time"
)

// A Part is what somebody is in one matter. (A [Role] is what they are in the organisation.)
type Part uint8

// The parts. The numbers are for ever.
const (
	PartOwner       Part = 1 // answers for the matter: decides on it, its people and its end
	PartParticipant Part = 2 // works in it; whoever has no other part has this one
	PartObserver    Part = 3 // reads only
	PartGuest       Part = 4 // writes, until a day if one is set, and changes nothing
)

var partNames = map[Part]string{PartOwner: "owner", PartParticipant: "participant", PartObserver: "observer", PartGuest: "guest"}

func (p Part) String() string { return partNames[p] }

// An Assigned says which part a member has in a matter, and for a guest until when.
type Assigned struct {
	Member MemberID
	Part   Part
	Until  time.Time // guests only; zero: no end
}

// A History says what somebody who is added can read of what was said before.
type History uint8

// The policies. The numbers are for ever.
const (
	HistoryFromNow    History = 1
	HistoryEverything History = 2
)

var historyNames = map[History]string{HistoryFromNow: "from now", HistoryEverything: "everything"}

func (h History) String() string { return historyNames[h] }

// A Waiting says what a matter waits for.
type Waiting struct {
	On    MemberID  // zero: somebody outside
	Until time.Time // zero: not known
	Why   string
}

// A Proposal is a conclusion that takes effect when all its co-signers have signed it.
type Proposal struct {
	Seq       uint64
	By        MemberID
	Device    DeviceID
	Message   MessageID
	Body      []byte // as it was signed
	Decision  string
	Facts     []Fact
	Cosigners []MemberID
	Signed    []MemberID // of them, in the order in which they signed
}

// A Life is what signed changes have made of a matter, besides what every matter has.
type Life struct {
	Ref      string     `json:",omitempty"` // the owner's own reference; see [Matter.Reference]
	WaitsFor *Waiting   `json:",omitempty"` // while the state is waiting
	Labels   []string   `json:",omitempty"` // in the order of their bytes
	Links    []ID       `json:",omitempty"` // matters that have to do with this one
	Parent   ID         // the matter that this one is part of; zero: none
	Parts    []Assigned `json:",omitempty"` // of those who are not simply participants, by member
	History  History    // what newcomers read; 0 is HistoryFromNow
	Proposal *Proposal  `json:",omitempty"` // a conclusion that waits for signatures
	Log      uint64     // the newest state of the organisation log that a change has named
}

// PartOf returns the part of a member at an instant; 0 for a guest whose time is over.
// Whether somebody is in the matter at all, Participants says.
func (m *Matter) PartOf(member MemberID, at time.Time) Part {
	if member == m.Owner {
		return PartOwner
	}
	for _, p := range m.Parts {
		if p.Member != member {
			continue
		}
		if p.Part == PartGuest && !p.Until.IsZero() && !at.Before(p.Until) {
			return 0
		}
		return p.Part
	}
	return PartParticipant
}

// AwaitsSignature reports whether a conclusion waits for a member to sign it.
func (m *Matter) AwaitsSignature(member MemberID) bool {
	return m.Proposal != nil && slices.Contains(m.Proposal.Cosigners, member) && !slices.Contains(m.Proposal.Signed, member)
}

// crockford are digits that people don't mistake for each other.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// Reference returns what people call the matter in letters and on the phone: the owner's
// own reference, or one made of the year and the id, such as 2026-7K3QD. Nobody has to be
// asked for it, and every device comes to the same.
func (m *Matter) Reference() string {
	if m.Ref != "" {
		return m.Ref
	}
	return fmt.Sprintf("%04d-%s", m.Opened.UTC().Year(), crockford.EncodeToString(m.ID[:4])[:5])
}

// ReferencePrefix returns the hex digits that the id of a matter with a made reference
// begins with; empty when ref is none.
func ReferencePrefix(ref string) string {
	if len(ref) != 10 || ref[4] != '-' {
		return ""
	}
	b, err := crockford.DecodeString(ref[5:] + "00")
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%x", b[:3])
}

// A Field is what a signed change changes.
type Field uint8

// The fields. The numbers are for ever.
const (
	FieldTitle        Field = 1
	FieldClass        Field = 2
	FieldRef          Field = 3
	FieldDue          Field = 4
	FieldOwner        Field = 5
	FieldLabelAdded   Field = 6
	FieldLabelRemoved Field = 7
	FieldLinkAdded    Field = 8
	FieldLinkRemoved  Field = 9
	FieldParent       Field = 10
	FieldWaiting      Field = 11 // the matter waits
	FieldResumed      Field = 12 // it waits no longer
	FieldArchived     Field = 13
	FieldPart         Field = 14
	FieldHistory      Field = 17 // 15 and 16 are kept for groups
	FieldLeft         Field = 18 // somebody wants to leave
)

// A Change is one line of KindChanged: what was changed, from what to what. Dates are
// 2006-01-02T15:04:05Z07:00; members are the message's Subjects.
type Change struct {
	Field Field  `json:"field"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
	Why   string `json:"why,omitempty"`
}
