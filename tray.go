package main

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"

	"causa/assets"
	"causa/internal/words"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// A tray is the app's icon beside the clock, which shows whether something is unread.
type tray struct {
	app         desktop.App
	show, quit  func()
	plain, news fyne.Resource
	unread      int // -1: not shown yet
	lang        string
}

// newTray returns the tray, or nil where there is none.
func newTray(a fyne.App, show, quit func()) *tray {
	desk, ok := a.(desktop.App)
	if !ok {
		return nil
	}
	t := &tray{app: desk, show: show, quit: quit, unread: -1, plain: fyne.NewStaticResource("causa.png", assets.Mark)}
	t.news = t.plain
	if dotted, err := withDot(assets.Mark); err == nil {
		t.news = fyne.NewStaticResource("causa-news.png", dotted)
	}
	return t
}

// set shows how many matters have something unread.
func (t *tray) set(unread int, w *words.Catalogue) {
	if t == nil || unread == t.unread && w.Lang() == t.lang {
		return
	}
	icon := t.plain
	if unread > 0 {
		icon = t.news
	}
	if t.unread < 0 || (t.unread > 0) != (unread > 0) {
		t.app.SetSystemTrayIcon(icon)
	}
	t.unread, t.lang = unread, w.Lang()
	news := fyne.NewMenuItem(w.T("Unread %d", unread), t.show)
	quit := fyne.NewMenuItem(w.T("Quit"), t.quit)
	quit.IsQuit = true
	t.app.SetSystemTrayMenu(fyne.NewMenu("Causa", fyne.NewMenuItem(w.T("Show Causa"), t.show), news, fyne.NewMenuItemSeparator(), quit))
}

// withDot returns a picture with a dot at its upper right.
func withDot(file []byte) ([]byte, error) {
	src, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	b := src.Bounds()
	out := image.NewNRGBA(b)
	draw.Draw(out, b, src, b.Min, draw.Src)
	r := b.Dx() / 5
	cx, cy := b.Max.X-r-1, b.Min.Y+r
	for y := cy - r; y <= cy+r; y++ {
		for x := cx - r; x <= cx+r; x++ {
			switch d := (x-cx)*(x-cx) + (y-cy)*(y-cy); {
			case d <= r*r*7/10:
				out.Set(x, y, color.NRGBA{R: 0x2f, G: 0x7d, B: 0xf6, A: 0xff})
			case d <= r*r:
				out.Set(x, y, color.White)
			}
		}
	}
	var w bytes.Buffer
	err = png.Encode(&w, out)
	return w.Bytes(), err
}
