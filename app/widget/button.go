package widget

import (
	"image/color"

	apptheme "causa/app/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// A Kind is how much a button asks for attention.
type Kind uint8

// The kinds of button.
const (
	Quiet   Kind = iota // grey
	Primary             // blue: the one thing to do here
	Bare                // no ground until the pointer is on it
	Final               // vermilion outline: can't be undone
)

// A Button does something when pressed.
type Button struct {
	press
	Kind   Kind
	Height float32

	text string
	icon IconName
}

// NewButton returns a button with words.
func NewButton(text string, kind Kind, tapped func()) *Button {
	b := &Button{Kind: kind, Height: 34, text: text}
	b.OnTapped = tapped
	b.extend(b)
	return b
}

// NewIconButton returns a button with an icon and perhaps words.
func NewIconButton(icon IconName, text string, kind Kind, tapped func()) *Button {
	b := NewButton(text, kind, tapped)
	b.icon = icon
	return b
}

// Text returns the button's words.
func (b *Button) Text() string { return b.text }

// Icon returns the button's icon, or "".
func (b *Button) Icon() IconName { return b.icon }

// SetText changes the words.
func (b *Button) SetText(text string) { b.text = text; b.Refresh() }

// SetIcon changes the icon.
func (b *Button) SetIcon(icon IconName) { b.icon = icon; b.Refresh() }

// MinSize is part of fyne.CanvasObject.
func (b *Button) MinSize() fyne.Size {
	w := float32(0)
	if b.text != "" {
		w = measure(b.text, apptheme.SizeSmall, fyne.TextStyle{Bold: true}) + 28
	}
	switch {
	case b.icon != "" && b.text != "":
		w += 20
	case b.icon != "":
		w = b.Height
	}
	return fyne.NewSize(w, b.Height)
}

// CreateRenderer is part of fyne.Widget.
func (b *Button) CreateRenderer() fyne.WidgetRenderer {
	r := &buttonRenderer{b: b, ring: canvas.NewRectangle(color.Transparent), rect: canvas.NewRectangle(nil), text: canvas.NewText("", nil), img: &canvas.Image{FillMode: canvas.ImageFillContain}}
	r.text.TextStyle.Bold = true
	r.paint()
	return r
}

type buttonRenderer struct {
	b          *Button
	ring, rect *canvas.Rectangle
	text       *canvas.Text
	img        *canvas.Image
}

func (r *buttonRenderer) Destroy()           {}
func (r *buttonRenderer) MinSize() fyne.Size { return r.b.MinSize() }
func (r *buttonRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ring, r.rect, r.img, r.text}
}

func (r *buttonRenderer) paint() {
	b := r.b
	var ground fyne.ThemeColorName
	ink := apptheme.Text
	pick := func(plain, hover fyne.ThemeColorName) fyne.ThemeColorName {
		if b.hover && !b.disabled {
			return hover
		}
		return plain
	}
	r.rect.StrokeWidth = 0
	switch b.Kind {
	case Primary:
		ground, ink = pick(apptheme.Accent, apptheme.AccentHover), apptheme.OnAccent
	case Bare:
		ground, ink = pick("", apptheme.Field), apptheme.Link
		if b.text == "" {
			ink = apptheme.Muted
		}
	case Final:
		ground, ink = pick(apptheme.Surface, apptheme.SealSoft), apptheme.SealText
		r.rect.StrokeColor, r.rect.StrokeWidth = apptheme.Of(apptheme.Seal), 1
	default:
		ground = pick(apptheme.Field, apptheme.FieldHover)
	}
	if b.disabled {
		ink = apptheme.Muted
		if b.Kind == Primary {
			ground = apptheme.Field
		}
	}
	r.rect.FillColor = color.Transparent
	if ground != "" {
		r.rect.FillColor = apptheme.Of(ground)
	}
	r.rect.CornerRadius = apptheme.Radius
	r.ring.CornerRadius, r.ring.StrokeWidth = apptheme.Radius+3, 2
	r.ring.StrokeColor = color.Transparent
	if b.focused && !b.disabled {
		r.ring.StrokeColor = apptheme.Of(apptheme.Link)
	}
	r.text.Text, r.text.TextSize, r.text.Color = b.text, apptheme.SizeSmall, apptheme.Of(ink)
	r.img.Hidden = b.icon == ""
	if b.icon != "" {
		r.img.Resource = Drawing(b.icon, apptheme.Of(ink))
	}
}

func (r *buttonRenderer) Refresh() {
	r.paint()
	r.Layout(r.b.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

func (r *buttonRenderer) Layout(size fyne.Size) {
	r.rect.Resize(size)
	r.ring.Move(fyne.NewPos(-3, -3))
	r.ring.Resize(size.Add(fyne.NewSquareSize(6)))
	const side = 17
	w := measure(r.b.text, r.text.TextSize, r.text.TextStyle)
	total := w
	if r.b.icon != "" {
		total += side
		if w > 0 {
			total += 7
		}
	}
	x := (size.Width - total) / 2
	if r.b.icon != "" {
		r.img.Move(fyne.NewPos(x, (size.Height-side)/2))
		r.img.Resize(fyne.NewSquareSize(side))
		x += side + 7
	}
	r.text.Move(fyne.NewPos(x, 0))
	r.text.Resize(fyne.NewSize(w, size.Height))
}

// A Chip is one of several things to choose from.
type Chip struct {
	press
	text   string
	chosen bool
}

// NewChip returns a chip.
func NewChip(text string, chosen bool, tapped func()) *Chip {
	c := &Chip{text: Visible(text), chosen: chosen}
	c.OnTapped = tapped
	c.extend(c)
	return c
}

// Text returns the chip's words.
func (c *Chip) Text() string { return c.text }

// SetChosen says whether this is the one.
func (c *Chip) SetChosen(chosen bool) {
	if c.chosen != chosen {
		c.chosen = chosen
		c.Refresh()
	}
}

// SetText changes the words.
func (c *Chip) SetText(text string) { c.text = Visible(text); c.Refresh() }

// MinSize is part of fyne.CanvasObject.
func (c *Chip) MinSize() fyne.Size {
	return fyne.NewSize(measure(c.text, apptheme.SizeSmall, fyne.TextStyle{Bold: true})+22, 26)
}

// CreateRenderer is part of fyne.Widget.
func (c *Chip) CreateRenderer() fyne.WidgetRenderer {
	r := &chipRenderer{c: c, rect: canvas.NewRectangle(nil), text: canvas.NewText("", nil)}
	r.text.Alignment = fyne.TextAlignCenter
	r.paint()
	return r
}

type chipRenderer struct {
	c    *Chip
	rect *canvas.Rectangle
	text *canvas.Text
}

func (r *chipRenderer) Destroy()                     {}
func (r *chipRenderer) MinSize() fyne.Size           { return r.c.MinSize() }
func (r *chipRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.rect, r.text} }
func (r *chipRenderer) Layout(size fyne.Size)        { r.rect.Resize(size); r.text.Resize(size) }

func (r *chipRenderer) paint() {
	c := r.c
	ground, ink := apptheme.Field, apptheme.Text
	switch {
	case c.chosen:
		ground, ink = apptheme.AccentSoft, apptheme.Link
	case c.hover:
		ground = apptheme.FieldHover
	}
	r.rect.FillColor, r.rect.CornerRadius = apptheme.Of(ground), 13
	r.rect.StrokeWidth, r.rect.StrokeColor = 0, color.Transparent
	if c.focused {
		r.rect.StrokeWidth, r.rect.StrokeColor = 2, apptheme.Of(apptheme.Link)
	}
	r.text.Text, r.text.TextSize, r.text.Color = Shorten(c.text, max(c.Size().Width-12, 20), apptheme.SizeSmall, fyne.TextStyle{Bold: c.chosen}), apptheme.SizeSmall, apptheme.Of(ink)
	if c.Size().Width == 0 {
		r.text.Text = c.text
	}
	r.text.TextStyle.Bold = c.chosen
}

func (r *chipRenderer) Refresh() {
	r.paint()
	r.rect.Refresh()
	r.text.Refresh()
}
