// Package bundle packs named parts into one file: a ZIP archive that any program opens,
// in which nothing is compressed and every byte is settled by the parts. So a file that
// differs in any byte from what [Pack] makes of its parts is noticed.
package bundle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"regexp"
)

// A Part is one named piece of a bundle.
type Part struct {
	Name string
	Data []byte
}

// What can be wrong with a bundle.
var (
	ErrForeign = errors.New("not a bundle, or cut short")
	ErrAltered = errors.New("altered between its parts")
	ErrLarge   = errors.New("too large for a bundle")
)

// names are those that parts may have: nothing that leads out of a folder.
var names = regexp.MustCompile(`^[a-z0-9]{1,64}(/[a-z0-9]{1,64})?(\.[a-z0-9]{1,8})?$`)

const (
	localSize   = 30
	centralSize = 46
	endSize     = 22
	maxParts    = 10000
)

var le = binary.LittleEndian

// Pack returns the file of the parts.
func Pack(parts []Part) ([]byte, error) {
	size := uint64(endSize)
	for _, p := range parts {
		size += uint64(localSize + centralSize + 2*len(p.Name) + len(p.Data))
	}
	if size > math.MaxUint32 || len(parts) > maxParts {
		return nil, ErrLarge
	}
	out := make([]byte, 0, size)
	var central []byte
	for _, p := range parts {
		if !names.MatchString(p.Name) {
			return nil, errors.New("no part may be called " + p.Name)
		}
		shared := shared(p)
		central = append(central, "PK\x01\x02\x14\x00"...)
		central = append(central, shared...)
		central = append(central, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) // comment, disk, attributes
		central = le.AppendUint32(central, uint32(len(out)))
		central = append(central, p.Name...)
		out = append(out, "PK\x03\x04"...)
		out = append(out, shared...)
		out = append(out, p.Name...)
		out = append(out, p.Data...)
	}
	at := len(out)
	out = append(out, central...)
	out = append(out, "PK\x05\x06\x00\x00\x00\x00"...)
	out = le.AppendUint16(out, uint16(len(parts)))
	out = le.AppendUint16(out, uint16(len(parts)))
	out = le.AppendUint32(out, uint32(len(central)))
	out = le.AppendUint32(out, uint32(at))
	return append(out, 0, 0), nil
}

// shared is what the header before a part and its entry in the directory have in common:
// version 2.0, UTF-8 names, not compressed, the first day of ZIP's calendar.
func shared(p Part) []byte {
	b := []byte{20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0}
	b = le.AppendUint32(b, crc32.ChecksumIEEE(p.Data))
	b = le.AppendUint32(b, uint32(len(p.Data)))
	b = le.AppendUint32(b, uint32(len(p.Data)))
	b = le.AppendUint16(b, uint16(len(p.Name)))
	return append(b, 0, 0)
}

// Unpack returns the parts of a file, which share its memory. It looks at what it needs to
// find them; [Check] looks at the rest.
func Unpack(file []byte) ([]Part, error) {
	var parts []Part
	seen := map[string]bool{}
	rest := file
	for len(rest) >= localSize && string(rest[:4]) == "PK\x03\x04" {
		size, name := le.Uint32(rest[18:]), int(le.Uint16(rest[26:]))
		if uint64(localSize+name)+uint64(size) > uint64(len(rest)) || len(parts) == maxParts {
			return nil, ErrForeign
		}
		end := localSize + name + int(size)
		p := Part{Name: string(rest[localSize : localSize+name]), Data: rest[localSize+name : end : end]}
		if !names.MatchString(p.Name) || seen[p.Name] {
			return nil, ErrForeign
		}
		seen[p.Name] = true
		parts, rest = append(parts, p), rest[end:]
	}
	if len(parts) == 0 || len(rest) < endSize {
		return nil, ErrForeign
	}
	return parts, nil
}

// Check reports an error if a file differs in any byte from the one its parts make.
func Check(file []byte, parts []Part) error {
	want, err := Pack(parts)
	if err != nil {
		return err
	}
	if !bytes.Equal(file, want) {
		return ErrAltered
	}
	return nil
}
