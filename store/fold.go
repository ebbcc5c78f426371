package store

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// appendFolded appends the form of a character that search compares: lower case, without
// accents, half and full width alike. Marks that stand alone fold to nothing.
func appendFolded(b []byte, r rune) []byte {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return append(b, byte(r))
	case r >= 0x4e00 && r <= 0x9fff, r >= 0x3400 && r <= 0x4dbf, r >= 0xac00 && r <= 0xd7a3, r >= 0x20000 && r <= 0x2f7ff,
		r >= 0x3001 && r <= 0x3029: // Chinese, Hangul, Chinese punctuation: as they are
		return utf8.AppendRune(b, r)
	case r >= 0xff01 && r <= 0xff5e: // full width
		return appendFolded(b, r-0xfee0)
	}
	for _, x := range norm.NFKD.String(string(r)) {
		if !unicode.Is(unicode.Mn, x) {
			b = utf8.AppendRune(b, unicode.ToLower(x))
		}
	}
	return b
}

func fold(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = appendFolded(b, r)
	}
	return string(b)
}

// foldedFrom tells, for each byte of fold(s) and for its end, where in s it comes from.
func foldedFrom(s string) []int {
	from := make([]int, 0, len(s)+1)
	var b []byte
	for i, r := range s {
		b = appendFolded(b[:0], r)
		for range b {
			from = append(from, i)
		}
	}
	return append(from, len(s))
}

// The scripts that are written without spaces between words. Their characters are
// indexed one by one and in pairs.
var unspaced = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
}

type runeClass int

const (
	separator runeClass = iota
	wordRune
	singleRune
)

func classOf(r rune) runeClass {
	switch {
	case r < utf8.RuneSelf:
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' {
			return wordRune
		}
		return separator
	case unicode.In(r, unspaced...) || r == '々' || r == 'ー':
		return singleRune
	case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) || unicode.Is(unicode.So, r):
		return wordRune
	}
	return separator
}

// maxToken bounds one word of the index, in bytes.
const maxToken = 64

// runs calls f for each run of word characters and of unspaced characters in a folded
// text.
func runs(s string, f func(class runeClass, run string)) {
	class, start := separator, 0
	for i, r := range s {
		c := classOf(r)
		if c == class {
			continue
		}
		if class != separator {
			f(class, s[start:i])
		}
		class, start = c, i
	}
	if class != separator {
		f(class, s[start:])
	}
}

// clip cuts a word to what the index takes.
func clip(word string) string {
	if len(word) <= maxToken {
		return word
	}
	n := maxToken
	for n > 0 && !utf8.RuneStart(word[n]) {
		n--
	}
	return word[:n]
}
