package orglog

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"causa/matter"
)

var update = flag.Bool("update", false, "freeze the log of wipes anew; only before the first release")

// frozenWipes has the entries of a log with wipes and locks; see frozenLog.
const frozenWipes = "testdata/frozen-wipes-v1.hex"

// wipeAll orders everything of a member destroyed.
func (c *company) wipeAll(name string) WipeOrdered {
	return WipeOrdered{Member: person(name), Extent: ExtentAll, Reason: "lost", Expires: c.now.Add(time.Hour)}
}

// order applies an order and returns its number.
func (c *company) order(by string, st WipeOrdered) uint64 {
	c.t.Helper()
	c.says(by, st)
	return c.s.Next() - 1
}

func (c *company) wipeOf(order uint64) Wipe {
	c.t.Helper()
	all := c.s.Wipes()
	i := slices.IndexFunc(all, func(w Wipe) bool { return w.Index == order })
	if i < 0 {
		c.t.Fatalf("no wipe order %d", order)
	}
	return all[i]
}

func (c *company) destroyed(hub string, order uint64) KeysDestroyed {
	c.t.Helper()
	st, err := SignDestruction(key(hub), c.s.OrgID(), order, c.now)
	if err != nil {
		c.t.Fatal(err)
	}
	return st
}

// frozenWipeCompany says everything about wipes and locks that can be said.
func frozenWipeCompany(t testing.TB) (*company, uint64) {
	c := newCompany(t)
	c.hire("alice laptop", "frank", matter.RoleAdmin)
	c.says("bob", HubKeySet{Key: public("hub")})
	c.says("carol", DeviceInvited{Member: person("carol"), InviteKey: public("phone"), Expires: c.now.Add(time.Hour)})
	c.apply(c.enrolment("carol", "carol phone", "phone"))
	c.says("carol", DeviceLocked{Device: c.deviceID("carol phone"), Reason: "left in the taxi"})
	c.says("bob", DeviceUnlocked{Device: c.deviceID("carol phone")})
	c.says("carol", DeviceLocked{Device: c.deviceID("carol phone")})
	one := c.order("bob", WipeOrdered{Device: c.deviceID("carol phone"), Extent: ExtentAll, Reason: "没有找回", Expires: c.now.Add(time.Hour)})
	c.says("frank", c.destroyed("hub", one))
	c.says("carol phone", WipeReceipt{Order: one})
	c.says("alice laptop", PolicySet{Name: ApprovalsPolicy, Value: "2"})
	two := c.order("frank", WipeOrdered{Member: person("dan"), Extent: ExtentMatter, Matter: matter.ID{1, 2}, Reason: "not his", Expires: c.now.Add(time.Hour)})
	c.says("bob", WipeApproved{Order: two})
	c.says("dan", WipeReceipt{Order: two})
	three := c.order("bob", WipeOrdered{Member: person("eve"), Extent: ExtentModule, Module: "payroll", Reason: "moved", Expires: c.now.Add(time.Hour)})
	c.says("frank", WipeWithdrawn{Order: three})
	return c, one
}

func TestFrozenWipes(t *testing.T) {
	c, one := frozenWipeCompany(t)
	if *update {
		var out bytes.Buffer
		for _, e := range c.log {
			fmt.Fprintf(&out, "%x\n", e.Bytes())
		}
		if err := os.WriteFile(frozenWipes, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	frozen := readHex(t, frozenWipes)
	s, err := Restore(each(frozen), c.s.Head())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dump(c.s), dump(s)); diff != "" {
		t.Errorf("the frozen log says something else:\n%s", diff)
	}
	phone, _, _ := s.Device(c.deviceID("carol phone"))
	if !phone.Revoked || !phone.Locked || s.ActiveDevice(phone.ID) || s.ServedDevice(phone.ID) {
		t.Errorf("the wiped device is %+v", phone)
	}
	w := c.wipeOf(one)
	if w.Destroyed.IsZero() || w.Receipts[phone.ID].IsZero() || len(s.WipesOf(phone.ID)) != 0 {
		t.Errorf("the wipe is %+v", w)
	}
}

// Who may order whom wiped: those who stand above them, never the device itself.
func TestWipeRoles(t *testing.T) {
	c := newCompany(t)
	c.hire("alice laptop", "frank", matter.RoleOwner)
	c.hire("alice laptop", "gina", matter.RoleAdmin)
	c.hire("alice laptop", "hugo", matter.RoleMember)
	may := map[string]string{"alice laptop": "frank bob gina carol hugo dan eve", "bob": "carol hugo dan eve", "carol": "", "dan": "", "eve": ""}
	for by, whom := range may {
		for _, name := range []string{"alice", "frank", "bob", "gina", "carol", "hugo", "dan", "eve"} {
			allowed := slices.Contains(bytesFields(whom), name)
			check(t, c, by+" has wiped "+name, by, c.wipeAll(name), allowed)
		}
	}
	// One's own other device: an owner may, the one it is ordered from never.
	c.says("alice laptop", DeviceInvited{Member: person("alice"), InviteKey: public("phone"), Expires: c.now.Add(time.Hour)})
	c.apply(c.enrolment("alice", "alice phone", "phone"))
	device := func(name string) WipeOrdered {
		return WipeOrdered{Device: c.deviceID(name), Extent: ExtentAll, Reason: "lost", Expires: c.now.Add(time.Hour)}
	}
	check(t, c, "an owner's other device", "alice laptop", device("alice phone"), true)
	check(t, c, "this very device", "alice laptop", device("alice laptop"), false)
	check(t, c, "an admin's own", "bob", device("bob"), false)
}

func bytesFields(s string) (out []string) {
	for _, f := range bytes.Fields([]byte(s)) {
		out = append(out, string(f))
	}
	return out
}

func TestWipeTakesTheDevices(t *testing.T) {
	c := newCompany(t)
	c.invite("bob", "gina", matter.RoleMember, "for gina")
	e := c.sign("alice laptop", c.wipeAll("bob"))
	if ends := c.s.Ends(e); !slices.Equal(ends, []matter.DeviceID{c.deviceID("bob")}) {
		t.Errorf("the order ends %v", ends)
	}
	if w, ok := c.s.Wiped(e); !ok || !slices.Equal(w.Devices, []matter.DeviceID{c.deviceID("bob")}) {
		t.Errorf("the order puts %+v into effect", w)
	}
	c.apply(e)
	if c.s.ActiveDevice(c.deviceID("bob")) {
		t.Error("a wiped device is active")
	}
	if _, err := c.s.OpenInvite(public("for gina"), c.now); !errors.Is(err, ErrInviteWithdrawn) {
		t.Errorf("an invite made by the wiped device: %v", err)
	}
	order := e.Index
	c.refuses(c.sign("bob", rename("Bob")), ErrRevoked)
	c.refuses(c.sign("bob", WipeReceipt{Order: order + 1}), ErrWipeOrder)
	c.refuses(c.sign("carol", WipeReceipt{Order: order}), ErrWipeOrder)
	if owed := c.s.WipesOf(c.deviceID("bob")); len(owed) != 1 || owed[0].Index != order {
		t.Errorf("the device owes %v", owed)
	}
	c.says("bob", WipeReceipt{Order: order})
	c.refuses(c.sign("bob", WipeReceipt{Order: order}), ErrNoChange)
	c.refuses(c.sign("bob", rename("Bob")), ErrRevoked)
	// The organisation keeps an owner.
	c.hire("alice laptop", "frank", matter.RoleOwner)
	c.says("frank", c.wipeAll("alice"))
	c.refuses(c.sign("frank", WipeOrdered{Member: person("frank"), Extent: ExtentAll, Reason: "x", Expires: c.now.Add(time.Hour)}), ErrNotAllowed)
}

// An order for one matter or module takes no device out of the organisation.
func TestWipeOfAPart(t *testing.T) {
	c := newCompany(t)
	part := c.wipeAll("carol")
	part.Extent, part.Matter = ExtentMatter, matter.ID{7}
	order := c.order("bob", part)
	if !c.s.ActiveDevice(c.deviceID("carol")) || len(c.s.WipesOf(c.deviceID("carol"))) != 1 {
		t.Error("a wipe of one matter revoked the device, or is not owed")
	}
	c.says("carol", WipeReceipt{Order: order})
	c.says("carol", rename("Carol still here"))
}

func TestWipeNeedsApprovals(t *testing.T) {
	c := newCompany(t)
	c.hire("alice laptop", "frank", matter.RoleAdmin)
	c.hire("alice laptop", "gina", matter.RoleAdmin)
	c.says("alice laptop", PolicySet{Name: ApprovalsPolicy, Value: "3"})
	order := c.order("bob", c.wipeAll("carol"))
	c.says("alice laptop", PolicySet{Name: ApprovalsPolicy, Value: "1"}) // does not change what was ordered
	c.refuses(c.sign("bob", WipeApproved{Order: order}), ErrNoChange)
	c.refuses(c.sign("carol", WipeApproved{Order: order}), ErrNotAllowed)
	c.refuses(c.sign("dan", WipeWithdrawn{Order: order}), ErrNotAllowed)
	c.refuses(c.sign("frank", WipeApproved{Order: order + 5}), ErrWipeOrder)
	c.refuses(c.sign("carol", WipeReceipt{Order: order}), ErrWipeOrder)
	c.says("frank", WipeApproved{Order: order})
	if w := c.wipeOf(order); !w.Effective.IsZero() || !c.s.ActiveDevice(c.deviceID("carol")) {
		t.Fatal("two of three were enough")
	}
	// An approval does not outlive the right to give it.
	c.says("alice laptop", RoleChanged{Member: person("bob"), Role: matter.RoleMember})
	c.says("gina", WipeApproved{Order: order})
	if w := c.wipeOf(order); !w.Effective.IsZero() {
		t.Fatal("the approval of a former administrator counted")
	}
	c.says("alice laptop", WipeApproved{Order: order})
	if w := c.wipeOf(order); w.Effective.IsZero() || c.s.ActiveDevice(c.deviceID("carol")) {
		t.Fatal("three of three were not enough")
	}
	// What is in effect stays, whatever becomes of those who ordered it.
	c.refuses(c.sign("frank", WipeWithdrawn{Order: order}), ErrWipeOrder)
	c.says("alice laptop", MemberLeft{Member: person("frank")})
	if len(c.s.WipesOf(c.deviceID("carol"))) != 1 {
		t.Error("the order fell with its author")
	}

	c.says("alice laptop", PolicySet{Name: ApprovalsPolicy, Value: "2"})
	late := c.order("gina", c.wipeAll("dan"))
	c.now = c.now.Add(2 * time.Hour)
	c.refuses(c.sign("alice laptop", WipeApproved{Order: late}), ErrWipeOrder) // expired
	c.refuses(c.sign("alice laptop", WipeOrdered{
		Member: person("dan"), Extent: ExtentAll, Reason: "x", Expires: c.now,
	}), ErrWipeOrder)
}

func TestWipeMalformed(t *testing.T) {
	c := newCompany(t)
	good := c.wipeAll("carol")
	for name, tt := range map[string]struct {
		spoil func(*WipeOrdered)
		want  Rule
	}{
		"nobody":           {func(w *WipeOrdered) { w.Member = matter.MemberID{} }, ErrMalformed},
		"both":             {func(w *WipeOrdered) { w.Device = c.deviceID("carol") }, ErrMalformed},
		"stranger":         {func(w *WipeOrdered) { w.Member = person("nobody") }, ErrNoSubject},
		"no extent":        {func(w *WipeOrdered) { w.Extent = 0 }, ErrMalformed},
		"newer extent":     {func(w *WipeOrdered) { w.Extent = 4 }, ErrNewer},
		"no matter":        {func(w *WipeOrdered) { w.Extent = ExtentMatter }, ErrMalformed},
		"a matter too":     {func(w *WipeOrdered) { w.Matter = matter.ID{1} }, ErrMalformed},
		"no module":        {func(w *WipeOrdered) { w.Extent = ExtentModule }, ErrMalformed},
		"a module too":     {func(w *WipeOrdered) { w.Module = "payroll" }, ErrMalformed},
		"no module's name": {func(w *WipeOrdered) { w.Extent, w.Module = ExtentModule, "Pay Roll" }, ErrName},
		"no reason":        {func(w *WipeOrdered) { w.Reason = "" }, ErrName},
		"unclean reason":   {func(w *WipeOrdered) { w.Reason = "a\nb" }, ErrName},
	} {
		st := good
		tt.spoil(&st)
		t.Run(name, func(*testing.T) { c.refuses(c.sign("bob", st), tt.want) })
	}
	c.says("bob", good)
}

// Only the hub whose key the log names can say that keys are destroyed, each order once.
func TestDestructionRecord(t *testing.T) {
	c := newCompany(t)
	c.refuses(c.sign("carol", HubKeySet{Key: public("hub")}), ErrNotAllowed)
	order := c.order("bob", c.wipeAll("dan"))
	c.refuses(c.sign("bob", c.destroyed("hub", order)), ErrForged) // no key is known
	c.says("bob", HubKeySet{Key: public("hub")})
	c.refuses(c.sign("bob", HubKeySet{Key: public("hub")}), ErrNoChange)
	c.refuses(c.sign("bob", HubKeySet{Key: make([]byte, 32)}), ErrMalformed)
	c.refuses(c.sign("bob", c.destroyed("mallory", order)), ErrForged)
	c.refuses(c.sign("bob", c.destroyed("hub", order+1)), ErrWipeOrder)
	moved := c.destroyed("hub", order)
	moved.Time = moved.Time.Add(time.Second)
	c.refuses(c.sign("bob", moved), ErrForged)
	c.says("carol", c.destroyed("hub", order))
	c.refuses(c.sign("bob", c.destroyed("hub", order)), ErrNoChange)
}

func TestLocks(t *testing.T) {
	c := newCompany(t)
	c.says("carol", DeviceInvited{Member: person("carol"), InviteKey: public("phone"), Expires: c.now.Add(time.Hour)})
	c.apply(c.enrolment("carol", "carol phone", "phone"))
	phone := c.deviceID("carol phone")
	c.refuses(c.sign("dan", DeviceLocked{Device: phone}), ErrNotAllowed)
	c.refuses(c.sign("carol", DeviceUnlocked{Device: phone}), ErrNoChange)
	c.refuses(c.sign("carol phone", DeviceLocked{Device: phone}), ErrNotAllowed)
	c.refuses(c.sign("alice laptop", DeviceLocked{Device: matter.DeviceID{1}}), ErrNoSubject)
	c.says("carol", DeviceLocked{Device: phone, Reason: "lost"})
	c.refuses(c.sign("carol", DeviceLocked{Device: phone}), ErrNoChange)
	if c.s.ServedDevice(phone) || !c.s.ActiveDevice(phone) {
		t.Error("a locked device must be active, and not served")
	}
	// The thief can neither unlock it nor say anything else.
	for _, st := range []Statement{DeviceUnlocked{Device: phone}, rename("Mallory"), DeviceRevoked{Device: c.deviceID("carol")}} {
		c.refuses(c.sign("carol phone", st), ErrLocked)
	}
	c.says("carol", DeviceUnlocked{Device: phone})
	if !c.s.ServedDevice(phone) {
		t.Error("an unlocked device is not served")
	}
	// An organisation whose owners are all locked out would be lost.
	c.hire("alice laptop", "frank", matter.RoleOwner)
	c.says("alice laptop", DeviceLocked{Device: c.deviceID("frank")})
	c.refuses(c.sign("alice laptop", DeviceRevoked{Device: c.deviceID("alice laptop")}), ErrLastOwner)
	c.refuses(c.sign("alice laptop", MemberLeft{Member: person("alice")}), ErrLastOwner)
}

// Whatever administrators order, approve and withdraw in whatever order: an order is in
// effect exactly when enough of those who now may give it have agreed, and an owner stays.
func TestWipeModel(t *testing.T) {
	people := []string{"bob", "frank", "gina", "carol", "dan"}
	rapid.Check(t, func(t *rapid.T) {
		c := newCompany(fataler{TB: nil, t: t})
		c.hire("alice laptop", "frank", matter.RoleAdmin)
		c.hire("alice laptop", "gina", matter.RoleAdmin)
		need := rapid.IntRange(1, 4).Draw(t, "need")
		c.says("alice laptop", PolicySet{Name: ApprovalsPolicy, Value: fmt.Sprint(need)})
		author := func() string {
			return rapid.SampledFrom([]string{"alice laptop", "bob", "frank", "gina", "carol"}).Draw(t, "author")
		}
		try := func(by string, st Statement) {
			e, err := Sign(key(by), c.s.Next(), c.s.Head(), c.now, st)
			if err != nil {
				t.Fatal(err)
			}
			ends, wiped := c.s.Ends, c.s.Wiped
			if c.s.Check(e) != nil {
				return
			}
			foretold := ends(e)
			w, effective := wiped(e)
			c.apply(e)
			for _, id := range foretold {
				if c.s.ActiveDevice(id) {
					t.Fatalf("%T was to end a device, which is active", st)
				}
			}
			if effective && c.wipeOf(w.Index).Effective.IsZero() {
				t.Fatalf("%T was to put order %d into effect", st, w.Index)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"order": func(*rapid.T) { try(author(), c.wipeAll(rapid.SampledFrom(people).Draw(t, "whom"))) },
			"approve": func(*rapid.T) {
				if all := c.s.Wipes(); len(all) > 0 {
					try(author(), WipeApproved{Order: rapid.SampledFrom(all).Draw(t, "which").Index})
				}
			},
			"withdraw": func(*rapid.T) {
				if all := c.s.Wipes(); len(all) > 0 {
					try(author(), WipeWithdrawn{Order: rapid.SampledFrom(all).Draw(t, "which").Index})
				}
			},
			"role": func(*rapid.T) {
				role := rapid.SampledFrom([]matter.Role{matter.RoleAdmin, matter.RoleMember}).Draw(t, "role")
				try("alice laptop", RoleChanged{Member: person(rapid.SampledFrom(people).Draw(t, "of")), Role: role})
			},
			"": func(t *rapid.T) {
				for _, w := range c.s.Wipes() {
					if w.Effective.IsZero() {
						continue
					}
					if w.Withdrawn || len(w.Approvals) < w.Need {
						t.Fatalf("in effect: %+v", w)
					}
				}
				if !c.s.ActiveDevice(c.deviceID("alice laptop")) {
					t.Fatal("the only owner is gone")
				}
			},
		})
	})
}

// A fataler lets a company live in a property.
type fataler struct {
	testing.TB
	t *rapid.T
}

func (f fataler) Helper()                      { f.t.Helper() }
func (f fataler) Fatal(args ...any)            { f.t.Fatal(args...) }
func (f fataler) Fatalf(s string, args ...any) { f.t.Fatalf(s, args...) }
func (f fataler) Errorf(s string, args ...any) { f.t.Errorf(s, args...) }
