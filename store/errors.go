package store

import (
	"errors"
	"fmt"
	"path/filepath"

	"causa/internal/fault"
	"causa/store/sealvfs"
)

// Errors that callers branch on; [errors.Is] finds them.
var (
	ErrNone     = errors.New("not in the store")
	ErrWrongKey = errors.New("the key does not open this store")
	ErrDamaged  = errors.New("the store is damaged")        // see [DamagedError]
	ErrNewer    = errors.New("the store is of a newer app") // see [NewerError]
	ErrForeign  = errors.New("the file is not a store")
	ErrDiskFull = errors.New("the disk is full")
	ErrDisk     = errors.New("the disk reports an error")
	ErrReadOnly = errors.New("the store can't be written")
	ErrInUse    = errors.New("another process has the store open")
	ErrClosed   = errors.New("the store is closed")
)

// A DamagedError says what of a store's files does not authenticate. Nothing of the
// damaged part has been read as data. [SetAside] makes room for a new store.
type DamagedError struct {
	File string // base name
	Part string // "page", "log frame", …
	At   int64  // its number
}

func (e *DamagedError) Error() string {
	if e.Part == "" {
		return fmt.Sprintf("%s: damaged", e.File)
	}
	return fmt.Sprintf("%s: %s %d is damaged", e.File, e.Part, e.At)
}

// Is makes a DamagedError an [ErrDamaged].
func (e *DamagedError) Is(target error) bool { return target == ErrDamaged }

// A NewerError says that the file was written by an app that knows more migrations, or
// another format, than this one.
type NewerError struct {
	Have int // the file's; 0: its format is newer
	Want int // the last one this app knows
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("store has version %d, this app knows %d", e.Have, e.Want)
}

// Is makes a NewerError an [ErrNewer].
func (e *NewerError) Is(target error) bool { return target == ErrNewer }

// SQLite's result codes that mean something to callers.
const (
	codeError    = 1
	codePerm     = 3
	codeBusy     = 5
	codeReadOnly = 8
	codeIO       = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26

	ioData = codeIO | 32<<8 // SQLITE_IOERR_DATA: a piece does not authenticate
)

// worded gives the errors of SQLite that matter their own types and words. Others stay.
func (f *file) worded(err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	code, extended := sealvfs.Code(err)
	switch {
	case code == codeFull:
		return &fault.Error{
			Text: "The disk of this computer is full.",
			Hint: "Make some room, then try again. What was there before is unharmed.",
			Err:  fmt.Errorf("%w: %v", ErrDiskFull, err),
		}
	case code == codeBusy && f.key.Count(sealvfs.Elsewhere) > 0:
		return inUse(err)
	case code == codeReadOnly || code == codePerm || code == codeCantOpen:
		return readOnly(err)
	case code == codeNotADB:
		return f.unreadable(err)
	case code == codeCorrupt || extended == ioData || (code == codeIO || code == codeError) && f.met():
		return f.damaged(err)
	case code == codeIO:
		return &fault.Error{
			Text: "The disk of this computer reports an error.",
			Hint: "Try again. When it comes back, have the disk checked.",
			Err:  fmt.Errorf("%w: %v", ErrDisk, err),
		}
	}
	return err
}

func inUse(err error) error {
	return &fault.Error{
		Text: "Causa is already running with this folder.",
		Hint: "Close the other window, or choose another folder.",
		Err:  fmt.Errorf("%w: %v", ErrInUse, err),
	}
}

func readOnly(err error) error {
	return &fault.Error{
		Text: "Causa can't write to its folder.",
		Hint: "Check whom the folder and its files belong to, and that they may be written.",
		Err:  fmt.Errorf("%w: %v", ErrReadOnly, err),
	}
}

func damage(d *DamagedError, err error) error {
	return &fault.Error{
		Text: "What Causa keeps on this device is damaged.",
		Hint: "Join again with an invite for a further device of yours. What is here is set aside, not deleted.",
		Err:  errors.Join(d, err),
	}
}

func newer(e *NewerError) error {
	return &fault.Error{
		Text: "A newer version of Causa has used this folder.",
		Hint: "Update Causa on this device.",
		Err:  e,
	}
}

// parts names what a report is about.
var parts = map[sealvfs.Kind]struct{ suffix, part string }{
	sealvfs.BadPage:      {"", "page"},
	sealvfs.ShortFile:    {"", "missing page"},
	sealvfs.BadLogHeader: {"-wal", "log header"},
	sealvfs.BadFrame:     {"-wal", "log frame"},
	sealvfs.BadJournal:   {"-journal", "journal record"},
}

// met reports whether something that does not authenticate was met. Virtual tables turn
// SQLite's code for that into a more general one.
func (f *file) met() bool {
	for kind := range parts {
		if f.key.Count(kind) > 0 {
			return true
		}
	}
	return false
}

// damaged says where, from what the VFS met last.
func (f *file) damaged(err error) error {
	d := &DamagedError{File: filepath.Base(f.path)}
	for _, r := range f.key.Reports() {
		if p, ok := parts[r.Kind]; ok {
			d = &DamagedError{File: filepath.Base(f.path) + p.suffix, Part: p.part, At: r.At}
		}
	}
	if _, extended := sealvfs.Code(err); extended == ioData {
		return damage(d, nil) // the driver says "no such file or directory" here
	}
	return damage(d, driver(err))
}

// driver keeps an error's text and cuts its chain.
func driver(err error) error { return errors.New(err.Error()) }

// unreadable tells a wrong key from a damaged first page.
func (f *file) unreadable(err error) error {
	verdict, probeErr := sealvfs.Probe(f.path, (*[32]byte)(&f.secret))
	if probeErr != nil {
		return fmt.Errorf("%v; %w", err, probeErr)
	}
	switch verdict {
	case sealvfs.WrongKey:
		return &fault.Error{
			Text: "This key does not open what Causa keeps on this device.",
			Hint: "Was the folder copied from another device, or a file in it replaced?",
			Err:  fmt.Errorf("%w: %v", ErrWrongKey, err),
		}
	case sealvfs.Foreign:
		return &fault.Error{
			Text: "The file where Causa keeps its data is something else.",
			Hint: "Choose another folder, or move the file away.",
			Err:  fmt.Errorf("%w: %v", ErrForeign, err),
		}
	case sealvfs.Newer:
		return newer(&NewerError{Want: sealvfs.Version})
	default:
		return f.damaged(err)
	}
}
