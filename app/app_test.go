package app_test

import (
	"context"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"causa/app"
	"causa/app/apptest"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/internal/words"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
)

var update = flag.Bool("update", false, "write the golden files anew")

// look is one way in which a screen is shown.
type look struct {
	name          string
	lang          string
	mode          apptheme.Mode
	width, height float32
}

var (
	wideZh   = look{"zh-light", words.Chinese, apptheme.Light, 1340, 860}
	wideEn   = look{"en-dark", words.English, apptheme.Dark, 1340, 860}
	midEn    = look{"en-light-mid", words.English, apptheme.Light, 900, 600}
	phoneZh  = look{"zh-light-phone", words.Chinese, apptheme.Light, 390, 780}
	phoneEn  = look{"en-dark-phone", words.English, apptheme.Dark, 390, 780}
	smallest = look{"en-light-320", words.English, apptheme.Light, 320, 480}
)

// open shows an engine in a window, at once and with a clock that stands still.
func open(t testing.TB, l look, e app.Engine, change func(*app.Options)) (*app.App, fyne.Window) {
	t.Helper()
	fyneApp := test.NewTempApp(t)
	fyneApp.Preferences().SetString("mode", string(l.mode))
	w := test.NewTempWindow(t, nil)
	w.Resize(fyne.NewSize(l.width, l.height))
	opts := app.Options{
		Window: w, Engine: e, Lang: l.lang, Version: "0.1.0", Device: "ThinkPad X1",
		Now:   func() time.Time { return apptest.Now },
		Run:   func(work, done func()) { work(); done() },
		After: func(time.Duration, func()) {},
	}
	if change != nil {
		change(&opts)
	}
	a := app.New(opts)
	t.Cleanup(a.Close)
	w.Resize(fyne.NewSize(l.width, l.height))
	return a, w
}

// golden compares a window with testdata/NAME.png.
func golden(t *testing.T, name string, w fyne.Window) {
	t.Helper()
	w.Canvas().Unfocus() // the cursor blinks
	img := w.Canvas().Capture()
	if !*update {
		test.AssertImageMatches(t, name+".png", img)
		return
	}
	f, err := os.Create(filepath.Join("testdata", name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(f, img); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// top returns what lies uppermost in a window: a sheet, else the content.
func top(w fyne.Window) fyne.CanvasObject {
	if o := w.Canvas().Overlays().Top(); o != nil {
		return o
	}
	return w.Content()
}

// visible returns everything that is to be seen in o.
func visible(o fyne.CanvasObject) (out []fyne.CanvasObject) {
	if o == nil || !o.Visible() {
		return nil
	}
	out = append(out, o)
	switch o := o.(type) {
	case *fyne.Container:
		for _, c := range o.Objects {
			out = append(out, visible(c)...)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(o).Objects() {
			out = append(out, visible(c)...)
		}
	}
	return out
}

// texter is anything with words on it that can be pressed.
type texter interface {
	fyne.Tappable
	Text() string
}

// press presses the button or chip with these words.
func press(t *testing.T, w fyne.Window, text string) {
	t.Helper()
	for _, o := range visible(top(w)) {
		if b, ok := o.(texter); ok && b.Text() == text && o.Visible() {
			b.Tapped(&fyne.PointEvent{})
			return
		}
	}
	t.Fatalf("no button %q to be seen", text)
}

// pressIcon presses the first button that has this icon and no words.
func pressIcon(t *testing.T, w fyne.Window, icon appwidget.IconName) {
	t.Helper()
	for _, o := range visible(top(w)) {
		if b, ok := o.(*appwidget.Button); ok && b.Icon() == icon && b.Text() == "" {
			b.Tapped(nil)
			return
		}
	}
	t.Fatalf("no button with the icon %q to be seen", icon)
}

// choose presses the person with this name.
func choose(t *testing.T, w fyne.Window, name string) {
	t.Helper()
	for _, o := range visible(top(w)) {
		if p, ok := o.(*appwidget.Option); ok && p.Name() == name {
			p.Tapped(nil)
			return
		}
	}
	t.Fatalf("nobody called %q to be seen", name)
}

// entry returns the entry with this placeholder.
func entry(t *testing.T, w fyne.Window, placeholder string) *appwidget.Entry {
	t.Helper()
	for _, o := range visible(top(w)) {
		if e, ok := o.(*appwidget.Entry); ok && e.PlaceHolder == placeholder {
			return e
		}
	}
	t.Fatalf("no entry %q to be seen", placeholder)
	return nil
}

// shows reports whether some text is to be seen.
func shows(w fyne.Window, text string) bool {
	for _, o := range visible(top(w)) {
		if x, ok := o.(interface{ Text() string }); ok && x.Text() == text && o.Visible() {
			return true
		}
	}
	return false
}

func typeText(e *appwidget.Entry, text string) {
	fyne.CurrentApp().Driver().CanvasForObject(e).Focus(e)
	for _, r := range text {
		e.TypedRune(r)
	}
}

func key(e *appwidget.Entry, names ...fyne.KeyName) {
	for _, n := range names {
		e.TypedKey(&fyne.KeyEvent{Name: n})
	}
}

func shift(e *appwidget.Entry, down bool) {
	if down {
		e.KeyDown(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	} else {
		e.KeyUp(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	}
}

func background() context.Context { return context.Background() }
