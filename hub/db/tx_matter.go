package db

import (
	"fmt"

	"causa/matter"
)

// Matter returns where a matter stands, with its devices in ascending order.
func (tx *Tx) Matter(id matter.ID) (m Matter, ok bool, err error) {
	m.ID = id
	var digest []byte
	ok, err = one(tx.matter, "find matter", []any{id[:]}, &m.No, &m.Creator, &digest, &m.Epoch, &m.Head, &m.TimeMS)
	if err != nil || !ok {
		return m, ok, err
	}
	copy(m.Digest[:], digest)
	rows, err := tx.matterDevices.Query(int64(m.No)) //nolint:noctx // a batch is never abandoned halfway
	if err != nil {
		return m, false, fmt.Errorf("list participants: %w", classify(err))
	}
	defer func() { _ = rows.Close() }() // rows.Err below tells all
	for rows.Next() {
		var d DeviceNo
		if err := rows.Scan(&d); err != nil {
			return m, false, fmt.Errorf("list participants: %w", classify(err))
		}
		m.Devices = append(m.Devices, d)
	}
	if err := rows.Err(); err != nil {
		return m, false, fmt.Errorf("list participants: %w", classify(err))
	}
	return m, true, nil
}

// AddMatter stores a new matter with its first GroupInfo and its devices, who are in
// it from the first entry on, and sets its number.
func (tx *Tx) AddMatter(m *Matter, groupInfo []byte) error {
	if _, err := one(tx.addMatter, "add matter",
		[]any{m.ID[:], int64(m.Creator), m.Digest[:], int64(m.Epoch), int64(m.Head), m.TimeMS}, &m.No); err != nil {
		return err
	}
	for _, d := range m.Devices {
		if err := tx.AddParticipant(m.No, d, 1); err != nil {
			return err
		}
	}
	return tx.SetGroupInfo(m.No, m.Epoch, groupInfo)
}

// SetMatter stores a matter's epoch, head and time.
func (tx *Tx) SetMatter(m *Matter) error {
	return run(tx.setMatter, "set matter", int64(m.Epoch), int64(m.Head), m.TimeMS, int64(m.No))
}

// SetGroupInfo replaces a matter's GroupInfo.
func (tx *Tx) SetGroupInfo(no MatterNo, epoch uint64, info []byte) error {
	return run(tx.setGroupInfo, "set group info", int64(no), int64(epoch), info)
}

// AddEntry appends to a matter's log. The database refuses a sequence or a counter
// that is taken.
func (tx *Tx) AddEntry(e *NewEntry) error {
	return run(tx.addEntry, "add entry",
		int64(e.Matter), int64(e.Seq), e.TimeMS, e.Kind, int64(e.Sender), int64(e.Epoch), int64(e.Counter), e.Payload)
}

// SentAs finds the entry that a device's counter stands for.
func (tx *Tx) SentAs(device DeviceNo, counter uint64) (p Place, ok bool, err error) {
	ok, err = one(tx.sentAs, "find entry", []any{int64(device), clamp(counter)}, &p.Matter, &p.Seq, &p.TimeMS)
	return p, ok, err
}

// AddCommit notes which entry ended an epoch, and the digest of its bundle.
func (tx *Tx) AddCommit(no MatterNo, epoch, seq uint64, digest Digest) error {
	return run(tx.addCommit, "add commit", int64(no), int64(epoch), int64(seq), digest[:])
}

// CommitOf returns the commit that ended an epoch: where it is, whose, and its digest.
func (tx *Tx) CommitOf(no MatterNo, epoch uint64) (p Place, sender DeviceNo, digest Digest, ok bool, err error) {
	p.Matter = no
	var b []byte
	ok, err = one(tx.commitOf, "find commit", []any{int64(no), clamp(epoch)}, &p.Seq, &b, &p.TimeMS, &sender)
	copy(digest[:], b)
	return p, sender, digest, ok, err
}

// AddParticipant puts a device into a matter from a sequence on.
func (tx *Tx) AddParticipant(no MatterNo, device DeviceNo, from uint64) error {
	return run(tx.addParticipant, "add participant", int64(no), int64(device), int64(from))
}

// EndParticipant takes a device out of a matter: until is the last sequence it may see.
func (tx *Tx) EndParticipant(no MatterNo, device DeviceNo, until uint64) error {
	return run(tx.endParticipant, "end participant", int64(until), int64(no), int64(device))
}

// AddWelcome leaves one Welcome for several devices and returns an id for each.
func (tx *Tx) AddWelcome(no MatterNo, seq uint64, sender DeviceNo, body []byte, devices []DeviceNo) ([]uint64, error) {
	var bodyID int64
	if _, err := one(tx.addWelcomeBody, "add welcome", []any{body}, &bodyID); err != nil {
		return nil, err
	}
	ids := make([]uint64, len(devices))
	for i, d := range devices {
		if _, err := one(tx.addWelcome, "add welcome", []any{int64(d), int64(no), int64(seq), int64(sender), bodyID}, &ids[i]); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// DropWelcome removes one of a device's welcomes; another device's stays.
func (tx *Tx) DropWelcome(device DeviceNo, id uint64) error {
	var body int64
	ok, err := one(tx.dropWelcome, "drop welcome", []any{clamp(id), int64(device)}, &body)
	if err != nil || !ok {
		return err
	}
	return run(tx.dropBody, "drop welcome", body)
}
