package store

import (
	"database/sql"

	"causa/matter"
)

// SetBase notes that this device came in by the commit at seq, has followed up to cursor,
// and has to be told anew, by adder, how the matter stands.
func (tx *Tx) SetBase(id matter.ID, seq uint64, adder matter.DeviceID) error {
	return tx.exec("UPDATE matter SET base = ?, adder = ?, described = 0 WHERE id = ?", int64(seq), adder[:], id[:])
}

// SetDescribed notes that this device knows how the matter stands.
func (tx *Tx) SetDescribed(id matter.ID) error {
	return tx.exec("UPDATE matter SET described = 1 WHERE id = ?", id[:])
}

// Chain returns the hash over all entries up to one, or ErrNone when it is not known here.
func (tx *Tx) Chain(id matter.ID, seq uint64) (chain []byte, err error) {
	err = tx.one([]any{&chain}, "SELECT chain FROM entry_digest WHERE matter = ? AND seq = ? AND chain IS NOT NULL", id[:], int64(seq))
	return chain, err
}

// SetChain notes the hash over all entries up to one whose digest is here.
func (tx *Tx) SetChain(id matter.ID, seq uint64, chain []byte) error {
	return tx.exec("UPDATE entry_digest SET chain = ? WHERE matter = ? AND seq = ?", chain, id[:], int64(seq))
}

// HoldEntry keeps an entry until this device knows how the matter stands.
func (tx *Tx) HoldEntry(id matter.ID, seq uint64, entry []byte) error {
	return tx.exec("INSERT OR REPLACE INTO held_entry(matter, seq, entry) VALUES(?, ?, ?)", id[:], int64(seq), entry)
}

// TakeHeldEntries returns the entries that were held, in order, and forgets them.
func (tx *Tx) TakeHeldEntries(id matter.ID) (entries [][]byte, err error) {
	for b, err := range tx.blobs("SELECT entry FROM held_entry WHERE matter = ? ORDER BY seq", id[:]) {
		if err != nil {
			return nil, err
		}
		entries = append(entries, b)
	}
	return entries, tx.exec("DELETE FROM held_entry WHERE matter = ?", id[:])
}

// keptAccounts is how many entries an account of a matter is kept for.
const keptAccounts = 1000

// PutAccount keeps how the matter stood after an entry.
func (tx *Tx) PutAccount(id matter.ID, seq uint64, body []byte) error {
	if err := tx.exec("DELETE FROM account WHERE matter = ? AND seq < ?", id[:], int64(seq)-keptAccounts); err != nil {
		return err
	}
	return tx.exec("INSERT OR REPLACE INTO account(matter, seq, body) VALUES(?, ?, ?)", id[:], int64(seq), body)
}

// Account returns how the matter stood after an entry, or ErrNone.
func (tx *Tx) Account(id matter.ID, seq uint64) (body []byte, err error) {
	err = tx.one([]any{&body}, "SELECT body FROM account WHERE matter = ? AND seq = ?", id[:], int64(seq))
	return body, err
}

// AddWarning files a line that warns, the first one for each device. It returns whether it
// was the first.
func (tx *Tx) AddWarning(m matter.Message) (added bool, err error) {
	res, err := tx.sql.ExecContext(tx.ctx, "INSERT OR IGNORE INTO warning(matter, device, seq, time, author, kind) VALUES(?, ?, ?, ?, ?, ?)",
		m.Matter[:], m.Device[:], int64(m.Seq), m.Time.UnixMilli(), m.Author[:], int(m.Kind))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// warnings returns the warnings before the entries from one up to another.
func (tx *Tx) warnings(id matter.ID, from, upto uint64) (out []matter.Message, err error) {
	err = tx.each(func(r *sql.Rows) error {
		m := matter.Message{Matter: id, Delivery: matter.DeliverySent}
		var seq, t int64
		var author, device []byte
		if err := r.Scan(&seq, &t, &author, &device, &m.Kind); err != nil {
			return err
		}
		m.Seq, m.Time, m.Author, m.Device = uint64(seq), instant(t), matter.MemberID(author), matter.DeviceID(device)
		m.ID = matter.MessageID(device)
		out = append(out, m)
		return nil
	}, "SELECT seq, time, author, device, kind FROM warning WHERE matter = ? AND seq BETWEEN ? AND ? ORDER BY seq", id[:], int64(from), int64(upto))
	return out, err
}

// withWarnings puts warnings into a page of a thread.
func withWarnings(page, warnings []matter.Message) []matter.Message {
	if len(warnings) == 0 {
		return page
	}
	out := make([]matter.Message, 0, len(page)+len(warnings))
	for _, m := range page {
		for len(warnings) > 0 && warnings[0].Seq <= m.Seq {
			out, warnings = append(out, warnings[0]), warnings[1:]
		}
		out = append(out, m)
	}
	return append(out, warnings...)
}

// FailOutgoing puts something said here back among what was not sent, and why.
func (tx *Tx) FailOutgoing(o Outgoing, why string) error {
	if err := tx.DropOutgoing(o.Matter, o.ID); err != nil {
		return err
	}
	return tx.exec("INSERT INTO outbox(matter, id, time, content, failed) VALUES(?, ?, ?, ?, ?)", o.Matter[:], o.ID[:], o.Time.UnixMilli(), o.Content, why)
}
