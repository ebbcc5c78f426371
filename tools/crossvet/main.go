// Command crossvet runs go vet over Causa for the systems it ships to, from any machine
// and without their C compilers: everything but main.go, whose window toolkit is C.
//
// Without cgo, two modules below the screens lack the Go declarations that they
// otherwise get from C on Android. Crossvet vets against copies of them that are
// completed by the files in stubs/; nothing it compiles is ever run.
package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// A target is one system to vet for.
type target struct {
	os, arch string
	tags     string
	copies   bool // against the completed copies
}

// Fyne's tag ci leaves out what its macOS part takes from AppKit.
var targets = []target{
	{os: "android", arch: "arm64", tags: "migrated_fynedo,sqlite_fts5", copies: true},
	{os: "darwin", arch: "arm64", tags: "migrated_fynedo,sqlite_fts5,ci"},
	{os: "windows", arch: "amd64", tags: "migrated_fynedo,sqlite_fts5"},
}

// A completion is a module together with the files that complete it, by folder.
type completion struct {
	module string
	files  map[string]string // folder in the module: file in stubs/
}

var completions = []completion{
	{"fyne.io/fyne/v2", map[string]string{
		"internal/driver/mobile":     "fyne_mobile.go.txt",
		"internal/driver/mobile/app": "fyne_mobile_app.go.txt",
	}},
	{"github.com/jeandeaual/go-locale", map[string]string{".": "go_locale.go.txt"}},
}

//go:embed stubs/*.go.txt
var stubs embed.FS

func main() {
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: crossvet ROOT [PACKAGE...]\n\nROOT is the folder of Causa's go.mod, the packages default to ./...")
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	patterns := flag.Args()[1:]
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	err := run(ctx, flag.Arg(0), patterns)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "crossvet:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root string, patterns []string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	var failed []string
	for _, t := range targets {
		began := time.Now()
		if err := t.vet(ctx, root, patterns); err != nil {
			failed = append(failed, t.os)
			fmt.Fprintf(os.Stderr, "%s: %v\n", t.os, err)
			continue
		}
		fmt.Printf("%-8s %s ok, %.0f s\n", t.os, t.arch, time.Since(began).Seconds())
	}
	if len(failed) > 0 {
		return fmt.Errorf("vet failed for %s", strings.Join(failed, ", "))
	}
	return nil
}

// vet runs go vet for t over the packages of root that match.
func (t target) vet(ctx context.Context, root string, patterns []string) error {
	var flags []string
	if t.copies {
		// Always the same folder, so that the build cache knows the copies again.
		base := filepath.Join(root, ".cache", "crossvet")
		defer os.RemoveAll(base)
		modfile, err := completed(ctx, root, base)
		if err != nil {
			return fmt.Errorf("complete modules: %w", err)
		}
		flags = append(flags, "-modfile="+modfile)
	}
	pkgs, err := t.packages(ctx, root, flags, patterns)
	if err != nil {
		return err
	}
	cmd := t.command(ctx, root, append(append([]string{"vet"}, flags...), pkgs...)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// packages lists what matches but the root package: main.go imports the window toolkit's
// driver, which only a C compiler of that system can build.
func (t target) packages(ctx context.Context, root string, flags, patterns []string) ([]string, error) {
	// With -e the root package is listed although its own dependencies don't build; what
	// is wrong with the others is for vet to say.
	cmd := t.command(ctx, root, append(append([]string{"list", "-e"}, flags...), patterns...)...)
	out, err := output(cmd)
	if err != nil {
		return nil, err
	}
	var pkgs []string
	for _, pkg := range strings.Fields(out) {
		if strings.Contains(pkg, "/") {
			pkgs = append(pkgs, pkg)
		}
	}
	if len(pkgs) == 0 {
		return nil, errors.New("no packages: is this the folder of Causa's go.mod?")
	}
	return pkgs, nil
}

func (t target) command(ctx context.Context, root string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+t.os, "GOARCH="+t.arch, "CGO_ENABLED=0",
		"GOFLAGS=-tags="+t.tags, "GOWORK=off")
	return cmd
}

// completed makes the copies below base and returns the go.mod that uses them.
func completed(ctx context.Context, root, base string) (string, error) {
	if err := os.RemoveAll(base); err != nil {
		return "", err
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", err
	}
	modfile := filepath.Join(base, "go.mod")
	for _, name := range []string{"go.mod", "go.sum"} {
		if err := copyFile(filepath.Join(base, name), filepath.Join(root, name)); err != nil {
			return "", err
		}
	}
	for _, c := range completions {
		dir, err := c.copyTo(ctx, root, base)
		if err != nil {
			return "", fmt.Errorf("%s: %w", c.module, err)
		}
		edit := exec.CommandContext(ctx, "go", "mod", "edit", "-replace="+c.module+"="+dir, modfile)
		edit.Dir = root
		if _, err := output(edit); err != nil {
			return "", err
		}
	}
	return modfile, nil
}

// copyTo copies the module without its tests below base and adds the stubs.
func (c completion) copyTo(ctx context.Context, root, base string) (string, error) {
	download := exec.CommandContext(ctx, "go", "mod", "download", c.module)
	download.Dir = root
	if _, err := output(download); err != nil {
		return "", err
	}
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", c.module)
	list.Dir = root
	out, err := output(list)
	if err != nil {
		return "", err
	}
	from, to := strings.TrimSpace(out), filepath.Join(base, filepath.Base(filepath.Dir(c.module))+"-"+filepath.Base(c.module))
	err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && d.Name() == "testdata":
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		case strings.HasSuffix(path, "_test.go"):
			return nil
		}
		return copyFile(filepath.Join(to, rel), path)
	})
	if err != nil {
		return "", err
	}
	for folder, stub := range c.files {
		text, err := stubs.ReadFile("stubs/" + stub)
		if err != nil {
			return "", err
		}
		name := filepath.Join(to, filepath.FromSlash(folder), "vetonly_android.go")
		if err := os.WriteFile(name, text, 0o644); err != nil {
			return "", err
		}
	}
	return to, nil
}

func copyFile(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}

// output runs cmd and returns what it printed; an error says what it complained of.
func output(cmd *exec.Cmd) (string, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, stderr.Bytes())
	}
	return string(out), nil
}
