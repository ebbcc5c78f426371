package screen

import "causa/matter"

// Mentions writes the names of those whom a text mentions.
func (e *Env) Mentions(text string) string {
	return matter.MapMentions(text, func(id matter.MemberID) string { return "@" + e.Name(id) })
}
