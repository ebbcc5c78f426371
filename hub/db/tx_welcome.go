package db

// AddWelcome leaves one Welcome for several devices and returns an id for each.
func (tx *Tx) AddWelcome(no MatterNo, seq uint64, sender DeviceNo, body []byte, devices []DeviceNo) ([]uint64, error) {
	var bodyID int64
	if _, err := one(tx.conn, "add welcome", []any{&bodyID}, `INSERT INTO welcome_bodies (body) VALUES ($1) RETURNING id`, body); err != nil {
		return nil, err
	}
	ids := make([]uint64, len(devices))
	for i, d := range devices {
		var found bool
		if err := tx.conn.Query(only(&found, &ids[i]), `INSERT INTO welcomes (device, matter, seq, sender, body) VALUES ($1, $2, $3, $4, $5) RETURNING id`,
			int64(d), int64(no), int64(seq), int64(sender), bodyID); err != nil {
			return nil, wrap("add welcome", err)
		}
	}
	return ids, wrap("add welcome", tx.conn.Flush())
}

// DropWelcome removes one of a device's welcomes; another device's stays.
func (tx *Tx) DropWelcome(device DeviceNo, id uint64) error {
	var body int64
	ok, err := one(tx.conn, "drop welcome", []any{&body}, `DELETE FROM welcomes WHERE id = $1 AND device = $2 RETURNING body`, clamp(id), int64(device))
	if err != nil || !ok {
		return err
	}
	// Of two hubs that drop a body's last welcomes at once, one must see the other's:
	// they take turns at the body.
	if _, err := one(tx.conn, "drop welcome", []any{&body},
		tx.conn.Pick(`SELECT id FROM welcome_bodies WHERE id = $1`, `SELECT id FROM welcome_bodies WHERE id = $1 FOR UPDATE`), body); err != nil {
		return err
	}
	return tx.exec("drop welcome", `DELETE FROM welcome_bodies WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM welcomes WHERE body = $1)`, body)
}
