package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRegister gives causa: links to a program whose path tries to say more.
func TestRegister(t *testing.T) {
	data := t.TempDir()
	t.Setenv("XDG_DATA_HOME", data)
	t.Setenv("XDG_CONFIG_HOME", data)
	t.Setenv("PATH", "") // no xdg-mime: the file alone
	path := "/opt/my \"apps\"/$HOME/100%/causa"
	if err := register(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(data, "applications", "im.causa.Causa.desktop"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Exec=\"/opt/my \\\\\"apps\\\\\"/\\\\$HOME/100%%/causa\" %u\n",
		"MimeType=x-scheme-handler/causa;\n",
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %q in\n%s", want, b)
		}
	}
	if _, err := os.Stat(filepath.Join(data, "icons/hicolor/512x512/apps/im.causa.Causa.png")); err != nil {
		t.Error(err)
	}
}
