package bundle

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var parts = []Part{{"matter.html", []byte("<p>你好")}, {"log", nil}, {"files/00ff", bytes.Repeat([]byte{7}, 1000)}}

func TestOthersOpenIt(t *testing.T) {
	b, err := Pack(parts)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil || f.Name != parts[i].Name || !bytes.Equal(data, parts[i].Data) {
			t.Errorf("%s: %q, %v", f.Name, data, err)
		}
	}
	got, err := Unpack(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(parts[0], got[0]); d != "" {
		t.Error(d)
	}
}

// No byte can change unseen.
func TestEveryByteCounts(t *testing.T) {
	b, err := Pack(parts)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 0x10
		got, err := Unpack(bad)
		if err == nil && Check(bad, got) == nil && cmp.Equal(got, parts) {
			t.Errorf("byte %d changed unseen", i)
		}
	}
	for n := range b {
		got, err := Unpack(b[:n])
		if err == nil && Check(b[:n], got) == nil {
			t.Errorf("cut to %d bytes unseen", n)
		}
	}
}

// Names that lead elsewhere are neither written nor read.
func TestHostileNames(t *testing.T) {
	for _, name := range []string{"../x", "/etc/passwd", "a/../b", "a//b", "C:x", `a\b`, "a/b/c", "", ".", "A", "a\x00", "a/."} {
		if _, err := Pack([]Part{{Name: name}}); err == nil {
			t.Errorf("%q was packed", name)
		}
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		if _, err := w.CreateRaw(&zip.FileHeader{Name: name}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := Unpack(out.Bytes()); !errors.Is(err, ErrForeign) {
			t.Errorf("%q was unpacked: %v", name, err)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	b, err := Pack(parts)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Unpack(b)
		if err != nil || Check(b, got) != nil {
			return
		}
		again, err := Pack(got)
		if err != nil || !bytes.Equal(again, b) {
			t.Error("packed again it is not the same")
		}
	})
}
