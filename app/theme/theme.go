// Package theme is the app's look: one palette in light and dark, one type scale, one set
// of distances, and the fonts.
package theme

import (
	"image/color"

	"causa/assets"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// The type scale. Sizes are whole numbers: at others Fyne draws letters of the next
// lower size with the distances of the exact one.
const (
	SizeTitle   float32 = 18 // screens
	SizeHeading float32 = 15 // sheets, sections, rows
	SizeBody    float32 = 14
	SizeSmall   float32 = 13
	SizeTiny    float32 = 12
)

// Distances and roundings.
const (
	Gap        float32 = 8  // between things that belong together
	Pad        float32 = 16 // inside panels and cards
	Radius     float32 = 8  // buttons, fields
	RadiusCard float32 = 12 // cards, bubbles, sheets
	RailWidth  float32 = 64
	ListWidth  float32 = 332
	PanelWidth float32 = 284
)

// A Mode says whether the app is light, dark or as the system is.
type Mode string

// The modes, as kept in the preferences.
const (
	System Mode = "system"
	Light  Mode = "light"
	Dark   Mode = "dark"
)

// Theme is the app's look. Change the mode with [New] and Settings.SetTheme.
type Theme struct {
	mode           Mode
	regular, heavy fyne.Resource
}

var (
	regular = fyne.NewStaticResource("CausaSans-Regular.ttf", assets.Regular)
	heavy   = fyne.NewStaticResource("CausaSans-SemiBold.ttf", assets.SemiBold)
)

// New returns the look in a mode.
func New(mode Mode) *Theme { return &Theme{mode: mode, regular: regular, heavy: heavy} }

func (t *Theme) variant(v fyne.ThemeVariant) fyne.ThemeVariant {
	switch t.mode {
	case Light:
		return theme.VariantLight
	case Dark:
		return theme.VariantDark
	}
	return v
}

// Color answers from the palette, then from Fyne's own theme.
func (t *Theme) Color(n fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	v = t.variant(v)
	if own, ok := fynes[n]; ok {
		n = own
	}
	s, ok := palette[n]
	if !ok {
		s, ok = washes[n]
	}
	switch {
	case !ok:
		return theme.DefaultTheme().Color(n, v)
	case v == theme.VariantDark:
		return s.dark
	}
	return s.light
}

// Font gives Causa Sans, except for code and symbols.
func (t *Theme) Font(s fyne.TextStyle) fyne.Resource {
	switch {
	case s.Monospace, s.Symbol:
		return theme.DefaultTheme().Font(s)
	case s.Bold:
		return t.heavy
	}
	return t.regular
}

// Icon gives Fyne's, which only its own widgets ask for.
func (t *Theme) Icon(n fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(n) }

// Size answers for Fyne's own widgets from the scale above.
func (t *Theme) Size(n fyne.ThemeSizeName) float32 {
	switch n {
	case theme.SizeNameInputRadius, theme.SizeNameSelectionRadius, theme.SizeNameButtonRadius, theme.SizeNameMenuRadius:
		return Radius
	case theme.SizeNameDialogRadius, theme.SizeNameCardRadius, theme.SizeNamePopupRadius:
		return RadiusCard
	case theme.SizeNameText:
		return SizeBody
	case theme.SizeNameCaptionText:
		return SizeTiny
	case theme.SizeNameHeadingText:
		return SizeTitle
	case theme.SizeNameSubHeadingText:
		return SizeHeading
	case theme.SizeNameSeparatorThickness, theme.SizeNameInputBorder:
		return 1
	case theme.SizeNameScrollBar:
		return 10
	case theme.SizeNameScrollBarSmall:
		return 4
	}
	return theme.DefaultTheme().Size(n)
}

// Of returns a colour of the theme in force.
func Of(n fyne.ThemeColorName) color.Color {
	s := fyne.CurrentApp().Settings()
	return s.Theme().Color(n, s.ThemeVariant())
}
