// Command sqlcipher does benchstore's work on SQLCipher's published design, for a third
// column. It is a module of its own, because two SQLites can't be in one program:
//
//	go build -C internal/benchstore/sqlcipher -tags sqlite_fts5 -o /tmp/sqlcipher .
//	go run ./internal/benchstore -sqlcipher /tmp/sqlcipher
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	sqlite3 "github.com/mutecomm/go-sqlcipher/v4"

	"causa/internal/benchstore/work"
)

func main() {
	load := &work.Load{}
	dir := flag.String("dir", "", "where to write")
	flag.String("variant", "", "there is only one")
	for name, n := range map[string]*int{"bulk": &load.Bulk, "single": &load.Single, "cold": &load.Cold, "warm": &load.Warm, "search": &load.Search, "open": &load.Open} {
		flag.IntVar(n, name, 0, "as in benchstore")
	}
	flag.Parse()
	// Its SQLite is of 2020: it doesn't know STRICT tables and contentless_delete.
	load.Old = true
	load.Prepare()
	sql.Register("sqlcipher", &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
		_, err := c.Exec("PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000", nil)
		return err
	}})
	res, err := load.Run(context.Background(), *dir, func(path string) (*sql.DB, error) {
		return sql.Open("sqlcipher", "file:"+path+"?_pragma_key=x'"+strings.Repeat("09", 32)+"'&_pragma_cipher_page_size=4096"+
			"&_journal_mode=WAL&_synchronous=FULL&_secure_delete=on")
	})
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(res)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sqlcipher:", err)
		os.Exit(1)
	}
}
