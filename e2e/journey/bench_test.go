package journey

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	measure  = flag.Bool("measure", false, "measure the app on a full store")
	messages = flag.Int("messages", 1_000_000, "how many messages the measured store has")
)

// What the app may take.
const (
	mostStart    = time.Second      // to a readable list, of processor time
	mostResident = 250 << 20        // bytes
	mostIdle     = 0.01             // of one processor
	mostBinary   = 40 << 20         // stripped
	idleFor      = 10 * time.Second // how long it is watched
)

// TestMeasure starts the real app on a store of a million messages and says what that
// takes. It fails over what may be taken.
func TestMeasure(t *testing.T) {
	if !*measure {
		t.Skip("takes minutes: make bench-app")
	}
	available(t)
	dir := t.TempDir()
	causa := filepath.Join(dir, "causa")
	stripped := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", causa, ".")
	stripped.Dir = "../.."
	if said, err := stripped.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, said)
	}
	info, err := os.Stat(causa)
	if err != nil {
		t.Fatal(err)
	}
	judge(t, "binary, stripped (MB)", float64(info.Size())/(1<<20), mostBinary/(1<<20))

	home := fullHome(t, dir)
	s := newScreen(t, width+40, height+60)
	best := math.Inf(1)
	for range 3 {
		w := s.open("big", causa, "--home", home, "--lang", "en")
		w.titled("Acme")
		best = min(best, w.cpu(t).Seconds())
		w.close()
	}
	judge(t, "start to a readable list (s of processor time)", best, mostStart.Seconds())

	w := s.open("big", causa, "--home", home, "--lang", "en")
	w.titled("Acme")
	w.place(0, 20, width, height)
	w.front()
	for range 5 { // look at some matters
		w.keys("alt+Down")
		w.keys("Prior", "Prior")
	}
	w.picture("bench-full-store")
	judge(t, "resident (MB)", float64(w.resident(t))/(1<<20), mostResident/(1<<20))
	for _, where := range []string{"composer", "search"} {
		if where == "search" {
			w.keys("ctrl+k")
		}
		w.away()
		time.Sleep(3 * time.Second) // what is under way ends
		before := w.cpu(t)
		time.Sleep(idleFor)
		judge(t, "idle, "+where+" focused (% of a processor)", 100*(w.cpu(t)-before).Seconds()/idleFor.Seconds(), 100*mostIdle)
	}
	w.close()
}

func judge(t *testing.T, what string, got, most float64) {
	t.Helper()
	t.Logf("%-48s %8.2f, at most %.2f", what, got, most)
	if got > most {
		t.Errorf("%s: %.2f is more than %.2f", what, got, most)
	}
}

// fullHome returns the home of a device that joined, with a full store.
func fullHome(t *testing.T, dir string) string {
	t.Helper()
	programs, home, hub := founded(t, dir)
	run := func(program string, args ...string) []byte {
		c := exec.CommandContext(t.Context(), program, args...)
		c.Dir, c.Stderr = "../..", os.Stderr
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%s %s: %v", program, strings.Join(args, " "), err)
		}
		return out
	}
	var me struct{ Member string }
	if err := json.Unmarshal(run(programs.Causactl, "--home", home, "--json", "whoami"), &me); err != nil {
		t.Fatal(err)
	}
	if err := hub.Stop(); err != nil { // it knows nothing of these matters
		t.Fatal(err)
	}
	began := time.Now()
	run("go", "run", "./internal/bigstore", "-home", home, "-self", me.Member, "-messages", strconv.Itoa(*messages))
	t.Logf("filled a store with %d messages in %.0f s", *messages, time.Since(began).Seconds())
	return home
}

// cpu returns the processor time that the app has taken.
func (w *window) cpu(t *testing.T) time.Duration {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", w.cmd.Process.Pid))
	if err != nil || len(tasks) == 0 {
		t.Skipf("this system does not tell what a process takes: %v", err)
	}
	var sum time.Duration
	for _, file := range tasks {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		ns, _, _ := strings.Cut(string(b), " ")
		n, err := strconv.ParseInt(ns, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(n)
	}
	return sum
}

// resident returns how much memory the app has, without the driver that draws in
// software where there is no graphics card.
func (w *window) resident(t *testing.T) (sum int64) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", w.cmd.Process.Pid))
	if err != nil {
		t.Skipf("this system does not tell what a process takes: %v", err)
	}
	driver := false
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		switch {
		case strings.Contains(fields[0], "-") && !strings.HasSuffix(fields[0], ":"): // a mapping
			driver = strings.Contains(line, "libLLVM") || strings.Contains(line, "swrast") || strings.Contains(line, "libgallium")
		case fields[0] == "Rss:" && !driver:
			kb, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += kb << 10
		}
	}
	return sum
}
