package core

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"causa/internal/fault"
	"causa/matter"
	"causa/orglog"
	"causa/wire"
	"causa/wire/pb"
)

// A WipeOrder says what of the organisation is to be destroyed, and where.
type WipeOrder struct {
	Member  matter.MemberID // all devices of a member, or ...
	Device  matter.DeviceID // ... one device
	Matter  matter.ID       // one matter; zero: everything of the organisation
	Reason  string          // shown on the device
	Expires time.Duration   // 0: ten years
}

const (
	wipeLife    = 10 * 365 * 24 * time.Hour
	minWipeLife = time.Minute
)

// wipePolicy says how many administrators must agree before an order takes effect.
var wipePolicy = policy{
	name: orglog.ApprovalsPolicy,
	help: "How many administrators must agree to a wipe before it happens, from 1 to 9; the default is 1.",
	check: func(value string) error {
		if len(value) != 1 || value[0] < '1' || value[0] > '9' {
			return &fault.Error{Text: "“%s” is not a number of administrators.", TextArgs: []any{value}, Hint: "Use a number from 1 to 9."}
		}
		return nil
	},
}

// OrderWipe signs a wipe order and returns its number. It takes effect at once, or when as
// many administrators as the policy wipe.approvals asks for have approved it.
func (c *Client) OrderWipe(ctx context.Context, o WipeOrder) (uint64, error) {
	reason, err := matter.CleanName(o.Reason)
	if err != nil {
		return 0, &fault.Error{Text: "A wipe needs a reason that the person can read.", Hint: "Say in one line why it is done.", Err: err}
	}
	if o.Expires == 0 {
		o.Expires = wipeLife
	}
	if o.Expires < minWipeLife {
		return 0, &fault.Error{Text: "A wipe order must be good for at least one minute.", Hint: "Choose another time."}
	}
	st := orglog.WipeOrdered{
		Member: o.Member, Device: o.Device, Extent: orglog.ExtentAll, Matter: o.Matter, Reason: reason,
		Expires: c.now().Add(o.Expires).Truncate(time.Millisecond),
	}
	if !o.Matter.IsZero() {
		st.Extent = orglog.ExtentMatter
	}
	before, _ := c.dir.head()
	if err := c.state(ctx, st); err != nil {
		return 0, err
	}
	var order uint64
	c.dir.see(func(s *orglog.State) {
		for _, w := range s.Wipes() {
			if w.Index >= before && w.By == c.self {
				order = w.Index
			}
		}
	})
	return order, nil
}

// ApproveWipe gives this administrator's consent to an order.
func (c *Client) ApproveWipe(ctx context.Context, order uint64) error {
	return c.state(ctx, orglog.WipeApproved{Order: order})
}

// WithdrawWipe takes back an order that has not taken effect.
func (c *Client) WithdrawWipe(ctx context.Context, order uint64) error {
	return c.state(ctx, orglog.WipeWithdrawn{Order: order})
}

// LockDevice has the hub serve a device no more until it is unlocked, for instance one of
// one's own that was lost.
func (c *Client) LockDevice(ctx context.Context, device matter.DeviceID, reason string) error {
	return c.state(ctx, orglog.DeviceLocked{Device: device, Reason: reason})
}

// UnlockDevice ends a lock.
func (c *Client) UnlockDevice(ctx context.Context, device matter.DeviceID) error {
	return c.state(ctx, orglog.DeviceUnlocked{Device: device})
}

// A WipeStage is how far a wipe order has come.
type WipeStage string

// The stages. Only a receipt is a device's word that the data is gone.
const (
	WipeOrdered   WipeStage = "ordered"   // waits for approvals
	WipeWithdrawn WipeStage = "withdrawn" //
	WipeExpired   WipeStage = "expired"   // never took effect
	WipeInEffect  WipeStage = "in effect" // the devices are told as soon as they come
	WipeDestroyed WipeStage = "key destroyed"
	WipeReceipted WipeStage = "receipt" // every device has given its receipt
)

// A Wipe is an order and how far it has come.
type Wipe struct {
	Order     uint64
	Target    matter.Member
	Device    matter.DeviceID // zero: all of the target's
	Matter    matter.ID       // zero: everything
	Reason    string
	By        matter.Member
	At        time.Time
	Expires   time.Time
	Need      int
	Approvals []matter.MemberID
	Stage     WipeStage
	Devices   []WipedDevice
}

// A WipedDevice is one that an order takes; Receipt is zero until it gave one.
type WipedDevice struct {
	Device  matter.Device
	Receipt time.Time
}

// Wipes lists all wipe orders, the newest first.
func (c *Client) Wipes(context.Context) (out []Wipe, err error) {
	now := c.now()
	c.dir.see(func(s *orglog.State) {
		for _, w := range s.Wipes() {
			out = append(out, wipeOf(s, w, now))
		}
	})
	slices.Reverse(out)
	return out, nil
}

func wipeOf(s *orglog.State, w orglog.Wipe, now time.Time) Wipe {
	out := Wipe{
		Order: w.Index, Device: w.Order.Device, Matter: w.Order.Matter, Reason: w.Order.Reason, At: w.At, Expires: w.Order.Expires,
		Need: w.Need, Approvals: w.Approvals,
	}
	by, _, _ := s.Device(w.By)
	out.By, _ = s.Member(by.Member)
	target := w.Order.Member
	if d, _, ok := s.Device(w.Order.Device); ok {
		target = d.Member
	}
	out.Target, _ = s.Member(target)
	for _, id := range w.Devices {
		d, _, _ := s.Device(id)
		out.Devices = append(out.Devices, WipedDevice{Device: d, Receipt: w.Receipts[id]})
	}
	switch {
	case w.Withdrawn:
		out.Stage = WipeWithdrawn
	case w.Effective.IsZero() && !now.Before(w.Order.Expires):
		out.Stage = WipeExpired
	case w.Effective.IsZero():
		out.Stage = WipeOrdered
	case len(w.Receipts) == len(w.Devices):
		out.Stage = WipeReceipted
	case !w.Destroyed.IsZero():
		out.Stage = WipeDestroyed
	default:
		out.Stage = WipeInEffect
	}
	return out
}

// Offboard ends a membership for good: the member leaves, which revokes every device and
// withdraws the invites, and what the devices hold is ordered destroyed. The other
// participants' devices take them out of every matter.
func (c *Client) Offboard(ctx context.Context, member matter.MemberID, reason string) (order uint64, err error) {
	m, ok := c.Member(member)
	if !ok {
		return 0, &fault.Error{Text: "There is no such member.", Hint: "Look at the list of members again."}
	}
	// The order comes first: it must not be forgotten when this breaks off in between.
	order, err = c.OrderWipe(ctx, WipeOrder{Member: member, Reason: reason})
	if err != nil || m.Left {
		return order, err
	}
	return order, c.state(ctx, orglog.MemberLeft{Member: member, Reason: reason})
}

// mayHave reports whether a device may take part in a matter, as far as wipe orders say.
func (d *directory) mayHave(device matter.DeviceID, id matter.ID) (ok bool) {
	d.see(func(s *orglog.State) { ok = s.ActiveDevice(device) && !s.WipedFrom(device, id) })
	return ok
}

// describeWipe is describe for what is said of wipes and locks.
func describeWipe(s *orglog.State, st orglog.Statement) (what, detail string) {
	owner := func(id matter.DeviceID) string {
		d, _, _ := s.Device(id)
		m, _ := s.Member(d.Member)
		return fmt.Sprintf("%s, %s", m.Name, d.Name)
	}
	order := func(n uint64) string { return fmt.Sprintf("order %d", n) }
	switch st := st.(type) {
	case orglog.WipeOrdered:
		target := owner(st.Device)
		if m, ok := s.Member(st.Member); ok {
			target = m.Name
		}
		if st.Extent == orglog.ExtentMatter {
			target += ", matter " + st.Matter.Short()
		}
		return "wipe ordered", target + ": " + st.Reason
	case orglog.WipeApproved:
		return "wipe approved", order(st.Order)
	case orglog.WipeWithdrawn:
		return "wipe withdrawn", order(st.Order)
	case orglog.HubKeySet:
		return "hub key set", fmt.Sprintf("%.16x", st.Key)
	case orglog.KeysDestroyed:
		return "keys destroyed", order(st.Order)
	case orglog.WipeReceipt:
		return "wipe receipt", order(st.Order)
	case orglog.DeviceLocked:
		return "device locked", owner(st.Device)
	case orglog.DeviceUnlocked:
		return "device unlocked", owner(st.Device)
	}
	return "unknown", ""
}

// tend does what only an owner's or administrator's device can do for the organisation
// log: it names the hub's key there once, and brings in the hub's word that the keys of an
// order are destroyed.
func (c *Client) tend(ctx context.Context, l *link, hubKey []byte) error {
	if c.Me().Member.Role > matter.RoleAdmin {
		return nil
	}
	var known ed25519.PublicKey
	waits := false
	c.dir.see(func(s *orglog.State) {
		known = s.HubKey()
		for _, w := range s.Wipes() {
			waits = waits || !w.Effective.IsZero() && w.Destroyed.IsZero() && w.Order.Extent != orglog.ExtentMatter
		}
	})
	if known == nil && len(hubKey) == ed25519.PublicKeySize {
		if err := c.add(ctx, l, orglog.HubKeySet{Key: hubKey}); err != nil {
			return err
		}
	} else if known != nil && !known.Equal(ed25519.PublicKey(hubKey)) {
		c.log.Warn("the hub has another key than the organisation log says")
	}
	if !waits {
		return nil
	}
	f, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_PullDestructions{PullDestructions: &pb.PullDestructions{}}})
	var r *refusal
	if errors.As(err, &r) {
		c.log.Warn("the hub says nothing of destroyed keys", "err", err)
		return nil
	}
	if err != nil {
		return err
	}
	for _, it := range f.GetDestructions().GetItems() {
		st := orglog.KeysDestroyed{Order: it.GetOrder(), Time: time.UnixMilli(it.GetTimeMs()).UTC(), Signature: it.GetSignature()}
		if err := c.add(ctx, l, st); err != nil {
			return err
		}
	}
	return nil
}

// add signs a statement that any of several devices may make; that another was faster, or
// that the log's rules forbid it, is no failure of the connection.
func (c *Client) add(ctx context.Context, l *link, s orglog.Statement) error {
	err := c.dir.append(ctx, l, c.key, c.now(), s)
	var rule *orglog.RuleError
	if errors.As(err, &rule) || refused(err, wire.CodeLogRefused) {
		c.log.Info("statement not taken", "statement", s.Type(), "err", err)
		return nil
	}
	return err
}
