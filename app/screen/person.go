package screen

import (
	apptheme "causa/app/theme"
	"causa/app/widget"
	"causa/matter"
)

// Person returns a line with a member's avatar and name, and something muted at its end.
func (e *Env) Person(id matter.MemberID, end string) *widget.Row {
	name := e.Name(id)
	if id == e.People.Self {
		name = e.T("%s (you)", name)
	}
	words := widget.NewText(widget.OneLine(name))
	words.Points = apptheme.SizeSmall
	avatar := widget.NewAvatar(e.Name(id), id[:], 28)
	if end == "" {
		return widget.NewRow(9, 1, avatar, words)
	}
	tail := widget.NewSmall(end).Whole()
	tail.Points = apptheme.SizeTiny
	return widget.NewRow(9, 1, avatar, words, tail)
}

// Standing returns what a member is, as it is shown beside the name.
func (e *Env) Standing(m matter.Member) string {
	switch {
	case m.Left:
		return e.T("Left")
	case !m.Joined && m.ID != e.People.Self:
		return e.T("Invited")
	}
	return e.Role(m.Role)
}
