//go:build !cgo

// Package sealvfs needs cgo; without it, databases can't be opened.
package sealvfs

import (
	"database/sql/driver"
	"errors"
	"sync"
	"time"
)

// The same numbers as with cgo.
const (
	Version   = 1
	PageSize  = 4096
	Overhead  = 40
	FrameSize = 24 + PageSize
)

var errNoCgo = errors.New("sealvfs: this build has no cgo and can't open databases")

// A Key is one database's data key.
type Key struct {
	mu      sync.Mutex
	reports []Report
	counts  [kinds]int
}

// Conn says how connections to a database are made.
type Conn struct {
	ReadOnly  bool
	Immediate bool
	Base      string
	Pragmas   []string
}

// New returns a key that opens nothing.
func New(*[32]byte) *Key { return &Key{} }

// Drain returns at once.
func (k *Key) Drain(time.Duration) bool { return true }

// Close does nothing.
func (k *Key) Close() {}

// Connector returns an error: there is no cgo.
func (k *Key) Connector(string, Conn) (driver.Connector, error) { return nil, errNoCgo }

// URI returns an error: there is no cgo.
func (k *Key) URI(string, Conn) (string, error) { return "", errNoCgo }

// Code returns zeros.
func Code(error) (code, extended int) { return 0, 0 }

// A Verdict says why a main file's first page can't be opened.
type Verdict int

// The verdicts.
const (
	Fine Verdict = iota + 1
	WrongKey
	Damaged
	Foreign
	Newer
)

// Probe returns an error: there is no cgo.
func Probe(string, *[32]byte) (Verdict, error) { return 0, errNoCgo }
