package widget

import (
	"image"
	"strings"

	apptheme "causa/app/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// A FileLook is what a card shows of a file.
type FileLook struct {
	Name    string
	Note    string      // its size, or how far it has come
	Failed  bool        // Note says why it did not
	Picture image.Image // a preview; nil: none
	Text    string      // the first lines; empty: none
	Part    float32     // how much of it has come, 0 to 1; negative: nothing moves
}

// A FileCard shows a file. Tapping it is up to whoever has the card.
type FileCard struct {
	widget.BaseWidget
	OnTapped func(at fyne.Position)

	look  FileLook
	width float32
	hover bool
}

// The measures of a card.
const (
	cardHead    float32 = 44
	cardPicture float32 = 200 // most height of a preview
	cardLine    float32 = 17  // of a text's preview
	cardLines           = 6
	cardBar     float32 = 3
)

// NewFileCard returns an empty card.
func NewFileCard() *FileCard {
	c := &FileCard{width: 260}
	c.ExtendBaseWidget(c)
	return c
}

// Set shows a file on a card of that width, and returns the height it takes.
func (c *FileCard) Set(look FileLook, width float32) float32 {
	c.look, c.width = look, width
	c.Refresh()
	return c.MinSize().Height
}

// picture is the size of the preview.
func (c *FileCard) picture() fyne.Size {
	if c.look.Picture == nil {
		return fyne.Size{}
	}
	b := c.look.Picture.Bounds()
	w, h := float32(b.Dx()), float32(b.Dy())
	scale := min(c.width/w, cardPicture/h, 1)
	return fyne.NewSize(w*scale, h*scale)
}

// lines are the first lines of a text, each cut to the card's width.
func (c *FileCard) lines() []string {
	if c.look.Text == "" {
		return nil
	}
	lines := strings.Split(c.look.Text, "\n")
	lines = lines[:min(len(lines), cardLines)]
	for i, l := range lines {
		lines[i] = Shorten(OneLine(l), c.width-16, apptheme.SizeTiny, fyne.TextStyle{Monospace: true})
	}
	return lines
}

// MinSize is part of fyne.CanvasObject.
func (c *FileCard) MinSize() fyne.Size {
	h := cardHead
	if p := c.picture(); p.Height > 0 {
		h += p.Height + 4
	}
	if n := len(c.lines()); n > 0 {
		h += float32(n)*cardLine + 12
	}
	if c.look.Part >= 0 {
		h += cardBar + 5
	}
	return fyne.NewSize(c.width, h)
}

// HeightFor is the height at a width, for columns.
func (c *FileCard) HeightFor(width float32) float32 {
	c.width = width
	return c.MinSize().Height
}

// Tapped is part of fyne.Tappable.
func (c *FileCard) Tapped(e *fyne.PointEvent) {
	if c.OnTapped != nil {
		c.OnTapped(e.AbsolutePosition)
	}
}

// MouseIn is part of desktop.Hoverable.
func (c *FileCard) MouseIn(*desktop.MouseEvent) { c.hover = true; c.Refresh() }

// MouseMoved is part of desktop.Hoverable.
func (c *FileCard) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is part of desktop.Hoverable.
func (c *FileCard) MouseOut() { c.hover = false; c.Refresh() }

// Cursor is part of desktop.Cursorable.
func (c *FileCard) Cursor() desktop.Cursor { return desktop.PointerCursor }

// CreateRenderer is part of fyne.Widget.
func (c *FileCard) CreateRenderer() fyne.WidgetRenderer {
	r := &fileCardRenderer{
		c: c, tile: canvas.NewRectangle(nil), icon: canvas.NewImageFromResource(nil), name: canvas.NewText("", nil), note: canvas.NewText("", nil),
		picture: canvas.NewImageFromImage(nil), paper: canvas.NewRectangle(nil), bar: [2]*canvas.Rectangle{canvas.NewRectangle(nil), canvas.NewRectangle(nil)},
	}
	r.icon.FillMode, r.picture.FillMode = canvas.ImageFillContain, canvas.ImageFillContain
	r.picture.ScaleMode = canvas.ImageScaleSmooth
	r.name.TextSize, r.note.TextSize = apptheme.SizeSmall, apptheme.SizeTiny
	r.name.TextStyle.Bold = true
	r.tile.CornerRadius, r.paper.CornerRadius = 8, 6
	r.paint()
	return r
}

type fileCardRenderer struct {
	c          *FileCard
	tile       *canvas.Rectangle
	icon       *canvas.Image
	name, note *canvas.Text
	picture    *canvas.Image
	paper      *canvas.Rectangle
	texts      []*canvas.Text
	bar        [2]*canvas.Rectangle
	objects    []fyne.CanvasObject
}

func (r *fileCardRenderer) Destroy()                     {}
func (r *fileCardRenderer) MinSize() fyne.Size           { return r.c.MinSize() }
func (r *fileCardRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *fileCardRenderer) Layout(fyne.Size)             {}

func (r *fileCardRenderer) Refresh() {
	r.paint()
	canvas.Refresh(r.c)
}

// paint puts everything in place.
func (r *fileCardRenderer) paint() {
	c := r.c
	ground, note := apptheme.Field, apptheme.Muted
	if c.hover {
		ground = apptheme.FieldHover
	}
	if c.look.Failed {
		note = apptheme.SealText
	}
	r.tile.FillColor = apptheme.Of(ground)
	r.tile.Move(fyne.NewPos(0, 2))
	r.tile.Resize(fyne.NewSquareSize(36))
	r.icon.Resource = Drawing("file", apptheme.Of(apptheme.Link))
	r.icon.Move(fyne.NewPos(8, 10))
	r.icon.Resize(fyne.NewSquareSize(20))
	room := max(c.width-46, 20)
	r.name.Text, r.name.Color = Shorten(OneLine(c.look.Name), room, r.name.TextSize, r.name.TextStyle), apptheme.Of(apptheme.Text)
	r.note.Text, r.note.Color = Shorten(OneLine(c.look.Note), room, r.note.TextSize, r.note.TextStyle), apptheme.Of(note)
	r.name.Move(fyne.NewPos(46, 2))
	r.name.Resize(fyne.NewSize(room, 18))
	r.note.Move(fyne.NewPos(46, 21))
	r.note.Resize(fyne.NewSize(room, 16))
	r.objects = append(r.objects[:0], r.tile, r.icon, r.name, r.note)
	y := cardHead
	if size := c.picture(); size.Height > 0 {
		r.picture.Image = c.look.Picture
		r.picture.Move(fyne.NewPos(0, y))
		r.picture.Resize(size)
		r.picture.Refresh()
		r.objects = append(r.objects, r.picture)
		y += size.Height + 4
	}
	y = r.paintText(y)
	if c.look.Part >= 0 {
		for i, b := range r.bar {
			b.FillColor, b.CornerRadius = apptheme.Of(apptheme.Line), cardBar/2
			w := c.width
			if i == 1 {
				b.FillColor = apptheme.Of(apptheme.Accent)
				w *= min(c.look.Part, 1)
			}
			b.Move(fyne.NewPos(0, y+2))
			b.Resize(fyne.NewSize(w, cardBar))
			r.objects = append(r.objects, b)
		}
	}
}

// paintText shows the first lines of a text as on a sheet of paper.
func (r *fileCardRenderer) paintText(y float32) float32 {
	lines := r.c.lines()
	if len(lines) == 0 {
		return y
	}
	h := float32(len(lines))*cardLine + 8
	r.paper.FillColor = apptheme.Of(apptheme.Field)
	r.paper.Move(fyne.NewPos(0, y))
	r.paper.Resize(fyne.NewSize(r.c.width, h))
	r.objects = append(r.objects, r.paper)
	for i, l := range lines {
		if i == len(r.texts) {
			t := canvas.NewText("", nil)
			t.TextSize, t.TextStyle = apptheme.SizeTiny, fyne.TextStyle{Monospace: true}
			r.texts = append(r.texts, t)
		}
		t := r.texts[i]
		t.Text, t.Color = l, apptheme.Of(apptheme.Text)
		t.Move(fyne.NewPos(8, y+4+float32(i)*cardLine))
		t.Resize(fyne.NewSize(r.c.width-16, cardLine))
		r.objects = append(r.objects, t)
	}
	return y + h + 4
}
