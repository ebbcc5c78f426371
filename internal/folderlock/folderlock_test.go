package folderlock

import (
	"errors"
	"testing"
)

func TestTake(t *testing.T) {
	dir := t.TempDir()
	l, err := Take(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Take(dir); !errors.Is(err, ErrTaken) {
		t.Errorf("second Take = %v, want ErrTaken", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	l, err = Take(dir)
	if err != nil {
		t.Fatalf("Take after Release: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Error(err)
	}
}
