//go:build cgo

package sealvfs

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	sqlite3 "github.com/mattn/go-sqlite3"
)

func TestNothingReadable(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	k, secret := newKey(t)
	db := open(t, k, path)
	schema(t, db)
	fill(t, db, 1, 3000)
	noPlain(t, dir)
	if got := scan[int](t, db, `SELECT count(*) FROM f WHERE f MATCH 'row'`); got != 3000 {
		t.Errorf("found %d rows, want 3000", got)
	}
	if got := scan[string](t, db, `PRAGMA journal_mode`); got != "wal" {
		t.Errorf("journal mode %s, want wal", got)
	}
	integrity(t, db)
	must(t, db, `INSERT INTO f(f, rowid, body) SELECT 'delete', id, body FROM m WHERE id%3=0`)
	must(t, db, `DELETE FROM m WHERE id%3=0`)
	must(t, db, `VACUUM`)
	want := integrity(t, db)
	noPlain(t, dir)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	noPlain(t, dir)
	if b := load(t, path); len(b)%PageSize != 0 || !bytes.Equal(b[:4], []byte{0xca, 0x05, 0xa5, 1}) {
		t.Errorf("file of %d bytes begins %x", len(b), b[:4])
	}

	// Another process would make another Key of the same bytes.
	k2 := sameKey(t, secret)
	db = open(t, k2, path)
	if got := integrity(t, db); got != want {
		t.Error("rows differ after opening again")
	}
	noShape(t, k)
	noShape(t, k2)
}

func TestWrongKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	k, _ := newKey(t)
	db := open(t, k, path)
	schema(t, db)
	fill(t, db, 1, 100)

	// A second, wrong key while the file is open must not be served by the first.
	wrong, _ := newKey(t)
	if _, err := readAll(open(t, wrong, path)); extended(err) != notADB {
		t.Errorf("wrong key beside the right one: %v, want code %d", err, notADB)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	wrong, _ = newKey(t)
	if _, err := readAll(open(t, wrong, path, "PRAGMA cache_size = 10")); extended(err) != notADB {
		t.Errorf("wrong key: %v, want code %d", err, notADB)
	}
	if wrong.Count(BadPage) == 0 {
		t.Error("a wrong key left no report")
	}
	for _, uri := range []string{"file:" + path + "?vfs=seal", "file:" + path + "?vfs=seal&sealkey=99999", "file:" + path} {
		d, err := sql.Open("sqlite3", uri)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := readAll(d); err == nil {
			t.Errorf("%s could be read", uri)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestForeignAndNewer(t *testing.T) {
	dir := t.TempDir()
	k, _ := newKey(t)
	path := filepath.Join(dir, "a.db")
	db := open(t, k, path)
	schema(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	good := load(t, path)
	newer := bytes.Clone(good)
	newer[3] = Version + 1
	for name, b := range map[string][]byte{
		"plain SQLite": append([]byte("SQLite format 3\x00"), make([]byte, 8192)...),
		"newer format": newer,
		"noise":        bytes.Repeat([]byte("noise"), 4096),
		"a few bytes":  []byte("hello"),
		"half a page":  good[:2048],
	} {
		t.Run(name, func(t *testing.T) {
			p := filepath.Join(t.TempDir(), "b.db")
			save(t, p, b)
			if _, err := readAll(open(t, k, p)); extended(err) != notADB {
				t.Errorf("got %v, want code %d", err, notADB)
			}
			if got := load(t, p); !bytes.Equal(got, b) {
				t.Error("the file was changed")
			}
		})
	}
}

// The default VFS must stay as it is: the hub's database uses it in the same program.
func TestDefaultVFSUntouched(t *testing.T) {
	k, _ := newKey(t)
	schema(t, open(t, k, filepath.Join(t.TempDir(), "a.db")))
	path := filepath.Join(t.TempDir(), "plain.db")
	d, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL")
	if err != nil {
		t.Fatal(err)
	}
	must(t, d, `CREATE TABLE t(a)`)
	if _, err := os.Stat(path + "-shm"); err != nil {
		t.Errorf("a plain database has no index file: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if b := load(t, path); !bytes.HasPrefix(b, []byte("SQLite format 3\x00")) {
		t.Errorf("a plain database begins %q", b[:16])
	}
}

func TestBlobsVacuumBackup(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	k, _ := newKey(t)
	db := open(t, k, path)
	schema(t, db)
	fill(t, db, 1, 800)
	big := make([]byte, 3<<20)
	_, _ = rand.Read(big)
	must(t, db, `CREATE TABLE b(x BLOB)`)
	must(t, db, `INSERT INTO b VALUES(?)`, big)
	must(t, db, `PRAGMA wal_checkpoint(TRUNCATE)`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, k, path)
	if got := scan[[]byte](t, db, `SELECT x FROM b`); !bytes.Equal(got, big) {
		t.Error("a large blob differs")
	}
	want := integrity(t, db)

	// VACUUM INTO a file under another key.
	k2, _ := newKey(t)
	into := filepath.Join(dir, "v.db")
	save(t, into, nil)
	uri, err := k2.URI(into, Conn{})
	if err != nil {
		t.Fatal(err)
	}
	must(t, db, `VACUUM INTO ?`, uri)
	d2 := open(t, k2, into)
	if got := integrity(t, d2); got != want {
		t.Error("VACUUM INTO made different rows")
	}

	// The backup interface, from one key to another.
	k3, _ := newKey(t)
	d3 := open(t, k3, filepath.Join(dir, "b.db"))
	if err := backup(ctx, db, d3); err != nil {
		t.Fatal(err)
	}
	if got := integrity(t, d3); got != want {
		t.Error("a backup has different rows")
	}

	// A plain database copied over a sealed one has no room for seals: refused.
	plain, err := sql.Open("sqlite3", "file:"+filepath.Join(t.TempDir(), "p.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	must(t, plain, `CREATE TABLE z(a)`)
	must(t, plain, `INSERT INTO z VALUES(randomblob(100000))`)
	k4, _ := newKey(t)
	if err := backup(ctx, plain, open(t, k4, filepath.Join(dir, "r.db"), "PRAGMA cache_size = 10")); err == nil {
		t.Error("a plain database was copied in")
	}

	must(t, db, `PRAGMA journal_mode = DELETE`)
	must(t, db, `PRAGMA page_size = 8192`)
	if _, err := db.ExecContext(ctx, `VACUUM`); err == nil && scan[int](t, db, `PRAGMA page_size`) != PageSize {
		t.Error("the page size changed")
	}
	if got := integrity(t, db); got != want {
		t.Error("rows differ after VACUUM")
	}
	must(t, db, `PRAGMA mmap_size = 100000000`)
	if got := integrity(t, db); got != want {
		t.Error("rows differ with a memory map asked for")
	}
	noPlain(t, dir)
	noShape(t, k2)
	noShape(t, k3)
}

func backup(ctx context.Context, from, to *sql.DB) (err error) {
	a, err := from.Conn(ctx)
	if err != nil {
		return err
	}
	b, err := to.Conn(ctx)
	if err != nil {
		return errors.Join(err, a.Close())
	}
	err = a.Raw(func(x any) error {
		return b.Raw(func(y any) error {
			bk, err := y.(*sqlite3.SQLiteConn).Backup("main", x.(*sqlite3.SQLiteConn), "main")
			if err != nil {
				return err
			}
			_, err = bk.Step(-1)
			return errors.Join(err, bk.Finish())
		})
	})
	return errors.Join(err, a.Close(), b.Close())
}

// Temporary tables and large sorts stay in memory; a file for them is refused.
func TestTempRefused(t *testing.T) {
	dir := t.TempDir()
	k, _ := newKey(t)
	db := open(t, k, filepath.Join(dir, "a.db"))
	schema(t, db)
	fill(t, db, 1, 500)
	must(t, db, `CREATE TEMP TABLE ok AS SELECT randomblob(4000) FROM m`)
	must(t, db, `DROP TABLE ok`)
	before := tempRefused.Load()
	must(t, db, `PRAGMA temp_store = FILE`)
	must(t, db, `PRAGMA temp.cache_size = 5`)
	if _, err := db.ExecContext(context.Background(), `CREATE TEMP TABLE tt AS SELECT randomblob(4000) FROM m`); err == nil {
		t.Error("a temporary file was made")
	}
	if tempRefused.Load() == before {
		t.Error("no refusal was counted")
	}
	ents, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range ents {
		if n := e.Name(); n != "a.db" && n != "a.db-wal" {
			t.Errorf("there is a file %s", n)
		}
	}
}

// Reading only: nothing is written, not even beside the file; a log that a crash left
// behind is read.
func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	k, secret := newKey(t)
	db := open(t, k, path)
	schema(t, db)
	must(t, db, `PRAGMA wal_checkpoint(TRUNCATE)`)
	fill(t, db, 1, 50)
	want := scan[string](t, db, `SELECT group_concat(body) FROM m`)
	crashed := copyDir(t, dir)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]string{"after closing": dir, "after a crash": crashed} {
		t.Run(name, func(t *testing.T) {
			before, err := os.ReadDir(d)
			if err != nil {
				t.Fatal(err)
			}
			file := load(t, filepath.Join(d, "a.db"))
			if err := os.Chmod(d, 0o500); err != nil {
				t.Fatal(err)
			}
			defer os.Chmod(d, 0o700) //nolint:errcheck // for the removal of the folder
			c, err := sameKey(t, secret).Connector(filepath.Join(d, "a.db"), Conn{ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			ro := sql.OpenDB(c)
			if got := scan[string](t, ro, `SELECT group_concat(body) FROM m`); got != want {
				t.Error("other rows than before")
			}
			if _, err := ro.Exec(`DELETE FROM m`); err == nil {
				t.Error("rows could be deleted")
			}
			if err := ro.Close(); err != nil {
				t.Error(err)
			}
			after, err := os.ReadDir(d)
			if err != nil {
				t.Fatal(err)
			}
			if len(after) != len(before) || !bytes.Equal(file, load(t, filepath.Join(d, "a.db"))) {
				t.Errorf("the folder changed: %v, was %v", after, before)
			}
		})
	}
}

func TestProbe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	k, secret := newKey(t)
	db := open(t, k, path)
	schema(t, db)
	fill(t, db, 1, 300)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	good := load(t, path)
	for _, tt := range []struct {
		name   string
		b      []byte
		secret *[32]byte
		want   Verdict
	}{
		{"good", good, secret, Fine},
		{"wrong key", good, &[32]byte{9}, WrongKey},
		{"page 1 damaged", flip(good, 100), secret, Damaged},
		{"page 1 zeroed behind its head", append(append(bytes.Clone(good[:16]), make([]byte, 4080)...), good[4096:]...), secret, Damaged},
		{"half a page", good[:2000], secret, Damaged},
		{"plain SQLite", []byte("SQLite format 3\x00"), secret, Foreign},
		{"newer", append([]byte{0xca, 0x05, 0xa5, 2}, good[4:]...), secret, Newer},
	} {
		save(t, path, tt.b)
		if got, err := Probe(path, tt.secret); got != tt.want || err != nil {
			t.Errorf("%s: %v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
}
