package screen

import (
	"strings"

	"causa/app/widget"
	"causa/internal/lines"
	"causa/matter"
)

// Preview returns the newest thing said in a matter, on one line.
func (e *Env) Preview(m matter.Matter) string {
	if m.Last == nil {
		return ""
	}
	l := m.Last
	who := e.NameOrYou(l.Author)
	switch l.Kind {
	case matter.KindOpened:
		return e.T("%s started this matter", who)
	case matter.KindAdded:
		if len(l.Subjects) == 1 && l.Subjects[0] == l.Author {
			return e.T("%s joined", who)
		}
		return e.T("%s added %s", who, e.Names(l.Subjects))
	case matter.KindRemoved:
		if len(l.Subjects) == 1 && l.Subjects[0] == l.Author {
			return e.T("%s left", who)
		}
		return e.T("%s removed %s", who, e.Names(l.Subjects))
	case matter.KindDevice:
		return e.T("Further device: %s", e.Names(l.Subjects))
	case matter.KindConcluded:
		return e.T("%s concluded: %s", widget.OneLine(who), widget.OneLine(l.Text))
	case matter.KindReopened:
		return e.T("%s reopened this matter", who)
	case matter.KindRecalled:
		return e.T("A message was taken back")
	case matter.KindMoved:
		return e.T("A message went to another matter")
	case matter.KindUnread:
		return e.T("A message this device can't read")
	case matter.KindNewer:
		return e.T("A message from a newer version of Causa")
	}
	if event := e.Event(*l); event != "" {
		return widget.OneLine(event)
	}
	if l.Origin != nil {
		who = e.NameOrYou(l.Origin.Author)
	}
	text := e.Mentions(l.Text)
	if len(text) > 400 { // a line shows far less
		text = strings.ToValidUTF8(text[:400], "")
	}
	return e.T("%s: %s", widget.OneLine(who), widget.OneLine(text))
}

// Event returns a sentence for an event of a matter's life; empty for what is none.
func (e *Env) Event(m matter.Message) string {
	t := lines.Teller{Words: e.Words, Name: e.NameOrYou, Class: e.Class}
	return t.Event(m)
}
