package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"causa/e2e/rig"
)

// scriptsTimeout bounds all scripts together, whatever go test's own timeout is.
const scriptsTimeout = 10 * time.Minute

// TestScripts runs testdata/script. Beside testscript's own commands there are:
//
//	hub start|restart|stop|kill NAME   a hub with its data in $WORK/NAME; start sets
//	                                   $NAME_link (founding) and $NAME_addr
//	causactl -as NAME ARGUMENT...      causactl with its home in $WORK/home-NAME
//	watch start|stop|kill NAME         "causactl watch" as that person, in the background
//	watch seen NAME PATTERN            waits until that printed a line that matches
//	watch unseen NAME PATTERN          makes sure that nothing it printed so far matches
//	capture VARIABLE PATTERN           sets a variable from the last standard output
//	await PATTERN causactl ...         runs causactl until what it prints matches
//	holds FOLDER WORD                  some file below the folder contains the word
//	letters FILE COUNT                 writes a file of that many bytes of text
//
// Each may be negated with ! where that means something.
func TestScripts(t *testing.T) {
	deadline := time.Now().Add(scriptsTimeout)
	if d, ok := t.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		RequireUniqueNames: true,
		Deadline:           deadline,
		Setup:              setup,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"hub":      cmdHub,
			"causactl": cmdCausactl,
			"watch":    cmdWatch,
			"capture":  cmdCapture,
			"await":    cmdAwait,
			"holds":    cmdHolds,
			"letters":  cmdLetters,
		},
	})
}

type runningKey struct{}

// running are the processes of one script, by name.
type running struct {
	hubs    map[string]*rig.Hub
	watches map[string]*rig.Process
}

func runningIn(ts *testscript.TestScript) running {
	r, ok := ts.Value(runningKey{}).(running)
	if !ok {
		ts.Fatalf("this script was not set up")
	}
	return r
}

func setup(env *testscript.Env) error {
	r := running{hubs: map[string]*rig.Hub{}, watches: map[string]*rig.Process{}}
	env.Values[runningKey{}] = r
	env.Defer(func() {
		for name, w := range r.watches {
			if err := w.Kill(); err != nil {
				fmt.Fprintf(os.Stderr, "watch %s: %v\n", name, err)
			}
		}
		for name, h := range r.hubs {
			if err := h.Kill(); err != nil {
				fmt.Fprintf(os.Stderr, "hub %s: %v\n", name, err)
			}
		}
	})
	home := filepath.Join(env.WorkDir, "person")
	env.Vars = append(env.Vars,
		// For scripts that run causactl in the background, through exec.
		"PATH="+filepath.Dir(programs.Causactl)+string(os.PathListSeparator)+os.Getenv("PATH"),
		"LANG=en_US.UTF-8", "LC_ALL=", "LANGUAGE=",
		// A window of quiet hours, in UTC, that covers the time of every script.
		"around_now="+time.Now().UTC().Add(-time.Hour).Format("15:04")+"-"+time.Now().UTC().Add(3*time.Hour).Format("15:04"),
		// Nothing of the person who runs the tests: no settings, no keystore.
		"HOME="+home, "XDG_CONFIG_HOME="+filepath.Join(home, "config"),
		"XDG_DATA_HOME="+filepath.Join(home, "data"), "XDG_RUNTIME_DIR="+filepath.Join(home, "run"),
		"DBUS_SESSION_BUS_ADDRESS=", "DISPLAY=", "WAYLAND_DISPLAY=",
	)
	return os.MkdirAll(home, 0o700)
}

func cmdHub(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: hub start|restart|stop|kill NAME")
	}
	verb, name := args[0], args[1]
	h := runningIn(ts).hubs[name]
	if h == nil && verb != "start" {
		ts.Fatalf("hub %s was never started", name)
	}
	var err error
	switch verb {
	case "start":
		if h != nil {
			ts.Fatalf("hub %s was started before: use hub restart", name)
		}
		err = startHub(ts, name, args[2:])
	case "restart":
		if h.Running() {
			err = h.Stop()
		}
		if err == nil {
			err = h.Start(scriptContext(ts))
		}
	case "stop":
		err = h.Stop()
	case "kill":
		if !h.Running() {
			ts.Fatalf("hub %s does not run", name)
		}
		err = h.Kill()
	default:
		ts.Fatalf("hub %s: start, restart, stop or kill?", verb)
	}
	judge(ts, neg, err, "hub "+verb)
}

func startHub(ts *testscript.TestScript, name string, args []string) error {
	h, err := rig.StartHub(scriptContext(ts), rig.HubOptions{
		Program: programs.Hub,
		Data:    ts.MkAbs(name),
		Env:     environment(ts),
		Args:    args,
	})
	if err != nil {
		return err
	}
	runningIn(ts).hubs[name] = h
	ts.Setenv(name+"_addr", h.Addr())
	link, err := h.Link(scriptContext(ts))
	if err != nil {
		return err
	}
	ts.Setenv(name+"_link", link)
	return nil
}

func cmdCausactl(ts *testscript.TestScript, neg bool, args []string) {
	judge(ts, neg, ts.Exec(programs.Causactl, asPerson(ts, args)...), "causactl")
}

// asPerson turns "-as alice ..." into "--home $WORK/home-alice ...".
func asPerson(ts *testscript.TestScript, args []string) []string {
	if len(args) < 3 || args[0] != "-as" {
		ts.Fatalf("usage: causactl -as NAME COMMAND [ARGUMENT...]")
	}
	return append([]string{"--home", personHome(ts, args[1])}, args[2:]...)
}

func personHome(ts *testscript.TestScript, name string) string {
	return filepath.Join(ts.Getenv("WORK"), "home-"+name)
}

// judge ends the script unless err is there exactly when it was asked for. A command
// that was ended by a signal is no success of "!".
func judge(ts *testscript.TestScript, neg bool, err error, what string) {
	switch {
	case err == nil && neg:
		ts.Fatalf("%s succeeded, and should not have", what)
	case err != nil && !neg:
		ts.Fatalf("%s: %v", what, err)
	case err != nil && killed(err):
		ts.Fatalf("%s crashed: %v", what, err)
	}
}

func cmdWatch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: watch start|stop|kill NAME, or: watch seen NAME PATTERN")
	}
	verb, name := args[0], args[1]
	watches := runningIn(ts).watches
	w := watches[name]
	if w == nil && verb != "start" {
		ts.Fatalf("%s does not watch", name)
	}
	var err error
	switch verb {
	case "start":
		cmd := exec.CommandContext(scriptContext(ts), programs.Causactl,
			"--home", personHome(ts, name), "--json", "watch")
		cmd.Env = environment(ts)
		if watches[name], err = rig.StartProcess(cmd); err == nil {
			_, err = watches[name].Find(scriptContext(ts), online)
		}
	case "stop":
		err = w.Stop()
	case "kill":
		err = w.Kill()
	case "seen":
		if len(args) != 3 {
			ts.Fatalf("usage: watch seen NAME PATTERN")
		}
		var pattern *regexp.Regexp
		if pattern, err = regexp.Compile(args[2]); err == nil {
			_, err = w.Find(scriptContext(ts), pattern)
		}
	case "unseen":
		if len(args) != 3 {
			ts.Fatalf("usage: watch unseen NAME PATTERN")
		}
		var pattern *regexp.Regexp
		if pattern, err = regexp.Compile(args[2]); err == nil && pattern.MatchString(w.Output()) {
			err = fmt.Errorf("it has printed what matches %#q:\n%s", args[2], w.Output())
		}
	default:
		ts.Fatalf("watch %s: start, stop, kill, seen or unseen?", verb)
	}
	judge(ts, false, err, "watch "+verb)
}

// online is the line by which a watch says that it is connected.
var online = regexp.MustCompile(`"event":"status","online":true`)

func cmdCapture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture VARIABLE PATTERN")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	m := pattern.FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("no match for %#q in the last standard output", args[1])
	}
	ts.Setenv(args[0], m[len(m)-1])
}

// awaitTimeout is how long a thing that happens in the background may take.
const awaitTimeout = 30 * time.Second

func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || args[1] != "causactl" {
		ts.Fatalf("usage: await PATTERN causactl -as NAME COMMAND [ARGUMENT...]")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	command := asPerson(ts, args[2:])
	pause := 100 * time.Millisecond
	for end := time.Now().Add(awaitTimeout); ; pause = min(2*pause, 2*time.Second) {
		err := ts.Exec(programs.Causactl, command...)
		if pattern.MatchString(ts.ReadFile("stdout")) || pattern.MatchString(ts.ReadFile("stderr")) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("no match for %#q within %v: %v", args[0], awaitTimeout, err)
		}
		// Between tries, not instead of looking: each try is a process of its own.
		time.Sleep(pause)
	}
}

func cmdHolds(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: holds FOLDER WORD")
	}
	found, err := filesWith(ts.MkAbs(args[0]), args[1])
	ts.Check(err)
	switch {
	case neg && len(found) > 0:
		ts.Fatalf("%q is in %s", args[1], strings.Join(found, ", "))
	case !neg && len(found) == 0:
		ts.Fatalf("no file below %s contains %q", args[0], args[1])
	}
}

func cmdLetters(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: letters FILE COUNT")
	}
	count, err := strconv.Atoi(args[1])
	ts.Check(err)
	text := strings.Repeat("all work and no play ", count/20+1)[:count]
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}
