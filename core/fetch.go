package core

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"
	"time"

	"causa/crypto/seal"
	"causa/internal/fault"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

const (
	fetchTries   = 8        // broken connections in a row before giving up
	keptFile     = 64 << 20 // larger files are not kept in the store
	smallPicture = 2 << 20
	smallText    = 64 << 10
	batchParts   = 32 // parts that go into the store at once
	wantedBatch  = 16
)

// wantedByItself reports whether a file is fetched without anybody asking for it.
func wantedByItself(a store.Attachment) bool {
	return isPicture(a.Type) && a.Size <= smallPicture || isText(a.Type) && a.Size <= smallText
}

// fetchWanted fetches the files that are wanted, and returns when to try again.
func (f *files) fetchWanted(ctx context.Context) (pause time.Duration) {
	for {
		var wanted []store.Attachment
		err := f.c.home.db.View(ctx, func(tx *store.Tx) (err error) {
			wanted, err = tx.WantedFiles(wantedBatch)
			return err
		})
		if err != nil {
			if ctx.Err() == nil {
				f.c.log.Error("list wanted files", "err", err)
			}
			return sickPause
		}
		if len(wanted) == 0 {
			return 0
		}
		for _, a := range wanted {
			if ctx.Err() != nil || f.c.link.Load() == nil {
				return 0
			}
			err := f.keep(ctx, a.FileID)
			var no hopeless
			if err != nil && !errors.As(err, &no) {
				return sickPause
			}
			// Here, or not to be had: whoever wants it still can ask for it.
			if err := f.c.home.db.Update(ctx, func(tx *store.Tx) error { return tx.SetWantedFile(a.FileID, false) }); err != nil {
				f.c.log.Error("forget a wanted file", "err", err)
				return sickPause
			}
		}
	}
}

// keep brings a file's bytes into the store, unless they are there, and makes a preview.
func (f *files) keep(ctx context.Context, id FileID) error {
	giveBack, err := f.take(ctx, id)
	if err != nil {
		return err
	}
	defer giveBack()
	a, err := f.c.attachment(ctx, id)
	if err != nil {
		return hopeless{err}
	}
	if a.Here {
		return nil
	}
	to := &storeSink{db: f.c.home.db, a: &a, at: f.c.now()}
	if err := to.open(ctx); err != nil {
		return err
	}
	if err := f.fetch(ctx, &a, to); err != nil {
		return err
	}
	preview := previewOf(a.Type, a.Size, &storedFile{ctx, f.c.home.db, a.Blob()})
	err = f.c.home.db.Update(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.SetFileHere(id, true), tx.SetPreview(id, preview))
	})
	if err == nil {
		f.c.events.tell(FileChanged{id})
	}
	return err
}

// A sink takes the parts of a file one after the other. Those it has may be read again.
type sink interface {
	have() int64 // whole parts, from the first on
	read(ctx context.Context, n int64) ([]byte, error)
	add(ctx context.Context, part []byte) error
	flush(ctx context.Context) error   // what was added is durable then
	discard(ctx context.Context) error // forgets all parts
}

// fetch brings a file from the hub into a sink, from where it ended the last time, and
// verifies all of it.
func (f *files) fetch(ctx context.Context, a *store.Attachment, to sink) error {
	key := seal.FileKey(a.Key)
	file, err := seal.NewFile(&key, a.Size)
	if err != nil {
		return hopeless{err}
	}
	g := &fetching{f: f, a: a, file: file, to: to, hash: sha256.New()}
	if err := g.again(ctx); err != nil {
		return err
	}
	for fails := 0; g.next < file.DataChunks(); {
		before := g.next
		err := g.some(ctx)
		if e := to.flush(context.WithoutCancel(ctx)); e != nil {
			return e
		}
		if err == nil || ctx.Err() != nil {
			if err := ctx.Err(); err != nil {
				return err
			}
			continue
		}
		if err := g.judge(ctx, err); err != nil {
			return err
		}
		if fails++; g.next > before {
			fails = 0
		}
		if fails >= fetchTries {
			if err = worded(err); !hasWords(err) {
				err = offline(err)
			}
			return err
		}
		select {
		case <-time.After(backoff(fails)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if [32]byte(g.hash.Sum(nil)) != a.Digest {
		return hopeless{errors.Join(notTheFile(errors.New("digest differs")), to.discard(ctx))}
	}
	return nil
}

// A fetching is one file on its way from the hub.
type fetching struct {
	f      *files
	a      *store.Attachment
	file   *seal.File
	to     sink
	permit permit
	hash   hash.Hash
	next   int64 // the chunk to fetch next
}

// again hashes what is here already.
func (g *fetching) again(ctx context.Context) error {
	for g.next = 0; g.next < min(g.to.have(), g.file.DataChunks()); g.next++ {
		part, err := g.to.read(ctx, g.next)
		if err != nil {
			return err
		}
		g.hash.Write(part)
	}
	return nil
}

// judge returns the error with which to give up, nil to try again.
func (g *fetching) judge(ctx context.Context, err error) error {
	var status *statusError
	switch {
	case errors.Is(err, seal.ErrKey), errors.Is(err, seal.ErrMalformed):
		return hopeless{errors.Join(notTheFile(err), g.to.discard(ctx))}
	case refused(err, wire.CodeNoBlob):
		return hopeless{noBlob(err)}
	case refused(err, wire.CodeNoMatter), refused(err, wire.CodeNotAllowed):
		return hopeless{worded(err)}
	case errors.Is(err, store.ErrDiskFull), isDiskFull(err):
		return hopeless{diskFull(err)}
	case !errors.As(err, &status):
		return nil
	}
	switch status.status {
	case http.StatusUnauthorized:
		g.permit = permit{}
	case http.StatusForbidden:
		return hopeless{(&refusal{Code: wire.CodeNoMatter}).worded()}
	case http.StatusNotFound:
		return hopeless{noBlob(err)}
	case http.StatusRequestedRangeNotSatisfiable:
		return hopeless{notTheFile(err)} // the hub's file is shorter
	}
	return nil
}

// some fetches chunks until the end or until the connection breaks.
func (g *fetching) some(ctx context.Context) (err error) {
	if !g.permit.good() {
		if g.permit, err = g.f.permit(ctx, g.a, pb.BlobDirection_BLOB_DIRECTION_DOWNLOAD, 0); err != nil {
			return err
		}
	}
	end := min(g.file.DataChunks()*seal.SealedChunk, g.file.SealedSize()) // padding behind the file is not fetched
	from := g.next * seal.SealedChunk
	r, err := g.f.request(ctx, http.MethodGet, g.a, g.permit, map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", from, end-1)}, nil, 0, http.StatusPartialContent)
	if err != nil {
		return err
	}
	defer r.close()
	if !strings.HasPrefix(r.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", from)) {
		return errors.New("the hub gives another range")
	}
	box := make([]byte, seal.SealedChunk)
	for g.next < g.file.DataChunks() {
		n := min(seal.SealedChunk, g.file.SealedSize()-g.next*seal.SealedChunk)
		if _, err := io.ReadFull(r.Body, box[:n]); err != nil {
			return err
		}
		r.moved()
		part, err := g.file.Open(g.next, box[:n])
		if err != nil {
			return err
		}
		if err := g.to.add(ctx, part); err != nil {
			return err
		}
		g.hash.Write(part)
		if g.next++; g.next%batchParts == 0 || g.next == g.file.DataChunks() {
			g.f.c.events.tell(FileProgress{File: g.a.FileID, Done: min(g.next*seal.FileChunk, g.a.Size), Total: g.a.Size})
		}
	}
	return nil
}

// notTheFile tells that a file is not the one that was sent.
func notTheFile(err error) error {
	return &fault.Error{
		Text: "This file is not the one that was sent. It was not kept.",
		Hint: "It was damaged or altered at the hub or on its way. Ask the sender to send it again, and tell whoever runs the hub.",
		Err:  err,
	}
}

func diskFull(err error) error {
	return &fault.Error{
		Text: "The disk of this computer is full.",
		Hint: "Make some room, then try again. What was there before is unharmed.",
		Err:  err,
	}
}

// A storeSink keeps a file in the store.
type storeSink struct {
	db    *store.DB
	a     *store.Attachment
	at    time.Time
	count int64 // parts in the store
	parts [][]byte
}

// open finds what is there of a file.
func (s *storeSink) open(ctx context.Context) error {
	return s.db.Update(ctx, func(tx *store.Tx) (err error) {
		id := s.a.Blob()
		blobs, err := tx.Blobs(s.a.Matter, s.a.Message)
		if err != nil {
			return err
		}
		for _, b := range blobs {
			if b.ID == id {
				s.count, err = tx.BlobParts(id)
				return err
			}
		}
		return tx.AddBlob(store.Blob{
			ID: id, Matter: s.a.Matter, Message: s.a.Message, Name: s.a.Name, Type: s.a.Type, Size: s.a.Size, Created: s.at,
		})
	})
}

func (s *storeSink) have() int64 { return s.count }

func (s *storeSink) read(ctx context.Context, n int64) (part []byte, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		part, err = tx.BlobPart(s.a.Blob(), n)
		return err
	})
	return part, err
}

func (s *storeSink) add(ctx context.Context, part []byte) error {
	s.parts = append(s.parts, append([]byte(nil), part...))
	if len(s.parts) < batchParts {
		return nil
	}
	return s.flush(ctx)
}

func (s *storeSink) flush(ctx context.Context) error {
	if len(s.parts) == 0 {
		return nil
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Attachment(s.a.FileID); err != nil {
			return err // the message was taken back meanwhile
		}
		for i, part := range s.parts {
			if err := tx.PutBlobPart(s.a.Blob(), int(s.count)+i, part); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.count += int64(len(s.parts))
		s.parts = s.parts[:0]
	}
	return err
}

func (s *storeSink) discard(ctx context.Context) error {
	s.count, s.parts = 0, nil
	return s.db.Update(ctx, func(tx *store.Tx) error { return tx.DropBlob(s.a.Blob()) })
}
