package sealvfs

import "slices"

// A Kind says what the VFS met.
type Kind int

// The kinds, numbered as in sealvfs.h.
const (
	BadPage      Kind = iota + 1 // At: the page; page 1 also under a wrong key
	ShortFile                    // At: a page past the end of a file that was cut
	BadLogHeader                 // the log's header
	BadFrame                     // At: a frame of the log that is in use
	LogTail                      // At: the frame at which recovery ended the log
	BadJournal                   // At: the offset in a rollback journal
	BadShape                     // SQLite asked for what this VFS doesn't know
	TempRefused                  // a temporary file was refused
	Elsewhere                    // another process has the file
	kinds
)

// A Report is one thing that the VFS met, apart from the error that SQLite returns.
type Report struct {
	Kind Kind
	At   int64
	// Later counts, for LogTail, the frames behind the end that were written after a
	// transaction which was already safe on disk. A power cut leaves none: when there are
	// some, the frame was damaged afterwards.
	Later int64
}

// maxReports bounds what a Key remembers; all are counted.
const maxReports = 32

// Reports returns what was met under this key, oldest first.
func (k *Key) Reports() []Report {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.reports)
}

// Count returns how often kind was met.
func (k *Key) Count(kind Kind) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.counts[kind]
}

func (k *Key) report(r Report) {
	if r.Kind <= 0 || r.Kind >= kinds {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.counts[r.Kind]++
	if len(k.reports) < maxReports {
		k.reports = append(k.reports, r)
	}
}
