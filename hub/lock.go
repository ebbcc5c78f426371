package hub

import (
	"fmt"
	"os"
	"path/filepath"

	"causa/internal/fault"
)

// lockFile is held while a hub uses its data folder.
const lockFile = "lock"

// lock takes the data folder for this process alone. The lock goes with the process,
// however it ends.
func lock(data string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(data, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := tryLock(f); err != nil {
		_ = f.Close() // the first error counts
		return nil, &fault.Error{
			Text: "Another hub is already running on this data folder.",
			Hint: "Stop it first, or give this one a folder of its own.",
			Err:  err,
		}
	}
	return f, nil
}
