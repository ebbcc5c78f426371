package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"causa/hub/db"
)

// classify turns the driver's errors into ours. What the server did not say itself came
// on the way to it or back.
func classify(err error) error {
	if err == nil {
		return nil
	}
	for _, ours := range []error{db.ErrNewer, db.ErrOlder, ErrSetting} {
		if errors.Is(err, ours) {
			return err
		}
	}
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return fmt.Errorf("%w: %v", db.ErrGone, err) // the driver's error stays inside this package
	}
	switch said.Code {
	case "53100": // disk_full
		return fmt.Errorf("%w: %v", db.ErrFull, err)
	case "40001", "40P01", "55P03", "23505": // serialisation, deadlock, lock, unique
		return fmt.Errorf("%w: %v", db.ErrConflict, err)
	case "53300", "25006", // too many connections; read-only: this is a standby
		"57P01", "57P02", "57P03", "57P05": // shut down, crashed, starting
		return fmt.Errorf("%w: %v", db.ErrGone, err)
	}
	if strings.HasPrefix(said.Code, "08") { // connection exceptions
		return fmt.Errorf("%w: %v", db.ErrGone, err)
	}
	return err
}
