// Package files is what the screens do with files: show, send, open and save them.
package files

import (
	"bytes"
	"context"
	"fmt"
	"image"
	_ "image/jpeg" // previews are JPEG ...
	_ "image/png"  // ... or PNG
	"os"
	"path/filepath"
	"strings"
	"time"

	"causa/app/screen"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// An Engine is what files need of one.
type Engine interface {
	SendFile(ctx context.Context, id matter.ID, f core.NewFile) (matter.Message, error)
	CancelFile(ctx context.Context, id core.FileID) error
	SaveFile(ctx context.Context, id core.FileID, path string) (string, error)
	OpenFile(ctx context.Context, id core.FileID) (string, error)
	FilePreview(ctx context.Context, id core.FileID) ([]byte, error)
	Files(ctx context.Context, id matter.ID) ([]matter.Message, error)
}

// A Desk knows what can be done with files, and how those that move are getting on. It is
// used on the UI goroutine.
type Desk struct {
	Choose func(chosen func(path string)) // asks for a file to send; nil where that can't be
	Show   func(path string) error        // opens a file with another program
	Folder func() string                  // where to save
	Moved  func(id core.FileID)           // how a file is shown has changed

	env      *screen.Env
	engine   Engine
	moving   map[core.FileID]core.FileProgress
	previews map[core.FileID]*preview
}

// A preview is what a card shows of a file's content.
type preview struct {
	picture image.Image
	text    string
}

// mostPreviews is how many are kept in memory.
const mostPreviews = 200

// New returns a desk.
func New(env *screen.Env, engine Engine) *Desk {
	return &Desk{
		env: env, engine: engine, moving: map[core.FileID]core.FileProgress{}, previews: map[core.FileID]*preview{},
		Folder: downloads, Moved: func(core.FileID) {},
	}
}

// downloads is the folder in which people look for what they have saved.
func downloads() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return os.TempDir()
	}
	for _, name := range []string{"Downloads", "下载"} {
		if info, err := os.Stat(filepath.Join(home, name)); err == nil && info.IsDir() {
			return filepath.Join(home, name)
		}
	}
	return home
}

// Progress takes in how far a file has come.
func (d *Desk) Progress(p core.FileProgress) {
	if p.Problem == nil && p.Done >= p.Total {
		delete(d.moving, p.File)
	} else {
		d.moving[p.File] = p
	}
	d.Moved(p.File)
}

// Changed takes in that a file's bytes or preview are here.
func (d *Desk) Changed(id core.FileID) {
	delete(d.moving, id)
	delete(d.previews, id)
	d.Moved(id)
}

// Look is what a card shows of a message's file.
func (d *Desk) Look(m matter.Message) appwidget.FileLook {
	look := appwidget.FileLook{Name: appwidget.Visible(m.File.Name), Note: Size(m.File.Size), Part: -1}
	if m.File.Duration > 0 {
		look.Note += " · " + m.File.Duration.Round(time.Second).String()
	}
	id := core.FileOf(m)
	switch p, moves := d.moving[id]; {
	case m.Delivery == matter.DeliveryFailed:
		look.Note, look.Failed = d.env.T("Not sent."), true
	case moves && p.Problem != nil:
		look.Note, _ = d.env.Fault(p.Problem)
		look.Part = part(p)
	case moves:
		look.Note = d.env.T("%s of %s", Size(p.Done), Size(p.Total))
		look.Part = part(p)
	case m.Delivery == matter.DeliveryQueued:
		look.Note += " · " + d.env.T("waits")
	}
	if m.File.Preview {
		if p := d.previews[id]; p != nil {
			look.Picture, look.Text = p.picture, p.text
		} else {
			d.load(id)
		}
	}
	return look
}

func part(p core.FileProgress) float32 {
	if p.Total <= 0 {
		return 0
	}
	return float32(p.Done) / float32(p.Total)
}

// load brings a preview into memory.
func (d *Desk) load(id core.FileID) {
	if len(d.previews) >= mostPreviews {
		clear(d.previews)
	}
	d.previews[id] = &preview{} // once
	got := &preview{}
	d.env.Do(func(ctx context.Context) error {
		raw, err := d.engine.FilePreview(ctx, id)
		if err != nil {
			return err
		}
		if got.picture, _, err = image.Decode(bytes.NewReader(raw)); err != nil {
			got.text = appwidget.Visible(string(raw))
		}
		return nil
	}, func(err error) {
		if err == nil {
			d.previews[id] = got
			d.Moved(id)
		}
	})
}

// Size is a number of bytes as people read it.
func Size(n int64) string {
	units := []string{"B", "KB", "MB", "GB"}
	f, i := float64(n), 0
	for f >= 1000 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return strings.Replace(fmt.Sprintf("%.1f %s", f, units[i]), ".0 ", " ", 1)
}

// Attach asks for a file and sends it to a matter.
func (d *Desk) Attach(id matter.ID) {
	if d.Choose != nil {
		d.Choose(func(path string) { d.Send(id, path) })
	}
}

// Send sends files to a matter, as when they were dropped on it.
func (d *Desk) Send(id matter.ID, paths ...string) {
	for _, path := range paths {
		d.long(func(ctx context.Context) error {
			_, err := d.engine.SendFile(ctx, id, core.NewFile{Path: path})
			return err
		}, d.env.TellFault)
	}
}

// long does work that takes as long as it takes, away from the UI goroutine.
func (d *Desk) long(work func(context.Context) error, done func(error)) {
	var err error
	d.env.Run(func() { err = work(context.Background()) }, func() { done(err) })
}

// Menu offers what can be done with a message's file.
func (d *Desk) Menu(m matter.Message, at fyne.Position) {
	env, id := d.env, core.FileOf(m)
	var items []*fyne.MenuItem
	if m.Delivery == matter.DeliveryQueued || m.Delivery == matter.DeliveryFailed {
		items = append(items, fyne.NewMenuItem(env.T("Don't send"), func() {
			env.Do(func(ctx context.Context) error { return d.engine.CancelFile(ctx, id) }, func(err error) {
				env.TellFault(err)
				d.Changed(id)
			})
		}))
	} else {
		if core.Openable(m.File.Name) && d.Show != nil {
			items = append(items, fyne.NewMenuItem(env.T("Open"), func() { d.open(id) }))
		}
		items = append(items, fyne.NewMenuItem(env.T("Save"), func() { d.save(id) }))
	}
	widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), env.Window, at)
}

func (d *Desk) open(id core.FileID) {
	d.long(func(ctx context.Context) error {
		path, err := d.engine.OpenFile(ctx, id)
		if err != nil {
			return err
		}
		return d.Show(path)
	}, d.env.TellFault)
}

func (d *Desk) save(id core.FileID) {
	var path string
	d.long(func(ctx context.Context) (err error) {
		path, err = d.engine.SaveFile(ctx, id, d.Folder())
		return err
	}, func(err error) {
		if err != nil {
			d.env.TellFault(err)
			return
		}
		d.env.Tell(d.env.T("Saved as %s", path), "", false)
	})
}

// List opens a sheet with all files of a matter, newest first.
func (d *Desk) List(id matter.ID) {
	env := d.env
	column := appwidget.NewColumn(6)
	sheet := appwidget.ShowSheet(env.Window, env.T("Files"), 460, column, nil)
	var ms []matter.Message
	env.Do(func(ctx context.Context) (err error) {
		ms, err = d.engine.Files(ctx, id)
		return err
	}, func(err error) {
		if err != nil {
			text, hint := env.Fault(err)
			notice := appwidget.NewNotice()
			notice.Fail(text, hint)
			column.Set(notice)
			return
		}
		var cards []fyne.CanvasObject
		for _, m := range ms {
			if m.File == nil {
				continue
			}
			look := d.Look(m)
			look.Picture, look.Text = nil, ""
			look.Note += " · " + env.NameOrYou(m.Author) + " · " + env.Words.Moment(m.Time, env.Now())
			card := appwidget.NewFileCard()
			card.Set(look, 400)
			card.OnTapped = func(at fyne.Position) { d.Menu(m, at) }
			cards = append(cards, card)
		}
		if len(cards) == 0 {
			cards = append(cards, appwidget.NewSmall(env.T("Nobody has sent a file here yet.")).Wrapped())
		}
		column.Set(cards...)
		sheet.Fit()
	})
}
