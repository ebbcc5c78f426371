package store

import (
	"database/sql"

	"causa/matter"
)

// A Moving is a message that leaves its matter when its copy in another one has its place
// there: whatever goes wrong in between, nothing is lost.
type Moving struct {
	Batch  matter.MessageID // what is moved together
	To     matter.ID
	Copy   matter.MessageID // the copy there, of this device
	From   matter.ID
	Source matter.Ref
}

// PutMoving notes a message that is to leave its matter.
func (tx *Tx) PutMoving(m Moving) error {
	return tx.exec("INSERT INTO moving(batch, target, copy, source, device, message) VALUES(?, ?, ?, ?, ?, ?)",
		m.Batch[:], m.To[:], m.Copy[:], m.From[:], m.Source.Device[:], m.Source.Message[:])
}

// Arrived notes that a copy has its place. When it is the last of its batch, it returns the
// whole batch, which is then forgotten.
func (tx *Tx) Arrived(to matter.ID, message matter.MessageID) ([]Moving, error) {
	var batch []byte
	err := tx.one([]any{&batch}, "SELECT batch FROM moving WHERE target = ? AND copy = ?", to[:], message[:])
	if err == ErrNone { //nolint:errorlint // one returns it as it is
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := tx.exec("UPDATE moving SET arrived = 1 WHERE target = ? AND copy = ?", to[:], message[:]); err != nil {
		return nil, err
	}
	var missing int
	if err := tx.one([]any{&missing}, "SELECT count(*) FROM moving WHERE batch = ? AND arrived = 0", batch); err != nil || missing > 0 {
		return nil, err
	}
	var out []Moving
	err = tx.each(func(r *sql.Rows) error {
		var copied, from, device, source []byte
		if err := r.Scan(&copied, &from, &device, &source); err != nil {
			return err
		}
		out = append(out, Moving{
			Batch: matter.MessageID(batch), To: to, Copy: matter.MessageID(copied), From: matter.ID(from),
			Source: matter.Ref{Device: matter.DeviceID(device), Message: matter.MessageID(source)},
		})
		return nil
	}, "SELECT copy, source, device, message FROM moving WHERE batch = ? ORDER BY position", batch)
	if err != nil {
		return nil, err
	}
	return out, tx.exec("DELETE FROM moving WHERE batch = ?", batch)
}
