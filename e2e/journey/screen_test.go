package journey

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tools are the programs a journey needs, by Debian package.
var tools = map[string]string{"Xvfb": "xvfb", "openbox": "openbox", "xdotool": "xdotool", "xclip": "xclip", "import": "imagemagick"}

// A screen is an X server without a monitor, with a window manager on it.
type screen struct {
	t       *testing.T
	display string
	dir     string
	extra   []string // further environment
}

// newScreen starts a screen that ends with the test.
func newScreen(t *testing.T, width, height int) *screen {
	t.Helper()
	s := &screen{t: t, dir: t.TempDir()}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	x := exec.CommandContext(t.Context(), "Xvfb", "-displayfd", "3", "-screen", "0", fmt.Sprintf("%dx%dx24", width, height), "-nolisten", "tcp")
	x.ExtraFiles = []*os.File{w}
	s.start(x)
	_ = w.Close() // Xvfb has its own
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb names no display: %v", err)
	}
	_ = r.Close() // the number was all
	s.display = ":" + strings.TrimSpace(number)
	wm := exec.CommandContext(t.Context(), "openbox", "--sm-disable")
	wm.Env, wm.Stderr = s.env(), os.Stderr
	s.start(wm)
	s.wait("the window manager", func() bool { return s.try("xdotool", "get_desktop") == nil })
	return s
}

// start starts a program and ends it with the test.
func (s *screen) start(c *exec.Cmd) {
	s.t.Helper()
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = c.Process.Kill() // it may be gone already
		_ = c.Wait()
	})
}

// env is the environment of programs on the screen: no session bus, one scale.
func (s *screen) env(more ...string) []string {
	env := []string{"DISPLAY=" + s.display, "DBUS_SESSION_BUS_ADDRESS=disabled:", "FYNE_SCALE=1", "LC_ALL=C.UTF-8", "XDG_CONFIG_HOME=" + s.dir, "LIBGL_ALWAYS_SOFTWARE=1"}
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "XDG_RUNTIME_DIR"} {
		env = append(env, name+"="+os.Getenv(name))
	}
	return append(append(env, s.extra...), more...)
}

func (s *screen) try(name string, args ...string) error {
	c := exec.CommandContext(s.t.Context(), name, args...)
	c.Env = s.env()
	return c.Run()
}

func (s *screen) run(name string, args ...string) string {
	s.t.Helper()
	c := exec.CommandContext(s.t.Context(), name, args...)
	c.Env = s.env()
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		s.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said.String())
	}
	return strings.TrimSpace(string(out))
}

// patience is how long anything may take on a machine that does ten things at once.
const patience = 60 * time.Second

func (s *screen) wait(what string, done func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if done() {
			return
		}
	}
	s.t.Fatalf("waited in vain for %s", what)
}

// copy puts text on the clipboard.
func (s *screen) copy(text string) {
	s.t.Helper()
	c := exec.CommandContext(s.t.Context(), "xclip", "-selection", "clipboard", "-i")
	c.Env = s.env()
	c.Stdin = strings.NewReader(text)
	if err := c.Run(); err != nil {
		s.t.Fatal(err)
	}
}

// pasted returns what is on the clipboard.
func (s *screen) pasted() string {
	c := exec.CommandContext(s.t.Context(), "xclip", "-selection", "clipboard", "-o")
	c.Env = s.env()
	out, err := c.Output()
	if err != nil {
		return "" // nothing on it yet
	}
	return string(out)
}

// A window is one running app.
type window struct {
	*screen
	name string
	id   string
	cmd  *exec.Cmd
	log  *os.File
	gone chan error
}

// open runs the app and waits for its window.
func (s *screen) open(name, program string, args ...string) *window {
	s.t.Helper()
	w := &window{screen: s, name: name, gone: make(chan error, 1)}
	var err error
	if w.log, err = os.Create(filepath.Join(s.dir, name+".log")); err != nil {
		s.t.Fatal(err)
	}
	w.cmd = exec.CommandContext(s.t.Context(), program, args...)
	w.cmd.Env, w.cmd.Stderr, w.cmd.Stdout = s.env(), w.log, w.log
	if err := w.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { w.gone <- w.cmd.Wait() }()
	s.t.Cleanup(func() {
		_ = w.cmd.Process.Kill() // it may be gone already
		if s.t.Failed() {
			said, _ := os.ReadFile(w.log.Name())
			s.t.Logf("%s said:\n%s", name, said)
		}
	})
	s.wait("the window of "+name, func() bool {
		c := exec.CommandContext(s.t.Context(), "xdotool", "search", "--onlyvisible", "--pid", fmt.Sprint(w.cmd.Process.Pid))
		c.Env = s.env()
		out, err := c.Output()
		w.id, _, _ = strings.Cut(strings.TrimSpace(string(out)), "\n")
		return err == nil && w.id != ""
	})
	time.Sleep(pause) // the first picture
	return w
}

// pause is what the app gets to draw what it was told.
const pause = 700 * time.Millisecond

// place moves the window and gives it a size.
func (w *window) place(x, y, width, height int) {
	w.t.Helper()
	w.run("xdotool", "windowsize", w.id, fmt.Sprint(width), fmt.Sprint(height))
	w.run("xdotool", "windowmove", w.id, fmt.Sprint(x), fmt.Sprint(y))
	time.Sleep(pause)
}

// front gives the window the keyboard.
func (w *window) front() {
	w.t.Helper()
	w.run("xdotool", "windowactivate", "--sync", w.id)
	time.Sleep(pause / 2)
}

// keys presses keys, one after the other.
func (w *window) keys(names ...string) {
	w.t.Helper()
	for _, n := range names {
		w.run("xdotool", "key", "--clearmodifiers", n)
		time.Sleep(80 * time.Millisecond)
	}
	time.Sleep(pause / 2)
}

// types types Latin letters.
func (w *window) types(text string) {
	w.t.Helper()
	w.run("xdotool", "type", "--delay", "25", text)
	time.Sleep(pause / 2)
}

// paste puts text into what has the keyboard; xdotool can't type Chinese.
func (w *window) paste(text string) {
	w.t.Helper()
	w.copy(text)
	w.keys("ctrl+v")
}

// click presses the left button at a place in the window.
func (w *window) click(x, y int) {
	w.t.Helper()
	w.run("xdotool", "mousemove", "--window", w.id, fmt.Sprint(x), fmt.Sprint(y), "click", "1")
	time.Sleep(pause)
}

// away moves the pointer to where nothing lights up under it.
func (w *window) away() {
	w.t.Helper()
	w.run("xdotool", "mousemove", "--window", w.id, "640", "3")
}

func (w *window) title() string { return w.run("xdotool", "getwindowname", w.id) }

// titled waits until the window's title has some words in it.
func (w *window) titled(words string) {
	w.t.Helper()
	w.wait(fmt.Sprintf("%q in the title of %s, which is %q", words, w.name, w.title()), func() bool { return strings.Contains(w.title(), words) })
}

// picture keeps how the window looks as NAME.png where the pictures go.
func (w *window) picture(name string) {
	w.t.Helper()
	w.away()
	time.Sleep(pause)
	dir := *screenshots
	if dir == "" {
		dir = w.dir
	}
	file := filepath.Join(dir, name+".png")
	w.run("import", "-window", w.id, "-strip", "-define", "png:compression-level=9", file)
	if info, err := os.Stat(file); err != nil || info.Size() < 10<<10 {
		w.t.Errorf("the picture %s shows nothing", name) // one colour compresses to less
	}
}

// close closes the window as a person does, by the window manager's shortcut, and waits
// until the app has ended.
func (w *window) close() {
	w.t.Helper()
	w.front()
	w.run("xdotool", "key", "--clearmodifiers", "alt+F4")
	select {
	case err := <-w.gone:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			w.t.Error(err)
		}
	case <-time.After(patience):
		w.t.Errorf("%s does not end after its window was closed", w.name)
	}
}

// available says whether all tools are there; without them the test is skipped, but
// never where everything has to run.
func available(t *testing.T) {
	t.Helper()
	for tool, pkg := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing", tool)
			}
			t.Skipf("%s is missing: apt-get install %s", tool, pkg)
		}
	}
}

// build builds a program of this tree.
func build(t *testing.T, dir, name, pkg string) string {
	t.Helper()
	out := filepath.Join(dir, name)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "go", "build", "-o", out, pkg)
	c.Dir = "../.."
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, said)
	}
	return out
}
