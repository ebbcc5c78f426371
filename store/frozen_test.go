//go:build cgo

package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causa/matter"
)

// Before the first release the frozen store is made anew when a migration changes:
//
//	go test ./store -run Frozen -update
//
// Afterwards neither it nor a migration in released.txt changes any more.
var updateFrozen = flag.Bool("update", false, "make the frozen first-release store anew")

var frozenKey = Key{0xca, 0x05, 0xa5}

var (
	frozenMember = matter.MemberID{1}
	frozenDevice = matter.DeviceID{2}
	frozenMatter = matter.Matter{
		ID: matter.ID{3}, Title: "华东仓库租赁合同", Class: matter.ClassContract, State: matter.StateWaiting, Owner: frozenMember,
		Opened: time.UnixMilli(1_790_000_000_000), OpenedBy: frozenMember, Active: time.UnixMilli(1_790_000_300_000),
		Due: time.UnixMilli(1_800_000_000_000), Participants: []matter.MemberID{frozenMember, {4}},
	}
	frozenMessages = []matter.Message{
		{ID: matter.MessageID{5}, Seq: 1, Time: time.UnixMilli(1_790_000_100_000), Kind: matter.KindAdded, Subjects: []matter.MemberID{{4}}},
		{ID: matter.MessageID{6}, Seq: 2, Time: time.UnixMilli(1_790_000_200_000), Kind: matter.KindText, Text: "请确认租金 rent 3,500"},
		{ID: matter.MessageID{7}, Seq: 3, Time: time.UnixMilli(1_790_000_300_000), Kind: matter.KindText, Text: "收到\n附件是合同"},
	}
)

// freeze puts one of everything into a store.
func freeze(tx *Tx) error {
	if err := tx.NewMatter(frozenMatter, frozenDevice, 3); err != nil {
		return err
	}
	if err := tx.SetParticipants(frozenMatter.ID, frozenMatter.Participants); err != nil {
		return err
	}
	for _, m := range frozenMessages {
		m.Matter, m.Author, m.Device = frozenMatter.ID, frozenMember, frozenDevice
		if _, err := tx.AddMessage(m, matter.MemberID{9}); err != nil {
			return err
		}
	}
	for _, f := range []func() error{
		func() error { return tx.SetSetting("name", []byte("value")) },
		func() error { return tx.AppendLog(0, [][]byte{[]byte("entry 0"), []byte("entry 1")}) },
		func() error { return tx.PutGroup(frozenMatter.ID, 7, time.UnixMilli(5), []byte("group")) },
		func() error { return tx.PutContentSecret(frozenMatter.ID, 7, []byte("secret")) },
		func() error { return tx.SetDraft(frozenMatter.ID, "draft") },
		func() error {
			return tx.AddBlob(Blob{ID: BlobID{8}, Matter: frozenMatter.ID, Message: matter.MessageID{7}, Name: "合同.pdf", Type: "application/pdf", Size: 5, Created: time.UnixMilli(6)})
		},
		func() error { return tx.PutBlobPart(BlobID{8}, 0, []byte("bytes")) },
	} {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// thawed is everything that freeze has put in, as text.
func thawed(tx *Tx) (string, error) {
	var b strings.Builder
	m, err := tx.Matter(frozenMatter.ID)
	if err != nil {
		return "", err
	}
	m.Last = nil
	fmt.Fprintf(&b, "%+v\n", m)
	ms, err := tx.Messages(frozenMatter.ID, 0, 10)
	if err != nil {
		return "", err
	}
	for _, x := range ms {
		fmt.Fprintf(&b, "%d %s %d %q %v %v %v\n", x.Seq, x.ID, x.Kind, x.Text, x.Subjects, x.Author, x.Time.UnixMilli())
	}
	value, err := tx.Setting("name")
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "setting %s\n", value)
	for e, err := range tx.LogEntries() {
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "log %s\n", e)
	}
	g, err := tx.Group(frozenMatter.ID)
	if err != nil {
		return "", err
	}
	secret, err := tx.ContentSecret(frozenMatter.ID, 7)
	if err != nil {
		return "", err
	}
	draft, err := tx.Draft(frozenMatter.ID)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "group %d %s, secret %s, draft %s\n", g.Epoch, g.State, secret, draft)
	var file bytes.Buffer
	if _, err := tx.WriteBlob(&file, BlobID{8}); err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "file %s\n", file.String())
	for _, q := range []Query{{Text: "租金"}, {Text: "rent"}, {Text: "合同"}, {HasFile: true}} {
		hits, _, err := tx.Search(q)
		if err != nil {
			return "", err
		}
		for _, h := range hits {
			fmt.Fprintf(&b, "%s: %d %+v\n", q.Text, h.Seq, h.Snippet)
		}
	}
	return b.String(), nil
}

// The first release's store opens for ever, with all that is in it, and takes more.
func TestFrozenStore(t *testing.T) {
	dir := filepath.Join("testdata", "frozen")
	if *updateFrozen {
		makeFrozen(t, dir)
	}
	b, err := os.ReadFile(filepath.Join(dir, "main.db"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "main.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	db := openAt(t, path, frozenKey, Options{})
	var old, now string
	view(t, db, func(tx *Tx) (err error) {
		old, err = thawed(tx)
		return err
	})
	fresh := OpenTemp(t)
	update(t, fresh, freeze)
	view(t, fresh, func(tx *Tx) (err error) {
		now, err = thawed(tx)
		return err
	})
	if d := cmp.Diff(now, old); d != "" {
		t.Errorf("the frozen store reads otherwise (-now +frozen):\n%s", d)
	}
	update(t, db, func(tx *Tx) error { return addLine(tx, frozenMatter.ID, 4, "新的一条") })
	if err := db.Check(context.Background()); err != nil {
		t.Error(err)
	}
}

// Migrations of a release do not change.
func TestReleasedMigrations(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "frozen", "released.txt"))
	if err != nil {
		t.Fatal(err)
	}
	released := strings.Split(strings.TrimSpace(string(b)), "\n")
	all, err := readMigrations(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < len(released) {
		t.Fatalf("%d migrations, %d are released", len(all), len(released))
	}
	for i, sum := range released {
		if got := digest(all[i]); got != sum {
			t.Errorf("migration %d was changed: %s, want %s. Before the first release: go test ./store -run Frozen -update", i+1, got, sum)
		}
	}
}

func digest(m migration) string {
	sum := sha256.Sum256([]byte(m.sql))
	return fmt.Sprintf("%04d %s", m.version, hex.EncodeToString(sum[:8]))
}

func makeFrozen(t *testing.T, dir string) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "main.db")
	db := openAt(t, path, frozenKey, Options{})
	update(t, db, freeze)
	mustClose(t, db)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := readMigrations(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	var sums strings.Builder
	for _, m := range all {
		sums.WriteString(digest(m) + "\n")
	}
	for name, b := range map[string][]byte{"main.db": b, "released.txt": []byte(sums.String())} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
