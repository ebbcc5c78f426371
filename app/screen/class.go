package screen

import (
	apptheme "causa/app/theme"
	"causa/app/widget"
	"causa/internal/words"
	"causa/matter"
)

type look struct{ name, tint string }

var classes = map[matter.Class]look{
	matter.ClassGeneral:  {words.Mark("General"), "slate"},
	matter.ClassContract: {words.Mark("Contract"), "blue"},
	matter.ClassExpense:  {words.Mark("Expense"), "amber"},
	matter.ClassCustomer: {words.Mark("Customer"), "green"},
	matter.ClassProject:  {words.Mark("Project"), "violet"},
	matter.ClassNotice:   {words.Mark("Notice"), "teal"},
	matter.ClassLeave:    {words.Mark("Leave"), "rose"},
}

// Class returns the name of a class. The classes an organisation made itself are
// called what it calls them.
func (e *Env) Class(c matter.Class) string {
	if l, ok := classes[c]; ok {
		return e.T(l.name)
	}
	return string(c)
}

// Badge returns the character on a class's badge, and its colours.
func (e *Env) Badge(c matter.Class) (string, apptheme.Tint) {
	tint := "slate"
	if l, ok := classes[c]; ok {
		tint = l.tint
	}
	return widget.Initial(e.Class(c)), apptheme.TintNamed(tint)
}

var states = map[matter.State]struct {
	name, tint string
}{
	matter.StateOpen:      {words.Mark("In discussion"), "green"},
	matter.StateWaiting:   {words.Mark("Waiting"), "amber"},
	matter.StateConcluded: {words.Mark("Concluded"), "seal"},
	matter.StateDraft:     {words.Mark("Draft"), "slate"},
	matter.StateArchived:  {words.Mark("Archived"), "slate"},
}

// State returns the name of a state, and its colours.
func (e *Env) State(s matter.State) (string, apptheme.Tint) {
	l, ok := states[s]
	if !ok {
		return "", apptheme.TintNamed("slate")
	}
	if l.tint == "seal" {
		return e.T(l.name), apptheme.Tint{Ground: apptheme.SealSoft, Ink: apptheme.SealText}
	}
	return e.T(l.name), apptheme.TintNamed(l.tint)
}
