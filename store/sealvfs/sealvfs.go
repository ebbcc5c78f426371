//go:build cgo

// Package sealvfs is a SQLite VFS that encrypts and authenticates everything a
// database writes: each page of the main file, each frame of the write-ahead log and
// each record of a rollback journal, with XChaCha20-Poly1305. It lies over SQLite's own
// VFS and leaves that one as it is for other databases of the process.
//
// A piece is bound to what it is and where it belongs. A piece that was changed, moved,
// swapped or zeroed fails to open and is an error for the reader, never data. Nothing
// of a temporary kind reaches the disk, and the index of the log stays in memory, so
// one process has a file to itself. What no page cipher sees is a whole file, or a page,
// that was put back to an older copy of itself under the same key.
//
// The format is written down in docs/store.md.
package sealvfs

/*
#cgo CFLAGS: -std=gnu99 -O2 -Wall
#include <stdlib.h>
#include "sealvfs.h"
*/
import "C"

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// Version is the format that this package writes; it stands in a file's fourth byte.
const Version = 1

// PageSize is the one page size there is. Overhead bytes of each page hold its seal.
const (
	PageSize = 4096
	Overhead = tagLen + nonceLen
	// FrameSize is what a page takes in the log.
	FrameSize = 24 + PageSize
)

// MinSQLite is the first SQLite whose calls this package has been checked with.
const MinSQLite = 3054001

var (
	regMu   sync.Mutex
	regDone = map[string]string{} // base VFS: ours over it
)

// register returns the name of the sealing VFS over base.
func register(base string) (string, error) {
	regMu.Lock()
	defer regMu.Unlock()
	if name := regDone[base]; name != "" {
		return name, nil
	}
	if v := int(C.sqlite3_libversion_number()); v < MinSQLite {
		return "", fmt.Errorf("sealvfs: SQLite %d is linked, want %d or later", v, MinSQLite)
	}
	name := "seal"
	if base != "" {
		name += "-" + base
	}
	cName, cBase := C.CString(name), C.CString(base)
	defer C.free(unsafe.Pointer(cName))
	defer C.free(unsafe.Pointer(cBase))
	if rc := C.sealRegister(cName, cBase); rc != 0 {
		return "", fmt.Errorf("sealvfs: register over %q: SQLite error %d", base, int(rc))
	}
	regDone[base] = name
	return name, nil
}

// Conn says how connections to a database are made.
type Conn struct {
	ReadOnly  bool   // the file is not written, nor anything beside it
	Immediate bool   // transactions take the write lock when they begin
	Base      string // the VFS underneath; SQLite's own when empty
	Pragmas   []string
}

// Connector returns what [database/sql.OpenDB] needs to reach the database at path
// under this key. The file must exist; it may be empty.
func (k *Key) Connector(path string, c Conn) (driver.Connector, error) {
	uri, err := k.URI(path, c)
	if err != nil {
		return nil, err
	}
	if c.Immediate {
		uri += "&_txlock=immediate"
	}
	pragmas := strings.Join(append([]string{
		"PRAGMA temp_store = MEMORY", // temporary files are refused
		"PRAGMA trusted_schema = OFF",
		"PRAGMA cell_size_check = ON",
	}, c.Pragmas...), "; ")
	return &connector{uri: uri, driver: &sqlite3.SQLiteDriver{ConnectHook: func(conn *sqlite3.SQLiteConn) error {
		_, err := conn.Exec(pragmas, nil)
		return err
	}}}, nil
}

// URI names the database at path to SQLite, for VACUUM INTO and ATTACH.
func (k *Key) URI(path string, c Conn) (string, error) {
	vfs, err := register(c.Base)
	if err != nil {
		return "", err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("sealvfs: %w", err)
	}
	abs = filepath.ToSlash(abs)
	if runtime.GOOS == "windows" && !strings.HasPrefix(abs, "/") {
		abs = "/" + abs // file:/C:/…
	}
	mode := "rw"
	if c.ReadOnly {
		mode = "ro"
	}
	q := url.Values{"vfs": {vfs}, "mode": {mode}, "sealkey": {strconv.Itoa(k.id)}, "_stmt_cache_size": {"160"}}
	return "file:" + (&url.URL{Path: abs}).EscapedPath() + "?" + q.Encode(), nil
}

type connector struct {
	uri    string
	driver *sqlite3.SQLiteDriver
}

func (c *connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.uri) }
func (c *connector) Driver() driver.Driver                        { return c.driver }

// Code returns SQLite's primary and extended result code of err, or zeros.
func Code(err error) (code, extended int) {
	var e sqlite3.Error
	if errors.As(err, &e) {
		return int(e.Code), int(e.ExtendedCode)
	}
	return 0, 0
}
