package journey

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"causa/e2e/rig"
)

// pinyin turns fcitx5's pinyin on from the start, without a desktop around it.
var pinyin = map[string]string{
	"profile": `[Groups/0]
Name=Default
Default Layout=us
DefaultIM=pinyin

[Groups/0/Items/0]
Name=pinyin
Layout=

[GroupOrder]
0=Default
`,
	"config": "[Behavior]\nActiveByDefault=True\nShareInputState=All\n",
}

// TestPinyin types Chinese with a real input method, in the composer, in a search field
// and in a sheet. What is being composed belongs to the input method alone: its keys
// delete nothing, send nothing and close nothing.
func TestPinyin(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	available(t)
	if _, err := exec.LookPath("fcitx5"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("fcitx5 is missing")
		}
		t.Skip("fcitx5 is missing: apt-get install fcitx5 fcitx5-chinese-addons")
	}
	dir := t.TempDir()
	causa := build(t, dir, "causa", ".")
	programs, home, _ := founded(t, dir)
	if out, err := exec.CommandContext(t.Context(), programs.Causactl, "--home", home, "matter", "open", "Spring prices").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	prefer(t, home, "light")

	s := newScreen(t, width+40, height+60)
	s.inputMethod()
	w := s.open("app", causa, "--home", home, "--lang", "zh-Hans")
	w.titled("Acme")
	w.place(0, 20, width, height)
	w.front()
	w.click(700, height-34) // the composer
	w.types("nihao")
	w.picture("journey-11-pinyin")
	w.keys("space")
	w.types("shijie")
	w.keys("BackSpace") // of the pinyin
	w.types("e")
	w.keys("space", "Return") // commits, then sends
	w.types("nihao")
	w.keys("Return") // takes the letters as they are, and sends nothing
	w.types("shi")
	w.keys("Escape") // gives the pinyin up, and leaves nothing
	w.keys("Return")

	// In a sheet: Escape ends the composition, not the sheet; Enter does not start the matter early.
	w.keys("ctrl+n")
	w.types("shijie")
	w.keys("space")
	w.types("hao")
	w.keys("Left", "BackSpace", "Escape")
	w.types("ni")
	w.keys("space")
	w.keys(slices.Repeat([]string{"shift+Tab"}, 2)...)
	w.picture("journey-12-pinyin-sheet")
	w.keys("Return")
	time.Sleep(2 * pause)

	w.close()
	if got, want := said(t, programs.Causactl, home, "Spring prices"), []string{"你好世界", "nihao"}; !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// founded returns a home whose member founded Acme on a hub, the programs, and the hub.
func founded(t *testing.T, dir string) (programs rig.Programs, home string, hub *rig.Hub) {
	t.Helper()
	programs, err := rig.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	hub, err = rig.StartHub(t.Context(), rig.HubOptions{Program: programs.Hub, Data: filepath.Join(dir, "hub")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if hub.Running() {
			_ = hub.Stop() // the test is over
		}
	})
	link, err := hub.Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	home = filepath.Join(dir, "home")
	if out, err := exec.CommandContext(t.Context(), programs.Causactl, "--home", home, "join", link, "--name", "Alice", "--org", "Acme").CombinedOutput(); err != nil {
		t.Fatalf("join: %v\n%s", err, out)
	}
	return programs, home, hub
}

// inputMethod starts fcitx5 on the screen, for all windows opened later.
func (s *screen) inputMethod() {
	s.t.Helper()
	home := s.t.TempDir()
	config := filepath.Join(home, ".config", "fcitx5")
	if err := os.MkdirAll(config, 0o700); err != nil {
		s.t.Fatal(err)
	}
	for name, text := range pinyin {
		if err := os.WriteFile(filepath.Join(config, name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	s.extra = []string{"XMODIFIERS=@im=fcitx"}
	c := exec.CommandContext(s.t.Context(), "fcitx5", "--disable=wayland,waylandim,notifications,notificationitem,kimpanel,cloudpinyin")
	c.Env = append(s.env(), "HOME="+home, "XDG_CONFIG_HOME="+filepath.Join(home, ".config"), "XDG_DATA_HOME="+filepath.Join(home, ".local", "share"))
	s.start(c)
	time.Sleep(4 * time.Second) // it tells nobody that it is ready
}
