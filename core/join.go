package core

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"causa/internal/fault"
	"causa/matter"
	"causa/orglog"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

// A JoinRequest says who comes in, by which link.
type JoinRequest struct {
	Link         string
	Name         string // how the person is called; needed to found, else empty keeps the name in the invite
	Organisation string // its name, when it is founded; empty: the person's name stands for it
	Device       string // empty: the computer's name
	Replace      bool   // give a locked account in the home up: what it keeps can't be opened any more
}

// Join makes opts.Home a device of an organisation and opens it. With a founding link it
// founds the organisation. What a failed Join has made it removes again, unless the hub
// may have taken the device: then the same call later goes on where this one stopped.
func Join(ctx context.Context, opts Options, r JoinRequest) (*Client, error) {
	inv, err := orglog.ParseInvite(r.Link)
	if err != nil {
		return nil, worded(err)
	}
	if err := r.clean(inv.Founding()); err != nil {
		return nil, worded(err)
	}
	if err := r.replace(opts); err != nil {
		return nil, worded(err)
	}
	h, err := openHome(ctx, opts, true)
	if err != nil {
		return nil, worded(err)
	}
	acct, err := join(ctx, h, inv, r)
	if err != nil {
		if acct == nil {
			err = errors.Join(err, h.remove())
		} else {
			err = errors.Join(err, h.close())
		}
		return nil, worded(err)
	}
	c, err := start(ctx, h, acct, opts)
	if err != nil {
		return nil, worded(errors.Join(err, h.close()))
	}
	if err := c.rename(ctx, r.Name); err != nil {
		c.log.Warn("name can't be changed", "err", err)
	}
	return c, nil
}

func (r *JoinRequest) clean(founding bool) (err error) {
	if r.Device == "" {
		if r.Device, err = os.Hostname(); err != nil || r.Device == "" {
			r.Device = "computer"
		}
	}
	if r.Device, err = matter.CleanName(r.Device); err != nil {
		return err
	}
	if r.Name != "" || founding {
		if r.Name, err = matter.CleanName(r.Name); err != nil {
			return err
		}
	}
	if founding {
		if r.Organisation == "" {
			r.Organisation = r.Name
		}
		if r.Organisation, err = matter.CleanName(r.Organisation); err != nil {
			return err
		}
	}
	return nil
}

// hubAddress takes host:port out of the hub's address in a link.
func hubAddress(hub string) (string, error) {
	if u, err := url.Parse(hub); err == nil && u.Host != "" {
		hub = u.Host
	}
	if _, _, err := net.SplitHostPort(hub); err != nil {
		hub = net.JoinHostPort(hub, "443")
	}
	if host, _, err := net.SplitHostPort(hub); err != nil || host == "" {
		return "", fmt.Errorf("hub address %q", hub)
	}
	return hub, nil
}

// join enrols the device. The account is returned, even with an error, once the hub may
// know the device.
func join(ctx context.Context, h *home, inv *orglog.Invite, r JoinRequest) (acct *account, err error) {
	err = h.db.View(ctx, func(tx *store.Tx) (err error) {
		acct, err = readAccount(tx)
		return err
	})
	switch {
	case errors.Is(err, ErrNoAccount):
		acct = nil
	case err != nil:
		return acct, err
	case acct.Joined:
		return acct, &fault.Error{
			Text: "There is a Causa account here already.",
			Hint: "Use another folder for another account.",
			Err:  ErrAccount,
		}
	case string(acct.Invite) != string(inv.Key.Seed()):
		return acct, &fault.Error{
			Text: "Joining with another invite was begun here and not finished.",
			Hint: "Use that invite again, or another folder.",
			Err:  ErrAccount,
		}
	}
	addr, err := hubAddress(inv.Hub)
	if err != nil {
		return acct, &fault.Error{Text: "The address of the hub in this link can't be used.", Hint: "Ask for a new invite.", Err: err}
	}
	if acct != nil && !inv.Founding() {
		// Begun before: perhaps the hub has the device already.
		if done, err := enrolledBefore(ctx, h, acct); err != nil || done {
			return acct, err
		}
	}
	l, ready, err := dial(ctx, addr, inv.Pin, who{invite: inv.Key})
	if err != nil {
		if acct != nil {
			if done, e := enrolledBefore(ctx, h, acct); e == nil && done {
				return acct, nil
			}
		}
		return acct, err
	}
	defer l.close()
	now := time.UnixMilli(ready.GetTimeMs())
	dir, err := openDirectory(ctx, h.db, inv.Org)
	if err != nil {
		return acct, err
	}
	if _, err := dir.pull(ctx, l); err != nil {
		return acct, err
	}
	if acct == nil {
		seed := make([]byte, ed25519.SeedSize)
		_, _ = rand.Read(seed)
		acct = &account{Identity: seed, Hub: addr, Pin: inv.Pin, Org: inv.Org, Name: r.Device, Invite: inv.Key.Seed()}
	}
	var e *orglog.Entry
	for range appendTries {
		if e, err = acct.enrolment(dir, inv, r, now); err != nil {
			return nil, err
		}
		if err := h.db.Update(ctx, acct.write); err != nil {
			return nil, err
		}
		_, err = l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_AppendLog{AppendLog: &pb.AppendLog{Entry: e.Bytes()}}})
		if !refused(err, wire.CodeLogConflict) {
			break
		}
		if _, err := dir.pull(ctx, l); err != nil {
			return acct, err
		}
	}
	var refusal *refusal
	if errors.As(err, &refusal) {
		return nil, err // refused: the hub does not know this device
	}
	if err != nil {
		return acct, err
	}
	if _, err := dir.take(ctx, e.Index, [][]byte{e.Bytes()}); err != nil {
		return acct, err
	}
	return acct, acct.joined(ctx, h)
}

// enrolment is the entry by which this device comes in.
func (a *account) enrolment(dir *directory, inv *orglog.Invite, r JoinRequest, now time.Time) (e *orglog.Entry, err error) {
	if inv.Founding() {
		if dir.next() > 0 {
			return nil, (&refusal{Code: wire.CodeAlreadyFounded}).worded()
		}
		a.Member = matter.NewMemberID()
		dir.see(func(s *orglog.State) {
			e, err = s.Sign(a.key(), now, orglog.Founded{
				Organisation: r.Organisation, Member: a.Member, Name: r.Name,
				DeviceKey: a.key().Public().(ed25519.PublicKey), DeviceName: a.Name,
			})
		})
		if err == nil {
			a.Org = e.Hash()
		}
		return e, err
	}
	dir.see(func(s *orglog.State) {
		var i orglog.Invitation
		if i, err = s.OpenInvite(inv.Public(), now); err != nil {
			return
		}
		a.Member = i.Member
		e, err = s.SignEnrolment(a.key(), inv.Key, now, a.Name)
	})
	return e, err
}

// joined notes that the organisation log lists this device.
func (a *account) joined(ctx context.Context, h *home) error {
	a.Joined, a.Invite = true, nil
	return h.db.Update(ctx, a.write)
}

// enrolledBefore asks the hub whether it has this device: then an earlier Join was
// interrupted after the hub had taken it.
func enrolledBefore(ctx context.Context, h *home, a *account) (bool, error) {
	l, _, err := dial(ctx, a.Hub, a.Pin, who{device: a.key()})
	if err != nil {
		if errors.Is(err, ErrOffline) {
			return false, err
		}
		return false, nil
	}
	defer l.close()
	dir, err := openDirectory(ctx, h.db, a.Org)
	if err != nil {
		return false, err
	}
	if _, err := dir.pull(ctx, l); err != nil {
		return false, err
	}
	if !dir.active(a.device()) {
		return false, nil
	}
	return true, a.joined(ctx, h)
}

// rename changes one's own name when it differs from the one in the log.
func (c *Client) rename(ctx context.Context, name string) error {
	if name == "" || name == c.Me().Member.Name {
		return nil
	}
	if err := c.Sync(ctx); err != nil {
		return err
	}
	return c.state(ctx, orglog.MemberRenamed{Member: c.acct.Member, Name: name})
}
