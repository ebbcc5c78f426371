package matter

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of names: of members, devices, organisations, and of the titles of matters.
const (
	MaxName  = 200 // characters (code points)
	maxMarks = 8   // combining marks in a row
	// maxRawName is how many bytes CleanName looks at: no longer text can end up
	// within MaxName characters, composed or not, in any writing system.
	maxRawName = 16 << 10
)

// A NameReason is the rule that a name breaks.
type NameReason uint8

// Why a name is refused.
const (
	NameEmpty     NameReason = 1 // nothing but white space
	NameLong      NameReason = 2 // over MaxName characters
	NameEncoding  NameReason = 3 // not valid UTF-8
	NameControl   NameReason = 4 // control characters or line breaks
	NameDirection NameReason = 5 // text direction overrides, embeddings or isolates
	NameInvisible NameReason = 6 // nothing in it can be seen
	NameMarks     NameReason = 7 // more than maxMarks combining marks in a row
	NameUnknown   NameReason = 8 // characters that not every program knows
)

// A NameError says why [CleanName] refused a name.
type NameError struct{ Reason NameReason }

func (e *NameError) Error() string {
	text, _ := e.Words()
	return "name: " + strings.TrimSuffix(text, ".")
}

// Words returns what a person is told: two English sentences that are also the keys
// of their translations.
func (e *NameError) Words() (text, hint string) {
	switch e.Reason {
	case NameEmpty:
		return "The name is empty.", "Type at least one character."
	case NameLong:
		return "The name is too long.", "Use at most 200 characters."
	case NameEncoding:
		return "The name can't be read as text.", "Type it again."
	case NameControl:
		return "The name contains line breaks or control characters.", "Type it again on one line."
	case NameDirection:
		return "The name contains characters that reverse the direction of text.", "Type it again without them."
	case NameInvisible:
		return "The name has no visible characters.", "Type at least one character that can be seen."
	case NameMarks:
		return "The name has too many accents on one character.", "Remove some of them."
	default:
		return "The name contains a character that not every device can show.", "Use another character."
	}
}

// CleanName returns s as it may be used as a name or title: without white space at
// its ends and in Unicode normalization form C. It refuses, with a [*NameError],
// what people could not read or would misread. What it returns it returns unchanged
// when given again, in every version of this program: the organisation log depends
// on that.
func CleanName(s string) (string, error) {
	s = strings.TrimFunc(s, whiteSpace)
	switch {
	case s == "":
		return "", &NameError{NameEmpty}
	case len(s) > maxRawName:
		return "", &NameError{NameLong}
	case !utf8.ValidString(s):
		return "", &NameError{NameEncoding}
	}
	visible := false
	for _, r := range s {
		switch {
		case r < 0x20, r >= 0x7f && r < 0xa0, r == 0x2028, r == 0x2029:
			return "", &NameError{NameControl}
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return "", &NameError{NameDirection}
		case !nameable(r):
			return "", &NameError{NameUnknown}
		}
		visible = visible || !invisible(r)
	}
	switch {
	case !visible:
		return "", &NameError{NameInvisible}
	case overloaded(s): // also keeps package norm from breaking the marks up
		return "", &NameError{NameMarks}
	}
	s = norm.NFC.String(s)
	switch {
	case overloaded(s): // some marks are two when normalized
		return "", &NameError{NameMarks}
	case utf8.RuneCountInString(s) > MaxName:
		return "", &NameError{NameLong}
	}
	return s, nil
}

// overloaded reports whether s has more than maxMarks combining marks in a row.
func overloaded(s string) bool {
	marks := 0
	for i := range s {
		// The first character of the decomposition counts: U+0F73 and its like stand
		// for two marks without being one.
		if norm.NFC.PropertiesString(s[i:]).LeadCCC() == 0 {
			marks = 0
		} else if marks++; marks > maxMarks {
			return true
		}
	}
	return false
}

// whiteSpace reports whether r has the Unicode property White_Space. It is written
// out because the property may change and CleanName may not.
func whiteSpace(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', ' ', 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000:
		return true
	}
	return r >= 0x2000 && r <= 0x200a
}

// invisibles are the ranges of characters that show nothing: the Unicode property
// Default_Ignorable_Code_Point, written out for the same reason, and the empty
// Braille pattern.
var invisibles = [][2]rune{
	{0x00ad, 0x00ad},
	{0x034f, 0x034f},
	{0x061c, 0x061c},
	{0x115f, 0x1160},
	{0x17b4, 0x17b5},
	{0x180b, 0x180f},
	{0x200b, 0x200f},
	{0x202a, 0x202e},
	{0x2060, 0x206f},
	{0x2800, 0x2800},
	{0x3164, 0x3164},
	{0xfe00, 0xfe0f},
	{0xfeff, 0xfeff},
	{0xffa0, 0xffa0},
	{0xfff0, 0xfff8},
	{0x1bca0, 0x1bca3},
	{0x1d173, 0x1d17a},
	{0xe0000, 0xe0fff},
}

func invisible(r rune) bool {
	return whiteSpace(r) || slices.ContainsFunc(invisibles, func(x [2]rune) bool { return x[0] <= r && r <= x[1] })
}
