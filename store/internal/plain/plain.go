// Package plain opens the files of a store without SQLite and without package sealvfs,
// only by what docs/store.md says. Tests use it to see what is left in them.
package plain

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	page  = 4096
	over  = 40
	frame = 24 + page
)

// Read returns all that a main file and its log hold, opened: page after page, frame
// after frame. It fails when a piece does not open.
func Read(path string, secret [32]byte) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(b) < page || len(b)%page != 0 {
		return nil, fmt.Errorf("main file of %d bytes", len(b))
	}
	key, err := hkdf.Key(sha256.New, secret[:], b[:16], "causa store file v1", 32)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	var out []byte
	for n := range len(b) / page {
		p, skip := b[n*page:(n+1)*page], 0
		if n == 0 {
			skip = 16
		}
		plain, err := open(aead, p[skip:], aad('P', uint32(n+1), 0, nil))
		if err != nil {
			return nil, fmt.Errorf("page %d: %w", n+1, err)
		}
		out = append(out, plain...)
	}
	log, err := os.ReadFile(path + "-wal")
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(log) == 0 {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	head, err := open(aead, log[:32+over], aad('H', 0, 0, nil))
	if err != nil {
		return nil, fmt.Errorf("log header: %w", err)
	}
	for k, at := uint64(0), 32+over; at+frame <= len(log); k, at = k+1, at+frame {
		plain, err := open(aead, log[at:at+frame], aad('W', 0, k, nil))
		if err != nil {
			plain, err = open(aead, log[at:at+frame], aad('w', 0, k, head[16:24]))
		}
		if err != nil {
			return nil, fmt.Errorf("log frame %d: %w", k, err)
		}
		out = append(out, plain...)
	}
	return out, nil
}

func aad(role byte, pgno uint32, index uint64, salts []byte) []byte {
	a := make([]byte, 32)
	a[0], a[1] = role, 1
	binary.BigEndian.PutUint32(a[4:], pgno)
	binary.BigEndian.PutUint64(a[8:], index)
	copy(a[16:], salts)
	return a
}

func open(aead cipher.AEAD, b, aad []byte) ([]byte, error) {
	n := len(b) - aead.NonceSize()
	return aead.Open(nil, b[n:], b[:n], aad)
}
