package hubtest

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"causa/matter"
	"causa/orglog"
	"causa/wire/pb"
)

// A Company is an organisation at a hub, made through the protocol as its people would
// make it. It is safe for concurrent use.
type Company struct {
	addr string

	mu    sync.Mutex
	state *orglog.State
	owner *Device
}

// A Device is one device of a company's member. Its keys are real.
type Device struct {
	ID     matter.DeviceID
	Member matter.MemberID
	Key    ed25519.PrivateKey

	company *Company
	live    atomic.Pointer[Peer] // its newest connection
}

// Found founds a company with a founding link.
func Found(addr, link string) (*Company, *Device, error) {
	invite, err := orglog.ParseInvite(link)
	if err != nil {
		return nil, nil, err
	}
	c := &Company{addr: addr, state: orglog.NewState()}
	d := c.newDevice(matter.NewMemberID())
	e, err := c.state.Sign(d.Key, time.Now(), orglog.Founded{
		Organisation: "Test", Member: d.Member, Name: "Owner", DeviceKey: d.public(), DeviceName: "first",
	})
	if err != nil {
		return nil, nil, err
	}
	c.owner = d
	return c, d, c.appendAs(func(p *Peer) error { _, err := p.SignInInvite(invite.Key); return err }, e)
}

func (c *Company) newDevice(member matter.MemberID) *Device {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err) // the system's randomness never fails
	}
	d := &Device{Key: key, Member: member, company: c}
	d.ID = matter.DeviceOf(d.public())
	return d
}

func (d *Device) public() ed25519.PublicKey {
	public, _ := d.Key.Public().(ed25519.PublicKey)
	return public
}

// appendAs appends an entry over a connection of its own and applies it.
func (c *Company) appendAs(signIn func(*Peer) error, e *orglog.Entry) error {
	p, err := Dial(c.addr)
	if err != nil {
		return err
	}
	defer p.Close()
	if err := signIn(p); err != nil {
		return err
	}
	if err := p.Append(e); err != nil {
		return err
	}
	return c.state.Apply(e)
}

// Append asks the hub to append an entry to the organisation log.
func (p *Peer) Append(e *orglog.Entry) error {
	_, err := p.Call(&pb.ClientFrame{Body: &pb.ClientFrame_AppendLog{AppendLog: &pb.AppendLog{Entry: e.Bytes()}}})
	return err
}

// SignAs makes the log's next entry without appending it.
func (c *Company) SignAs(d *Device, s orglog.Statement) (*orglog.Entry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Sign(d.Key, time.Now(), s)
}

// Say has a device append a statement, over its connection if it has one.
func (c *Company) Say(d *Device, s orglog.Statement) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, err := c.state.Sign(d.Key, time.Now(), s)
	if err != nil {
		return err
	}
	if p := d.live.Load(); p != nil && !p.over() {
		if err := p.Append(e); err != nil {
			return err
		}
		return c.state.Apply(e)
	}
	return c.appendAs(func(p *Peer) error { _, err := p.SignInDevice(d.ID, d.Key); return err }, e)
}

// Invite has the owner invite a new member and returns the invite's key.
func (c *Company) Invite(role matter.Role, expires time.Duration) (ed25519.PrivateKey, error) {
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	return key, c.Say(c.owner, orglog.MemberInvited{
		Member: matter.NewMemberID(), Name: "Somebody", Role: role, InviteKey: public, Expires: time.Now().Add(expires).Truncate(time.Millisecond),
	})
}

// SignEnrolment makes, but does not append, the entry by which a new device enrols.
func (c *Company) SignEnrolment(invite ed25519.PrivateKey) (*Device, *orglog.Entry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.newDevice(matter.MemberID{})
	e, err := c.state.SignEnrolment(d.Key, invite, time.Now(), "device")
	if err != nil {
		return nil, nil, err
	}
	st, ok := e.Statement.(orglog.DeviceEnrolled)
	if !ok {
		return nil, nil, errors.New("an enrolment is something else")
	}
	d.Member = st.Member
	return d, e, nil
}

// Enrol has a new device enrol with an invite.
func (c *Company) Enrol(invite ed25519.PrivateKey) (*Device, error) {
	d, e, err := c.SignEnrolment(invite)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return d, c.appendAs(func(p *Peer) error { _, err := p.SignInInvite(invite); return err }, e)
}

// Hire makes a new member with one device.
func (c *Company) Hire(role matter.Role) (*Device, error) {
	invite, err := c.Invite(role, time.Hour)
	if err != nil {
		return nil, fmt.Errorf("invite: %w", err)
	}
	return c.Enrol(invite)
}

// Owner returns the founder's device.
func (c *Company) Owner() *Device { return c.owner }

// Next returns the next index of the organisation log.
func (c *Company) Next() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Next()
}

// Connect signs a device in on a new connection.
func (d *Device) Connect() (*Peer, *pb.Ready, error) { return d.ConnectAt(d.company.addr) }

// ConnectAt is Connect to another hub of the company's.
func (d *Device) ConnectAt(addr string) (*Peer, *pb.Ready, error) {
	p, err := Dial(addr)
	if err != nil {
		return nil, nil, err
	}
	ready, err := p.SignInDevice(d.ID, d.Key)
	if err != nil {
		p.Close()
		return nil, nil, err
	}
	d.live.Store(p)
	return p, ready, nil
}

// Apply takes over an entry that was appended behind the company's back.
func (c *Company) Apply(e *orglog.Entry) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Apply(e)
}

// Another makes a further device of a device's member.
func (c *Company) Another(d *Device) (*Device, error) {
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	err = c.Say(d, orglog.DeviceInvited{Member: d.Member, InviteKey: public, Expires: time.Now().Add(time.Hour).Truncate(time.Millisecond)})
	if err != nil {
		return nil, err
	}
	return c.Enrol(key)
}
