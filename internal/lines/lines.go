// Package lines puts the events of a thread into sentences, the same ones in the app and
// in causactl.
package lines

import (
	"strings"
	"time"

	"causa/internal/words"
	"causa/matter"
)

// A Teller says what happened in a matter.
type Teller struct {
	Words *words.Catalogue
	Name  func(matter.MemberID) string
	Title func(id string) string    // of another matter, by its id; nil: the id's first digits
	Class func(matter.Class) string // nil: as the organisation calls it
}

// Event returns a sentence for an event; empty for kinds that are not events of a
// matter's life.
func (t *Teller) Event(m matter.Message) string {
	T := t.Words.T
	who := t.Name(m.Author)
	switch m.Kind {
	case matter.KindChanged:
		if m.Change == nil {
			return ""
		}
		return t.change(m, who, *m.Change)
	case matter.KindProposed:
		return T("%s asks %s to sign this conclusion: %s", who, t.names(m.Subjects), m.Text)
	case matter.KindSigned:
		return T("%s signed the conclusion", who)
	case matter.KindDeclined:
		return T("%s does not sign the conclusion: %s", who, m.Text)
	case matter.KindWithdrawn:
		return T("%s withdrew the conclusion", who)
	case matter.KindLeft:
		return T("%s leaves this matter", who)
	case matter.KindBroken:
		return T("The record is broken here: a device of %s was told another story than this one", who)
	case matter.KindOverreach:
		if m.Text == "added" {
			return T("%s added %s without the right to do so", who, t.names(m.Subjects))
		}
		return T("%s removed %s without the right to do so", who, t.names(m.Subjects))
	case matter.KindHistory:
		return T("%s can read what was said before", t.names(m.Subjects))
	}
	return ""
}

func (t *Teller) change(m matter.Message, who string, c matter.Change) string {
	T := t.Words.T
	switch c.Field {
	case matter.FieldTitle:
		return T("%s changed the title to “%s”", who, c.To)
	case matter.FieldClass:
		return T("%s changed the class to %s", who, t.class(c.To))
	case matter.FieldRef:
		return T("%s changed the reference to %s", who, c.To)
	case matter.FieldDue:
		if c.To == "" {
			return T("%s took the due date away", who)
		}
		return T("%s set the due date to %s", who, day(c.To))
	case matter.FieldOwner:
		return T("%s handed the matter over to %s", who, t.names(m.Subjects))
	case matter.FieldLabelAdded:
		return T("%s added the label “%s”", who, c.To)
	case matter.FieldLabelRemoved:
		return T("%s removed the label “%s”", who, c.From)
	case matter.FieldLinkAdded:
		return T("%s linked the matter %s", who, t.title(c.To))
	case matter.FieldLinkRemoved:
		return T("%s removed the link to the matter %s", who, t.title(c.From))
	case matter.FieldParent:
		if c.To == "" {
			return T("%s made this matter stand by itself", who)
		}
		return T("%s made this matter part of %s", who, t.title(c.To))
	case matter.FieldResumed:
		return T("%s ended the waiting", who)
	case matter.FieldArchived:
		return T("%s archived this matter", who)
	case matter.FieldWaiting:
		return t.waiting(m, who, c)
	case matter.FieldPart:
		return t.part(m, who, c)
	case matter.FieldHistory:
		if c.To == matter.HistoryEverything.String() {
			return T("%s decided that newcomers read everything", who)
		}
		return T("%s decided that newcomers read from when they come", who)
	}
	return ""
}

func (t *Teller) waiting(m matter.Message, who string, c matter.Change) string {
	T := t.Words.T
	s := ""
	switch {
	case len(m.Subjects) > 0 && c.To != "":
		s = T("%s: waiting for %s until %s", who, t.names(m.Subjects), day(c.To))
	case len(m.Subjects) > 0:
		s = T("%s: waiting for %s", who, t.names(m.Subjects))
	case c.To != "":
		s = T("%s: waiting until %s", who, day(c.To))
	default:
		s = T("%s: waiting", who)
	}
	if c.Why != "" {
		s += " · " + strings.ReplaceAll(c.Why, "\n", " ")
	}
	return s
}

func (t *Teller) part(m matter.Message, who string, c matter.Change) string {
	T := t.Words.T
	whom := t.names(m.Subjects)
	switch {
	case c.To == matter.PartObserver.String():
		return T("%s made %s an observer", who, whom)
	case c.To == matter.PartGuest.String() && c.Why != "":
		return T("%s made %s a guest until %s", who, whom, day(c.Why))
	case c.To == matter.PartGuest.String():
		return T("%s made %s a guest", who, whom)
	}
	return T("%s made %s a participant", who, whom)
}

// Part returns the word for a part in a matter.
func (t *Teller) Part(p matter.Part) string {
	T := t.Words.T
	switch p {
	case matter.PartOwner:
		return T("Owner")
	case matter.PartObserver:
		return T("Observer")
	case matter.PartGuest:
		return T("Guest")
	}
	return T("Participant")
}

func (t *Teller) class(c string) string {
	if t.Class == nil {
		return c
	}
	return t.Class(matter.Class(c))
}

func (t *Teller) names(ids []matter.MemberID) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = t.Name(id)
	}
	return strings.Join(out, t.Words.T(", "))
}

func (t *Teller) title(id string) string {
	if t.Title == nil {
		return id[:min(8, len(id))]
	}
	return t.Title(id)
}

// day is the date of an instant as a change has it.
func day(s string) string {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	return at.Local().Format(time.DateOnly)
}
