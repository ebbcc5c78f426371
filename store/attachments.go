package store

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"causa/matter"
)

// A FileID names a file by the message that brings it.
type FileID struct {
	Matter  matter.ID
	Device  matter.DeviceID // whose message it is
	Message matter.MessageID
}

// Blob is the name of the file's bytes on this device. It depends on who brought the
// file, so that nobody can take another's place.
func (f FileID) Blob() (id BlobID) {
	h := sha256.New()
	h.Write(f.Matter[:])
	h.Write(f.Device[:])
	h.Write(f.Message[:])
	copy(id[:], h.Sum(nil))
	return id
}

// An Attachment is a file that a message brings, as far as it is known here.
type Attachment struct {
	FileID
	Remote   [16]byte // the blob at the hub
	Key      [32]byte
	Digest   [32]byte // SHA-256 of the file
	Name     string
	Type     string // MIME
	Size     int64
	Duration time.Duration
	Here     bool // the bytes are here, whole and verified
	Wanted   bool // to be fetched by itself
	Preview  []byte
}

// AddAttachment stores what is known of a file, unless it is there already. Its message
// may follow.
func (tx *Tx) AddAttachment(a Attachment) error {
	local := a.Blob()
	return tx.exec(`INSERT OR IGNORE INTO attachment(matter, device, message, remote, key, digest, name, type, size, duration, local, here, wanted, preview)
		VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		a.Matter[:], a.Device[:], a.Message[:], a.Remote[:], a.Key[:], a.Digest[:], a.Name, a.Type, a.Size, a.Duration.Milliseconds(), local[:],
		truth(a.Here), truth(a.Wanted), append([]byte{}, a.Preview...))
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

const attachmentColumns = "matter, device, message, remote, key, digest, name, type, size, duration, here, wanted, preview"

func scanAttachment(scan func(...any) error) (a Attachment, err error) {
	var id, device, message, remote, key, digest []byte
	var ms int64
	if err := scan(&id, &device, &message, &remote, &key, &digest, &a.Name, &a.Type, &a.Size, &ms, &a.Here, &a.Wanted, &a.Preview); err != nil {
		return a, err
	}
	a.FileID = FileID{matter.ID(id), matter.DeviceID(device), matter.MessageID(message)}
	a.Remote, a.Key, a.Digest = [16]byte(remote), [32]byte(key), [32]byte(digest)
	a.Duration = time.Duration(ms) * time.Millisecond
	return a, nil
}

// Attachment returns what is known of a file; ErrNone when nothing is.
func (tx *Tx) Attachment(f FileID) (a Attachment, err error) {
	found := false
	err = tx.each(func(r *sql.Rows) (err error) {
		found = true
		a, err = scanAttachment(r.Scan)
		return err
	}, "SELECT "+attachmentColumns+" FROM attachment WHERE matter = ? AND device = ? AND message = ?", f.Matter[:], f.Device[:], f.Message[:])
	if err == nil && !found {
		err = ErrNone
	}
	return a, err
}

// Attachments lists the files of a matter's messages that are in its thread, newest first.
func (tx *Tx) Attachments(id matter.ID, limit int) ([]matter.Message, error) {
	ms, refs, err := tx.lines(id, "kind = ? ORDER BY seq DESC LIMIT ?", int(matter.KindFile), limit)
	if err != nil {
		return nil, err
	}
	slices.Reverse(ms)
	slices.Reverse(refs)
	if err := tx.dress(id, ms, refs); err != nil {
		return nil, err
	}
	slices.Reverse(ms)
	return ms, nil
}

// FillFiles fills in the files of messages that bring some.
func (tx *Tx) FillFiles(ms []matter.Message) error {
	for i := range ms {
		m := &ms[i]
		if m.Kind != matter.KindFile {
			continue
		}
		a, err := tx.Attachment(FileID{m.Matter, m.Device, m.ID})
		if errors.Is(err, ErrNone) {
			continue // it was taken back
		}
		if err != nil {
			return err
		}
		m.File = a.File(m.Text)
	}
	return nil
}

// File is the file as a message with that text shows it.
func (a *Attachment) File(text string) *matter.File {
	_, caption, _ := strings.Cut(text, "\n")
	return &matter.File{
		Name: a.Name, Type: a.Type, Size: a.Size, Duration: a.Duration, Caption: caption, Here: a.Here, Preview: len(a.Preview) > 0,
	}
}

// WantedFiles lists files that are to be fetched by themselves.
func (tx *Tx) WantedFiles(limit int) (out []Attachment, err error) {
	err = tx.each(func(r *sql.Rows) error {
		a, err := scanAttachment(r.Scan)
		if err == nil {
			out = append(out, a)
		}
		return err
	}, "SELECT "+attachmentColumns+" FROM attachment WHERE wanted = 1 ORDER BY rowid LIMIT ?", limit)
	return out, err
}

// SetWantedFile says whether a file is to be fetched by itself.
func (tx *Tx) SetWantedFile(f FileID, wanted bool) error {
	return tx.exec("UPDATE attachment SET wanted = ? WHERE matter = ? AND device = ? AND message = ?", truth(wanted), f.Matter[:], f.Device[:], f.Message[:])
}

// SetFileHere says that a file's bytes are here, whole and verified, or that they are not.
func (tx *Tx) SetFileHere(f FileID, here bool) error {
	return tx.exec("UPDATE attachment SET here = ? WHERE matter = ? AND device = ? AND message = ?", truth(here), f.Matter[:], f.Device[:], f.Message[:])
}

// SetPreview stores a file's preview.
func (tx *Tx) SetPreview(f FileID, preview []byte) error {
	return tx.exec("UPDATE attachment SET preview = ? WHERE matter = ? AND device = ? AND message = ?", append([]byte{}, preview...), f.Matter[:], f.Device[:], f.Message[:])
}

// DropAttachment forgets a file, its key and its bytes.
func (tx *Tx) DropAttachment(f FileID) error {
	if err := tx.DropBlob(f.Blob()); err != nil {
		return err
	}
	return tx.exec("DELETE FROM attachment WHERE matter = ? AND device = ? AND message = ?", f.Matter[:], f.Device[:], f.Message[:])
}

// dropFiles deletes the files of the message at a place.
func (tx *Tx) dropFiles(id matter.ID, seq uint64) error {
	// Another device may have given a message of its own the same id.
	err := tx.exec(`DELETE FROM blob WHERE matter = ?1 AND message = (SELECT id FROM message WHERE matter = ?1 AND seq = ?2)
		AND id NOT IN (SELECT local FROM attachment a, message m WHERE m.matter = ?1 AND m.seq = ?2
			AND a.matter = m.matter AND a.message = m.id AND a.device <> m.device)`, id[:], int64(seq))
	if err != nil {
		return err
	}
	return tx.exec("DELETE FROM attachment WHERE matter = ?1 AND (device, message) = (SELECT device, id FROM message WHERE matter = ?1 AND seq = ?2)", id[:], int64(seq))
}

// BlobParts returns how many parts of a file are here, from the first on without a gap.
func (tx *Tx) BlobParts(id BlobID) (n int64, err error) {
	err = tx.one([]any{&n}, "SELECT count(*) FROM blob_part WHERE blob = ?", id[:])
	return n, err
}

// BlobPart returns part n of a file; ErrNone when it is not here.
func (tx *Tx) BlobPart(id BlobID, n int64) (part []byte, err error) {
	err = tx.one([]any{&part}, "SELECT bytes FROM blob_part WHERE blob = ? AND n = ?", id[:], n)
	return part, err
}
