package widget

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"causa/assets"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// TestIconsExist looks up every icon that the screens name.
func TestIconsExist(t *testing.T) {
	takers := map[string]int{"NewIcon": 0, "NewIconButton": 0, "Heed": 0, "SetIcon": 0, "newPlaceButton": 0}
	found := 0
	files := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := ""
			switch fun := c.Fun.(type) {
			case *ast.SelectorExpr:
				name = fun.Sel.Name
			case *ast.Ident:
				name = fun.Name
			}
			i, takes := takers[name]
			if !takes || i >= len(c.Args) {
				return true
			}
			if lit, ok := c.Args[i].(*ast.BasicLit); ok {
				icon, _ := strconv.Unquote(lit.Value)
				found++
				if _, err := assets.Icons.ReadFile("icons/" + icon + ".svg"); err != nil {
					t.Errorf("%s: no icon %q", files.Position(lit.Pos()), icon)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 10 {
		t.Errorf("only %d icons found in the source", found)
	}
}

func TestRollShowsOnlyWhatIsInView(t *testing.T) {
	useTheme(t)
	made, bound := 0, map[int]int{}
	r := NewRoll(func(int) fyne.CanvasObject { made++; return NewText("") }, func(i int, _ fyne.CanvasObject) { bound[i]++ })
	w := test.NewTempWindow(t, r)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(300, 400))
	r.Set(make([]int, 5000), func(int) float32 { return 50 })
	if made > 10 {
		t.Errorf("%d rows made for a view of 8", made)
	}
	if r.Row(0) == nil || r.Row(7) == nil || r.Row(20) != nil {
		t.Error("the rows in view are not the first ones")
	}
	r.ScrollTo(4999)
	if r.Row(4999) == nil || r.Row(0) != nil {
		t.Error("after scrolling to the end the last row is not in view")
	}
	if bound[2500] != 0 {
		t.Error("a row that never was in view was filled")
	}
	r.Set(nil, func(int) float32 { return 50 })
	if r.Row(4999) != nil {
		t.Error("an emptied roll has rows")
	}
}

func TestColumnHeights(t *testing.T) {
	useTheme(t)
	text := NewText(strings.Repeat("字", 100)).Wrapped()
	c := NewColumn(10, text, NewSpace(5, 20)).Inset(Around(5))
	wide, thin := c.HeightFor(2000), c.HeightFor(200)
	if wide != 22+10+20+10 {
		t.Errorf("one line takes %v", wide)
	}
	if thin <= wide {
		t.Errorf("at a tenth of the width it takes %v, at all of it %v", thin, wide)
	}
	text.Hide()
	if got := c.HeightFor(200); got != 20+10 {
		t.Errorf("without the text it takes %v", got)
	}
}

// TestEntryLeavesKeysToInputMethod: see TestComposing in package app for a whole journey.
func TestEntryLeavesKeysToInputMethod(t *testing.T) {
	useTheme(t)
	e := NewEntry("")
	w := test.NewTempWindow(t, e)
	w.Canvas().Focus(e)
	sent := 0
	e.OnSubmitted = func(string) { sent++ }
	test.Type(e, "ab")
	down := func(n fyne.KeyName) { e.KeyDown(&fyne.KeyEvent{Name: n}) }
	down(fyne.KeyN)
	for _, k := range []fyne.KeyName{fyne.KeyBackspace, fyne.KeyLeft, fyne.KeyHome} {
		e.TypedKey(&fyne.KeyEvent{Name: k})
	}
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if e.Text != "ab" || sent != 0 {
		t.Errorf("composing changed the text to %q and sent %d times", e.Text, sent)
	}
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyBackspace})
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if e.Text != "a" || sent != 1 {
		t.Errorf("afterwards: text %q, sent %d times", e.Text, sent)
	}
}
