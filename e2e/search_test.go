package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// filesWith lists the files below dir that contain the word as UTF-8. It gives an error
// when there are no files, where a search would always find nothing.
func filesWith(dir, word string) ([]string, error) {
	var found []string
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a journal that was just folded into its database
		}
		if err != nil {
			return err
		}
		files++
		if bytes.Contains(text, []byte(word)) {
			found = append(found, path)
		}
		return nil
	})
	if err == nil && files == 0 {
		err = fmt.Errorf("there is no file below %s", dir)
	}
	return found, err
}

// TestFilesWith: a search that finds nothing anywhere would prove everything.
func TestFilesWith(t *testing.T) {
	dir := t.TempDir()
	if _, err := filesWith(dir, "plan"); err == nil {
		t.Error("a search in a folder without files succeeded")
	}
	deep := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		filepath.Join(dir, "plain"):  "no such word",
		filepath.Join(deep, "bytes"): "\x00\xffthe 计划 here\x00",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := filesWith(dir, "计划")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{filepath.Join(deep, "bytes")}, got); diff != "" {
		t.Errorf("filesWith (-want +got):\n%s", diff)
	}
}
