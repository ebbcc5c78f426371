//go:build cgo

package sealvfs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sqlite3abi.h declares by hand what mattn's header says. The compiler compares them:
// numbers as macros, functions as declarations, structures by size and offsets.
func TestABI(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/mattn/go-sqlite3").Output()
	cc, ccErr := exec.LookPath("cc")
	if err != nil || ccErr != nil || strings.TrimSpace(string(out)) == "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no module source or compiler: %v %v", err, ccErr)
		}
		t.Skip("needs the module's source and a C compiler")
	}
	mattn := filepath.Join(strings.TrimSpace(string(out)), "sqlite3-binding.h")
	ours := string(load(t, "sqlite3abi.h"))

	var c strings.Builder
	c.WriteString("#include <stddef.h>\n#include \"" + mattn + "\"\n")
	macros := regexp.MustCompile(`(?m)^#define (SQLITE_\w+) (.+)$`).FindAllStringSubmatch(ours, -1)
	for _, m := range macros {
		c.WriteString("_Static_assert((" + m[1] + ") == (" + m[2] + "), \"" + m[1] + "\");\n")
	}
	// The same declarations twice are fine in C; different ones are an error.
	funcs := regexp.MustCompile(`(?ms)^(?:void|int|char|sqlite3_\w+|const char) [^;{}]*?sqlite3_\w+\([^;{}]*\);`).FindAllString(ours, -1)
	c.WriteString(strings.Join(funcs, "\n") + "\n")
	// Our structures under another name, compared field by field.
	structs := regexp.MustCompile(`(?ms)^struct (\w+) \{.*?^\};`).FindAllStringSubmatch(ours, -1)
	for _, s := range structs {
		c.WriteString(strings.Replace(s[0], "struct "+s[1]+" {", "struct ours_"+s[1]+" {", 1) + "\n")
		c.WriteString("_Static_assert(sizeof(struct ours_" + s[1] + ") <= sizeof(struct " + s[1] + "), \"size\");\n")
		for _, name := range regexp.MustCompile(`\b(x[A-Z]\w+|iVersion|szOsFile|mxPathname|pNext|zName;|pAppData|pMethods)\b`).FindAllString(s[0], -1) {
			c.WriteString("_Static_assert(offsetof(struct ours_" + s[1] + ", " + name + ") == offsetof(struct " + s[1] + ", " + name + "), \"" + name + "\");\n")
		}
	}
	if len(macros) < 40 || len(funcs) < 15 || len(structs) != 3 {
		t.Fatalf("found %d macros, %d functions and %d structures", len(macros), len(funcs), len(structs))
	}
	src := filepath.Join(t.TempDir(), "abi.c")
	save(t, src, []byte(c.String()))
	if out, err := exec.Command(cc, "-std=gnu11", "-Werror", "-fsyntax-only", src).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
