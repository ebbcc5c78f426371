package orglog

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"causa/internal/fault"
	"causa/matter"
)

func rename(name string) Statement { return MemberRenamed{Member: person("carol"), Name: name} }

func TestRefusesAnotherOrder(t *testing.T) {
	c := newCompany(t)
	first := c.sign("carol", rename("Carol A"))
	c.apply(first)
	c.refuses(first, ErrOrder) // again

	gap, err := Sign(key("carol"), c.s.Next()+1, c.s.Head(), c.now, rename("Carol B"))
	if err != nil {
		t.Fatal(err)
	}
	c.refuses(gap, ErrOrder)

	// Two entries for one index: the second one to come follows another log.
	x, y := c.sign("carol", rename("Carol X")), c.sign("bob", rename("Carol Y"))
	c.apply(x)
	c.refuses(y, ErrOrder)
	z, err := Sign(key("carol"), c.s.Next(), y.Hash(), c.now, rename("Carol Z"))
	if err != nil {
		t.Fatal(err)
	}
	c.refuses(z, ErrChain)

	c.refuses(c.sign("alice laptop", Founded{
		Organisation: "Coup", Member: person("alice"), Name: "Alice", DeviceKey: public("alice laptop"), DeviceName: "laptop",
	}), ErrOrder)

	empty := NewState()
	for _, e := range c.log[1:] {
		if err := empty.Apply(e); !errors.Is(err, ErrOrder) {
			t.Errorf("an empty log took entry %d: %v", e.Index, err)
		}
	}
	e, err := Sign(key("carol"), 0, Hash{}, c.now, rename("Carol"))
	if err != nil {
		t.Fatal(err)
	}
	if err := empty.Apply(e); !errors.Is(err, ErrOrder) {
		t.Errorf("a log began without a founder: %v", err)
	}
}

// Entries taken from one place of a log, or of another log, hold nowhere else.
func TestRefusesReplay(t *testing.T) {
	c, other := newCompany(t), newCompany(t)
	other.now = other.now.Add(time.Hour)
	other.says("bob", rename("Carol"))
	c.says("bob", rename("Carol"))
	// The same people in an organisation whose log went another way.
	theirs := other.sign("bob", RoleChanged{Member: person("carol"), Role: matter.RoleGuest})
	c.refuses(theirs, ErrChain)
	moved := *theirs
	moved.Previous = c.s.Head()
	c.refuses(&moved, ErrForged)

	earlier := c.log[5]
	again := *earlier
	again.Index, again.Previous, again.Time = c.s.Next(), c.s.Head(), c.now
	c.refuses(&again, ErrForged)
}

func TestRefusesForgery(t *testing.T) {
	c := newCompany(t)
	stranger := c.sign("mallory", rename("Mallory"))
	c.refuses(stranger, ErrForged)

	asBob := *stranger
	asBob.Author = c.deviceID("bob")
	c.refuses(&asBob, ErrForged)

	good := c.sign("carol", rename("Caroline"))
	for bit := range 8 * ed25519.SignatureSize {
		bad := *good
		bad.Signature = bytes.Clone(good.Signature)
		bad.Signature[bit/8] ^= 1 << (bit % 8)
		if err := c.s.Check(&bad); !errors.Is(err, ErrForged) {
			t.Fatalf("bit %d of the signature: %v", bit, err)
		}
	}
	// Any change of any byte is noticed, and no byte is free.
	raw := good.Bytes()
	for i := range raw {
		b := bytes.Clone(raw)
		b[i] ^= 1
		e, err := Decode(b)
		if err == nil {
			err = c.s.Check(e)
		}
		if err == nil {
			t.Fatalf("byte %d of an entry may change", i)
		}
	}
	c.apply(good)
}

func TestRefusesFounders(t *testing.T) {
	good := Founded{
		Organisation: "Acme", Member: person("alice"), Name: "Alice",
		DeviceKey: public("alice laptop"), DeviceName: "laptop",
	}
	tests := []struct {
		name   string
		signer string
		change func(*Founded)
		want   Rule
	}{
		{"good", "alice laptop", func(*Founded) {}, 0},
		{"another's key", "mallory", func(*Founded) {}, ErrForged},
		{"no member id", "alice laptop", func(f *Founded) { f.Member = matter.MemberID{} }, ErrMalformed},
		{"no organisation", "alice laptop", func(f *Founded) { f.Organisation = "" }, ErrName},
		{"untidy name", "alice laptop", func(f *Founded) { f.Name = " Alice" }, ErrName},
		{"reversed device", "alice laptop", func(f *Founded) { f.DeviceName = "a\u202eb" }, ErrName},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := good
			tt.change(&f)
			e, err := Sign(key(tt.signer), 0, Hash{}, start, f)
			if err != nil {
				t.Fatal(err)
			}
			c := &company{t: t, s: NewState()}
			if tt.want == 0 {
				c.apply(e)
			} else {
				c.refuses(e, tt.want)
			}
		})
	}
}

// Under a key of small order everybody can sign, so nobody may have one.
func TestRefusesWeakKeys(t *testing.T) {
	identity := ed25519.PublicKey{31: 0}
	identity[0] = 1
	anySignature := append(bytes.Clone(identity), make([]byte, 32)...)
	if !ed25519.Verify(identity, []byte("anything"), anySignature) {
		t.Fatal("this test is about nothing")
	}
	weak := []ed25519.PublicKey{identity, make([]byte, 32), order8a[:], order8b[:]}
	minusOne := ed25519.PublicKey(bytes.Repeat([]byte{0xff}, 32))
	minusOne[0], minusOne[31] = 0xec, 0x7f
	notCanonical := bytes.Clone(minusOne)
	notCanonical[0] = 0xee // 1, written as p+1
	weak = append(weak, minusOne, notCanonical)
	for _, k := range weak {
		signed := bytes.Clone(k)
		signed[31] |= 0x80
		for _, k := range [][]byte{k, signed} {
			if usable(k) {
				t.Errorf("%x is usable", k)
			}
			c := newCompany(t)
			c.refuses(c.sign("alice laptop", DeviceInvited{
				Member: person("carol"), InviteKey: k, Expires: c.now.Add(time.Hour),
			}), ErrMalformed)
		}
	}
	// The organisation of nobody: its founder's signature holds for every content.
	f := Founded{Organisation: "Acme", Member: person("alice"), Name: "Alice", DeviceKey: identity, DeviceName: "laptop"}
	e := &Entry{Time: start, Author: matter.DeviceOf(identity), Statement: f, Signature: anySignature}
	c := &company{t: t, s: NewState()}
	c.refuses(e, ErrMalformed)

	// A device of everybody: the invite's key signs for it, everybody for the entry.
	c = newCompany(t)
	c.invite("bob", "frank", matter.RoleMember, "for frank")
	st := DeviceEnrolled{Member: person("frank"), DeviceKey: identity, DeviceName: "d", InviteKey: public("for frank")}
	e = &Entry{Index: c.s.Next(), Previous: c.s.Head(), Time: c.now, Author: matter.DeviceOf(identity), Signature: anySignature}
	b, err := enrolmentSigned(c.s.OrgID(), e, st)
	if err != nil {
		t.Fatal(err)
	}
	st.InviteSignature = ed25519.Sign(key("for frank"), b)
	e.Statement = st
	c.refuses(e, ErrMalformed)

	if !usable(public("alice laptop")) || usable(nil) {
		t.Error("an honest key is not usable, or none is")
	}
}

func TestRefusesTurningBackTime(t *testing.T) {
	c := newCompany(t)
	back, err := Sign(key("carol"), c.s.Next(), c.s.Head(), c.s.Time().Add(-time.Millisecond), rename("Caroline"))
	if err != nil {
		t.Fatal(err)
	}
	c.refuses(back, ErrTime)
	same, err := c.s.Sign(key("carol"), c.s.Time().Add(-time.Hour), rename("Caroline"))
	if err != nil || !same.Time.Equal(c.s.Time()) {
		t.Fatalf("Sign with a slow clock: %v", err)
	}
	c.apply(same)
}

func TestRefusesTheGone(t *testing.T) {
	c := newCompany(t)
	c.says("bob", DeviceRevoked{Device: c.deviceID("carol"), Reason: "lost"})
	c.refuses(c.sign("carol", rename("Caroline")), ErrRevoked)
	c.refuses(c.sign("bob", DeviceRevoked{Device: c.deviceID("carol")}), ErrNoSubject)
	c.refuses(c.sign("bob", DeviceRevoked{Device: c.deviceID("mallory")}), ErrNoSubject)

	c.says("dan", MemberLeft{Member: person("dan"), Reason: "contract ended"})
	c.refuses(c.sign("dan", MemberRenamed{Member: person("dan"), Name: "Daniel"}), ErrRevoked)
	c.refuses(c.sign("bob", MemberLeft{Member: person("dan")}), ErrNoSubject)
	c.refuses(c.sign("bob", DeviceRevoked{Device: c.deviceID("dan")}), ErrNoSubject)
	c.refuses(c.sign("bob", RoleChanged{Member: person("dan"), Role: matter.RoleMember}), ErrNoSubject)
	c.refuses(c.sign("bob", DeviceInvited{
		Member: person("dan"), InviteKey: public("new"), Expires: c.now.Add(time.Hour),
	}), ErrNoSubject)
	c.refuses(c.sign("bob", MemberInvited{
		Member: person("dan"), Name: "Dan", Role: matter.RoleGuest, InviteKey: public("new"), Expires: c.now.Add(time.Hour),
	}), ErrTaken)
	if c.s.ActiveDevice(c.deviceID("dan")) || c.s.ActiveDevice(c.deviceID("carol")) || !c.s.ActiveDevice(c.deviceID("bob")) {
		t.Error("ActiveDevice is wrong")
	}
	if d, _, ok := c.s.Device(c.deviceID("dan")); !ok || !d.Revoked {
		t.Error("a device of a member who left doesn't count as revoked")
	}
}

func TestRefusesNoChange(t *testing.T) {
	c := newCompany(t)
	c.refuses(c.sign("carol", rename("carol")), ErrNoChange)
	c.refuses(c.sign("bob", RoleChanged{Member: person("carol"), Role: matter.RoleMember}), ErrNoChange)
	c.refuses(c.sign("bob", PolicySet{Name: "quiet.floor"}), ErrNoChange)
}

func TestPolicies(t *testing.T) {
	c := newCompany(t)
	c.says("bob", PolicySet{Name: "quiet.floor", Value: "22:00-07:00"})
	if v, ok := c.s.Policy("quiet.floor"); !ok || v != "22:00-07:00" {
		t.Errorf("Policy = %q, %v", v, ok)
	}
	for _, name := range []string{"", "Quiet", "a b", "办", strings.Repeat("a", 65)} {
		c.refuses(c.sign("bob", PolicySet{Name: name, Value: "x"}), ErrName)
	}
	for _, value := range []string{"a\xff", strings.Repeat("a", maxPolicyValue+1)} {
		c.refuses(c.sign("bob", PolicySet{Name: "a", Value: value}), ErrName)
	}
	longest := strings.Repeat("z", maxPolicyName)
	c.says("bob", PolicySet{Name: longest, Value: strings.Repeat("a", maxPolicyValue)})
	c.says("bob", PolicySet{Name: longest})
	c.says("bob", PolicySet{Name: "a-z_0.9", Value: "办\n"})
	c.says("bob", PolicySet{Name: "a-z_0.9"})
	for _, device := range []string{"carol", "dan", "eve"} {
		c.refuses(c.sign(device, PolicySet{Name: "a", Value: "x"}), ErrNotAllowed)
	}
	c.says("alice laptop", PolicySet{Name: "quiet.floor"})
	if v, ok := c.s.Policy("quiet.floor"); ok {
		t.Errorf("a removed policy is %q", v)
	}
}

func TestRefusesNames(t *testing.T) {
	c := newCompany(t)
	bad := []string{"", " ", "a ", "a\nb", "a\u202eb", "\u200b", "Zoe\u0308", strings.Repeat("a", 201), strings.Repeat("名", 5000), "\xff", "\u0378"}
	for _, name := range bad {
		c.refuses(c.sign("carol", rename(name)), ErrName)
		c.refuses(c.sign("bob", MemberInvited{
			Member: person("new"), Name: name, Role: matter.RoleGuest, InviteKey: public("new"), Expires: c.now.Add(time.Hour),
		}), ErrName)
		if name == "" {
			continue // a reason may be missing
		}
		c.refuses(c.sign("bob", MemberLeft{Member: person("dan"), Reason: name}), ErrName)
		c.refuses(c.sign("bob", DeviceRevoked{Device: c.deviceID("dan"), Reason: name}), ErrName)
	}
	err := c.s.Check(c.sign("carol", rename("a\u202eb")))
	var name *matter.NameError
	if !errors.As(err, &name) || name.Reason != matter.NameDirection {
		t.Errorf("the reason got lost: %v", err)
	}
	want, _ := name.Words()
	if text, _ := fault.Words(err, nil); text != want {
		t.Errorf("words = %q, want %q", text, want)
	}
}

// What a later version says is kept apart from what is wrong.
func TestStopsAtNewerEntries(t *testing.T) {
	c := newCompany(t)
	later := c.sign("bob", Unknown{Number: 77, Body: []byte("from the future")})
	c.refuses(later, ErrNewer)
	c.refuses(c.sign("bob", RoleChanged{Member: person("carol"), Role: 6}), ErrNewer)
	c.refuses(c.sign("bob", MemberInvited{
		Member: person("new"), Name: "New", Role: 9, InviteKey: public("new"), Expires: c.now.Add(time.Hour),
	}), ErrNewer)
	c.refuses(c.sign("bob", RoleChanged{Member: person("carol")}), ErrMalformed)
	c.refuses(c.sign("bob", MemberInvited{
		Member: person("new"), Name: "New", InviteKey: public("new"), Expires: c.now.Add(time.Hour),
	}), ErrMalformed)
	c.refuses(c.sign("bob", MemberInvited{
		Name: "New", Role: matter.RoleGuest, InviteKey: public("new"), Expires: c.now.Add(time.Hour),
	}), ErrMalformed)
	// Nobody but a device of the organisation can make a program believe that it is old.
	c.refuses(c.sign("mallory", Unknown{Number: 77}), ErrForged)

	raw := later.Bytes()
	if back, err := Decode(raw); err != nil || !bytes.Equal(back.Bytes(), raw) {
		t.Errorf("a newer entry can't be handed on: %v", err)
	}
	raw[0] = 2
	if _, err := Decode(raw); !errors.Is(err, ErrNewer) {
		t.Errorf("a later layout: %v", err)
	}
}

// A hand-made entry counts as what others read in its bytes.
func TestAppliesWhatIsWritten(t *testing.T) {
	c := newCompany(t)
	expires := c.now.Add(time.Hour).Add(123 * time.Microsecond)
	e := c.sign("bob", DeviceInvited{Member: person("carol"), InviteKey: public("new"), Expires: expires})
	e.Statement = &DeviceInvited{Member: person("carol"), InviteKey: public("new"), Expires: expires}
	e.Time = e.Time.Add(999 * time.Nanosecond).Local()
	c.apply(e)
	i, err := c.s.OpenInvite(public("new"), c.now)
	if err != nil || !i.Expires.Equal(expires.Truncate(time.Millisecond)) || i.Made != start.Add(9*time.Second) {
		t.Errorf("OpenInvite = %+v, %v", i, err)
	}
	c.refuses(&Entry{Index: c.s.Next(), Previous: c.s.Head(), Time: c.now, Author: c.deviceID("bob")}, ErrMalformed)
	broken := c.sign("carol", rename("x"))
	broken.Statement = DeviceInvited{Member: person("carol"), InviteKey: []byte("short"), Expires: expires}
	if b := broken.Bytes(); b != nil {
		t.Errorf("an entry with a short key is %x", b)
	}
	c.refuses(broken, ErrMalformed)
}
