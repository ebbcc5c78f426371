//go:build cgo

package sealvfs

import "testing"

// What one piece costs without SQLite.
func BenchmarkPiece(b *testing.B) {
	s, ok := newSealer(make([]byte, 32), append([]byte{0xca, 0x05, 0xa5, 1}, make([]byte, 12)...))
	if !ok {
		b.Fatal("head not taken")
	}
	aad := make([]byte, aadLen)
	buf := make([]byte, PageSize)
	b.Run("seal", func(b *testing.B) {
		b.SetBytes(PageSize)
		b.ReportAllocs()
		for b.Loop() {
			nonce := buf[BodySize+tagLen:]
			s.nonce(nonce)
			s.aead.Seal(buf[:0], nonce, buf[:BodySize], aad)
		}
	})
	b.Run("open", func(b *testing.B) {
		b.SetBytes(PageSize)
		b.ReportAllocs()
		dst := make([]byte, 0, PageSize)
		for b.Loop() {
			if _, err := s.aead.Open(dst, buf[BodySize+tagLen:], buf[:BodySize+tagLen], aad); err != nil {
				b.Fatal(err)
			}
		}
	})
}
