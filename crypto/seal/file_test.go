package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"testing"
)

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

func sealFile(t testing.TB, k *FileKey, plain []byte) (*File, []byte) {
	t.Helper()
	f, err := NewFile(k, int64(len(plain)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Sealed(bytes.NewReader(plain), 0)
	if err != nil {
		t.Fatal(err)
	}
	box, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(box)) != f.SealedSize() {
		t.Fatalf("sealed %d bytes, said %d", len(box), f.SealedSize())
	}
	return f, box
}

func openFile(f *File, box []byte) ([]byte, error) {
	var out []byte
	for i := range f.Chunks() {
		n := min(SealedChunk, len(box))
		plain, err := f.Open(i, bytes.Clone(box[:n]))
		if err != nil {
			return nil, err
		}
		out, box = append(out, plain...), box[n:]
	}
	if len(box) > 0 {
		return nil, errors.New("more than the file")
	}
	return out, nil
}

var fileSizes = []int{0, 1, 255, 256, 257, FileChunk - 1, FileChunk, FileChunk + 1, 3*FileChunk - 5, 1 << 20, 1<<20 + 12345}

func TestFileComesBack(t *testing.T) {
	k := NewFileKey()
	for _, size := range fileSizes {
		plain := pattern(size)
		f, box := sealFile(t, &k, plain)
		got, err := openFile(f, box)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: %v", size, err)
		}
		if bytes.Contains(box, plain[:min(size, 40)]) && size > 40 {
			t.Errorf("%d bytes: the plaintext shows", size)
		}
		// From any offset the same bytes.
		for _, at := range []int{0, 1, len(box) / 2, SealedChunk, SealedChunk + 1, len(box) - 1, len(box)} {
			if at > len(box) {
				continue
			}
			r, err := f.Sealed(bytes.NewReader(plain), int64(at))
			if err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(rest, box[at:]) {
				t.Errorf("%d bytes from %d: %d bytes, %v", size, at, len(rest), err)
			}
		}
	}
}

// Sizes are hidden as those of messages are.
func TestFileSizeIsPadded(t *testing.T) {
	k := NewFileKey()
	a, _ := NewFile(&k, 1_000_000)
	b, _ := NewFile(&k, 1_000_100)
	if a.SealedSize() != b.SealedSize() {
		t.Errorf("sizes tell apart: %d and %d", a.SealedSize(), b.SealedSize())
	}
	for _, size := range []int64{-1, MaxFile + 1} {
		if _, err := NewFile(&k, size); !errors.Is(err, ErrMalformed) {
			t.Errorf("a file of %d bytes: %v", size, err)
		}
	}
	if f, err := NewFile(&k, MaxFile); err != nil || f.SealedSize() > 1<<31+1<<28 {
		t.Errorf("the largest file: %v", err)
	}
}

func TestFileAltered(t *testing.T) {
	k := NewFileKey()
	plain := pattern(2*FileChunk + 100)
	f, box := sealFile(t, &k, plain)
	for _, at := range []int{0, 23, 24, 1000, SealedChunk - 1, SealedChunk, 2*SealedChunk + 3, len(box) - 1} {
		bad := bytes.Clone(box)
		bad[at] ^= 1
		if _, err := openFile(f, bad); err == nil {
			t.Errorf("byte %d altered: opened", at)
		}
	}
	swapped := append(append(bytes.Clone(box[SealedChunk:2*SealedChunk]), box[:SealedChunk]...), box[2*SealedChunk:]...)
	if _, err := openFile(f, swapped); !errors.Is(err, ErrKey) {
		t.Errorf("chunks swapped: %v", err)
	}
	// A file cut at a chunk's end must not pass for a shorter one.
	short, err := NewFile(&k, FileChunk)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openFile(short, box[:SealedChunk]); !errors.Is(err, ErrKey) {
		t.Errorf("cut at a chunk's end: %v", err)
	}
	other := NewFileKey()
	g, _ := NewFile(&other, int64(len(plain)))
	if _, err := openFile(g, box); !errors.Is(err, ErrKey) {
		t.Errorf("another key: %v", err)
	}
}

// A file that changes between two tries must not be sealed twice under one nonce.
func TestFileChangedHasOtherNonces(t *testing.T) {
	k := NewFileKey()
	a := pattern(FileChunk)
	b := bytes.Clone(a)
	b[FileChunk-1] ^= 1
	_, x := sealFile(t, &k, a)
	_, y := sealFile(t, &k, b)
	_, again := sealFile(t, &k, a)
	if bytes.Equal(x[:24], y[:24]) {
		t.Error("one nonce for two contents")
	}
	if !bytes.Equal(x, again) {
		t.Error("sealing again gives other bytes")
	}
}

func TestFileBecameShorter(t *testing.T) {
	k := NewFileKey()
	f, err := NewFile(&k, 1000)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Sealed(bytes.NewReader(pattern(999)), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that became shorter: %v", err)
	}
}

// The format is for ever.
func TestFileVector(t *testing.T) {
	var k FileKey
	copy(k[:], pattern(32))
	_, box := sealFile(t, &k, pattern(70000))
	sum := sha256.Sum256(box)
	if got, want := fmt.Sprintf("%d %s", len(box), hex.EncodeToString(sum[:])), "71760 a209d3f56c5f19716dda57da9469d39a6affb5d23293053fc515a8f156ecedad"; got != want {
		t.Errorf("sealed file is %s, want %s", got, want)
	}
	if s := fmt.Sprintf("%v %x %s", k, k, k); s != "FileKey(hidden) FileKey(hidden) FileKey(hidden)" {
		t.Errorf("a key prints as %s", s)
	}
}

func FuzzFileOpen(f *testing.F) {
	var k FileKey
	_, box := sealFile(f, &k, pattern(300))
	f.Add(int64(0), box, int64(300))
	f.Add(int64(1), box, int64(FileChunk+1))
	f.Fuzz(func(t *testing.T, i int64, b []byte, size int64) {
		file, err := NewFile(&k, size)
		if err != nil {
			return
		}
		sealed := bytes.Clone(b)
		plain, err := file.Open(i, b)
		if err != nil {
			return
		}
		whole := make([]byte, file.dataSize(i))
		if copy(whole, plain) != len(whole) {
			t.Fatal("a chunk of another length opened")
		}
		again, err := file.seal(nil, i, make([]byte, FileChunk), offsetReader{whole, i * FileChunk})
		if err != nil || !bytes.Equal(again, sealed) {
			t.Fatalf("what opened seals to something else: %v", err)
		}
	})
}

// An offsetReader has bytes at a far place only.
type offsetReader struct {
	b  []byte
	at int64
}

func (r offsetReader) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(r.b).ReadAt(p, off-r.at)
}

func BenchmarkFileSeal(b *testing.B) {
	k := NewFileKey()
	plain := pattern(16 << 20)
	f, err := NewFile(&k, int64(len(plain)))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		r, err := f.Sealed(bytes.NewReader(plain), 0)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}
