// Package journey drives real windows of the app on a screen of their own, as people
// would, and takes pictures on the way.
package journey

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var screenshots = flag.String("screenshots", "", "the folder where the pictures are kept (default: nowhere)")

// Places in a window of 1280 by 800, as the golden pictures of the screens show them.
const (
	width, height = 1280, 800
	rightOfList   = 350 // the blue button above a list
	topOfList     = 32
	firstRow      = 204 // the first matter
	endButtonX    = 1138
	endButtonY    = 608 // concludes the matter
)

// TestTwoWindows is the main job end to end: somebody creates a workspace on their
// computer and invites a colleague; both talk in a matter, in Chinese and English.
func TestTwoWindows(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	available(t)
	dir := t.TempDir()
	causa, causactl := build(t, dir, "causa", "."), build(t, dir, "causactl", "./cmd/causactl")
	s := newScreen(t, 2*width+40, height+60)
	linHome, annaHome := filepath.Join(dir, "lin"), filepath.Join(dir, "anna")

	prefer(t, linHome, "light")
	prefer(t, annaHome, "dark")

	// A workspace on this computer.
	lin := s.open("lin", causa, "--home", linHome, "--lang", "zh-Hans", "--listen", freeAddress(t))
	lin.place(0, 20, width, height)
	lin.front()
	lin.picture("journey-1-welcome")
	lin.keys("Tab", "Return")
	lin.paste("恒达食品")
	lin.keys("Return")
	lin.paste("林晓")
	lin.picture("journey-2-create")
	lin.keys("Return")
	lin.titled("恒达食品")

	// An invite for a colleague.
	lin.keys("ctrl+2")
	lin.click(rightOfList, topOfList)
	lin.types("Anna Berg")
	lin.keys("Return")
	time.Sleep(pause)
	lin.picture("journey-3-invite")
	lin.keys("Return") // copies the link
	link := s.pasted()
	if !strings.HasPrefix(link, "causa://join") {
		t.Fatalf("the button copied %q", link)
	}
	lin.keys("Escape")

	// She joins on hers.
	anna := s.open("anna", causa, "--home", annaHome, "--lang", "en", link)
	anna.place(width+20, 20, width, height)
	anna.front()
	anna.picture("journey-4-join")
	anna.keys("Return")
	anna.titled("恒达食品")

	// A matter with her.
	lin.front()
	lin.keys("ctrl+1", "ctrl+n")
	const title = "与 Hengda Foods 的年度供货合同"
	lin.paste(title)
	lin.keys("Tab", "Tab", "Return") // the second class: contract
	lin.keys("Tab", "Tab", "Tab", "Tab", "Tab", "Tab")
	lin.types("anna")
	lin.keys("Return")
	lin.picture("journey-5-new-matter")
	lin.keys(slices.Repeat([]string{"shift+Tab"}, 8)...)
	lin.keys("Return")
	time.Sleep(2 * pause)
	const hello = "对方把账期从 45 天改成了 60 天，财务能接受吗？"
	lin.paste(hello)
	lin.keys("Return")

	// They talk.
	anna.titled("(1)")
	anna.front()
	anna.click(230, firstRow)
	const answer = "60 days are fine, with a late fee of LPR x 1.5."
	anna.types(answer)
	anna.keys("Return")
	lin.titled("(1)") // it has not been read: the other window is in front
	lin.front()
	const last = "好的，建议今天办结。👍"
	lin.paste(last)
	lin.keys("Return")
	time.Sleep(2 * pause)
	lin.picture("journey-6-talk-zh")
	anna.front()
	time.Sleep(pause)
	anna.picture("journey-7-talk-en")

	// It ends with a result under a stamp.
	lin.front()
	lin.click(endButtonX, endButtonY)
	const decision = "按 60 天账期签订，逾期违约金为 LPR 的 1.5 倍。"
	lin.paste(decision)
	lin.keys("Tab", "Tab", "Tab", "Return")
	time.Sleep(2 * pause)
	lin.picture("journey-8-concluded")
	anna.titled("(1)")
	anna.front()

	// Another look at it: dark, and as narrow as a phone.
	anna.place(width+20, 20, 400, height)
	anna.picture("journey-9-phone")

	// A second start brings the first one's window to the front, and ends.
	lin.front()
	s.run(causa, "--home", annaHome)
	s.wait("the first window to come to the front", func() bool { return s.run("xdotool", "getactivewindow") == anna.id })

	lin.close()
	anna.close()
	want := []string{hello, answer, last, decision}
	for _, home := range []string{linHome, annaHome} {
		if got := said(t, causactl, home, title); !slices.Equal(got, want) {
			t.Errorf("%s has %q, want %q", filepath.Base(home), got, want)
		}
	}
}

// TestGallery copies golden pictures of the screens to where the documents show them.
func TestGallery(t *testing.T) {
	if *screenshots == "" {
		t.Skip("no folder is named with -screenshots")
	}
	for from, to := range map[string]string{
		"matters-zh-light": "desktop", "matters-en-dark": "desktop-en-dark", "thread-zh-light-phone": "phone",
		"list-en-dark-phone": "phone-en-dark", "people-zh-light": "people", "settings-en-dark": "settings-en-dark",
	} {
		picture, err := os.ReadFile(filepath.Join("../../app/testdata", from+".png"))
		if err == nil {
			err = os.WriteFile(filepath.Join(*screenshots, to+".png"), picture, 0o644)
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// prefer chooses a look for a home before the app opens it.
func prefer(t *testing.T, home, mode string) {
	t.Helper()
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "preferences.json"), fmt.Appendf(nil, `{"mode":%q}`, mode), 0o600); err != nil {
		t.Fatal(err)
	}
}

// said returns the texts that a device has in a matter.
func said(t *testing.T, causactl, home, title string) (out []string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), causactl, "--home", home, "--json", "log", title)
	raw, _ := c.Output() // it ends with an error, because the hub is closed: the log is the device's own
	for line := range strings.Lines(string(raw)) {
		var m struct{ Kind, Text string }
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if m.Text != "" {
			out = append(out, m.Text)
		}
	}
	return out
}

// freeAddress returns an address of this computer that nothing listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return fmt.Sprint(l.Addr())
}
