package hub

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// copyFile copies a file so that it is on the disk, readable by its owner alone.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	return storeAs(to, in)
}

// storeAs writes a new file from what is read, so that it is on the disk.
func storeAs(to string, from io.Reader) error {
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, from)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

// pack puts files of a folder into one archive, whole or not at all.
func pack(dir string, names []string, to string) (err error) {
	part := filepath.Join(dir, "part.tar")
	out, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	w := tar.NewWriter(out)
	for _, name := range names {
		if err = packFile(w, dir, name); err != nil {
			break
		}
	}
	err = errors.Join(err, w.Close())
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	if err := os.Rename(part, to); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(to))
}

func packFile(w *tar.Writer, dir, name string) error {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h := &tar.Header{Name: name, Mode: 0o600, Size: info.Size(), ModTime: info.ModTime(), Typeflag: tar.TypeReg, Format: tar.FormatPAX}
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}

// unpack brings the files of a backup, a folder or an archive, into a folder. It takes
// those that belong in one and no others.
func unpack(from, dir string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		for _, name := range []string{manifestFile, databaseFile, keyFile} {
			if err := copyFile(filepath.Join(from, name), filepath.Join(dir, name)); err != nil && (name != keyFile || !errors.Is(err, fs.ErrNotExist)) {
				return err
			}
		}
		return nil
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg || (h.Name != manifestFile && h.Name != databaseFile && h.Name != keyFile) {
			return fmt.Errorf("%q does not belong in a backup", h.Name)
		}
		if err := storeAs(filepath.Join(dir, h.Name), r); err != nil {
			return err
		}
	}
}

// syncFolder brings a folder's names to the disk, where that is the program's business.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // a folder can't be opened for it, and NTFS keeps a journal
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
