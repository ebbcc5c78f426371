package hub

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"causa/hub/db"
	"causa/internal/fault"
)

// Restore makes a data folder from a backup. The folder must have no hub in it. The
// restored hub has a higher incarnation than any before, by which devices learn that it
// may have forgotten what it acknowledged after the backup was made.
func Restore(ctx context.Context, from, data string) (m *Manifest, err error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, restoreFault(err)
	}
	lock, err := takeFolder(data)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	for _, name := range []string{databaseFile, databaseFile + "-wal", keyFile} {
		if _, err := os.Lstat(filepath.Join(data, name)); !errors.Is(err, fs.ErrNotExist) {
			return nil, &fault.Error{
				Text: "There is a hub in this data folder already.",
				Hint: "Move the folder away, or restore into another one.",
				Err:  err,
			}
		}
	}
	work, err := os.MkdirTemp(data, ".restore-*")
	if err != nil {
		return nil, restoreFault(err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := unpack(from, work); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, notABackup(err)
		}
		return nil, restoreFault(err)
	}
	if m, err = readManifest(work); err != nil {
		return nil, err
	}
	if m.Incarnation, err = raise(ctx, Place{Data: work}); err != nil {
		return nil, storeFault(err)
	}
	s, err := openSnapshot(ctx, Place{Data: work})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(sound(ctx, s), s.Close()); err != nil {
		return nil, err
	}
	names := []string{databaseFile} // the last one makes it a hub's folder
	if m.has(keyFile) {
		names = []string{keyFile, databaseFile}
	}
	for _, name := range names {
		if err := os.Rename(filepath.Join(work, name), filepath.Join(data, name)); err != nil {
			return nil, restoreFault(err)
		}
	}
	if err := syncFolder(data); err != nil {
		return nil, restoreFault(err)
	}
	return m, nil
}

// Restored tells a hub's PostgreSQL database that it was put back from a backup by
// PostgreSQL's own programs: it is checked and gets a higher incarnation, as [Restore]
// would give it. Hubs that run on it take nothing more until they are started again.
func Restored(ctx context.Context, at Place) (incarnation uint64, err error) {
	s, err := openSnapshot(ctx, at)
	if errors.Is(err, db.ErrOlder) { // raise brings it up to date
		err = nil
	} else if err == nil {
		err = errors.Join(sound(ctx, s), s.Close())
	}
	if err != nil {
		return 0, err
	}
	if incarnation, err = raise(ctx, at); err != nil {
		return 0, storeFault(err)
	}
	return incarnation, nil
}

// readManifest reads what a backup says of itself and holds its files to it.
func readManifest(dir string) (*Manifest, error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return nil, notABackup(err)
	}
	m := new(Manifest)
	if err := json.Unmarshal(text, m); err != nil {
		return nil, notABackup(err)
	}
	if m.Format != manifestFormat {
		return nil, &fault.Error{
			Text: "A newer version of the hub has made this backup.",
			Hint: "Update causa-hub, then try again.",
		}
	}
	if !m.has(databaseFile) {
		return nil, notABackup(errors.New("no database in it"))
	}
	for _, want := range m.Files {
		if want.Name != databaseFile && want.Name != keyFile {
			return nil, notABackup(fmt.Errorf("%q does not belong in a backup", want.Name))
		}
		got, err := describeFile(dir, want.Name)
		if err != nil {
			return nil, notABackup(err)
		}
		if got != want {
			return nil, notABackup(fmt.Errorf("%s is not the file that was saved", want.Name))
		}
	}
	return m, nil
}

// raise brings a restored database up to date and gives it a new incarnation. Key
// packages in stock are dropped: some may have been used since, and a device that comes
// back makes new ones. Those of last resort stay.
func raise(ctx context.Context, at Place) (incarnation uint64, err error) {
	d, err := openDatabase(ctx, at)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	old, _, err := d.Meta(ctx, metaIncarnation)
	if err != nil {
		return 0, err
	}
	before, err := decodeIncarnation(old)
	if err != nil {
		return 0, err
	}
	now := raised(before, time.Now())
	return binary.BigEndian.Uint64(now), d.Write(ctx, func(tx *db.Tx) error {
		return errors.Join(tx.SetMeta(metaIncarnation, now), tx.DropStocks())
	})
}

func notABackup(err error) error {
	return &fault.Error{
		Text: "This is not a complete backup of a hub.",
		Hint: "Take another one. A backup is a folder or .tar file made by causa-hub backup.",
		Err:  err,
	}
}

func restoreFault(err error) error {
	return &fault.Error{
		Text: "The backup can't be restored.",
		Hint: "See that there is room, that the backup can be read, and that causa-hub may write to the data folder.",
		Err:  err,
	}
}
