//go:build cgo

package sqlite

import (
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"

	"causa/hub/db"
)

// classify turns the driver errors that callers branch on into ours.
func classify(err error) error {
	e, ok := errors.AsType[sqlite3.Error](err)
	if !ok {
		return err
	}
	if e.Code == sqlite3.ErrFull || noSpace(e.SystemErrno) {
		return fmt.Errorf("%w: %v", db.ErrFull, err) // the driver's error stays inside this package
	}
	return err
}
