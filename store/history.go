package store

import (
	"database/sql"

	"causa/matter"
)

// An Heir is a device that waits for a matter's history from this one.
type Heir struct {
	Matter matter.ID
	Device matter.DeviceID
	From   uint64 // the first entry that this device can read
}

// AddHeir notes that a device is to be handed a matter's history.
func (tx *Tx) AddHeir(id matter.ID, device matter.DeviceID) error {
	return tx.exec("INSERT OR IGNORE INTO heir(matter, device) VALUES(?, ?)", id[:], device[:])
}

// DropHeir forgets a device that was handed a matter's history.
func (tx *Tx) DropHeir(h Heir) error {
	return tx.exec("DELETE FROM heir WHERE matter = ? AND device = ?", h.Matter[:], h.Device[:])
}

// Heirs lists the devices that wait for history.
func (tx *Tx) Heirs() (out []Heir, err error) {
	err = tx.each(func(r *sql.Rows) error {
		var id, device []byte
		var from int64
		if err := r.Scan(&id, &device, &from); err != nil {
			return err
		}
		out = append(out, Heir{matter.ID(id), matter.DeviceID(device), uint64(from)})
		return nil
	}, "SELECT h.matter, h.device, max(m.since, 1) FROM heir h JOIN matter m ON m.id = h.matter")
	return out, err
}

// An EpochSecret is the content secret of one epoch.
type EpochSecret struct {
	Epoch  uint64
	Secret []byte
}

// ContentSecrets lists the content secrets of a matter, by epoch.
func (tx *Tx) ContentSecrets(id matter.ID) (out []EpochSecret, err error) {
	err = tx.each(func(r *sql.Rows) error {
		var s EpochSecret
		var epoch int64
		if err := r.Scan(&epoch, &s.Secret); err != nil {
			return err
		}
		s.Epoch = uint64(epoch)
		out = append(out, s)
		return nil
	}, "SELECT epoch, secret FROM content_secret WHERE matter = ? ORDER BY epoch", id[:])
	return out, err
}

// AddContentSecret keeps an epoch's content secret that somebody else handed over; one
// that is here stays.
func (tx *Tx) AddContentSecret(id matter.ID, epoch uint64, secret []byte) error {
	return tx.exec("INSERT OR IGNORE INTO content_secret(matter, epoch, secret) VALUES(?, ?, ?)", id[:], int64(epoch), secret)
}

// Rewind takes a matter back to before entry from, so that all entries from there on are
// taken again. The lines of changes of participants stay: they come from keys that are no
// longer here. What the person has read stays read, and so does all before the commit that
// let this device in. How the matter stood where the entries begin, anybody may tell: it is
// held against the account of who let this device in.
func (tx *Tx) Rewind(id matter.ID, from uint64, self matter.DeviceID) error {
	num, err := tx.searchNum(id)
	if err != nil {
		return err
	}
	if err := tx.unindex(num, 1, 1<<32-1); err != nil {
		return err
	}
	tx.freed = true
	if err := tx.exec("DELETE FROM message WHERE matter = ? AND kind NOT IN (?, ?, ?, ?)", id[:],
		int(matter.KindAdded), int(matter.KindRemoved), int(matter.KindDevice), int(matter.KindOverreach)); err != nil {
		return err
	}
	for _, q := range []string{
		"DELETE FROM entry_digest WHERE matter = ?", "DELETE FROM held_entry WHERE matter = ?", "DELETE FROM warning WHERE matter = ?",
		"DELETE FROM reaction WHERE matter = ?", "DELETE FROM pin WHERE matter = ?", "DELETE FROM task WHERE matter = ?",
		"DELETE FROM poll WHERE matter = ?", "DELETE FROM vote WHERE matter = ?", "DELETE FROM mention WHERE matter = ?",
		"DELETE FROM urgent WHERE matter = ?", "DELETE FROM acknowledged WHERE matter = ?",
	} {
		if err := tx.exec(q, id[:]); err != nil {
			return err
		}
	}
	return tx.exec(`UPDATE matter SET replay = max(cursor, replay), cursor = ?1 - 1, since = ?1, read_seq = max(read_seq, base), unread = 0,
		base = ?1, adder = ?3, described = 0, life = '{}' WHERE id = ?2`, int64(from), id[:], self[:])
}
