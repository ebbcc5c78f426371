package hub_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"causa/hub"
	"causa/hub/blob"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

const (
	up   = pb.BlobDirection_BLOB_DIRECTION_UPLOAD
	down = pb.BlobDirection_BLOB_DIRECTION_DOWNLOAD
)

func grant(id matter.ID, blob byte, direction pb.BlobDirection, size int) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_GrantBlob{GrantBlob: &pb.GrantBlob{
		Matter: id[:], Blob: blobID(blob), Direction: direction, Size: uint64(size),
	}}}
}

func dropBlob(id matter.ID, blob byte) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_DropBlob{DropBlob: &pb.DropBlob{Matter: id[:], Blob: blobID(blob)}}}
}

func blobID(n byte) []byte { return bytes.Repeat([]byte{n}, 16) }

func (m *member) token(id matter.ID, blob byte, direction pb.BlobDirection, size int) string {
	m.t.Helper()
	return m.must(grant(id, blob, direction, size)).GetBlobGrant().GetToken()
}

// A blobClient asks for blobs as anybody with a network could.
type blobClient struct {
	t    testing.TB
	addr string
	http *http.Client
}

func newBlobClient(t testing.TB, addr string) *blobClient {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the hub of this test
	t.Cleanup(transport.CloseIdleConnections)
	return &blobClient{t, addr, &http.Client{Transport: transport}}
}

// ask makes one request and returns the status, the offset told and the body.
func (c *blobClient) ask(method, path, token string, offset int, body string, headers ...string) (status, next int, content string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, "https://"+c.addr+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/octet-stream")
		req.Header.Set(wire.BlobOffset, strconv.Itoa(offset))
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		c.t.Fatal(err)
	}
	next, _ = strconv.Atoi(res.Header.Get(wire.BlobOffset)) // 0 when there is none
	return res.StatusCode, next, string(b)
}

func path(id matter.ID, blob byte) string { return wire.BlobPath(id, [16]byte(blobID(blob))) }

func (c *blobClient) want(what string, got, want int) {
	c.t.Helper()
	if got != want {
		c.t.Errorf("%s: status %d, want %d", what, got, want)
	}
}

// A blob is brought in pieces, named by a message and fetched in pieces by another device.
func TestBlob(t *testing.T) {
	t.Run("in a folder", func(t *testing.T) { testBlob(t, func(*hub.Options) {}) })
	t.Run("in a bucket", func(t *testing.T) {
		backend := s3mem.New()
		if err := backend.CreateBucket("files"); err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(gofakes3.New(backend).Server()) // listens on 127.0.0.1
		t.Cleanup(server.Close)
		testBlob(t, func(o *hub.Options) {
			o.Bucket = blob.S3Options{
				Endpoint: strings.TrimPrefix(server.URL, "http://"), Bucket: "files", Region: "us-east-1", Access: "a", Secret: "b", Plain: true,
			}
		})
	})
}

func testBlob(t *testing.T, set func(*hub.Options)) {
	r := newRig(t, set)
	a, b := r.owner(), r.hire(matter.RoleMember)
	id := a.open()
	a.change(id, []*member{b}, nil)
	c := newBlobClient(t, r.Addr())
	content := strings.Repeat("0123456789abcdef", 1<<14)

	a.refused(wire.CodeNoBlob, grant(id, 1, down, 0))
	token := a.token(id, 1, up, len(content))
	half := len(content) / 2
	if status, at, _ := c.ask("HEAD", path(id, 1), token, 0, ""); status != 204 || at != 0 {
		t.Errorf("HEAD before: %d, offset %d", status, at)
	}
	if status, at, _ := c.ask("PATCH", path(id, 1), token, 0, content[:half]); status != 204 || at != half {
		t.Errorf("PATCH of the first half: %d, offset %d", status, at)
	}
	b.refused(wire.CodeNoBlob, grant(id, 1, down, 0))
	named := send(id, a.counter+1, a.groups[id].Epoch(), "here")
	named.GetSendContent().Blobs = [][]byte{blobID(1)}
	a.refused(wire.CodeNoBlob, named) // not whole; the counter is not used up
	r.Restart()
	a.connect()
	b.connect()
	if status, at, _ := c.ask("HEAD", path(id, 1), token, 0, ""); status != 204 || at != half {
		t.Errorf("HEAD after a restart: %d, offset %d", status, at)
	}
	if status, at, _ := c.ask("PATCH", path(id, 1), token, half, content[half:]); status != 204 || at != len(content) {
		t.Errorf("PATCH of the rest: %d, offset %d", status, at)
	}
	if status, at, _ := c.ask("PATCH", path(id, 1), token, len(content), ""); status != 204 || at != len(content) {
		t.Errorf("the end again: %d, offset %d", status, at)
	}
	a.must(named)
	fetch := b.token(id, 1, down, 0)
	if status, _, got := c.ask("GET", path(id, 1), fetch, 0, ""); status != 200 || got != content {
		t.Errorf("GET: %d, %d bytes", status, len(got))
	}
	if status, _, got := c.ask("GET", path(id, 1), fetch, 0, "", "Range", "bytes=100-199"); status != 206 || got != content[100:200] {
		t.Errorf("GET of a range: %d, %q", status, got)
	}
	a.must(dropBlob(id, 1))
	b.refused(wire.CodeNoBlob, grant(id, 1, down, 0))
}

// Every way to get at, or to spoil, what is somebody else's.
func TestBlobAttacks(t *testing.T) {
	var ahead atomic.Int64
	r := newRig(t, func(o *hub.Options) {
		o.BlobsPerDevice = 1 << 20
		o.SetClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	})
	a, b, eve := r.owner(), r.hire(matter.RoleMember), r.hire(matter.RoleMember)
	id, other := a.open(), eve.open()
	a.change(id, []*member{b}, nil)
	c := newBlobClient(t, r.Addr())
	bring := a.token(id, 1, up, 10)
	if status, _, _ := c.ask("PATCH", path(id, 1), bring, 0, "0123456789"); status != 204 {
		t.Fatalf("PATCH: %d", status)
	}
	fetch := b.token(id, 1, down, 0)
	half := a.token(id, 2, up, 10)
	if status, _, _ := c.ask("PATCH", path(id, 2), half, 0, "01234"); status != 204 {
		t.Fatalf("PATCH: %d", status)
	}

	t.Run("of another matter", func(*testing.T) {
		eve.refused(wire.CodeNoMatter, grant(id, 1, down, 0))
		eve.refused(wire.CodeNoMatter, grant(id, 9, up, 10))
		eve.refused(wire.CodeNoBlob, grant(other, 1, down, 0)) // the same id elsewhere is another blob
		eve.refused(wire.CodeNotAllowed, dropBlob(id, 1))
		named := send(id, eve.counter+1, 1, "mine now")
		named.GetSendContent().Blobs = [][]byte{blobID(1)}
		eve.refused(wire.CodeNoMatter, named)
	})
	t.Run("of another device", func(*testing.T) {
		b.refused(wire.CodeNotAllowed, grant(id, 1, up, 10))
		b.refused(wire.CodeNotAllowed, grant(id, 2, up, 10))
		b.refused(wire.CodeNotAllowed, dropBlob(id, 1))
		a.refused(wire.CodeMalformed, grant(id, 2, up, 11))
	})
	t.Run("quota", func(*testing.T) { a.refused(wire.CodeBlobQuota, grant(id, 3, up, 1<<20)) })
	t.Run("tokens", func(t *testing.T) {
		forged := []byte(fetch)
		forged[70] ^= 1
		for _, tt := range []struct {
			name, method, path, token string
			want                      int
		}{
			{"none", "GET", path(id, 1), "", 401},
			{"rubbish", "GET", path(id, 1), "rubbish", 401},
			{"forged", "GET", path(id, 1), string(forged), 401},
			{"of another blob", "GET", path(id, 2), fetch, 403},
			{"of another matter", "GET", path(other, 1), fetch, 403},
			{"to fetch, used to bring", "PATCH", path(id, 1), fetch, 403},
			{"to bring, used to fetch", "GET", path(id, 1), bring, 403},
			{"another method", "DELETE", path(id, 1), bring, 403},
			{"a path in capitals", "GET", strings.ToUpper(path(id, 1)), fetch, 404},
			{"a path that leaves", "GET", "/v1/blob/../../hub.db", fetch, 404},
			{"an encoded path that leaves", "GET", "/v1/blob/%2e%2e%2f%2e%2e/hub.db", fetch, 403},
		} {
			status, _, got := c.ask(tt.method, tt.path, tt.token, 0, "")
			c.want(tt.name, status, tt.want)
			if strings.Contains(got, "0123") {
				t.Errorf("%s: the blob is told", tt.name)
			}
		}
	})
	t.Run("sizes and offsets", func(t *testing.T) {
		status, _, _ := c.ask("PATCH", path(id, 2), half, 5, "567890")
		c.want("beyond what was announced", status, 413)
		status, at, _ := c.ask("PATCH", path(id, 2), half, 4, "4")
		c.want("at another offset", status, 409)
		if at != 5 {
			t.Errorf("a conflict tells offset %d, want 5", at)
		}
		status, _, _ = c.ask("PATCH", path(id, 2), half, 5, "5", wire.BlobOffset, "-1")
		c.want("a negative offset", status, 400)
		status, _, _ = c.ask("PATCH", path(id, 2), half, 5, "5", "Content-Type", "text/plain")
		c.want("another type", status, 400)
		status, _, _ = c.ask("PATCH", path(id, 1), bring, 0, "9876543210") // the token is replayed
		c.want("a whole blob again", status, 409)
		if _, _, got := c.ask("GET", path(id, 1), fetch, 0, ""); got != "0123456789" {
			t.Errorf("the blob is now %q", got)
		}
	})
	t.Run("ranges", func(t *testing.T) {
		for _, of := range []string{"bytes=0-1,2-3", "bytes=0-0,0-0,0-0,0-0", "bytes=10-", "bytes=5-2", "bytes=a-b", "bytes=99999999999999999999-"} {
			status, _, _ := c.ask("GET", path(id, 1), fetch, 0, "", "Range", of)
			c.want(of, status, 416)
		}
		if status, _, got := c.ask("GET", path(id, 1), fetch, 0, "", "Range", "bytes=7-99"); status != 206 || got != "789" {
			t.Errorf("a range beyond the end: %d, %q", status, got)
		}
	})
	t.Run("a token after its time", func(*testing.T) {
		ahead.Store(int64(time.Hour))
		defer ahead.Store(0)
		status, _, _ := c.ask("GET", path(id, 1), fetch, 0, "")
		c.want("fetch", status, 401)
	})
	t.Run("of one who was removed", func(t *testing.T) {
		if status, _, _ := c.ask("GET", path(id, 1), fetch, 0, ""); status != 200 {
			t.Fatalf("before: %d", status)
		}
		a.change(id, nil, []*member{b})
		status, _, _ := c.ask("GET", path(id, 1), fetch, 0, "")
		c.want("the token from before", status, 403)
		b.refused(wire.CodeNoMatter, grant(id, 1, down, 0))
	})
}

// A request whose body does not come, or not all of it, leaves what came.
func TestBlobCut(t *testing.T) {
	r := newRig(t)
	a := r.owner()
	id := a.open()
	token := a.token(id, 1, up, 100)
	conn, err := (&tls.Dialer{NetDialer: &net.Dialer{}, Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", r.Addr()) //nolint:gosec // the hub of this test
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(conn, "PATCH %s HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer %s\r\nContent-Type: application/octet-stream\r\n%s: 0\r\nContent-Length: 100\r\n\r\n0123456789",
		path(id, 1), token, wire.BlobOffset)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	c := newBlobClient(t, r.Addr())
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		_, at, _ := c.ask("HEAD", path(id, 1), token, 0, "")
		if at == 10 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("offset %d, want 10", at)
		}
	}
	// Without a length a body has no end that could be told from a cut.
	req, err := http.NewRequestWithContext(t.Context(), "PATCH", "https://"+r.Addr()+path(id, 1), io.MultiReader(strings.NewReader("x")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set(wire.BlobOffset, "10")
	res, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close() // it has none
	c.want("no length", res.StatusCode, 411)
}

// Blobs follow the messages that name them.
func TestBlobsFollowRetention(t *testing.T) {
	var ahead atomic.Int64
	r := newRig(t, func(o *hub.Options) {
		o.Retention = 30 * 24 * time.Hour
		o.SetClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	})
	a := r.owner()
	id := a.open()
	c := newBlobClient(t, r.Addr())
	for n := byte(1); n <= 2; n++ {
		if status, _, _ := c.ask("PATCH", path(id, n), a.token(id, n, up, 3), 0, "abc"); status != 204 {
			t.Fatalf("PATCH: %d", status)
		}
	}
	a.counter++
	f := send(id, a.counter, a.groups[id].Epoch(), "here")
	f.GetSendContent().Blobs = [][]byte{blobID(1)}
	a.must(f)
	there := func() (n int) {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(r.Data(), "blobs", "*", "*.d-*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	for _, tt := range []struct {
		days, want int
	}{{0, 2}, {8, 1}, {29, 1}, {31, 0}} {
		ahead.Store(int64(time.Duration(tt.days) * 24 * time.Hour))
		if err := r.Trim(); err != nil {
			t.Fatal(err)
		}
		if got := there(); got != tt.want {
			t.Errorf("after %d days %d blobs are there, want %d", tt.days, got, tt.want)
		}
	}
	if left, err := os.ReadDir(filepath.Join(r.Data(), "blobs")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
