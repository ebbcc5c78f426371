package blob

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

var (
	key1   = Key{[16]byte{1}, [16]byte{2}}
	key2   = Key{[16]byte{1}, [16]byte{3}}
	key3   = Key{[16]byte{9}, [16]byte{2}}
	alice  = [32]byte{0xa1}
	bob    = [32]byte{0xb0}
	stores = map[string]func(t testing.TB) Store{
		"files": func(t testing.TB) Store {
			s, err := OpenFiles(filepath.Join(t.TempDir(), "blobs"))
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		"s3": func(t testing.TB) Store {
			backend := s3mem.New()
			if err := backend.CreateBucket("causa"); err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(gofakes3.New(backend).Server()) // listens on 127.0.0.1
			t.Cleanup(server.Close)
			s, err := OpenS3(context.Background(), S3Options{
				Endpoint: strings.TrimPrefix(server.URL, "http://"), Bucket: "causa", Prefix: "acme/", Access: "a", Secret: "b", Region: "us-east-1", Plain: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	}
)

// Both stores pass one suite.
func TestStores(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) { testStore(t, open(t)) })
	}
}

func put(t *testing.T, s Store, name string, b []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "staged")
	if f, ok := s.(*Files); ok {
		file = filepath.Join(f.dir, "staged") // on the same file system
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(context.Background(), name, file); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the staged file is still there")
	}
}

func names(t *testing.T, s Store, prefix string) (out []string) {
	t.Helper()
	err := s.List(context.Background(), prefix, func(o Object) error {
		if age := time.Since(o.Stored); age < -time.Hour || age > time.Hour {
			t.Errorf("%s was stored at %v", o.Name, o.Stored)
		}
		out = append(out, o.Name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func testStore(t *testing.T, s Store) {
	ctx := context.Background()
	one, two, other := key1.bytesName(alice), key2.bytesName(bob), key3.bytesName(alice)
	mark := key1.markName(time.UnixMilli(1234567890123))
	content := bytes.Repeat([]byte("what nobody can read "), 40000)
	put(t, s, one, content)
	put(t, s, two, []byte("short"))
	put(t, s, other, []byte("elsewhere"))
	if err := errors.Join(s.Mark(ctx, mark), s.Mark(ctx, mark)); err != nil {
		t.Fatal(err)
	}
	for prefix, want := range map[string][]string{
		"":            {one, mark, two, other},
		key1.prefix(): {one, mark},
		key2.prefix(): {two},
		"ff":          nil,
	} {
		slices.Sort(want)
		if got := names(t, s, prefix); !slices.Equal(got, want) {
			t.Errorf("List(%q) = %q, want %q", prefix, got, want)
		}
	}
	r, err := s.Open(ctx, one)
	if err != nil {
		t.Fatal(err)
	}
	if end, err := r.Seek(0, io.SeekEnd); end != int64(len(content)) || err != nil {
		t.Errorf("Seek to the end = %d, %v", end, err)
	}
	if _, err := r.Seek(-100000, io.SeekEnd); err != nil {
		t.Error(err)
	}
	part := make([]byte, 50000)
	if _, err := io.ReadFull(r, part); err != nil || !bytes.Equal(part, content[len(content)-100000:len(content)-50000]) {
		t.Errorf("a range reads otherwise: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Delete(ctx, one, mark, key2.bytesName(alice)); err != nil {
		t.Error(err)
	}
	if _, err := s.Open(ctx, one); !errors.Is(err, ErrNone) {
		t.Errorf("open what was deleted: %v", err)
	}
	if got := names(t, s, ""); !slices.Equal(got, []string{two, other}) {
		t.Errorf("after deleting: %q", got)
	}
	if err := s.Delete(ctx, two, other); err != nil {
		t.Error(err)
	}
}

// No name leads out of the folder, whoever made it.
func TestFilesStayInTheirFolder(t *testing.T) {
	s := stores["files"](t)
	for _, name := range []string{"../x", "a/b", "..", "/etc/passwd", key1.prefix() + "d-../../x", strings.ToUpper(key1.bytesName(alice)), key1.bytesName(alice) + "/.."} {
		if _, err := s.Open(context.Background(), name); err == nil || errors.Is(err, ErrNone) {
			t.Errorf("Open(%q) = %v, want a refusal", name, err)
		}
		if err := s.Mark(context.Background(), name); err == nil {
			t.Errorf("Mark(%q) succeeds", name)
		}
	}
}

func FuzzParseName(f *testing.F) {
	f.Add(key1.bytesName(alice))
	f.Add(key1.markName(time.UnixMilli(99)))
	f.Fuzz(func(t *testing.T, name string) {
		p, ok := parseName(name)
		if !ok {
			return
		}
		again := p.key.bytesName(p.device)
		if p.mark {
			again = p.key.markName(p.named)
		}
		if again != name {
			t.Errorf("%q reads as %q", name, again)
		}
	})
}

func FuzzParseUpload(f *testing.F) {
	f.Add((&upload{key: key1, device: alice, size: 7}).name())
	f.Fuzz(func(t *testing.T, name string) {
		if u, ok := parseUpload(name); ok && (u.name() != name || u.size <= 0) {
			t.Errorf("%q reads as %q", name, u.name())
		}
	})
}

func FuzzToken(f *testing.F) {
	var k TokenKey
	g := Grant{Key: key1, Device: alice, Direction: Upload, Size: 77, Expires: time.UnixMilli(1 << 40)}
	f.Add(k.Token(g))
	f.Fuzz(func(t *testing.T, token string) {
		got, ok := k.Open(token, time.UnixMilli(0))
		if ok && k.Token(got) != token {
			t.Errorf("%q says something else again", token)
		}
	})
}

func TestToken(t *testing.T) {
	k := TokenKey{7}
	g := Grant{Key: key1, Device: alice, Direction: Download, Size: 5, Expires: time.UnixMilli(10000)}
	token := k.Token(g)
	if got, ok := k.Open(token, time.UnixMilli(9999)); !ok || got != g {
		t.Errorf("Open = %v, %v", got, ok)
	}
	if _, ok := k.Open(token, time.UnixMilli(10000)); ok {
		t.Error("an expired token is taken")
	}
	other := TokenKey{8}
	if _, ok := other.Open(token, time.UnixMilli(0)); ok {
		t.Error("another hub's token is taken")
	}
	for i := range token {
		bad := []byte(token)
		bad[i] ^= 1
		if _, ok := k.Open(string(bad), time.UnixMilli(0)); ok {
			t.Errorf("altered at %d: taken", i)
		}
	}
}
