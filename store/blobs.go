package store

import (
	"database/sql"
	"errors"
	"io"
	"time"

	"causa/matter"
)

// A BlobID names a file that belongs to a message.
type BlobID [16]byte

// A Blob describes a file that belongs to a message; its bytes are in parts.
type Blob struct {
	ID      BlobID
	Matter  matter.ID
	Message matter.MessageID
	Name    string
	Type    string // MIME
	Size    int64
	Created time.Time
}

// BlobPart is how many bytes a part has; the last one may have fewer.
const BlobPart = 64 << 10

// AddBlob stores what is known of a file. Its parts follow, in any number of
// transactions.
func (tx *Tx) AddBlob(b Blob) error {
	err := tx.exec("INSERT INTO blob(id, matter, message, name, type, size, created) VALUES(?,?,?,?,?,?,?)",
		b.ID[:], b.Matter[:], b.Message[:], b.Name, b.Type, b.Size, millis(b.Created))
	if err != nil {
		return err
	}
	return tx.indexFile(b.Matter, b.Message)
}

// PutBlobPart stores part n of a file.
func (tx *Tx) PutBlobPart(id BlobID, n int, part []byte) error {
	return tx.exec("INSERT OR REPLACE INTO blob_part(blob, n, bytes) VALUES(?, ?, ?)", id[:], n, part)
}

// Blobs lists the files of a message.
func (tx *Tx) Blobs(id matter.ID, msg matter.MessageID) ([]Blob, error) {
	var out []Blob
	err := tx.each(func(r *sql.Rows) error {
		b := Blob{Matter: id, Message: msg}
		var bid []byte
		var created int64
		if err := r.Scan(&bid, &b.Name, &b.Type, &b.Size, &created); err != nil {
			return err
		}
		b.ID, b.Created = BlobID(bid), instant(created)
		out = append(out, b)
		return nil
	}, "SELECT id, name, type, size, created FROM blob WHERE matter = ? AND message = ? ORDER BY created, id", id[:], msg[:])
	return out, err
}

// WriteBlob writes a file's bytes to w, part by part. A part that has not come yet is
// ErrNone.
func (tx *Tx) WriteBlob(w io.Writer, id BlobID) (n int64, err error) {
	var size int64
	if err := tx.one([]any{&size}, "SELECT size FROM blob WHERE id = ?", id[:]); err != nil {
		return 0, err
	}
	for part := 0; n < size; part++ {
		var b []byte
		if err := tx.one([]any{&b}, "SELECT bytes FROM blob_part WHERE blob = ? AND n = ?", id[:], part); err != nil {
			return n, err
		}
		if len(b) == 0 {
			return n, ErrNone
		}
		k, err := w.Write(b)
		n += int64(k)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// DropBlob deletes a file.
func (tx *Tx) DropBlob(id BlobID) error {
	tx.freed = true
	return tx.exec("DELETE FROM blob WHERE id = ?", id[:])
}

// hasFile reports whether a message has files.
func (tx *Tx) hasFile(id matter.ID, msg matter.MessageID) (found bool, err error) {
	err = tx.one([]any{&found}, `SELECT EXISTS(SELECT 1 FROM blob WHERE matter = ?1 AND message = ?2)
		OR EXISTS(SELECT 1 FROM attachment WHERE matter = ?1 AND message = ?2)`, id[:], msg[:])
	return found, err
}

// indexFile notes in the index that a message which is there already has a file.
func (tx *Tx) indexFile(id matter.ID, msg matter.MessageID) error {
	var seq, at int64
	var author []byte
	var text string
	var kind matter.Kind
	err := tx.one([]any{&seq, &at, &author, &text, &kind}, "SELECT seq, time, author, text, kind FROM message WHERE matter = ? AND id = ?", id[:], msg[:])
	if errors.Is(err, ErrNone) || err == nil && (text == "" || !kind.Said()) {
		return nil
	}
	if err != nil {
		return err
	}
	num, err := tx.searchNum(id)
	if err != nil {
		return err
	}
	if err := tx.unindex(num, uint64(seq), uint64(seq)); err != nil {
		return err
	}
	return tx.index(id, uint64(seq), text, instant(at), matter.MemberID(author), true)
}
