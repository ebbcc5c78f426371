package matter

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A File is what a message of kind [KindFile] brings.
type File struct {
	Name     string // clean: see FileName
	Type     string // MIME, as the sender says; prove it before trusting it
	Size     int64
	Duration time.Duration // of a voice note; else 0
	Caption  string
	Here     bool // its bytes are on this device, verified
	Preview  bool // a preview is
}

// FileText is the text of a message that brings a file: what is listed, found and quoted.
func FileText(name, caption string) string {
	if caption == "" {
		return name
	}
	return name + "\n" + caption
}

// maxFileName is how many bytes a file's name has at most.
const maxFileName = 200

// FileName makes a name that somebody else chose fit to be shown and to be a file's on
// every system: no path in it, no control or invisible characters, nothing that turns the
// direction of text, no name that Windows keeps for itself. It is never empty, and
// FileName of its result is the same.
func FileName(s string) string {
	s = strings.ToValidUTF8(s, "_")
	s = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(`/\:*?"<>|`, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r), r == utf8.RuneError:
			return '_'
		case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Variation_Selector, r):
			return -1
		case unicode.Is(unicode.Zs, r):
			return ' '
		}
		return r
	}, s)
	s = shorten(trimName(s))
	if reserved(s) {
		s = "_" + s
	}
	if s == "" {
		return "file"
	}
	return s
}

// trimName takes off what systems drop or hide: dots and spaces at the ends.
func trimName(s string) string { return strings.Trim(s, ". ") }

// shorten keeps the end of a long name, which says what kind of file it is.
func shorten(s string) string {
	if len(s) <= maxFileName {
		return s
	}
	ext := ""
	if i := strings.LastIndexByte(s, '.'); i > 0 && len(s)-i <= 20 {
		ext = s[i:]
	}
	s = s[:maxFileName-len(ext)-1] // one byte is left for what a reserved name gets
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return trimName(s) + ext
}

// reserved reports whether Windows has a device of this name.
func reserved(s string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(s), ".")
	stem = strings.TrimRight(stem, " ")
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	r := []rune(stem)
	return len(r) == 4 && (strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")) && strings.ContainsRune("0123456789¹²³", r[3])
}
