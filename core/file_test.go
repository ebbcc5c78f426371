package core_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causa/core"
	"causa/hub"
	"causa/hub/hubtest"
	"causa/internal/fault"
	"causa/matter"
)

// noise is content that nobody can foresee, the same for one seed.
func noise(n int, seed uint64) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func (co *company) file(name string, content []byte) string {
	co.t.Helper()
	path := filepath.Join(co.t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		co.t.Fatal(err)
	}
	return path
}

// send sends a file and waits until it has its place.
func (co *company) send(c *core.Client, id matter.ID, n core.NewFile) core.FileID {
	co.t.Helper()
	m, err := c.SendFile(co.ctx(), id, n)
	if err != nil {
		co.t.Fatalf("send %s: %v", n.Path, err)
	}
	co.arrive(c, core.FileOf(m))
	return core.FileOf(m)
}

func (co *company) arrive(c *core.Client, f core.FileID) {
	co.t.Helper()
	if err := c.WaitFile(co.ctx(), f, patience, func(int64, int64) {}); err != nil {
		co.t.Fatalf("wait for the file: %v", err)
	}
}

// see waits until a client's thread has a file.
func (co *company) see(c *core.Client, f core.FileID) matter.Message {
	co.t.Helper()
	changed := make(chan struct{}, 1)
	cancel := c.Subscribe(func(core.Event) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	defer cancel()
	for ctx := co.ctx(); ; {
		ms, err := c.Files(ctx, f.Matter)
		if err != nil {
			co.t.Fatal(err)
		}
		for _, m := range ms {
			if core.FileOf(m) == f {
				return m
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			co.t.Fatalf("%s does not see the file", c.Me().Member.Name)
		}
	}
}

func (co *company) saved(c *core.Client, f core.FileID) []byte {
	co.t.Helper()
	path, err := c.SaveFile(co.ctx(), f, co.t.TempDir())
	if err != nil {
		co.t.Fatalf("save: %v", err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		co.t.Fatal(err)
	}
	return b
}

// words is what a person is told about an error.
func words(err error) string {
	if err == nil {
		return ""
	}
	text, _ := fault.Words(err, nil)
	return text
}

func TestFiles(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	id := co.start(alice, "work", bob)

	for _, size := range []int{0, 1, 64 << 10, 64<<10 + 1, 3 << 20, 9 << 20} { // the last is not copied into the store
		content := noise(size, uint64(size))
		path := co.file("年度报告.bin", content)
		f := co.send(alice, id, core.NewFile{Path: path, Caption: "see page 3"})
		m := co.see(bob, f)
		if m.Kind != matter.KindFile || m.Text != "年度报告.bin\nsee page 3" || m.File.Name != "年度报告.bin" || m.File.Caption != "see page 3" || m.File.Size != int64(size) || m.File.Here {
			t.Errorf("Bob sees %+v, %+v", m, m.File)
		}
		if got := co.saved(bob, f); !bytes.Equal(got, content) {
			t.Errorf("%d bytes: Bob saves something else", size)
		}
		if err := bob.GetFile(co.ctx(), f); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		if m := co.see(bob, f); !m.File.Here {
			t.Errorf("%d bytes: fetched, and not here", size)
		}
		if got := co.saved(bob, f); !bytes.Equal(got, content) {
			t.Errorf("%d bytes: Bob's store has something else", size)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if got := co.saved(alice, f); !bytes.Equal(got, content) {
			t.Errorf("%d bytes: Alice has something else", size)
		}
	}
	found, err := bob.Search(co.ctx(), core.Search{Text: "年度报告"})
	if err != nil || len(found) == 0 {
		t.Errorf("a file is not found by its name: %v", err)
	}
}

// What interrupts a file on its way, in either direction, does not start it anew.
func TestFileResumes(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	id := co.start(alice, "work", bob)
	content := noise(24<<20, 7)
	path := co.file("big.bin", content)

	half := make(chan struct{})
	cancel := alice.Subscribe(func(e core.Event) {
		if p, ok := e.(core.FileProgress); ok && p.Done >= 4<<20 && p.Problem == nil {
			select {
			case half <- struct{}{}:
			default:
			}
		}
	})
	m, err := alice.SendFile(co.ctx(), id, core.NewFile{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	<-half
	co.hub.Restart() // and once more, with the device
	select {
	case <-half:
	case <-time.After(patience):
		t.Fatal("the upload does not go on")
	}
	cancel()
	if err := alice.Close(); err != nil {
		t.Fatal(err)
	}
	alice = co.open("Alice")
	f := core.FileOf(m)
	co.arrive(alice, f)
	co.see(bob, f)

	half = make(chan struct{}, 1)
	cancel = bob.Subscribe(func(e core.Event) {
		if p, ok := e.(core.FileProgress); ok && p.Done >= 4<<20 {
			select {
			case half <- struct{}{}:
			default:
			}
		}
	})
	failed := make(chan error, 1)
	go func() { failed <- bob.GetFile(co.ctx(), f) }()
	<-half
	co.hub.Restart()
	if err := <-failed; err != nil {
		t.Errorf("a fetch over a restart of the hub: %v", err)
	}
	cancel()
	if got := co.saved(bob, f); !bytes.Equal(got, content) {
		t.Error("Bob has something else")
	}
}

func TestFilesOffline(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	id := co.start(alice, "work", bob)
	co.hub.Stop()
	path := co.file("note.txt", []byte("first line\nsecond line"))
	m, err := alice.SendFile(co.ctx(), id, core.NewFile{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil { // a small one is copied
		t.Fatal(err)
	}
	ms, err := alice.Messages(co.ctx(), id, core.Page{})
	if err != nil {
		t.Fatal(err)
	}
	if last := ms[len(ms)-1]; last.Delivery != matter.DeliveryQueued || last.File == nil || last.File.Name != "note.txt" {
		t.Errorf("while offline the thread ends with %+v", last)
	}
	if err := alice.Close(); err != nil {
		t.Fatal(err)
	}
	co.hub.Restart()
	alice = co.open("Alice")
	f := core.FileOf(m)
	co.arrive(alice, f)
	// A small text is fetched by itself.
	for ctx := co.ctx(); ; time.Sleep(10 * time.Millisecond) {
		if co.see(bob, f).File.Here {
			break
		}
		if ctx.Err() != nil {
			t.Fatal("Bob's device does not fetch the text")
		}
	}
	if preview, err := bob.FilePreview(co.ctx(), f); string(preview) != "first line\nsecond line" || err != nil {
		t.Errorf("preview = %q, %v", preview, err)
	}
}

// A file that changes before it has arrived is not sent.
func TestFileChanges(t *testing.T) {
	co, alice := found(t)
	id := co.start(alice, "work")
	for name, change := range map[string]func(path string) error{
		"longer":  func(path string) error { return os.WriteFile(path, noise(9<<20+1, 2), 0o600) },
		"other":   func(path string) error { return os.WriteFile(path, noise(9<<20, 2), 0o600) },
		"removed": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			co.hub.Stop()
			path := co.file("big.bin", noise(9<<20, 1))
			m, err := alice.SendFile(co.ctx(), id, core.NewFile{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			if err := change(path); err != nil {
				t.Fatal(err)
			}
			co.hub.Restart()
			f := core.FileOf(m)
			err = alice.WaitFile(co.ctx(), f, patience, func(int64, int64) {})
			if w := words(err); !strings.Contains(w, "Nothing was sent") && !strings.Contains(w, "not there any more") {
				t.Errorf("WaitFile = %v", err)
			}
			if files, err := alice.Files(co.ctx(), id); err != nil || len(files) > 0 {
				t.Errorf("%d files were sent, %v", len(files), err)
			}
			if err := alice.CancelFile(co.ctx(), f); err != nil {
				t.Error(err)
			}
			if err := alice.CancelFile(co.ctx(), f); err == nil {
				t.Error("taken back twice")
			}
		})
	}
}

// One byte altered at the hub, and nothing of the file is kept.
func TestFileAltered(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	id := co.start(alice, "work", bob)
	f := co.send(alice, id, core.NewFile{Path: co.file("contract.pdf", noise(5<<20, 3))})
	co.see(bob, f)
	blobs, err := filepath.Glob(filepath.Join(co.hub.Data(), "blobs", "*", "*.d-*"))
	if err != nil || len(blobs) != 1 {
		t.Fatalf("blobs at the hub: %q, %v", blobs, err)
	}
	b, err := os.ReadFile(blobs[0])
	if err != nil {
		t.Fatal(err)
	}
	b[3<<20] ^= 1
	if err := os.WriteFile(blobs[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := bob.SaveFile(co.ctx(), f, dir); !strings.Contains(words(err), "not the one that was sent") {
		t.Errorf("SaveFile = %v", err)
	}
	if err := bob.GetFile(co.ctx(), f); !strings.Contains(words(err), "not the one that was sent") {
		t.Errorf("GetFile = %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Size() > 0 {
			t.Errorf("%s is left with something in it", e.Name())
		}
	}
	if err := os.WriteFile(blobs[0], b[:4<<20], 0o600); err != nil { // cut short
		t.Fatal(err)
	}
	if _, err := bob.SaveFile(co.ctx(), f, dir); err == nil {
		t.Error("a file that was cut short was saved")
	}
}

func TestSaveOverwritesNothing(t *testing.T) {
	co, alice := found(t)
	id := co.start(alice, "work")
	f := co.send(alice, id, core.NewFile{Name: "../../.bashrc", Data: []byte("echo hi")})
	if name := co.see(alice, f).File.Name; name != "_.._.bashrc" {
		t.Errorf("the name is %q", name)
	}
	dir := t.TempDir()
	for _, want := range []string{"_.._.bashrc", "_.._ (2).bashrc", "_.._ (3).bashrc"} {
		if got, err := alice.SaveFile(co.ctx(), f, dir); got != filepath.Join(dir, want) || err != nil {
			t.Errorf("SaveFile = %q, %v, want %q", got, err, want)
		}
	}
	taken := filepath.Join(dir, "taken")
	if err := os.WriteFile(taken, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := alice.SaveFile(co.ctx(), f, taken); !errors.Is(err, fs.ErrExist) {
		t.Errorf("SaveFile over a file = %v", err)
	}
	if b, err := os.ReadFile(taken); string(b) != "mine" || err != nil {
		t.Errorf("a file was overwritten with %q, %v", b, err)
	}
}

func TestPreviewAndOpen(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	id := co.start(alice, "work", bob)
	img := image.NewRGBA(image.Rect(0, 0, 1200, 600))
	for x := range 1200 {
		for y := range 600 {
			img.SetRGBA(x, y, color.RGBA{uint8(x / 5), uint8(y / 3), 90, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	f := co.send(alice, id, core.NewFile{Name: "photo.png", Data: b.Bytes()})
	for ctx := co.ctx(); !co.see(bob, f).File.Preview; time.Sleep(10 * time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatal("Bob's device makes no preview")
		}
	}
	for _, c := range []*core.Client{alice, bob} {
		raw, err := c.FilePreview(co.ctx(), f)
		if err != nil {
			t.Fatal(err)
		}
		if small, _, err := image.DecodeConfig(bytes.NewReader(raw)); err != nil || small.Width != 480 || small.Height != 240 {
			t.Errorf("preview is %d by %d, %v", small.Width, small.Height, err)
		}
	}
	path, err := bob.OpenFile(co.ctx(), f)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); !bytes.Equal(got, b.Bytes()) || err != nil {
		t.Errorf("what is opened is something else: %v", err)
	}
	for at := path; at != filepath.Dir(filepath.Dir(filepath.Dir(path))); at = filepath.Dir(at) {
		if info, err := os.Stat(at); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v, %v", at, info.Mode(), err)
		}
	}
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the opened file outlives the client: %v", err)
	}
	// A crash leaves it; the next start takes it away.
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("left"), 0o600); err != nil {
		t.Fatal(err)
	}
	bob = co.open("Bob")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the opened file outlives a crash: %v", err)
	}
	g := co.send(alice, id, core.NewFile{Name: "invoice.pdf.exe", Data: []byte("MZ")})
	co.see(bob, g)
	if _, err := bob.OpenFile(co.ctx(), g); !strings.Contains(words(err), "can run programs") {
		t.Errorf("OpenFile of a program = %v", err)
	}
}

// One who was removed can't fetch what she could name before.
func TestRemovedFetchesNothing(t *testing.T) {
	co, alice := found(t)
	bob := co.invite(alice, "Bob")
	co.sync(alice)
	id := co.start(alice, "work", bob)
	f := co.send(alice, id, core.NewFile{Path: co.file("plan.bin", noise(3<<20, 9))})
	co.see(bob, f)
	if err := alice.RemoveParticipant(co.ctx(), id, bob.Me().Member.ID); err != nil {
		t.Fatal(err)
	}
	if err := alice.WaitParticipants(co.ctx(), id); err != nil {
		t.Fatal(err)
	}
	if err := bob.GetFile(co.ctx(), f); words(err) != "You are not in this matter, or it does not exist." {
		t.Errorf("GetFile = %v", err)
	}
}

func TestFileRefused(t *testing.T) {
	co := &company{t: t, dir: t.TempDir(), hub: hubtest.Start(t, func(o *hub.Options) { o.BlobsPerDevice = 1 << 20 })}
	alice := co.join(co.hub.Founding(), "Alice")
	id := co.start(alice, "work")
	dir := t.TempDir()
	for name, n := range map[string]core.NewFile{
		"a folder":       {Path: dir},
		"nothing":        {Path: filepath.Join(dir, "nothing")},
		"a long caption": {Name: "x", Data: []byte("x"), Caption: strings.Repeat("x", 5000)},
	} {
		if _, err := alice.SendFile(co.ctx(), id, n); words(err) == fault.General || err == nil {
			t.Errorf("%s: SendFile = %v", name, err)
		}
	}
	m, err := alice.SendFile(co.ctx(), id, core.NewFile{Path: co.file("big.bin", noise(2<<20, 9))})
	if err != nil {
		t.Fatal(err)
	}
	if err := alice.WaitFile(co.ctx(), core.FileOf(m), patience, func(int64, int64) {}); words(err) != "There is no more room for files at the hub." {
		t.Errorf("over the quota: %v", err)
	}
}
