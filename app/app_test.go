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
	"causa/core"
	"causa/matter"

	"fyne.io/fyne/v2"
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
	wideZh    = look{"zh-light", "zh-Hans", apptheme.Light, 1340, 860}
	wideEn    = look{"en-dark", "en", apptheme.Dark, 1340, 860}
	midEn     = look{"en-light-mid", "en", apptheme.Light, 900, 640}
	phoneZh   = look{"zh-light-phone", "zh-Hans", apptheme.Light, 390, 780}
	phoneEn   = look{"en-dark-phone", "en", apptheme.Dark, 390, 780}
	smallest  = look{"en-light-320", "en", apptheme.Light, 320, 480}
	wideLooks = []look{wideZh, wideEn}
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
	if *update {
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
		return
	}
	test.AssertImageMatches(t, name+".png", img)
}

var _ = context.Background
var _ core.Event
var _ matter.ID

func TestMatters(t *testing.T) {
	for _, l := range []look{wideZh, wideEn, midEn} {
		t.Run(l.name, func(t *testing.T) {
			e, _ := apptest.Company()
			_, w := open(t, l, e, nil)
			golden(t, "matters-"+l.name, w)
		})
	}
}
