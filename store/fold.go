package store

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// foldRune gives the form of a character that search compares: lower case, without
// accents, half and full width alike. Marks that stand alone fold to nothing.
func foldRune(r rune) string {
	switch {
	case r < utf8.RuneSelf:
		return string(unicode.ToLower(r))
	case unicode.Is(unicode.Han, r) && (r < 0xf900 || r > 0xfaff) && r < 0x2f800, unicode.Is(unicode.Hangul, r) && r >= 0xac00 && r <= 0xd7a3:
		return string(r)
	}
	var b strings.Builder
	for _, x := range norm.NFKD.String(string(r)) {
		if !unicode.Is(unicode.Mn, x) {
			b.WriteRune(unicode.ToLower(x))
		}
	}
	return b.String()
}

// A folded text remembers where each of its bytes comes from.
type folded struct {
	s    string
	from []int // offset in the original, for each byte of s and for its end
}

func fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		b.WriteString(foldRune(r))
	}
	return b.String()
}

func foldWithOffsets(s string) folded {
	var b strings.Builder
	from := make([]int, 0, len(s)+1)
	for i, r := range s {
		f := foldRune(r)
		b.WriteString(f)
		for range len(f) {
			from = append(from, i)
		}
	}
	return folded{s: b.String(), from: append(from, len(s))}
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
