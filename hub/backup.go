package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"causa/hub/db"
	"causa/hub/db/sqlite"
	"causa/internal/fault"
)

// manifestFile stands in every backup and says what belongs to it.
const manifestFile = "backup.json"

// manifestFormat is the layout of backups that this version makes.
const manifestFormat = 1

// A Manifest says what a backup holds. It names nobody.
type Manifest struct {
	Format      int            `json:"format"`
	Made        time.Time      `json:"made"`
	Log         uint64         `json:"log"`     // entries of the organisation log
	Matters     uint64         `json:"matters"` // and of these
	Entries     uint64         `json:"entries"` // messages and changes in them
	Incarnation uint64         `json:"incarnation"`
	Files       []ManifestFile `json:"files"`
}

// A ManifestFile is one file of a backup.
type ManifestFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// has reports whether a file belongs to the backup.
func (m *Manifest) has(name string) bool {
	for _, f := range m.Files {
		if f.Name == name {
			return true
		}
	}
	return false
}

// Backup copies what the hub of a data folder keeps, while it runs or not, to a new
// folder, or to a single file if the name ends in .tar. The copy is what the hub had on
// its disk at one instant; it was checked before Backup returns.
//
// A database that several hubs share is saved with PostgreSQL's own programs.
func Backup(ctx context.Context, at Place, to string) (m *Manifest, err error) {
	if at.shared() {
		return nil, &fault.Error{
			Text: "A database in PostgreSQL is saved with PostgreSQL's own programs.",
			Hint: "Use pg_basebackup or pg_dump, and keep the key in the data folder with it; see \"PostgreSQL\" in docs/hub.md.",
		}
	}
	data := at.Data
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return nil, &fault.Error{Text: "%s is there already.", TextArgs: []any{to}, Hint: "Choose a new name for every backup.", Err: err}
	}
	work, err := os.MkdirTemp(filepath.Dir(to), ".causa-backup-*") // mode 0700
	if err != nil {
		return nil, backupFault(err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := sqlite.Backup(ctx, filepath.Join(data, databaseFile), filepath.Join(work, databaseFile)); errors.Is(err, db.ErrFull) {
		return nil, backupFault(err) // it is the backup's disk that is full
	} else if err != nil {
		return nil, folderFault(err)
	}
	names := []string{databaseFile}
	switch err := copyFile(filepath.Join(data, keyFile), filepath.Join(work, keyFile)); {
	case err == nil:
		names = append(names, keyFile)
	case !errors.Is(err, fs.ErrNotExist): // missing where the operator brings a certificate
		return nil, backupFault(err)
	}
	if m, err = describe(ctx, work); err != nil {
		return nil, err
	}
	for _, name := range names {
		f, err := describeFile(work, name)
		if err != nil {
			return nil, backupFault(err)
		}
		m.Files = append(m.Files, f)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("describe backup: %w", err)
	}
	if err := writeFile(filepath.Join(work, manifestFile), append(text, '\n')); err != nil {
		return nil, backupFault(err)
	}
	if strings.HasSuffix(to, ".tar") {
		err = pack(work, append([]string{manifestFile}, names...), to)
	} else {
		err = publish(work, to)
	}
	if err != nil {
		return nil, backupFault(err)
	}
	return m, nil
}

// describe checks a copy of the database and says what is in it.
func describe(ctx context.Context, dir string) (_ *Manifest, err error) {
	s, err := openSnapshot(ctx, Place{Data: dir})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := sound(ctx, s); err != nil {
		return nil, err
	}
	c, err := s.Counts(ctx)
	if err != nil {
		return nil, storeFault(err)
	}
	raw, err := s.Meta(ctx, metaIncarnation)
	if err != nil {
		return nil, storeFault(err)
	}
	incarnation, err := decodeIncarnation(raw)
	if err != nil {
		return nil, storeFault(err)
	}
	return &Manifest{
		Format: manifestFormat, Made: time.Now().UTC().Truncate(time.Second),
		Log: c.Log, Matters: c.Matters, Entries: c.Entries, Incarnation: incarnation,
	}, nil
}

// sound returns a fault that tells the first problem of a database, if it has any.
func sound(ctx context.Context, s *db.Snapshot) error {
	problems, err := check(ctx, s)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return &fault.Error{
			Text:     "What the hub keeps is damaged: %s.",
			TextArgs: []any{problems[0]},
			Hint:     "Run causa-hub check to see everything, and keep the backups that you have.",
		}
	}
	return nil
}

// publish moves a finished folder to its place.
func publish(work, to string) error {
	for _, dir := range []string{work, filepath.Dir(to)} {
		if err := syncFolder(dir); err != nil {
			return err
		}
	}
	if err := os.Rename(work, to); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(to))
}

func describeFile(dir, name string) (ManifestFile, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return ManifestFile{}, err
	}
	hash := sha256.New()
	n, err := f.WriteTo(hash)
	if err = errors.Join(err, f.Close()); err != nil {
		return ManifestFile{}, err
	}
	return ManifestFile{Name: name, Bytes: n, SHA256: hex.EncodeToString(hash.Sum(nil))}, nil
}

func backupFault(err error) error {
	return &fault.Error{
		Text: "The backup can't be written.",
		Hint: "See that there is room, and that causa-hub may write there.",
		Err:  err,
	}
}

// folderFault gives words to a data folder that can't be looked at.
func folderFault(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &fault.Error{Text: "There is no hub in this data folder.", Hint: "Say which folder it is with --data.", Err: err}
	case errors.Is(err, db.ErrOlder):
		return &fault.Error{
			Text: "An older version of the hub has used this data folder.",
			Hint: "Start the hub once, so that it is brought up to date.",
			Err:  err,
		}
	default:
		return storeFault(err)
	}
}
