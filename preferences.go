package main

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
)

// preferences are what a person chose for this device: a small file in its home, so
// that two devices on one computer don't share them. Used on the UI goroutine only.
type preferences struct {
	file   string
	log    *slog.Logger
	values map[string]string
}

func openPreferences(home string, log *slog.Logger) *preferences {
	p := &preferences{file: filepath.Join(home, "preferences.json"), log: log, values: map[string]string{}}
	if b, err := os.ReadFile(p.file); err == nil {
		if err := json.Unmarshal(b, &p.values); err != nil || p.values == nil {
			p.values = map[string]string{} // choices are no reason not to start
		}
	}
	return p
}

// String returns a choice, or "".
func (p *preferences) String(key string) string { return p.values[key] }

// SetString keeps a choice.
func (p *preferences) SetString(key, value string) {
	if p.values[key] == value {
		return
	}
	p.values[key] = value
	b, err := json.MarshalIndent(p.values, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(p.file), 0o700)
	}
	if err == nil {
		err = os.WriteFile(p.file+".new", b, 0o600)
	}
	if err == nil {
		err = os.Rename(p.file+".new", p.file)
	}
	if err != nil {
		p.log.Warn("keep a choice", "err", err)
	}
}

// prefWindow is the key of the window's size, as 1280x800.
const prefWindow = "window"

// windowSize returns how large the window was when it was last closed, within reason.
func (p *preferences) windowSize() fyne.Size {
	w, h, _ := strings.Cut(p.String(prefWindow), "x")
	side := func(s string, least, most, usual int) float32 {
		n, err := strconv.Atoi(s)
		if err != nil {
			n = usual
		}
		return float32(min(max(n, least), most))
	}
	return fyne.NewSize(side(w, 360, 4000, 1280), side(h, 480, 3000, 800))
}

func (p *preferences) setWindowSize(s fyne.Size) {
	p.SetString(prefWindow, strconv.Itoa(int(s.Width))+"x"+strconv.Itoa(int(s.Height)))
}
