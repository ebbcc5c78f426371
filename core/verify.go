package core

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"causa/core/bundle"
	"causa/internal/fault"
	"causa/matter"
	"causa/orglog"
	"causa/wire/pb"
)

// A Proof is what an export proves.
type Proof struct {
	Organisation string
	OrgID        string // whoever knows the organisation compares it
	Matter       matter.ID
	Title        string // in the words of whoever exported it
	Exported     time.Time
	Exporter     string
	Device       matter.DeviceID // the exporter's
	From, Upto   uint64          // the first and the last entry
	Missing      uint64          // entries between them that are not in the file
	Closed       int             // entries of which only the digest is there: changes of keys and people, what was taken back
	Untied       int             // messages that are signed, but whose place in the order is only the exporter's word
	Conclusions  int             // conclusions that cover exactly the discussion in the file
	Wider        int             // conclusions that cover entries which are not in the file as well
	Files        int             // files that are in the file
	FilesMissing int             // files that messages speak of and that are not
	Lines        []Proven
}

// A Proven is one entry that its author has signed.
type Proven struct {
	Seq    uint64
	Time   time.Time // by the author's clock
	Author string    // as the organisation log calls them now
	Member matter.MemberID
	Device matter.DeviceID
	Kind   uint16 // docs/protocol.md lists them
	Text   string // of what says something
}

// Verify checks an export: that the organisation log holds from its root on; that each
// message was signed by a device which belonged to the organisation then; that it stands
// where its digest says; that conclusions cover the discussion in the file; and that
// nothing was added or changed since. The error names the first thing that does not hold.
// It needs neither hub nor account.
func Verify(file []byte) (*Proof, error) {
	v := &verifying{file: file, state: orglog.NewState(), at: map[uint64][]int{}, author: map[int]Proven{}}
	for _, step := range []func() error{v.unpack, v.readEntries, v.checkLog, v.checkEntries, v.checkFiles, v.checkConclusions, v.checkSeal} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return &v.proof, nil
}

type verifying struct {
	file    []byte
	parts   map[string][]byte
	order   []bundle.Part
	seal    proofSeal
	signed  []byte
	sig     []byte
	records []proofRecord
	content []content // of records that have it
	at      map[uint64][]int
	keys    []ed25519.PublicKey
	author  map[int]Proven
	state   *orglog.State
	proof   Proof
}

func notExport(err error) error {
	return &fault.Error{Text: "This file is not an export of a matter, or it was cut short.", Hint: "Ask for it again, from whoever made it.", Err: err}
}

func (v *verifying) unpack() error {
	var err error
	if v.order, err = bundle.Unpack(v.file); err != nil {
		return notExport(err)
	}
	v.parts = map[string][]byte{}
	for _, p := range v.order {
		v.parts[p.Name] = p.Data
	}
	for _, name := range []string{partReadable, partLog, partEntries, partProof} {
		if _, ok := v.parts[name]; !ok {
			return notExport(fmt.Errorf("no part %s", name))
		}
	}
	var ok bool
	if v.seal, v.signed, v.sig, ok = readSeal(v.parts[partProof]); !ok {
		return altered()
	}
	v.proof = Proof{
		Matter: v.seal.Matter, Title: v.seal.Title, Exported: time.UnixMilli(int64(v.seal.Time)), Device: v.seal.Device,
		OrgID: v.seal.Org.String(),
	}
	return nil
}

func altered() error {
	return &fault.Error{Text: "The file was changed after it was exported.", Hint: "Ask for it again, from whoever made it."}
}

// badEntry names an entry of the matter that does not hold.
func badEntry(seq uint64, err error) error {
	return &fault.Error{Text: "Entry %d is not what its author signed.", TextArgs: []any{seq}, Hint: "Do not rely on this file.", Err: err}
}

// readEntries reads the records and notes which state of the log each was written in.
func (v *verifying) readEntries() error {
	s := cryptobyte.String(v.parts[partEntries])
	for !s.Empty() {
		r, ok := readRecord(&s, v.seal.Matter)
		last := uint64(0)
		if n := len(v.records); n > 0 {
			last = v.records[n-1].Seq
		}
		if !ok || r.Seq <= last {
			return badEntry(last+1, errContent)
		}
		var con content
		if r.Signed != nil {
			var err error
			if con, err = parseContent(r.Signed.Body); err != nil {
				return badEntry(r.Seq, err)
			}
			v.at[con.LogNext] = append(v.at[con.LogNext], len(v.records))
		}
		v.records, v.content = append(v.records, r), append(v.content, con)
	}
	v.keys = make([]ed25519.PublicKey, len(v.records))
	if n := len(v.records); n > 0 {
		v.proof.From, v.proof.Upto = v.records[0].Seq, v.records[n-1].Seq
		v.proof.Missing = v.proof.Upto - v.proof.From + 1 - uint64(n)
	}
	return nil
}

// checkLog verifies the organisation log from its root, and at each of its states the
// devices that wrote messages then.
func (v *verifying) checkLog() error {
	s := cryptobyte.String(v.parts[partLog])
	for !s.Empty() {
		next := v.state.Next()
		bad := func(err error) error {
			return &fault.Error{Text: "Entry %d of the organisation log does not hold.", TextArgs: []any{next}, Hint: "Do not rely on this file.", Err: err}
		}
		var raw cryptobyte.String
		if !s.ReadUint24LengthPrefixed(&raw) {
			return bad(errContent)
		}
		e, err := orglog.Decode(raw)
		if err == nil && !bytes.Equal(e.Bytes(), raw) {
			err = errContent
		}
		if err == nil {
			err = v.state.Apply(e)
		}
		if errors.Is(err, orglog.ErrNewer) {
			return &fault.Error{Text: "This file was written by a newer version of Causa.", Hint: "Update Causa.", Err: err}
		}
		if err != nil {
			return bad(err)
		}
		if next == 0 && v.state.OrgID() != v.seal.Org {
			return bad(errors.New("another organisation"))
		}
		if err := v.checkDevices(next + 1); err != nil {
			return err
		}
	}
	if len(v.at) > 0 {
		for i := range v.records {
			if v.records[i].Signed != nil && v.keys[i] == nil {
				return badEntry(v.records[i].Seq, errors.New("its author knew more of the log than is here"))
			}
		}
	}
	v.proof.Organisation = v.state.Organisation()
	return nil
}

// checkDevices looks at who wrote when the log had next entries.
func (v *verifying) checkDevices(next uint64) error {
	for _, i := range v.at[next] {
		sender := v.records[i].Signed.Header.Sender
		dev, key, ok := v.state.Device(sender)
		switch {
		case v.content[i].LogHead != v.state.Head():
			return badEntry(v.records[i].Seq, errors.New("its author knew another log"))
		case !ok || !v.state.ActiveDevice(sender):
			return &fault.Error{
				Text: "Entry %d comes from a device that did not belong to the organisation then.", TextArgs: []any{v.records[i].Seq},
				Hint: "Do not rely on this file.",
			}
		}
		v.keys[i] = key
		v.author[i] = Proven{Member: dev.Member, Device: dev.ID}
	}
	return nil
}

// checkEntries checks signatures, and that what is signed is what the digests stand for.
func (v *verifying) checkEntries() error {
	for i, r := range v.records {
		if r.Signed == nil {
			v.proof.Closed++
			continue
		}
		if err := r.Signed.Verify(v.keys[i]); err != nil {
			return badEntry(r.Seq, err)
		}
		if r.Key == nil {
			v.proof.Untied++
		} else {
			payload, err := r.Signed.Reseal(r.Key)
			if err != nil {
				return badEntry(r.Seq, err)
			}
			h := r.Signed.Header
			e := &pb.Entry{
				Seq: r.Seq, TimeMs: int64(r.Time), Kind: pb.EntryKind_ENTRY_KIND_CONTENT, Sender: h.Sender[:], Epoch: h.Epoch, Payload: payload,
			}
			if entryDigest(e) != r.Digest {
				return badEntry(r.Seq, errors.New("its digest is another"))
			}
		}
		p := v.author[i]
		m, _ := v.state.Member(p.Member)
		p.Seq, p.Time, p.Author, p.Kind, p.Text = r.Seq, v.content[i].Time, m.Name, v.content[i].Kind, textOf(v.content[i])
		v.proof.Lines = append(v.proof.Lines, p)
	}
	return nil
}

// checkFiles checks that each file is one that a signed message brings.
func (v *verifying) checkFiles() error {
	brought := map[string]bool{}
	for i, con := range v.content {
		if v.records[i].Signed == nil || con.Kind != contentFile {
			continue
		}
		f, err := parseFile(con.Body)
		if err != nil {
			return badEntry(v.records[i].Seq, err)
		}
		name := partFiles + hex.EncodeToString(f.Digest[:])
		data, here := v.parts[name]
		switch {
		case brought[name]:
			continue
		case !here:
			v.proof.FilesMissing++
		case sha256.Sum256(data) != f.Digest:
			return &fault.Error{
				Text: "The file “%s” of entry %d is not the one that was sent.", TextArgs: []any{f.Name, v.records[i].Seq}, Hint: "Do not rely on this file.",
			}
		default:
			v.proof.Files++
		}
		brought[name] = true
	}
	for _, p := range v.order {
		if strings.HasPrefix(p.Name, partFiles) && !brought[p.Name] {
			return altered()
		}
	}
	return nil
}

// textOf returns what content says, for whoever reads a proof.
func textOf(con content) (text string) {
	switch con.Kind {
	case contentText, contentReopening:
		text = string(con.Body)
	case contentReply, contentEdit:
		_, rest, _ := readRef(con.Body)
		text = string(rest)
	case contentConclusion:
		d, _ := parseConclusion(con.Body)
		text = d.Decision
		for _, f := range d.Facts {
			text += "\n" + f.Name + ": " + f.Value
		}
	case contentCarried:
		x, _ := parseCarried(con.Body)
		text = x.text
	case contentFile:
		f, _ := parseFile(con.Body)
		text = matter.FileText(f.Name, f.Caption)
	case contentTask:
		text, _, _ = parseTask(con.Body)
	case contentPoll:
		question, p, ok := parsePoll(con.Body)
		if text = question; ok {
			for _, o := range p.Options {
				text += "\n- " + o.Text
			}
		}
	case contentDescription:
		d, _ := parseDescription(con.Body)
		text = d.Title
	}
	return text
}

// checkConclusions compares the discussion that each conclusion covers with the one here.
func (v *verifying) checkConclusions() error {
	for i, con := range v.content {
		if v.records[i].Signed == nil || con.Kind != contentConclusion {
			continue
		}
		d, err := parseConclusion(con.Body)
		if err != nil {
			return badEntry(v.records[i].Seq, err)
		}
		first, found := slices.BinarySearchFunc(v.records, d.From, func(r proofRecord, seq uint64) int { return int(int64(r.Seq) - int64(seq)) })
		if !found || first >= i || uint64(i-first) <= d.Upto-d.From || v.records[first+int(d.Upto-d.From)].Seq != d.Upto {
			v.proof.Wider++
			continue
		}
		h := sha256.New()
		h.Write(discussionStart(v.seal.Matter, d.From, d.Upto))
		for _, r := range v.records[first : first+int(d.Upto-d.From)+1] {
			h.Write(r.Digest[:])
		}
		if [32]byte(h.Sum(nil)) != d.Discussion {
			return &fault.Error{
				Text: "The conclusion in entry %d covers another discussion than the one in this file.", TextArgs: []any{v.records[i].Seq},
				Hint: "Do not rely on this file.",
			}
		}
		v.proof.Conclusions++
	}
	return nil
}

// discussionStart is what the hash of a discussion begins with.
func discussionStart(id matter.ID, from, upto uint64) []byte {
	b := append([]byte("causa discussion v1\x00"), id[:]...)
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, from), upto)
}

// checkSeal checks that the file is, byte for byte, what its exporter made.
func (v *verifying) checkSeal() error {
	dev, key, ok := v.state.Device(v.seal.Device)
	if !ok || !ed25519.Verify(key, append([]byte(sealLabel), v.signed...), v.sig) || len(v.order) != len(v.seal.Parts)+1 {
		return altered()
	}
	for i, p := range v.seal.Parts {
		if v.order[i].Name != p.Name {
			return altered()
		}
		if sha256.Sum256(v.order[i].Data) != p.Sum {
			return &fault.Error{
				Text: "The part “%s” was changed after the file was exported.", TextArgs: []any{p.Name}, Hint: "Ask for it again, from whoever made it.",
			}
		}
	}
	if err := bundle.Check(v.file, v.order); err != nil {
		return altered()
	}
	m, _ := v.state.Member(dev.Member)
	v.proof.Exporter = m.Name
	return nil
}
