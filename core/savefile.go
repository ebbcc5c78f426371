package core

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"causa/internal/fault"
	"causa/matter"
	"causa/store"
)

// GetFile brings a file to this device, if it is not here: it is kept in the encrypted
// store, for SaveFile and OpenFile. Files over 64 MiB are not kept: save them.
func (c *Client) GetFile(ctx context.Context, id FileID) error {
	a, err := c.attachment(ctx, id)
	if err != nil {
		return err
	}
	if a.Size > keptFile {
		return &fault.Error{Text: "This file is too large to be kept inside Causa.", Hint: "Save it instead."}
	}
	return outOf(c.files.keep(ctx, id))
}

// outOf gives an error of the transfers to somebody else.
func outOf(err error) error {
	var no hopeless
	if errors.As(err, &no) {
		err = no.error
	}
	return worded(err)
}

// SaveFile writes a file to a place of the person's choice: path is a folder, or a file
// that does not exist yet. Nothing is ever overwritten: in a folder, a name that is taken
// gets a number. The whole file is verified before it gets its name. What an interrupted
// save has left is used by the next one. SaveFile returns where the file is.
func (c *Client) SaveFile(ctx context.Context, id FileID, path string) (saved string, err error) {
	a, err := c.attachment(ctx, id)
	if err != nil {
		return "", err
	}
	dir, name, free := path, a.Name, true
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		dir, name, free = filepath.Dir(path), filepath.Base(path), false
		if _, err := os.Lstat(path); err == nil {
			return "", fileExists(path)
		}
	}
	to := &fileSink{path: filepath.Join(dir, ".causa-"+hex.EncodeToString(a.Remote[:8])+".part"), a: &a}
	giveBack, err := c.files.take(ctx, id)
	if err != nil {
		return "", worded(err)
	}
	defer giveBack()
	if err := to.open(); err != nil {
		return "", unwritable(err)
	}
	err = c.write(ctx, &a, to)
	if e := to.close(); err == nil && e != nil {
		err = unwritable(e)
	}
	if err != nil {
		return "", outOf(err)
	}
	return to.place(dir, name, free)
}

// write gives a sink the whole file, from the store or from the hub.
func (c *Client) write(ctx context.Context, a *store.Attachment, to *fileSink) error {
	if !a.Here {
		return c.files.fetch(ctx, a, to)
	}
	if err := to.discard(ctx); err != nil {
		return unwritable(err)
	}
	err := c.home.db.View(ctx, func(tx *store.Tx) error {
		_, err := tx.WriteBlob(to.f, a.Blob())
		return err
	})
	if isDiskFull(err) {
		return diskFull(err)
	}
	if err != nil {
		return err
	}
	if err := to.flush(ctx); err != nil {
		return unwritable(err)
	}
	return nil
}

// A fileSink writes a file beside the place it is to have.
type fileSink struct {
	path string
	a    *store.Attachment
	f    *os.File
	size int64
}

// open opens what an earlier save has left, or makes a new file.
func (s *fileSink) open() (err error) {
	if info, err := os.Lstat(s.path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is in the way", filepath.Base(s.path)) // a link could lead anywhere
	}
	if s.f, err = os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	info, err := s.f.Stat()
	if err != nil {
		return errors.Join(err, s.f.Close())
	}
	s.size = min(info.Size(), s.a.Size) / store.BlobPart * store.BlobPart
	return errors.Join(s.f.Truncate(s.size), s.seek())
}

func (s *fileSink) seek() error {
	_, err := s.f.Seek(s.size, io.SeekStart)
	return err
}

func (s *fileSink) close() error { return s.f.Close() }

func (s *fileSink) have() int64 { return s.size / store.BlobPart }

func (s *fileSink) read(_ context.Context, n int64) ([]byte, error) {
	part := make([]byte, store.BlobPart)
	_, err := s.f.ReadAt(part, n*store.BlobPart)
	return part, err
}

func (s *fileSink) add(_ context.Context, part []byte) error {
	n, err := s.f.Write(part)
	s.size += int64(n)
	if err != nil {
		return unwritable(err)
	}
	return nil
}

func (s *fileSink) flush(context.Context) error {
	if err := s.f.Sync(); err != nil {
		return unwritable(err)
	}
	return nil
}

func (s *fileSink) discard(context.Context) error {
	s.size = 0
	return errors.Join(s.f.Truncate(0), s.seek())
}

// place gives the finished file its name, without replacing anything.
func (s *fileSink) place(dir, name string, free bool) (string, error) {
	ext := filepath.Ext(name)
	for n := 1; n < 1000; n++ {
		to := filepath.Join(dir, name)
		if n > 1 {
			to = filepath.Join(dir, fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(name, ext), n, ext))
		}
		err := moveNew(s.path, to)
		switch {
		case err == nil:
			return to, nil
		case !errors.Is(err, fs.ErrExist):
			return "", unwritable(err)
		case !free:
			return "", fileExists(to)
		}
	}
	return "", fileExists(filepath.Join(dir, name))
}

// moveNew renames a file unless there is one of that name.
func moveNew(from, to string) error {
	if err := os.Link(from, to); err == nil || errors.Is(err, fs.ErrExist) {
		if err != nil {
			return err
		}
		return os.Remove(from)
	}
	// Not every file system has links. This one leaves a moment for somebody else.
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Rename(from, to))
}

func fileExists(path string) error {
	return &fault.Error{
		Text: "There is a file called “%s” already.", TextArgs: []any{filepath.Base(path)},
		Hint: "Choose another name. Nothing was overwritten.", Err: fs.ErrExist,
	}
}

func unwritable(err error) error {
	if isDiskFull(err) {
		return diskFull(err)
	}
	return &fault.Error{Text: "The file can't be written there.", Hint: "Choose a folder that you may write to.", Err: err}
}

// openedFolder holds what is open in other programs right now, in the clear.
const (
	openedFolder = "opened"
	openedFor    = 8 * time.Hour
)

// OpenFile puts a copy of a file where another program can open it, and returns where:
// in a private folder of this device, until this client is closed or eight hours have
// passed. What could start a program is refused: it can be saved.
func (c *Client) OpenFile(ctx context.Context, id FileID) (path string, err error) {
	a, err := c.attachment(ctx, id)
	if err != nil {
		return "", err
	}
	if !Openable(a.Name) {
		return "", &fault.Error{
			Text: "Causa does not open files of this kind: they can run programs.",
			Hint: "Save the file, and open it only if you expected it and trust who sent it.",
		}
	}
	if a.Size <= keptFile {
		if err := c.GetFile(ctx, id); err != nil {
			return "", err
		}
	}
	root := filepath.Join(c.home.dir, openedFolder)
	if err := c.forgetOld(root); err != nil {
		return "", unwritable(err)
	}
	dir, err := os.MkdirTemp(root, "")
	if err != nil {
		return "", unwritable(err)
	}
	path, err = c.SaveFile(ctx, id, dir)
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return path, nil
}

// forgetOld makes the folder of opened files and removes what has been there for long.
func (c *Client) forgetOld(root string) error {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > openedFor {
			if err := os.RemoveAll(filepath.Join(root, e.Name())); err != nil {
				c.log.Warn("an opened file was not removed", "err", err)
			}
		}
	}
	return nil
}

// forgetOpened removes all opened files, also those that a crash has left. One that
// another program still holds is removed the next time.
func (c *Client) forgetOpened() error {
	if err := os.RemoveAll(filepath.Join(c.home.dir, openedFolder)); err != nil {
		c.log.Warn("opened files were not removed", "err", err)
	}
	return nil
}

// openable are the endings of files that show something and run nothing.
var openable = map[string]bool{
	".txt": true, ".log": true, ".md": true, ".csv": true, ".tsv": true, ".json": true, ".xml": true, ".yaml": true, ".yml": true, ".rtf": true,
	".png": true, ".jpg": true, ".jpeg": true, ".gif": true, ".webp": true, ".bmp": true, ".tif": true, ".tiff": true, ".heic": true,
	".pdf": true, ".docx": true, ".xlsx": true, ".pptx": true, ".odt": true, ".ods": true, ".odp": true, ".wps": true, ".et": true, ".dps": true, ".ofd": true,
	".mp3": true, ".m4a": true, ".aac": true, ".ogg": true, ".opus": true, ".wav": true, ".flac": true, ".mp4": true, ".mov": true, ".mkv": true, ".webm": true, ".avi": true,
	".zip": true, ".7z": true, ".gz": true, ".tar": true, ".ics": true, ".vcf": true, ".eml": true,
}

// Openable reports whether a file of this name may be opened with another program.
func Openable(name string) bool {
	return openable[strings.ToLower(filepath.Ext(matter.FileName(name)))]
}

// FileBytes returns the bytes of a small file that is here, for showing it.
func (c *Client) FileBytes(ctx context.Context, id FileID) ([]byte, error) {
	if err := c.GetFile(ctx, id); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err := c.home.db.View(ctx, func(tx *store.Tx) error {
		_, err := tx.WriteBlob(&b, id.Blob())
		return err
	})
	return b.Bytes(), worded(err)
}
