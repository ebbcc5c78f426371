package core_test

import (
	"errors"
	"slices"
	"testing"

	"causa/internal/fault"
	"causa/matter"
)

// The policy decides the suite of new matters; those that exist keep theirs, and people
// come into both kinds, also with devices that were there before the policy.
func TestSuiteByPolicy(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	suite := func(id matter.ID) string {
		t.Helper()
		name, err := alice.CipherSuite(co.ctx(), id)
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	before := co.start(alice, "hybrid by default", bob)
	if got := suite(before); got != "0xF001" {
		t.Errorf("suite without a policy = %s, want 0xF001", got)
	}
	if err := alice.SetPolicy(co.ctx(), "mls.suite", "0x0001"); err != nil {
		t.Fatal(err)
	}
	co.sync(bob)
	classic := co.start(bob, "classic by policy", alice)
	co.sync(alice)
	if got := suite(classic); got != "0x0001" {
		t.Errorf("suite by policy = %s, want 0x0001", got)
	}
	carol := co.invite(alice, "Carol")
	co.sync(alice, bob)
	for _, id := range []matter.ID{before, classic} {
		if err := bob.AddParticipants(co.ctx(), id, []matter.MemberID{carol.Me().Member.ID}); err != nil {
			t.Fatal(err)
		}
		if err := bob.WaitParticipants(co.ctx(), id); err != nil {
			t.Fatal(err)
		}
		co.say(bob, id, "welcome")
		co.sync(bob, carol)
		if !slices.Contains(co.texts(carol, id), "Bob: welcome") {
			t.Errorf("Carol reads %q", co.texts(carol, id))
		}
	}
	if got := suite(before); got != "0xF001" {
		t.Errorf("an existing matter's suite became %s", got)
	}
	if err := alice.SetPolicy(co.ctx(), "mls.suite", ""); err != nil {
		t.Fatal(err)
	}
	if got := suite(co.start(alice, "hybrid again", bob)); got != "0xF001" {
		t.Errorf("suite after the policy was taken back = %s, want 0xF001", got)
	}
}

func TestPolicyRefusals(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	for _, tt := range []struct {
		what string
		err  error
		want string
	}{
		{"unknown name", alice.SetPolicy(co.ctx(), "mls.sweet", "0x0001"), "There is no policy called “%s”."},
		{"unknown suite", alice.SetPolicy(co.ctx(), "mls.suite", "0x0004"), "There is no cipher suite “%s”."},
		{"by a member", bob.SetPolicy(co.ctx(), "mls.suite", "0x0001"), "Your role does not allow this."},
	} {
		var f *fault.Error
		if !errors.As(tt.err, &f) || f.Text != tt.want {
			t.Errorf("%s: %v, want %q", tt.what, tt.err, tt.want)
		}
	}
}
