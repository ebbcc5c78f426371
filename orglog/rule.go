package orglog

import (
	"errors"
	"fmt"

	"causa/internal/fault"
	"causa/matter"
)

// A Rule is a rule of the log that an entry breaks. Rules are errors: branch on them
// with errors.Is.
type Rule uint8

// The rules, as the errors of breaking them.
const (
	ErrMalformed       Rule = 1  // it can't be read, or a value in it is impossible
	ErrNewer           Rule = 2  // a later version of the program wrote it: stop here, don't guess
	ErrOrder           Rule = 3  // not the next index: something is missing, or twice there
	ErrChain           Rule = 4  // it follows another log than ours
	ErrTime            Rule = 5  // older than the entry before
	ErrForged          Rule = 6  // the author is unknown or did not sign it
	ErrRevoked         Rule = 7  // the author's device was revoked, or its member has left
	ErrNotAllowed      Rule = 8  // the author's role may not do this
	ErrLastOwner       Rule = 9  // no owner with a device would remain
	ErrNoSubject       Rule = 10 // the member or device is unknown, or gone already
	ErrTaken           Rule = 11 // a member id or key that was in use before
	ErrNoChange        Rule = 12 // it would change nothing
	ErrName            Rule = 13 // a name, reason or policy is not as it must be
	ErrInviteUnknown   Rule = 14 // no such invite for this member
	ErrInviteExpired   Rule = 15 // the invite's time is over
	ErrInviteUsed      Rule = 16 // a device enrolled with it
	ErrInviteWithdrawn Rule = 17 // withdrawn, by hand or because who made it no longer may
	ErrInviteForged    Rule = 18 // the invite's key did not sign this enrolment
	ErrWipeOrder       Rule = 19 // no such wipe order, or it is over, or not for this
	ErrLocked          Rule = 20 // the author's device is locked
)

var ruleTexts = map[Rule]string{
	ErrMalformed:       "malformed entry",
	ErrNewer:           "entry of a newer version",
	ErrOrder:           "not the next index",
	ErrChain:           "previous hash does not match",
	ErrTime:            "older than the entry before",
	ErrForged:          "author unknown or signature wrong",
	ErrRevoked:         "author's device is not active",
	ErrNotAllowed:      "author's role may not do this",
	ErrLastOwner:       "no owner would remain",
	ErrNoSubject:       "member or device unknown or gone",
	ErrTaken:           "id or key was in use before",
	ErrNoChange:        "changes nothing",
	ErrName:            "name, reason or policy not acceptable",
	ErrInviteUnknown:   "invite unknown",
	ErrInviteExpired:   "invite expired",
	ErrInviteUsed:      "invite used",
	ErrInviteWithdrawn: "invite withdrawn",
	ErrInviteForged:    "invite signature wrong",
	ErrWipeOrder:       "wipe order unknown, over or not for this",
	ErrLocked:          "author's device is locked",
}

func (r Rule) Error() string { return ruleTexts[r] }

// Invite reports whether r says that an invite can't be used.
func (r Rule) Invite() bool { return r >= ErrInviteUnknown && r <= ErrInviteForged }

// Words returns what a person is told when they broke r or are shown a log that does.
func (r Rule) Words() (text, hint string) {
	switch r {
	case ErrNewer:
		return "The organisation uses something that this version of Causa does not know.", "Update Causa, then try again."
	case ErrOrder, ErrChain, ErrTime:
		return "The organisation log has changed meanwhile.", "Try again. If this stays, the hub shows different logs: tell your administrator."
	case ErrRevoked:
		return "This device no longer belongs to the organisation.", "Ask an administrator for a new invite."
	case ErrNotAllowed:
		return "Your role does not allow this.", "Ask an owner or administrator of the organisation."
	case ErrLastOwner:
		return "An organisation can't be without an owner who has a device.", "Make someone else an owner first."
	case ErrNoSubject:
		return "There is no such member or device any more.", "Look at the list of members again."
	case ErrTaken:
		return "This key or member is already known to the organisation.", "Begin again: new keys are made each time."
	case ErrNoChange:
		return "This would change nothing.", ""
	case ErrName:
		return "A name, reason or policy is not acceptable.", "Type it again, shorter and on one line."
	case ErrInviteUnknown:
		return "The organisation does not know this invite.", "Ask for a new one."
	case ErrInviteExpired:
		return "This invite has expired.", "Ask for a new one."
	case ErrInviteUsed:
		return "This invite was used already.", "Each invite works once. If it wasn't you, tell your administrator at once; else ask for a new one."
	case ErrInviteWithdrawn:
		return "This invite was withdrawn.", "Ask for a new one."
	case ErrWipeOrder:
		return "There is no such wipe order, or it is closed already.", "Look at the list of wipe orders again."
	case ErrLocked:
		return "This device is locked.", "Unlock it from another device of yours, or ask an administrator."
	default:
		return "The organisation log can't be verified.", "The hub may be damaged or dishonest. Tell your administrator."
	}
}

// A RuleError says which rule an entry breaks. It wraps the [Rule] and carries words
// for the person who caused it.
type RuleError struct {
	Rule  Rule
	Index uint64 // of the entry, as far as it could be read
	Err   error  // more about it, for the log; a [*matter.NameError] for names; may be nil
}

func (e *RuleError) Error() string {
	s := fmt.Sprintf("organisation log entry %d: %s", e.Index, e.Rule.Error())
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap makes errors.Is find the rule and fault.Words the words.
func (e *RuleError) Unwrap() []error {
	words := &fault.Error{}
	words.Text, words.Hint = e.Rule.Words()
	var name *matter.NameError
	if errors.As(e.Err, &name) {
		words.Text, words.Hint = name.Words()
	}
	if e.Err == nil {
		return []error{e.Rule, words}
	}
	return []error{e.Rule, words, e.Err}
}
