package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// prefRegistered is the key of the program that causa: links were last given to.
const prefRegistered = "registered"

// registerOnce has the system give causa: links to this program, unless it does already.
// A program that lies where temporary files do will not be there tomorrow.
func registerOnce(ctx context.Context, p *preferences, log *slog.Logger) {
	path, err := os.Executable()
	if err != nil || p.String(prefRegistered) == path || temporary(path) {
		return
	}
	if err := register(ctx, path); err != nil {
		log.Warn("register for links", "err", err)
		return
	}
	p.SetString(prefRegistered, path)
}

func temporary(path string) bool {
	rel, err := filepath.Rel(os.TempDir(), path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
