package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"causa/hub"
	"causa/hub/hubtest"
)

// call runs a command line and returns what it prints.
func call(t *testing.T, code int, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if got := run(context.Background(), args, &out, &out); got != code {
		t.Errorf("%q: exit code %d, want %d", args, got, code)
	}
	return out.String()
}

func TestOperations(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	h := hubtest.Start(t)
	_, owner, err := hubtest.Found(h.Addr(), h.Founding())
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := owner.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()

	var st hub.Status
	if err := json.Unmarshal([]byte(call(t, 0, "status", "--data", h.Data(), "--json")), &st); err != nil {
		t.Fatal(err)
	}
	if !st.Founded || st.Log != 1 || st.Devices != 1 || st.Live == nil || st.Live.Connections != 1 || st.Live.Address != h.Addr() {
		t.Errorf("status = %+v, %+v", st, st.Live)
	}
	if got := call(t, 0, "status", "--data", h.Data()); !strings.Contains(got, "Running at "+h.Addr()) || !strings.Contains(got, "Active devices: 1.") {
		t.Errorf("status says %q", got)
	}
	if got := call(t, 0, "check", "--data", h.Data()); got != "Everything is in order.\n" {
		t.Errorf("check says %q", got)
	}
	dir := t.TempDir()
	archive, restored := filepath.Join(dir, "hub.tar"), filepath.Join(dir, "restored")
	if got := call(t, 0, "backup", "--data", h.Data(), archive); !strings.Contains(got, "Saved and checked. Entries of the organisation log: 1.") {
		t.Errorf("backup says %q", got)
	}
	if got := call(t, 1, "backup", "--data", h.Data(), archive); !strings.Contains(got, "is there already.\nChoose a new name") {
		t.Errorf("the same backup again says %q", got)
	}
	h.Stop()
	if err := json.Unmarshal([]byte(call(t, 0, "status", "--data", h.Data(), "--json")), &st); err != nil || st.Live != nil {
		t.Errorf("status of a stopped hub: %+v, %v", st.Live, err)
	}
	if got := call(t, 0, "status", "--data", h.Data()); !strings.HasPrefix(got, "Not running\n") || !strings.Contains(got, "Active devices: 1.") {
		t.Errorf("status of a stopped hub says %q", got)
	}
	var m hub.Manifest
	if err := json.Unmarshal([]byte(call(t, 0, "restore", "--data", restored, "--json", archive)), &m); err != nil || m.Log != 1 || m.Incarnation == 0 {
		t.Errorf("restore: %+v, %v", m, err)
	}
	call(t, 1, "restore", "--data", restored, archive)

	raw, err := sql.Open("sqlite3", filepath.Join(restored, "hub.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.ExecContext(t.Context(), "UPDATE devices SET counter = 5"); err != nil {
		t.Fatal(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	if got := call(t, 1, "check", "--data", restored); !strings.Contains(got, "device 1: counter 5") || !strings.Contains(got, "Problems: 1.") {
		t.Errorf("check says %q", got)
	}
	var report struct {
		Sound    bool
		Problems []string
	}
	if err := json.Unmarshal([]byte(call(t, 1, "check", "--json", "--data", restored)), &report); err != nil || report.Sound || len(report.Problems) != 1 {
		t.Errorf("check --json: %+v, %v", report, err)
	}
}

func TestOperationUsage(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	dir := t.TempDir()
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no folder", []string{"check"}, 2, "check needs --data DIR"},
		{"no operand", []string{"backup", "--data", dir}, 2, "backup needs --data DIR FILE.tar|DIR"},
		{"stray operand", []string{"status", "--data", dir, "x"}, 2, "status needs --data DIR"},
		{"unknown flag", []string{"check", "--fast"}, 2, "--fast"},
		{"help", []string{"restore", "--help"}, 0, "causa-hub restore"},
		{"no hub", []string{"status", "--data", dir}, 1, "There is no hub in this data folder."},
		{"no hub to save", []string{"backup", "--data", dir, filepath.Join(dir, "x")}, 1, "There is no hub in this data folder."},
		{"no backup", []string{"restore", "--data", filepath.Join(dir, "new"), filepath.Join(dir, "none")}, 1, "not a complete backup"},
		{"no configuration", []string{"check", "--config", filepath.Join(dir, "none.toml")}, 1, "none.toml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := call(t, tt.code, tt.args...); !strings.Contains(got, tt.want) {
				t.Errorf("output %q does not have %q", got, tt.want)
			}
		})
	}
}
