// Package dnd judges whether a message may interrupt a person: quiet hours, in the words
// of the product "do not disturb". The hub (no wake-up while quiet) and every client (no
// notification while quiet) use this same code, so they can't disagree.
//
// What a member wants is [Rules], what the organisation wants is a [Floor]. Both have
// strict binary encodings ([Rules.Encode], [DecodeRules], [Floor.Encode],
// [DecodeFloor]). A [Compiler] turns the two into a [Plan], whose [Plan.Judge] is the
// one judgement:
//
//	verdict := plan.Judge(dnd.Message{Matter: m, Sender: s, Urgency: u}, at)
//
// It is a pure function of rules, floor, message and instant. There is no clock in here:
// callers pass the hub's time, so a device whose clock is off by hours still agrees.
//
// Quiet hours are hours on the wall: an instant is quiet when a clock in the person's
// time zone shows a time that a window covers. A wall time that daylight saving skips
// never comes, one that it repeats comes twice. docs/quiet-hours.md has the details and
// the bytes.
package dnd
