package core

import (
	"golang.org/x/crypto/cryptobyte"

	"causa/crypto/seal"
	"causa/matter"
	"causa/orglog"
)

// A proofRecord is one entry of a matter in an export. Its bytes:
//
//	uint64 seq; opaque digest[32]; uint8 form;
//	// form 1 and 2: signed content
//	uint64 epoch; opaque sender[32]; opaque message[16]; opaque nonce[24]; opaque signature[64];
//	opaque body<0..2^24-1>;
//	// form 2: with the key that ties it to its digest
//	opaque key[32];
type proofRecord struct {
	Seq    uint64
	Digest [32]byte
	Signed *seal.Signed     // nil: a commit, content that could not be read, or was destroyed
	Time   uint64           // the hub's, of what is signed
	Key    *seal.MessageKey // nil: the epoch's secret is gone
}

func (r *proofRecord) write(b *cryptobyte.Builder) {
	b.AddUint64(r.Seq)
	b.AddBytes(r.Digest[:])
	if r.Signed == nil {
		b.AddUint8(0)
		return
	}
	b.AddUint8(1 + flag(r.Key != nil))
	h := r.Signed.Header
	b.AddUint64(r.Time)
	b.AddUint64(h.Epoch)
	b.AddBytes(h.Sender[:])
	b.AddBytes(h.Message[:])
	b.AddBytes(r.Signed.Nonce[:])
	b.AddBytes(r.Signed.Signature[:])
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(r.Signed.Body) })
	if r.Key != nil {
		b.AddBytes(r.Key[:])
	}
}

func readRecord(s *cryptobyte.String, id matter.ID) (r proofRecord, ok bool) {
	var form uint8
	if !s.ReadUint64(&r.Seq) || !s.CopyBytes(r.Digest[:]) || !s.ReadUint8(&form) || form > 2 {
		return r, false
	}
	if form == 0 {
		return r, true
	}
	r.Signed = &seal.Signed{Header: seal.Header{Matter: id}}
	h := &r.Signed.Header
	var body cryptobyte.String
	if !s.ReadUint64(&r.Time) || r.Time > maxMillis || !s.ReadUint64(&h.Epoch) || !s.CopyBytes(h.Sender[:]) || !s.CopyBytes(h.Message[:]) || !s.CopyBytes(r.Signed.Nonce[:]) ||
		!s.CopyBytes(r.Signed.Signature[:]) || !s.ReadUint24LengthPrefixed(&body) {
		return r, false
	}
	r.Signed.Body = body
	if form == 2 {
		r.Key = new(seal.MessageKey)
		if !s.CopyBytes(r.Key[:]) {
			return r, false
		}
	}
	return r, true
}

// The parts of an export, in their order.
const (
	partReadable = "matter.html"
	partLog      = "log"
	partEntries  = "entries"
	partFiles    = "files/" // and the file's SHA-256 in hex
	partProof    = "proof"
)

// A proofSeal says what an export is and who made it. Its bytes, before the signature over
// them with sealLabel in front:
//
//	opaque organisation[32]; opaque matter[16]; opaque title<0..2^16-1>; uint64 time_ms; opaque device[32];
//	struct { opaque name<1..255>; opaque sha256[32]; } parts<0..2^24-1>;
type proofSeal struct {
	Org    orglog.Hash
	Matter matter.ID
	Title  string
	Time   uint64
	Device matter.DeviceID
	Parts  []partSum
}

type partSum struct {
	Name string
	Sum  [32]byte
}

const sealLabel = "causa export v1\x00"

func (p *proofSeal) bytes() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddBytes(p.Org[:])
	b.AddBytes(p.Matter[:])
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(p.Title)) })
	b.AddUint64(p.Time)
	b.AddBytes(p.Device[:])
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, s := range p.Parts {
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(s.Name)) })
			b.AddBytes(s.Sum[:])
		}
	})
	return b.Bytes()
}

// readSeal reads a seal and the signature that follows it.
func readSeal(raw []byte) (p proofSeal, signed, signature []byte, ok bool) {
	if len(raw) < 64 {
		return p, nil, nil, false
	}
	signed, signature = raw[:len(raw)-64], raw[len(raw)-64:]
	s := cryptobyte.String(signed)
	var title, parts cryptobyte.String
	if !s.CopyBytes(p.Org[:]) || !s.CopyBytes(p.Matter[:]) || !s.ReadUint16LengthPrefixed(&title) || !s.ReadUint64(&p.Time) ||
		!s.CopyBytes(p.Device[:]) || !s.ReadUint24LengthPrefixed(&parts) || !s.Empty() || p.Time > maxMillis {
		return p, nil, nil, false
	}
	p.Title = string(title)
	for !parts.Empty() {
		var name cryptobyte.String
		var sum partSum
		if !parts.ReadUint8LengthPrefixed(&name) || !parts.CopyBytes(sum.Sum[:]) {
			return p, nil, nil, false
		}
		sum.Name = string(name)
		p.Parts = append(p.Parts, sum)
	}
	return p, signed, signature, true
}
