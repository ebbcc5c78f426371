package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causa/core"

	"fyne.io/fyne/v2"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestParse(t *testing.T) {
	t.Setenv("CAUSA_HOME", "/from/env")
	tests := []struct {
		name string
		args []string
		want options
		ok   bool
	}{
		{"nothing", nil, options{home: "/from/env"}, true},
		{"flags", []string{"--home", "h", "--lang", "zh", "--listen", "127.0.0.1:1"}, options{home: "h", lang: "zh", listen: "127.0.0.1:1"}, true},
		{"an invite", []string{"--home", "h", "causa://join?x"}, options{home: "h", link: "causa://join?x"}, true},
		{"something else", []string{"--home", "h", "https://example.com"}, options{}, false},
		{"two invites", []string{"causa://a", "causa://b"}, options{}, false},
		{"unknown flag", []string{"--hom", "h"}, options{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse(tt.args)
			if (err == nil) != tt.ok || tt.ok && got != tt.want {
				t.Errorf("parse(%q) = %+v, %v", tt.args, got, err)
			}
		})
	}
}

// TestWorkspace makes a hub on this computer, founds an organisation on it, and starts
// both again.
func TestWorkspace(t *testing.T) {
	home, address := t.TempDir(), freeAddress(t)
	w := newWorkspace(home, address, quiet())
	t.Cleanup(w.close)
	if got := w.Suggest(); got != address {
		t.Errorf("suggests %q, want what --listen says", got)
	}
	if err := w.resume(); err != nil {
		t.Errorf("with nothing to resume: %v", err)
	}
	if _, err := w.Start(t.Context(), "no port"); err == nil {
		t.Error("an address without a port was taken")
	}
	link, err := w.Start(t.Context(), address)
	if err != nil || !strings.HasPrefix(link, "causa://found") {
		t.Fatalf("Start: %q, %v", link, err)
	}
	again, err := w.Start(t.Context(), address) // the person tried twice
	if err != nil || again == "" {
		t.Fatalf("Start again: %q, %v", again, err)
	}
	d := &device{opts: core.Options{Home: home, Log: quiet()}, ctx: context.Background()}
	if _, err := d.join(t.Context(), core.JoinRequest{Link: again, Name: "林晓", Organisation: "恒达食品", Device: "test"}); err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil {
		t.Error(err)
	}
	w.close()

	w = newWorkspace(home, "", quiet())
	t.Cleanup(w.close)
	if got := w.Suggest(); got != address {
		t.Errorf("after a restart it suggests %q, want the address it has: %q", got, address)
	}
	if err := w.resume(); err != nil {
		t.Fatal(err)
	}
	if err := d.open(); err != nil {
		t.Fatal(err)
	}
	if err := d.client.Sync(t.Context()); err != nil {
		t.Errorf("the founder does not reach the hub that was started again: %v", err)
	}
	if err := d.close(); err != nil {
		t.Error(err)
	}
	if _, err := w.Start(t.Context(), address); err == nil {
		t.Error("a second organisation could be founded on the same hub")
	}
}

func TestPreferences(t *testing.T) {
	home := filepath.Join(t.TempDir(), "new")
	p := openPreferences(home, quiet())
	p.SetString("language", "zh-Hans")
	p.setWindowSize(fyne.NewSize(1000.4, 700))
	p = openPreferences(home, quiet())
	if got := p.String("language"); got != "zh-Hans" {
		t.Errorf("language %q came back", got)
	}
	if got := p.windowSize(); got != fyne.NewSize(1000, 700) {
		t.Errorf("window size %v came back", got)
	}
	for _, bad := range []string{"", "x", "10x10", "-5x99999999", "1e9x0x7", "hellox"} {
		p.values[prefWindow] = bad
		if s := p.windowSize(); s.Width < 360 || s.Width > 4000 || s.Height < 480 || s.Height > 3000 {
			t.Errorf("a window size kept as %q gives %v", bad, s)
		}
	}
	if err := os.WriteFile(filepath.Join(home, "preferences.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := openPreferences(home, quiet()).String("language"); got != "" {
		t.Errorf("a damaged file gave %q", got)
	}
}
