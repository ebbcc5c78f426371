package main_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the prefix of every import path of ours.
const module = "causa/"

// An arrow is an import that the architecture forbids: from is a folder of ours with all
// below it, to is an import path with all below it.
type arrow struct{ from, to, why string }

// forbidden is ARCHITECTURE.md's picture, said by what it leaves out.
var forbidden = []arrow{
	{"matter", "causa", "the shared vocabulary imports nothing of ours"},
	{"internal/fault", "causa", "everybody may use it"},

	{"wire", "causa/matter", "the protocol outlives our data model"},
	{"wire", "causa/store", "siblings don't know each other"},
	{"wire", "causa/crypto", "signed structures pass through wire as opaque bytes"},
	{"wire", "causa/orglog", "signed structures pass through wire as opaque bytes"},
	{"wire", "causa/core", "arrows don't turn back"},
	{"wire", "causa/hub", "arrows don't turn back"},
	{"wire", "causa/app", "arrows don't turn back"},

	{"orglog", "causa/store", "siblings don't know each other"},
	{"orglog", "causa/crypto", "siblings don't know each other"},
	{"orglog", "causa/dnd", "siblings don't know each other"},
	{"orglog", "causa/wire", "signed structures are never protobuf"},
	{"orglog", "causa/core", "arrows don't turn back"},
	{"orglog", "causa/hub", "arrows don't turn back"},

	{"dnd", "causa/store", "siblings don't know each other"},
	{"dnd", "causa/crypto", "siblings don't know each other"},
	{"dnd", "causa/orglog", "siblings don't know each other"},
	{"dnd", "causa/wire", "siblings don't know each other"},
	{"dnd", "causa/core", "arrows don't turn back"},
	{"dnd", "causa/hub", "arrows don't turn back"},

	{"store", "causa/crypto", "siblings don't know each other"},
	{"store", "causa/orglog", "siblings don't know each other"},
	{"store", "causa/wire", "siblings don't know each other"},
	{"store", "causa/dnd", "siblings don't know each other"},
	{"store", "causa/core", "arrows don't turn back"},
	{"store", "causa/hub", "client and server never meet"},
	{"store", "causa/app", "arrows don't turn back"},

	{"crypto", "causa/store", "siblings don't know each other"},
	{"crypto", "causa/orglog", "siblings don't know each other"},
	{"crypto", "causa/wire", "siblings don't know each other"},
	{"crypto", "causa/dnd", "siblings don't know each other"},
	{"crypto", "causa/core", "arrows don't turn back"},
	{"crypto", "causa/hub", "arrows don't turn back"},

	{"core", "fyne.io", "the engine runs without a window"},
	{"core", "causa/hub", "client and server never meet"},
	{"core", "causa/app", "arrows don't turn back"},

	{"hub", "causa/core", "client and server never meet"},
	{"hub", "causa/store", "a device's store is none of the hub's business"},
	{"hub", "causa/app", "arrows don't turn back"},
	{"hub", "fyne.io", "the hub has no window"},
	{"hub", "causa/crypto/seal", "the hub has no business decrypting"},
	{"hub", "causa/crypto/vault", "the hub has no business unlocking"},

	{"app", "causa/hub", "only main.go starts a hub in this process"},
	{"app", "fyne.io/fyne/v2/app", "only main.go imports Fyne's own app"},

	{"cmd/causa-hub", "causa/core", "client and server never meet"},
	{"cmd/causa-hub", "causa/store", "client and server never meet"},
	{"cmd/causa-hub", "fyne.io", "the hub has no window"},
	{"cmd/causactl", "causa/hub", "client and server never meet"},
	{"cmd/causactl", "fyne.io", "causactl has no window"},
}

// unnamed lists imports that a package may need through others but may not name itself.
var unnamed = []arrow{
	{"app", "causa/store", "screens talk to core"},
	{"app", "causa/crypto", "screens talk to core"},
	{"app", "causa/wire", "screens talk to core"},
	{"app", "causa/orglog", "screens talk to core"},
	{"cmd/causactl", "causa/store", "causactl talks to core"},
	{"cmd/causactl", "causa/crypto", "causactl talks to core"},
	{"crypto", "net", "crypto does no I/O"},
	{"crypto", "os", "crypto does no I/O"},
	{"crypto", "database/sql", "crypto does no I/O"},
	{"orglog", "os", "the log is bytes in, bytes out"},
	{"matter", "os", "a vocabulary does no I/O"},
	{"matter", "net", "a vocabulary does no I/O"},
	{"dnd", "os", "quiet hours are pure arithmetic"},
	{"dnd", "net", "quiet hours are pure arithmetic"},
	{"core", "database/sql", "the store turns rows into types"},
}

// noIO are packages below net that do none.
var noIO = map[string]bool{"net/netip": true, "net/url": true}

// TestForbiddenArrows looks at everything a folder needs, indirect imports included.
func TestForbiddenArrows(t *testing.T) {
	for _, a := range forbidden {
		t.Run(name(a), func(t *testing.T) {
			for _, pkg := range list(t, "-deps", "./"+a.from+"/...") {
				if below(pkg.path, a.to) && !below(pkg.path, module+a.from) {
					t.Errorf("%s needs %s: %s", a.from, pkg.path, a.why)
				}
			}
		})
	}
}

func TestUnnamedImports(t *testing.T) {
	for _, a := range unnamed {
		t.Run(name(a), func(t *testing.T) {
			for _, pkg := range list(t, "./"+a.from+"/...") {
				for _, imported := range pkg.imports {
					if below(imported, a.to) && !noIO[imported] {
						t.Errorf("%s imports %s: %s", pkg.path, imported, a.why)
					}
				}
			}
		})
	}
}

// TestHubSeesOnlyTheView: the hub may check that a commit is well-formed, with the public
// view of a group and what that view is made of, and reaches no other cryptography.
func TestHubSeesOnlyTheView(t *testing.T) {
	var public []string
	for _, pkg := range list(t, "-deps", "./crypto/mls/view") {
		public = append(public, pkg.path)
	}
	if slices.Contains(public, module+"crypto/mls") {
		t.Error("crypto/mls/view needs crypto/mls, which holds secrets")
	}
	for _, from := range []string{"./hub/...", "./cmd/causa-hub/..."} {
		for _, pkg := range list(t, "-deps", from) {
			if below(pkg.path, "causa/crypto") && !slices.Contains(public, pkg.path) {
				t.Errorf("%s needs %s, which is not part of crypto/mls/view", from, pkg.path)
			}
		}
	}
}

// TestCryptoHasNoCodeOfItsOwn keeps the standard package's name free.
func TestCryptoHasNoCodeOfItsOwn(t *testing.T) {
	files, err := filepath.Glob("crypto/*.go")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) > 0 {
		t.Errorf("Go files at the level of crypto/: %q", files)
	}
}

// TestOnlyMainImportsFynesApp reads the source rather than the build, so that files of
// other systems and of tests are seen too.
func TestOnlyMainImportsFynesApp(t *testing.T) {
	const fyneApp = "fyne.io/fyne/v2/app"
	inMain := false
	eachGoFile(t, func(path string) {
		for _, imported := range imports(t, path) {
			if imported != fyneApp {
				continue
			}
			if path == "main.go" {
				inMain = true
				continue
			}
			t.Errorf("%s imports %s; only main.go may", path, fyneApp)
		}
	})
	if !inMain {
		t.Errorf("main.go does not import %s: is this test looking in the right place?", fyneApp)
	}
}

// TestProgramsContainNoDoubles: hub/hubtest and its like are for tests.
func TestProgramsContainNoDoubles(t *testing.T) {
	for _, program := range []string{".", "./cmd/causa-hub", "./cmd/causactl"} {
		for _, pkg := range list(t, "-deps", program) {
			if below(pkg.path, "causa") && strings.HasSuffix(pkg.path, "test") {
				t.Errorf("%s contains the test double %s", program, pkg.path)
			}
		}
	}
}

// below reports whether path is the import path parent or one below it.
func below(path, parent string) bool {
	return path == parent || strings.HasPrefix(path, parent+"/")
}

type pkg struct {
	path    string
	imports []string
}

// listed remembers what the go command said: many rules ask the same.
var listed = map[string][]pkg{}

// list asks the go command for the packages that match. It fails the test when there are
// none: a folder that was renamed must not turn a rule into an empty one.
func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	question := strings.Join(args, " ")
	if pkgs, ok := listed[question]; ok {
		return pkgs
	}
	args = append([]string{"list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}"}, args...)
	cmd := exec.CommandContext(t.Context(), "go", args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	var pkgs []pkg
	ours := false
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pkgs = append(pkgs, pkg{fields[0], fields[1:]})
		ours = ours || below(fields[0], "causa")
	}
	if !ours {
		t.Fatalf("go %s lists no package of ours: was the folder moved?", strings.Join(args, " "))
	}
	listed[question] = pkgs
	return pkgs
}

func name(a arrow) string {
	return strings.ReplaceAll(a.from+" to "+a.to, "/", "-")
}

// eachGoFile calls f with every Go file of the module.
func eachGoFile(t *testing.T, f func(path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			hidden := path != "." && strings.HasPrefix(d.Name(), ".")
			if hidden || d.Name() == "testdata" || nestedModule(path) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(path, ".go") {
			f(filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func nestedModule(dir string) bool {
	if dir == "." {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func imports(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, imported)
	}
	return paths
}
