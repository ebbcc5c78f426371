package core

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"causa/internal/fault"
	"causa/matter"
	"causa/orglog"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

// A sealed module has a device of its own in the organisation log, with a home below this
// device's: its own identity key, key packages, database and slot. Its matters are groups
// of such devices only. While it is closed, what comes for it stays at the hub, sealed.

const (
	modulesFolder = "modules"
	seenFile      = "seen.json" // in a module's home: how far it had come when it was last open
	moduleIdle    = time.Minute // a sealed module closes after so long without use, at the latest
)

// builtinModules are there in every organisation.
var builtinModules = []string{"administration", "payroll"}

// modulesPolicy puts classes of matters into sealed modules.
var modulesPolicy = policy{
	name: "module.classes",
	help: "Which classes of matters belong into a sealed module, as in expense=payroll,leave=payroll.",
	check: func(value string) error {
		if _, ok := moduleClasses(value); !ok {
			return badValue(value)
		}
		return nil
	},
}

// moduleClasses reads the policy.
func moduleClasses(value string) (map[matter.Class]string, bool) {
	out := map[matter.Class]string{}
	for part := range strings.SplitSeq(value, ",") {
		class, module, ok := strings.Cut(part, "=")
		if !ok || !slices.Contains(matter.Classes(), matter.Class(class)) || !moduleName(module) {
			return nil, false
		}
		out[matter.Class(class)] = module
	}
	return out, true
}

func moduleName(name string) bool {
	return name != "" && len(name) <= 64 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// ModuleHome is where a module of the device in a home has its own.
func ModuleHome(home, module string) (string, error) {
	if !moduleName(module) {
		return "", noModule(module)
	}
	return filepath.Join(home, modulesFolder, module), nil
}

func noModule(name string) error {
	return &fault.Error{Text: "There is no sealed module called “%s”.", TextArgs: []any{name}, Hint: "Look at the list of modules."}
}

// mayOpenHere reports whether a matter of a class may be started on this device.
func (c *Client) mayOpenHere(class matter.Class) error {
	classes, _ := moduleClasses(c.dir.policy(modulesPolicy.name))
	if module := classes[class]; module != "" && module != c.dir.module {
		return &fault.Error{
			Text: "Matters of this class belong into the sealed module “%s”.", TextArgs: []any{module},
			Hint: "Open the module and start it there.",
		}
	}
	return nil
}

// A Module is a sealed module as it looks from outside.
type Module struct {
	Name    string
	Here    bool   // this device has it
	Waiting uint64 // how much came since it was last open; 0 while the hub can't be reached
}

// checkModuleInvite refuses an invite that is for something else, before it is used up.
func (c *Client) checkModuleInvite(name, link string) error {
	inv, err := orglog.ParseInvite(link)
	if err != nil {
		return worded(err)
	}
	var i orglog.Invitation
	c.dir.see(func(s *orglog.State) { i, err = s.OpenInvite(inv.Public(), c.now()) })
	if err != nil {
		return worded(err)
	}
	if i.Module != name || i.Member != c.acct.Member {
		return &fault.Error{Text: "This invite is not for this sealed module of yours.", Hint: "Ask for another one."}
	}
	return nil
}

// furtherModule says how a member who has a module on another device gets it on this one.
func furtherModule(err error) error {
	if !errors.Is(err, orglog.ErrNotAllowed) && !refused(err, wire.CodeLogRefused) {
		return err
	}
	return &fault.Error{
		Text: "You have this sealed module on another device.",
		Hint: "Make an invite for this one there, in the module, or ask an administrator for one.",
		Err:  err,
	}
}

// Modules lists the sealed modules: those of the organisation, and those that are here.
func (c *Client) Modules(ctx context.Context) ([]Module, error) {
	names := slices.Clone(builtinModules)
	classes, _ := moduleClasses(c.dir.policy(modulesPolicy.name))
	for _, m := range classes {
		names = append(names, m)
	}
	entries, err := os.ReadDir(filepath.Join(c.home.dir, modulesFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if moduleName(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	totals := c.waitingTotals(ctx)
	var out []Module
	for _, name := range slices.Compact(names) {
		m := Module{Name: name}
		if s, err := readSeen(filepath.Join(c.home.dir, modulesFolder, name)); err == nil {
			m.Here = true
			if total := totals[s.Device]; total > s.Total {
				m.Waiting = total - s.Total
			}
		}
		out = append(out, m)
	}
	return out, nil
}

// waitingTotals asks the hub how much there is for this member's modules.
func (c *Client) waitingTotals(ctx context.Context) map[matter.DeviceID]uint64 {
	out := map[matter.DeviceID]uint64{}
	l := c.link.Load()
	if l == nil {
		return out
	}
	f, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_PullWaiting{PullWaiting: &pb.PullWaiting{}}})
	if err != nil {
		return out
	}
	for _, d := range f.GetWaiting().GetDevices() {
		out[matter.DeviceID(d.GetDevice())] = d.GetTotal()
	}
	return out
}

// seen is how far a module had come when it was last open: a number, and nothing of what
// is in it.
type seen struct {
	Device matter.DeviceID
	Total  uint64
}

func readSeen(dir string) (s seen, err error) {
	b, err := os.ReadFile(filepath.Join(dir, seenFile))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(b, &s)
}

// noteSeen notes, in a module's home, how far it has come.
func (c *Client) noteSeen(ctx context.Context) error {
	if c.dir.module == "" {
		return nil
	}
	s := seen{Device: c.self}
	err := c.home.db.View(ctx, func(tx *store.Tx) error {
		ids, err := tx.GroupMatters()
		if err != nil {
			return err
		}
		for _, id := range ids {
			place, err := tx.Place(id)
			if err != nil {
				return err
			}
			s.Total += place.Cursor
		}
		return nil
	})
	if err != nil {
		return err
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return store.WriteFile(filepath.Join(c.home.dir, seenFile), b)
}

// InviteModule makes an invite for a device that is for a sealed module: for oneself, in
// the module, for a further computer; or, by an administrator, for somebody who has lost
// the way into it.
func (c *Client) InviteModule(ctx context.Context, name string, member matter.MemberID) (Invitation, error) {
	if !moduleName(name) {
		return Invitation{}, noModule(name)
	}
	if member.IsZero() {
		member = c.acct.Member
	}
	return c.invite(ctx, member, 0, func(key ed25519.PublicKey, expires time.Time) orglog.Statement {
		return orglog.ModuleInvited{Member: member, InviteKey: key, Expires: expires, Module: name}
	})
}

// AddModule gives this device a sealed module under a passcode of its own. Link is an
// invite for it, which the first device of a member does not need. What was begun and broke
// off, the same call goes on with.
func (c *Client) AddModule(ctx context.Context, name, link string, passcode []byte) error {
	home, err := ModuleHome(c.home.dir, name)
	if err != nil {
		return err
	}
	if c.dir.module != "" {
		return &fault.Error{Text: "This is a sealed module itself.", Hint: "Add another one on the device around it."}
	}
	if has, err := HasPasscode(home); has || err != nil {
		return errors.Join(err, &fault.Error{Text: "This device has the sealed module “%s” already.", TextArgs: []any{name}, Hint: "Open it with its passcode."})
	}
	if err := acceptable(passcode, c.dir.number(minimumPolicy, 6)); err != nil {
		return err
	}
	opts := Options{Home: home, Keystore: c.home.keystore, Log: c.log}
	m, err := Open(ctx, opts)
	if errors.Is(err, ErrNoAccount) {
		if link == "" {
			inv, err := c.InviteModule(ctx, name, matter.MemberID{})
			if err != nil {
				return furtherModule(err)
			}
			link = inv.Link
		}
		if err := c.checkModuleInvite(name, link); err != nil {
			return err
		}
		m, err = Join(ctx, opts, JoinRequest{Link: link, Device: name})
	}
	if err != nil {
		return err
	}
	// It can be added to matters once the hub has its key packages.
	if err := errors.Join(m.Sync(ctx), m.Close()); err != nil {
		return err
	}
	return SetPasscode(ctx, opts, passcode)
}
