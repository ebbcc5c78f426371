package screen

import (
	"strings"
	"sync"

	apptheme "causa/app/theme"
	"causa/app/widget"
	"causa/assets"
	"causa/internal/words"
	"causa/matter"
)

// fingerprintWords is how many words say a device's id: 132 bits, more than anyone can
// search for.
const fingerprintWords = 12

var wordlists sync.Map // language → []string

func wordlist(lang string) []string {
	if list, ok := wordlists.Load(lang); ok {
		return list.([]string)
	}
	b, err := assets.Wordlists.ReadFile("wordlists/" + lang + ".txt")
	if err != nil {
		if lang == words.English {
			return nil // not in this program
		}
		return wordlist(words.English)
	}
	list := strings.Fields(string(b))
	wordlists.Store(lang, list)
	return list
}

// FingerprintWords returns the first 132 bits of a device's id as words of a language,
// eleven bits each.
func FingerprintWords(id matter.DeviceID, lang string) []string {
	list := wordlist(lang)
	var out []string
	for n := range fingerprintWords {
		index := 0
		for bit := n * 11; bit < (n+1)*11; bit++ {
			index = index<<1 | int(id[bit/8]>>(7-bit%8)&1)
		}
		out = append(out, list[index])
	}
	return out
}

// ShowFingerprint opens a sheet on which two people compare a device's key.
func (e *Env) ShowFingerprint(d matter.Device) {
	said := FingerprintWords(d.ID, e.Words.Lang())
	column := widget.NewColumn(14)
	if code, err := Code("causa://device?id=" + d.ID.String()); err == nil {
		column.Add(widget.NewCentre(code))
	}
	lines := widget.NewColumn(2)
	for i := 0; i < len(said); i += 4 {
		lines.Add(widget.NewHeading(strings.Join(said[i:i+4], "   "), apptheme.SizeHeading).Wrapped().Centered())
	}
	digits := widget.NewText(Fingerprint(d.ID)).Wrapped().Centered().In(apptheme.Muted)
	digits.Style.Monospace, digits.Points = true, apptheme.SizeTiny
	card := widget.NewFill(apptheme.Field, lines)
	card.Radius, card.Inset = apptheme.Radius, widget.Around(12)
	column.Add(card, digits,
		widget.NewSmall(e.T("Open the same page on the device itself, under My devices. Its words, code and digits are the same, or it is another device.")).Wrapped().Centered())
	var sheet *widget.Sheet
	done := widget.NewButton(e.T("Done"), widget.Quiet, func() { sheet.Close() })
	foot := widget.NewRow(10, 0, widget.NewSpace(0, 0), done)
	sheet = widget.ShowSheet(e.Window, e.T("Fingerprint of %s", widget.OneLine(d.Name)), 460, column, foot)
	e.Window.Focus(done)
}
