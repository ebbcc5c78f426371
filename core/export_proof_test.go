package core

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"causa/core/bundle"
	"causa/crypto/seal"
	"causa/internal/fault"
	"causa/matter"
)

// exported is a small matter with one of most things in it, as a file.
func exported(t *testing.T) (*pair, []byte) {
	t.Helper()
	p := newPair(t)
	seq := p.say(p.bob, "sixty days")
	p.must(p.bob.Edit(p.ctx, p.id, seq, "sixty days <script>alert(1)</script>"))
	_, err := p.alice.Reply(p.ctx, p.id, seq, "agreed, @Bob")
	p.must(err)
	gone := p.say(p.alice, "what nobody shall see")
	p.must(p.alice.Recall(p.ctx, p.id, gone))
	_, err = p.bob.AddTask(p.ctx, p.id, NewTask{Text: "print it", Assignee: p.alice.acct.Member})
	p.must(err)
	p.settle()
	_, err = p.alice.Conclude(p.ctx, p.id, Conclusion{Decision: "sixty days", Facts: []matter.Fact{{Name: "term", Value: "60"}}})
	p.must(err)
	p.settle()
	var file bytes.Buffer
	p.must(p.alice.Export(p.ctx, &file, p.id, nil))
	return p, file.Bytes()
}

func TestExportProves(t *testing.T) {
	p, file := exported(t)
	proof, err := Verify(file)
	if err != nil {
		t.Fatal(err)
	}
	if proof.Matter != p.id || proof.Title != "work" || proof.Exporter != "Alice" || proof.OrgID != p.alice.acct.Org.String() ||
		proof.Conclusions != 1 || proof.Wider != 0 || proof.Untied != 0 || proof.Missing != 0 {
		t.Errorf("proof = %+v", proof)
	}
	var said []string
	for _, l := range proof.Lines {
		if l.Text != "" {
			said = append(said, l.Author+": "+l.Text)
		}
	}
	want := []string{
		"Alice: work", "Bob: sixty days", "Bob: sixty days <script>alert(1)</script>",
		"Alice: agreed, " + matter.Mention(p.bob.acct.Member), "Bob: print it", "Alice: sixty days\nterm: 60",
	}
	if got := strings.Join(said, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("said\n%s", got)
	}
	parts, err := bundle.Unpack(file)
	p.must(err)
	page := string(parts[0].Data)
	for _, bad := range []string{"<script", "nobody shall see"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if !strings.Contains(page, "&lt;script&gt;") || !strings.Contains(page, "agreed, @Bob") {
		t.Errorf("the page is\n%s", page)
	}
}

// Whatever byte of an export is changed, verifying it says so in words, and names the
// entry that does not hold when there is one.
func TestExportFlipped(t *testing.T) {
	_, file := exported(t)
	named := map[string]int{}
	for i := range file {
		if i%3 != 0 && i > 200 && i < len(file)-600 {
			continue // a signature is checked for most of them
		}
		bad := bytes.Clone(file)
		bad[i] ^= 1 << (i % 8)
		_, err := Verify(bad)
		var f *fault.Error
		if !errors.As(err, &f) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		named[f.Text]++
	}
	for _, want := range []string{
		"Entry %d is not what its author signed.", "Entry %d of the organisation log does not hold.",
		"The part “%s” was changed after the file was exported.", "The file was changed after it was exported.",
	} {
		if named[want] == 0 {
			t.Errorf("nothing was called %q: %v", want, named)
		}
	}
	for n := 0; n < len(file); n += 97 {
		if _, err := Verify(file[:n]); err == nil {
			t.Fatalf("cut to %d bytes it still holds", n)
		}
	}
	if _, err := Verify(append(bytes.Clone(file), 0)); err == nil {
		t.Error("a byte more and it still holds")
	}
}

// Whoever exports can't leave out, reorder or invent either, as far as others signed.
func TestExportForged(t *testing.T) {
	p, file := exported(t)
	forge := func(change func(rs []proofRecord) []proofRecord) error {
		parts, err := bundle.Unpack(file)
		p.must(err)
		v := &verifying{file: file}
		p.must(v.unpack())
		v.at = map[uint64][]int{}
		p.must(v.readEntries())
		return verifyAgain(t, p, v, parts, change(v.records))
	}
	if err := forge(func(rs []proofRecord) []proofRecord { return rs }); err != nil {
		t.Fatalf("nothing was changed: %v", err)
	}
	tests := map[string]func([]proofRecord) []proofRecord{
		"another text": func(rs []proofRecord) []proofRecord {
			for i := range rs {
				if rs[i].Signed != nil && bytes.HasSuffix(rs[i].Signed.Body, []byte("sixty days")) {
					s := *rs[i].Signed
					s.Body = append(bytes.TrimSuffix(bytes.Clone(s.Body), []byte("sixty days")), "ninety dys"...)
					rs[i].Signed = &s
				}
			}
			return rs
		},
		"another digest": func(rs []proofRecord) []proofRecord { rs[0].Digest[3] ^= 1; return rs },
		"two swapped": func(rs []proofRecord) []proofRecord {
			rs[2], rs[3] = rs[3], rs[2]
			rs[2].Seq, rs[3].Seq = rs[3].Seq, rs[2].Seq
			return rs
		},
		"a digest alone": func(rs []proofRecord) []proofRecord { // a message passed off as taken back, under another digest
			rs[2].Signed, rs[2].Key, rs[2].Digest = nil, nil, sha256.Sum256(nil)
			return rs
		},
	}
	for name, change := range tests {
		if err := forge(change); err == nil {
			t.Errorf("%s: it still holds", name)
		}
	}
}

// verifyAgain packs records anew, signs as Alice would, and verifies.
func verifyAgain(t *testing.T, p *pair, v *verifying, parts []bundle.Part, rs []proofRecord) error {
	t.Helper()
	var b cryptobyte.Builder
	for _, r := range rs {
		r.write(&b)
	}
	entries, err := b.Bytes()
	p.must(err)
	parts[2].Data = entries
	v.seal.Parts[2].Sum = sha256.Sum256(entries)
	raw, err := v.seal.bytes()
	p.must(err)
	parts[3].Data = append(raw, ed25519.Sign(p.alice.key, append([]byte(sealLabel), raw...))...)
	file, err := bundle.Pack(parts)
	p.must(err)
	_, err = Verify(file)
	return err
}

// A file that nobody sent is found out.
func TestExportStrangeFile(t *testing.T) {
	p, file := exported(t)
	parts, err := bundle.Unpack(file)
	p.must(err)
	extra := bundle.Part{Name: partFiles + strings.Repeat("ab", 32), Data: []byte("not sent")}
	v := &verifying{file: file}
	p.must(v.unpack())
	v.seal.Parts = append(v.seal.Parts, partSum{extra.Name, sha256.Sum256(extra.Data)})
	raw, err := v.seal.bytes()
	p.must(err)
	proof := bundle.Part{Name: partProof, Data: append(raw, ed25519.Sign(p.alice.key, append([]byte(sealLabel), raw...))...)}
	bad, err := bundle.Pack([]bundle.Part{parts[0], parts[1], parts[2], extra, proof})
	p.must(err)
	if _, err := Verify(bad); err == nil {
		t.Error("it holds")
	}
}

func FuzzVerify(f *testing.F) {
	file, err := bundle.Pack([]bundle.Part{{Name: partReadable}, {Name: partLog}, {Name: partEntries}, {Name: partProof, Data: make([]byte, 200)}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := Verify(b); err == nil {
			t.Errorf("it holds: %+v", p)
		}
	})
}

func TestRecordBytes(t *testing.T) {
	r := proofRecord{Seq: 7, Digest: [32]byte{1}, Key: &seal.MessageKey{2}, Signed: &seal.Signed{Header: seal.Header{Epoch: 3}, Body: []byte("x")}}
	var b cryptobyte.Builder
	r.write(&b)
	raw, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	s := cryptobyte.String(raw)
	got, ok := readRecord(&s, matter.ID{})
	if !ok || !s.Empty() || got.Seq != 7 || *got.Key != *r.Key || string(got.Signed.Body) != "x" || got.Signed.Header.Epoch != 3 {
		t.Errorf("read %+v, %v", got, ok)
	}
	for n := range raw {
		s := cryptobyte.String(raw[:n])
		if _, ok := readRecord(&s, matter.ID{}); ok {
			t.Errorf("%d bytes were enough", n)
		}
	}
}
