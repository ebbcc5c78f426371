package orglog

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"causa/internal/fault"
)

func testInvites() map[string]Invite {
	pin := [32]byte{1, 2, 3}
	return map[string]Invite{
		"join":     {Hub: "https://hub.example.com/", Pin: pin, Org: Hash{9}, Key: key("invite")},
		"found":    {Hub: "127.0.0.1:8440", Pin: pin, Key: key("founding")},
		"IPv6":     {Hub: "wss://[2001:db8::1]:8440", Pin: pin, Org: Hash{9}, Key: key("invite")},
		"Chinese":  {Hub: "wss://事务所.example:443", Pin: pin, Org: Hash{9}, Key: key("invite")},
		"hostname": {Hub: "hub:443", Pin: pin, Org: Hash{9}, Key: key("invite")},
	}
}

func TestInviteLink(t *testing.T) {
	for name, want := range testInvites() {
		t.Run(name, func(t *testing.T) {
			link := want.Link()
			wrapped := link[:40] + "\r\n" + link[40:70] + "\n\t " + link[70:]
			for _, pasted := range []string{
				link, "  " + link + "\n", "<" + link + ">", "“" + link + "”\u200b", wrapped,
				strings.ReplaceAll(link, "&", "&amp;"), strings.Replace(link, "causa://", "CAUSA://", 1),
				link + "&later=1",
			} {
				got, err := ParseInvite(pasted)
				if err != nil {
					t.Fatalf("ParseInvite(%q): %v", pasted, err)
				}
				if got.Hub != want.Hub || got.Pin != want.Pin || got.Org != want.Org || !got.Key.Equal(want.Key) {
					t.Fatalf("ParseInvite(%q) gave another invite", pasted)
				}
				if got.Founding() != (name == "found") || !got.Public().Equal(want.Public()) {
					t.Error("Founding or Public is wrong")
				}
			}
		})
	}
}

func TestParseInviteRefuses(t *testing.T) {
	join, found := testInvites()["join"], testInvites()["found"]
	good := join.Link()
	with := func(change func(*Invite)) string {
		i := join
		change(&i)
		return i.Link()
	}
	tests := []struct {
		name string
		in   string
		want error
	}{
		{"nothing", "", ErrNotALink},
		{"a web page", "https://example.com/?key=1", ErrNotALink},
		{"words", "please join us", ErrNotALink},
		{"a novel", "causa://join?hub=" + strings.Repeat("a", 5000), ErrNotALink},
		{"another kind", strings.Replace(good, "join", "wipe", 1), ErrLinkKind},
		{"only the beginning", "causa://jo", ErrLinkCut},
		{"no parameters", "causa://join", ErrLinkCut},
		{"no key", good[:strings.Index(good, "&key")], ErrLinkCut},
		{"no organisation", strings.Replace(good, "&org=", "&x=", 1), ErrLinkCut},
		{"no hub", strings.Replace(good, "hub=", "x=", 1), ErrLinkCut},
		{"last character missing", good[:len(good)-1], ErrLinkCut},
		{"a character too many", good + "A", ErrLinkDamaged},
		{"a joining link as a founding one", strings.Replace(good, "join", "found", 1), ErrLinkDamaged},
		{"a founding link as a joining one", strings.Replace(found.Link(), "found", "join", 1), ErrLinkCut},
		{"a founding link with an organisation", found.Link() + "&org=" + b64(make([]byte, 32)), ErrLinkDamaged},
		{
			"a joining link of no organisation",
			strings.Replace(found.Link(), "found", "join", 1) + "&org=" + b64(make([]byte, 32)), ErrLinkDamaged,
		},
		{"another hub", strings.Replace(good, "example.com", "example.org", 1), ErrLinkDamaged},
		{"key twice", good + "&key=" + good[strings.Index(good, "key=")+4:], ErrLinkDamaged},
		{"bad escape", good + "&x=%zz", ErrLinkDamaged},
		{"plain http", with(func(i *Invite) { i.Hub = "http://hub.example.com" }), ErrLinkDamaged},
		{"no port", with(func(i *Invite) { i.Hub = "hub.example.com" }), ErrLinkDamaged},
		{"port 0", with(func(i *Invite) { i.Hub = "hub.example.com:0" }), ErrLinkDamaged},
		{"port too high", with(func(i *Invite) { i.Hub = "https://hub.example.com:65536" }), ErrLinkDamaged},
		{"password in the hub", with(func(i *Invite) { i.Hub = "https://me:pw@hub.example.com" }), ErrLinkDamaged},
		{"path in the hub", with(func(i *Invite) { i.Hub = "https://hub.example.com/causa" }), ErrLinkDamaged},
		{"question in the hub", with(func(i *Invite) { i.Hub = "https://hub.example.com/?q=1" }), ErrLinkDamaged},
		{"endless hub", with(func(i *Invite) { i.Hub = "https://" + strings.Repeat("a", 1100) }), ErrLinkDamaged},
	}
	said := map[string]error{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseInvite(tt.in)
			if got != nil || !errors.Is(err, tt.want) {
				t.Errorf("ParseInvite: %v, want %v", err, tt.want)
			}
			text, hint := fault.Words(err, nil)
			if text == fault.General || hint == "" {
				t.Errorf("words = %q, %q", text, hint)
			}
			if said[text] == nil {
				said[text] = tt.want
			}
			if !errors.Is(said[text], tt.want) {
				t.Errorf("%v and %v have the same words", said[text], tt.want)
			}
			if tt.in != "" && strings.Contains(err.Error(), tt.in) {
				t.Error("the error repeats the link")
			}
		})
	}
}

// One wrong character anywhere is noticed.
func TestInviteLinkChecksum(t *testing.T) {
	i := testInvites()["join"]
	link := i.Link()
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(link)-1).Draw(t, "at")
		wrong := link[:at] + string(rapid.SampledFrom([]byte("abzAZ09-_")).Draw(t, "wrong")) + link[at+1:]
		got, err := ParseInvite(wrong)
		if err == nil && !strings.EqualFold(wrong, link) {
			t.Fatalf("took %q as %q", wrong, got.Link())
		}
	})
}

func TestInviteHidesItself(t *testing.T) {
	i := testInvites()["join"]
	seed := i.Key.Seed()
	for _, s := range []string{
		fmt.Sprint(i), fmt.Sprintf("%v %+v %#v %s %q %x %d", i, i, i, i, i, i, i), fmt.Sprintf("%+v", &i),
	} {
		decimal := fmt.Sprintf("%d %d %d", seed[0], seed[1], seed[2])
		if strings.Contains(s, "hub") || strings.Contains(s, fmt.Sprintf("%x", seed[:4])) || strings.Contains(s, decimal) {
			t.Errorf("an invite prints as %q", s)
		}
	}
	if b, err := json.Marshal(i); err == nil {
		t.Errorf("an invite marshals as %s", b)
	}
}

func FuzzParseInvite(f *testing.F) {
	for _, i := range testInvites() {
		f.Add(i.Link())
	}
	f.Add("causa://join?hub=&pin=&org=&key=")
	f.Fuzz(func(t *testing.T, s string) {
		i, err := ParseInvite(s)
		if err != nil {
			var words *fault.Error
			if !errors.As(err, &words) {
				t.Fatalf("no words: %v", err)
			}
			return
		}
		again, err := ParseInvite(i.Link())
		if err != nil {
			t.Fatalf("ParseInvite of its own link: %v", err)
		}
		if diff := cmp.Diff(i.Link(), again.Link()); diff != "" {
			t.Fatal(diff)
		}
	})
}
