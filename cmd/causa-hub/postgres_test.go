package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"causa/hub"
	"causa/hub/db/postgres/pgtest"
	"causa/hub/hubtest"
)

// The operations on a hub whose database is in PostgreSQL.
func TestOperationsOnPostgres(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	url := pgtest.Start(t).Database()
	empty := []string{"--data", t.TempDir(), "--database", url}
	if got := call(t, 1, append([]string{"check"}, empty...)...); !strings.Contains(got, "No hub has used this database yet.") {
		t.Errorf("check of an empty database says %q", got)
	}
	h := hubtest.Start(t, func(o *hub.Options) { o.Database = url })
	if _, _, err := hubtest.Found(h.Addr(), h.Founding()); err != nil {
		t.Fatal(err)
	}
	at := []string{"--data", h.Data(), "--database", url}
	var st hub.Status
	if err := json.Unmarshal([]byte(call(t, 0, append([]string{"status", "--json"}, at...)...)), &st); err != nil || st.Log != 1 || st.Live == nil || st.DatabaseBytes == 0 {
		t.Errorf("status = %+v, %v", st, err)
	}
	if got := call(t, 0, append([]string{"check"}, at...)...); got != "Everything is in order.\n" {
		t.Errorf("check says %q", got)
	}
	archive := filepath.Join(t.TempDir(), "hub.tar")
	if got := call(t, 1, append([]string{"backup", archive}, at...)...); !strings.Contains(got, "saved with PostgreSQL's own programs.") {
		t.Errorf("backup says %q", got)
	}
	if got := call(t, 1, append([]string{"restore", archive}, at...)...); !strings.Contains(got, "restored with PostgreSQL's own programs.") {
		t.Errorf("restore of a file says %q", got)
	}
	h.Stop()
	if got := call(t, 0, append([]string{"restore"}, at...)...); !strings.Contains(got, "Start all hubs on it again.") {
		t.Errorf("restore says %q", got)
	}
	if err := json.Unmarshal([]byte(call(t, 0, append([]string{"status", "--json"}, at...)...)), &st); err != nil || st.Incarnation == 0 || st.Live != nil {
		t.Errorf("status after it = %+v, %v", st, err)
	}
	if got := call(t, 1, "check", "--data", h.Data(), "--database", "mysql://x:secret@y/z"); !strings.Contains(got, "Write postgres://") || strings.Contains(got, "secret") {
		t.Errorf("another kind of database: %q", got)
	}
}
