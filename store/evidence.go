package store

import (
	"database/sql"
	"time"

	"causa/matter"
)

// An Evidence is what proves one entry of a matter.
type Evidence struct {
	Seq     uint64
	Digest  []byte
	Device  matter.DeviceID // who signed, and ...
	Message matter.MessageID
	Time    time.Time // the hub's, of content
	Signed  []byte    // ... what; nil when it is a commit, could not be read or was destroyed
}

// AddEvidence keeps what the author of an entry signed, beside its digest.
func (tx *Tx) AddEvidence(id matter.ID, seq uint64, signed []byte) error {
	return tx.exec("UPDATE entry_digest SET signed = ? WHERE matter = ? AND seq = ?", signed, id[:], int64(seq))
}

// Evidence calls f for what this device has of a matter's entries, in order.
func (tx *Tx) Evidence(id matter.ID, f func(Evidence) error) error {
	return tx.evidence(f, "WHERE d.matter = ? ORDER BY d.seq", id[:])
}

// EvidenceOf calls f for an entry and for those that changed it, in order.
func (tx *Tx) EvidenceOf(id matter.ID, seq uint64, f func(Evidence) error) error {
	return tx.evidence(f, "WHERE d.matter = ?1 AND (d.seq = ?2 OR d.seq IN (SELECT seq FROM message WHERE matter = ?1 AND ref = ?2 AND kind = ?3)) ORDER BY d.seq",
		id[:], int64(seq), int(matter.KindAct))
}

func (tx *Tx) evidence(f func(Evidence) error, where string, args ...any) error {
	return tx.each(func(r *sql.Rows) error {
		var seq int64
		var e Evidence
		var device, message []byte
		var ms sql.NullInt64
		if err := r.Scan(&seq, &e.Digest, &e.Signed, &device, &message, &ms); err != nil {
			return err
		}
		e.Seq = uint64(seq)
		if len(device) == len(e.Device) && len(message) == len(e.Message) {
			e.Device, e.Message, e.Time = matter.DeviceID(device), matter.MessageID(message), instant(ms.Int64)
		} else {
			e.Signed = nil
		}
		return f(e)
	}, "SELECT d.seq, d.digest, d.signed, m.device, m.id, m.time FROM entry_digest d LEFT JOIN message m ON m.matter = d.matter AND m.seq = d.seq "+where, args...)
}
