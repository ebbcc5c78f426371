package postgres

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causa/hub/db/sqlite"
)

// sameTables: what is kept is the same in both engines, column by column: whoever adds to
// one is told to add to the other.
func sameTables(t *testing.T, url string) {
	path := filepath.Join(t.TempDir(), "hub.db")
	file, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }() // only read
	rows, err := raw.QueryContext(t.Context(), `SELECT t.name || '.' || c.name,
		CASE upper(c.type) WHEN 'INTEGER' THEN 'bigint' WHEN 'BLOB' THEN 'bytea' ELSE lower(c.type) END || CASE WHEN c."notnull" OR c.pk THEN ' not null' ELSE '' END
		FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	want := map[string]string{
		"devices.session":       "bigint not null", // SQLite's only hub has it in memory
		"causa_version.version": "integer not null",
	}
	for rows.Next() {
		var column, kind string
		if err := rows.Scan(&column, &kind); err != nil {
			t.Fatal(err)
		}
		want[column] = kind
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	store := open(t, url)
	all, err := store.pool.Query(t.Context(), `SELECT table_name || '.' || column_name,
		data_type || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END FROM information_schema.columns WHERE table_schema = 'public'`)
	if err != nil {
		t.Fatal(err)
	}
	for all.Next() {
		var column, kind string
		if err := all.Scan(&column, &kind); err != nil {
			t.Fatal(err)
		}
		got[column] = kind
	}
	if err := all.Err(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("columns (-SQLite +PostgreSQL):\n%s", diff)
	}
}
