package thread

import (
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// The measures of a stamp.
const (
	stampWidest float32 = 440
	stampPad    float32 = 18
	stampGap    float32 = 12 // above and below it, and between its parts
	factName    float32 = 96
	factLine    float32 = 20
)

// A stampLine is one line of text of a stamp, at its place.
type stampLine struct {
	text  string
	at    fyne.Position
	size  fyne.Size
	ink   fyne.ThemeColorName
	scale float32
	style fyne.TextStyle
	align fyne.TextAlign
}

// setStamp draws a conclusion: what was decided, its facts, who signed it and when, in
// the colour of a seal.
func (r *row) setStamp(width float32) {
	m := &r.it.msg
	r.mine = false
	w := min(width-2*r.inset(), stampWidest)
	inner := w - 2*stampPad
	x, y := (width-w)/2, stampGap
	lines := []stampLine{}
	put := func(text string, ink fyne.ThemeColorName, scale float32, style fyne.TextStyle, height float32, align fyne.TextAlign, left, room float32) {
		for _, l := range appwidget.Flow(appwidget.Visible(text), room, scale, style) {
			lines = append(lines, stampLine{l.Text, fyne.NewPos(x+left, y), fyne.NewSize(room, height), ink, scale, style, align})
			y += height
		}
	}
	bold := fyne.TextStyle{Bold: true}
	y += stampPad - 2
	put(r.env.T("Concluded"), apptheme.SealText, apptheme.SizeHeading, bold, 24, fyne.TextAlignCenter, stampPad, inner)
	y += 4
	put(m.Text, apptheme.Text, apptheme.SizeBody, fyne.TextStyle{}, lineHeight, fyne.TextAlignCenter, stampPad, inner)
	if len(m.Facts) > 0 {
		y += stampGap
	}
	for _, f := range m.Facts {
		top := y
		name := appwidget.Shorten(appwidget.OneLine(f.Name), factName-8, apptheme.SizeSmall, fyne.TextStyle{})
		put(name, apptheme.Muted, apptheme.SizeSmall, fyne.TextStyle{}, factLine, fyne.TextAlignLeading, stampPad, factName)
		y = top
		put(f.Value, apptheme.Text, apptheme.SizeSmall, fyne.TextStyle{}, factLine, fyne.TextAlignLeading, stampPad+factName, inner-factName)
		y = max(y, top+factLine)
	}
	y += stampGap
	signed := r.env.T("Signed by %s · %s", r.env.Name(m.Author), r.env.Words.Moment(r.env.Local(m.Time), r.env.Now()))
	put(signed, apptheme.SealText, apptheme.SizeTiny, fyne.TextStyle{}, 18, fyne.TextAlignCenter, stampPad, inner)
	y += stampPad - 4

	r.bubble, r.size = fyne.NewPos(x, stampGap), fyne.NewSize(w, y-stampGap)
	r.height = y + stampGap
	r.ground.TopLeftCornerRadius, r.ground.TopRightCornerRadius = 0, 0
	r.ground.CornerRadius = apptheme.RadiusCard
	r.ground.FillColor, r.ground.StrokeColor, r.ground.StrokeWidth = apptheme.Of(apptheme.Surface), apptheme.Of(apptheme.Seal), 2
	r.ground.Move(r.bubble)
	r.ground.Resize(r.size)
	r.objects = append(r.objects, r.ground)
	r.grow(len(lines))
	for i, l := range lines {
		t := r.texts[i]
		t.Text, t.Color, t.TextSize, t.TextStyle, t.Alignment = l.text, apptheme.Of(l.ink), l.scale, l.style, l.align
		t.Move(l.at)
		t.Resize(l.size)
		r.objects = append(r.objects, t)
	}
	r.setState(x + w)
	canvas.Refresh(r)
}
