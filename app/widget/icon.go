package widget

import (
	"fmt"
	"image/color"
	"strings"
	"sync"

	apptheme "causa/app/theme"
	"causa/assets"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// An IconName is the name of a file in assets/icons.
type IconName string

var drawn sync.Map // "name#rrggbb" → fyne.Resource

// Drawing returns an icon drawn in a colour. An unknown name draws nothing; the tests
// look every name up.
func Drawing(name IconName, c color.Color) fyne.Resource {
	r, g, b, _ := c.RGBA()
	hex := fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
	key := string(name) + hex
	if res, ok := drawn.Load(key); ok {
		return res.(fyne.Resource)
	}
	svg, err := assets.Icons.ReadFile("icons/" + string(name) + ".svg")
	if err != nil {
		svg = []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24"/>`)
	}
	res := fyne.NewStaticResource(key+".svg", []byte(strings.ReplaceAll(string(svg), "currentColor", hex)))
	drawn.Store(key, res)
	return res
}

// An Icon shows a drawing in a colour of the theme.
type Icon struct {
	widget.BaseWidget
	Name  IconName
	Color fyne.ThemeColorName
	Side  float32
}

// NewIcon returns an icon in the muted colour, a little larger than small text.
func NewIcon(name IconName) *Icon {
	i := &Icon{Name: name, Color: apptheme.Muted, Side: 16}
	i.ExtendBaseWidget(i)
	return i
}

// In sets the colour, and returns i.
func (i *Icon) In(c fyne.ThemeColorName) *Icon { i.Color = c; return i }

// Sized sets the size, and returns i.
func (i *Icon) Sized(side float32) *Icon { i.Side = side; return i }

// MinSize is part of fyne.CanvasObject.
func (i *Icon) MinSize() fyne.Size { return fyne.NewSquareSize(i.Side) }

// CreateRenderer is part of fyne.Widget.
func (i *Icon) CreateRenderer() fyne.WidgetRenderer {
	img := canvas.NewImageFromResource(Drawing(i.Name, apptheme.Of(i.Color)))
	img.FillMode = canvas.ImageFillContain
	return &iconRenderer{i, img}
}

type iconRenderer struct {
	i   *Icon
	img *canvas.Image
}

func (r *iconRenderer) Destroy()                     {}
func (r *iconRenderer) MinSize() fyne.Size           { return r.i.MinSize() }
func (r *iconRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.img} }
func (r *iconRenderer) Refresh() {
	if res := Drawing(r.i.Name, apptheme.Of(r.i.Color)); res != r.img.Resource {
		r.img.Resource = res
		r.img.Refresh()
	}
	r.Layout(r.i.Size())
}

func (r *iconRenderer) Layout(size fyne.Size) {
	side := fyne.NewSquareSize(r.i.Side)
	r.img.Resize(side)
	r.img.Move(fyne.NewPos((size.Width-side.Width)/2, (size.Height-side.Height)/2))
}
