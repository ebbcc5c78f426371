package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"causa/hub/blob"
	"causa/matter"
	"causa/wire"
)

const (
	transferPause = time.Minute // how long a transfer may stand still
	checkEvery    = 4 << 20     // bytes after which a transfer's right is looked at again
	maxTransfers  = 8           // of one device at once
)

// A transfer is one HTTPS request for a blob.
type transfer struct {
	*blobs
	blob.Grant

	w http.ResponseWriter
	r *http.Request
	c *http.ResponseController
}

// ServeHTTP serves a request for a blob: HEAD and PATCH with a token to bring it, GET and
// HEAD with one to fetch it.
func (b *blobs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	t := &transfer{blobs: b, w: w, r: r, c: http.NewResponseController(w)}
	if status := t.authorize(); status != 0 {
		b.refused.Add(1)
		t.end(status)
		return
	}
	settleOf(r)()
	leave, wait := b.admit(t.Device)
	if leave == nil {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		b.refused.Add(1)
		t.end(http.StatusTooManyRequests)
		return
	}
	defer leave()
	switch {
	case t.Direction == blob.Download && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		t.fetch()
	case t.Direction == blob.Upload && r.Method == http.MethodHead:
		t.ask()
	case t.Direction == blob.Upload && r.Method == http.MethodPatch:
		t.bring()
	default:
		t.end(http.StatusForbidden) // a token for the other direction
	}
}

// end answers without a body. What the peer still sends is not waited for.
func (t *transfer) end(status int) {
	if t.r.ContentLength != 0 {
		t.w.Header().Set("Connection", "close")
	}
	t.w.WriteHeader(status)
}

// authorize checks the token, and that its device still has the right it had.
func (t *transfer) authorize() (status int) {
	token, ok := strings.CutPrefix(t.r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return http.StatusUnauthorized
	}
	if t.Grant, ok = t.key.Open(token, t.hub.opts.now()); !ok {
		return http.StatusUnauthorized
	}
	if t.r.URL.Path != wire.BlobPath(t.Key.Matter, t.Key.ID) {
		return http.StatusForbidden
	}
	if err := t.allowed(t.r.Context()); err != nil {
		return http.StatusForbidden
	}
	return 0
}

var errNotAllowed = errors.New("the device is not in the matter any more")

// allowed reports an error when the device has left the organisation or the matter.
func (t *transfer) allowed(ctx context.Context) error {
	no, ok := t.hub.directory.no(t.Device)
	if !ok || !t.hub.org.active(t.Device) {
		return errNotAllowed
	}
	in, err := t.hub.db.IsIn(ctx, t.Key.Matter, no)
	if err == nil && !in {
		err = errNotAllowed
	}
	return err
}

// admit counts a device's transfer in, unless there are too many or they come too fast.
func (b *blobs) admit(device matter.DeviceID) (leave func(), wait time.Duration) {
	no, ok := b.hub.directory.no(device)
	if !ok {
		return nil, time.Second
	}
	l := b.hub.limitsOf(no)
	if wait := l.requests.take(1, b.hub.opts.now()); wait > 0 {
		return nil, wait
	}
	if l.transfers.Add(1) > maxTransfers {
		l.transfers.Add(-1)
		return nil, time.Second
	}
	return func() { l.transfers.Add(-1) }, 0
}

// ask tells how much of a blob is here.
func (t *transfer) ask() {
	offset, _, err := t.depot.Offset(t.r.Context(), t.Key, t.Device)
	if errors.Is(err, blob.ErrNone) {
		offset, err = 0, t.depot.Reserve(t.r.Context(), t.Key, t.Device, t.Size) // a restart has forgotten an empty one
	}
	t.answer(offset, err)
}

// bring takes some bytes of a blob.
func (t *transfer) bring() {
	offset, err := strconv.ParseUint(t.r.Header.Get(wire.BlobOffset), 10, 62)
	switch {
	case err != nil || t.r.Header.Get("Content-Type") != "application/octet-stream":
		t.end(http.StatusBadRequest)
		return
	case t.r.ContentLength < 0:
		t.end(http.StatusLengthRequired)
		return
	case int64(offset) > t.Size || t.r.ContentLength > t.Size-int64(offset):
		t.end(http.StatusRequestEntityTooLarge)
		return
	}
	ctx := t.r.Context()
	if _, _, err := t.depot.Offset(ctx, t.Key, t.Device); errors.Is(err, blob.ErrNone) {
		if err := t.depot.Reserve(ctx, t.Key, t.Device, t.Size); err != nil {
			t.answer(0, err)
			return
		}
	}
	body := &watched{t: t, r: t.r.Body}
	next, _, err := t.depot.Append(ctx, t.Key, t.Device, int64(offset), t.r.ContentLength, body)
	t.brought.Add(uint64(body.n))
	_ = t.c.SetReadDeadline(time.Time{}) // the connection may be used again
	_ = t.c.SetWriteDeadline(time.Now().Add(transferPause))
	t.answer(next, err)
}

// answer tells a device that brings a blob where it goes on.
func (t *transfer) answer(offset int64, err error) {
	var place *blob.OffsetError
	status := http.StatusNoContent
	switch {
	case err == nil:
	case errors.As(err, &place):
		status = http.StatusConflict
	case errors.Is(err, errNotAllowed), errors.Is(err, blob.ErrOthers):
		status = http.StatusForbidden
	case errors.Is(err, blob.ErrBusy):
		status = http.StatusTooManyRequests
		t.w.Header().Set("Retry-After", "1")
	case errors.Is(err, blob.ErrFull):
		status = http.StatusInsufficientStorage
		t.hub.full.Store(true)
	case errors.Is(err, blob.ErrQuota):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, blob.ErrSize):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, blob.ErrClosed):
		status = http.StatusServiceUnavailable
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, context.Canceled):
		status = http.StatusBadRequest // the peer is gone, or as good as
	default:
		t.hub.log.Warn("a file was not taken", "err", err)
		status = http.StatusInternalServerError
	}
	if err != nil {
		t.refused.Add(1)
	}
	t.w.Header().Set(wire.BlobOffset, strconv.FormatInt(offset, 10))
	t.w.Header().Set(wire.BlobLength, strconv.FormatInt(t.Size, 10))
	if err != nil {
		t.end(status)
		return
	}
	t.w.WriteHeader(status)
}

// fetch gives a blob or one range of it.
func (t *transfer) fetch() {
	if strings.Contains(t.r.Header.Get("Range"), ",") {
		t.end(http.StatusRequestedRangeNotSatisfiable) // one at a time
		return
	}
	ctx, stop := context.WithCancel(t.r.Context())
	defer stop()
	f, err := t.depot.Fetch(ctx, t.Key)
	switch {
	case errors.Is(err, blob.ErrNone):
		t.end(http.StatusNotFound)
		return
	case errors.Is(err, blob.ErrClosed):
		t.end(http.StatusServiceUnavailable)
		return
	case err != nil:
		t.hub.log.Warn("a file was not found", "err", err)
		t.end(http.StatusInternalServerError)
		return
	}
	defer func() { _ = f.Close() }() // it was only read
	t.w.Header().Set("Content-Type", "application/octet-stream")
	body := &watched{t: t, r: f}
	http.ServeContent(onlyResponse{t.w}, t.r, "", time.Time{}, struct {
		io.Reader
		io.Seeker
	}{body, f})
	t.fetched.Add(uint64(body.n))
}

// onlyResponse hides the ResponseWriter's ReadFrom, so that watched sees every byte.
type onlyResponse struct{ http.ResponseWriter }

// watched reads a transfer's bytes, gives the peer a little time for each of them, and
// ends when the device loses its right.
type watched struct {
	t    *transfer
	r    io.Reader
	n    int64
	next int64 // when to check again
}

func (w *watched) Read(p []byte) (int, error) {
	if w.n >= w.next {
		if err := w.t.allowed(w.t.r.Context()); err != nil {
			return 0, err
		}
		w.next = w.n + checkEvery
	}
	until := time.Now().Add(transferPause)
	if err := errors.Join(w.t.c.SetReadDeadline(until), w.t.c.SetWriteDeadline(until)); err != nil {
		return 0, fmt.Errorf("set deadline: %w", err)
	}
	n, err := w.r.Read(p)
	w.n += int64(n)
	return n, err
}
