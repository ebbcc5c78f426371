package screen

import (
	"causa/internal/words"
	"causa/matter"
)

// People says who is who. It is replaced, never changed, when the directory changes.
type People struct {
	Self matter.MemberID
	List []matter.Member // by name
	byID map[matter.MemberID]matter.Member
}

// NewPeople returns the people of a directory.
func NewPeople(self matter.MemberID, list []matter.Member) *People {
	p := &People{Self: self, List: list, byID: make(map[matter.MemberID]matter.Member, len(list))}
	for _, m := range list {
		p.byID[m.ID] = m
	}
	return p
}

// Member returns a member; one that is not known has no name.
func (p *People) Member(id matter.MemberID) matter.Member {
	if m, ok := p.byID[id]; ok {
		return m
	}
	return matter.Member{ID: id}
}

// Me returns the member who uses this device.
func (p *People) Me() matter.Member { return p.Member(p.Self) }

// Name returns a member's name as it is shown.
func (e *Env) Name(id matter.MemberID) string {
	if name := e.People.Member(id).Name; name != "" {
		return name
	}
	return e.T("Somebody unknown")
}

// NameOrYou is Name, but says "you" of the member who uses this device.
func (e *Env) NameOrYou(id matter.MemberID) string {
	if id == e.People.Self {
		return e.T("You")
	}
	return e.Name(id)
}

// Names returns several names as one reads them in a sentence.
func (e *Env) Names(ids []matter.MemberID) string {
	const most = 4
	out := ""
	for i, id := range ids {
		if i == most {
			return out + e.T(" and %d more", len(ids)-most)
		}
		if i > 0 {
			out += e.T(", ")
		}
		if id == e.People.Self {
			out += e.T("you") // never at the beginning of a sentence
		} else {
			out += e.Name(id)
		}
	}
	return out
}

var roles = map[matter.Role]string{
	matter.RoleOwner:  words.Mark("Owner"),
	matter.RoleAdmin:  words.Mark("Administrator"),
	matter.RoleMember: words.Mark("Member"),
	matter.RoleGuest:  words.Mark("Guest"),
	matter.RoleBot:    words.Mark("Bot"),
}

// Role returns the name of a role.
func (e *Env) Role(r matter.Role) string { return e.T(roles[r]) }

// Administers reports whether the member who uses this device runs the organisation.
func (e *Env) Administers() bool {
	role := e.People.Me().Role
	return role == matter.RoleOwner || role == matter.RoleAdmin
}
