package store

import (
	"database/sql"

	"causa/matter"
)

// AddReceipt notes that a device has destroyed a message that was taken back.
func (tx *Tx) AddReceipt(id matter.ID, seq uint64, device matter.DeviceID) error {
	return tx.exec("INSERT OR IGNORE INTO receipt(matter, seq, device) VALUES(?, ?, ?)", id[:], int64(seq), device[:])
}

// Receipts lists the devices that have destroyed a message.
func (tx *Tx) Receipts(id matter.ID, seq uint64) (out []matter.DeviceID, err error) {
	err = tx.each(func(r *sql.Rows) error {
		var b []byte
		if err := r.Scan(&b); err != nil {
			return err
		}
		out = append(out, matter.DeviceID(b))
		return nil
	}, "SELECT device FROM receipt WHERE matter = ? AND seq = ?", id[:], int64(seq))
	return out, err
}
