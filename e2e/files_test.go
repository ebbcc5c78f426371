package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fileSize is how large the file of TestFileSurvivesKills is. By hand:
//
//	go test ./e2e -run TestFileSurvivesKills -timeout 30m -args -file-mib 2048
var fileSize = flag.Int("file-mib", 48, "MiB of the file that is sent over kills")

// bigFile writes a file of noise, which no two parts of are alike.
func bigFile(t *testing.T, mib int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "big.bin")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	r, part := rand.NewChaCha8([32]byte{7}), make([]byte, 1<<20)
	for range mib {
		_, _ = r.Read(part) // never fails
		if _, err := f.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// untilMoved runs causactl until it tells that a file has come so far, and then calls
// end. It returns how the command ended.
func (c *company) untilMoved(member string, bytesMoved int64, end func(*exec.Cmd), args ...string) error {
	c.t.Helper()
	cmd := c.causactl(c.t.Context(), member, append([]string{"--json"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	ended := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var p struct {
			Progress string `json:"progress"`
			Done     int64  `json:"done"`
		}
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			break // cut off by the kill
		}
		if p.Progress != "" && p.Done >= bytesMoved && !ended {
			ended = true
			end(cmd)
		}
	}
	err = cmd.Wait()
	if !ended {
		c.t.Fatalf("%s: causactl %s ended before it was to be disturbed: %v\n%s", member, strings.Join(args, " "), err, stderr.Bytes())
	}
	if err != nil {
		return errors.Join(err, errors.New(stderr.String()))
	}
	return nil
}

// TestFileSurvivesKills sends a file and fetches it while hub and devices are killed on
// the way, and the hub's copy is altered in the end.
func TestFileSurvivesKills(t *testing.T) {
	c := newCompany(t, "Alice", "Bob")
	c.patience = "2m"
	c.must("Alice", "matter", "open", "work", "--with", "Bob")
	c.must("Bob", "log", "work")
	path := bigFile(t, *fileSize)
	total := int64(*fileSize) << 20
	kill := func(cmd *exec.Cmd) { _ = cmd.Process.Kill() } // Wait tells
	restartHub := func(*exec.Cmd) {
		if err := errors.Join(c.hub.Kill(), c.hub.Start(t.Context())); err != nil {
			t.Error(err)
		}
	}

	if err := c.untilMoved("Alice", total/4, kill, "file", "send", "work", path); err == nil {
		t.Error("the device was not killed")
	}
	if err := c.untilMoved("Alice", total/2, restartHub, "file", "send", "work"); err != nil {
		t.Errorf("send while the hub is killed: %v", err)
	}
	to := t.TempDir()
	if err := c.untilMoved("Bob", total/4, kill, "file", "get", "work", "big.bin", "-o", to); err == nil {
		t.Error("the device was not killed")
	}
	if left, err := filepath.Glob(filepath.Join(to, "big*")); err != nil || len(left) > 0 {
		t.Errorf("after a kill %q has a name that only a whole file may have", left)
	}
	if err := c.untilMoved("Bob", total/2, restartHub, "file", "get", "work", "big.bin", "-o", to); err != nil {
		t.Errorf("get while the hub is killed: %v", err)
	}
	if !sameFiles(t, path, filepath.Join(to, "big.bin")) {
		t.Error("Bob has another file")
	}
	if left, err := os.ReadDir(to); err != nil || len(left) != 1 {
		t.Errorf("beside the file something is left: %v, %v", left, err)
	}

	// One byte altered at the hub.
	blobs, err := filepath.Glob(filepath.Join(c.hubData(), "blobs", "*", "*.d-*"))
	if err != nil || len(blobs) != 1 {
		t.Fatalf("blobs at the hub: %q, %v", blobs, err)
	}
	f, err := os.OpenFile(blobs[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	_, err = f.ReadAt(b, total/2)
	b[0] ^= 1
	_, err2 := f.WriteAt(b, total/2)
	if err := errors.Join(err, err2, f.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = run(c.causactl(t.Context(), "Bob", "file", "get", "work", "big.bin", "-o", filepath.Join(to, "again.bin")))
	if err == nil || !strings.Contains(err.Error(), "This file is not the one that was sent.") {
		t.Errorf("an altered file: %v", err)
	}
	if _, err := os.Stat(filepath.Join(to, "again.bin")); err == nil {
		t.Error("an altered file was saved")
	}
}

// TestFileChangesOnItsWay: what somebody did not choose to send is not sent.
func TestFileChangesOnItsWay(t *testing.T) {
	c := newCompany(t, "Alice")
	c.must("Alice", "matter", "open", "work")
	path := bigFile(t, 32)
	change := func(*exec.Cmd) {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err == nil {
			_, err = f.WriteAt([]byte("changed"), 31<<20)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Error(err)
		}
	}
	err := c.untilMoved("Alice", 4<<20, change, "file", "send", "work", path)
	if err == nil || !strings.Contains(err.Error(), "Nothing was sent") {
		t.Errorf("a file that changes: %v", err)
	}
	if out := c.must("Alice", "file", "list", "work"); out != "" {
		t.Errorf("it was sent: %s", out)
	}
	if blobs, err := filepath.Glob(filepath.Join(c.hubData(), "*", "*", "*.d-*")); err != nil || len(blobs) > 0 {
		t.Errorf("the hub keeps %q, %v", blobs, err)
	}
}

func sameFiles(t *testing.T, a, b string) bool {
	t.Helper()
	f, err := os.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	g, err := os.Open(b)
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]byte, 1<<20), make([]byte, 1<<20)
	for {
		n, err := f.Read(x)
		m, _ := g.Read(y[:max(n, 1)])
		if n != m || !bytes.Equal(x[:n], y[:m]) {
			return false
		}
		if err != nil {
			return errors.Join(f.Close(), g.Close()) == nil
		}
	}
}
