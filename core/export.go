package core

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"causa/core/bundle"
	"causa/crypto/seal"
	"causa/internal/fault"
	"causa/matter"
	"causa/store"
)

// Export writes a matter to w, as far as this device has it: a page to read, and what
// proves each entry to whoever asks, without any hub and years later (see [Verify]). tr
// translates the page; nil leaves it English.
func (c *Client) Export(ctx context.Context, w io.Writer, id matter.ID, tr func(key string, args ...any) string) error {
	m, err := c.Matter(ctx, id)
	if err != nil {
		return err
	}
	page, err := c.page(ctx, m, tr)
	if err != nil {
		return worded(err)
	}
	var log, entries []byte
	var files []bundle.Part
	err = c.home.db.View(ctx, func(tx *store.Tx) (err error) {
		if log, err = exportLog(tx); err != nil {
			return err
		}
		if entries, err = exportEntries(tx, id); err != nil {
			return err
		}
		files, err = exportFiles(tx, id)
		return err
	})
	if err != nil {
		return worded(err)
	}
	parts := []bundle.Part{{Name: partReadable, Data: page}, {Name: partLog, Data: log}, {Name: partEntries, Data: entries}}
	parts = append(parts, files...)
	p := proofSeal{Org: c.acct.Org, Matter: id, Title: m.Title, Time: millis(c.now()), Device: c.self}
	for _, part := range parts {
		p.Parts = append(p.Parts, partSum{part.Name, sha256.Sum256(part.Data)})
	}
	b, err := p.bytes()
	if err != nil {
		return err
	}
	b = append(b, ed25519.Sign(c.key, append([]byte(sealLabel), b...))...)
	file, err := bundle.Pack(append(parts, bundle.Part{Name: partProof, Data: b}))
	if errors.Is(err, bundle.ErrLarge) {
		return &fault.Error{Text: "This matter is too large for one file.", Hint: "Four gigabytes are the limit.", Err: err}
	}
	if err == nil {
		_, err = w.Write(file)
	}
	return err
}

// maxExportFiles bounds the files in one export, in bytes. Larger matters are exported
// without the files that no longer fit, and the proof says how many those are.
const maxExportFiles = 1 << 30

// exportFiles returns the files of a matter that are on this device, each under its
// digest.
func exportFiles(tx *store.Tx, id matter.ID) (parts []bundle.Part, err error) {
	ms, err := tx.Attachments(id, maxFilesListed)
	if err != nil {
		return nil, err
	}
	room, seen := int64(maxExportFiles), map[[32]byte]bool{}
	for _, m := range slices.Backward(ms) {
		a, err := tx.Attachment(FileOf(m))
		if err != nil {
			return nil, err
		}
		if !a.Here || a.Size > room || seen[a.Digest] {
			continue
		}
		room -= a.Size
		seen[a.Digest] = true
		b := bytes.NewBuffer(make([]byte, 0, a.Size))
		if _, err := tx.WriteBlob(b, a.Blob()); err != nil {
			return nil, err
		}
		parts = append(parts, bundle.Part{Name: partFiles + hex.EncodeToString(a.Digest[:]), Data: b.Bytes()})
	}
	return parts, nil
}

// exportLog writes the whole organisation log: each entry with its length before it.
func exportLog(tx *store.Tx) ([]byte, error) {
	var b cryptobyte.Builder
	for e, err := range tx.LogEntries() {
		if err != nil {
			return nil, err
		}
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(e) })
	}
	return b.Bytes()
}

func exportEntries(tx *store.Tx, id matter.ID) ([]byte, error) {
	var b cryptobyte.Builder
	secrets := map[uint64]*seal.Secret{}
	err := tx.Evidence(id, func(e store.Evidence) error {
		r := proofRecord{Seq: e.Seq, Digest: [32]byte(e.Digest)}
		if e.Signed != nil {
			var err error
			r.Time = unixMilli(e.Time)
			if r.Signed, err = unpackEvidence(id, e); err != nil {
				return err
			}
			if r.Key, err = messageKey(tx, r.Signed.Header, secrets); err != nil {
				return err
			}
		}
		r.write(&b)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return b.Bytes()
}

// messageKey returns the key of a message; nil when the epoch's secret is gone.
func messageKey(tx *store.Tx, h seal.Header, known map[uint64]*seal.Secret) (*seal.MessageKey, error) {
	s := known[h.Epoch]
	if s == nil {
		b, err := tx.ContentSecret(h.Matter, h.Epoch)
		if errors.Is(err, store.ErrNone) {
			return nil, nil //nolint:nilnil // there is none, and that is no error
		}
		if err != nil {
			return nil, err
		}
		secret := seal.Secret(b)
		s = &secret
		known[h.Epoch] = s
	}
	k, err := s.MessageKey(h)
	return &k, err
}
