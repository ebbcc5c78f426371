package widget

import (
	"image/color"

	apptheme "causa/app/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// An Option is a person in a list, who may be marked as chosen, or a place to go to.
type Option struct {
	press
	chosen bool
	mark   bool // shows whether it is chosen
	row    *Row
	tick   *Icon
	lead   *Tile
	name   *Text
	end    *Text
}

// NewOption returns a person to be chosen or not.
func NewOption(name string, id []byte, end string, chosen bool, tapped func()) *Option {
	o := newOption(NewAvatar(name, id, 30), name, end, tapped)
	o.chosen, o.mark = chosen, true
	return o
}

// NewPersonRow returns a person that can be opened.
func NewPersonRow(name string, id []byte, end string, tapped func()) *Option {
	return newOption(NewAvatar(name, id, 34), name, end, tapped)
}

func newOption(lead *Tile, name, end string, tapped func()) *Option {
	o := &Option{lead: lead, name: NewText(OneLine(name)), end: NewSmall(end).Whole(), tick: NewIcon("check").Sized(17)}
	o.OnTapped = tapped
	o.row = NewRow(10, 1, o.lead, o.name, o.end, o.tick).Inset(Insets{Right: 10, Left: 8})
	o.extend(o)
	return o
}

// Name returns the name shown.
func (o *Option) Name() string { return o.name.Text() }

// Set shows another person.
func (o *Option) Set(name string, id []byte, end string, chosen bool, tapped func()) {
	o.lead.SetPerson(name, id)
	o.name.SetText(OneLine(name))
	o.end.SetText(end)
	o.chosen, o.OnTapped = chosen, tapped
	o.row.Refresh()
	o.Refresh()
}

// MinSize is part of fyne.CanvasObject.
func (o *Option) MinSize() fyne.Size { return fyne.NewSize(160, o.lead.Side+14) }

// CreateRenderer is part of fyne.Widget.
func (o *Option) CreateRenderer() fyne.WidgetRenderer {
	r := &optionRenderer{o: o, ground: canvas.NewRectangle(nil)}
	r.paint()
	return r
}

type optionRenderer struct {
	o      *Option
	ground *canvas.Rectangle
}

func (r *optionRenderer) Destroy()           {}
func (r *optionRenderer) MinSize() fyne.Size { return r.o.MinSize() }
func (r *optionRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.o.row}
}

func (r *optionRenderer) paint() {
	o := r.o
	r.ground.CornerRadius = apptheme.Radius
	r.ground.FillColor = color.Transparent
	switch {
	case o.chosen:
		r.ground.FillColor = apptheme.Of(apptheme.Chosen)
	case o.hover:
		r.ground.FillColor = apptheme.Of(apptheme.Hover)
	}
	r.ground.StrokeWidth, r.ground.StrokeColor = 0, color.Transparent
	if o.focused {
		r.ground.StrokeWidth, r.ground.StrokeColor = 2, apptheme.Of(apptheme.Link)
	}
	o.tick.Color = apptheme.Link
	o.tick.Hidden = !o.chosen || !o.mark
}

func (r *optionRenderer) Refresh() {
	r.paint()
	r.ground.Refresh()
	r.o.row.Refresh()
	canvas.Refresh(r.o)
}

func (r *optionRenderer) Layout(size fyne.Size) {
	r.ground.Resize(size)
	r.o.row.Resize(size)
}
