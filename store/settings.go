package store

// Setting returns a named value, or ErrNone.
func (tx *Tx) Setting(name string) (value []byte, err error) {
	err = tx.one([]any{&value}, "SELECT value FROM setting WHERE name = ?", name)
	return value, err
}

// SetSetting stores a named value.
func (tx *Tx) SetSetting(name string, value []byte) error {
	return tx.exec("INSERT INTO setting(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value", name, value)
}

// DropSetting forgets a named value.
func (tx *Tx) DropSetting(name string) error {
	return tx.exec("DELETE FROM setting WHERE name = ?", name)
}
