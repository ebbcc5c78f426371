// Package notify shows notifications on the desktop: few, short, and harmless whatever the
// messages say that they are about.
package notify

import (
	"strings"
	"unicode"
)

const (
	maxTitle = 60  // runes
	maxBody  = 160 // runes
	maxMarks = 2   // combining characters on one letter
)

// Clean makes text from others safe to be put into a program or markup, whatever quotes
// it: some systems are only reached by PowerShell and AppleScript. It keeps letters, digits
// and a few marks of punctuation that mean nothing to any of them; all else becomes a
// space. So "$(calc)" is "calc", and a right-to-left override is nothing.
func Clean(s string, limit int) string {
	return tidy(s, limit, func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Mc, r) ||
			strings.ContainsRune(".,:!?+，。：！？、（）《》…·", r)
	})
}

// Line makes text from others fit for one line of a program that takes it as data: without
// control characters and such as hide or reverse other text.
func Line(s string, limit int) string {
	return tidy(s, limit, func(r rune) bool {
		return unicode.IsGraphic(r) && !unicode.Is(unicode.Zs, r) && !unicode.Is(unicode.Cf, r) && r != unicode.ReplacementChar
	})
}

// tidy keeps what may stay, puts a single space in place of anything else, and ends in "…"
// when it has to cut. Letters carry no more than a few combining characters.
func tidy(s string, limit int, keep func(rune) bool) string {
	var b strings.Builder
	n, marks, space := 0, 0, false
	for _, r := range s {
		if unicode.Is(unicode.Cf, r) {
			continue // no width, so no space either
		}
		if !keep(r) {
			space = n > 0
			marks = maxMarks // nothing to carry them
			continue
		}
		if unicode.Is(unicode.M, r) {
			if marks++; marks > maxMarks || n == 0 {
				continue
			}
		} else {
			marks = 0
		}
		if space && n+2 > limit-1 || n+1 > limit-1 {
			b.WriteRune('…')
			break
		}
		if space {
			b.WriteByte(' ')
			n++
		}
		space = false
		b.WriteRune(r)
		n++
	}
	return b.String()
}
