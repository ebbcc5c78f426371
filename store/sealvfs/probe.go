//go:build cgo

package sealvfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// A Verdict says why a main file's first page can't be opened.
type Verdict int

// The verdicts.
const (
	Fine     Verdict = iota + 1 // it can
	WrongKey                    // no page opens under this key, or the salt was damaged
	Damaged                     // other pages open under this key
	Foreign                     // not a file of this package
	Newer                       // a file of a later format
)

// probePages is how many pages are tried before a key is called wrong.
const probePages = 64

// Probe looks at a main file that SQLite refused. No connection to it may be open.
func Probe(path string, secret *[32]byte) (Verdict, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("probe: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("probe: %w", err)
	}
	page := make([]byte, PageSize)
	n, err := f.ReadAt(page, 0)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return 0, fmt.Errorf("probe: %w", err)
	case n < headLen || [3]byte(page[:3]) != magic:
		return Foreign, nil
	case page[3] > Version:
		return Newer, nil
	case n < PageSize:
		return Damaged, nil
	}
	s, ok := newSealer(secret[:], page[:headLen])
	if !ok {
		return Foreign, nil
	}
	if s.opensPage(page[headLen:], 1) {
		return Fine, nil
	}
	pages := info.Size() / PageSize
	step := max(pages/probePages, 1)
	for p := int64(2); p <= pages; p += step {
		if _, err := f.ReadAt(page, (p-1)*PageSize); err != nil {
			return 0, fmt.Errorf("probe: %w", err)
		}
		if s.opensPage(page, uint32(p)) {
			return Damaged, nil
		}
	}
	return WrongKey, nil
}

// opensPage opens a sealed page, without what page 1 has in front.
func (s *sealer) opensPage(b []byte, page uint32) bool {
	var aad [aadLen]byte
	aad[0], aad[1] = 'P', Version
	binary.BigEndian.PutUint32(aad[4:], page)
	n := len(b) - Overhead
	_, err := s.aead.Open(nil, b[n+tagLen:], b[:n+tagLen], aad[:])
	return err == nil
}
