package hub_test

import (
	"archive/tar"
	"bytes"
	"context"
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"causa/hub"
	"causa/hub/hubtest"
	"causa/internal/fault"
	"causa/matter"
)

// sound fails the test unless a data folder is.
func sound(t *testing.T, at hub.Place) {
	t.Helper()
	problems, err := hub.Check(context.Background(), at)
	if err != nil || len(problems) > 0 {
		t.Fatalf("Check = %q, %v", problems, err)
	}
}

// worded fails the test unless an error tells a person so.
func worded(t *testing.T, err error, want string) {
	t.Helper()
	if text, _ := fault.Words(err, nil); err == nil || !strings.Contains(text, want) {
		t.Errorf("error %v, want one that says %q", err, want)
	}
}

// A backup taken while messages come in holds all that was acknowledged before it, and
// a hub restored from it goes on from there.
func TestBackupAndRestore(t *testing.T) {
	for _, name := range []string{"folder", "archive.tar"} {
		t.Run(name, func(t *testing.T) { backupAndRestore(t, name) })
	}
}

func backupAndRestore(t *testing.T, to string) {
	r := newRig(t)
	a, b := r.owner(), r.hire(matter.RoleMember)
	id := a.open()
	a.change(id, []*member{b}, nil)
	b.stock()
	for i := range 50 {
		a.say(id, name(i))
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // somebody talks all the time
		defer close(stopped)
		for n := b.counter + 1; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := b.Call(send(id, n, 1, "meanwhile")); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	to = filepath.Join(t.TempDir(), to)
	m, err := hub.Backup(context.Background(), hub.Place{Data: r.Data()}, to)
	close(stop)
	<-stopped
	if err != nil {
		t.Fatal(err)
	}
	if m.Matters != 1 || m.Entries < 51 || m.Log != r.company.Next() || m.Incarnation != 0 {
		t.Errorf("manifest %+v", m)
	}
	_, err = hub.Backup(context.Background(), hub.Place{Data: r.Data()}, to)
	worded(t, err, "is there already")
	sound(t, hub.Place{Data: r.Data(), Database: r.Database()}) // while the hub runs
	before := a.log(id)
	a.say(id, "after the backup")
	r.Stop()
	pin := r.Pin()

	data := filepath.Join(t.TempDir(), "restored")
	restored, err := hub.Restore(context.Background(), to, data)
	if err != nil {
		t.Fatal(err)
	}
	sound(t, hub.Place{Data: data})
	_, err = hub.Restore(context.Background(), to, data)
	worded(t, err, "a hub in this data folder already")
	h := hubtest.Start(t, func(o *hub.Options) { o.Data, o.Listen = data, r.Addr() })
	if h.Pin() != pin {
		t.Error("the restored hub has another TLS key")
	}
	a.connect()
	b.connect()
	if a.ready.GetIncarnation() == 0 || a.ready.GetIncarnation() != restored.Incarnation {
		t.Errorf("incarnation %d, want %d", a.ready.GetIncarnation(), restored.Incarnation)
	}
	if stockOf(b.ready.GetKeyPackages()) != 0 {
		t.Error("key packages that may have been used are handed out again")
	}
	got := a.log(id)
	if len(got) != int(m.Entries) || len(got) > len(before) {
		t.Fatalf("%d entries after the restore, want %d", len(got), m.Entries)
	}
	if !slices.Equal(payloads(got), payloads(before[:len(got)])) {
		t.Error("other entries than before")
	}
	a.counter = a.ready.GetLastCounter()
	a.say(id, "and on it goes")
	h.Stop()

	again, err := hub.Restore(context.Background(), to, filepath.Join(t.TempDir(), "twice"))
	if err != nil || again.Incarnation <= restored.Incarnation {
		t.Errorf("restored twice from one backup: incarnations %d and %d, %v", restored.Incarnation, again.Incarnation, err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(to), ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestDamagedBackups(t *testing.T) {
	r := newRig(t)
	a := r.owner()
	a.open()
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	if _, err := hub.Backup(context.Background(), hub.Place{Data: r.Data()}, good); err != nil {
		t.Fatal(err)
	}
	copied := func(name string, change func(dir string) error) string {
		to := filepath.Join(dir, name)
		if err := os.CopyFS(to, os.DirFS(good)); err != nil {
			t.Fatal(err)
		}
		if err := change(to); err != nil {
			t.Fatal(err)
		}
		return to
	}
	foreign := filepath.Join(dir, "foreign.tar")
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	if err := w.WriteHeader(&tar.Header{Name: "../evil", Mode: 0o600, Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(foreign, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, from, want string }{
		{"nothing", filepath.Join(dir, "none"), "not a complete backup"},
		{"cut", copied("cut", func(d string) error { return os.Truncate(filepath.Join(d, "hub.db"), 8192) }), "not a complete backup"},
		{"another key", copied("key", func(d string) error { return os.WriteFile(filepath.Join(d, "tls-key.pem"), []byte("x"), 0o600) }), "not a complete backup"},
		{"no manifest", copied("manifest", func(d string) error { return os.Remove(filepath.Join(d, "backup.json")) }), "not a complete backup"},
		{"of a later version", copied("later", func(d string) error {
			return os.WriteFile(filepath.Join(d, "backup.json"), []byte(`{"format":2}`), 0o600)
		}), "A newer version"},
		{"foreign archive", foreign, "can't be restored"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			_, err := hub.Restore(context.Background(), tt.from, data)
			worded(t, err, tt.want)
			if _, err := os.Stat(filepath.Join(data, "hub.db")); err == nil {
				t.Error("something was restored")
			}
		})
	}
	_, err := hub.Restore(context.Background(), good, r.Data())
	worded(t, err, "Another hub is already running")
}

// Check finds what can be wrong with a database.
func TestCheckFindsDamage(t *testing.T) {
	r := newRig(t)
	a, b, c := r.owner(), r.hire(matter.RoleMember), r.hire(matter.RoleMember)
	id := a.open()
	a.change(id, []*member{b, c}, nil)
	for i := range 5 {
		a.say(id, name(i))
	}
	a.change(id, nil, []*member{b})
	a.say(id, "without b")
	r.Stop()
	sound(t, hub.Place{Data: r.Data(), Database: r.Database()})
	tests := []struct{ name, change, want string }{
		{"a message lost", `DELETE FROM entries WHERE seq = 3`, "7 entries from 1 to 8, floor 0, head 8"},
		{"the last message lost", `DELETE FROM entries WHERE seq = 8`, "head 8"},
		{"a head too low", `UPDATE matters SET head = head - 1`, "head 7"},
		{"time backwards", `UPDATE entries SET time_ms = 1 WHERE seq = 4`, "backwards"},
		{"a commit forgotten", `DELETE FROM commits WHERE epoch = 1`, "1 commits, epoch 2"},
		{"a commit elsewhere", `UPDATE commits SET seq = 2 WHERE epoch = 1`, "is not at 2"},
		{"an epoch too high", `UPDATE matters SET epoch = epoch + 1`, "epoch 3"},
		{"no group info", `DELETE FROM group_infos`, "group info of epoch none"},
		{"damaged group info", `UPDATE group_infos SET info = zeroblob(length(info))`, "group info:"},
		{"a participant too few", `UPDATE participants SET until_seq = 7 WHERE device = 3`, "1 devices are in it"},
		{"a participant too many", `UPDATE participants SET until_seq = NULL`, "3 devices are in it"},
		{"removed before added", `UPDATE participants SET from_seq = 8, until_seq = 7 WHERE until_seq IS NOT NULL`, "from 8 until 7"},
		{"twice in it", `INSERT INTO participants (matter, device, from_seq) VALUES (1, 1, 7)`, "in it twice"},
		{"a counter too high", `UPDATE devices SET counter = 9 WHERE counter = 6`, "counter 9"},
		{"an unknown device", `INSERT INTO devices (id) VALUES (zeroblob(32))`, "not in the organisation log"},
		{"a device refers to nothing", `PRAGMA foreign_keys = OFF; DELETE FROM devices WHERE no = 2`, "refers to nothing in devices"},
		{"a log entry lost", `DELETE FROM org_log WHERE idx = (SELECT max(idx) FROM org_log)`, "does not end where"},
		{"a log entry changed", `UPDATE org_log SET entry = CAST(substr(entry, 1, length(entry) - 1) || x'ff' AS BLOB) WHERE idx = 2`, "organisation log, entry 2"},
		{"a welcome for nobody", `INSERT INTO welcome_bodies (body) VALUES (x'00')`, "waits for nobody"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := t.TempDir()
			if err := os.CopyFS(data, os.DirFS(r.Data())); err != nil {
				t.Fatal(err)
			}
			raw, err := sql.Open("sqlite3", filepath.Join(data, "hub.db"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := raw.ExecContext(t.Context(), tt.change); err != nil {
				t.Fatal(err)
			}
			if err := raw.Close(); err != nil {
				t.Fatal(err)
			}
			problems, err := hub.Check(t.Context(), hub.Place{Data: data})
			if err != nil || !strings.Contains(strings.Join(problems, "\n"), tt.want) {
				t.Errorf("Check = %q, %v; want %q", problems, err, tt.want)
			}
			_, err = hub.Backup(t.Context(), hub.Place{Data: data}, filepath.Join(t.TempDir(), "x"))
			worded(t, err, "What the hub keeps is damaged")
		})
	}
	t.Run("a damaged page", func(t *testing.T) {
		data := t.TempDir()
		if err := os.CopyFS(data, os.DirFS(r.Data())); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(filepath.Join(data, "hub.db"), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		end, err := f.Seek(0, io.SeekEnd)
		if err != nil {
			t.Fatal(err)
		}
		for at := int64(8192); at < end; at += 4096 { // every page but the first two
			if _, err := f.WriteAt([]byte("damage damage damage"), at); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if problems, err := hub.Check(t.Context(), hub.Place{Data: data}); err == nil && len(problems) == 0 {
			t.Error("Check finds nothing")
		}
	})
	_, err := hub.Check(t.Context(), hub.Place{Data: t.TempDir()})
	worded(t, err, "no hub in this data folder")
}
