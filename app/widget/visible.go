package widget

import (
	"strings"
	"unicode"
)

// Visible returns s without what could mislead the eye or break a layout: control
// characters other than line feeds, and characters that turn the direction of text.
func Visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r):
			return -1
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x061c:
			return -1
		case r == 0x2028, r == 0x2029:
			return '\n'
		case r == 0xfeff, r == 0x200b, r == 0x2060:
			return -1
		}
		return r
	}, s)
}

// OneLine is [Visible] on a single line, for names and titles.
func OneLine(s string) string { return strings.Join(strings.Fields(Visible(s)), " ") }

// Initial returns what an avatar shows for a name: its first letter.
func Initial(name string) string {
	for _, r := range OneLine(name) {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "?"
}
