package core

import (
	"encoding/binary"

	"causa/crypto/seal"
	"causa/matter"
	"causa/store"
	"causa/wire/pb"
)

// record keeps what proves an entry besides its digest: of content, what its author signed.
// Content that shows no line of its own gets a hidden one, so that a replay is known.
func (a *applying) record(e *pb.Entry) error {
	if err := a.tx.AddRecent(a.id, recentOf(e), a.c.now()); err != nil || a.signed == nil {
		return err
	}
	if !a.filed {
		dev, _, _ := a.c.dir.device(a.signed.Header.Sender)
		if err := a.hide(e, matter.Message{ID: a.signed.Header.Message, Author: dev.Member, Device: dev.ID}); err != nil {
			return err
		}
	}
	return a.tx.AddEvidence(a.id, e.GetSeq(), packEvidence(a.signed))
}

// packEvidence writes what of a signed message its line in the thread does not have.
func packEvidence(s *seal.Signed) []byte {
	b := make([]byte, 0, 8+len(s.Nonce)+len(s.Signature)+len(s.Body))
	b = binary.BigEndian.AppendUint64(b, s.Header.Epoch)
	b = append(b, s.Nonce[:]...)
	b = append(b, s.Signature[:]...)
	return append(b, s.Body...)
}

// unpackEvidence reads the signed message of an entry.
func unpackEvidence(id matter.ID, e store.Evidence) (*seal.Signed, error) {
	s := &seal.Signed{Header: seal.Header{Matter: id, Sender: e.Device, Message: e.Message}}
	if len(e.Signed) < 8+len(s.Nonce)+len(s.Signature) {
		return nil, errContent
	}
	s.Header.Epoch = binary.BigEndian.Uint64(e.Signed)
	rest := e.Signed[8:]
	rest = rest[copy(s.Nonce[:], rest):]
	s.Body = rest[copy(s.Signature[:], rest):]
	return s, nil
}
