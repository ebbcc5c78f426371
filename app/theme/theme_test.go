package theme

import (
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
)

func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	part := func(v uint32) float64 {
		f := float64(v) / 0xffff
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*part(r) + 0.7152*part(g) + 0.0722*part(b)
}

func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestContrast holds WCAG 2 AA (4.5:1) for every pair of text and ground the screens use.
func TestContrast(t *testing.T) {
	pairs := []struct{ ink, ground fyne.ThemeColorName }{
		{Text, Surface},
		{Text, Canvas},
		{Text, Bubble},
		{Text, Mine},
		{Text, Field},
		{Text, FieldHover},
		{Text, AccentSoft},
		{Text, Chosen},
		{Text, Hover},
		{Muted, Surface},
		{Muted, Canvas},
		{Muted, Field},
		{Muted, AccentSoft},
		{Muted, Chosen},
		{Muted, Hover},
		{Muted, Event},
		{OnAccent, Accent},
		{OnAccent, AccentHover},
		{Link, Surface},
		{Link, Canvas},
		{Link, AccentSoft},
		{Link, Field},
		{OnRail, Rail},
		{OnRail, RailHover},
		{OnRailHigh, RailChosen},
		{OnSeal, Seal},
		{SealText, Surface},
		{SealText, Canvas},
		{SealText, SealSoft},
		{Calm, Surface},
		{Calm, CalmSoft},
		{Heed, HeedSoft},
	}
	for _, tint := range tints {
		n := TintNamed(tint.name)
		pairs = append(pairs, struct{ ink, ground fyne.ThemeColorName }{n.Ink, n.Ground})
		if got := contrast(color.White, tint.avatarGround); got < 4.5 {
			t.Errorf("white on the avatar ground %s: contrast %.2f, want at least 4.5", tint.name, got)
		}
	}
	th := New(System)
	for _, p := range pairs {
		for name, v := range map[string]fyne.ThemeVariant{"light": theme.VariantLight, "dark": theme.VariantDark} {
			if got := contrast(th.Color(p.ink, v), th.Color(p.ground, v)); got < 4.5 {
				t.Errorf("%s on %s, %s: contrast %.2f, want at least 4.5", p.ink, p.ground, name, got)
			}
		}
	}
}

func TestModeOverrulesSystem(t *testing.T) {
	dark := New(System).Color(Surface, theme.VariantDark)
	if got := New(Dark).Color(Surface, theme.VariantLight); got != dark {
		t.Errorf("dark mode on a light system: got %v, want %v", got, dark)
	}
	if got := New(Light).Color(Surface, theme.VariantDark); got == dark {
		t.Error("light mode on a dark system is dark")
	}
}

func TestEveryFyneColour(t *testing.T) {
	test.NewTempApp(t)
	test.AssertAllColorNamesDefined(t, New(Light), "light")
	test.AssertAllColorNamesDefined(t, New(Dark), "dark")
}
