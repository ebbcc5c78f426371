package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// keysOfTree returns every sentence of the tree that a person may read, with a place
// where it stands: literals given to T and Mark, the Text and Hint of a fault.Error,
// what a method Words returns, the problem of a message, the words for
// refusals, and the help of a policy.
func keysOfTree(t *testing.T) map[string]string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{}
	files := token.NewFileSet()
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "tools"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			for _, key := range keysOfNode(f.Name.Name, n) {
				if key != "" && keys[key] == "" {
					pos := files.Position(n.Pos())
					pos.Filename, _ = filepath.Rel(root, pos.Filename)
					keys[key] = pos.String()
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func keysOfNode(pkg string, n ast.Node) (keys []string) {
	switch n := n.(type) {
	case *ast.CallExpr:
		name := ""
		switch fun := n.Fun.(type) {
		case *ast.SelectorExpr:
			name = fun.Sel.Name
		case *ast.Ident:
			name = fun.Name
		}
		if (name == "T" || name == "Mark") && len(n.Args) > 0 {
			keys = append(keys, literal(n.Args[0]))
		}
	case *ast.CompositeLit:
		fault, policy := false, false
		switch typ := n.Type.(type) {
		case *ast.SelectorExpr:
			x, ok := typ.X.(*ast.Ident)
			fault = ok && x.Name == "fault" && typ.Sel.Name == "Error"
		case *ast.Ident:
			fault = pkg == "fault" && typ.Name == "Error"
			policy = pkg == "core" && typ.Name == "policy"
		}
		for _, e := range n.Elts {
			kv, ok := e.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			name, _ := kv.Key.(*ast.Ident)
			if name != nil && (fault && (name.Name == "Text" || name.Name == "Hint") || name.Name == "Problem" || policy && name.Name == "help") {
				keys = append(keys, literal(kv.Value))
			}
		}
	case *ast.AssignStmt:
		for i, l := range n.Lhs {
			if s, ok := l.(*ast.SelectorExpr); ok && i < len(n.Rhs) && slices.Contains([]string{"Problem", "Text", "Hint"}, s.Sel.Name) {
				keys = append(keys, sentence(literal(n.Rhs[i])))
			}
		}
	case *ast.FuncDecl:
		if n.Name.Name != "Words" || n.Body == nil {
			return nil
		}
		ast.Inspect(n.Body, func(n ast.Node) bool {
			if r, ok := n.(*ast.ReturnStmt); ok {
				for _, x := range r.Results {
					keys = append(keys, literal(x))
				}
			}
			return true
		})
	case *ast.ValueSpec:
		if pkg == "fault" && n.Names[0].Name == "General" {
			keys = append(keys, literal(n.Values[0]))
		}
		if n.Names[0].Name == "refusalWords" {
			ast.Inspect(n.Values[0], func(n ast.Node) bool {
				if x, ok := n.(*ast.BasicLit); ok {
					keys = append(keys, sentence(literal(x)))
				}
				return true
			})
		}
	}
	return keys
}

// sentence returns s if it looks like one.
func sentence(s string) string {
	if strings.HasSuffix(s, ".") {
		return s
	}
	return ""
}

func literal(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(x.Value); err == nil && x.Kind == token.STRING {
			return s
		}
	case *ast.BinaryExpr:
		if a, b := literal(x.X), literal(x.Y); x.Op == token.ADD && a != "" && b != "" {
			return a + b
		}
	}
	return ""
}

var verb = regexp.MustCompile(`%(\[\d+\])?[-+# 0]*[\d.]*[a-zA-Z%]`)

// verbs returns the verbs of a format as sorted "argument:verb", so that a
// translation may put them in another order with %[n].
func verbs(format string) []string {
	var out []string
	next := 1
	for _, m := range verb.FindAllStringSubmatch(format, -1) {
		if m[0] == "%%" {
			continue
		}
		if m[1] != "" {
			next, _ = strconv.Atoi(strings.Trim(m[1], "[]"))
		}
		out = append(out, strconv.Itoa(next)+":"+m[0][len(m[0])-1:])
		next++
	}
	slices.Sort(out)
	return out
}

// TestCatalogues holds that every sentence has a Chinese translation with the same
// verbs, that English has plural forms only for sentences in use, and that no entry
// is left over.
func TestCatalogues(t *testing.T) {
	keys := keysOfTree(t)
	if len(keys) == 0 {
		t.Fatal("no sentence found in the tree")
	}
	zh, en := load(Chinese), load(English)
	var missing []string
	for key, place := range keys {
		e, ok := zh[key]
		switch {
		case !ok || e.Other == "":
			missing = append(missing, place+": "+strconv.Quote(key))
		case !slices.Equal(verbs(key), verbs(e.Other)):
			t.Errorf("%s: %q has verbs %v, its translation %q has %v", place, key, verbs(key), e.Other, verbs(e.Other))
		}
	}
	slices.Sort(missing)
	for _, m := range missing {
		t.Errorf("no Chinese for %s", m)
	}
	for lang, entries := range map[string]map[string]entry{Chinese: zh, English: en} {
		for _, key := range slices.Sorted(maps.Keys(entries)) {
			if keys[key] == "" {
				t.Errorf("%s: nothing uses %q", lang, key)
			}
		}
	}
	for key, e := range en {
		if e.One == "" || e.Other == "" || !slices.Equal(verbs(key), verbs(e.Other)) {
			t.Errorf("en: %q needs both plural forms, with the same verbs", key)
		}
	}
	if os.Getenv("WORDS_LIST") != "" { // for translators: what is to be done
		t.Log("\n" + strings.Join(slices.Sorted(maps.Keys(keys)), "\n"))
	}
}
