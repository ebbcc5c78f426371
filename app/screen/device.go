package screen

import (
	"strings"

	apptheme "causa/app/theme"
	"causa/app/widget"
	"causa/matter"
)

// Device returns a few lines about a device: its name, its fingerprint in groups that
// can be read aloud, since when.
func (e *Env) Device(d matter.Device, this bool) *widget.Row {
	name := widget.OneLine(d.Name)
	if this {
		name = e.T("%s (this device)", name)
	}
	state, ink := e.T("Since %s", e.Words.Date(d.Enrolled, e.Now())), apptheme.Muted
	if d.Revoked {
		state, ink = e.T("Revoked"), apptheme.SealText
	}
	digits := widget.NewText(Fingerprint(d.ID))
	digits.Style.Monospace = true
	digits.Points, digits.Color = apptheme.SizeTiny, apptheme.Muted
	title := widget.NewText(name)
	title.Points = apptheme.SizeSmall
	end := widget.NewSmall(state).Whole().In(ink)
	words := widget.NewColumn(1, widget.NewRow(8, 0, title, end), digits.Wrapped())
	compare := widget.NewIconButton("qr-code", "", widget.Bare, func() { e.ShowFingerprint(d) })
	compare.Height = 30
	return widget.NewRow(12, 1, widget.NewIcon("laptop").Sized(20), words, compare)
}

// Fingerprint returns the first 128 bits of a device's id in groups of four digits;
// that is more than anyone can search for.
func Fingerprint(id matter.DeviceID) string {
	s := id.String()[:32]
	groups := make([]string, 0, 8)
	for i := 0; i < len(s); i += 4 {
		groups = append(groups, s[i:i+4])
	}
	return strings.Join(groups, " ")
}
