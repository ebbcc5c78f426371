package blob

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// An upload is a blob that is being brought. Its staging file's name says all about it.
type upload struct {
	key     Key
	device  [32]byte
	size    int64 // announced
	offset  int64 // what is there, on the disk
	touched time.Time
	taken   bool // somebody is bringing it right now
}

func (u *upload) name() string {
	return strings.Join([]string{
		hex.EncodeToString(u.key.Matter[:]), hex.EncodeToString(u.key.ID[:]), hex.EncodeToString(u.device[:]), strconv.FormatInt(u.size, 10),
	}, ".")
}

func parseUpload(name string) (*upload, bool) {
	f := strings.Split(name, ".")
	u := new(upload)
	if len(f) != 4 || !unhex(u.key.Matter[:], f[0]) || !unhex(u.key.ID[:], f[1]) || !unhex(u.device[:], f[2]) {
		return nil, false
	}
	var err error
	u.size, err = strconv.ParseInt(f[3], 10, 64)
	return u, err == nil && u.size > 0 && u.name() == name
}

// readStaging finds the uploads that an earlier process has left.
func (d *Depot) readStaging() error {
	entries, err := os.ReadDir(d.o.Staging)
	if err != nil {
		return fmt.Errorf("open blobs: %w", err)
	}
	for _, e := range entries {
		u, ok := parseUpload(e.Name())
		if !ok {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return fmt.Errorf("open blobs: %w", err)
		}
		u.offset, u.touched = min(info.Size(), u.size), info.ModTime()
		d.uploads[u.key] = u
		d.used[u.device] += charge(u.size)
		d.total += charge(u.size)
	}
	return nil
}

// Reserve makes room for a blob that a device is about to bring. To ask again for the
// same is no error.
func (d *Depot) Reserve(ctx context.Context, k Key, device [32]byte, size int64) error {
	switch b, err := d.find(ctx, k); {
	case err == nil && b.device != device:
		return ErrOthers
	case err == nil && b.size != size:
		return ErrSize
	case err == nil:
		return nil
	case !errors.Is(err, ErrNone):
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return ErrClosed
	}
	if u := d.uploads[k]; u != nil {
		switch {
		case u.device != device:
			return ErrOthers
		case u.size != size:
			return ErrSize
		}
		return nil
	}
	if d.used[device]+charge(size) > d.o.PerDevice || d.total+charge(size) > d.o.Total {
		return ErrQuota
	}
	n := 0
	for _, u := range d.uploads {
		if u.device == device {
			n++
		}
	}
	if n >= maxUnfinished {
		return ErrBusy
	}
	d.uploads[k] = &upload{key: k, device: device, size: size, touched: d.o.Now()}
	d.used[device] += charge(size)
	d.total += charge(size)
	return nil
}

// Offset tells how much of a blob is here, and whether it is whole.
func (d *Depot) Offset(ctx context.Context, k Key, device [32]byte) (offset int64, whole bool, err error) {
	d.mu.Lock()
	u := d.uploads[k]
	if u != nil {
		defer d.mu.Unlock()
		if u.device != device {
			return 0, false, ErrOthers
		}
		return u.offset, false, nil
	}
	d.mu.Unlock()
	b, err := d.find(ctx, k)
	if err == nil && b.device != device {
		err = ErrOthers
	}
	return b.size, true, err
}

// An OffsetError says that bytes came for another place than the next one.
type OffsetError struct{ Want int64 }

func (e *OffsetError) Error() string { return fmt.Sprintf("the blob goes on at %d", e.Want) }

// Append adds to an upload what r gives, exactly n bytes, at offset, which must be where
// it goes on. What came is on the disk when Append returns, also when it fails: next is
// where the upload goes on. With its last byte, or with n = 0 once that is there, the
// blob is put into the store; whole is true then.
func (d *Depot) Append(ctx context.Context, k Key, device [32]byte, offset, n int64, r io.Reader) (next int64, whole bool, err error) {
	if err := d.enter(); err != nil {
		return 0, false, err
	}
	defer d.leave()
	u, err := d.take(k, device)
	if errors.Is(err, ErrNone) {
		// It may be whole: then the end comes a second time.
		next, whole, err := d.Offset(ctx, k, device)
		if err == nil && (offset != next || n != 0) {
			err = &OffsetError{next}
		}
		return next, whole, err
	}
	if err != nil {
		return 0, false, err
	}
	defer d.putBack(u)
	if offset != u.offset {
		return u.offset, false, &OffsetError{u.offset}
	}
	if n < 0 || n > u.size-offset {
		return u.offset, false, ErrSize
	}
	added, err := d.write(u, n, r)
	d.mu.Lock()
	u.offset += added
	u.touched = d.o.Now()
	d.mu.Unlock()
	if err != nil || u.offset < u.size {
		return u.offset, false, err
	}
	// The device may be gone before the store is done; what it brought is there all the same.
	ctx, stop := context.WithTimeout(d.work, storeTimeout)
	defer stop()
	if err := d.o.Store.Put(ctx, k.bytesName(device), d.stagingPath(u.name())); err != nil {
		return u.offset, false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.uploads, k)
	d.release(device, u.size)
	d.learn(k, &blob{device: device, size: u.size, stored: d.o.Now()})
	return u.size, true, nil
}

// take takes an upload for one that brings it. A second one at the same time is ErrBusy.
func (d *Depot) take(k Key, device [32]byte) (*upload, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.uploads[k]
	switch {
	case u == nil:
		return nil, ErrNone
	case u.device != device:
		return nil, ErrOthers
	case u.taken:
		return nil, ErrBusy
	}
	u.taken = true
	return u, nil
}

func (d *Depot) putBack(u *upload) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u.taken = false
}

// write adds to a staging file and returns how much of it is on the disk.
func (d *Depot) write(u *upload, n int64, r io.Reader) (added int64, err error) {
	if n == 0 {
		return 0, nil
	}
	f, err := os.OpenFile(d.stagingPath(u.name()), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return 0, fmt.Errorf("keep upload: %w", classify(err))
	}
	if _, err = f.Seek(u.offset, io.SeekStart); err == nil {
		added, err = io.CopyBuffer(onlyWriter{f}, io.LimitReader(r, n), make([]byte, 128<<10))
	}
	if err == nil && added < n {
		err = io.ErrUnexpectedEOF
	}
	if e := f.Sync(); e != nil {
		added, err = 0, e
	}
	if e := f.Close(); e != nil {
		added, err = 0, e
	}
	if err != nil {
		return added, fmt.Errorf("keep upload: %w", classify(err))
	}
	return added, nil
}

// onlyWriter keeps io.Copy to the given buffer.
type onlyWriter struct{ io.Writer }

// abandon deletes an upload. One that is being brought is ErrBusy.
func (d *Depot) abandon(k Key, device [32]byte) error {
	u, err := d.take(k, device)
	if err != nil {
		return err
	}
	defer d.putBack(u)
	if err := os.Remove(d.stagingPath(u.name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete upload: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.uploads, k)
	d.release(device, u.size)
	return nil
}
