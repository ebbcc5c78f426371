package core

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"time"

	"causa/crypto/seal"
	"causa/internal/fault"
	"causa/store"
	"causa/wire"
	"causa/wire/pb"
)

// pieceChunks is how many chunks of a file go in one request: the hub brings each request
// to its disk, and less is sent again when a connection breaks.
const pieceChunks = 64

// bringAll brings what is queued, one file after the other, and returns when to try
// again what had to wait.
func (f *files) bringAll(ctx context.Context) (pause time.Duration) {
	var us []store.Upload
	err := f.c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		us, err = tx.Uploads()
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			f.c.log.Error("list uploads", "err", err)
		}
		return sickPause
	}
	for _, u := range us {
		if ctx.Err() != nil || f.c.link.Load() == nil {
			return 0 // it wakes us when it is back
		}
		if wait := f.bringOne(ctx, u); wait > 0 && (pause == 0 || wait < pause) {
			pause = wait
		}
	}
	return pause
}

// bringOne brings one file, gives it up, or returns when to try again.
func (f *files) bringOne(ctx context.Context, u store.Upload) (again time.Duration) {
	id := FileID{Matter: u.Matter, Device: f.c.self, Message: u.Message}
	uctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f.mu.Lock()
	f.stop[id] = cancel
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.stop, id)
	}()
	err := f.bring(uctx, id, u)
	var no hopeless
	var status *statusError
	switch {
	case err == nil:
		f.setTrouble(id, nil)
		return 0
	case uctx.Err() != nil || errors.Is(err, store.ErrNone): // shut down, or taken back
		f.setTrouble(id, nil)
		return 0
	case errors.As(err, &no):
		f.setTrouble(id, nil)
		f.giveUp(ctx, u, worded(no.error))
		return 0
	}
	again = uploadPause
	if errors.As(err, &status) {
		again = max(again, status.after)
		if status.status == http.StatusInsufficientStorage {
			err, again = (&refusal{Code: wire.CodeFull}).worded(), sickPause
		}
	}
	if err = worded(err); !hasWords(err) {
		err = offline(err)
	}
	f.c.log.Debug("a file waits", "err", err)
	f.setTrouble(id, err)
	f.c.events.tell(FileProgress{File: id, Up: true, Done: u.Done, Problem: err})
	return again
}

func hasWords(err error) bool {
	var w *fault.Error
	return errors.As(err, &w)
}

// giveUp gives up a file for good.
func (f *files) giveUp(ctx context.Context, u store.Upload, why error) {
	u.Failed, _ = fault.Words(why, nil)
	id := FileID{Matter: u.Matter, Device: f.c.self, Message: u.Message}
	var a store.Attachment
	err := f.c.home.db.Update(ctx, func(tx *store.Tx) (err error) {
		if a, err = tx.Attachment(id); err != nil {
			return err
		}
		return tx.SetUploadFailed(u.Position, u.Failed)
	})
	if err != nil {
		f.c.log.Error("give up an upload", "err", err)
		return
	}
	f.c.log.Warn("a file was given up", "err", why)
	f.c.events.tell(FileProgress{File: id, Up: true, Problem: why}, MessageChanged{f.c.uploadLine(u, a)})
}

// A bringing is one file on its way to the hub.
type bringing struct {
	f      *files
	u      store.Upload
	a      store.Attachment
	src    *source
	sealed *seal.File
	permit permit
	hash   hash.Hash // over what the hub has of the file
	hashed int64
}

// bring brings one file and queues its message.
func (f *files) bring(ctx context.Context, id FileID, u store.Upload) error {
	b := &bringing{f: f, u: u, hash: sha256.New()}
	var place store.Place
	err := f.c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		if b.a, err = tx.Attachment(id); err != nil {
			return err
		}
		place, err = tx.Place(u.Matter)
		return err
	})
	switch {
	case err != nil:
		return err
	case place.Removed:
		return hopeless{notIn(nil)}
	case place.Unborn:
		return offline(errors.New("the matter is not known to the hub yet"))
	}
	if b.src, err = f.sourceOf(ctx, u, &b.a); err != nil {
		return err
	}
	defer func() { _ = b.src.Close() }() // it was only read
	key := seal.FileKey(b.a.Key)
	if b.sealed, err = seal.NewFile(&key, b.a.Size); err != nil {
		return hopeless{err}
	}
	if err := b.all(ctx); err != nil {
		return err
	}
	// What was sealed is what was hashed, and must be what somebody chose to send.
	if err := b.src.check(); err != nil {
		return b.changed(ctx, err)
	}
	if [32]byte(b.hash.Sum(nil)) != b.a.Digest {
		return b.changed(ctx, changedFile(errors.New("digest differs")))
	}
	return f.brought(ctx, u, &b.a)
}

// changed gives a file up that has changed, and has the hub forget it.
func (b *bringing) changed(ctx context.Context, err error) error {
	if l := b.f.c.link.Load(); l != nil {
		_, e := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_DropBlob{DropBlob: &pb.DropBlob{Matter: b.a.Matter[:], Blob: b.a.Remote[:]}}})
		b.f.c.log.Debug("blob dropped", "err", e) // else the hub forgets it by itself
	}
	return hopeless{err}
}

// sourceOf opens the file of an upload: the store's copy, or the file that was chosen.
func (f *files) sourceOf(ctx context.Context, u store.Upload, a *store.Attachment) (*source, error) {
	if u.Path == "" {
		return &source{ReaderAt: &storedFile{ctx, f.c.home.db, a.Blob()}, Closer: io.NopCloser(nil), size: a.Size, check: func() error { return nil }}, nil
	}
	src, err := openPath(u.Path)
	if err != nil {
		return nil, hopeless{err}
	}
	if src.size != a.Size || !src.changed.Equal(u.Changed) {
		return nil, hopeless{errors.Join(changedFile(errors.New("size or time differs")), src.Close())}
	}
	return src, nil
}

// all brings what the hub does not have yet.
func (b *bringing) all(ctx context.Context) error {
	for fails := 0; ; {
		offset, err := b.where(ctx)
		for err == nil {
			var whole bool
			if offset, whole, err = b.piece(ctx, offset); whole && err == nil {
				return nil
			}
			if err == nil {
				fails = 0
			}
		}
		var status *statusError
		switch isStatus := errors.As(err, &status); {
		case ctx.Err() != nil:
			return ctx.Err()
		case refused(err, wire.CodeBlobQuota), refused(err, wire.CodeNotAllowed), refused(err, wire.CodeTooLarge),
			isStatus && status.status == http.StatusRequestEntityTooLarge:
			if isStatus {
				err = (&refusal{Code: wire.CodeBlobQuota}).worded()
			}
			return hopeless{err}
		case errors.Is(err, errChanged):
			return b.changed(ctx, err)
		case isStatus && status.status == http.StatusUnauthorized:
			b.permit = permit{}
		case isStatus && status.status == http.StatusConflict: // ask where it goes on
		default:
			return err
		}
		if fails++; fails > busyTries {
			return err
		}
	}
}

// where asks how much the hub has, and hashes that much of the file.
func (b *bringing) where(ctx context.Context) (offset int64, err error) {
	if !b.permit.good() {
		if b.permit, err = b.f.permit(ctx, &b.a, pb.BlobDirection_BLOB_DIRECTION_UPLOAD, b.sealed.SealedSize()); err != nil {
			return 0, err
		}
	}
	r, err := b.f.request(ctx, http.MethodHead, &b.a, b.permit, nil, nil, 0, http.StatusNoContent)
	if err != nil {
		return 0, err
	}
	defer r.close()
	if offset, err = strconv.ParseInt(r.Header.Get(wire.BlobOffset), 10, 64); err != nil || offset < 0 || offset > b.sealed.SealedSize() {
		return 0, errors.New("the hub tells no offset")
	}
	return offset, b.rehash(ctx, min(offset/seal.SealedChunk*seal.FileChunk, b.a.Size))
}

// rehash hashes the file up to a place, and makes sure that what an earlier process has
// brought is what it was.
func (b *bringing) rehash(ctx context.Context, upto int64) error {
	b.hash.Reset()
	b.hashed = 0
	for _, stop := range []int64{min(b.u.Done, upto), upto} {
		for b.hashed < stop && ctx.Err() == nil {
			n, err := io.Copy(b.hash, io.NewSectionReader(b.src, b.hashed, min(stop-b.hashed, 16<<20)))
			b.hashed += n
			if err != nil {
				return hopeless{unreadable(err)}
			}
			if n == 0 {
				return changedFile(io.ErrUnexpectedEOF)
			}
		}
		if stop == b.u.Done && stop > 0 {
			state, err := hashState(b.hash)
			if err != nil {
				return err
			}
			if !bytes.Equal(state, b.u.State) {
				return changedFile(errors.New("what was brought before has changed"))
			}
		}
	}
	return ctx.Err()
}

func hashState(h hash.Hash) ([]byte, error) {
	m, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return nil, errors.New("the state of the hash can't be kept")
	}
	return m.MarshalBinary()
}

// piece brings the next bytes. The last of them make the file whole.
func (b *bringing) piece(ctx context.Context, offset int64) (next int64, whole bool, err error) {
	first := offset / seal.SealedChunk
	until := min((first+pieceChunks)*seal.SealedChunk, b.sealed.SealedSize())
	from, to := min(first*seal.FileChunk, b.a.Size), min((first+pieceChunks)*seal.FileChunk, b.a.Size)
	// Read once: what is hashed is what is sealed, whatever happens to the file.
	plain := make([]byte, to-from)
	if _, err := io.ReadFull(io.NewSectionReader(b.src, from, to-from), plain); err != nil {
		return 0, false, changedFile(err)
	}
	body, err := b.sealed.Sealed(offsetFile{plain, from}, offset)
	if err != nil {
		return 0, false, err
	}
	if !b.permit.good() {
		if b.permit, err = b.f.permit(ctx, &b.a, pb.BlobDirection_BLOB_DIRECTION_UPLOAD, b.sealed.SealedSize()); err != nil {
			return 0, false, err
		}
	}
	r, err := b.f.request(ctx, http.MethodPatch, &b.a, b.permit, map[string]string{
		"Content-Type": "application/octet-stream", wire.BlobOffset: strconv.FormatInt(offset, 10),
	}, io.LimitReader(body, until-offset), until-offset, http.StatusNoContent)
	if err != nil {
		return 0, false, err
	}
	defer r.close()
	if r.Header.Get(wire.BlobOffset) != strconv.FormatInt(until, 10) {
		return 0, false, errors.New("the hub took something else than it was given")
	}
	b.hash.Write(plain)
	b.hashed = to
	state, err := hashState(b.hash)
	if err != nil {
		return 0, false, err
	}
	b.u.Done, b.u.State = to, state
	if err := b.f.c.home.db.Update(ctx, func(tx *store.Tx) error { return tx.SetUploadDone(b.u.Position, to, state) }); err != nil {
		return 0, false, err
	}
	b.f.setTrouble(b.a.FileID, nil)
	b.f.c.events.tell(FileProgress{File: b.a.FileID, Up: true, Done: to, Total: b.a.Size})
	return until, until == b.sealed.SealedSize(), nil
}

// An offsetFile is part of a file in memory, at its place.
type offsetFile struct {
	b  []byte
	at int64
}

func (o offsetFile) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(o.b).ReadAt(p, off-o.at)
}

// brought queues the message of a file that the hub has.
func (f *files) brought(ctx context.Context, u store.Upload, a *store.Attachment) error {
	err := f.c.home.db.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Upload(u.Matter, u.Message); err != nil {
			return err // taken back meanwhile
		}
		body, err := fileContent{
			Blob: a.Remote, Key: a.Key, Size: a.Size, Digest: a.Digest, Name: a.Name, Type: a.Type, Duration: a.Duration, Caption: u.Caption,
		}.bytes()
		if err != nil {
			return err
		}
		if _, err := f.c.enqueueAs(tx, u.Matter, u.Message, contentFile, body); err != nil {
			return err
		}
		return tx.DropUpload(u.Position)
	})
	if err != nil {
		return err
	}
	if err := f.c.countQueue(ctx); err != nil {
		return err
	}
	f.c.kick()
	return nil
}

// A storedFile reads a file whose bytes are in the store.
type storedFile struct {
	ctx context.Context //nolint:containedctx // lives as long as the reading
	db  *store.DB
	id  store.BlobID
}

func (s *storedFile) ReadAt(p []byte, off int64) (n int, err error) {
	err = s.db.View(s.ctx, func(tx *store.Tx) error {
		for n < len(p) {
			at := off + int64(n)
			part, err := tx.BlobPart(s.id, at/store.BlobPart)
			if errors.Is(err, store.ErrNone) || err == nil && int64(len(part)) <= at%store.BlobPart {
				return io.EOF
			}
			if err != nil {
				return err
			}
			n += copy(p[n:], part[at%store.BlobPart:])
		}
		return nil
	})
	return n, err
}

// WaitFile waits until a file's message has its place in the thread. It returns with
// words when the file was given up, when nothing moves for so long as patience, and why
// then. Whatever it returns, a file that was not given up stays queued.
func (c *Client) WaitFile(ctx context.Context, id FileID, patience time.Duration, progress func(done, total int64)) error {
	moved := make(chan FileProgress, 16)
	look := make(chan struct{}, 1)
	cancel := c.events.add(func(e Event) {
		switch e := e.(type) {
		case FileProgress:
			if e.File == id {
				select {
				case moved <- e:
				default: // a newer one follows
				}
				wake(look)
			}
		case MessageChanged, MatterChanged:
			wake(look)
		}
	})
	defer cancel()
	still := time.NewTimer(patience)
	defer still.Stop()
	for {
		sent, err := c.fileSent(ctx, id)
		if err != nil || sent {
			return err
		}
		select {
		case p := <-moved:
			if p.Problem == nil {
				still.Reset(patience)
				progress(p.Done, p.Total)
			}
		case <-look:
		case <-c.ended:
			return ErrClosed
		case <-still.C:
			if err := c.files.troubleOf(id); err != nil {
				return err
			}
			if _, err := c.online(); err != nil {
				return err
			}
			return worded(context.DeadlineExceeded)
		case <-ctx.Done():
			return worded(ctx.Err())
		}
	}
}

// fileSent reports whether a file's message has its place; an error says that it was
// given up.
func (c *Client) fileSent(ctx context.Context, id FileID) (sent bool, err error) {
	err = c.home.db.View(ctx, func(tx *store.Tx) error {
		u, err := tx.Upload(id.Matter, id.Message)
		switch {
		case err == nil && u.Failed != "":
			return &fault.Error{Text: u.Failed}
		case err == nil || !errors.Is(err, store.ErrNone):
			return err
		}
		items, err := tx.OutboxOf(id.Matter)
		if err != nil {
			return err
		}
		for _, it := range items {
			if it.ID == id.Message {
				if it.Failed != "" {
					return &fault.Error{Text: it.Failed}
				}
				return nil
			}
		}
		sent, err = tx.HasMessage(id.Matter, id.Device, id.Message)
		return err
	})
	return sent, worded(err)
}
