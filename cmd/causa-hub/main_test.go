package main

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"causa/hub"
)

// asCommand is set for a process that is to be the command itself.
const asCommand = "CAUSA_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// command makes a process that is causa-hub.
func command(t *testing.T, lang string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1", "LC_ALL="+lang)
	return cmd
}

func TestUsage(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	data := filepath.Join(dir, "data")
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"nothing", nil, 2, "causa-hub serve"},
		{"help", []string{"help"}, 0, "causa-hub serve"},
		{"help for serve", []string{"serve", "--help"}, 0, "--data"},
		{"unknown command", []string{"fly"}, 2, `no such command: "fly"`},
		{"no data", []string{"serve"}, 2, "--data"},
		{"unknown flag", []string{"serve", "--data", data, "--fast"}, 2, "--fast"},
		{"stray word", []string{"serve", "--data", data, "please"}, 2, `"please"`},
		{"certificate without key", []string{"serve", "--data", data, "--certificate", "x.pem"}, 2, "belong together"},
		{"missing configuration", []string{"serve", "--config", filepath.Join(dir, "none.toml")}, 1, "none.toml"},
		{"damaged configuration", []string{"serve", "--config", write("damaged.toml", "listen = ")}, 1, "damaged.toml"},
		{"unknown setting", []string{"serve", "--config", write("unknown.toml", "data = 'x'\nport = 1")}, 1, `"port"`},
		{"impossible rate", []string{"serve", "--config", write("rate.toml", "data = 'x'\n[limits]\nsends = [0, 5]")}, 1, "limits.sends"},
		{"impossible retention", []string{"serve", "--config", write("retention.toml", "data = 'x'\nretention-days = -1")}, 1, "retention-days"},
		{"address taken by nobody's right", []string{"serve", "--data", data, "--listen", "256.0.0.1:1"}, 1, "The hub can't listen at 256.0.0.1:1."},
		{"no such certificate", []string{"serve", "--data", data, "--certificate", "none.pem", "--key", "none.pem"}, 1, "certificate"},
		{"public address of no use", []string{"serve", "--data", data, "--public-url", "http://hub"}, 1, "http://hub is not an address"},
		{"data is a file", []string{"serve", "--data", write("file", "x")}, 1, "data folder"},
	}
	t.Setenv("LC_ALL", "C")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if code := run(context.Background(), tt.args, &out, &out); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if !strings.Contains(out.String(), tt.want) {
				t.Errorf("output %q does not have %q", out.String(), tt.want)
			}
		})
	}
}

// The configuration that "causa-hub config" prints says the truth about the defaults.
func TestDefaultConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.toml")
	if err := os.WriteFile(path, []byte("data = 'x'\n"+defaultConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := parseServe([]string{"--config", path})
	if err != nil {
		t.Fatal(err)
	}
	want := hub.Defaults()
	got := s.Options
	if got.Listen != want.Listen || got.Database != want.Database || got.Sends != want.Sends || got.Commits != want.Commits || got.Claims != want.Claims ||
		got.Requests != want.Requests || got.Connections != want.Connections || got.MaxJoining != want.MaxJoining || got.Metrics != want.Metrics || got.Retention != want.Retention {
		t.Errorf("hub.toml says %+v, the defaults are %+v", got, want)
	}
}

func TestFlagsGoOverTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.toml")
	if err := os.WriteFile(path, []byte("data = 'of file'\nlisten = ':1'\n[limits]\nsends = [7, 9]"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := parseServe([]string{"--config", path, "--listen", ":2"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Data != "of file" || s.Listen != ":2" || s.Sends != (hub.Rate{PerSecond: 7, Burst: 9}) {
		t.Errorf("settings = %+v", s.Options)
	}
}

func TestServe(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals to stop it with")
	}
	data := filepath.Join(t.TempDir(), "data")
	var first string
	for round := range 2 {
		cmd := command(t, "C", "serve", "--data", data, "--listen", "127.0.0.1:0", "--public-url", "https://hub.example.com:7443/")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		var addr, link string
		for link == "" && lines.Scan() {
			if a, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
				addr = a
			}
			if strings.HasPrefix(lines.Text(), "causa://") {
				link = lines.Text()
			}
		}
		if b, err := os.ReadFile(filepath.Join(data, "address")); err != nil || strings.TrimSpace(string(b)) != addr {
			t.Errorf("address file says %q, %v; want %q", b, err, addr)
		}
		if !strings.HasPrefix(link, "causa://found?hub=https%3A%2F%2Fhub.example.com%3A7443&") {
			t.Errorf("link = %q", link)
		}
		if round == 0 {
			first = link
			second(t, data)
		} else if link != first {
			t.Errorf("the link is another one after a restart")
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("stopped by SIGTERM: %v", err)
		}
	}
	for _, name := range []string{"hub.db", "tls-key.pem", "address"} {
		info, err := os.Stat(filepath.Join(data, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode().Perm())
		}
	}
}

// second starts another hub on a folder that is in use.
func second(t *testing.T, data string) {
	t.Helper()
	out, err := command(t, "C", "serve", "--data", data, "--listen", "127.0.0.1:0").CombinedOutput()
	if err == nil {
		t.Error("a second hub runs on the same folder")
	}
	if !strings.Contains(string(out), "Another hub is already running on this data folder.\nStop it first") {
		t.Errorf("a second hub says %q", out)
	}
}
