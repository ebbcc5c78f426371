package widget

import (
	"image/color"

	apptheme "causa/app/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// A Fill is a rectangle in a colour of the theme, on which something may lie.
type Fill struct {
	widget.BaseWidget
	Color  fyne.ThemeColorName
	Stroke fyne.ThemeColorName // "": none
	Radius float32
	Width  float32 // of the stroke; 0 means 1
	Inset  Insets
	Lifted bool // with a shadow under it

	content fyne.CanvasObject
}

// NewFill returns a fill under content, which may be nil.
func NewFill(c fyne.ThemeColorName, content fyne.CanvasObject) *Fill {
	f := &Fill{Color: c, content: content}
	f.ExtendBaseWidget(f)
	return f
}

// NewCard returns content on a card: surface, hairline border, round corners.
func NewCard(content fyne.CanvasObject) *Fill {
	f := NewFill(apptheme.Surface, content)
	f.Stroke, f.Radius = apptheme.Line, apptheme.RadiusCard
	return f
}

// NewLine returns a horizontal hairline.
func NewLine() *Fill {
	f := NewFill(apptheme.Line, nil)
	f.Inset = Insets{Top: 1}
	return f
}

// SetContent replaces what lies on the fill.
func (f *Fill) SetContent(o fyne.CanvasObject) { f.content = o; f.Refresh() }

// HeightFor returns the height at a width.
func (f *Fill) HeightFor(width float32) float32 {
	h := f.Inset.Top + f.Inset.Bottom
	if f.content != nil {
		h += HeightFor(f.content, width-f.Inset.Left-f.Inset.Right)
	}
	return h
}

// MinSize is part of fyne.CanvasObject.
func (f *Fill) MinSize() fyne.Size {
	s := fyne.NewSize(f.Inset.Left+f.Inset.Right, f.Inset.Top+f.Inset.Bottom)
	if f.content != nil {
		s = s.Add(f.content.MinSize())
	}
	return s
}

// CreateRenderer is part of fyne.Widget.
func (f *Fill) CreateRenderer() fyne.WidgetRenderer {
	r := &fillRenderer{f: f, rect: canvas.NewRectangle(nil)}
	r.paint()
	return r
}

type fillRenderer struct {
	f    *Fill
	rect *canvas.Rectangle
}

func (r *fillRenderer) Destroy()           {}
func (r *fillRenderer) MinSize() fyne.Size { return r.f.MinSize() }
func (r *fillRenderer) Objects() []fyne.CanvasObject {
	if r.f.content == nil {
		return []fyne.CanvasObject{r.rect}
	}
	return []fyne.CanvasObject{r.rect, r.f.content}
}

func (r *fillRenderer) paint() {
	f := r.f
	r.rect.FillColor = apptheme.Of(f.Color)
	r.rect.CornerRadius = f.Radius
	r.rect.StrokeWidth = 0
	if f.Stroke != "" {
		r.rect.StrokeColor, r.rect.StrokeWidth = apptheme.Of(f.Stroke), max(f.Width, 1)
	}
	if f.Lifted {
		r.rect.Shadow = canvas.Shadow{Color: apptheme.Of(apptheme.Shadow), BlurRadius: 24, Offset: fyne.NewPos(0, 8)}
	}
}

func (r *fillRenderer) Refresh() {
	r.paint()
	r.Layout(r.f.Size())
	r.rect.Refresh()
	if r.f.content != nil {
		r.f.content.Refresh()
	}
	canvas.Refresh(r.f)
}

func (r *fillRenderer) Layout(size fyne.Size) {
	r.rect.Resize(size)
	if c := r.f.content; c != nil {
		in := r.f.Inset
		c.Move(fyne.NewPos(in.Left, in.Top))
		c.Resize(fyne.NewSize(size.Width-in.Left-in.Right, size.Height-in.Top-in.Bottom))
	}
}

// NewSpace returns nothing, of a size.
func NewSpace(width, height float32) fyne.CanvasObject {
	r := canvas.NewRectangle(color.Transparent)
	r.SetMinSize(fyne.NewSize(width, height))
	return r
}

// A Box gives something a fixed size.
type Box struct {
	widget.BaseWidget
	size    fyne.Size
	content fyne.CanvasObject
}

// NewBox returns content at a fixed size; a zero side is left as it is.
func NewBox(width, height float32, content fyne.CanvasObject) *Box {
	b := &Box{size: fyne.NewSize(width, height), content: content}
	b.ExtendBaseWidget(b)
	return b
}

// MinSize is part of fyne.CanvasObject.
func (b *Box) MinSize() fyne.Size {
	s := b.size
	if s.Width == 0 {
		s.Width = b.content.MinSize().Width
	}
	if s.Height == 0 {
		s.Height = HeightFor(b.content, s.Width)
	}
	return s
}

// HeightFor returns the height at a width.
func (b *Box) HeightFor(width float32) float32 {
	if b.size.Height > 0 {
		return b.size.Height
	}
	return HeightFor(b.content, width)
}

// CreateRenderer is part of fyne.Widget.
func (b *Box) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(b.content) }
