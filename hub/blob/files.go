package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// Files is a [Store] in a folder: a folder for each matter, a file for each object.
type Files struct {
	dir string

	mu sync.Mutex // held while names appear and go: a matter's folder goes with its last blob
}

// OpenFiles opens the store in a folder, which is made when missing.
func OpenFiles(dir string) (*Files, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open blobs: %w", classify(err))
	}
	return &Files{dir: dir}, nil
}

// path is where an object is. Names are made by this package, but a name that could
// leave the folder is never followed.
func (s *Files) path(name string) (string, error) {
	if _, ok := parseName(name); !ok {
		return "", fmt.Errorf("%q is no blob's name", name)
	}
	return filepath.Join(s.dir, filepath.FromSlash(name)), nil
}

// Put implements [Store]. The file must be on the same file system.
func (s *Files) Put(_ context.Context, name, file string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("put blob: %w", classify(err))
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("put blob: %w", classify(err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	to, err := s.place(name)
	if err != nil {
		return err
	}
	if err := os.Rename(file, to); err != nil {
		return fmt.Errorf("put blob: %w", classify(err))
	}
	return syncFolder(filepath.Dir(to))
}

// Mark implements [Store].
func (s *Files) Mark(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	to, err := s.place(name)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("mark blob: %w", classify(err))
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("mark blob: %w", classify(err))
	}
	return syncFolder(filepath.Dir(to))
}

// place makes an object's folder, durably. s.mu is held.
func (s *Files) place(name string) (string, error) {
	to, err := s.path(name)
	if err != nil {
		return "", err
	}
	switch err := os.Mkdir(filepath.Dir(to), 0o700); {
	case errors.Is(err, fs.ErrExist):
	case err != nil:
		return "", fmt.Errorf("make folder: %w", classify(err))
	default:
		if err := syncFolder(s.dir); err != nil {
			return "", err
		}
	}
	return to, nil
}

// Open implements [Store].
func (s *Files) Open(_ context.Context, name string) (io.ReadSeekCloser, error) {
	path, err := s.path(name)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	return f, nil
}

// Delete implements [Store].
func (s *Files) Delete(_ context.Context, names ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, name := range names {
		path, err := s.path(name)
		if err != nil {
			return err
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("delete blob: %w", err))
		}
		_ = os.Remove(filepath.Dir(path)) // succeeds when the matter has no more of them
	}
	return errors.Join(errs...)
}

// List implements [Store].
func (s *Files) List(ctx context.Context, prefix string, f func(Object) error) error {
	folder, _, one := strings.Cut(prefix, "/")
	matters := []string{folder}
	if !one {
		entries, err := os.ReadDir(s.dir)
		if err != nil {
			return fmt.Errorf("list blobs: %w", err)
		}
		matters = matters[:0]
		for _, e := range entries {
			if e.IsDir() && strings.HasPrefix(e.Name(), prefix) {
				matters = append(matters, e.Name())
			}
		}
	}
	for _, m := range matters {
		if err := s.listFolder(ctx, m, prefix, f); err != nil {
			return err
		}
	}
	return nil
}

func (s *Files) listFolder(ctx context.Context, folder, prefix string, f func(Object) error) error {
	entries, err := os.ReadDir(filepath.Join(s.dir, folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list blobs: %w", err)
	}
	for _, e := range entries {
		name := folder + "/" + e.Name()
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			return fmt.Errorf("list blobs: %w", err)
		}
		if err := f(Object{name, info.Size(), info.ModTime()}); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// syncFolder brings a folder's names to the disk, where that is the program's business.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // a folder can't be opened for it, and NTFS keeps a journal
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync folder: %w", classify(err))
	}
	return nil
}
