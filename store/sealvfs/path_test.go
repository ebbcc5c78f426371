//go:build cgo

package sealvfs

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// A folder may have any name.
func TestOddPaths(t *testing.T) {
	names := []string{"事由 store", "per%20cent %41", "hash#1", "a&b=c;d", "it's", "plus+plus"}
	if runtime.GOOS != "windows" {
		names = append(names, "what?vfs=unix", `back\slash`, `quo"te`)
	}
	for _, name := range names {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		k, _ := newKey(t)
		db := open(t, k, filepath.Join(dir, "a.db"))
		schema(t, db)
		fill(t, db, 1, 10)
		noPlain(t, dir)
		ents, err := os.ReadDir(dir)
		if err != nil || len(ents) != 2 {
			t.Errorf("%s: files %v, %v", name, ents, err)
		}
	}
}
