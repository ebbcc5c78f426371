package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk mounts a file system of that many bytes for the test. Only root may do that;
// for others the test is skipped.
func smallDisk(t *testing.T, dir string, size int) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", size))
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skip("only root can mount a small disk")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount the small disk: %v", err)
		}
	})
}

// fill takes what is free in dir but for spare bytes, and returns the file to remove.
func fill(t *testing.T, dir string, spare int64) string {
	t.Helper()
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(dir, "filler")
	free := int64(fs.Bavail)*fs.Bsize - spare
	if err := os.WriteFile(filler, make([]byte, max(free, 0)), 0o600); err != nil {
		t.Fatal(err)
	}
	return filler
}

// keptWords are causactl's for a message that is safe on the device but not at the hub.
const keptWords = "kept on this device"

// sayUntilFull says things until causactl complains, and returns those accepted and what
// it said. A message that is kept on the device is accepted.
func (c *company) sayUntilFull(member, title string) (accepted []string, complaint error) {
	c.t.Helper()
	for n := range 200 {
		text := fmt.Sprintf("%d%s", n, strings.Repeat(" words and more words", 500))
		if _, err := run(c.causactl(c.t.Context(), member, "send", title, text)); err != nil {
			if strings.Contains(err.Error(), keptWords) {
				accepted = append(accepted, text)
			}
			return accepted, err
		}
		accepted = append(accepted, text)
	}
	c.t.Fatal("the disk never became full")
	return nil, nil
}

// TestFullDisks: neither a device's nor a hub's full disk loses what was accepted, and
// both go on when there is room.
func TestFullDisks(t *testing.T) {
	t.Run("device", func(t *testing.T) {
		c := prepareCompany(t, "Alice", "Bob")
		c.patience = "5s"
		smallDisk(t, c.home("Bob"), 32<<20)
		c.found()
		c.must("Alice", "matter", "open", "work", "--with", "Bob")
		c.must("Bob", "log", "work")
		filler := fill(t, c.home("Bob"), 512<<10)

		accepted, err := c.sayUntilFull("Bob", "work")
		// The last thing that fitted may have been the message itself, not its sealed form.
		if !strings.Contains(err.Error(), "The disk of this computer is full.") && !strings.Contains(err.Error(), keptWords) {
			t.Errorf("causactl says %v, want that the disk is full or the message kept", err)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		c.patience = "30s"
		c.must("Bob", "send", "work", "there is room again")
		c.compare("work", append(accepted, "there is room again"))
	})

	t.Run("hub", func(t *testing.T) {
		c := prepareCompany(t, "Alice", "Bob")
		c.patience = "5s"
		smallDisk(t, c.hubData(), 32<<20)
		c.found()
		c.must("Alice", "matter", "open", "work", "--with", "Bob")
		filler := fill(t, c.hubData(), 512<<10)

		accepted, err := c.sayUntilFull("Bob", "work")
		if !strings.Contains(err.Error(), keptWords) && !strings.Contains(err.Error(), "The hub's disk is full.") {
			t.Errorf("causactl says %v, want that the message is kept or the hub full", err)
		}
		// Reading goes on, and nothing acknowledged is gone; what is kept comes later.
		acknowledged := accepted
		if strings.Contains(err.Error(), keptWords) {
			acknowledged = accepted[:len(accepted)-1]
		}
		if got := texts(c.thread("Alice", "work")); !sameElements(got, acknowledged) {
			t.Errorf("while the hub is full Alice has %d messages, want the %d acknowledged", len(got), len(acknowledged))
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		c.patience = "30s"
		c.must("Bob", "send", "work", "there is room again")
		c.compare("work", append(accepted, "there is room again"))
	})

	t.Run("hub, with a file", func(t *testing.T) {
		c := prepareCompany(t, "Alice", "Bob")
		c.patience = "5s"
		smallDisk(t, c.hubData(), 32<<20)
		c.found()
		c.must("Alice", "matter", "open", "work", "--with", "Bob")
		path := bigFile(t, 9)
		filler := fill(t, c.hubData(), 3<<20)
		_, err := run(c.causactl(t.Context(), "Alice", "file", "send", "work", path))
		if err == nil || !strings.Contains(err.Error(), "The hub's disk is full.") || !strings.Contains(err.Error(), "queued on this device") {
			t.Errorf("causactl says %v, want that the hub's disk is full and the file queued", err)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		c.patience = "30s"
		c.must("Alice", "file", "send", "work")
		c.must("Bob", "file", "get", "work", "big.bin", "-o", filepath.Join(c.dir, "copy.bin"))
		if !sameFiles(t, path, filepath.Join(c.dir, "copy.bin")) {
			t.Error("Bob has another file")
		}
	})
}
