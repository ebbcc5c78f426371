package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// Programs are the paths of what was built.
type Programs struct {
	Hub      string // causa-hub
	Causactl string
}

// Build builds the programs into dir. It can be called from any folder of the module.
func Build(ctx context.Context, dir string) (Programs, error) {
	root, err := Root(ctx)
	if err != nil {
		return Programs{}, err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return Programs{}, err
	}
	tags, err := buildTags(root)
	if err != nil {
		return Programs{}, err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-tags="+tags, "-o", dir+string(filepath.Separator),
		"./cmd/causa-hub", "./cmd/causactl")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return Programs{}, fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	suffix := ""
	if runtime.GOOS == "windows" {
		suffix = ".exe"
	}
	return Programs{
		Hub:      filepath.Join(dir, "causa-hub"+suffix),
		Causactl: filepath.Join(dir, "causactl"+suffix),
	}, nil
}

var tagsLine = regexp.MustCompile(`(?m)^TAGS := (\S+)$`)

// buildTags are the Makefile's: the one place that lists them. A test may be run without
// make, and programs built without them have no full-text search.
func buildTags(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		return "", fmt.Errorf("find the build tags: %w", err)
	}
	m := tagsLine.FindSubmatch(text)
	if m == nil {
		return "", errors.New("the Makefile has no line of build tags")
	}
	return string(m[1]), nil
}

// Root is the folder of the module's go.mod.
func Root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find go.mod: %w", err)
	}
	gomod := strings.TrimSpace(string(out))
	if filepath.Base(gomod) != "go.mod" {
		return "", errors.New("this is not a folder of Causa's source")
	}
	return filepath.Dir(gomod), nil
}
