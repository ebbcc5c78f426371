package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// The app's own colour names, beside those of Fyne; one palette answers both.
const (
	Surface     fyne.ThemeColorName = "causa.surface"     // panels, cards, sheets
	Canvas      fyne.ThemeColorName = "causa.canvas"      // what cards and bubbles lie on
	Text        fyne.ThemeColorName = "causa.text"        // what is read
	Muted       fyne.ThemeColorName = "causa.muted"       // what is read second
	Line        fyne.ThemeColorName = "causa.line"        // hairlines and card borders
	Field       fyne.ThemeColorName = "causa.field"       // search fields, chips, quiet buttons
	FieldHover  fyne.ThemeColorName = "causa.fieldHover"  // the same under the pointer
	Accent      fyne.ThemeColorName = "causa.accent"      // the one blue: buttons, selection
	AccentHover fyne.ThemeColorName = "causa.accentHover" // the same under the pointer
	OnAccent    fyne.ThemeColorName = "causa.onAccent"    // text on Accent
	Link        fyne.ThemeColorName = "causa.link"        // text in the accent colour
	AccentSoft  fyne.ThemeColorName = "causa.accentSoft"  // a chosen chip
	Chosen      fyne.ThemeColorName = "causa.chosen"      // the chosen row of a list
	Hover       fyne.ThemeColorName = "causa.hover"       // a row under the pointer
	Rail        fyne.ThemeColorName = "causa.rail"        // the ink-blue rail
	RailChosen  fyne.ThemeColorName = "causa.railChosen"  // the chosen place on it
	RailHover   fyne.ThemeColorName = "causa.railHover"   // a place under the pointer
	OnRail      fyne.ThemeColorName = "causa.onRail"      // words on the rail
	OnRailHigh  fyne.ThemeColorName = "causa.onRailHigh"  // words of the chosen place
	Bubble      fyne.ThemeColorName = "causa.bubble"      // what others say
	BubbleLine  fyne.ThemeColorName = "causa.bubbleLine"  // its border
	Mine        fyne.ThemeColorName = "causa.mine"        // what I say
	MineLine    fyne.ThemeColorName = "causa.mineLine"    // its border
	Event       fyne.ThemeColorName = "causa.event"       // event lines
	Seal        fyne.ThemeColorName = "causa.seal"        // vermilion: final or urgent, nothing else
	OnSeal      fyne.ThemeColorName = "causa.onSeal"      // text on Seal
	SealText    fyne.ThemeColorName = "causa.sealText"    // text in vermilion
	SealSoft    fyne.ThemeColorName = "causa.sealSoft"    // behind such text
	Calm        fyne.ThemeColorName = "causa.calm"        // green: all is well
	CalmSoft    fyne.ThemeColorName = "causa.calmSoft"    // behind such text
	Heed        fyne.ThemeColorName = "causa.heed"        // amber: worth knowing
	HeedSoft    fyne.ThemeColorName = "causa.heedSoft"    // behind such text
	Scrim       fyne.ThemeColorName = "causa.scrim"       // over the window behind a sheet
	Shadow      fyne.ThemeColorName = "causa.shadow"      // under cards and sheets
)

type shades struct{ light, dark color.NRGBA }

func hex(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xff}
}

func veil(v uint32, alpha uint8) color.NRGBA {
	c := hex(v)
	c.A = alpha
	return c
}

var palette = map[fyne.ThemeColorName]shades{
	Surface:     {hex(0xFFFFFF), hex(0x171C24)},
	Canvas:      {hex(0xF4F5F7), hex(0x10141A)},
	Text:        {hex(0x171C26), hex(0xE7EAEF)},
	Muted:       {hex(0x5F6877), hex(0x99A3B3)},
	Line:        {hex(0xE4E7EC), hex(0x272E39)},
	Field:       {hex(0xF0F2F5), hex(0x222933)},
	FieldHover:  {hex(0xE5E9EF), hex(0x2B3440)},
	Accent:      {hex(0x2456A6), hex(0x3569C0)},
	AccentHover: {hex(0x1D4788), hex(0x3D71C7)},
	OnAccent:    {hex(0xFFFFFF), hex(0xFFFFFF)},
	Link:        {hex(0x2456A6), hex(0x86B2F5)},
	AccentSoft:  {hex(0xE8EFFA), hex(0x1D2E4A)},
	Chosen:      {hex(0xEDF2FB), hex(0x1B2738)},
	Hover:       {hex(0xF6F8FB), hex(0x1D232C)},
	Rail:        {hex(0x16263D), hex(0x0B1017)},
	RailChosen:  {hex(0x26405F), hex(0x1D2E4A)},
	RailHover:   {hex(0x1E324E), hex(0x151C27)},
	OnRail:      {hex(0xA9B7CA), hex(0x97A3B5)},
	OnRailHigh:  {hex(0xFFFFFF), hex(0xFFFFFF)},
	Bubble:      {hex(0xFFFFFF), hex(0x1D232D)},
	BubbleLine:  {hex(0xE8EBF0), hex(0x2A323E)},
	Mine:        {hex(0xE3ECFA), hex(0x1F3558)},
	MineLine:    {hex(0xD3E1F6), hex(0x2B4673)},
	Event:       {hex(0xE9ECF1), hex(0x1C222B)},
	Seal:        {hex(0xC8402F), hex(0xC8402F)},
	OnSeal:      {hex(0xFFFFFF), hex(0xFFFFFF)},
	SealText:    {hex(0xB93526), hex(0xF28B7D)},
	SealSoft:    {hex(0xFCE9E6), hex(0x3A1D1B)},
	Calm:        {hex(0x1C6B42), hex(0x74C99B)},
	CalmSoft:    {hex(0xE4F3EA), hex(0x16301F)},
	Heed:        {hex(0x80560A), hex(0xE3B964)},
	HeedSoft:    {hex(0xFDF3DC), hex(0x33280F)},
	Scrim:       {veil(0x0E1726, 0x66), veil(0x000000, 0x99)},
	Shadow:      {veil(0x0E1726, 0x2E), veil(0x000000, 0x80)},
}

// fynes gives Fyne's own widgets the colours of ours.
var fynes = map[fyne.ThemeColorName]fyne.ThemeColorName{
	theme.ColorNameBackground:          Surface,
	theme.ColorNameForeground:          Text,
	theme.ColorNamePrimary:             Accent,
	theme.ColorNameForegroundOnPrimary: OnAccent,
	theme.ColorNameHyperlink:           Link,
	theme.ColorNameHover:               FieldHover,
	theme.ColorNameSeparator:           Line,
	theme.ColorNameInputBackground:     Surface,
	theme.ColorNameInputBorder:         Line,
	theme.ColorNamePlaceHolder:         Muted,
	theme.ColorNameDisabled:            Muted,
	theme.ColorNameButton:              Field,
	theme.ColorNameDisabledButton:      Field,
	theme.ColorNameOverlayBackground:   Surface,
	theme.ColorNameMenuBackground:      Surface,
	theme.ColorNameError:               SealText,
	theme.ColorNameForegroundOnError:   OnSeal,
	theme.ColorNameSuccess:             Calm,
	theme.ColorNameWarning:             Heed,
	theme.ColorNameHeaderBackground:    Field,
}

// washes are Fyne's translucent colours.
var washes = map[fyne.ThemeColorName]shades{
	theme.ColorNamePressed:             {veil(0x0E1726, 0x18), veil(0xFFFFFF, 0x1C)},
	theme.ColorNameSelection:           {veil(0x2456A6, 0x38), veil(0x86B2F5, 0x48)},
	theme.ColorNameFocus:               {veil(0x2456A6, 0x50), veil(0x86B2F5, 0x60)},
	theme.ColorNameShadow:              {veil(0x0E1726, 0x00), veil(0x000000, 0x00)}, // what scrolls casts none
	theme.ColorNameScrollBar:           {veil(0x0E1726, 0x48), veil(0xFFFFFF, 0x48)},
	theme.ColorNameScrollBarBackground: {veil(0x0E1726, 0x00), veil(0xFFFFFF, 0x00)},
}

// A Tint is a pair of colours for badges: Ink on Ground.
type Tint struct{ Ground, Ink fyne.ThemeColorName }

// The tints that class badges draw on, and the grounds of avatars (white ink).
var tints = []struct {
	name         string
	ground, ink  shades
	avatarGround color.NRGBA
}{
	{"blue", shades{hex(0xE3ECFA), hex(0x1D2E4A)}, shades{hex(0x2456A6), hex(0x86B2F5)}, hex(0x3C68B0)},
	{"amber", shades{hex(0xFDEFD8), hex(0x372A10)}, shades{hex(0x865508), hex(0xE3B964)}, hex(0x8F5F13)},
	{"green", shades{hex(0xE4F3EA), hex(0x16301F)}, shades{hex(0x1C6B42), hex(0x74C99B)}, hex(0x2B7A52)},
	{"violet", shades{hex(0xEEE8F8), hex(0x2A2140)}, shades{hex(0x63409F), hex(0xBDA1EE)}, hex(0x6945A6)},
	{"rose", shades{hex(0xFCE8EF), hex(0x3A1B28)}, shades{hex(0x9C2F5C), hex(0xEE9BBB)}, hex(0xA04468)},
	{"teal", shades{hex(0xDFF1F3), hex(0x12302F)}, shades{hex(0x17656D), hex(0x74C4C9)}, hex(0x35747F)},
	{"slate", shades{hex(0xE9ECF1), hex(0x262D38)}, shades{hex(0x46536A), hex(0xA9B5C7)}, hex(0x586680)},
	{"clay", shades{hex(0xF8E9E1), hex(0x362218)}, shades{hex(0x8C4526), hex(0xE3A283)}, hex(0xA8543A)},
}

// TintNamed returns the tint called blue, amber, green, violet, rose, teal, slate or clay.
func TintNamed(name string) Tint {
	return Tint{Ground: fyne.ThemeColorName("causa.tint." + name), Ink: fyne.ThemeColorName("causa.ink." + name)}
}

// AvatarGround returns the colour behind a person's initials, the same for ever for one id.
func AvatarGround(id []byte) color.Color {
	sum := 0
	for _, b := range id {
		sum += int(b)
	}
	return tints[sum%len(tints)].avatarGround
}

func init() {
	for _, t := range tints {
		n := TintNamed(t.name)
		palette[n.Ground], palette[n.Ink] = t.ground, t.ink
	}
}
