package widget

import (
	apptheme "causa/app/theme"

	"fyne.io/fyne/v2"
)

// A Notice is a line worth heeding: amber, or vermilion when something failed.
type Notice struct {
	Fill
	icon *Icon
	text *Text
	hint *Text
}

// NewNotice returns an empty, hidden notice.
func NewNotice() *Notice {
	n := &Notice{icon: NewIcon("info").Sized(17), text: NewText("").Wrapped(), hint: NewSmall("").Wrapped()}
	n.text.Points = apptheme.SizeSmall
	words := NewColumn(1, n.text, n.hint)
	row := NewRow(9, 1, n.icon, words)
	n.content = row
	n.Radius = apptheme.Radius
	n.Inset = Insets{8, 12, 8, 12}
	n.Color = apptheme.HeedSoft
	n.ExtendBaseWidget(n)
	n.Hide()
	return n
}

// Heed shows something worth knowing.
func (n *Notice) Heed(icon IconName, text, hint string) {
	n.set(icon, text, hint, apptheme.HeedSoft, apptheme.Heed)
}

// Fail shows that something failed and what to do.
func (n *Notice) Fail(text, hint string) {
	n.set("circle-alert", text, hint, apptheme.SealSoft, apptheme.SealText)
}

// Done shows that something worked.
func (n *Notice) Done(text string) {
	n.set("circle-check", text, "", apptheme.CalmSoft, apptheme.Calm)
}

// Clear hides the notice.
func (n *Notice) Clear() { n.Hide() }

func (n *Notice) set(icon IconName, text, hint string, ground, ink fyne.ThemeColorName) {
	n.Color = ground
	n.icon.Name, n.icon.Color = icon, ink
	n.text.Color, n.hint.Color = ink, ink
	n.text.SetText(text)
	n.hint.SetText(hint)
	n.hint.Hidden = hint == ""
	n.Show()
	n.Refresh()
}

// Text returns the words shown, "" when hidden.
func (n *Notice) Text() string {
	if n.Hidden {
		return ""
	}
	return n.text.Text()
}
