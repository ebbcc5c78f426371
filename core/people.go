package core

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"causa/internal/fault"
	"causa/matter"
	"causa/orglog"
)

// Members lists everybody the organisation knows, by name.
func (c *Client) Members(context.Context) (out []matter.Member, err error) {
	c.dir.see(func(s *orglog.State) { out = s.Members() })
	slices.SortStableFunc(out, func(a, b matter.Member) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// Member returns one member.
func (c *Client) Member(id matter.MemberID) (m matter.Member, ok bool) {
	c.dir.see(func(s *orglog.State) { m, ok = s.Member(id) })
	return m, ok
}

// Devices lists every device the organisation knows, in the order of enrolment.
func (c *Client) Devices(context.Context) (out []matter.Device, err error) {
	c.dir.see(func(s *orglog.State) { out = s.Devices() })
	return out, nil
}

// FindMember returns the member that ref names: a name, an id or an unambiguous prefix
// of one.
func (c *Client) FindMember(ctx context.Context, ref string) (matter.Member, error) {
	ref = strings.TrimSpace(ref)
	all, err := c.Members(ctx)
	if err != nil {
		return matter.Member{}, err
	}
	var found []matter.Member
	for _, m := range all {
		if m.Name == ref && !m.Left {
			found = append(found, m)
		}
	}
	if len(found) == 0 {
		for _, m := range all {
			if strings.EqualFold(m.Name, ref) || len(ref) >= 4 && strings.HasPrefix(m.ID.String(), strings.ToLower(ref)) {
				found = append(found, m)
			}
		}
	}
	switch len(found) {
	case 0:
		return matter.Member{}, &fault.Error{Text: "There is no member called “%s”.", TextArgs: []any{ref}, Hint: "Look at the list of members."}
	case 1:
		return found[0], nil
	}
	return matter.Member{}, &fault.Error{Text: "Several members are called “%s”.", TextArgs: []any{ref}, Hint: "Use the id, or more of it."}
}

// An InviteRequest says whom to invite.
type InviteRequest struct {
	Name    string
	Role    matter.Role   // 0: member
	Expires time.Duration // 0: 72 hours
}

// An Invitation is a link that makes one device of a member. Whoever has it can use it,
// once.
type Invitation struct {
	Link    string
	Expires time.Time
	Member  matter.MemberID
}

// How long an invite may be good for.
const (
	inviteLife    = 72 * time.Hour
	maxInviteLife = 30 * 24 * time.Hour
)

// Invite makes a new member and the invite for their first device.
func (c *Client) Invite(ctx context.Context, r InviteRequest) (Invitation, error) {
	name, err := matter.CleanName(r.Name)
	if err != nil {
		return Invitation{}, worded(err)
	}
	if r.Role == 0 {
		r.Role = matter.RoleMember
	}
	all, err := c.Members(ctx)
	if err != nil {
		return Invitation{}, err
	}
	for _, m := range all {
		if m.Name == name && !m.Left {
			return Invitation{}, &fault.Error{
				Text: "There is a member called “%s” already.", TextArgs: []any{name},
				Hint: "Add something that tells them apart, such as the department.",
			}
		}
	}
	id := matter.NewMemberID()
	return c.invite(ctx, id, r.Expires, func(key ed25519.PublicKey, expires time.Time) orglog.Statement {
		return orglog.MemberInvited{Member: id, Name: name, Role: r.Role, InviteKey: key, Expires: expires}
	})
}

// InviteDevice makes an invite for a further device of oneself, or, by an administrator,
// for somebody whose device or invite was lost.
func (c *Client) InviteDevice(ctx context.Context, member matter.MemberID, expires time.Duration) (Invitation, error) {
	if member.IsZero() {
		member = c.acct.Member
	}
	return c.invite(ctx, member, expires, func(key ed25519.PublicKey, expires time.Time) orglog.Statement {
		return orglog.DeviceInvited{Member: member, InviteKey: key, Expires: expires}
	})
}

func (c *Client) invite(ctx context.Context, member matter.MemberID, life time.Duration, say func(ed25519.PublicKey, time.Time) orglog.Statement) (Invitation, error) {
	if life == 0 {
		life = inviteLife
	}
	if life < time.Minute || life > maxInviteLife {
		return Invitation{}, &fault.Error{Text: "An invite can be good for one minute up to 30 days.", Hint: "Choose another time."}
	}
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Invitation{}, err
	}
	expires := c.now().Add(life).Truncate(time.Millisecond)
	if err := c.state(ctx, say(pub, expires)); err != nil {
		return Invitation{}, err
	}
	link := orglog.Invite{Hub: c.acct.Hub, Pin: c.acct.Pin, Org: c.acct.Org, Key: key}.Link()
	return Invitation{Link: link, Expires: expires, Member: member}, nil
}

// RevokeDevice ends a device for good: the hub stops serving it at once, and the other
// participants' devices remove it from every matter.
func (c *Client) RevokeDevice(ctx context.Context, device matter.DeviceID, reason string) error {
	return c.state(ctx, orglog.DeviceRevoked{Device: device, Reason: reason})
}

// state signs a statement into the organisation log.
func (c *Client) state(ctx context.Context, s orglog.Statement) error {
	l, err := c.online()
	if err != nil {
		return err
	}
	if err := c.dir.append(ctx, l, c.key, c.now(), s); err != nil {
		return worded(err)
	}
	c.events.tell(DirectoryChanged{})
	c.relook.Store(true)
	c.kick()
	return nil
}

// An AuditLine is one entry of the organisation log, in words.
type AuditLine struct {
	Index  uint64
	Time   time.Time
	Author matter.MemberID
	Device matter.DeviceID
	What   string // the statement's kind, a fixed word
	Detail string // names and ids, for people
	Hash   string
}

// Audit verifies the whole organisation log again, from the root, signatures included,
// and tells it line by line.
func (c *Client) Audit(ctx context.Context) ([]AuditLine, error) {
	entries, err := c.dir.verifyAll(ctx)
	if err != nil {
		return nil, worded(err)
	}
	var out []AuditLine
	c.dir.see(func(s *orglog.State) {
		for _, e := range entries {
			dev, _, _ := s.Device(e.Author)
			what, detail := describe(s, e.Statement)
			out = append(out, AuditLine{
				Index: e.Index, Time: e.Time, Author: dev.Member, Device: e.Author, What: what, Detail: detail, Hash: e.Hash().String(),
			})
		}
	})
	return out, nil
}

// describe puts a statement into a fixed word and the names it is about.
func describe(s *orglog.State, st orglog.Statement) (what, detail string) {
	name := func(id matter.MemberID) string {
		m, _ := s.Member(id)
		return m.Name
	}
	switch st := st.(type) {
	case orglog.Founded:
		return "founded", fmt.Sprintf("%s, %s", st.Organisation, st.Name)
	case orglog.MemberInvited:
		return "member invited", fmt.Sprintf("%s, %s", st.Name, st.Role)
	case orglog.DeviceInvited:
		return "device invited", name(st.Member)
	case orglog.ModuleInvited:
		return "device invited", fmt.Sprintf("%s, module %s", name(st.Member), st.Module)
	case orglog.InviteWithdrawn:
		return "invite withdrawn", ""
	case orglog.DeviceEnrolled:
		return "device enrolled", fmt.Sprintf("%s, %s", name(st.Member), st.DeviceName)
	case orglog.MemberRenamed:
		return "member renamed", st.Name
	case orglog.RoleChanged:
		return "role changed", fmt.Sprintf("%s, %s", name(st.Member), st.Role)
	case orglog.MemberLeft:
		return "member left", name(st.Member)
	case orglog.DeviceRevoked:
		dev, _, _ := s.Device(st.Device)
		return "device revoked", fmt.Sprintf("%s, %s", name(dev.Member), dev.Name)
	case orglog.PolicySet:
		return "policy set", st.Name + " = " + st.Value
	case orglog.TriesGiven:
		dev, _, _ := s.Device(st.Device)
		return "new tries given", fmt.Sprintf("%s, %s", name(dev.Member), dev.Name)
	}
	return describeWipe(s, st)
}
