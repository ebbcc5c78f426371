package core

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"

	"causa/crypto/seal"
	"causa/internal/fault"
	"causa/matter"
	"causa/store"
	"causa/wire/pb"
)

// contentFile: body: a file.
const contentFile = 40

// A FileID names a file by the message that brings it.
type FileID = store.FileID

// FileOf names the file that a message brings.
func FileOf(m matter.Message) FileID {
	return FileID{Matter: m.Matter, Device: m.Device, Message: m.ID}
}

// A fileContent is what a message says of the file it brings: all that is needed to
// fetch, open and verify it. Its bytes:
//
//	opaque blob[16]; opaque key[32]; uint64 size; opaque digest[32]; opaque name<1..255>;
//	opaque type<0..255>; uint32 duration_ms; opaque caption<0..2^16-1>;
type fileContent struct {
	Blob     [16]byte
	Key      seal.FileKey
	Size     int64
	Digest   [32]byte // SHA-256 of the file
	Name     string   // a matter.FileName
	Type     string   // MIME, ASCII
	Duration time.Duration
	Caption  string
}

const (
	maxCaption  = 4 << 10 // bytes
	maxFileType = 100
)

func (f fileContent) bytes() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddBytes(f.Blob[:])
	b.AddBytes(f.Key[:])
	b.AddUint64(uint64(f.Size))
	b.AddBytes(f.Digest[:])
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(f.Name)) })
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(f.Type)) })
	b.AddUint32(uint32(f.Duration.Milliseconds()))
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(f.Caption)) })
	return b.Bytes()
}

func parseFile(raw []byte) (f fileContent, err error) {
	s := cryptobyte.String(raw)
	var size uint64
	var ms uint32
	var name, typ, caption cryptobyte.String
	if !s.CopyBytes(f.Blob[:]) || !s.CopyBytes(f.Key[:]) || !s.ReadUint64(&size) || !s.CopyBytes(f.Digest[:]) ||
		!s.ReadUint8LengthPrefixed(&name) || !s.ReadUint8LengthPrefixed(&typ) || !s.ReadUint32(&ms) ||
		!s.ReadUint16LengthPrefixed(&caption) || !s.Empty() {
		return f, errContent
	}
	f.Size, f.Name, f.Type, f.Caption = int64(min(size, 1<<62)), string(name), string(typ), string(caption)
	f.Duration = time.Duration(ms) * time.Millisecond
	if f.Size > seal.MaxFile || matter.FileName(f.Name) != f.Name || !fileType(f.Type) || len(f.Caption) > maxCaption || !utf8.ValidString(f.Caption) {
		return f, errContent
	}
	return f, nil
}

// fileType reports whether s can stand as a MIME type.
func fileType(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return len(s) <= maxFileType
}

// file takes a message that brings a file. Small pictures and texts are wanted at once.
func (a *applying) file(e *pb.Entry, m matter.Message, con content) error {
	f, err := parseFile(con.Body)
	if err != nil {
		m.Kind = matter.KindUnread
		return a.show(e, m)
	}
	id := FileOf(matter.Message{Matter: a.id, Device: m.Device, ID: m.ID})
	att, err := a.tx.Attachment(id)
	if errors.Is(err, store.ErrNone) {
		att = store.Attachment{
			FileID: id, Remote: f.Blob, Key: f.Key, Digest: f.Digest, Name: f.Name, Type: f.Type, Size: f.Size, Duration: f.Duration,
		}
		att.Wanted = wantedByItself(att)
		err = a.tx.AddAttachment(att)
	}
	if err != nil {
		return err
	}
	m.Kind, m.Text = matter.KindFile, matter.FileText(f.Name, f.Caption)
	m.File = att.File(m.Text)
	if att.Wanted {
		a.files = true
	}
	return a.show(e, m)
}

// queuedFile shows a file's message that waits to be sent.
func queuedFile(m *matter.Message, con content) bool {
	f, err := parseFile(con.Body)
	if err != nil {
		return false
	}
	m.Kind, m.Text = matter.KindFile, matter.FileText(f.Name, f.Caption)
	m.File = &matter.File{Name: f.Name, Type: f.Type, Size: f.Size, Duration: f.Duration, Caption: f.Caption}
	return true
}

// blobsOf lists the blobs that queued content names, for the hub to keep them.
func blobsOf(raw []byte) [][]byte {
	con, err := parseContent(raw)
	if err != nil || con.Kind != contentFile {
		return nil
	}
	f, err := parseFile(con.Body)
	if err != nil {
		return nil
	}
	return [][]byte{f.Blob[:]}
}

// maxFilesListed is how many files of a matter are listed at once.
const maxFilesListed = 5000

// Files lists the messages of a matter that bring files, newest first.
func (c *Client) Files(ctx context.Context, id matter.ID) (out []matter.Message, err error) {
	err = c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		out, err = tx.Attachments(id, maxFilesListed)
		return err
	})
	return out, worded(err)
}

// attachment returns what is known of a file.
func (c *Client) attachment(ctx context.Context, id FileID) (a store.Attachment, err error) {
	err = c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		a, err = tx.Attachment(id)
		return err
	})
	if errors.Is(err, store.ErrNone) {
		err = &fault.Error{Text: "There is no such file on this device.", Hint: "It may have been taken back. Look at the matter again.", Err: err}
	}
	return a, worded(err)
}

// FilePreview returns a small picture (JPEG or PNG) or the first lines (UTF-8) of a file;
// nil when there is none.
func (c *Client) FilePreview(ctx context.Context, id FileID) ([]byte, error) {
	a, err := c.attachment(ctx, id)
	return a.Preview, err
}
