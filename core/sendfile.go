package core

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"causa/crypto/seal"
	"causa/internal/fault"
	"causa/matter"
	"causa/store"
	"causa/wire/pb"
)

const (
	// copiedFile is up to how many bytes a file is copied into the store when it is
	// sent, so that it may change or go. Larger ones are read where they are.
	copiedFile = 8 << 20
	maxPasted  = 64 << 20 // bytes of a file that is given as such
)

// A NewFile is a file that somebody wants to send: one of this device at Path, or bytes
// that are no file yet, such as a pasted picture or a voice note.
type NewFile struct {
	Path     string
	Data     []byte        // instead of Path
	Name     string        // empty: that of Path
	Type     string        // MIME; empty: found out
	Duration time.Duration // of a voice note
	Caption  string        // what is said of it; may be empty
}

// SendFile sends a file to a matter. It is queued when SendFile returns, also offline;
// its message is sent when the hub has the whole file. A large file is read where it is:
// it must not change until then. [FileProgress] tells how far it has come.
func (c *Client) SendFile(ctx context.Context, id matter.ID, n NewFile) (matter.Message, error) {
	src, err := openNewFile(n)
	if err != nil {
		return matter.Message{}, err
	}
	defer func() { _ = src.Close() }() // it was only read
	a := store.Attachment{
		FileID: FileID{Matter: id, Device: c.self, Message: matter.NewMessageID()},
		Key:    seal.NewFileKey(), Name: matter.FileName(n.Name), Size: src.size, Duration: n.Duration,
	}
	if n.Name == "" {
		a.Name = matter.FileName(filepath.Base(n.Path))
	}
	_, _ = rand.Read(a.Remote[:]) // never fails
	if n.Caption != "" {
		if n.Caption, err = cleanText(n.Caption); err != nil {
			return matter.Message{}, err
		}
		if len(n.Caption) > maxCaption {
			return matter.Message{}, &fault.Error{Text: "What you say about the file is too long.", Hint: "Send it as a message of its own."}
		}
	}
	if a.Type = n.Type; a.Type == "" || !fileType(a.Type) {
		a.Type = src.typeOf(a.Name)
	}
	if a.Digest, err = src.digest(ctx); err != nil {
		return matter.Message{}, worded(err)
	}
	a.Preview = previewOf(a.Type, src.size, src)
	u := store.Upload{Matter: id, Message: a.Message, Time: c.now(), Caption: n.Caption, Path: src.path, Changed: src.changed}
	if src.path == "" || src.size <= copiedFile {
		u.Path, a.Here = "", true
	}
	if err := c.keepUpload(ctx, u, a, src); err != nil {
		return matter.Message{}, err
	}
	m := c.uploadLine(u, a)
	c.events.tell(MessageAdded{m}, MatterChanged{id})
	c.files.wakeUploads()
	return m, nil
}

// keepUpload queues a file, with its bytes unless they stay where they are.
func (c *Client) keepUpload(ctx context.Context, u store.Upload, a store.Attachment, src *source) error {
	err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Place(u.Matter)
		if err != nil {
			return err
		}
		if p.Removed {
			return notIn(nil)
		}
		if err := c.maySay(tx, u.Matter, p); err != nil {
			return err
		}
		if err := tx.AddAttachment(a); err != nil {
			return err
		}
		if a.Here {
			if err := copyIn(tx, a, u.Time, src); err != nil {
				return err
			}
		}
		return tx.AddUpload(u)
	})
	if errors.Is(err, store.ErrNone) {
		err = noMatter(err)
	}
	return worded(err)
}

// copyIn copies a file into the store. It must still be the one that was looked at.
func copyIn(tx *store.Tx, a store.Attachment, at time.Time, src *source) error {
	id := a.Blob()
	err := tx.AddBlob(store.Blob{ID: id, Matter: a.Matter, Message: a.Message, Name: a.Name, Type: a.Type, Size: a.Size, Created: at})
	if err != nil {
		return err
	}
	h, part := sha256.New(), make([]byte, store.BlobPart)
	for i := 0; int64(i)*store.BlobPart < a.Size; i++ {
		n := min(store.BlobPart, a.Size-int64(i)*store.BlobPart)
		if _, err := src.ReadAt(part[:n], int64(i)*store.BlobPart); err != nil && !errors.Is(err, io.EOF) {
			return unreadable(err)
		}
		h.Write(part[:n])
		if err := tx.PutBlobPart(id, i, part[:n]); err != nil {
			return err
		}
	}
	if [32]byte(h.Sum(nil)) != a.Digest {
		return changedFile(errors.New("digest differs"))
	}
	return nil
}

// uploadLine is a file on its way as the thread shows it.
func (c *Client) uploadLine(u store.Upload, a store.Attachment) matter.Message {
	m := matter.Message{
		ID: u.Message, Matter: u.Matter, Time: u.Time, Author: c.acct.Member, Device: c.self, Kind: matter.KindFile,
		Text: matter.FileText(a.Name, u.Caption), Delivery: matter.DeliveryQueued,
	}
	m.File = a.File(m.Text)
	if u.Failed != "" {
		m.Delivery, m.Problem = matter.DeliveryFailed, u.Failed
	}
	return m
}

// uploading lists the files on their way in a matter, as the thread shows them.
func (c *Client) uploading(tx *store.Tx, id matter.ID) (out []matter.Message, err error) {
	us, err := tx.UploadsOf(id)
	for _, u := range us {
		a, err := tx.Attachment(FileID{Matter: id, Device: c.self, Message: u.Message})
		if errors.Is(err, store.ErrNone) {
			continue // nothing is known of it any more
		}
		if err != nil {
			return nil, err
		}
		out = append(out, c.uploadLine(u, a))
	}
	return out, err
}

// CancelFile takes back a file that has not been sent yet, also one that was given up.
func (c *Client) CancelFile(ctx context.Context, id FileID) error {
	var remote [16]byte
	err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		u, err := tx.Upload(id.Matter, id.Message)
		if err != nil {
			return err
		}
		a, err := tx.Attachment(id)
		if err != nil {
			return err
		}
		remote = a.Remote
		return errors.Join(tx.DropUpload(u.Position), tx.DropAttachment(id))
	})
	if errors.Is(err, store.ErrNone) {
		return &fault.Error{Text: "This file is no longer on its way.", Hint: "It was sent, or taken back before.", Err: err}
	}
	if err != nil {
		return worded(err)
	}
	c.files.cancelled(id)
	c.events.tell(MatterChanged{id.Matter})
	if l := c.link.Load(); l != nil {
		// The hub forgets it by itself after some days; sooner is kinder.
		_, err := l.ask(ctx, &pb.ClientFrame{Body: &pb.ClientFrame_DropBlob{DropBlob: &pb.DropBlob{Matter: id.Matter[:], Blob: remote[:]}}})
		c.log.Debug("blob dropped", "err", err)
	}
	return nil
}

// A source is a file to be sent, open for reading.
type source struct {
	io.ReaderAt
	io.Closer

	path    string // absolute; empty: it is in memory or in the store
	size    int64
	changed time.Time // when the file at path was
	check   func() error
}

func openNewFile(n NewFile) (*source, error) {
	if n.Path != "" {
		return openPath(n.Path)
	}
	if len(n.Data) > maxPasted {
		return nil, tooLarge()
	}
	return &source{ReaderAt: bytes.NewReader(n.Data), Closer: io.NopCloser(nil), size: int64(len(n.Data)), check: func() error { return nil }}, nil
}

// openPath opens a regular file.
func openPath(path string) (*source, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, unreadable(err)
	}
	info, err := os.Stat(path) // before opening: to open a pipe would wait for its writer
	if err != nil {
		return nil, unreadable(err)
	}
	if !info.Mode().IsRegular() {
		return nil, &fault.Error{Text: "“%s” is not a file.", TextArgs: []any{filepath.Base(path)}, Hint: "Send the files in a folder one by one, or pack them into one."}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(err)
	}
	if info, err = f.Stat(); err != nil {
		return nil, errors.Join(unreadable(err), f.Close())
	}
	if info.Size() > seal.MaxFile {
		return nil, errors.Join(tooLarge(), f.Close())
	}
	s := &source{ReaderAt: f, Closer: f, path: path, size: info.Size(), changed: info.ModTime()}
	s.check = func() error {
		now, err := os.Stat(path)
		if err != nil {
			return unreadable(err)
		}
		if now.Size() != s.size || !now.ModTime().Equal(s.changed) || !os.SameFile(now, info) {
			return changedFile(errors.New("size, time or file differs"))
		}
		return nil
	}
	return s, nil
}

// digest reads the whole file.
func (s *source) digest(ctx context.Context) (sum [32]byte, err error) {
	h := sha256.New()
	n, err := io.Copy(h, io.NewSectionReader(s, 0, s.size))
	switch {
	case err != nil:
		return sum, unreadable(err)
	case n != s.size:
		return sum, changedFile(io.ErrUnexpectedEOF)
	case ctx.Err() != nil:
		return sum, ctx.Err()
	}
	return [32]byte(h.Sum(nil)), s.check()
}

// typeOf finds out what kind of file it is, by its name or else by its first bytes.
func (s *source) typeOf(name string) string {
	ext := strings.ToLower(filepath.Ext(name))
	if t, ok := typesByName[ext]; ok {
		return t
	}
	if t, _, err := mime.ParseMediaType(mime.TypeByExtension(ext)); err == nil && fileType(t) {
		return t
	}
	head := make([]byte, 512)
	n, err := s.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "application/octet-stream"
	}
	t, _, err := mime.ParseMediaType(http.DetectContentType(head[:n]))
	if err != nil || t == "text/plain" && !utf8.Valid(bytes.TrimRight(head[:n], "\x80\x81\x82\x83")) && n < 512 {
		return "application/octet-stream"
	}
	return t
}

// typesByName are those that every system should agree about.
var typesByName = map[string]string{
	".txt": "text/plain", ".md": "text/markdown", ".csv": "text/csv", ".log": "text/plain", ".json": "application/json",
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp",
	".pdf": "application/pdf", ".zip": "application/zip", ".m4a": "audio/mp4", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".wav": "audio/wav", ".mp4": "video/mp4",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}

func tooLarge() error {
	return &fault.Error{Text: "The file is too large: 2 GiB is the limit.", Hint: "Split it and send the pieces."}
}

// errChanged: a file is not the one any more that somebody chose to send.
var errChanged = errors.New("the file has changed")

func changedFile(err error) error {
	return &fault.Error{
		Text: "The file was changed while it was being sent. Nothing was sent.",
		Hint: "Send it again when nobody is writing to it.",
		Err:  fmt.Errorf("%w: %w", errChanged, err),
	}
}

func unreadable(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &fault.Error{Text: "The file is not there any more.", Hint: "Choose it again.", Err: err}
	}
	return &fault.Error{Text: "The file can't be read.", Hint: "Make sure that you may read it.", Err: err}
}
