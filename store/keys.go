package store

import "time"

// PutKeyPackage keeps the private half of a key package until a welcome uses it.
func (tx *Tx) PutKeyPackage(ref, secrets []byte, lastResort bool, now time.Time) error {
	return tx.exec("INSERT INTO key_package(ref, secrets, last_resort, created) VALUES(?, ?, ?, ?)",
		ref, secrets, lastResort, now.UnixMilli())
}

// KeyPackage returns the private half of a key package, or ErrNone.
func (tx *Tx) KeyPackage(ref []byte) (secrets []byte, lastResort bool, err error) {
	err = tx.one([]any{&secrets, &lastResort}, "SELECT secrets, last_resort FROM key_package WHERE ref = ?", ref)
	return secrets, lastResort, err
}

// HasLastResort reports whether a last-resort key package younger than since is kept.
func (tx *Tx) HasLastResort(since time.Time) (bool, error) {
	var n int
	err := tx.one([]any{&n}, "SELECT count(*) FROM key_package WHERE last_resort AND created > ?", since.UnixMilli())
	return n > 0, err
}

// DropKeyPackage forgets the private half of a used key package.
func (tx *Tx) DropKeyPackage(ref []byte) error {
	return tx.exec("DELETE FROM key_package WHERE ref = ?", ref)
}

// DropKeyPackagesBefore forgets key packages that are too old for any welcome.
func (tx *Tx) DropKeyPackagesBefore(t time.Time) error {
	return tx.exec("DELETE FROM key_package WHERE created < ?", t.UnixMilli())
}
