package seal

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// A file is sealed in chunks, each of which can be verified for itself, so that any part
// can be fetched alone and an upload can go on where it ended.
//
// The plaintext is the file and zeros up to its Padmé length, cut into chunks of
// [FileChunk] bytes; the last one may be shorter. Each becomes
//
//	nonce(24) ‖ XChaCha20-Poly1305(encryption key, nonce, chunk, data)
//
// where data is "causa file v1" ‖ 00 ‖ index(8) ‖ last(1), and the nonce is the first 24
// bytes of HMAC-SHA256(nonce key, data ‖ chunk). So a chunk can't be moved, and the end
// can't be cut off. As the nonce depends on the content, sealing a file anew gives the
// same bytes, and when the file has changed meanwhile, no keystream is used twice.
const (
	FileChunk    = 64 << 10 // plaintext bytes in a chunk
	fileOverhead = chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead
	SealedChunk  = FileChunk + fileOverhead // what a full chunk becomes
	MaxFile      = 2 << 30                  // bytes of the largest file

	fileLabel = "causa file v1\x00"
)

// A FileKey seals one file, and no other. It can't be printed, logged or marshalled.
type FileKey [32]byte

// NewFileKey returns a random key.
func NewFileKey() (k FileKey) { _, _ = rand.Read(k[:]); return k }

// Format hides the key from every verb of package fmt.
func (FileKey) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "FileKey(hidden)") }

// MarshalText refuses.
func (FileKey) MarshalText() ([]byte, error) { return nil, errors.New("file key can't be marshalled") }

// A File is the sealed form of a file of a known size. It is safe for concurrent use.
type File struct {
	size   int64 // of the file
	padded int64 // of the plaintext
	aead   sealer
	nonce  []byte // the nonce key
}

// NewFile returns the sealed form of a file of so many bytes under its key.
func NewFile(k *FileKey, size int64) (*File, error) {
	if size < 0 || size > MaxFile {
		return nil, fmt.Errorf("%w: a file of %d bytes", ErrMalformed, size)
	}
	keys, err := hkdf.Expand(sha256.New, k[:], "causa file keys v1\x00", 2*chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(keys[:chacha20poly1305.KeySize])
	if err != nil {
		return nil, err
	}
	return &File{size: size, padded: int64(padded(int(size))), aead: aead, nonce: keys[chacha20poly1305.KeySize:]}, nil
}

// Chunks is how many chunks the file has: at least one.
func (f *File) Chunks() int64 { return (f.padded + FileChunk - 1) / FileChunk }

// DataChunks is how many chunks, counted from the first, have bytes of the file.
func (f *File) DataChunks() int64 { return (f.size + FileChunk - 1) / FileChunk }

// SealedSize is how many bytes the sealed file has.
func (f *File) SealedSize() int64 { return f.padded + f.Chunks()*fileOverhead }

// plainSize is how many plaintext bytes chunk i has.
func (f *File) plainSize(i int64) int {
	return int(min(FileChunk, f.padded-i*FileChunk))
}

// dataSize is how many of them belong to the file.
func (f *File) dataSize(i int64) int {
	return int(max(0, min(FileChunk, f.size-i*FileChunk)))
}

func (f *File) data(i int64) []byte {
	b := binary.BigEndian.AppendUint64([]byte(fileLabel), uint64(i))
	if i == f.Chunks()-1 {
		return append(b, 1)
	}
	return append(b, 0)
}

// seal appends to dst the sealed chunk i, read from the file. plain is room for a chunk.
func (f *File) seal(dst []byte, i int64, plain []byte, from io.ReaderAt) ([]byte, error) {
	plain = plain[:f.plainSize(i)]
	n := f.dataSize(i)
	if _, err := io.ReadFull(io.NewSectionReader(from, i*FileChunk, int64(n)), plain[:n]); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // the file is shorter than it was
		}
		return nil, err
	}
	clear(plain[n:])
	data := f.data(i)
	nonce := f.nonceOf(data, plain)
	return f.aead.Seal(append(dst, nonce...), nonce, plain, data), nil
}

func (f *File) nonceOf(data, plain []byte) []byte {
	mac := hmac.New(sha256.New, f.nonce)
	mac.Write(data)
	mac.Write(plain)
	return mac.Sum(nil)[:chacha20poly1305.NonceSizeX]
}

// Open opens the sealed chunk i and returns the bytes of the file in it, which may be
// none. It works in place.
func (f *File) Open(i int64, sealed []byte) ([]byte, error) {
	if i < 0 || i >= f.Chunks() || len(sealed) != f.plainSize(i)+fileOverhead {
		return nil, fmt.Errorf("%w: chunk", ErrMalformed)
	}
	data := f.data(i)
	nonce := bytes.Clone(sealed[:chacha20poly1305.NonceSizeX])
	box := sealed[chacha20poly1305.NonceSizeX:]
	plain, err := f.aead.Open(box[:0], nonce, box, data)
	if err != nil {
		return nil, ErrKey
	}
	n := f.dataSize(i)
	for _, b := range plain[n:] {
		if b != 0 {
			return nil, fmt.Errorf("%w: padding", ErrMalformed)
		}
	}
	// Whoever has the key could choose other nonces; then two devices could be shown
	// different sealings of one file, which the digest of the plaintext would not tell.
	if !hmac.Equal(nonce, f.nonceOf(data, plain)) {
		return nil, fmt.Errorf("%w: nonce", ErrMalformed)
	}
	return plain[:n], nil
}

// Sealed reads the sealed bytes from offset to the end, sealing as it reads from the file.
func (f *File) Sealed(from io.ReaderAt, offset int64) (io.Reader, error) {
	if offset < 0 || offset > f.SealedSize() {
		return nil, fmt.Errorf("%w: offset", ErrMalformed)
	}
	r := &sealedReader{file: f, from: from, next: offset / SealedChunk, plain: make([]byte, FileChunk), box: make([]byte, 0, SealedChunk)}
	r.skip = int(offset % SealedChunk)
	return r, nil
}

// A sealedReader reads a file's sealed form.
type sealedReader struct {
	file  *File
	from  io.ReaderAt
	next  int64 // the chunk to seal next
	skip  int   // bytes of it to leave out
	plain []byte
	box   []byte
	rest  []byte // of box
}

func (r *sealedReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.next == r.file.Chunks() {
			return 0, io.EOF
		}
		box, err := r.file.seal(r.box[:0], r.next, r.plain, r.from)
		if err != nil {
			return 0, err
		}
		r.rest = box[min(r.skip, len(box)):]
		r.next, r.skip = r.next+1, 0
		if len(r.rest) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
