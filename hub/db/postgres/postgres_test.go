package postgres

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"causa/hub/db"
	"causa/hub/db/dbtest"
	"causa/hub/db/postgres/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, url string) *Store {
	t.Helper()
	s, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // it never fails
	return s
}

func TestPostgres(t *testing.T) {
	server := pgtest.Start(t)
	t.Run("suite", func(t *testing.T) {
		dbtest.Run(t, func(t *testing.T) db.Store { return open(t, server.Database()) })
	})
	t.Run("same tables", func(t *testing.T) { sameTables(t, server.Database()) })
	t.Run("open", func(t *testing.T) { openAgain(t, server.Database()) })
}

func openAgain(t *testing.T, url string) {
	ctx := t.Context()
	if _, err := OpenSnapshot(ctx, url); !errors.Is(err, ErrNone) {
		t.Errorf("snapshot of an empty database: %v", err)
	}
	first, second := open(t, url), open(t, url)
	if err := db.New(first).Write(ctx, func(tx *db.Tx) error { return tx.SetMeta("k", []byte("v")) }); err != nil {
		t.Fatal(err)
	}
	if v, ok, err := db.New(second).Meta(ctx, "k"); string(v) != "v" || !ok || err != nil {
		t.Errorf("Meta = %q, %v, %v", v, ok, err)
	}
	snapshot, err := OpenSnapshot(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	if problems, err := snapshot.Problems(ctx); len(problems) > 0 || err != nil {
		t.Errorf("problems: %q, %v", problems, err)
	}
	if c, err := snapshot.Counts(ctx); c.Bytes == 0 || err != nil {
		t.Errorf("counts = %+v, %v", c, err)
	}
	if err := snapshot.Close(); err != nil {
		t.Error(err)
	}
	for version, want := range map[int]error{1000: db.ErrNewer, 0: db.ErrOlder} {
		if _, err := first.pool.Exec(ctx, "UPDATE causa_version SET version = $1", version); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenSnapshot(ctx, url); !errors.Is(err, want) {
			t.Errorf("snapshot of version %d: %v", version, err)
		}
		if version > 0 {
			if _, err := Open(ctx, url); !errors.Is(err, want) {
				t.Errorf("open version %d: %v", version, err)
			}
		}
	}
	for _, bad := range []string{"postgres://\x00", "postgres:///x?host=/nowhere"} {
		if _, err := Open(context.Background(), bad); err == nil {
			t.Errorf("open %q succeeds", bad)
		}
	}
}
