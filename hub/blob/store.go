// Package blob keeps the encrypted files of an organisation: large, opaque bytes that
// devices bring and fetch over HTTPS, in folders or in an S3 bucket, never in the
// database. It learns whose device brought how much in which matter, and nothing else.
//
// A blob belongs to a matter. It is brought in pieces to a staging file and, once whole,
// put into the [Store]. A blob that no message names within a time is deleted; one that
// was named is deleted when retention has passed it.
package blob

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// Errors of stores and of the depot.
var (
	ErrNone   = errors.New("no such blob")
	ErrFull   = errors.New("disk full")
	ErrQuota  = errors.New("quota used up")
	ErrOthers = errors.New("the blob is another device's")
	ErrBusy   = errors.New("too much at once")
	ErrSize   = errors.New("the blob has another size")
	ErrClosed = errors.New("closed")
)

// A Store keeps named bytes. Names are paths of [a-z0-9.-] with one slash. It is safe for
// concurrent use. Two implementations, [Files] and [S3], pass one suite.
type Store interface {
	// Put moves a local file into the store under a name. When it returns nil the bytes
	// are durable. The file is gone then, or may be removed.
	Put(ctx context.Context, name, file string) error
	// Mark durably makes an object whose name says it all.
	Mark(ctx context.Context, name string) error
	// Open opens an object for reading; the error is ErrNone when there is none.
	Open(ctx context.Context, name string) (io.ReadSeekCloser, error)
	// Delete deletes objects; those that are not there don't matter.
	Delete(ctx context.Context, names ...string) error
	// List calls f for every object whose name begins with a prefix, in no order.
	List(ctx context.Context, prefix string, f func(Object) error) error
}

// An Object is one name of a store.
type Object struct {
	Name   string
	Size   int64
	Stored time.Time
}

// A Key names a blob: the matter it belongs to and its id.
type Key struct{ Matter, ID [16]byte }

// prefix is what the names of a blob's objects begin with.
func (k Key) prefix() string {
	return hex.EncodeToString(k.Matter[:]) + "/" + hex.EncodeToString(k.ID[:]) + "."
}

// bytesName is the object with a blob's bytes; it tells who brought them.
func (k Key) bytesName(device [32]byte) string {
	return k.prefix() + "d-" + hex.EncodeToString(device[:])
}

// markName is the object which tells when a message last named the blob.
func (k Key) markName(at time.Time) string {
	return k.prefix() + "n-" + strconv.FormatInt(at.UnixMilli(), 10)
}

// A part is what an object's name says.
type part struct {
	key    Key
	mark   bool
	device [32]byte  // of bytes
	named  time.Time // of a mark
}

// parseName reads the name of an object. What is not one of ours is left alone.
func parseName(name string) (p part, ok bool) {
	m, rest, ok := strings.Cut(name, "/")
	if !ok || !unhex(p.key.Matter[:], m) {
		return p, false
	}
	id, kind, ok := strings.Cut(rest, ".")
	if !ok || !unhex(p.key.ID[:], id) {
		return p, false
	}
	if device, ok := strings.CutPrefix(kind, "d-"); ok {
		return p, unhex(p.device[:], device)
	}
	at, ok := strings.CutPrefix(kind, "n-")
	ms, err := strconv.ParseInt(at, 10, 64)
	p.mark, p.named = true, time.UnixMilli(ms)
	return p, ok && err == nil && ms >= 0 && strconv.FormatInt(ms, 10) == at
}

// unhex reads exactly as many lower-case digits as fill b.
func unhex(b []byte, s string) bool {
	n, err := hex.Decode(b, []byte(s[:min(len(s), 2*len(b))]))
	return err == nil && n == len(b) && len(s) == 2*n && strings.ToLower(s) == s
}
