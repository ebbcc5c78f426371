// Package pgtest runs a PostgreSQL server of its own for a test: Debian's programs, a
// temporary folder, a socket in it, and nothing else of the machine.
package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long anything of the server's may take.
const patience = 90 * time.Second

// A Server is a PostgreSQL server that ends with its test. It is for use by one
// goroutine.
type Server struct {
	t   testing.TB
	bin string // folder of its programs
	dir string // folder with all of it
	cmd *exec.Cmd
}

// databases counts those that this process has made.
var databases atomic.Int64

// At is a server that another process has started, and ends.
func At(t testing.TB, dir string) *Server { return &Server{t: t, dir: dir} }

// Dir returns the folder of the server's socket, for [At].
func (s *Server) Dir() string { return s.dir }

// Start makes and starts a server. Where there is none to start the test is skipped,
// but never in CI.
func Start(t testing.TB) *Server {
	t.Helper()
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(bins) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("PostgreSQL is not installed: run scripts/deps.sh test")
		}
		t.Skip("PostgreSQL is not installed (scripts/deps.sh test does it)")
	}
	slices.Sort(bins)
	dir, err := os.MkdirTemp("", "causa-pg-") // not below the test's own folder, which is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, bin: filepath.Dir(bins[len(bins)-1]), dir: dir}
	t.Cleanup(func() {
		s.Stop()
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove %s: %v", dir, err)
		}
	})
	if err := give(dir); err != nil {
		t.Fatal(err)
	}
	init := s.command("initdb", "-D", s.data(), "-U", "causa", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	s.Restart()
	return s
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// command makes a process of one of PostgreSQL's programs, which refuse to be root's.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"LC_ALL=C", "PATH=" + s.bin + ":" + os.Getenv("PATH")}
	lower(cmd)
	return cmd
}

// Restart starts the server, after stopping it if it runs, and waits until it answers.
// It is set up to keep what it has acknowledged.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = log.Close() }() // the server has its own
	s.cmd = s.command("postgres", "-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "shared_buffers=32MB",
		"-c", "max_connections=60", "-c", "fsync=on", "-c", "deadlock_timeout=100ms")
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("start PostgreSQL: %v", err)
	}
	for late := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := s.exec("postgres", "SELECT 1")
		if err == nil {
			return
		}
		if time.Now().After(late) {
			said, _ := os.ReadFile(filepath.Join(s.dir, "log")) // the error says enough
			s.t.Fatalf("PostgreSQL does not answer: %v\n%s", err, said)
		}
	}
}

// Stop stops the server at once, as a crash would: what is not in its data files it must
// find in its log. It does nothing when it is stopped.
func (s *Server) Stop() {
	s.t.Helper()
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Signal(syscall.SIGQUIT); err != nil { // its word for that
		s.t.Errorf("stop PostgreSQL: %v", err)
	}
	_ = s.cmd.Wait() // it was told to
	s.cmd = nil
}

// URL returns the address of a database.
func (s *Server) URL(database string) string {
	return "postgres:///" + database + "?" + url.Values{"host": {s.dir}, "user": {"causa"}, "sslmode": {"disable"}}.Encode()
}

// Database makes an empty database and returns its address.
func (s *Server) Database() string {
	s.t.Helper()
	name := fmt.Sprintf("hub_%d_%d", os.Getpid(), databases.Add(1))
	if err := s.exec("postgres", "CREATE DATABASE "+name); err != nil {
		s.t.Fatal(err)
	}
	return s.URL(name)
}

func (s *Server) exec(database, query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(ctx) }() // the query's error counts
	_, err = c.Exec(ctx, query)
	return err
}
