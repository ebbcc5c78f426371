package matter

import "time"

// A Role is what a member may do in the organisation.
type Role uint8

// The roles, from most to least trusted. The numbers are for ever.
const (
	RoleOwner  Role = 1
	RoleAdmin  Role = 2
	RoleMember Role = 3
	RoleGuest  Role = 4
	RoleBot    Role = 5
)

var roleNames = map[Role]string{RoleOwner: "owner", RoleAdmin: "admin", RoleMember: "member", RoleGuest: "guest", RoleBot: "bot"}

func (r Role) String() string { return roleNames[r] }

// Valid reports whether r is a role.
func (r Role) Valid() bool { return roleNames[r] != "" }

// ParseRole reads the text form of a role.
func ParseRole(s string) (Role, bool) {
	for r, name := range roleNames {
		if name == s {
			return r, true
		}
	}
	return 0, false
}

// A Member is a person, guest or bot known to the organisation.
type Member struct {
	ID     MemberID
	Name   string
	Role   Role
	Joined bool // has had a device
	Left   bool
}

// A Device is one installation of the app, of one member.
type Device struct {
	ID       DeviceID
	Member   MemberID
	Name     string
	Enrolled time.Time
	Revoked  bool
	Locked   bool // by its member or an administrator, until unlocked
	// Module is the sealed module whose matters this device has, and no others. Empty: all
	// that are in no module.
	Module string
}
