package store

import "time"

// PutKeyPackage keeps the private half of a key package until a welcome uses it.
func (tx *Tx) PutKeyPackage(ref []byte, suite uint16, secrets []byte, lastResort bool, now time.Time) error {
	return tx.exec("INSERT INTO key_package(ref, suite, secrets, last_resort, created) VALUES(?, ?, ?, ?, ?)",
		ref, suite, secrets, lastResort, now.UnixMilli())
}

// KeyPackage returns the private half of a key package, or ErrNone.
func (tx *Tx) KeyPackage(ref []byte) (secrets []byte, lastResort bool, err error) {
	err = tx.one([]any{&secrets, &lastResort}, "SELECT secrets, last_resort FROM key_package WHERE ref = ?", ref)
	return secrets, lastResort, err
}

// HasLastResort reports whether a last-resort key package of a suite, younger than since,
// is kept.
func (tx *Tx) HasLastResort(suite uint16, since time.Time) (bool, error) {
	var n int
	err := tx.one([]any{&n}, "SELECT count(*) FROM key_package WHERE last_resort AND suite = ? AND created > ?", suite, since.UnixMilli())
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
