package core

import (
	"slices"
	"time"

	"causa/dnd"
	"causa/matter"
	"causa/store"
)

// A NoticeKind is what a notification is about.
type NoticeKind uint8

// The kinds of notifications.
const (
	NoticeMessage NoticeKind = 1 // something was said
	NoticeUrgent  NoticeKind = 2 // something urgent was said, or still is not acknowledged
	NoticeDigest  NoticeKind = 3 // quiet hours are over and something was held
)

// A Notice is one notification that a device shows. It never comes while it is quiet.
type Notice struct {
	Kind    NoticeKind
	Matter  matter.ID      // zero in a digest's
	Message matter.Message // the newest one; zero in a digest's
	Count   int            // messages it stands for
	Matters int            // of so many matters
	Ring    int            // NoticeUrgent: 0 when the message comes, then the reminder's number
}

// Notified says that a notification is to be shown.
type Notified struct{ Notice Notice }

// Seen says that the person has read a matter up to a sequence, here or on another of
// their devices: notifications about it are of no use any more.
type Seen struct {
	Matter matter.ID
	Seq    uint64
}

// QuietChanged says that the person's quiet hours changed, or what they hold.
type QuietChanged struct{}

func (Notified) event()     {}
func (Seen) event()         {}
func (QuietChanged) event() {}

// judge decides whether what somebody has said interrupts this person. m is stored.
func (a *applying) judge(m matter.Message) error {
	urgency := dnd.Normal
	if m.Kind == matter.KindUrgent {
		urgency = dnd.Urgent
	}
	if m.Author == a.c.acct.Member || !m.Kind.Said() {
		return nil
	}
	if me, _, _ := a.c.dir.device(a.c.self); m.Time.Before(me.Enrolled) {
		return nil // said before this device was there
	}
	read, err := a.tx.ReadSeq(a.id)
	if err != nil || read >= m.Seq {
		return err
	}
	v := a.c.judge(dnd.Message{Matter: a.id, Sender: m.Author, Urgency: urgency}, m.Time, a.c.now())
	switch v.Action {
	case dnd.Notify:
		n := Notice{Kind: NoticeMessage, Matter: a.id, Message: m, Count: 1, Matters: 1}
		if urgency == dnd.Urgent {
			n.Kind = NoticeUrgent
		}
		a.notices = append(a.notices, n)
	case dnd.Hold:
		return a.tx.Hold(store.Held{Matter: a.id, Seq: m.Seq, Until: v.Until, Urgent: urgency == dnd.Urgent})
	}
	return nil
}

// settled tells what a page brought about once it is durable. Of what was said in one
// page one notification tells, but for what is urgent.
func (a *applying) settled() {
	last := -1
	var out []Notice
	for _, n := range a.notices {
		if n.Kind == NoticeMessage {
			if last >= 0 {
				n.Count += out[last].Count
				out = slices.Delete(out, last, last+1)
			}
			last = len(out)
		}
		out = append(out, n)
	}
	for _, n := range out {
		a.c.events.tell(Notified{n})
	}
	if a.quiet != nil {
		a.c.quiet.set(*a.quiet)
		a.c.quietChanged()
	}
	a.c.setAlarm()
}

// holdOn judges one held message again.
func holdOn(tx *store.Tx, plan *dnd.Plan, h store.Held, now time.Time) error {
	urgency := dnd.Normal
	if h.Urgent {
		urgency = dnd.Urgent
	}
	switch v := plan.Judge(dnd.Message{Matter: h.Matter, Sender: h.Author, Urgency: urgency}, now); v.Action {
	case dnd.Hold:
		return tx.HeldUntil(h.Matter, h.Seq, v.Until)
	case dnd.Silent:
		return tx.Unhold(h.Matter, h.Seq)
	default:
		return tx.HeldUntil(h.Matter, h.Seq, earlier(now, h.Until))
	}
}
